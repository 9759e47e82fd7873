// SPDX-License-Identifier: GPL-2.0
/* Reads the modules' files, and makes findings of the rows. */

#include "state.h"
#include "memory.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug"

const char *guard_mode(const struct guard_state *guard)
{
	size_t i;

	for (i = 0; i < guard->n_parameters; i++)
		if (!strcmp(guard->parameters[i].name, "mode"))
			return guard->parameters[i].value;
	return NULL;
}

const struct counter_value *guard_counter(const struct guard_state *guard, const char *name)
{
	size_t i;

	for (i = 0; i < guard->n_counters; i++)
		if (!strcmp(guard->counters[i].name, name))
			return &guard->counters[i];
	return NULL;
}

static FILE *guard_open(const struct guard *guard, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/netguard/%s/%s", guard->name, name);
	return fopen(path, "re");
}

static void read_counters(struct guard_state *state)
{
	FILE *file = guard_open(state->guard, "counters");
	struct counter_value *value;
	size_t i;

	if (!file)
		return;
	while (state->n_counters < COUNTERS_MAX) {
		value = &state->counters[state->n_counters];
		if (fscanf(file, "%47s %" SCNu64, value->name, &value->value) != 2)
			break;
		for (i = 0; i < state->guard->n_counters; i++)
			if (!strcmp(value->name, state->guard->counters[i].name))
				value->counter = &state->guard->counters[i];
		state->n_counters++;
	}
	state->readable = !ferror(file) && state->n_counters;
	fclose(file);
}

static void add_finding(struct guard_state *state, const struct namespaces *namespaces,
			const struct rule *rule, const struct row *row, char *line)
{
	const char *const *key = state->guard->weight;
	size_t n = state->n_findings + state->n_remarks;
	struct finding *finding;

	state->findings = need(realloc(state->findings, (n + 1) * sizeof(*state->findings)));
	finding = &state->findings[n];
	finding_make(finding, rule, row, line, namespaces);
	for (; line && key && *key; key++)
		finding->weight += row_number(row, *key);
	if (rule->level == LEVEL_FINDING)
		state->n_findings++;
	else
		state->n_remarks++;
}

static void read_table(struct guard_state *state, const struct namespaces *namespaces,
		       uint64_t recent_ms)
{
	FILE *file = guard_open(state->guard, state->guard->table);
	const char *mode = guard_mode(state);
	const struct rule *rule;
	char *line = NULL;
	size_t room = 0;
	struct row row;
	ssize_t len;

	while (file && (len = getline(&line, &room, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!row_parse(line, &row))
			continue;
		if (mode)
			row_add(&row, "mode", mode);
		rule = rule_find(state->guard->rules, &row);
		if (!rule || state->n_findings + state->n_remarks == FINDINGS_MAX ||
		    (recent_ms && row_number(&row, "age_ms") > recent_ms))
			continue;
		add_finding(state, namespaces, rule, &row, line);
		line = NULL;
		room = 0;
	}
	free(line);
	if (file)
		fclose(file);
}

/* The counters as if they were a row. */
static void judge_totals(struct guard_state *state, const struct namespaces *namespaces)
{
	char text[ROW_PAIRS][24];
	const struct rule *rule;
	struct row row = {};
	size_t i;

	if (guard_mode(state))
		row_add(&row, "mode", guard_mode(state));
	for (i = 0; i < state->n_counters && row.n < ROW_PAIRS; i++) {
		snprintf(text[i], sizeof(text[i]), "%" PRIu64, state->counters[i].value);
		row_add(&row, state->counters[i].name, text[i]);
	}
	rule = rule_find(state->guard->totals, &row);
	if (!rule)
		return;
	add_finding(state, namespaces, rule, &row, NULL);
	state->findings[state->n_findings + state->n_remarks - 1].row.n = 0;
}

/* Why debugfs does not show the guards. */
static bool debugfs_missing(struct state *state)
{
	struct statfs fs;

	if (!state->core.loaded) {
		state->error = "the module netguard is not loaded";
		state->help = "modprobe netguard";
	} else if (statfs(DEBUGFS, &fs) || fs.f_type != DEBUGFS_MAGIC) {
		state->error = "debugfs is not mounted";
		state->help = "mount -t debugfs none " DEBUGFS;
	} else if (access(DEBUGFS "/netguard", F_OK)) {
		bool denied = errno == EACCES || errno == EPERM;

		state->error = denied ? "only root may read " DEBUGFS "/netguard"
				      : DEBUGFS "/netguard is not there (booted with debugfs=off?)";
		state->help = denied ? "sudo netguard" : "cat /proc/cmdline";
	}
	return state->error;
}

uint64_t recent(const char *seconds)
{
	if (!is_number(seconds) || strlen(seconds) > 12)
		errx(NG_ERROR, "recent '%s' refused, allowed: seconds", seconds);
	return strtoull(seconds, NULL, 10) * 1000;
}

void state_read(struct state *state, uint64_t recent_ms)
{
	struct guard_state *guard;
	size_t i;

	memset(state, 0, sizeof(*state));
	state->guards = need(calloc(n_guards, sizeof(*state->guards)));
	module_read(&state->core, NULL);
	state->skewed = module_skewed(&state->core);
	namespaces_read(&state->namespaces);
	debugfs_missing(state);
	for (i = 0; i < n_guards; i++) {
		guard = &state->guards[i];
		guard->guard = &guards[i];
		module_read(&guard->module, guards[i].name);
		if (!guard->module.loaded)
			continue;
		state->skewed |= module_skewed(&guard->module) ||
				 strcmp(guard->module.running, state->core.running);
		guard->n_parameters = module_parameters(guards[i].name, guard->parameters);
		if (state->error)
			continue;
		read_counters(guard);
		read_table(guard, &state->namespaces, recent_ms);
		judge_totals(guard, &state->namespaces);
		qsort(guard->findings, guard->n_findings + guard->n_remarks,
		      sizeof(*guard->findings), finding_compare);
		state->n_findings += guard->n_findings;
	}
}

void state_free(struct state *state)
{
	size_t i, k;

	for (i = 0; i < n_guards; i++) {
		for (k = 0; k < state->guards[i].n_findings + state->guards[i].n_remarks; k++)
			finding_free(&state->guards[i].findings[k]);
		free(state->guards[i].findings);
	}
	free(state->guards);
	namespaces_free(&state->namespaces);
}
