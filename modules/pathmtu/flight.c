// SPDX-License-Identifier: GPL-2.0
/*
 * A segment that a local socket sends again: what the socket knows, and what
 * becomes of it.
 *
 * The socket is usually locked by who sends, but not when the packet was queued
 * to userland on its way here. So its fields are only read, never followed: a
 * value that changes meanwhile costs a wrong guess, nothing else.
 */

#include "pathmtu.h"

#include <linux/jhash.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "trace.h"

/* A report may be older than the last transmission: routers limit their rate. */
#define PATHMTU_REPORT_SLACK (2 * HZ)

/* The longest range behind the oldest segment that the peer has got. */
static unsigned int pathmtu_sacked(const struct tcp_sock *tp, u32 una)
{
	unsigned int longest = 0;
	unsigned int i;

	if (!READ_ONCE(tp->sacked_out))
		return 0;

	for (i = 0; i < ARRAY_SIZE(tp->recv_sack_cache); i++) {
		u32 start = READ_ONCE(tp->recv_sack_cache[i].start_seq);
		u32 end = READ_ONCE(tp->recv_sack_cache[i].end_seq);

		/* What an older ACK left behind is below. */
		if (after(start, una) && after(end, start) &&
		    !after(end, READ_ONCE(tp->snd_nxt)))
			longest = max(longest, end - start);
	}

	return longest;
}

/* How long ago the flight began that the segment belongs to. */
static u32 pathmtu_flight_us(const struct tcp_sock *tp)
{
	s64 us = READ_ONCE(tp->tcp_mstamp) - READ_ONCE(tp->first_tx_mstamp);

	/* Pacing dates segments ahead. */
	return clamp_t(s64, us, 0, U32_MAX);
}

static u64 pathmtu_heard_us(const struct tcp_sock *tp)
{
	s64 flight_us = pathmtu_flight_us(tp);
	s64 heard_us = jiffies_to_usecs(tcp_jiffies32 -
					READ_ONCE(tp->rcv_tstamp));

	return abs(flight_us - heard_us);
}

static void pathmtu_flight(struct pathmtu_flight *flight,
			   const struct sk_buff *skb, const struct tcphdr *th,
			   unsigned int headers)
{
	const struct tcp_sock *tp = tcp_sk(skb->sk);
	u32 una = READ_ONCE(tp->snd_una);
	u32 sent = READ_ONCE(tp->data_segs_out);
	u32 waiting = READ_ONCE(tp->total_retrans) + READ_ONCE(tp->packets_out);

	flight->retransmits = READ_ONCE(inet_csk(skb->sk)->icsk_retransmits);
	flight->oldest = ntohl(th->seq) == una;
	flight->headers = headers + th->doff * 4;
	flight->payload = skb_shinfo(skb)->gso_size ?:
			  skb->len - flight->headers;
	flight->window = READ_ONCE(tp->snd_wnd);
	flight->sacked = pathmtu_sacked(tp, una);
	flight->acked_bytes = READ_ONCE(tp->bytes_acked);
	flight->acked_segments = sent > waiting ? sent - waiting : 1;
	/* tcp_rate_skb_sent() makes them equal when a flight begins. */
	flight->delivered = READ_ONCE(tp->delivered_mstamp) !=
			    READ_ONCE(tp->first_tx_mstamp);
	flight->heard_us = pathmtu_heard_us(tp);
}

/* Has one come since the jiffies in @since? */
static bool pathmtu_has_report(const struct pathmtu_key *hole,
			       enum pathmtu_kind kind, u64 since)
{
	struct pathmtu_key key = *hole;
	struct ng_entry *entry;
	bool has;

	key.kind = kind;
	entry = ng_table_try_get(&pathmtu_paths, &key);
	if (!entry)
		return false;

	has = time_after_eq64(entry->touched, since);
	ng_table_put(&pathmtu_paths, entry);
	return has;
}

static bool pathmtu_flow_is_new(struct pathmtu_path *path, u32 flow)
{
	unsigned int i;

	for (i = 0; i < PATHMTU_FLOWS; i++)
		if (path->flows[i] == flow)
			return false;

	path->flows[path->next_flow++ % PATHMTU_FLOWS] = flow;
	return true;
}

static void pathmtu_vanished(const struct sk_buff *skb, u32 flow,
			     unsigned int size_ok, unsigned int size_lost,
			     const struct pathmtu_key *key,
			     const struct nf_hook_state *state)
{
	struct pathmtu_path copy;
	struct pathmtu_path *path;
	bool fresh, counts = false;

	path = pathmtu_path_add(key, &fresh);
	if (path) {
		if (fresh || size_lost < path->size_lost)
			path->size_lost = size_lost;
		if (size_ok > path->size_ok && size_ok < path->size_lost)
			path->size_ok = size_ok;
		path->pmtu = dst_mtu(skb_dst(skb));
		path->packets++;
		counts = pathmtu_flow_is_new(path, flow);
		pathmtu_note_route(path, skb);
		copy = *path;
		ng_table_put(&pathmtu_paths, &path->entry);
	}

	if (counts)
		ng_count(&pathmtu_guard, PATHMTU_blackhole_suspects);
	if (path && fresh)
		pathmtu_announce(&copy, state->net);
	trace_pathmtu_vanished(key, size_lost, size_ok);
}

void pathmtu_retransmit(struct sk_buff *skb, unsigned int headers,
			const struct pathmtu_key *key,
			const struct nf_hook_state *state)
{
	struct pathmtu_flight flight = {};
	const struct tcphdr *th;
	unsigned int size_ok;
	struct tcphdr copy;
	u64 since;

	th = skb_header_pointer(skb, skb_network_offset(skb) + headers,
				sizeof(copy), &copy);
	if (!th || !skb_dst(skb) || skb->len <= headers + th->doff * 4)
		return;

	pathmtu_flight(&flight, skb, th, headers);
	/* The backoff still is the time since it was sent the last time. */
	since = get_jiffies_64() -
		max_t(unsigned long, PATHMTU_REPORT_SLACK,
		      READ_ONCE(inet_csk(skb->sk)->icsk_rto) + HZ / 4);
	flight.reported = pathmtu_has_report(key, PATHMTU_ROUTER, since) ||
			  pathmtu_has_report(key, PATHMTU_SELF, since);

	if (pathmtu_judge(&flight, &size_ok) == PATHMTU_BLACKHOLE)
		pathmtu_vanished(skb, jhash_3words((__force u32)th->source,
						   (__force u32)th->dest,
						   (__force u32)th->seq, 1),
				 size_ok, flight.headers + flight.payload, key,
				 state);
}
