// SPDX-License-Identifier: GPL-2.0
/*
 * listener lldp|dhcp DEVICE: a packet socket as daemons hold it all day.
 *
 * As lldpd has it: all protocols, bound to the device, a filter for its frames.
 * As dhclient and udhcpc have it: IPv4, bound to the device, a filter for UDP to
 * the client's port. Prints "listening", and once SIGTERM ends it how many
 * frames it got: "heard N".
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct sock_filter lldp[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_LLDP, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0x40000),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* The socket is SOCK_DGRAM: 9 is the protocol, 22 the port behind 20 bytes. */
static const struct sock_filter dhcp[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 22),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0x40000),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	struct sock_fprog filter;
	unsigned long heard = 0;
	char frame[2048];
	int is_lldp, fd;

	if (argc != 3)
		errx(2, "usage: listener lldp|dhcp DEVICE");
	is_lldp = !strcmp(argv[1], "lldp");
	filter.filter = (struct sock_filter *)(is_lldp ? lldp : dhcp);
	filter.len = is_lldp ? sizeof(lldp) / sizeof(*lldp) :
			       sizeof(dhcp) / sizeof(*dhcp);

	/* Protocol 0: nothing is received before it is bound. */
	fd = socket(AF_PACKET, is_lldp ? SOCK_RAW : SOCK_DGRAM, 0);
	at.sll_ifindex = if_nametoindex(argv[2]);
	at.sll_protocol = htons(is_lldp ? ETH_P_ALL : ETH_P_IP);
	if (fd < 0 || !at.sll_ifindex ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s", argv[2]);
	sigaction(SIGTERM, &action, NULL);
	puts("listening");
	fflush(stdout);

	while (!ended)
		if (recv(fd, frame, sizeof(frame), 0) >= 0)
			heard++;
		else if (errno != EINTR)
			err(1, "recv");
	printf("heard %lu\n", heard);
	return 0;
}
