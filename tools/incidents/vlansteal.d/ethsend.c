// SPDX-License-Identifier: GPL-2.0
/*
 * ethsend DEVICE COUNT PAUSE_US HEX...: sends one Ethernet frame COUNT times.
 *
 * The frame is sent as it is given, tags included, so that every byte of what
 * arrives at the other end is known.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t parse(unsigned char *frame, size_t room, char **words)
{
	size_t len = 0;

	for (; *words; words++) {
		const char *hex = *words;
		unsigned int byte;

		for (; *hex; hex += 2) {
			if (len == room || sscanf(hex, "%2x", &byte) != 1) {
				fprintf(stderr, "ethsend: bad frame\n");
				exit(2);
			}
			frame[len++] = byte;
		}
	}
	return len;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	unsigned char frame[65536];
	long count, pause, i;
	size_t len;
	int fd;

	if (argc < 5) {
		fprintf(stderr, "usage: ethsend DEVICE COUNT PAUSE_US HEX...\n");
		return 2;
	}
	to.sll_ifindex = if_nametoindex(argv[1]);
	count = atol(argv[2]);
	pause = atol(argv[3]);
	len = parse(frame, sizeof(frame), argv + 4);

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || !to.sll_ifindex) {
		perror("ethsend");
		return 1;
	}
	for (i = 0; i < count; i++) {
		while (sendto(fd, frame, len, 0, (struct sockaddr *)&to,
			      sizeof(to)) < 0) {
			if (errno != ENOBUFS) {
				perror("ethsend");
				return 1;
			}
			usleep(1000);
		}
		if (pause)
			usleep(pause);
	}
	return 0;
}
