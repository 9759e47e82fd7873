// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic while the network is changed below it, bounded in rate and time:
 *
 *	traffic frames SEED RATE SECONDS	random frames, on each Ethernet
 *		device of this netns, which are put up
 *	traffic talk RATE SECONDS		UDP and multicast through each
 *		device of every netns in /run/netns and of this one
 *	traffic capture SECONDS			looks at all that is to be seen
 *
 * RATE is frames a second over all devices.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void put_up(int fd, const char *name)
{
	struct ifreq req = {};

	strncpy(req.ifr_name, name, sizeof(req.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &req) || req.ifr_flags & IFF_UP)
		return;
	req.ifr_flags |= IFF_UP;
	ioctl(fd, SIOCSIFFLAGS, &req);
}

/* A tenth of a second's frames, spread over the devices; returns their number. */
static unsigned int frames_burst(struct rng *random, unsigned int n)
{
	static const uint8_t from[] = { 2, 0, 0, 0, 0, 0x31 };
	static const uint8_t to[] = { 2, 0, 0, 0, 0, 0x77 };
	struct if_nameindex *list, *device;
	struct frame frame = { .random = random };
	unsigned int devices = 0, sent = 0;
	int fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	list = if_nameindex();
	if (fd < 0 || !list)
		exit(1);
	for (device = list; device->if_index; device++)
		if (strcmp(device->if_name, "lo"))
			devices++;
	for (device = list; device->if_index; device++) {
		struct sockaddr_ll out = {
			.sll_family = AF_PACKET,
			.sll_ifindex = device->if_index,
		};
		unsigned int i;

		if (!strcmp(device->if_name, "lo"))
			continue;
		put_up(fd, device->if_name);
		for (i = 0; i <= n / devices; i++) {
			frame_make(&frame, to, from, true);
			sent += sendto(fd, frame.data, frame.len, 0,
				       (struct sockaddr *)&out, sizeof(out)) > 0;
		}
	}
	if_freenameindex(list);
	close(fd);
	return sent;
}

/* To everybody, by IPv4 and by IPv6, out of one device. */
static unsigned int talk_through(const struct if_nameindex *device, unsigned int n)
{
	struct sockaddr_in6 all6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(9),
		.sin6_addr = { { { 0xff, 2, [15] = 1 } } },
		.sin6_scope_id = device->if_index,
	};
	struct sockaddr_in all = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_BROADCAST),
	};
	static char data[1200];
	unsigned int i, sent = 0;
	int four, six, on = 1;

	four = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	six = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(four, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	setsockopt(four, SOL_SOCKET, SO_BINDTODEVICE, device->if_name,
		   strlen(device->if_name));
	for (i = 0; i < n; i++) {
		size_t size = i & 1 ? 1 + i % 20 : sizeof(data);

		sent += sendto(four, data, size, 0, (struct sockaddr *)&all,
			       sizeof(all)) > 0;
		sent += sendto(six, data, size, 0, (struct sockaddr *)&all6,
			       sizeof(all6)) > 0;
	}
	close(four);
	close(six);
	return sent;
}

static unsigned int talk_here(unsigned int n)
{
	struct if_nameindex *list = if_nameindex(), *device;
	unsigned int sent = 0;

	for (device = list; device && device->if_index; device++)
		sent += talk_through(device, n);
	if (list)
		if_freenameindex(list);
	return sent;
}

static unsigned int talk_burst(int home, unsigned int n)
{
	DIR *dir = opendir("/run/netns");
	unsigned int sent = talk_here(n);
	struct dirent *entry;
	int fd;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !setns(fd, CLONE_NEWNET))
			sent += talk_here(n);
		if (fd >= 0)
			close(fd);
		if (setns(home, CLONE_NEWNET))
			exit(1);
	}
	if (dir)
		closedir(dir);
	return sent;
}

static void capture(double until)
{
	char buffer[2048];
	int fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	/* Nobody waits on it, so no frame has to wake anybody. */
	while (now() < until)
		if (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) < 0)
			usleep(20000);
	close(fd);
}

int main(int argc, char **argv)
{
	struct rng random = {};
	unsigned long sent = 0, rate;
	double begin = now(), until;
	int home;

	if (argc == 3 && !strcmp(argv[1], "capture")) {
		capture(begin + atof(argv[2]));
		return 0;
	}
	if (argc < 4) {
		fputs("usage: traffic frames SEED RATE SECONDS\n"
		      "       traffic talk RATE SECONDS\n"
		      "       traffic capture SECONDS\n", stderr);
		return 2;
	}
	rate = strtoul(argv[argc - 2], NULL, 0);
	until = begin + atof(argv[argc - 1]);
	random.state = strtoul(argv[2], NULL, 0);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	while (now() < until) {
		/* A slow machine gets no burst to catch up with. */
		if (!strcmp(argv[1], "frames"))
			sent += frames_burst(&random, rate / 10);
		else
			sent += talk_burst(home, 1);
		do
			usleep(20000);
		while (sent > (now() - begin) * rate && now() < until);
	}
	printf("%lu\n", sent);
	return 0;
}
