/* SPDX-License-Identifier: GPL-2.0 */
/* The socket filter: a test of the mark before the compiled expression. */
#ifndef NETGUARD_FILTER_H
#define NETGUARD_FILTER_H

#include "tapdup.h"

#include <linux/filter.h>

enum duplicates { DUPLICATES_HIDE, DUPLICATES_SHOW, DUPLICATES_ONLY };

/*
 * Puts the test before an expression that starts at program[0] and has length
 * instructions; room for FILTER_MAX is there. Returns the new length, or 0 if
 * it does not fit. Jumps are relative, so the expression stays as it is.
 */
#define FILTER_MAX 4096

size_t filter_prefix(struct sock_filter *program, size_t length,
		     const struct tapdup_state *state,
		     enum duplicates duplicates);

#endif
