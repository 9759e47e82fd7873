/* SPDX-License-Identifier: GPL-2.0 */
/* The devices of a network namespace, by rtnetlink. */
#ifndef NETGUARD_LINKS_H
#define NETGUARD_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	int index;
	/* With escapes, as logfmt has them. */
	char name[4 * IFNAMSIZ];
	char kind[16], slave_kind[16];
	bool up;
	int master, lower;
	/* Of the namespace where @lower is, -1 for this one. */
	int lower_nsid;
	uint16_t vid, proto;
};

struct links {
	struct link *list;
	size_t n;
};

/* Of the namespace that we are in. */
bool links_read(struct links *links);
void links_free(struct links *links);
const struct link *link_find(const struct links *links, int index);
/* The ID that the namespace we are in has for another; -1 for none. */
int links_nsid(int netns_fd);

/* INVALID packets, by ctnetlink; false if it cannot be known. */
bool conntrack_invalid(uint64_t *invalid);

#endif
