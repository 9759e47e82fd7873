// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a capture on "any" open in this network namespace and in every one that `ip netns add`
 * names in /run/netns, until its name goes. A socket holds its namespace: so it is closed at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NETNS		"/run/netns"
#define NSFS		0x6e736673
#define NAMES		4096

static struct tap {
	char name[256];
	int fd;
} taps[NAMES];

static int home;

static int opened(void)
{
	/* Nobody reads: the filter leaves nothing behind, after the taps have seen the packet. */
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		perror("SO_ATTACH_FILTER");
	return fd;
}

static void forget(const char *name)
{
	for (int i = 0; i < NAMES; i++)
		if (taps[i].name[0] && !strcmp(taps[i].name, name)) {
			close(taps[i].fd);
			taps[i].name[0] = 0;
		}
}

/* The name is there before the namespace is mounted on it. */
static int namespace_of(const char *name)
{
	struct statfs fs;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), NETNS "/%s", name);
	for (int tries = 0; tries < 200; tries++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		if (!fstatfs(fd, &fs) && fs.f_type == NSFS)
			return fd;
		close(fd);
		usleep(5000);
	}
	return -1;
}

static void take(const char *name)
{
	int ns, i;

	for (i = 0; i < NAMES && taps[i].name[0]; i++)
		;
	ns = i < NAMES ? namespace_of(name) : -1;
	if (ns < 0)
		return;
	if (!setns(ns, CLONE_NEWNET)) {
		taps[i].fd = opened();
		if (taps[i].fd >= 0)
			snprintf(taps[i].name, sizeof(taps[i].name), "%s", name);
	}
	close(ns);
	/* Tests end whatever `ip netns pids` shows. */
	if (setns(home, CLONE_NEWNET)) {
		perror("setns");
		exit(1);
	}
}

int main(void)
{
	char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	struct dirent *entry;
	ssize_t length;
	int watch;
	DIR *dir;

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || opened() < 0) {
		perror("packet socket");
		return 1;
	}
	mkdir(NETNS, 0755);
	watch = inotify_init1(IN_CLOEXEC);
	if (inotify_add_watch(watch, NETNS, IN_CREATE | IN_DELETE) < 0) {
		perror(NETNS);
		return 1;
	}
	dir = opendir(NETNS);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			take(entry->d_name);
	puts("watching");
	fflush(stdout);
	while ((length = read(watch, events, sizeof(events))) > 0)
		for (char *at = events; at < events + length; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			if (!event->len)
				continue;
			if (event->mask & IN_DELETE)
				forget(event->name);
			else
				take(event->name);
		}
	return 1;
}
