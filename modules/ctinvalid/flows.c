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

struct ctinvalid_row {
	struct hlist_node hash;
	struct list_head lru;
	struct ctinvalid_key key;
	unsigned int inum;
	char in[IFNAMSIZ];
	int ifindex;
	u8 tcp_flags;
	enum ctinvalid_reason reason;
	enum ctinvalid_nat nat;
	u64 packets;
	u64 resets;
	unsigned long last;
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
	hlist_add_head(&row->hash, ctinvalid_bucket(key));
	return row;
}

/**
 * ctinvalid_flows_note() - enter an INVALID packet in the table
 * @seen: the packet
 *
 * Context: BH off.
 * Return: the resets that this flow has provoked so far.
 */
u64 ctinvalid_flows_note(const struct ctinvalid_seen *seen)
{
	struct ctinvalid_row *row;
	u64 resets;

	spin_lock(&ctinvalid_flows_lock);
	row = ctinvalid_row_find(&seen->pkt.key);
	if (!row)
		row = ctinvalid_row_take(&seen->pkt.key);
	list_move(&row->lru, &ctinvalid_lru);
	row->inum = seen->inum;
	strscpy(row->in, seen->in ? seen->in->name : "", sizeof(row->in));
	row->ifindex = seen->in ? seen->in->ifindex : 0;
	row->tcp_flags = seen->pkt.tcp_flags;
	row->reason = seen->verdict.reason;
	row->nat = seen->flow.nat;
	row->packets++;
	row->last = jiffies;
	resets = row->resets;
	spin_unlock(&ctinvalid_flows_lock);

	return resets;
}

/**
 * ctinvalid_flows_reset() - enter a provoked RST in the provoking flow's row
 * @key: of the packet that provoked it
 *
 * Context: BH off.
 */
void ctinvalid_flows_reset(const struct ctinvalid_key *key)
{
	struct ctinvalid_row *row;

	spin_lock(&ctinvalid_flows_lock);
	row = ctinvalid_row_find(key);
	if (row)
		row->resets++;
	spin_unlock(&ctinvalid_flows_lock);
}

/**
 * ctinvalid_flows_forget() - drop the rows of a namespace that goes away
 * @net: the namespace, with no packet in the hooks any more
 *
 * Context: process.
 */
void ctinvalid_flows_forget(const struct net *net)
{
	struct ctinvalid_row *row;
	int i;

	spin_lock_bh(&ctinvalid_flows_lock);
	for (i = 0; i < CTINVALID_ROWS; i++) {
		row = &ctinvalid_rows[i];
		if (!hlist_unhashed(&row->hash) && row->key.net == net) {
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
	counter = &ctinvalid_guard.counters[CTINVALID_invalid_no_flow + reason];
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
void ctinvalid_row_whose(struct seq_buf *row, unsigned int inum,
			 const char *in, const struct ctinvalid_key *key,
			 u8 tcp_flags)
{
	bool v4 = key->family == NFPROTO_IPV4;

	ng_row_printf(row, "netns=%u", inum);
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

	ctinvalid_row_whose(buf, row->inum, row->in, &row->key, row->tcp_flags);
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
