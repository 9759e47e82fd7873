// SPDX-License-Identifier: GPL-2.0
/*
 * load frames DEVICE COUNT FIRST WRAP HEX: sends COUNT Ethernet frames and
 *	prints the nanoseconds it took. FIRST, FIRST + 1 ... modulo WRAP replaces,
 *	big endian, what is written as XX in the frame.
 * load udp ADDRESS PORT COUNT FLOWS SIZE: the same with UDP datagrams from
 *	FLOWS sockets in turn, SIZE bytes of payload each.
 * load sink ADDRESS PORT: a UDP socket that nobody reads, until killed. Its
 *	buffer is full after a few datagrams; from then on each costs the same.
 * load hold COUNT: as many socket buffers of each of some sizes, in a process
 *	that stays; returns when it has them.
 * load packet: a packet socket that sees all packets and takes none, until killed.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};

	if (inet_pton(AF_INET, ip, &sin.sin_addr) != 1)
		die(ip);
	return sin;
}

struct frame {
	unsigned char bytes[9000];
	size_t len;
	size_t vary;	/* where XX begins */
	size_t varied;	/* how many bytes */
};

static void parse(struct frame *frame, const char *hex)
{
	unsigned int byte;

	for (; *hex; hex += 2) {
		if (frame->len == sizeof(frame->bytes))
			die("frame too long");
		byte = 0;
		if (!strncmp(hex, "XX", 2)) {
			if (!frame->varied++)
				frame->vary = frame->len;
		} else if (sscanf(hex, "%2x", &byte) != 1) {
			die(hex);
		}
		frame->bytes[frame->len++] = byte;
	}
}

static int frames(const char *device, long count, unsigned long n,
		  unsigned long wrap, const char *hex)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	struct frame frame = {};
	size_t i;
	long begun;
	int fd;

	parse(&frame, hex);
	to.sll_ifindex = if_nametoindex(device);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || !to.sll_ifindex || !wrap)
		die(device);

	begun = now();
	for (; count; count--, n++) {
		for (i = 0; i < frame.varied; i++)
			frame.bytes[frame.vary + i] =
				n % wrap >> 8 * (frame.varied - 1 - i);
		if (sendto(fd, frame.bytes, frame.len, 0,
			   (struct sockaddr *)&to, sizeof(to)) < 0)
			die(device);
	}
	printf("%ld\n", now() - begun);
	return 0;
}

static int udp(char **argv)
{
	struct sockaddr_in to = address(argv[0], argv[1]);
	long count = atol(argv[2]), flows = atol(argv[3]), i;
	struct rlimit files = { flows + 16, flows + 16 };
	struct sockaddr_in from = { .sin_family = AF_INET };
	static char payload[9000];
	size_t size = atol(argv[4]);
	int *fds = calloc(flows, sizeof(*fds));
	long begun;

	if (!flows || size > sizeof(payload) ||
	    setrlimit(RLIMIT_NOFILE, &files))
		die(argv[3]);
	for (i = 0; i < flows; i++) {
		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		/* The same flows in each run: conntrack has seen them then. */
		from.sin_port = htons(20000 + i);
		if (fds[i] < 0 ||
		    bind(fds[i], (struct sockaddr *)&from, sizeof(from)) ||
		    connect(fds[i], (struct sockaddr *)&to, sizeof(to)))
			die(argv[0]);
	}
	/* Whatever happens only the first time does so before the clock runs. */
	for (i = 0; i < flows; i++)
		if (send(fds[i], payload, size, 0) < 0)
			die("send");

	begun = now();
	for (i = 0; i < count; i++)
		if (send(fds[i % flows], payload, size, 0) < 0)
			die("send");
	printf("%ld\n", now() - begun);
	return 0;
}

static int sink(const char *ip, const char *port)
{
	struct sockaddr_in me = address(ip, port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int room = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&me, sizeof(me)))
		die("sink");
	return pause();
}

static int hold(long count)
{
	static const size_t sizes[] = { 1, 400, 1400 };
	static char payload[1400];
	struct sockaddr_nl sink = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(sink);
	int from, to, room = 1 << 30;
	size_t i;
	long n;

	/* Not AF_UNIX, whose buffers are from caches of accounted memory. */
	from = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	to = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	if (from < 0 || to < 0 ||
	    setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(to, (struct sockaddr *)&sink, sizeof(sink)) ||
	    getsockname(to, (struct sockaddr *)&sink, &len))
		die("hold");
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (n = 0; n < count; n++)
			if (sendto(from, payload, sizes[i], 0,
				   (struct sockaddr *)&sink, sizeof(sink)) < 0)
				die("hold");
	/* Who waits for it to be done waits for the first process only. */
	if (daemon(1, 0))
		die("hold");
	return pause();
}

static int packet(void)
{
	struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { 1, none };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				 sizeof(program)))
		die("packet");
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "frames") && argc == 7)
		return frames(argv[2], atol(argv[3]), atol(argv[4]),
			      atol(argv[5]), argv[6]);
	if (!strcmp(what, "udp") && argc == 7)
		return udp(argv + 2);
	if (!strcmp(what, "sink") && argc == 4)
		return sink(argv[2], argv[3]);
	if (!strcmp(what, "hold") && argc == 3)
		return hold(atol(argv[2]));
	if (!strcmp(what, "packet"))
		return packet();

	fprintf(stderr, "usage: load frames|udp|sink|hold|packet ..., see load.c\n");
	return 2;
}
