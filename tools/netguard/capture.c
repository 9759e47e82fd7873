// SPDX-License-Identifier: GPL-2.0
/* Opens a capture, keeps its socket filter right, writes and counts. */

#include "capture.h"
#include "netguard.h"
#include "privileges.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* In KiB: a second or so of a busy link. */
#define BUFFER (32 << 10)
#define TICK_MS 1000
/* The guard finds out within this time that a packet socket is open. */
#define SETTLE_MS 1000

struct capture {
	const struct capture_options *options;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	FILE *file;
	struct sock_filter expression[FILTER_MAX];
	size_t expression_length;
	struct tapdup_state state;
	uint64_t duplicates_before;
	/* Older ones came before the filter, younger ones after the signal. */
	struct timespec begin;
	struct timespec end;
	unsigned long packets;
	bool live;
	bool broken;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static void say(const struct capture *c, const char *format, const char *what)
{
	/* Out of the way of the live count. */
	fprintf(stderr, "%snetguard: ", c->live ? "\n" : "");
	fprintf(stderr, format, what);
	fputc('\n', stderr);
}

/* --- the filter --- */

/* What libpcap made of the expression for this kind of socket. */
static bool compile(struct capture *c)
{
	struct bpf_program program;
	socklen_t length = FILTER_MAX;
	int status;

	if (pcap_compile(c->pcap, &program, c->options->expression, 1,
			 PCAP_NETMASK_UNKNOWN)) {
		say(c, "%s", pcap_geterr(c->pcap));
		return false;
	}
	status = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	if (status) {
		say(c, "%s", pcap_geterr(c->pcap));
		return false;
	}

	/* In instructions; none if libpcap has to do it in this process. */
	if (getsockopt(pcap_fileno(c->pcap), SOL_SOCKET, SO_GET_FILTER,
		       c->expression, &length))
		length = 0;
	c->expression_length = length;
	if (!length)
		c->expression[c->expression_length++] = (struct sock_filter)
			BPF_STMT(BPF_RET | BPF_K, 0x7fffffff);
	return true;
}

/*
 * Not by pcap_setfilter(): it filters once more, in this process, what is
 * already in the buffer, and there the mark cannot be read.
 */
static bool attach(struct capture *c)
{
	struct sock_filter program[FILTER_MAX];
	struct sock_fprog fprog = { .filter = program };

	memcpy(program, c->expression,
	       c->expression_length * sizeof(*program));
	fprog.len = c->expression_length;
	if (!c->state.why_not)
		fprog.len = filter_prefix(program, c->expression_length,
					  &c->state, c->options->duplicates);
	if (!fprog.len) {
		say(c, "%s", "the expression leaves no room for the test of the mark");
		return false;
	}
	if (setsockopt(pcap_fileno(c->pcap), SOL_SOCKET, SO_ATTACH_FILTER,
		       &fprog, sizeof(fprog))) {
		say(c, "cannot filter in the kernel: %s", strerror(errno));
		return false;
	}
	return true;
}

/* The guard's parameters, its devices, or whether it is there, may change. */
static bool follow(struct capture *c, bool first)
{
	struct tapdup_state old = c->state;

	if (c->options->duplicates == DUPLICATES_SHOW)
		return first ? attach(c) : true;

	tapdup_read(&c->state);
	if (first)
		c->duplicates_before = c->state.duplicates;
	else if (!tapdup_differs(&old, &c->state))
		return true;

	if (c->state.why_not && (first || c->state.why_not != old.why_not))
		say(c, "%s: capturing every copy of a packet",
		    c->state.why_not);
	else if (old.why_not && !c->state.why_not && !first)
		say(c, "%s", "duplicates can be told now");
	return attach(c);
}

/* --- output --- */

static bool open_output(struct capture *c)
{
	const char *name = c->options->file;

	if (!name)
		return true;

	if (!strcmp(name, "-")) {
		if (isatty(STDOUT_FILENO)) {
			say(c, "%s",
			    "will not write packets to a terminal: -w FILE, or | tcpdump -nr -");
			return false;
		}
		c->file = stdout;
	} else {
		c->file = privileges_create(name);
		if (!c->file) {
			fprintf(stderr, "netguard: %s: %s\n", name,
				strerror(errno));
			return false;
		}
	}

	c->dumper = pcap_dump_fopen(c->pcap, c->file);
	if (!c->dumper || fflush(c->file)) {
		say(c, "cannot write: %s", c->dumper ? strerror(errno) : pcap_geterr(c->pcap));
		return false;
	}
	return true;
}

static bool has_enough(const struct capture *c)
{
	return c->options->count && c->packets == c->options->count;
}

static bool is_before(const struct timeval *ts, const struct timespec *then)
{
	/* In nanoseconds, see open_pcap(). */
	return ts->tv_sec < then->tv_sec ||
	       (ts->tv_sec == then->tv_sec && ts->tv_usec < then->tv_nsec);
}

static void on_packet(u_char *arg, const struct pcap_pkthdr *header,
		      const u_char *bytes)
{
	struct capture *c = (struct capture *)arg;

	if (is_before(&header->ts, &c->begin))
		return;
	if (c->end.tv_sec && !is_before(&header->ts, &c->end)) {
		stop = 1;
		return;
	}
	if (has_enough(c))
		return;

	c->packets++;
	if (c->dumper) {
		pcap_dump((u_char *)c->dumper, header, bytes);
		c->broken |= ferror(c->file);
	}
	if (c->broken || has_enough(c))
		stop = 1;
}

static unsigned int dropped(const struct capture *c)
{
	struct pcap_stat stat;

	return pcap_stats(c->pcap, &stat) ? 0 : stat.ps_drop;
}

/* Rounds that the guard counted here since the beginning, whatever we filter. */
static uint64_t duplicates(const struct capture *c)
{
	return c->state.duplicates > c->duplicates_before ?
		c->state.duplicates - c->duplicates_before : 0;
}

static void count(const struct capture *c, const char *before,
		  const char *after)
{
	fprintf(stderr, "%s%lu packets, %llu duplicates on this host, %u dropped by the kernel%s",
		before, c->packets, (unsigned long long)duplicates(c),
		dropped(c), after);
}

/* --- the run --- */

static bool open_pcap(struct capture *c)
{
	const struct capture_options *o = c->options;
	char error[PCAP_ERRBUF_SIZE];
	int status;

	c->pcap = pcap_create(o->device, error);
	if (!c->pcap) {
		say(c, "%s", error);
		return false;
	}
	pcap_set_snaplen(c->pcap, o->snaplen);
	pcap_set_timeout(c->pcap, 100);
	pcap_set_buffer_size(c->pcap, (o->buffer ? o->buffer : BUFFER) << 10);
	if (pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO)) {
		say(c, "%s", "this libpcap has no nanoseconds");
		return false;
	}
	status = pcap_activate(c->pcap);
	if (status < 0) {
		fprintf(stderr, "netguard: cannot capture on %s: %s\n",
			o->device, *pcap_geterr(c->pcap) ?
			pcap_geterr(c->pcap) : pcap_statustostr(status));
		return false;
	}
	/* The one header that keeps the device; only "any" has it. */
	if (!strcmp(o->device, "any") &&
	    pcap_set_datalink(c->pcap, DLT_LINUX_SLL2)) {
		say(c, "%s", pcap_geterr(c->pcap));
		return false;
	}
	if (pcap_setnonblock(c->pcap, 1, error)) {
		say(c, "%s", error);
		return false;
	}
	return true;
}

static long ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

/* Lets the guard notice our socket, then filters; what came before is old. */
static bool begin(struct capture *c)
{
	struct timespec settle = { .tv_sec = SETTLE_MS / 1000 };

	if (c->options->duplicates != DUPLICATES_SHOW && !stop) {
		tapdup_read(&c->state);
		if (!c->state.why_not)
			nanosleep(&settle, NULL);
	}
	if (!follow(c, true))
		return false;
	clock_gettime(CLOCK_REALTIME, &c->begin);
	fprintf(stderr, "netguard: listening on %s, %s\n", c->options->device,
		pcap_datalink_val_to_description(pcap_datalink(c->pcap)));
	return true;
}

/* Tells of new devices; without it the next tick finds them. */
static int open_links(void)
{
	struct sockaddr_nl links = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (void *)&links, sizeof(links))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Was there a message? What it says is in the guard's table, too. */
static bool links_changed(int fd)
{
	bool changed = false;
	char message[16];

	/* ENOBUFS: some were lost, so there were some. */
	while (fd >= 0 && (recv(fd, message, sizeof(message), MSG_TRUNC) >= 0 ||
			   errno == ENOBUFS))
		changed = true;
	return changed;
}

static bool loop(struct capture *c, int links)
{
	struct pollfd poll_fds[] = {
		{ .fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN },
		{ .fd = links, .events = POLLIN },
	};
	struct timespec tick;

	clock_gettime(CLOCK_MONOTONIC, &tick);
	while (!stop) {
		if (poll(poll_fds, 2, 200) < 0 && errno != EINTR)
			return false;
		if (pcap_dispatch(c->pcap, -1, on_packet, (u_char *)c) < 0) {
			say(c, "%s", pcap_geterr(c->pcap));
			return false;
		}
		/* Who reads a pipe wants to see packets now. */
		if (c->file && fflush(c->file))
			c->broken = true;
		if (c->broken)
			return false;
		if (!links_changed(links) && ms_since(&tick) < TICK_MS)
			continue;

		clock_gettime(CLOCK_MONOTONIC, &tick);
		if (!follow(c, false))
			return false;
		if (c->live)
			count(c, "\r", " ");
	}
	return true;
}

/* Packets that were captured before the signal came. */
static void rest(struct capture *c)
{
	struct pollfd poll_fd = {
		.fd = pcap_get_selectable_fd(c->pcap),
		.events = POLLIN,
	};

	if (c->broken || has_enough(c))
		return;

	clock_gettime(CLOCK_REALTIME, &c->end);
	stop = 0;
	/* Longer than the kernel keeps a block that is not full. */
	do {
		if (pcap_dispatch(c->pcap, -1, on_packet, (u_char *)c) < 0)
			break;
	} while (!stop && !c->broken && poll(&poll_fd, 1, 150) > 0);
}

int capture_run(const struct capture_options *options)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct capture *c = calloc(1, sizeof(*c));
	int links = -1;
	bool fine;

	if (!c)
		return NG_FAILED;
	c->options = options;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);

	fine = tapdup_start();
	if (!fine)
		say(c, "cannot start: %s", strerror(errno));
	fine = fine && open_pcap(c) && compile(c) && open_output(c);
	if (fine && !privileges_keep(0)) {
		say(c, "cannot give up root: %s", strerror(errno));
		fine = false;
	}
	if (fine)
		links = open_links();
	fine = fine && begin(c);
	if (fine) {
		c->live = isatty(STDERR_FILENO);
		fine = loop(c, links);
		if (fine)
			rest(c);
		follow(c, false);
		count(c, c->live ? "\r" : "", "\n");
	}

	/* A reader that had enough, like head, is no failure. */
	if (c->broken && errno != EPIPE)
		say(c, "cannot write: %s", strerror(errno));
	else if (c->broken)
		fine = true;
	if (c->dumper)
		pcap_dump_close(c->dumper);
	if (c->pcap)
		pcap_close(c->pcap);
	if (links >= 0)
		close(links);
	free(c);
	return fine ? NG_OK : NG_FAILED;
}

int capture_check_expression(const char *expression)
{
	pcap_t *pcap = pcap_open_dead(DLT_LINUX_SLL2, 65535);
	struct bpf_program program;
	int status = NG_OK;

	if (!pcap)
		return NG_FAILED;
	if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		/* Wireshark shows what is said on standard output. */
		puts(pcap_geterr(pcap));
		status = NG_FAILED;
	} else {
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return status;
}
