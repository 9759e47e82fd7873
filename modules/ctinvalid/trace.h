/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_CTINVALID_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_CTINVALID_TRACE_H

#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include <net/ipv6.h>

#include <netguard/compat.h>

#include "ctinvalid.h"

#ifndef CTINVALID_TRACE_ADDRESS
#define CTINVALID_TRACE_ADDRESS
/* IPv4 as IPv4-mapped IPv6, so that one format prints both. */
static inline void ctinvalid_trace_address(struct in6_addr *to,
					   const union nf_inet_addr *from,
					   u8 family)
{
	if (family == NFPROTO_IPV4)
		ipv6_addr_set_v4mapped(from->ip, to);
	else
		*to = from->in6;
}

/* As captures show it; of IPv6 the lower half of the flow label. */
static inline u16 ctinvalid_trace_id(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? ntohs(ip_hdr(skb)->id) :
		ntohl(ip6_flowlabel(ipv6_hdr(skb)));
}
#endif

DECLARE_EVENT_CLASS(ctinvalid_packet,
	TP_PROTO(const struct sk_buff *skb, const struct ctinvalid_seen *seen),
	TP_ARGS(skb, seen),
	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(unsigned int, netns)
		__field(int, ifindex)
		__field(u16, id)
		__field(u8, proto)
		__field(u8, tcp_flags)
		__field(u8, nat)
		__field(u16, sport)
		__field(u16, dport)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, by)
		__array(u8, src, sizeof(struct in6_addr))
		__array(u8, dst, sizeof(struct in6_addr))
		__string(reason, ctinvalid_reason_name(seen->verdict.reason))
	),
	TP_fast_assign(
		const struct ctinvalid_key *key = &seen->pkt.key;

		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->netns = key->netns;
		__entry->ifindex = seen->in ? seen->in->ifindex : 0;
		__entry->id = ctinvalid_trace_id(skb, key->family);
		__entry->proto = key->proto;
		__entry->tcp_flags = seen->pkt.tcp_flags;
		__entry->nat = seen->flow.nat;
		__entry->sport = ntohs(key->sport);
		__entry->dport = ntohs(key->dport);
		__entry->seq = seen->pkt.seq;
		__entry->ack = seen->pkt.ack;
		__entry->by = seen->verdict.by;
		ctinvalid_trace_address((struct in6_addr *)__entry->src,
					&key->src, key->family);
		ctinvalid_trace_address((struct in6_addr *)__entry->dst,
					&key->dst, key->family);
		ng_trace_assign_str(reason,
				    ctinvalid_reason_name(seen->verdict.reason));
	),
	TP_printk("netns=%u ifindex=%d id=%u proto=%u src=%pI6c sport=%u dst=%pI6c dport=%u flags=0x%02x seq=%u ack=%u reason=%s by=%u nat=%u skbaddr=%p len=%u",
		  __entry->netns, __entry->ifindex, __entry->id, __entry->proto,
		  __entry->src, __entry->sport, __entry->dst, __entry->dport,
		  __entry->tcp_flags, __entry->seq, __entry->ack,
		  __get_str(reason), __entry->by, __entry->nat,
		  __entry->skbaddr, __entry->len)
);

#define CTINVALID_EVENT(name)						\
	DEFINE_EVENT(ctinvalid_packet, name,				\
		TP_PROTO(const struct sk_buff *skb,			\
			 const struct ctinvalid_seen *seen),		\
		TP_ARGS(skb, seen))

CTINVALID_EVENT(ctinvalid_seen);
CTINVALID_EVENT(ctinvalid_dropped);
CTINVALID_EVENT(ctinvalid_healed);
CTINVALID_EVENT(ctinvalid_reset);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ctinvalid
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
