// SPDX-License-Identifier: GPL-2.0
/*
 * Guest program of the ctinvalid incident: random packets through the real
 * conntrack, which says in words why a packet is INVALID (nf_conntrack_log_invalid,
 * read as NFLOG), while the guard says it by a reason (netguard:ctinvalid_seen).
 *
 *	oracle SEED PACKETS FROM TO [zap]
 *
 * FROM and TO are the two ends of a veth pair in this network namespace, whose
 * conntrack is active and which forwards what comes in by TO. Prints what does not
 * agree, and how much does. With "zap" the reasons are read shifted by one, so
 * that nothing may agree.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../torture/frame.h"

#define TRACING "/sys/kernel/tracing/instances/oracle"
#define BATCH 32
#define LAST 0xffff	/* id of the packet that ends a batch */
#define FLOWS 6

static const char *const reasons[] = {
	"no_flow", "seq_over", "ack_over", "bad_flags", "bad_checksum",
	"bad_state", "rst_seq", "malformed", "icmp_unrelated", "other",
	"icmp_misdirected",
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

/* What the kernel says of an INVALID packet, and what the guard has to say. */
static const struct {
	const char *words;
	const char *reasons;
} sentences[] = {
	{ "SEQ is over upper bound", "seq_over" },
	{ "ACK is over upper bound", "ack_over" },
	{ "invalid tcp flag combination", "bad_flags" },
	{ "bad checksum", "bad_checksum" },
	{ "bad hw icmp checksum", "bad_checksum" },
	{ "ICMPv6 checksum failed", "bad_checksum" },
	{ "truncated packet", "malformed" },
	{ "truncated/malformed packet", "malformed" },
	{ "short packet", "malformed" },
	{ "short redirect", "malformed" },
	{ "invalid saddr or hoplimit for redirect", "malformed" },
	{ "redirect without options", "malformed" },
	{ " invalid, state ", "bad_state" },
	{ "invalid rst", "rst_seq" },
	{ "invalid new", "no_flow" },
	{ "invalid icmp type", "no_flow" },
	{ "outer daddr ", "icmp_misdirected" },
};

#define SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

/* These are about packets that pass, or come behind another sentence. */
static const char *const passing[] = {
	" ignored, state ", "challenge-ack ignored", "under lower bound",
	"bytes more than expected", "lowered timeout",
};

/* Without words: no tuple, no header, or no connection that it could start. */
#define SILENT "no_flow malformed icmp_unrelated"

struct sent {
	uint8_t data[FRAME_MAX];
	unsigned int len;
	char words[160];
	int reason;		/* index into reasons, or -1 */
};

static struct sent batch[BATCH];
static unsigned long seen_as[REASONS], said[SENTENCES], silent, disagreements;
static struct rng rng;
static int packet_fd, log_fd, trace_fd, ifindex_to, zap;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- packets --- */

static struct talk {
	uint32_t next[2];
	bool six;
} talks[FLOWS];

static uint32_t jitter(void)
{
	static const int32_t steps[] = { 1, -1, 500, -500, 9000, -70000, 100000,
					 10000000, -10000000 };

	return rng_below(&rng, 3) ? 0 : steps[rng_below(&rng, 9)];
}

static void address(struct frame *f, bool six, bool server)
{
	if (six) {
		frame_u32(f, 0x20010db8);
		frame_u32(f, server ? 2 : 1);
		frame_u32(f, 0);
		frame_u32(f, 7);
	} else {
		frame_u32(f, server ? 0xcb007107 : 0xc6336407);
	}
}

/* A segment of a connection that goes through all its states, more or less. */
static void talk_segment(struct frame *f, unsigned int which)
{
	static const uint8_t likely[] = { 0x02, 0x12, 0x10, 0x10, 0x10, 0x10, 0x18, 0x18,
					  0x11, 0x04, 0x14, 0x10 };
	struct talk *t = &talks[which];
	bool server = rng_below(&rng, 2), exact, sack;
	uint8_t flags = likely[rng_below(&rng, sizeof(likely))];
	unsigned int len = rng_below(&rng, 3) ? 0 : rng_below(&rng, 200);
	unsigned int begin, tcp, options;
	uint32_t dseq = jitter(), dack = jitter();

	if (rng_once_in(&rng, 30))
		flags = rng_next(&rng);
	if (flags == 2 && rng_below(&rng, 3))
		server = false;
	if (flags == 2 && !server && rng_once_in(&rng, 2))
		t->next[0] = rng_next(&rng);
	exact = !dseq && !dack;
	sack = !(flags & 2) && rng_once_in(&rng, 4);
	options = flags & 2 ? 4 : sack ? 12 : 0;
	if (flags & 2)
		len = 0;

	begin = f->len;
	if (t->six) {
		frame_u32(f, 0x60000000);
		frame_u16(f, 20 + options + len);
		frame_u8(f, 6);
		frame_u8(f, 64);
	} else {
		frame_u16(f, 0x4500);
		frame_u16(f, 20 + 20 + options + len);
		frame_u32(f, 0);
		frame_u16(f, 0x4006);
		frame_u16(f, 0);
	}
	address(f, t->six, server);
	address(f, t->six, !server);
	tcp = f->len;
	frame_u16(f, server ? 443 : 5000 + which);
	frame_u16(f, server ? 5000 + which : 443);
	frame_u32(f, rng_once_in(&rng, 60) ? 0 : t->next[server] + dseq);
	frame_u32(f, flags & 0x10 ? t->next[!server] + dack : 0);
	frame_u8(f, (20 + options) << 2);
	frame_u8(f, flags);
	frame_u16(f, 8192);
	frame_u32(f, 0);
	if (flags & 2)
		frame_u32(f, rng_below(&rng, 3) ? 0x04020101 : 0x01010101);
	if (sack) {
		frame_u32(f, 0x0101050a);
		frame_u32(f, t->next[!server] + 10);
		frame_u32(f, t->next[!server] + 20 + jitter());
	}
	frame_noise(f, len);
	frame_set16(f, tcp + 16,
		    frame_fold(frame_sum(f->data + tcp, f->len - tcp,
					 frame_sum(f->data + tcp - (t->six ? 32 : 8),
						   t->six ? 32 : 8, 6 + f->len - tcp))));
	if (!t->six)
		frame_set16(f, begin + 10, frame_fold(frame_sum(f->data + begin, 20, 0)));
	if (exact)
		t->next[server] += len + !!(flags & 2) + !!(flags & 1);
}

/* An ICMP error about one of the connections, to its sender or to somebody else. */
static void talk_error(struct frame *f, unsigned int which)
{
	unsigned int begin = f->len, icmp;

	frame_u32(f, 0x45000038);
	frame_u32(f, 0);
	frame_u32(f, 0x40010000);
	frame_u32(f, 0xcb007109);
	frame_u32(f, rng_below(&rng, 2) ? 0xc6336407 : 0xc6336408);
	icmp = f->len;
	frame_u32(f, 0x03010000);
	frame_u32(f, 0);
	frame_u32(f, 0x45000028);
	frame_u32(f, 0);
	frame_u32(f, 0x40060000);
	address(f, false, false);
	address(f, false, true);
	frame_u16(f, 5000 + which);
	frame_u16(f, 443);
	frame_u32(f, 1);
	frame_set16(f, icmp + 20 - 2, frame_fold(frame_sum(f->data + icmp + 8, 20, 0)));
	frame_set16(f, icmp + 2, frame_fold(frame_sum(f->data + icmp, f->len - icmp, 0)));
	frame_set16(f, begin + 10, frame_fold(frame_sum(f->data + begin, 20, 0)));
}

/* The same packet on its way back: sums do not see the difference. */
static void swap(struct frame *f)
{
	unsigned int n = f->data[12] == 0x86 ? 16 : 4, at = 14 + (n == 16 ? 8 : 12);
	unsigned int ports = 14 + (n == 16 ? 40 : 20), i;
	uint8_t byte;

	for (i = 0; i < n; i++) {
		byte = f->data[at + i];
		f->data[at + i] = f->data[at + n + i];
		f->data[at + n + i] = byte;
	}
	for (i = 0; f->len >= ports + 4 && i < 2; i++) {
		byte = f->data[ports + i];
		f->data[ports + i] = f->data[ports + 2 + i];
		f->data[ports + 2 + i] = byte;
	}
}

/* By which the packet is known again; a wrong sum of the header stays wrong. */
static void set_id(struct frame *f, uint16_t id)
{
	uint32_t sum;

	if (f->data[12] == 0x86) {
		frame_set16(f, 16, id);
		return;
	}
	sum = (uint16_t)~(f->data[24] << 8 | f->data[25]);
	sum += (uint16_t)~(f->data[18] << 8 | f->data[19]);
	frame_set16(f, 18, id);
	frame_set16(f, 24, frame_fold(sum + id));
}

static void make(struct frame *f, uint16_t id)
{
	static const uint8_t to[6] = { 2, 0, 0, 0, 0, 0x52 }, from[6] = { 2, 0, 0, 0, 0, 0x51 };
	unsigned int kind = rng_below(&rng, 16), which = rng_below(&rng, FLOWS);
	bool six = kind < 9 ? talks[which].six : kind > 12;

	f->len = 0;
	f->random = &rng;
	frame_put(f, to, 6);
	frame_put(f, from, 6);
	frame_u16(f, kind != 9 && six ? 0x86dd : 0x0800);
	if (id == LAST) {
		f->len = 12;
		frame_u16(f, 0x0800);
		frame_u32(f, 0x45000028);
		frame_u32(f, 0);
		frame_u32(f, 0x40060000);
		frame_u32(f, 0xc6336432);
		frame_u32(f, 0xcb007132);
		frame_u32(f, 0x00090009);
		frame_noise(f, 8);
		frame_u32(f, 0x50032000);
		frame_u32(f, 0);
		frame_set16(f, 50, frame_fold(frame_sum(f->data + 34, 20,
							frame_sum(f->data + 26, 8, 6 + 20))));
		frame_set16(f, 24, frame_fold(frame_sum(f->data + 14, 20, 0)));
	} else if (kind < 9) {
		talk_segment(f, which);
	} else if (kind == 9) {
		talk_error(f, which);
	} else {
		six ? frame_ip6(f, 0) : frame_ip4(f, 0);
		if (rng_below(&rng, 2))
			swap(f);
	}
	set_id(f, id);
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put(const uint8_t *data, unsigned int len)
{
	while (send(packet_fd, data, len, 0) < 0)
		if (errno != ENOBUFS)
			die("send");
}

/* Some go in two pieces. */
static void transmit(const struct frame *f)
{
	uint8_t piece[FRAME_MAX];
	unsigned int data = f->len - 34;

	if (f->data[12] == 0x86 || f->data[14] != 0x45 || data < 40 || f->len > 700 ||
	    (f->data[16] << 8 | f->data[17]) != (int)f->len - 14 ||
	    f->data[20] & 0x3f || f->data[21] ||
	    frame_fold(frame_sum(f->data + 14, 20, 0)) || !rng_once_in(&rng, 8)) {
		put(f->data, f->len);
		return;
	}
	memcpy(piece, f->data, 34 + 24);
	set16(piece + 16, 20 + 24);
	set16(piece + 20, 0x2000);
	set16(piece + 24, 0);
	set16(piece + 24, frame_fold(frame_sum(piece + 14, 20, 0)));
	put(piece, 34 + 24);
	memcpy(piece, f->data, 34);
	memcpy(piece + 34, f->data + 34 + 24, data - 24);
	set16(piece + 16, 20 + data - 24);
	set16(piece + 20, 3);
	set16(piece + 24, 0);
	set16(piece + 24, frame_fold(frame_sum(piece + 14, 20, 0)));
	put(piece, 34 + data - 24);
}

/* --- what the kernel says --- */

static void log_command(uint16_t attribute, const void *data, uint16_t len, uint8_t family,
			uint16_t group)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg;
		struct nlattr nla;
		uint8_t data[64];
	} request = {
		.nlh = { .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			 .nlmsg_flags = NLM_F_REQUEST },
		.nfg = { .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(group) },
		.nla = { .nla_len = NLA_HDRLEN + len, .nla_type = attribute },
	};

	memcpy(request.data, data, len);
	request.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(request.nfg)) + NLA_ALIGN(NLA_HDRLEN + len);
	if (send(log_fd, &request, request.nlh.nlmsg_len, 0) < 0)
		die("nfnetlink_log");
}

static void log_open(void)
{
	struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode copy = { .copy_range = htonl(64),
					       .copy_mode = NFULNL_COPY_PACKET };
	struct sockaddr_nl name = { .nl_family = AF_NETLINK };
	uint32_t one = htonl(1);
	int size = 8 << 20;

	log_fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (log_fd < 0 || connect(log_fd, (struct sockaddr *)&name, sizeof(name)))
		die("netlink");
	setsockopt(log_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	log_command(NFULA_CFG_CMD, &bind, sizeof(bind), AF_UNSPEC, 0);
	log_command(NFULA_CFG_MODE, &copy, sizeof(copy), AF_UNSPEC, 0);
	log_command(NFULA_CFG_QTHRESH, &one, sizeof(one), AF_UNSPEC, 0);
}

static bool passes(const char *words)
{
	size_t i;

	for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (strstr(words, passing[i]))
			return true;
	return false;
}

/* Return: whether it was the last of the batch. */
static bool log_message(const struct nlmsghdr *nlh)
{
	const struct nlattr *nla = (void *)((uint8_t *)NLMSG_DATA(nlh) + sizeof(struct nfgenmsg));
	const uint8_t *end = (uint8_t *)nlh + nlh->nlmsg_len, *data, *ip = NULL;
	const char *words = "";
	uint32_t in = 0;
	uint16_t id;

	for (; (uint8_t *)nla + NLA_HDRLEN <= end;
	     nla = (void *)((uint8_t *)nla + NLA_ALIGN(nla->nla_len))) {
		data = (uint8_t *)nla + NLA_HDRLEN;
		if (nla->nla_type == NFULA_PREFIX)
			words = (char *)data;
		else if (nla->nla_type == NFULA_IFINDEX_INDEV)
			in = ntohl(*(uint32_t *)data);
		else if (nla->nla_type == NFULA_PAYLOAD && nla->nla_len >= NLA_HDRLEN + 20)
			ip = data;
		if (nla->nla_len < NLA_HDRLEN)
			break;
	}
	if (!ip || (int)in != ifindex_to || strncmp(words, "nf_ct_proto_", 12))
		return false;
	id = ip[0] >> 4 == 6 ? ip[2] << 8 | ip[3] : ip[4] << 8 | ip[5];
	if (id < BATCH && !passes(words))
		snprintf(batch[id].words, sizeof(batch[id].words), "%s", words);
	return id == LAST;
}

static bool log_read(void)
{
	static uint8_t buffer[1 << 16] __attribute__((aligned(8)));
	const struct nlmsghdr *nlh;
	bool last = false;
	ssize_t n;

	while ((n = recv(log_fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		for (nlh = (void *)buffer; NLMSG_OK(nlh, (unsigned int)n); nlh = NLMSG_NEXT(nlh, n))
			if (nlh->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
				last |= log_message(nlh);
	if (n < 0 && errno == ENOBUFS)
		die("the kernel's words came faster than they were read");
	return last;
}

/* --- what the guard says --- */

static bool trace_line(const char *line)
{
	const char *event = strstr(line, "ctinvalid_seen: "), *word;
	unsigned int ifindex, id;
	size_t i, len;

	if (!event || sscanf(event, "ctinvalid_seen: netns=%*u ifindex=%u id=%u",
			     &ifindex, &id) != 2 ||
	    (int)ifindex != ifindex_to)
		return false;
	word = strstr(event, " reason=");
	if (!word || id >= BATCH)
		return id == LAST;
	word += 8;
	len = strcspn(word, " ");
	for (i = 0; i < REASONS; i++)
		if (strlen(reasons[i]) == len && !strncmp(reasons[i], word, len))
			batch[id].reason = (i + zap) % REASONS;
	return false;
}

static bool trace_read(void)
{
	static char buffer[1 << 16];
	static size_t used;
	bool last = false;
	char *end, *line;
	ssize_t n;

	while ((n = read(trace_fd, buffer + used, sizeof(buffer) - used - 1)) > 0) {
		used += n;
		buffer[used] = '\0';
		for (line = buffer; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			last |= trace_line(line);
		}
		used -= line - buffer;
		memmove(buffer, line, used);
	}
	return last;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

/* --- do they agree? --- */

static void judge(const struct sent *s)
{
	const char *wanted = SILENT, *reason = s->reason < 0 ? "nothing" : reasons[s->reason];
	unsigned int proto = 0, i;
	size_t which = SENTENCES;

	if (s->reason < 0 && !*s->words)
		return;
	if (!strncmp(s->words, "nf_ct_proto_", 12))
		proto = atoi(s->words + 12);
	for (i = 0; *s->words && i < SENTENCES; i++)
		if (strstr(s->words, sentences[i].words)) {
			which = i;
			wanted = sentences[i].reasons;
			break;
		}
	if (*s->words && which == SENTENCES)
		wanted = "";
	/* Of other protocols the guard knows no more than that. */
	if (*s->words && proto != 1 && proto != 6 && proto != 17 && proto != 58)
		wanted = "no_flow other malformed bad_checksum";
	if (s->reason >= 0 && strstr(wanted, reason)) {
		seen_as[s->reason]++;
		if (which < SENTENCES)
			said[which]++;
		else
			silent++;
		return;
	}

	disagreements++;
	if (disagreements > 20)
		return;
	printf("disagreement: the kernel says \"%s\", the guard says %s:", s->words, reason);
	for (i = 14; i < s->len && i < 14 + 120; i++)
		printf("%s%02x", i % 2 ? "" : " ", s->data[i]);
	printf("\n");
}

static void settings(void)
{
	const char *dir = "/proc/sys/net/netfilter/nf_conntrack_";
	static const char *const names[] = { "tcp_loose", "tcp_ignore_invalid_rst", "checksum",
					     "tcp_be_liberal" };
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		set(path, i == 3 ? rng_once_in(&rng, 10) ? "1" : "0" :
			  i == 2 ? rng_once_in(&rng, 10) ? "0" : "1" :
			  rng_below(&rng, 3) ? (i ? "0" : "1") : (i ? "1" : "0"));
	}
}

static bool run_batch(void)
{
	struct pollfd fds[2] = { { .fd = log_fd, .events = POLLIN },
				 { .fd = trace_fd, .events = POLLIN } };
	bool logged = false, traced = false;
	struct frame f;
	int i, tries;

	for (i = 0; i <= BATCH; i++) {
		make(&f, i < BATCH ? i : LAST);
		if (i < BATCH) {
			memcpy(batch[i].data, f.data, f.len);
			batch[i].len = f.len;
			batch[i].words[0] = '\0';
			batch[i].reason = -1;
		}
		i < BATCH ? transmit(&f) : put(f.data, f.len);
	}
	for (tries = 0; tries < 500 && !(logged && traced); tries++) {
		logged |= log_read();
		traced |= trace_read();
		if (!(logged && traced))
			poll(fds, 2, 20);
	}
	if (!logged || !traced) {
		printf("the end of a batch was not %s in time\n", logged ? "traced" : "logged");
		return false;
	}
	for (i = 0; i < BATCH; i++)
		judge(&batch[i]);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long packets, done, agreed;
	struct sockaddr_ll name = { .sll_family = AF_PACKET };
	size_t i;

	if (argc < 5) {
		fprintf(stderr, "usage: oracle SEED PACKETS FROM TO [zap]\n");
		return 2;
	}
	rng.state = strtoull(argv[1], NULL, 10);
	packets = strtoul(argv[2], NULL, 10);
	zap = argc > 5;
	ifindex_to = if_nametoindex(argv[4]);
	name.sll_ifindex = if_nametoindex(argv[3]);
	packet_fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (packet_fd < 0 || !ifindex_to || bind(packet_fd, (struct sockaddr *)&name, sizeof(name)))
		die("AF_PACKET");
	log_open();
	if (mkdir(TRACING, 0700) && errno != EEXIST)
		die(TRACING);
	set(TRACING "/events/netguard/ctinvalid_seen/enable", "1");
	trace_fd = open(TRACING "/trace_pipe", O_RDONLY | O_NONBLOCK);
	if (trace_fd < 0)
		die("trace_pipe");
	for (i = 0; i < FLOWS; i++)
		talks[i].six = i & 1;

	for (done = 0; done < packets; done += BATCH) {
		if (!(done / BATCH % 16))
			settings();
		if (!run_batch())
			return 1;
	}
	close(trace_fd);
	set(TRACING "/events/netguard/ctinvalid_seen/enable", "0");
	rmdir(TRACING);

	for (i = 0; i < SENTENCES; i++)
		if (said[i])
			printf("%6lu %s\n", said[i], sentences[i].words);
	printf("%6lu without a word\n", silent);
	for (agreed = i = 0; i < REASONS; i++) {
		printf("reason %s %lu\n", reasons[i], seen_as[i]);
		agreed += seen_as[i];
	}
	printf("seed %s packets %lu agreements %lu disagreements %lu\n", argv[1], done, agreed,
	       disagreements);
	return disagreements > 0;
}
