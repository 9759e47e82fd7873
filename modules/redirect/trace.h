/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_REDIRECT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_REDIRECT_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

#include <netguard/compat.h>

TRACE_EVENT(redirect_seen,
	TP_PROTO(const struct net_device *dev, const struct redirect_key *key,
		 const union nf_inet_addr *gateway,
		 enum redirect_weather weather),
	TP_ARGS(dev, key, gateway, weather),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u8, family)
		__field(u8, direction)
		__field(u8, weather)
		__array(u8, router, sizeof(union nf_inet_addr))
		__array(u8, src, sizeof(union nf_inet_addr))
		__array(u8, dst, sizeof(union nf_inet_addr))
		__array(u8, gateway, sizeof(union nf_inet_addr))
		__string(dev, dev->name)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		__entry->family = key->family;
		__entry->direction = key->direction;
		__entry->weather = weather;
		memcpy(__entry->router, &key->router, sizeof(key->router));
		memcpy(__entry->src, &key->src, sizeof(key->src));
		memcpy(__entry->dst, &key->dst, sizeof(key->dst));
		memcpy(__entry->gateway, gateway, sizeof(*gateway));
		ng_trace_assign_str(dev, dev->name);
	),
	/* An IPv4 address is in the first four bytes. */
	TP_printk("dev=%s ifindex=%d family=%u direction=%s router=%pI6c src=%pI6c dst=%pI6c gateway=%pI6c storm=%s",
		  __get_str(dev), __entry->ifindex, __entry->family,
		  __entry->direction ? "sent" : "received", __entry->router,
		  __entry->src, __entry->dst, __entry->gateway,
		  __entry->weather ? "yes" : "no")
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH redirect
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
