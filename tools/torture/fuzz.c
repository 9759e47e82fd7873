// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz SEED FRAMES DEVICE TO FROM: sends random frames with valid addresses
 * out of a device, as fast as it takes them, and prints how many it took.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"

#define BATCH 32

static struct frame frames[BATCH];

int main(int argc, char **argv)
{
	struct sockaddr_ll out = { .sll_family = AF_PACKET };
	struct rng random = {};
	struct mmsghdr messages[BATCH] = {};
	unsigned long wanted, sent = 0;
	struct ether_addr to, from;
	struct iovec parts[BATCH];
	int fd, i, n, took, on = 1;

	if (argc != 6 || !ether_aton_r(argv[4], &to) || !ether_aton_r(argv[5], &from)) {
		fprintf(stderr, "usage: fuzz SEED FRAMES DEVICE TO FROM\n");
		return 2;
	}
	random.state = strtoul(argv[1], NULL, 0);
	wanted = strtoul(argv[2], NULL, 0);
	out.sll_ifindex = if_nametoindex(argv[3]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&out, sizeof(out))) {
		perror(argv[3]);
		return 1;
	}
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));

	while (sent < wanted) {
		n = wanted - sent < BATCH ? wanted - sent : BATCH;
		for (i = 0; i < n; i++) {
			frames[i].random = &random;
			frame_make(&frames[i], to.ether_addr_octet,
				   from.ether_addr_octet, false);
			parts[i].iov_base = frames[i].data;
			parts[i].iov_len = frames[i].len;
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		for (i = 0; i < n; i += took) {
			took = sendmmsg(fd, messages + i, n - i, 0);
			if (took < 0 && errno != ENOBUFS && errno != EAGAIN) {
				perror("sendmmsg");
				return 1;
			}
			/* The device has no room: once more, later. */
			if (took < 0) {
				took = 0;
				usleep(1000);
			}
		}
		sent += n;
	}
	printf("%lu\n", sent);
	return 0;
}
