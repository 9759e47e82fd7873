// SPDX-License-Identifier: GPL-2.0
/*
 * The log line of an INVALID packet. It is to say what became of the packet and
 * whether somebody answered with RST. Both come later, after other packets of
 * the same batch and maybe on another CPU, so the line waits for a moment in one
 * of a few places, where the packets of its flow and their answers find it.
 */

#include "ctinvalid.h"

#include <linux/fs.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/workqueue.h>
#include <net/tcp.h>

#define CTINVALID_LINES 64
/* In how many places a line may wait, from that of its hash on. */
#define CTINVALID_PLACES 4

/**
 * struct ctinvalid_line - a line that waits
 * @lock: for all of it
 * @hash: of @key; looked at without the lock, too, to pass by
 * @finding: the line, or NULL
 * @key: whose packet it is, zone left out
 * @since: jiffies when its packet came
 * @outcome: what there is to say of the packet
 * @secret: the next three tell where a live connection is, and are only for a
 *	log that not everybody can read
 * @seq: sequence number of the first packet
 * @ack: its acknowledgment
 * @by: how far it missed its bound
 * @packets: of the same flow that came meanwhile, itself included
 */
struct ctinvalid_line {
	spinlock_t lock; /* for all of it */
	u32 hash;
	struct ng_finding *finding;
	struct ctinvalid_key key;
	unsigned long since;
	struct ctinvalid_outcome outcome;
	bool secret;
	u32 seq;
	u32 ack;
	u32 by;
	unsigned int packets;
};

static struct ctinvalid_line ctinvalid_lines[CTINVALID_LINES];
static u32 ctinvalid_lines_seed;
/* Some line waits. Written by who makes one and who finds none any more. */
static bool ctinvalid_lines_wait;

/* Whose packets and answers a line is about: rules may choose their zones. */
static u32 ctinvalid_line_key(struct ctinvalid_key *to,
			      const struct ctinvalid_key *from)
{
	u32 hash;

	BUILD_BUG_ON(sizeof(*to) % sizeof(u32));
	*to = *from;
	to->zone = 0;
	hash = jhash2((const u32 *)to, sizeof(*to) / sizeof(u32),
		      ctinvalid_lines_seed);
	/* 0 is a free place. */
	return hash ?: 1;
}

static struct ctinvalid_line *ctinvalid_line_place(u32 hash, unsigned int i)
{
	return &ctinvalid_lines[(hash + i) % CTINVALID_LINES];
}

/* Return: the line of this key, locked; NULL if there is none. BH off. */
static struct ctinvalid_line *ctinvalid_line_get(const struct ctinvalid_key *key,
						 u32 hash)
{
	struct ctinvalid_line *line;
	unsigned int i;

	for (i = 0; i < CTINVALID_PLACES; i++) {
		line = ctinvalid_line_place(hash, i);
		if (READ_ONCE(line->hash) != hash)
			continue;
		spin_lock(&line->lock);
		if (line->hash == hash && !memcmp(&line->key, key, sizeof(*key)))
			return line;
		spin_unlock(&line->lock);
	}

	return NULL;
}

static void ctinvalid_row_numbers(struct seq_buf *row, u32 seq, u32 ack, u32 by)
{
	ng_row_printf(row, "seq=%u", seq);
	ng_row_printf(row, "ack=%u", ack);
	if (by)
		ng_row_printf(row, "by=%u", by);
}

/*
 * Under the line's lock: it goes to the log, and its place is free. @restricted:
 * the log is not for everybody.
 */
static void ctinvalid_line_end(struct ctinvalid_line *line, bool restricted)
{
	static const char *const actions[] = {
		[CTINVALID_PASS] = "passed",
		[CTINVALID_DISCARD] = "dropped",
		[CTINVALID_CURE] = "healed",
	};
	struct seq_buf *row = ng_finding_row(line->finding);
	char cause[384];
	const char *fix;

	fix = ctinvalid_words(&line->outcome, cause, sizeof(cause));
	if (line->packets > 1)
		ng_row_printf(row, "packets=%u", line->packets);
	ng_row_printf(row, "resets=%llu", line->outcome.resets);
	ng_row_str(row, "action", actions[line->outcome.action]);
	if (line->secret && restricted)
		ctinvalid_row_numbers(row, line->seq, line->ack, line->by);
	ng_finding_end(line->finding, cause, fix);
	line->finding = NULL;
	WRITE_ONCE(line->hash, 0);
}

static void ctinvalid_release_old(struct work_struct *work);
static DECLARE_DELAYED_WORK(ctinvalid_release_work, ctinvalid_release_old);

/* Nothing that a module may call says whether kernel.dmesg_restrict is set. */
static bool ctinvalid_log_is_restricted(void)
{
	struct file *file;
	char value = '0';
	loff_t pos = 0;

	file = filp_open("/proc/sys/kernel/dmesg_restrict", O_RDONLY, 0);
	if (IS_ERR(file))
		return false;
	if (kernel_read(file, &value, sizeof(value), &pos) != sizeof(value))
		value = '0';
	filp_close(file, NULL);
	return value != '0';
}

static void ctinvalid_release(bool all)
{
	bool restricted = ctinvalid_log_is_restricted();
	struct ctinvalid_line *line;
	bool more = false;
	unsigned int i;

	WRITE_ONCE(ctinvalid_lines_wait, false);
	/* A line made before this is found below. */
	smp_mb();
	for (i = 0; i < CTINVALID_LINES; i++) {
		line = &ctinvalid_lines[i];
		spin_lock_bh(&line->lock);
		if (line->finding &&
		    (all || time_after_eq(jiffies,
					  line->since + CTINVALID_ANSWER)))
			ctinvalid_line_end(line, restricted);
		more = more || line->finding;
		spin_unlock_bh(&line->lock);
	}

	if (more) {
		WRITE_ONCE(ctinvalid_lines_wait, true);
		schedule_delayed_work(&ctinvalid_release_work,
				      max(CTINVALID_ANSWER / 4, 1));
	}
}

static void ctinvalid_release_old(struct work_struct *work)
{
	ctinvalid_release(false);
}

/* Who can read where a live connection is can break it from afar. */
static bool ctinvalid_is_secret(const struct ctinvalid_seen *seen)
{
	return seen->pkt.key.proto == IPPROTO_TCP && seen->flow.live;
}

static void ctinvalid_describe(struct seq_buf *row,
			       const struct ctinvalid_seen *seen)
{
	const struct ctinvalid_packet *pkt = &seen->pkt;

	ctinvalid_row_owner(row, seen->in ? seen->in->name : "", &pkt->key,
			    pkt->tcp_flags);
	if (pkt->key.proto == IPPROTO_TCP) {
		if (!ctinvalid_is_secret(seen))
			ctinvalid_row_numbers(row, pkt->seq, pkt->ack, 0);
		ng_row_printf(row, "win=%u", pkt->win);
	} else if (pkt->key.proto == IPPROTO_ICMP ||
		   pkt->key.proto == IPPROTO_ICMPV6) {
		ng_row_printf(row, "type=%u", pkt->icmp_type);
		ng_row_printf(row, "code=%u", pkt->icmp_code);
	}
	ng_row_str(row, "reason", ctinvalid_reason_name(seen->verdict.reason));
	ng_row_str(row, "nat", ctinvalid_nat_name(seen->flow.nat));
	if (pkt->key.zone)
		ng_row_printf(row, "zone=%u", pkt->key.zone);
}

/* A free place for a line, locked; if there is none, another has to go now. */
static struct ctinvalid_line *ctinvalid_line_room(u32 hash)
{
	struct ctinvalid_line *line;
	unsigned int i;

	for (i = 0; i < CTINVALID_PLACES; i++) {
		line = ctinvalid_line_place(hash, i);
		spin_lock(&line->lock);
		if (!line->finding)
			return line;
		if (i + 1 < CTINVALID_PLACES)
			spin_unlock(&line->lock);
	}

	ctinvalid_line_end(line, false);
	return line;
}

/*
 * SYNPROXY answers a SYN by itself, and knows a client by the ACK that follows.
 * Until then conntrack has no entry, so that ACK has to be INVALID.
 */
static bool ctinvalid_is_cookie(const struct ctinvalid_seen *seen)
{
	return seen->synproxy && seen->verdict.reason == CTINVALID_NO_FLOW &&
	       seen->pkt.key.proto == IPPROTO_TCP &&
	       !(seen->pkt.tcp_flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST));
}

/**
 * ctinvalid_report() - write the log line of an INVALID packet, which then waits
 * @seen: the packet
 * @net: its namespace
 *
 * While the line of a flow waits, further packets of that flow are counted in it.
 *
 * Context: BH off, no lock held.
 */
void ctinvalid_report(const struct ctinvalid_seen *seen, struct net *net)
{
	struct ng_finding *finding;
	struct ctinvalid_line *line;
	struct ctinvalid_key key;
	u32 hash;

	if (ctinvalid_is_cookie(seen)) {
		ng_count(&ctinvalid_guard, CTINVALID_logs_suppressed);
		return;
	}

	hash = ctinvalid_line_key(&key, &seen->pkt.key);
	line = ctinvalid_line_get(&key, hash);
	if (line) {
		line->packets++;
		spin_unlock(&line->lock);
		ng_count(&ctinvalid_guard, CTINVALID_logs_suppressed);
		return;
	}

	finding = ng_finding_begin(&ctinvalid_guard, net,
				   ctinvalid_is_fault(&seen->pkt, &seen->flow,
						      seen->verdict.reason,
						      seen->action) ?
				   NG_WARNING : NG_INFO);
	if (!finding) {
		ng_count(&ctinvalid_guard, CTINVALID_logs_suppressed);
		return;
	}
	ctinvalid_describe(ng_finding_row(finding), seen);

	line = ctinvalid_line_room(hash);
	line->key = key;
	line->outcome.reason = seen->verdict.reason;
	line->outcome.action = seen->action;
	line->outcome.natted = seen->flow.live && seen->flow.nat != CTINVALID_NAT_NONE &&
		       seen->pkt.key.proto == IPPROTO_TCP;
	line->outcome.rst = seen->pkt.key.proto == IPPROTO_TCP &&
		    seen->pkt.tcp_flags & TCPHDR_RST;
	line->outcome.fate = CTINVALID_dropped_by_rules;
	line->outcome.synproxy = seen->synproxy;
	line->secret = ctinvalid_is_secret(seen);
	line->seq = seen->pkt.seq;
	line->ack = seen->pkt.ack;
	line->by = seen->verdict.by;
	line->packets = 1;
	line->outcome.resets = seen->resets;
	line->since = jiffies;
	line->finding = finding;
	WRITE_ONCE(line->hash, hash);
	spin_unlock(&line->lock);

	WRITE_ONCE(ctinvalid_lines_wait, true);
	schedule_delayed_work(&ctinvalid_release_work, CTINVALID_ANSWER);
}

/**
 * ctinvalid_report_fate() - an INVALID packet has arrived or left
 * @skb: the packet
 * @state: of the hook where that is seen
 * @fate: the counter that says what became of it
 *
 * Context: BH off, no lock held, under rcu_read_lock().
 */
void ctinvalid_report_fate(const struct sk_buff *skb,
			   const struct nf_hook_state *state,
			   enum ctinvalid_counter fate)
{
	struct ctinvalid_line *line;
	struct ctinvalid_key key;
	u32 hash;

	if (!READ_ONCE(ctinvalid_lines_wait))
		return;
	ctinvalid_parse_key(&key, skb, state);
	hash = ctinvalid_line_key(&key, &key);
	line = ctinvalid_line_get(&key, hash);
	if (!line)
		return;

	line->outcome.fate = fate;
	spin_unlock(&line->lock);
}

/**
 * ctinvalid_report_reset() - a packet was answered with RST
 * @cause: key of the packet
 *
 * Context: BH off, no lock held.
 */
void ctinvalid_report_reset(const struct ctinvalid_key *cause)
{
	struct ctinvalid_line *line;
	struct ctinvalid_key key;
	u32 hash;

	hash = ctinvalid_line_key(&key, cause);
	line = ctinvalid_line_get(&key, hash);
	if (!line)
		return;

	line->outcome.resets++;
	spin_unlock(&line->lock);
}

/**
 * ctinvalid_report_refused() - a FIN or RST of a healed flow was not let through
 * @seen: the packet
 * @net: its namespace
 *
 * Context: BH off, no lock held.
 */
void ctinvalid_report_refused(const struct ctinvalid_seen *seen,
			      struct net *net)
{
	struct ng_finding *finding;

	finding = ng_finding_begin(&ctinvalid_guard, net, NG_INFO);
	if (!finding)
		return;

	ctinvalid_describe(ng_finding_row(finding), seen);
	ng_row_str(ng_finding_row(finding), "action", "refused");
	ng_finding_end(finding,
		       "it would close a connection whose window is not checked for now, and lies outside of that window: conntrack would have believed it",
		       "none needed; many: somebody tries to end this connection");
}

void ctinvalid_report_setup(void)
{
	unsigned int i;

	ctinvalid_lines_seed = get_random_u32();
	for (i = 0; i < CTINVALID_LINES; i++)
		spin_lock_init(&ctinvalid_lines[i].lock);
}

/* With the hooks gone and no packet inside them any more. */
void ctinvalid_report_teardown(void)
{
	cancel_delayed_work_sync(&ctinvalid_release_work);
	ctinvalid_release(true);
	cancel_delayed_work_sync(&ctinvalid_release_work);
}
