// SPDX-License-Identifier: GPL-2.0
/* The command netguard status: what runs, who does what, and what fixes it. */

#include "memory.h"
#include "state.h"
#include "text.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

static const char usage[] = "usage: netguard status [options] [GUARD...]\n"
			    "\n"
			    "  -j, --json            as JSON; with -p indented\n"
			    "  -a, --all             counters that are 0 too, and every remark\n"
			    "  -r, --recent=SECONDS  only what was seen within so many seconds\n"
			    "\n"
			    "exit status: 0 nothing found, 1 findings, 2 error\n";

struct status_options {
	bool json, pretty, all;
	uint64_t recent_ms;
	char **guards;
	int n_guards;
};

static bool wanted(const struct status_options *options, const struct guard *guard)
{
	int i;

	for (i = 0; i < options->n_guards; i++)
		if (!strcmp(options->guards[i], guard->name))
			return true;
	return !options->n_guards;
}

static void print_counters(const struct guard_state *state, bool all)
{
	const struct counter_value *value;
	size_t i;

	for (i = 0; i < state->n_counters; i++) {
		value = &state->counters[i];
		if (value->value || all)
			printf("  %s%12" PRIu64 "  %-22s %s%s\n", colour(DIM), value->value,
			       value->name,
			       value->counter ? value->counter->help
					      : "(not known to this command)",
			       colour(PLAIN));
	}
}

/* More than these of one guard would bury the others. */
#define SHOWN 10

static void print_guard(const struct guard_state *state, const struct status_options *options)
{
	size_t i, shown, findings = state->n_findings, remarks = state->n_remarks;
	const char *mode = guard_mode(state);

	printf("\n%s%-10s%s ", colour(BOLD), state->guard->name, colour(PLAIN));
	if (!state->module.loaded) {
		printf("%snot loaded%s: modprobe %s\n", colour(YELLOW), colour(PLAIN),
		       state->module.name);
		return;
	}
	if (mode)
		printf("mode %s%s%s, ", colour(CYAN), mode, colour(PLAIN));
	if (!state->readable)
		printf("%scannot be read%s\n", colour(YELLOW), colour(PLAIN));
	else if (findings)
		printf("%s%zu finding%s%s\n", colour(RED), findings, findings > 1 ? "s" : "",
		       colour(PLAIN));
	else
		printf("%snothing found%s\n", colour(GREEN), colour(PLAIN));
	if (module_skewed(&state->module))
		printf("  %sruns %s, installed is %s%s\n",
		       colour(YELLOW), state->module.running, state->module.installed,
		       colour(PLAIN));

	shown = options->all ? findings + remarks : findings < SHOWN ? findings : SHOWN;
	for (i = 0; i < shown; i++)
		finding_print(&state->findings[i]);
	if (shown < findings)
		printf("  %s%zu more: netguard status -a %s%s\n", colour(YELLOW), findings - shown,
		       state->guard->name, colour(PLAIN));
	if (remarks && !options->all)
		printf("  %sremarks: %zu, see netguard status -a %s%s\n", colour(DIM), remarks,
		       state->guard->name, colour(PLAIN));
	print_counters(state, options->all);
}

static void print_versions(const struct state *state)
{
	size_t i, loaded = 0;

	for (i = 0; i < n_guards; i++)
		loaded += state->guards[i].module.loaded;
	printf("%snetguard %s%s", colour(BOLD), state->core.loaded ? state->core.running : "",
	       colour(PLAIN));
	if (!state->core.loaded)
		printf("%snot loaded%s", colour(YELLOW), colour(PLAIN));
	if (!*state->core.installed)
		printf(", %snot installed for this kernel%s", colour(YELLOW), colour(PLAIN));
	else if (!state->core.loaded)
		printf(", installed is %s", state->core.installed);
	else if (!module_skewed(&state->core))
		printf(", as installed");
	printf("; %zu of %zu guards loaded\n", loaded, n_guards);
	if (!state->skewed)
		return;
	if (!strcmp(state->core.running, state->core.installed))
		printf("%sversion skew%s: runs and installed are different builds of %s\n",
		       colour(YELLOW), colour(PLAIN), state->core.installed);
	else
		printf("%sversion skew%s: %s runs, %s is installed\n", colour(YELLOW),
		       colour(PLAIN), state->core.running,
		       *state->core.installed ? state->core.installed : "none");
	text_labelled("fix", GREEN, "modprobe -r netguard; modprobe netguard");
}

static void print_text(const struct state *state, const struct status_options *options)
{
	size_t i;

	print_versions(state);
	for (i = 0; i < n_guards; i++)
		if (wanted(options, state->guards[i].guard))
			print_guard(&state->guards[i], options);
}

static struct json_object *json_module(const struct module *module)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "loaded", json_object_new_boolean(module->loaded));
	json_add_text(object, "running", module->running);
	json_add_text(object, "installed", module->installed);
	json_object_object_add(object, "skewed", json_object_new_boolean(module_skewed(module)));
	return object;
}

static struct json_object *json_guard(const struct guard_state *state)
{
	struct json_object *object = json_object_new_object(), *part;
	size_t i;

	json_object_object_add(object, "guard", json_object_new_string(state->guard->name));
	json_object_object_add(object, "module", json_module(&state->module));
	part = json_object_new_object();
	for (i = 0; i < state->n_parameters; i++) {
		char *text = value_text(state->parameters[i].value);

		json_object_object_add(part, state->parameters[i].name,
				       json_object_new_string(text));
		free(text);
	}
	json_object_object_add(object, "parameters", part);
	json_object_object_add(object, "readable", json_object_new_boolean(state->readable));
	part = json_object_new_array();
	for (i = 0; i < state->n_findings + state->n_remarks; i++)
		json_object_array_add(part, finding_json(&state->findings[i]));
	json_object_object_add(object, "findings", part);
	part = json_object_new_object();
	for (i = 0; i < state->n_counters; i++)
		json_object_object_add(part, state->counters[i].name,
				       json_object_new_uint64(state->counters[i].value));
	json_object_object_add(object, "counters", part);
	return object;
}

static void print_json(const struct state *state, const struct status_options *options)
{
	struct json_object *object = json_object_new_object(), *list;
	size_t i;

	json_add_text(object, "tool", NG_VERSION);
	json_object_object_add(object, "core", json_module(&state->core));
	json_object_object_add(object, "skewed", json_object_new_boolean(state->skewed));
	json_object_object_add(object, "findings", json_object_new_int64(state->n_findings));
	json_add_text(object, "error", state->error ? state->error : "");
	json_add_text(object, "help", state->help ? state->help : "");
	list = json_object_new_array();
	for (i = 0; i < n_guards; i++)
		if (wanted(options, state->guards[i].guard))
			json_object_array_add(list, json_guard(&state->guards[i]));
	json_object_object_add(object, "guards", list);
	json_print(object, options->pretty);
}

static int status_of(const struct state *state, const struct status_options *options)
{
	size_t i, findings = 0;

	if (state->error)
		return NG_ERROR;
	for (i = 0; i < n_guards; i++) {
		if (!wanted(options, state->guards[i].guard))
			continue;
		if (state->guards[i].module.loaded && !state->guards[i].readable)
			return NG_ERROR;
		findings += state->guards[i].n_findings;
	}
	return findings ? NG_FOUND : NG_NOTHING;
}

static int status_print(const struct status_options *options)
{
	struct state state;
	int status;

	state_read(&state, options->recent_ms);
	if (options->json)
		print_json(&state, options);
	else
		print_text(&state, options);
	if (state.error) {
		fflush(stdout);
		fprintf(stderr, "netguard: %s: %s\n", state.error, state.help);
	}
	status = status_of(&state, options);
	state_free(&state);
	return status;
}

int status_command(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' }, { "pretty", no_argument, NULL, 'p' },
		{ "all", no_argument, NULL, 'a' },  { "recent", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	struct status_options options = {};
	int option, i;

	while ((option = getopt_long(argc, argv, "jpar:h", longs, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'p':
			options.pretty = true;
			break;
		case 'a':
			options.all = true;
			break;
		case 'r':
			options.recent_ms = recent(optarg);
			break;
		default:
			return usage_print(usage, option == 'h');
		}
	}
	options.guards = argv + optind;
	options.n_guards = argc - optind;
	for (i = optind; i < argc; i++)
		if (!guard_find(argv[i]))
			errx(NG_ERROR, "no guard '%s'; netguard explain lists them", argv[i]);
	text_start();
	return status_print(&options);
}
