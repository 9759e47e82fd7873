// SPDX-License-Identifier: GPL-2.0
/*
 * A load balancer that trusts the padding:
 *
 *	balancer FRONT BACK CLIENT-IP CLIENT-MAC VIP BACK-IP SERVER-IP SERVER-MAC
 *
 * What the client sends to VIP goes to the server as from BACK-IP, and back.
 * The TCP checksum is computed anew over everything up to the frame's end, as
 * if nothing but the packet were in a frame.
 */
#include <err.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include <arpa/inet.h>

struct side {
	const char *name;
	int fd;
	uint8_t own_mac[ETH_ALEN];
	uint8_t peer_mac[ETH_ALEN];
	in_addr_t own_ip;
	in_addr_t peer_ip;
};

static void open_side(struct side *side, const char *peer_mac,
		      const char *own_ip, const char *peer_ip)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex(side->name),
	};
	struct ifreq request = { 0 };

	side->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
	if (side->fd < 0 ||
	    bind(side->fd, (struct sockaddr *)&where, sizeof(where)))
		err(1, "%s", side->name);
	strncpy(request.ifr_name, side->name, IFNAMSIZ - 1);
	if (ioctl(side->fd, SIOCGIFHWADDR, &request))
		err(1, "%s", side->name);
	memcpy(side->own_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (!ether_aton_r(peer_mac, (struct ether_addr *)side->peer_mac))
		errx(2, "no MAC: %s", peer_mac);
	side->own_ip = inet_addr(own_ip);
	side->peer_ip = inet_addr(peer_ip);
}

static uint32_t add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Returns 0 if the frame is not for the balancer. */
static int rewrite(uint8_t *frame, size_t len, const struct side *from,
		   const struct side *to)
{
	struct ether_header *eth = (void *)frame;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp;
	size_t header;

	if (len < sizeof(*eth) + sizeof(*ip) || ip->protocol != IPPROTO_TCP ||
	    ip->daddr != from->own_ip || ip->saddr != from->peer_ip)
		return 0;
	header = ip->ihl * 4;
	if (len < sizeof(*eth) + header + sizeof(*tcp))
		return 0;
	tcp = (void *)((uint8_t *)ip + header);

	memcpy(eth->ether_dhost, to->peer_mac, ETH_ALEN);
	memcpy(eth->ether_shost, to->own_mac, ETH_ALEN);
	ip->saddr = to->own_ip;
	ip->daddr = to->peer_ip;
	ip->check = 0;
	ip->check = fold(add(0, ip, header));
	tcp->check = 0;
	tcp->check = fold(add(add(IPPROTO_TCP + ntohs(ip->tot_len) - header,
				  &ip->saddr, 8),
			      tcp, len - sizeof(*eth) - header));
	return 1;
}

static void forward(const struct side *from, const struct side *to)
{
	struct sockaddr_ll where;
	socklen_t where_len = sizeof(where);
	uint8_t frame[2048];
	ssize_t len;

	len = recvfrom(from->fd, frame, sizeof(frame), 0,
		       (struct sockaddr *)&where, &where_len);
	if (len <= 0 || where.sll_pkttype == PACKET_OUTGOING)
		return;
	if (rewrite(frame, len, from, to) && write(to->fd, frame, len) < 0)
		warn("%s", to->name);
}

int main(int argc, char **argv)
{
	struct side front, back;
	struct pollfd fds[2];

	if (argc != 9)
		errx(2, "usage: balancer FRONT BACK CLIENT-IP CLIENT-MAC VIP BACK-IP IP MAC");
	front.name = argv[1];
	back.name = argv[2];
	open_side(&front, argv[4], argv[5], argv[3]);
	open_side(&back, argv[8], argv[6], argv[7]);
	fds[0] = (struct pollfd){ .fd = front.fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = back.fd, .events = POLLIN };

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents & POLLIN)
			forward(&front, &back);
		if (fds[1].revents & POLLIN)
			forward(&back, &front);
	}
	err(1, "poll");
}
