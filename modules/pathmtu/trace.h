/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netguard

#if !defined(NETGUARD_PATHMTU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NETGUARD_PATHMTU_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(pathmtu_size,
	TP_PROTO(const struct pathmtu_key *key, unsigned int size_lost,
		 unsigned int size_ok),
	TP_ARGS(key, size_lost, size_ok),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u32, kind)
		__field(u32, family)
		__field(unsigned int, size_lost)
		__field(unsigned int, size_ok)
		__array(u8, dst, sizeof(union nf_inet_addr))
	),
	TP_fast_assign(
		__entry->netns = key->netns;
		__entry->kind = key->kind;
		__entry->family = key->family;
		__entry->size_lost = size_lost;
		__entry->size_ok = size_ok;
		memcpy(__entry->dst, &key->dst, sizeof(key->dst));
	),
	/* An IPv4 address is in the first four bytes. */
	TP_printk("netns=%u kind=%u family=%u dst=%pI6c size_lost=%u size_ok=%u",
		  __entry->netns, __entry->kind, __entry->family,
		  __entry->dst, __entry->size_lost, __entry->size_ok)
);

#define PATHMTU_EVENT(name)						\
	DEFINE_EVENT(pathmtu_size, name,				\
		TP_PROTO(const struct pathmtu_key *key,			\
			 unsigned int size_lost, unsigned int size_ok),	\
		TP_ARGS(key, size_lost, size_ok))

PATHMTU_EVENT(pathmtu_frag_needed);
PATHMTU_EVENT(pathmtu_oversize);
PATHMTU_EVENT(pathmtu_vanished);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH pathmtu
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
