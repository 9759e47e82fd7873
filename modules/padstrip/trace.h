/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_PADSTRIP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_PADSTRIP_TRACE_H

#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include <netguard/compat.h>

DECLARE_EVENT_CLASS(padstrip_frame,
	TP_PROTO(const struct sk_buff *skb, unsigned int padding),
	TP_ARGS(skb, padding),
	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(unsigned int, padding)
		__field(int, ifindex)
		__field(u16, proto)
		__array(u8, mac, ETH_ALEN)
		__string(dev, skb->dev->name)
	),
	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->padding = padding;
		__entry->ifindex = skb->dev->ifindex;
		__entry->proto = ntohs(skb->protocol);
		ether_addr_copy(__entry->mac, eth_hdr(skb)->h_source);
		ng_trace_assign_str(dev, skb->dev->name);
	),
	TP_printk("dev=%s ifindex=%d mac=%pM proto=0x%04x padding=%u skbaddr=%p len=%u",
		  __get_str(dev), __entry->ifindex, __entry->mac,
		  __entry->proto, __entry->padding, __entry->skbaddr,
		  __entry->len)
);

#define PADSTRIP_EVENT(name)						\
	DEFINE_EVENT(padstrip_frame, name,				\
		TP_PROTO(const struct sk_buff *skb, unsigned int padding), \
		TP_ARGS(skb, padding))

PADSTRIP_EVENT(padstrip_zero_padded);
PADSTRIP_EVENT(padstrip_nonzero);
PADSTRIP_EVENT(padstrip_stripped);
PADSTRIP_EVENT(padstrip_zeroed);
PADSTRIP_EVENT(padstrip_strip_failed);
PADSTRIP_EVENT(padstrip_trailer);
PADSTRIP_EVENT(padstrip_malformed);
PADSTRIP_EVENT(padstrip_tx_padded);
PADSTRIP_EVENT(padstrip_tx_pad_failed);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH padstrip
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
