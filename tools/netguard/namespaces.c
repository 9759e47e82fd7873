// SPDX-License-Identifier: GPL-2.0
/* Looks for network namespaces where iproute2 and processes keep them. */

#include "namespaces.h"
#include "logfmt.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMED "/run/netns"

static void add(struct namespaces *all, const char *path, const char *name, unsigned long own)
{
	struct namespace *namespace;
	struct stat st;

	if (stat(path, &st)) {
		/* A process may also have gone meanwhile. */
		all->hidden += errno == EACCES || errno == EPERM;
		return;
	}
	if (namespace_find(all, st.st_ino))
		return;
	all->list = need(realloc(all->list, (all->n + 1) * sizeof(*all->list)));
	namespace = &all->list[all->n++];
	namespace->inum = st.st_ino;
	namespace->own = st.st_ino == own;
	snprintf(namespace->path, sizeof(namespace->path), "%s", path);
	snprintf(namespace->name, sizeof(namespace->name), "%s", name);
}

void namespaces_read(struct namespaces *all)
{
	struct dirent *entry;
	unsigned long own = 0;
	struct stat st;
	char path[300];
	DIR *dir;

	memset(all, 0, sizeof(*all));
	if (!stat("/proc/self/ns/net", &st))
		own = st.st_ino;
	add(all, "/proc/self/ns/net", "", own);

	dir = opendir(NAMED);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), NAMED "/%s", entry->d_name);
		/* A name that a dead namespace has left behind is a plain file. */
		if (!stat(path, &st) && !S_ISREG(st.st_mode))
			continue;
		add(all, path, entry->d_name, own);
	}
	if (dir)
		closedir(dir);

	dir = opendir("/proc");
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name < '1' || *entry->d_name > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/net", entry->d_name);
		add(all, path, "", own);
	}
	if (dir)
		closedir(dir);
}

void namespaces_free(struct namespaces *all)
{
	free(all->list);
}

const struct namespace *namespace_find(const struct namespaces *all, unsigned long inum)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->list[i].inum == inum)
			return &all->list[i];
	return NULL;
}

char *namespace_prefix(const struct namespaces *all, unsigned long inum)
{
	const struct namespace *found = namespace_find(all, inum);
	char *name, *prefix;

	if (!found)
		return format("(in netns %lu, see lsns -t net) ", inum);
	if (found->own)
		return format("%s", "");
	if (!*found->name)
		return format("nsenter --net=%s ", found->path);
	/* As the folder has it, without escapes. */
	name = word_quoted(found->name);
	prefix = format("ip netns exec %s ", name);
	free(name);
	return prefix;
}
