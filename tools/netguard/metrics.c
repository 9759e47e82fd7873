// SPDX-License-Identifier: GPL-2.0
/* The command netguard metrics: Prometheus text, for people or for node_exporter. */

#include "memory.h"
#include "state.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Culprits of one guard that get a series each; the heaviest. */
#define OFFENDERS 5

static const char usage[] =
	"usage: netguard metrics [--textfile=FILE] [--recent=SECONDS]\n"
	"\n"
	"  -t, --textfile=FILE  replace FILE at once, for the textfile collector of\n"
	"                       node_exporter; its name has to end with .prom\n"
	"  -r, --recent=SECONDS only culprits that were seen within so many seconds\n";

/* The value of a label between its quotes. */
static void label(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void family(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP netguard_%s %s\n# TYPE netguard_%s %s\n", name, help, name, type);
}

static void print_versions(FILE *to, const struct state *state)
{
	size_t i;

	family(to, "build_info", "gauge",
	       "Versions of the module that runs, of the one installed, and of this command.");
	fputs("netguard_build_info{version=\"", to);
	label(to, state->core.running);
	fputs("\",installed=\"", to);
	label(to, state->core.installed);
	fputs("\",command=\"" NG_VERSION "\"} 1\n", to);
	family(to, "up", "gauge", "1 if the modules' files could be read.");
	fprintf(to, "netguard_up %d\n", !state->error);
	family(to, "version_skew", "gauge",
	       "1 if another build of a module runs than the one installed.");
	fprintf(to, "netguard_version_skew %d\n", state->skewed);
	family(to, "guard_loaded", "gauge", "1 if the guard's module is loaded.");
	for (i = 0; i < n_guards; i++)
		fprintf(to, "netguard_guard_loaded{guard=\"%s\"} %d\n", guards[i].name,
			state->guards[i].module.loaded);
	family(to, "guard_mode", "gauge", "1 for the mode that the guard is in.");
	for (i = 0; i < n_guards; i++) {
		const char *now = guard_mode(&state->guards[i]);
		const char *const *mode = guards[i].modes;

		for (; now && mode && *mode; mode++)
			fprintf(to, "netguard_guard_mode{guard=\"%s\",mode=\"%s\"} %d\n",
				guards[i].name, *mode, !strcmp(now, *mode));
	}
}

/* Several rows may have one subject, such as the flows of one sender. */
static void print_offenders(FILE *to, const struct guard_state *state)
{
	const struct finding *findings = state->findings;
	size_t i, k, shown = 0;
	uint64_t weight;

	for (i = 0; i < state->n_findings && shown < OFFENDERS; i++) {
		for (k = 0; k < i; k++)
			if (!strcmp(findings[k].subject, findings[i].subject))
				break;
		if (k < i)
			continue;
		weight = 0;
		for (k = i; k < state->n_findings; k++)
			if (!strcmp(findings[k].subject, findings[i].subject))
				weight += findings[k].weight;
		fprintf(to, "netguard_offender_events{guard=\"%s\",offender=\"",
			state->guard->name);
		label(to, findings[i].subject);
		fprintf(to, "\"} %" PRIu64 "\n", weight);
		shown++;
	}
}

static void print_findings(FILE *to, const struct state *state)
{
	size_t i;

	family(to, "findings", "gauge", "Culprits that the guard names now.");
	for (i = 0; i < n_guards; i++)
		if (state->guards[i].readable)
			fprintf(to, "netguard_findings{guard=\"%s\"} %zu\n", guards[i].name,
				state->guards[i].n_findings);
	family(to, "offender_events", "gauge",
	       "Frames, packets or redirects of each guard's worst culprits.");
	for (i = 0; i < n_guards; i++)
		print_offenders(to, &state->guards[i]);
}

static void print_counters(FILE *to, const struct guard_state *state)
{
	const struct counter_value *value;
	char *name, *help;
	bool gauge;
	size_t i;

	for (i = 0; i < state->n_counters; i++) {
		value = &state->counters[i];
		/* Without its sentence one cannot tell a counter from a gauge. */
		if (!value->counter)
			continue;
		gauge = value->counter->gauge;
		name = format("%s_%s%s", state->guard->name, value->name, gauge ? "" : "_total");
		help = format("%s.", value->counter->help);
		family(to, name, gauge ? "gauge" : "counter", help);
		fprintf(to, "netguard_%s %" PRIu64 "\n", name, value->value);
		free(name);
		free(help);
	}
}

static void print_all(FILE *to, const struct state *state)
{
	size_t i;

	print_versions(to, state);
	if (state->error)
		return;
	print_findings(to, state);
	for (i = 0; i < n_guards; i++)
		print_counters(to, &state->guards[i]);
}

/* A reader sees the old file or the new one, also after a crash. */
static void write_file(const char *path, const struct state *state)
{
	char *temporary = format("%s.XXXXXX", path);
	FILE *to;
	int fd;

	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		err(NG_ERROR, "%s", path);
	to = need(fdopen(fd, "w"));
	print_all(to, state);
	if (fflush(to) || fchmod(fd, 0644) || fsync(fd) || fclose(to) || rename(temporary, path)) {
		int error = errno;

		unlink(temporary);
		errno = error;
		err(NG_ERROR, "%s", path);
	}
	free(temporary);
}

int metrics_command(int argc, char **argv)
{
	static const struct option longs[] = { { "textfile", required_argument, NULL, 't' },
					       { "recent", required_argument, NULL, 'r' },
					       { "help", no_argument, NULL, 'h' },
					       {} };
	const char *file = NULL;
	uint64_t recent_ms = 0;
	struct state state;
	size_t len;
	int option;

	while ((option = getopt_long(argc, argv, "t:r:h", longs, NULL)) != -1) {
		switch (option) {
		case 't':
			file = optarg;
			break;
		case 'r':
			recent_ms = recent(optarg);
			break;
		default:
			return usage_print(usage, option == 'h');
		}
	}
	if (optind < argc)
		return usage_print(usage, false);
	len = file ? strlen(file) : 0;
	if (file && (len < 6 || strcmp(file + len - 5, ".prom")))
		errx(NG_ERROR, "textfile '%s' refused: node_exporter reads only *.prom", file);

	text_start();
	state_read(&state, recent_ms);
	/* Told in the metrics as well: netguard_up is 0. */
	if (state.error)
		fprintf(stderr, "netguard: %s: %s\n", state.error, state.help);
	if (file)
		write_file(file, &state);
	else
		print_all(stdout, &state);
	state_free(&state);
	return ferror(stdout) || fflush(stdout) ? NG_ERROR : NG_NOTHING;
}
