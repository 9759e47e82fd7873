/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_TAPDUP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_TAPDUP_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include <netguard/compat.h>

DECLARE_EVENT_CLASS(tapdup_round,
	TP_PROTO(const struct sk_buff *skb, const struct net_device *dev),
	TP_ARGS(skb, dev),
	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(u32, mark)
		__field(int, ifindex)
		__string(dev, dev->name)
	),
	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->mark = skb->mark;
		__entry->ifindex = dev->ifindex;
		ng_trace_assign_str(dev, dev->name);
	),
	TP_printk("dev=%s ifindex=%d mark=0x%x skbaddr=%p len=%u",
		  __get_str(dev), __entry->ifindex, __entry->mark,
		  __entry->skbaddr, __entry->len)
);

#define TAPDUP_EVENT(name)						\
	DEFINE_EVENT(tapdup_round, name,				\
		TP_PROTO(const struct sk_buff *skb,			\
			 const struct net_device *dev),			\
		TP_ARGS(skb, dev))

TAPDUP_EVENT(tapdup_rx_duplicate);
TAPDUP_EVENT(tapdup_tx_duplicate);
TAPDUP_EVENT(tapdup_marked_by_others);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH tapdup
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
