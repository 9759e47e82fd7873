/* SPDX-License-Identifier: GPL-2.0 */
/* What the guard tapdup says of itself. */
#ifndef NETGUARD_TAPDUP_H
#define NETGUARD_TAPDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More stacked devices than a socket filter has room for are not told apart. */
#define TAPDUP_DEVICES 1024

struct tapdup_state {
	/* Why duplicates cannot be told, NULL if they can. */
	const char *why_not;
	uint32_t mark;
	/* The devices of this netns that it may mark duplicates on. */
	uint32_t devices[TAPDUP_DEVICES];
	size_t n_devices;
	/* Rounds in which these devices showed a packet again, so far. */
	uint64_t duplicates;
};

/* While we are still root: takes care that the files can be read later. */
bool tapdup_start(void);
void tapdup_read(struct tapdup_state *state);
/* Do these two need different socket filters? */
bool tapdup_differs(const struct tapdup_state *a, const struct tapdup_state *b);

#endif
