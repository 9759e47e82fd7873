// SPDX-License-Identifier: GPL-2.0
/*
 * Guest program of the ctinvalid incident: one end of a TCP connection that can
 * slip raw segments into it, and a sender of raw packets.
 *
 *	ctflow serve ADDRESS PORT	accepts one connection, reads and discards
 *	ctflow connect ADDRESS PORT
 *	ctflow send KEY=VALUE...	raw packets without a connection
 *	ctflow wait			only takes commands
 *
 * Commands come from stdin; each is answered with a line on stdout:
 *
 *	upload BYTES CHUNK GAP_MS	"upload done", or "upload died: REASON"
 *	raw KEY=VALUE...		a segment between the connection's ports;
 *					seq and ack count from where the
 *					connection is now
 *	send KEY=VALUE...		as above
 *	peer				the other end's address and port
 *	close, abort, quit
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif
#define BATCH 64
#define PACKET_MAX 2048

struct packet {
	bool v6;
	struct in6_addr src, dst;	/* IPv4 in the first four bytes */
	uint8_t proto;
	uint16_t sport, dport;
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t win;
	int len;			/* payload */
	int doff;			/* data offset that the header claims */
	int udplen;			/* length that the UDP header claims */
	int cut;			/* bytes of the transport part that are sent */
	bool badsum;
	uint8_t type, code;
	struct packet *inner;		/* what an ICMP error quotes */
	int frag;			/* payload bytes per fragment */
	long count;
	long step;			/* from sequence number to sequence number */
	int spread;			/* over so many source ports, in turn */
	bool random;
	int idle_ms;			/* first wait for so long a silence ... */
	long after;			/* ... with so many bytes received */
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

static uint32_t sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

static int address_size(const struct packet *p)
{
	return p->v6 ? 16 : 4;
}

static uint16_t transport_sum(const struct packet *p, const void *data,
			      int len)
{
	uint32_t sum = 0;

	if (p->proto != IPPROTO_ICMP) {
		sum = sum_add(sum, &p->src, address_size(p));
		sum = sum_add(sum, &p->dst, address_size(p));
		sum += p->proto + len;
	}
	return sum_fold(sum_add(sum, data, len));
}

static int build(const struct packet *p, uint8_t *to);

static int build_transport(const struct packet *p, uint8_t *to)
{
	struct tcphdr *th = (struct tcphdr *)to;
	uint16_t *words = (uint16_t *)to;
	int len, sum_at;

	memset(to, 0, 64);
	switch (p->proto) {
	case IPPROTO_TCP:
		th->source = htons(p->sport);
		th->dest = htons(p->dport);
		th->seq = htonl(p->seq);
		th->ack_seq = htonl(p->ack);
		th->window = htons(p->win);
		to[12] = p->doff << 4;
		to[13] = p->flags;
		len = 20;
		sum_at = 16;
		break;
	case IPPROTO_UDP:
		words[0] = htons(p->sport);
		words[1] = htons(p->dport);
		words[2] = htons(p->udplen >= 0 ? p->udplen : 8 + p->len);
		len = 8;
		sum_at = 6;
		break;
	default:
		to[0] = p->type;
		to[1] = p->code;
		if (!p->inner)
			words[2] = htons(p->sport);
		len = 8;
		sum_at = 2;
		if (p->inner)
			len += build(p->inner, to + len);
	}
	memset(to + len, 'x', p->len);
	len += p->len;
	if (p->cut >= 0 && p->cut < len)
		len = p->cut;
	if (sum_at + 2 <= len) {
		words[sum_at / 2] = transport_sum(p, to, len);
		if (p->badsum)
			words[sum_at / 2] ^= htons(0x1234);
	}
	return len;
}

static int build(const struct packet *p, uint8_t *to)
{
	struct ip6_hdr *ip6 = (struct ip6_hdr *)to;
	struct iphdr *ip = (struct iphdr *)to;
	int len;

	if (p->v6) {
		len = build_transport(p, to + sizeof(*ip6));
		memset(ip6, 0, sizeof(*ip6));
		ip6->ip6_vfc = 6 << 4;
		ip6->ip6_plen = htons(len);
		ip6->ip6_nxt = p->proto;
		ip6->ip6_hlim = 64;
		ip6->ip6_src = p->src;
		ip6->ip6_dst = p->dst;
		return sizeof(*ip6) + len;
	}

	len = build_transport(p, to + sizeof(*ip));
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = p->proto;
	ip->tot_len = htons(sizeof(*ip) + len);
	memcpy(&ip->saddr, &p->src, 4);
	memcpy(&ip->daddr, &p->dst, 4);
	ip->check = sum_fold(sum_add(0, ip, sizeof(*ip)));
	return sizeof(*ip) + len;
}

static void set_destination(const struct packet *p,
			    struct sockaddr_storage *to, socklen_t *size)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *sin = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (p->v6) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_addr = p->dst;
		*size = sizeof(*sin6);
	} else {
		sin->sin_family = AF_INET;
		memcpy(&sin->sin_addr, &p->dst, 4);
		*size = sizeof(*sin);
	}
}

/* IPv4 only: the same datagram in pieces of p->frag bytes. */
static void send_fragments(const struct packet *p, int fd, uint8_t *datagram,
			   int len, struct sockaddr *to, socklen_t size)
{
	uint8_t piece[PACKET_MAX];
	struct iphdr *ip = (struct iphdr *)piece;
	int at, n, left = len - 20;

	for (at = 0; left > 0; at += n, left -= n) {
		n = left > p->frag ? p->frag : left;
		memcpy(piece, datagram, 20);
		memcpy(piece + 20, datagram + 20 + at, n);
		ip->id = htons(getpid());
		ip->tot_len = htons(20 + n);
		ip->frag_off = htons(at / 8 | (left > n ? 0x2000 : 0));
		ip->check = 0;
		ip->check = sum_fold(sum_add(0, ip, 20));
		if (sendto(fd, piece, 20 + n, 0, to, size) < 0)
			die("sendto");
	}
}

static void randomise(struct packet *p)
{
	/* 198.51.100.0/24 and a documentation prefix: any host, any port. */
	if (p->v6)
		p->src.s6_addr32[3] = rand();
	else
		p->src.s6_addr[3] = 2 + rand() % 250;
	p->sport = 1024 + rand() % 60000;
}

static void send_packets(struct packet *p)
{
	static uint8_t data[BATCH][PACKET_MAX];
	struct sockaddr_storage to;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int fd, i, n, done, one = 1;
	socklen_t size;
	uint16_t sport = p->sport;
	long left, sent = 0;

	fd = socket(p->v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		die("socket");
	if (p->v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, 4))
		die("IPV6_HDRINCL");
	set_destination(p, &to, &size);

	for (left = p->count; left > 0; left -= n) {
		n = left > BATCH ? BATCH : left;
		memset(messages, 0, sizeof(messages));
		for (i = 0; i < n; i++) {
			if (p->random)
				randomise(p);
			if (p->spread)
				p->sport = sport + sent % p->spread;
			parts[i].iov_base = data[i];
			if (sent)
				p->seq += p->step;
			sent++;
			parts[i].iov_len = build(p, data[i]);
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
			messages[i].msg_hdr.msg_name = &to;
			messages[i].msg_hdr.msg_namelen = size;
		}
		if (p->frag) {
			send_fragments(p, fd, data[0], parts[0].iov_len,
				       (struct sockaddr *)&to, size);
			continue;
		}
		for (i = 0; i < n; i += done) {
			done = sendmmsg(fd, messages + i, n - i, 0);
			if (done < 0 && errno == ENOBUFS)
				done = 0;
			else if (done < 0 && (errno == EPERM || p->cut >= 0))
				done = 1; /* a rule dropped it */
			else if (done < 0)
				die("sendmmsg");
		}
	}
	close(fd);
}

static uint8_t parse_flags(const char *text)
{
	static const char letters[] = "FSRPAUEC";
	uint8_t flags = 0;
	const char *at;

	for (; *text; text++) {
		at = strchr(letters, *text);
		if (at)
			flags |= 1 << (at - letters);
	}
	return flags;
}

static void parse_address(struct packet *p, struct in6_addr *to,
			  const char *text)
{
	p->v6 = strchr(text, ':');
	if (inet_pton(p->v6 ? AF_INET6 : AF_INET, text, to) != 1) {
		fprintf(stderr, "ctflow: no address: %s\n", text);
		exit(2);
	}
}

static void defaults(struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->proto = IPPROTO_TCP;
	p->flags = parse_flags("A");
	p->win = 500;
	p->doff = 5;
	p->udplen = -1;
	p->cut = -1;
	p->count = 1;
}

/* parse_one PACKET KEY VALUE: iKEY describes what an ICMP error quotes. */
static void parse_one(struct packet *p, const char *key, const char *value)
{
	long number = strtol(value, NULL, 0);

	if (*key == 'i' && strcmp(key, "idle")) {
		if (!p->inner) {
			p->inner = malloc(sizeof(*p));
			defaults(p->inner);
		}
		parse_one(p->inner, key + 1, value);
	} else if (!strcmp(key, "src")) {
		parse_address(p, &p->src, value);
	} else if (!strcmp(key, "dst")) {
		parse_address(p, &p->dst, value);
	} else if (!strcmp(key, "proto")) {
		p->proto = !strcmp(value, "udp") ? IPPROTO_UDP :
			   !strcmp(value, "icmp") ? IPPROTO_ICMP :
			   !strcmp(value, "icmpv6") ? IPPROTO_ICMPV6 :
			   IPPROTO_TCP;
	} else if (!strcmp(key, "flags")) {
		p->flags = parse_flags(value);
	} else if (!strcmp(key, "sport")) {
		p->sport = number;
	} else if (!strcmp(key, "dport")) {
		p->dport = number;
	} else if (!strcmp(key, "seq")) {
		p->seq += number;
	} else if (!strcmp(key, "ack")) {
		p->ack += number;
	} else if (!strcmp(key, "win")) {
		p->win = number;
	} else if (!strcmp(key, "len")) {
		p->len = number;
	} else if (!strcmp(key, "doff")) {
		p->doff = number;
	} else if (!strcmp(key, "udplen")) {
		p->udplen = number;
	} else if (!strcmp(key, "cut")) {
		p->cut = number;
	} else if (!strcmp(key, "badsum")) {
		p->badsum = number;
	} else if (!strcmp(key, "type")) {
		p->type = number;
	} else if (!strcmp(key, "code")) {
		p->code = number;
	} else if (!strcmp(key, "frag")) {
		p->frag = number;
	} else if (!strcmp(key, "count")) {
		p->count = number;
	} else if (!strcmp(key, "step")) {
		p->step = number;
	} else if (!strcmp(key, "spread")) {
		p->spread = number;
	} else if (!strcmp(key, "random")) {
		p->random = number;
	} else if (!strcmp(key, "idle")) {
		p->idle_ms = number;
	} else if (!strcmp(key, "after")) {
		p->after = number;
	} else {
		fprintf(stderr, "ctflow: what is %s?\n", key);
		exit(2);
	}
}

static void parse_word(struct packet *p, char *word)
{
	char *value = strchr(word, '=');

	if (!value) {
		fprintf(stderr, "ctflow: KEY=VALUE, not %s\n", word);
		exit(2);
	}
	*value++ = '\0';
	parse_one(p, word, value);
}

/* --- one end of a connection --- */

static int sock = -1;
static long to_upload, uploaded, chunk, received;
static int gap_ms;
static struct timespec last_read;

static long ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void fill_address(struct packet *p, struct in6_addr *address,
			 uint16_t *port,
			 int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);

	if (get(sock, (struct sockaddr *)&name, &size))
		die("address of the connection");
	p->v6 = name.ss_family == AF_INET6;
	if (p->v6) {
		*address = ((struct sockaddr_in6 *)&name)->sin6_addr;
		*port = ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
	} else {
		memcpy(address, &((struct sockaddr_in *)&name)->sin_addr, 4);
		*port = ntohs(((struct sockaddr_in *)&name)->sin_port);
	}
}

static uint32_t queue_seq(int queue)
{
	socklen_t size = 4;
	uint32_t seq;

	if (setsockopt(sock, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, 4) ||
	    getsockopt(sock, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size))
		die("TCP_QUEUE_SEQ");
	return seq;
}

/* Where the connection is, as a checkpoint would read it. */
static void fill_sequence(struct packet *p)
{
	int on = 1, off = -1, none = 0;

	if (setsockopt(sock, IPPROTO_TCP, TCP_REPAIR, &on, 4))
		die("TCP_REPAIR");
	p->seq = queue_seq(2);
	p->ack = queue_seq(1);
	setsockopt(sock, IPPROTO_TCP, TCP_REPAIR_QUEUE, &none, 4);
	setsockopt(sock, IPPROTO_TCP, TCP_REPAIR, &off, 4);
}

static void drain(void)
{
	char buffer[65536];
	ssize_t n;

	while ((n = recv(sock, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		received += n;
		clock_gettime(CLOCK_MONOTONIC, &last_read);
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;

	say(n ? "connection reset" : "connection closed");
	if (to_upload)
		printf("upload died: %s\n", n ? strerror(errno) : "closed");
	to_upload = 0;
	fflush(stdout);
	/* Keeps the socket for its addresses; poll() is not to spin on it. */
	if (n)
		sock = -1;
	else
		shutdown(sock, SHUT_RD);
}

static void upload_more(void)
{
	static char buffer[65536];
	int queued;
	ssize_t n;

	n = send(sock, buffer, chunk, MSG_NOSIGNAL);
	if (n < 0) {
		printf("upload died: %s\n", strerror(errno));
		fflush(stdout);
		to_upload = 0;
		return;
	}
	uploaded += n;
	if (uploaded < to_upload)
		return;
	do {
		usleep(1000);
		if (ioctl(sock, SIOCOUTQ, &queued))
			queued = 0;
	} while (queued && !recv(sock, &queued, 0, MSG_DONTWAIT | MSG_PEEK));
	say("upload done");
	to_upload = 0;
}

static void send_words(char *words)
{
	struct packet p;
	char *word;

	defaults(&p);
	for (word = strtok(words, " "); word; word = strtok(NULL, " "))
		parse_word(&p, word);
	send_packets(&p);
	say("sent");
}

static void raw_segment(char *words)
{
	struct packet p;
	char *word;

	defaults(&p);
	fill_address(&p, &p.src, &p.sport, getsockname);
	fill_address(&p, &p.dst, &p.dport, getpeername);
	/* The quiet moment first: sequence numbers are to be those of now. */
	word = strstr(words, "idle=");
	if (word)
		p.idle_ms = atoi(word + 5);
	word = strstr(words, "after=");
	if (word)
		p.after = atol(word + 6);
	while (received < p.after || ms_since(&last_read) < p.idle_ms) {
		usleep(1000);
		drain();
	}
	fill_sequence(&p);
	for (word = strtok(words, " "); word; word = strtok(NULL, " "))
		parse_word(&p, word);
	send_packets(&p);
	printf("raw sent seq=%u ack=%u\n", p.seq, p.ack);
	fflush(stdout);
}

static void command(char *line)
{
	struct linger now = { 1, 0 };
	char text[INET6_ADDRSTRLEN];
	struct packet p;

	if (!strncmp(line, "upload ", 7)) {
		uploaded = 0;
		if (sscanf(line, "upload %ld %ld %d", &to_upload, &chunk,
			   &gap_ms) != 3 || chunk > 65536)
			exit(2);
	} else if (!strncmp(line, "raw", 3)) {
		raw_segment(line + 3);
	} else if (!strncmp(line, "send ", 5)) {
		send_words(line + 5);
	} else if (!strncmp(line, "peer", 4)) {
		fill_address(&p, &p.dst, &p.dport, getpeername);
		inet_ntop(p.v6 ? AF_INET6 : AF_INET, &p.dst, text,
			  sizeof(text));
		printf("peer %s %u\n", text, p.dport);
		fflush(stdout);
	} else if (!strncmp(line, "close", 5)) {
		shutdown(sock, SHUT_WR);
		say("closing");
	} else if (!strncmp(line, "abort", 5)) {
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(sock);
		sock = -1;
		say("aborted");
	} else if (!strncmp(line, "quit", 4)) {
		exit(0);
	}
}

static void __attribute__((noreturn)) run(void)
{
	struct pollfd fds[2];
	char line[512];
	size_t used = 0;
	char *end;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &last_read);
	for (;;) {
		fds[0] = (struct pollfd) { .fd = 0, .events = POLLIN };
		fds[1] = (struct pollfd) { .fd = sock, .events = POLLIN };
		poll(fds, 2, to_upload ? gap_ms : -1);
		if (sock >= 0 && fds[1].revents)
			drain();
		if (fds[0].revents) {
			n = read(0, line + used, sizeof(line) - used - 1);
			if (n <= 0)
				exit(0);
			used += n;
			line[used] = '\0';
			while ((end = strchr(line, '\n'))) {
				*end = '\0';
				command(line);
				used -= end + 1 - line;
				memmove(line, end + 1, used + 1);
			}
		}
		if (to_upload && sock >= 0)
			upload_more();
	}
}

static int name_of(const char *address, const char *port,
		   struct sockaddr_storage *name, socklen_t *size)
{
	struct packet p;

	defaults(&p);
	parse_address(&p, &p.dst, address);
	set_destination(&p, name, size);
	((struct sockaddr_in *)name)->sin_port = htons(atoi(port));
	return name->ss_family;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage name;
	int family, i, one = 1;
	struct packet p;
	socklen_t size;

	if (argc > 1 && !strcmp(argv[1], "send")) {
		defaults(&p);
		srand(1);
		for (i = 2; i < argc; i++)
			parse_word(&p, argv[i]);
		send_packets(&p);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "wait")) {
		say("waiting");
		run();
	}
	if (argc != 4) {
		fprintf(stderr, "usage: ctflow serve|connect ADDRESS PORT\n"
				"       ctflow send KEY=VALUE...\n"
				"       ctflow wait\n");
		return 2;
	}

	family = name_of(argv[2], argv[3], &name, &size);
	sock = socket(family, SOCK_STREAM, 0);
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, 4);
	if (!strcmp(argv[1], "serve")) {
		if (bind(sock, (struct sockaddr *)&name, size) ||
		    listen(sock, 1))
			die("listen");
		say("listening");
		i = accept(sock, NULL, NULL);
		close(sock);
		sock = i;
	} else if (connect(sock, (struct sockaddr *)&name, size)) {
		die("connect");
	}
	say("connected");
	run();
}
