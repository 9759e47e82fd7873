/* SPDX-License-Identifier: GPL-2.0 */
/* What the modules say now. */
#ifndef NETGUARD_STATE_H
#define NETGUARD_STATE_H

#include "finding.h"
#include "guards.h"
#include "modules.h"
#include "namespaces.h"

#define COUNTERS_MAX 48
/* As many rows as any table of a guard has. */
#define FINDINGS_MAX 1024

struct counter_value {
	char name[48];
	uint64_t value;
	/* NULL for one of a newer module. */
	const struct ng_counter *counter;
};

struct guard_state {
	const struct guard *guard;
	struct module module;
	struct module_parameter parameters[PARAMETERS_MAX];
	size_t n_parameters;
	/* Its files in debugfs could be read. */
	bool readable;
	struct counter_value counters[COUNTERS_MAX];
	size_t n_counters;
	/* Findings first, and the heavier ones first. */
	struct finding *findings;
	size_t n_findings, n_remarks;
};

struct state {
	struct module core;
	/* Why the guards' files cannot be read, and what helps; NULL if they can. */
	const char *error, *help;
	struct guard_state *guards;
	size_t n_findings;
	bool skewed;
	struct namespaces namespaces;
};

/* @recent_ms: leaves out rows that have been quiet for longer; 0 takes all. */
void state_read(struct state *state, uint64_t recent_ms);
/* The argument of the option --recent, in milliseconds. */
uint64_t recent(const char *seconds);
void state_free(struct state *state);

const char *guard_mode(const struct guard_state *guard);
const struct counter_value *guard_counter(const struct guard_state *guard, const char *name);

#endif
