/* SPDX-License-Identifier: GPL-2.0 */
/* The words that netguard uses of what it sees, for netguard explain. */
#ifndef NETGUARD_TERMS_H
#define NETGUARD_TERMS_H

#include <stddef.h>

struct term {
	/* Of this guard; several guards may have one word. */
	const char *guard;
	/* A counter, reason, verdict or mode. */
	const char *kind;
	const char *name;
	/* NULL for a counter or a reason, whose own sentence says it. */
	const char *means;
	const char *comes;
	const char *act;
};

extern const struct term terms[];
extern const size_t n_terms;

#endif
