// SPDX-License-Identifier: GPL-2.0
/*
 * The flows that had INVALID packets: a fixed number of rows, the one that was
 * quiet longest makes room. One lock: only INVALID packets come here.
 */

#include "ctinvalid.h"

#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <net/tcp.h>

#define CTINVALID_ROWS 1024
#define CTINVALID_HASH_BITS 8

/**
 * struct ctinvalid_row - a flow that had INVALID packets, one direction of it
 * @hash: in its bucket
 * @lru: among all rows
 * @key: whose it is
 * @in: name of the device by which its last packet came in, or empty
 * @ifindex: of that device
 * @tcp_flags: of its last packet
 * @reason: of its last packet
 * @nat: what NAT does to the flow
 * @packets: how many were INVALID
 * @resets: how many of them were answered with RST
 * @last: jiffies of the last packet
 * @unanswered: packets that may still be answered with RST ...
 * @asked: ... if the answer comes soon after this time
 * @struck: when the last segments were outside the window, the latest first
 * @strikes: how many of @struck are filled
 */
struct ctinvalid_row {
	struct hlist_node hash;
	struct list_head lru;
	struct ctinvalid_key key;
	char in[IFNAMSIZ];
	int ifindex;
	u8 tcp_flags;
	enum ctinvalid_reason reason;
	enum ctinvalid_nat nat;
	u64 packets;
	u64 resets;
	unsigned long last;
	unsigned int unanswered;
	unsigned long asked;
	unsigned long struck[CTINVALID_STRIKES - 1];
	unsigned int strikes;
};

static DEFINE_SPINLOCK(ctinvalid_flows_lock);
static DEFINE_HASHTABLE(ctinvalid_flows, CTINVALID_HASH_BITS);
static struct ctinvalid_row ctinvalid_rows[CTINVALID_ROWS];
/* Most recently used first; unused rows are unhashed and stand at the end. */
static LIST_HEAD(ctinvalid_lru);
static u32 ctinvalid_flows_seed;

static struct hlist_head *ctinvalid_bucket(const struct ctinvalid_key *key)
{
	u32 hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32),
			  ctinvalid_flows_seed);

	BUILD_BUG_ON(sizeof(*key) % sizeof(u32));
	return &ctinvalid_flows[hash_32(hash, CTINVALID_HASH_BITS)];
}

static struct ctinvalid_row *ctinvalid_row_find(const struct ctinvalid_key *key)
{
	struct ctinvalid_row *row;

	hlist_for_each_entry(row, ctinvalid_bucket(key), hash)
		if (!memcmp(&row->key, key, sizeof(*key)))
			return row;

	return NULL;
}

static struct ctinvalid_row *ctinvalid_row_take(const struct ctinvalid_key *key)
{
	struct ctinvalid_row *row = list_last_entry(&ctinvalid_lru,
						    struct ctinvalid_row, lru);

	if (!hlist_unhashed(&row->hash)) {
		hlist_del_init(&row->hash);
		ng_count(&ctinvalid_guard, CTINVALID_flows_evicted);
	}
	row->key = *key;
	row->packets = 0;
	row->resets = 0;
	row->unanswered = 0;
	row->strikes = 0;
	hlist_add_head(&row->hash, ctinvalid_bucket(key));
	return row;
}

/* Return: how many segments were outside the window within the last minute. */
static unsigned int ctinvalid_row_strike(struct ctinvalid_row *row)
{
	unsigned int i, strikes = 1;

	for (i = 0; i < row->strikes; i++)
		if (time_before(jiffies, row->struck[i] + 60 * HZ))
			strikes++;
	memmove(row->struck + 1, row->struck,
		sizeof(row->struck) - sizeof(row->struck[0]));
	row->struck[0] = jiffies;
	row->strikes = min_t(unsigned int, strikes, ARRAY_SIZE(row->struck));
	return strikes;
}

/**
 * ctinvalid_flows_note() - enter an INVALID packet in the table
 * @seen: the packet; told what the table knows of its flow
 * @answerable: a RST may be sent in answer to it
 *
 * Context: BH off.
 */
void ctinvalid_flows_note(struct ctinvalid_seen *seen, bool answerable)
{
	enum ctinvalid_reason reason = seen->verdict.reason;
	struct ctinvalid_row *row;

	spin_lock(&ctinvalid_flows_lock);
	row = ctinvalid_row_find(&seen->pkt.key);
	if (!row)
		row = ctinvalid_row_take(&seen->pkt.key);
	list_move(&row->lru, &ctinvalid_lru);
	strscpy(row->in, seen->in ? seen->in->name : "", sizeof(row->in));
	row->ifindex = seen->in ? seen->in->ifindex : 0;
	row->tcp_flags = seen->pkt.tcp_flags;
	row->reason = reason;
	row->nat = seen->flow.nat;
	row->packets++;
	row->last = jiffies;
	if (answerable) {
		if (time_after(jiffies, row->asked + CTINVALID_ANSWER))
			row->unanswered = 0;
		row->unanswered++;
		row->asked = jiffies;
	}
	if ((reason == CTINVALID_SEQ_OVER || reason == CTINVALID_ACK_OVER) &&
	    !(seen->pkt.tcp_flags & (TCPHDR_FIN | TCPHDR_RST)))
		seen->strikes = ctinvalid_row_strike(row);
	seen->resets = row->resets;
	spin_unlock(&ctinvalid_flows_lock);
}

static void ctinvalid_key_reverse(struct ctinvalid_key *to,
				  const struct ctinvalid_key *from)
{
	*to = *from;
	to->src = from->dst;
	to->dst = from->src;
	to->sport = from->dport;
	to->dport = from->sport;
}

static bool ctinvalid_row_answer(const struct ctinvalid_key *cause)
{
	struct ctinvalid_row *row;
	bool answered = false;

	spin_lock(&ctinvalid_flows_lock);
	row = ctinvalid_row_find(cause);
	if (row && row->unanswered &&
	    time_before_eq(jiffies, row->asked + CTINVALID_ANSWER)) {
		row->unanswered--;
		row->resets++;
		answered = true;
	}
	spin_unlock(&ctinvalid_flows_lock);

	return answered;
}

/**
 * ctinvalid_flows_answer() - does a RST answer an INVALID packet?
 * @rst: key of the RST, which is INVALID itself: no flow has its addresses
 * @cause: key of the packet that it answers, if it does
 *
 * It does if INVALID packets of the opposite direction have come just before
 * and more of them than RSTs since. The RST is entered in their row. Rules may
 * choose the zone by the device, and a RST of this host's own has none: then
 * it is in the default zone or in that of its cause.
 *
 * Context: BH off.
 * Return: whether it does.
 */
bool ctinvalid_flows_answer(const struct ctinvalid_key *rst,
			    struct ctinvalid_key *cause)
{
	ctinvalid_key_reverse(cause, rst);
	if (ctinvalid_row_answer(cause))
		return true;
	if (cause->zone == NF_CT_DEFAULT_ZONE_ID)
		return false;

	cause->zone = NF_CT_DEFAULT_ZONE_ID;
	return ctinvalid_row_answer(cause);
}

/**
 * ctinvalid_flows_forget() - drop the rows of a namespace that goes away
 * @netns: its inum, with no packet in its hooks any more
 *
 * Context: process.
 */
void ctinvalid_flows_forget(unsigned int netns)
{
	struct ctinvalid_row *row;
	int i;

	spin_lock_bh(&ctinvalid_flows_lock);
	for (i = 0; i < CTINVALID_ROWS; i++) {
		row = &ctinvalid_rows[i];
		if (!hlist_unhashed(&row->hash) && row->key.netns == netns) {
			hlist_del_init(&row->hash);
			list_move_tail(&row->lru, &ctinvalid_lru);
		}
	}
	spin_unlock_bh(&ctinvalid_flows_lock);
}

void ctinvalid_flows_setup(void)
{
	int i;

	ctinvalid_flows_seed = get_random_u32();
	for (i = 0; i < CTINVALID_ROWS; i++)
		list_add(&ctinvalid_rows[i].lru, &ctinvalid_lru);
}

const char *ctinvalid_reason_name(enum ctinvalid_reason reason)
{
	const struct ng_counter *counter;

	/* The counter's name behind its "invalid_". */
	counter = &ctinvalid_guard.counters[ctinvalid_reason_counter(reason)];
	return counter->name + strlen("invalid_");
}

const char *ctinvalid_nat_name(enum ctinvalid_nat nat)
{
	static const char *const names[] = {
		[CTINVALID_NAT_NONE] = "none",
		[CTINVALID_SNAT] = "snat",
		[CTINVALID_DNAT] = "dnat",
		[CTINVALID_NAT_BOTH] = "both",
	};

	return names[nat];
}

static void ctinvalid_row_flags(struct seq_buf *row, u8 tcp_flags)
{
	static const char letters[] = "FSRPAUEC";
	char text[sizeof(letters)];
	int bit, n = 0;

	for (bit = 0; letters[bit]; bit++)
		if (tcp_flags & BIT(bit))
			text[n++] = letters[bit];
	text[n] = '\0';
	ng_row_str(row, "flags", n ? text : "none");
}

static void ctinvalid_row_proto(struct seq_buf *row, u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		ng_row_str(row, "proto", "tcp");
		break;
	case IPPROTO_UDP:
		ng_row_str(row, "proto", "udp");
		break;
	case IPPROTO_ICMP:
		ng_row_str(row, "proto", "icmp");
		break;
	case IPPROTO_ICMPV6:
		ng_row_str(row, "proto", "icmpv6");
		break;
	default:
		ng_row_printf(row, "proto=%u", proto);
	}
}

/* What the log line and the table begin with. */
void ctinvalid_row_owner(struct seq_buf *row, const char *in,
			 const struct ctinvalid_key *key, u8 tcp_flags)
{
	bool v4 = key->family == NFPROTO_IPV4;

	ng_row_printf(row, "netns=%u", key->netns);
	ng_row_str(row, "in", in);
	ng_row_str(row, "family", v4 ? "ipv4" : "ipv6");
	ctinvalid_row_proto(row, key->proto);
	ng_row_printf(row, v4 ? "src=%pI4" : "src=%pI6c", &key->src);
	ng_row_printf(row, "sport=%u", ntohs(key->sport));
	ng_row_printf(row, v4 ? "dst=%pI4" : "dst=%pI6c", &key->dst);
	ng_row_printf(row, "dport=%u", ntohs(key->dport));
	ctinvalid_row_flags(row, tcp_flags);
}

static void ctinvalid_row_fill(struct seq_buf *buf, const void *entry)
{
	const struct ctinvalid_row *row = entry;

	ctinvalid_row_owner(buf, row->in, &row->key, row->tcp_flags);
	ng_row_str(buf, "reason", ctinvalid_reason_name(row->reason));
	ng_row_printf(buf, "packets=%llu", row->packets);
	ng_row_str(buf, "nat", ctinvalid_nat_name(row->nat));
	ng_row_printf(buf, "resets=%llu", row->resets);
	ng_row_printf(buf, "age_ms=%u", jiffies_to_msecs(jiffies - row->last));
	ng_row_printf(buf, "ifindex=%d", row->ifindex);
	ng_row_printf(buf, "zone=%u", row->key.zone);
}

/* Positions are slots, so that a table in motion is read without repetition. */
static struct ctinvalid_row *ctinvalid_table_at(loff_t *pos)
{
	for (; *pos < CTINVALID_ROWS; (*pos)++)
		if (!hlist_unhashed(&ctinvalid_rows[*pos].hash))
			return &ctinvalid_rows[*pos];

	return NULL;
}

static void *ctinvalid_table_start(struct seq_file *m, loff_t *pos)
	__acquires(&ctinvalid_flows_lock)
{
	spin_lock_bh(&ctinvalid_flows_lock);
	return ctinvalid_table_at(pos);
}

static void *ctinvalid_table_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return ctinvalid_table_at(pos);
}

static void ctinvalid_table_stop(struct seq_file *m, void *v)
	__releases(&ctinvalid_flows_lock)
{
	spin_unlock_bh(&ctinvalid_flows_lock);
}

static int ctinvalid_table_show(struct seq_file *m, void *v)
{
	return ng_row_show(m, ctinvalid_row_fill, v);
}

const struct seq_operations ctinvalid_table = {
	.start = ctinvalid_table_start,
	.next = ctinvalid_table_next,
	.stop = ctinvalid_table_stop,
	.show = ctinvalid_table_show,
};
