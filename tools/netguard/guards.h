/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to know of each guard: its counters, its table, what a row means. */
#ifndef NETGUARD_GUARDS_H
#define NETGUARD_GUARDS_H

#include <netguard/counters.h>
#include <stddef.h>

#include "logfmt.h"

enum level {
	LEVEL_NONE,
	/* Worth a line, nobody has to act. */
	LEVEL_REMARK,
	LEVEL_FINDING,
};

/*
 * Says what a row means. The texts hold {key}s of the row; besides, {mode} is the
 * guard's, and {cause} and {remedy} are those of the row's reason.
 */
struct rule {
	/* Conditions, all of which hold: key=value, key!=value, key>0; @key is its value. */
	const char *when;
	enum level level;
	/* The culprit, as short as can be: a label in the metrics. */
	const char *subject;
	const char *who;
	const char *why;
	/* A command where one helps. It is run in the row's netns if it is ip or sysctl. */
	const char *fix;
};

struct guard {
	const char *name;
	/* What it is after, in a few words. */
	const char *about;
	const struct ng_counter *counters;
	size_t n_counters;
	const char *table;
	/* Up to a rule without a level; the first that fits is taken. */
	const struct rule *rules;
	/* The same for the counters, as if they were a row. */
	const struct rule *totals;
	/* The values of its parameter mode, NULL if it has none. */
	const char *const *modes;
	/* Keys of a row that say how much harm it stands for, up to NULL. */
	const char *const *weight;
};

extern const struct guard guards[];
extern const size_t n_guards;

const struct guard *guard_find(const char *name);
/* The first rule that fits, NULL if none does. */
const struct rule *rule_find(const struct rule *rules, const struct row *row);
/* A text with its keys filled in, as words of a shell if @quoted. To be freed. */
char *rule_expand(const char *text, const struct row *row, bool quoted);

#endif
