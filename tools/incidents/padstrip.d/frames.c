// SPDX-License-Identifier: GPL-2.0
/*
 * Sends frames and tells how they come out: frames OUT [TAP PAGED-TAP]
 *
 * Reads commands, a line each, and answers each with a line: the frame as it
 * was received on OUT (an accelerated tag put back), in hex, or "none".
 *
 *	raw DEVICE HEX		from an AF_PACKET socket on DEVICE
 *	held DEVICE,PEER HEX	the same, but the answer is what a socket on PEER
 *				was given before and reads only now
 *	tap FLAGS HEX		from TAP; FLAGS: none, unnecessary,
 *				partial:START:OFFSET, gso:SIZE
 *	paged N[,N...] HEX	from PAGED-TAP: N bytes in the linear part, then N
 *				bytes in a page, ..., the rest in a last page
 *	flood DEVICE N HEX	N times on DEVICE, each from another source MAC
 */
#include <err.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#define LONGEST 4096
#define WAIT_MS 4000

static int open_tap(const char *name, int flags)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd < 0)
		err(1, "/dev/net/tun");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request))
		err(1, "%s", name);
	return fd;
}

static int open_packet(const char *name, int proto)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(proto),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(proto)), on = 1;

	if (fd < 0 || !where.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&where, sizeof(where)))
		err(1, "%s", name);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return fd;
}

static size_t unhex(const char *hex, uint8_t *frame)
{
	size_t len;

	for (len = 0; len < LONGEST && hex[0] && hex[1]; len++, hex += 2)
		if (sscanf(hex, "%2hhx", &frame[len]) != 1)
			errx(2, "no hex: %s", hex);
	return len;
}

/* Puts the tag back that the receiving device or the kernel took out. */
static size_t retag(uint8_t *frame, size_t len, struct msghdr *msg)
{
	struct tpacket_auxdata *aux;
	struct cmsghdr *cmsg;
	uint16_t tag[2];

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_type != PACKET_AUXDATA)
			continue;
		aux = (void *)CMSG_DATA(cmsg);
		if (!(aux->tp_status & TP_STATUS_VLAN_VALID))
			continue;
		tag[0] = htons(aux->tp_status & TP_STATUS_VLAN_TPID_VALID ?
			       aux->tp_vlan_tpid : ETH_P_8021Q);
		tag[1] = htons(aux->tp_vlan_tci);
		memmove(frame + 16, frame + 12, len - 12);
		memcpy(frame + 12, tag, 4);
		len += 4;
	}
	return len;
}

static int now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left of an earlier frame, which may have come in several. */
static void drain(int out)
{
	char byte;

	while (recv(out, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

/* Waits for a frame to the same address as the one that was sent. */
static void tell(int out, const uint8_t *sent)
{
	uint8_t frame[LONGEST + 4], control[256];
	int left, deadline = now_ms() + WAIT_MS;
	struct iovec iov = { frame, LONGEST };
	struct pollfd fd = { .fd = out, .events = POLLIN };
	struct msghdr msg;
	ssize_t len, i;

	while ((left = deadline - now_ms()) > 0 && poll(&fd, 1, left) > 0) {
		msg = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
				       .msg_control = control,
				       .msg_controllen = sizeof(control) };
		len = recvmsg(out, &msg, 0);
		if (len < ETH_ALEN || memcmp(frame, sent, ETH_ALEN))
			continue;
		len = retag(frame, len, &msg);
		for (i = 0; i < len; i++)
			printf("%02x", frame[i]);
		printf("\n");
		return;
	}
	printf("none\n");
}

static void send_tap(int tap, const char *how, uint8_t *frame, size_t len)
{
	struct virtio_net_hdr header = { 0 };
	struct iovec iov[] = { { &header, sizeof(header) }, { frame, len } };
	int start, offset, size;

	if (!strcmp(how, "unnecessary")) {
		header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	} else if (sscanf(how, "partial:%d:%d", &start, &offset) == 2) {
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = start;
		header.csum_offset = offset;
	} else if (sscanf(how, "gso:%d", &size) == 1) {
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = 34;
		header.csum_offset = 16;
		header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		header.gso_size = size;
		header.hdr_len = 54;
	} else if (strcmp(how, "none")) {
		errx(2, "no such flags: %s", how);
	}
	if (writev(tap, iov, 2) < 0)
		warn("tap");
}

static void send_paged(int tap, char *how, uint8_t *frame, size_t len)
{
	struct iovec iov[8];
	size_t size, done = 0;
	char *word;
	int n = 0;

	for (word = strtok(how, ","); word && n < 7; word = strtok(NULL, ",")) {
		size = strtoul(word, NULL, 10);
		if (size > len - done)
			size = len - done;
		if (!size)
			break;
		iov[n++] = (struct iovec){ frame + done, size };
		done += size;
	}
	if (len > done)
		iov[n++] = (struct iovec){ frame + done, len - done };
	if (writev(tap, iov, n) < 0)
		warn("paged tap");
}

/* Kept open: closing a packet socket waits for an RCU grace period. */
static int sender(const char *device)
{
	static struct {
		char device[IFNAMSIZ];
		int fd;
	} senders[8];
	static int n;
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(senders[i].device, device))
			return senders[i].fd;
	if (n == 8)
		errx(2, "too many devices");
	snprintf(senders[n].device, IFNAMSIZ, "%s", device);
	senders[n].fd = open_packet(device, 0);
	return senders[n++].fd;
}

static void send_raw(const char *device, uint8_t *frame, size_t len, int times)
{
	int fd = sender(device), i;

	for (i = 0; i < times; i++) {
		if (times > 1) {
			frame[6] = 0x06;
			frame[9] = i >> 16;
			frame[10] = i >> 8;
			frame[11] = i;
		}
		while (send(fd, frame, len, 0) < 0)
			if (times == 1)
				err(1, "%s", device);
	}
}

/* The socket's queue holds the skb that it shares with the one on its way. */
static void send_held(int out, char *devices, uint8_t *frame, size_t len)
{
	struct pollfd fd = { .fd = out, .events = POLLIN };
	const char *device = strtok(devices, ",");
	const char *peer = strtok(NULL, ",");
	int held;

	if (!peer)
		errx(2, "held DEVICE,PEER");
	held = open_packet(peer, ETH_P_ALL);
	send_raw(device, frame, len, 1);
	poll(&fd, 1, WAIT_MS);
	tell(held, frame);
	close(held);
}

int main(int argc, char **argv)
{
	char line[2 * LONGEST + 64], how[64], hex[2 * LONGEST + 1];
	uint8_t frame[LONGEST];
	int out, tap = -1, paged = -1, n;
	size_t len;

	if (argc != 2 && argc != 4)
		errx(2, "usage: frames OUT [TAP PAGED-TAP]");
	out = open_packet(argv[1], ETH_P_ALL);
	if (argc == 4) {
		tap = open_tap(argv[2], IFF_VNET_HDR);
		paged = open_tap(argv[3], IFF_NAPI | IFF_NAPI_FRAGS);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "flood %63s %d %8192s", how, &n, hex) == 3) {
			len = unhex(hex, frame);
			send_raw(how, frame, len, n);
			printf("sent\n");
			continue;
		}
		if (sscanf(line, "%*s %63s %8192s", how, hex) != 2)
			errx(2, "no command: %s", line);
		len = unhex(hex, frame);
		drain(out);
		if (!strncmp(line, "held ", 5)) {
			send_held(out, how, frame, len);
			continue;
		}
		if (!strncmp(line, "raw ", 4))
			send_raw(how, frame, len, 1);
		else if (!strncmp(line, "tap ", 4))
			send_tap(tap, how, frame, len);
		else if (!strncmp(line, "paged ", 6))
			send_paged(paged, how, frame, len);
		else
			errx(2, "no command: %s", line);
		tell(out, frame);
	}
	return 0;
}
