// SPDX-License-Identifier: GPL-2.0
/*
 * hold QUEUE MILLISECONDS: an inline consumer of an NFQUEUE that thinks about
 * each packet for so long and then lets it go.
 *
 * On SIGUSR1, and when SIGTERM ends it, it prints what it has seen so far:
 *
 *	held=N lost=N drops=N
 *
 * lost: the kernel did not have the packet any more when its verdict came. It
 * drops all that waits at a time: drops counts the times.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#define MAX_WAITING 4096

struct packet {
	uint32_t id;
	long due;
};

static struct packet ring[MAX_WAITING];
static unsigned long held, released, lost, drops, last_lost;
static struct mnl_socket *nl;
static long hold_ms;
static int queue;
static volatile sig_atomic_t asked, ended;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_signal(int signal)
{
	if (signal == SIGTERM)
		ended = 1;
	asked = 1;
}

static void tell(void)
{
	printf("held=%lu lost=%lu drops=%lu\n", held, lost, drops);
	fflush(stdout);
	asked = 0;
}

static void send_message(const struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "netlink");
}

static void configure(uint8_t command)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);

	if (command)
		nfq_nlmsg_cfg_put_cmd(nlh, AF_INET, command);
	else
		nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, 64);
	send_message(nlh);
}

static void release_due(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;

	while (released < held && ring[released % MAX_WAITING].due <= now()) {
		nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT, queue);
		nfq_nlmsg_verdict_put(nlh, ring[released++ % MAX_WAITING].id,
				      NF_ACCEPT);
		send_message(nlh);
	}
}

static int take(const struct nlmsghdr *nlh, void *unused)
{
	struct nlattr *attr[NFQA_MAX + 1] = {};
	struct nfqnl_msg_packet_hdr *header;

	(void)unused;
	if (nfq_nlmsg_parse(nlh, attr) < 0 || !attr[NFQA_PACKET_HDR])
		errx(1, "a message that is no packet");
	if (held - released == MAX_WAITING)
		errx(1, "too many packets wait");
	header = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	ring[held++ % MAX_WAITING] = (struct packet) {
		.id = ntohl(header->packet_id),
		.due = now() + hold_ms,
	};
	return MNL_CB_OK;
}

static void receive(void)
{
	char buf[0xffff + MNL_SOCKET_BUFFER_SIZE];
	ssize_t len = mnl_socket_recvfrom(nl, buf, sizeof(buf));

	if (len < 0)
		err(1, "netlink");
	if (mnl_cb_run(buf, len, 0, mnl_socket_get_portid(nl), take, NULL) >= 0)
		return;
	/* Verdicts are not acknowledged, only refused: at once, so the last. */
	if (errno != ENOENT)
		err(1, "the kernel answers");
	lost++;
	if (!drops || released > last_lost + 1)
		drops++;
	last_lost = released;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct pollfd wait;
	long timeout;

	if (argc != 3)
		errx(2, "usage: hold QUEUE MILLISECONDS");
	queue = atoi(argv[1]);
	hold_ms = atol(argv[2]);

	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	configure(NFQNL_CFG_CMD_BIND);
	configure(0);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	tell();

	wait = (struct pollfd) { .fd = mnl_socket_get_fd(nl), .events = POLLIN };
	while (!ended) {
		if (asked)
			tell();
		timeout = -1;
		if (released < held) {
			timeout = ring[released % MAX_WAITING].due - now();
			if (timeout < 0)
				timeout = 0;
		}
		if (poll(&wait, 1, timeout) > 0)
			receive();
		release_due();
	}
	tell();
	return 0;
}
