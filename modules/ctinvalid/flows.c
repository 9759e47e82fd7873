// SPDX-License-Identifier: GPL-2.0
/* The flows that had INVALID packets, one direction of a flow a row. */

#include "ctinvalid.h"

#include <linux/seq_buf.h>
#include <linux/string_helpers.h>
#include <net/tcp.h>

/**
 * struct ctinvalid_row - a flow that had INVALID packets, one direction of it
 * @entry: the core's
 * @key: whose it is
 * @in: name of the device by which its last packet came in, or empty
 * @ifindex: of that device
 * @tcp_flags: of its last packet
 * @reason: of its last packet
 * @nat: what NAT does to the flow
 * @packets: how many were INVALID
 * @resets: how many of them were answered with RST
 * @by_peer: the last RST came in from outside, this host did not send it
 * @synproxy: rules in the namespace need INVALID packets
 * @unanswered: packets that may still be answered with RST ...
 * @asked: ... if the answer comes soon after this time
 * @struck: when the last segments were outside the window, the latest first
 * @strikes: how many of @struck are filled
 */
struct ctinvalid_row {
	struct ng_entry entry;
	struct ctinvalid_key key;
	char in[IFNAMSIZ];
	int ifindex;
	u8 tcp_flags;
	enum ctinvalid_reason reason;
	enum ctinvalid_nat nat;
	u64 packets;
	u64 resets;
	bool by_peer;
	bool synproxy;
	unsigned int unanswered;
	unsigned long asked;
	unsigned long struck[CTINVALID_STRIKES - 1];
	unsigned int strikes;
};

/* What is compared byte by byte begins right behind what is the core's. */
static_assert(offsetof(struct ctinvalid_row, key) == sizeof(struct ng_entry));
static_assert(sizeof(struct ctinvalid_key) == 44);

static void ctinvalid_row_fill(struct seq_buf *buf, const void *entry);

struct ng_table ctinvalid_rows =
	NG_TABLE_INIT(&ctinvalid_guard, CTINVALID_flows_evicted,
		      CTINVALID_flows_missed, ctinvalid_row_fill,
		      struct ctinvalid_row, struct ctinvalid_key);

static struct ctinvalid_row *ctinvalid_row_of(struct ng_entry *entry)
{
	return container_of(entry, struct ctinvalid_row, entry);
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
 * Waits for no other CPU: what cannot be entered at once is counted as missed.
 *
 * Context: BH off.
 */
void ctinvalid_flows_note(struct ctinvalid_seen *seen, bool answerable)
{
	enum ctinvalid_reason reason = seen->verdict.reason;
	struct ctinvalid_row *row;
	struct ng_entry *entry;
	bool fresh;

	entry = ng_table_try_add(&ctinvalid_rows, &seen->pkt.key, &fresh);
	if (!entry)
		return;

	row = ctinvalid_row_of(entry);
	strscpy(row->in, seen->in ? seen->in->name : "", sizeof(row->in));
	row->ifindex = seen->in ? seen->in->ifindex : 0;
	row->tcp_flags = seen->pkt.tcp_flags;
	row->reason = reason;
	row->nat = seen->flow.nat;
	row->synproxy = seen->synproxy;
	row->packets++;
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
	ng_table_put(&ctinvalid_rows, entry);
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

static bool ctinvalid_row_answer(const struct ctinvalid_key *cause,
				 bool by_peer)
{
	struct ctinvalid_row *row;
	struct ng_entry *entry;
	bool answered = false;

	entry = ng_table_get(&ctinvalid_rows, cause);
	if (!entry)
		return false;

	row = ctinvalid_row_of(entry);
	if (row->unanswered &&
	    time_before_eq(jiffies, row->asked + CTINVALID_ANSWER)) {
		row->unanswered--;
		row->resets++;
		row->by_peer = by_peer;
		answered = true;
	}
	ng_table_put(&ctinvalid_rows, entry);

	return answered;
}

/**
 * ctinvalid_flows_answer() - does a RST answer an INVALID packet?
 * @rst: key of the RST, which is INVALID itself: no flow has its addresses
 * @cause: key of the packet that it answers, if it does
 * @by_peer: it came in, this host did not send it
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
			    struct ctinvalid_key *cause, bool by_peer)
{
	ctinvalid_key_reverse(cause, rst);
	if (ctinvalid_row_answer(cause, by_peer))
		return true;
	if (cause->zone == NF_CT_DEFAULT_ZONE_ID)
		return false;

	cause->zone = NF_CT_DEFAULT_ZONE_ID;
	return ctinvalid_row_answer(cause, by_peer);
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
	ng_row_printf(buf, "age_ms=%llu", ng_entry_age_ms(&row->entry));
	ng_row_printf(buf, "ifindex=%d", row->ifindex);
	ng_row_printf(buf, "zone=%u", row->key.zone);
	ng_row_str(buf, "answered_by", !row->resets ? "nobody" :
		   row->by_peer ? "peer" : "host");
	ng_row_str(buf, "synproxy", str_yes_no(row->synproxy));
}
