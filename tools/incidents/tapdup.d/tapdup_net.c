// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic for the incident tapdup.
 *
 *   tapdup_net receive PORT FILE          one TCP connection, what it brings
 *   tapdup_net send ADDRESS PORT FILE     the other end of it
 *   tapdup_net udp ADDRESS PORT COUNT SIZE MARK
 *                                         numbered datagrams with this SO_MARK
 *   tapdup_net frame DEVICE HEX...        one frame, as it is
 *   tapdup_net hold PROTOCOL [DEVICE]     a packet socket that nobody reads
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons(atoi(port));
	if (inet_pton(AF_INET, ip, &to.sin_addr) != 1)
		errx(2, "not an address: %s", ip);
	return to;
}

static void copy(int from, int to)
{
	char buffer[16384];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, n) != n)
			err(1, "write");
	if (n < 0)
		err(1, "read");
}

static int receive(const char *port, const char *file)
{
	struct sockaddr_in at = address("0.0.0.0", port);
	int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	/* A small window, so that no queue on the way has to drop. */
	int window = 16384;
	int one = 1;
	int fd;

	setsockopt(server, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (out < 0 || bind(server, (void *)&at, sizeof(at)) ||
	    listen(server, 1))
		err(1, "receive");
	fd = accept(server, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	copy(fd, out);
	return 0;
}

static int transmit(const char *ip, const char *port, const char *file)
{
	struct sockaddr_in to = address(ip, port);
	int in = open(file, O_RDONLY);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (in < 0 || connect(fd, (void *)&to, sizeof(to)))
		err(1, "send");
	copy(in, fd);
	shutdown(fd, SHUT_WR);
	/* Until the other end has everything. */
	return read(fd, &byte, 1) != 0;
}

static int udp(char **argv)
{
	struct sockaddr_in to = address(argv[0], argv[1]);
	unsigned int count = atoi(argv[2]);
	unsigned int size = atoi(argv[3]);
	unsigned int mark = strtoul(argv[4], NULL, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char bytes[65000] = "";
	unsigned int i;

	if (size < sizeof(i) || size > sizeof(bytes) ||
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		err(1, "udp");
	for (i = 0; i < count; i++) {
		memcpy(bytes, &i, sizeof(i));
		/* Nobody may listen, and that may be said in an ICMP. */
		sendto(fd, bytes, size, 0, (void *)&to, sizeof(to));
	}
	return 0;
}

static int frame(const char *device, char **hex)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	unsigned char bytes[1600];
	size_t size = 0;

	for (; *hex; hex++) {
		const char *at = *hex;
		unsigned int byte;

		while (size < sizeof(bytes) && sscanf(at, "%2x", &byte) == 1) {
			bytes[size++] = byte;
			at += strlen(at) > 1 ? 2 : 1;
		}
	}
	to.sll_ifindex = if_nametoindex(device);
	if (sendto(fd, bytes, size, 0, (void *)&to, sizeof(to)) < 0)
		err(1, "frame on %s", device);
	return 0;
}

static int hold(const char *protocol, const char *device)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(strtoul(protocol, NULL, 0)),
		.sll_ifindex = device ? if_nametoindex(device) : 0,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (bind(fd, (void *)&at, sizeof(at)))
		err(1, "hold");
	/* A shell starts what is in the background with it ignored. */
	signal(SIGINT, SIG_DFL);
	fprintf(stderr, "listening on %s\n", device ? device : "any");
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "receive"))
		return receive(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "send"))
		return transmit(argv[2], argv[3], argv[4]);
	if (argc == 7 && !strcmp(argv[1], "udp"))
		return udp(argv + 2);
	if (argc >= 4 && !strcmp(argv[1], "frame"))
		return frame(argv[2], argv + 3);
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "hold"))
		return hold(argv[2], argv[3]);
	errx(2, "see the comment at the top of tapdup_net.c");
}
