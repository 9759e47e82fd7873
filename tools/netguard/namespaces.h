/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces: which there are, and how to get into them. */
#ifndef NETGUARD_NAMESPACES_H
#define NETGUARD_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>

struct namespace {
	unsigned long inum;
	/* A file that stands for it. */
	char path[300];
	/* Its name in /run/netns, or empty. */
	char name[256];
	/* Ours. */
	bool own;
};

struct namespaces {
	struct namespace *list;
	size_t n;
	/* Those of processes that we may not look at. */
	size_t hidden;
};

/* Those that have a name in /run/netns, and those of all processes. */
void namespaces_read(struct namespaces *namespaces);
void namespaces_free(struct namespaces *namespaces);
const struct namespace *namespace_find(const struct namespaces *namespaces, unsigned long inum);
/* What goes before a command to run it there: empty for ours. To be freed. */
char *namespace_prefix(const struct namespaces *namespaces, unsigned long inum);

#endif
