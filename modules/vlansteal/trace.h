/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_VLANSTEAL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_VLANSTEAL_TRACE_H

#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include <netguard/compat.h>

DECLARE_EVENT_CLASS(vlansteal_frame,
	TP_PROTO(const struct sk_buff *skb, const struct net_device *port,
		 const struct net_device *thief, __be16 proto, u16 vid),
	TP_ARGS(skb, port, thief, proto, vid),
	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(int, port_ifindex)
		__field(int, thief_ifindex)
		__field(u16, proto)
		__field(u16, vid)
		__string(port, port->name)
		__string(thief, thief->name)
	),
	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->port_ifindex = port->ifindex;
		__entry->thief_ifindex = thief->ifindex;
		__entry->proto = ntohs(proto);
		__entry->vid = vid;
		ng_trace_assign_str(port, port->name);
		ng_trace_assign_str(thief, thief->name);
	),
	TP_printk("port=%s ifindex=%d thief=%s thief_ifindex=%d proto=0x%04x vid=%u skbaddr=%p len=%u",
		  __get_str(port), __entry->port_ifindex, __get_str(thief),
		  __entry->thief_ifindex, __entry->proto, __entry->vid,
		  __entry->skbaddr, __entry->len)
);

#define VLANSTEAL_EVENT(name)						\
	DEFINE_EVENT(vlansteal_frame, name,				\
		TP_PROTO(const struct sk_buff *skb,			\
			 const struct net_device *port,			\
			 const struct net_device *thief, __be16 proto,	\
			 u16 vid),					\
		TP_ARGS(skb, port, thief, proto, vid))

VLANSTEAL_EVENT(vlansteal_stolen);
VLANSTEAL_EVENT(vlansteal_lost);
VLANSTEAL_EVENT(vlansteal_rescued);
VLANSTEAL_EVENT(vlansteal_rescue_failed);
VLANSTEAL_EVENT(vlansteal_leaked);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH vlansteal
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
