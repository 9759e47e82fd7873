// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC with bad firmware: badnic TAP WIRE
 *
 * The host sends and receives on TAP, the cable is WIRE. Frames too short for
 * Ethernet are padded with what was in the buffer instead of zeros.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#define SHORTEST 60

static int open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd < 0)
		err(1, "/dev/net/tun");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request))
		err(1, "%s", name);
	return fd;
}

static int open_wire(const char *name)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), on = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)))
		err(1, "%s", name);
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)))
		err(1, "PACKET_IGNORE_OUTGOING");
	return fd;
}

int main(int argc, char **argv)
{
	static const unsigned char garbage[] = "\xde\xad\xbe\xef\x42\x17";
	unsigned char frame[2048];
	struct pollfd fds[2];
	ssize_t len;

	if (argc != 3)
		errx(2, "usage: badnic TAP WIRE");
	fds[0] = (struct pollfd){ .fd = open_tap(argv[1]), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = open_wire(argv[2]), .events = POLLIN };

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents & POLLIN) {
			len = read(fds[0].fd, frame, sizeof(frame));
			for (; len > 0 && len < SHORTEST; len++)
				frame[len] = garbage[len % 6];
			if (len > 0 && write(fds[1].fd, frame, len) < 0)
				warn("%s", argv[2]);
		}
		if (fds[1].revents & POLLIN) {
			len = read(fds[1].fd, frame, sizeof(frame));
			if (len > 0 && write(fds[0].fd, frame, len) < 0)
				warn("%s", argv[1]);
		}
	}
	err(1, "poll");
}
