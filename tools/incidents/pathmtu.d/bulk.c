// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends of a TCP conversation, and a UDP sender that forbids fragmentation.
 *
 *   bulk listen PORT
 *   bulk [-t SECONDS] [-p PAUSE_MS] connect ADDRESS PORT UP DOWN [STALL_MS]
 *   bulk probe ADDRESS PORT SIZE...
 *
 * connect sends UP bytes, expects DOWN bytes and says how long that took; it
 * fails after SECONDS (default 10). PAUSE_MS pass after the first sixteen bytes,
 * and STALL_MS before the other end reads what follows them. probe sends a
 * datagram of each SIZE (IP length) with DF set and the kernel's MTU ignored.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct head {
	uint32_t up, down, stall_ms, unused;
};

static char buffer[65536];

static socklen_t parse(struct sockaddr_storage *at, const char *text, int port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;
	struct sockaddr_in *in = (struct sockaddr_in *)at;

	memset(at, 0, sizeof(*at));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		errx(2, "not an address: %s", text);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static void take(int fd, uint32_t left)
{
	ssize_t got;

	for (; left; left -= got) {
		got = read(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));
		if (got <= 0)
			errx(1, "closed with %u bytes to come", left);
	}
}

static void give(int fd, uint32_t left)
{
	ssize_t put;

	for (; left; left -= put) {
		put = write(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));
		if (put < 0)
			err(1, "write");
	}
}

static int serve(int port)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, peer;
	const char *any = "::";
	struct sockaddr_storage at;
	struct head head;

	/* With ipv6.disable=1. */
	if (fd < 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		any = "0.0.0.0";
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&at, parse(&at, any, port)) || listen(fd, 16))
		err(1, "listen");
	signal(SIGCHLD, SIG_IGN);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		if (fork()) {
			close(peer);
			continue;
		}
		alarm(120);
		if (read(peer, &head, sizeof(head)) != sizeof(head))
			return 1;
		usleep(head.stall_ms * 1000);
		take(peer, head.up - sizeof(head));
		give(peer, head.down);
		/* Until the other end has it all and closes. */
		return read(peer, buffer, 1) < 0;
	}
	return 1;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int talk(const char *address, int port, struct head head, long pause_ms)
{
	struct sockaddr_storage at;
	socklen_t len = parse(&at, address, port);
	int fd = socket(at.ss_family, SOCK_STREAM, 0);
	long started = now_ms();

	if (connect(fd, (void *)&at, len))
		err(1, "connect");
	if (pause_ms) {
		give(fd, 0);
		if (write(fd, &head, sizeof(head)) != sizeof(head))
			err(1, "write");
		usleep(pause_ms * 1000);
		give(fd, head.up - sizeof(head));
	} else {
		memcpy(buffer, &head, sizeof(head));
		give(fd, head.up);
	}
	take(fd, head.down);
	printf("%u bytes up and %u down in %ld ms\n", head.up, head.down,
	       now_ms() - started);
	return 0;
}

static int probe(const char *address, int port, char **sizes)
{
	struct sockaddr_storage at;
	socklen_t len = parse(&at, address, port);
	int fd = socket(at.ss_family, SOCK_DGRAM, 0);
	int mode = IP_PMTUDISC_PROBE, headers = 28;

	if (at.ss_family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode));
	} else {
		headers = 48;
		mode = IPV6_PMTUDISC_PROBE;
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &mode, sizeof(mode));
	}
	for (; *sizes; sizes++)
		sendto(fd, buffer, atoi(*sizes) - headers, 0, (void *)&at, len);
	return 0;
}

int main(int argc, char **argv)
{
	struct head head = {};
	long pause_ms = 0;
	int option;

	alarm(10);
	while ((option = getopt(argc, argv, "t:p:")) != -1) {
		switch (option) {
		case 't':
			alarm(atoi(optarg));
			break;
		case 'p':
			pause_ms = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc == 2 && !strcmp(argv[0], "listen")) {
		alarm(0);
		return serve(atoi(argv[1]));
	}
	if (argc > 3 && !strcmp(argv[0], "probe"))
		return probe(argv[1], atoi(argv[2]), argv + 3);
	if (argc < 5 || strcmp(argv[0], "connect"))
		errx(2, "usage: bulk listen | connect | probe");
	head.up = atoi(argv[3]);
	head.down = atoi(argv[4]);
	if (argc > 5)
		head.stall_ms = atoi(argv[5]);
	if (head.up < sizeof(head))
		errx(2, "UP is at least %zu", sizeof(head));
	return talk(argv[1], atoi(argv[2]), head, pause_ms);
}
