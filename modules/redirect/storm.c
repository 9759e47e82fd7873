// SPDX-License-Identifier: GPL-2.0
/* What does a redirect say, and do they come as a storm? */

#include "storm.h"

#include <linux/math64.h>
#include <linux/time64.h>
#include <net/ndisc.h>

#include <netguard/compat.h>
#include <netguard/icmp.h>

enum redirect_kind redirect_read4(const struct sk_buff *skb,
				  struct redirect_notice *notice)
{
	int offset = ng_icmp_offset(skb);
	const struct iphdr *quoted;
	const struct icmphdr *icmph;
	struct iphdr quoted_copy;
	struct icmphdr icmp_copy;

	if (offset < 0)
		return REDIRECT_OTHER;

	icmph = skb_header_pointer(skb, offset, sizeof(icmp_copy), &icmp_copy);
	if (!icmph || icmph->type != ICMP_REDIRECT)
		return REDIRECT_OTHER;

	quoted = ng_icmp_quoted(skb, offset, &quoted_copy);
	if (!quoted || !icmph->un.gateway)
		return REDIRECT_MALFORMED;

	memset(notice, 0, sizeof(*notice));
	notice->router.ip = ip_hdr(skb)->saddr;
	notice->src.ip = quoted->saddr;
	notice->dst.ip = quoted->daddr;
	notice->gateway.ip = icmph->un.gateway;
	return REDIRECT_NAMED;
}
EXPORT_SYMBOL_IF_KUNIT(redirect_read4);

enum redirect_kind redirect_read6(const struct sk_buff *skb,
				  struct redirect_notice *notice)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	int offset = ng_icmp6_offset(skb);
	const struct rd_msg *msg;
	struct rd_msg msg_copy;
	const u8 *type;
	u8 type_copy;

	if (offset < 0)
		return REDIRECT_OTHER;

	type = skb_header_pointer(skb, offset, sizeof(type_copy), &type_copy);
	if (!type || *type != NDISC_REDIRECT)
		return REDIRECT_OTHER;

	msg = skb_header_pointer(skb, offset, sizeof(msg_copy), &msg_copy);
	if (!msg || ipv6_addr_any(&msg->target) ||
	    ipv6_addr_is_multicast(&msg->dest))
		return REDIRECT_MALFORMED;

	notice->router.in6 = ip6h->saddr;
	notice->src.in6 = ip6h->daddr;
	notice->dst.in6 = msg->dest;
	notice->gateway.in6 = msg->target;
	return REDIRECT_NAMED;
}
EXPORT_SYMBOL_IF_KUNIT(redirect_read6);

enum redirect_weather redirect_step(struct redirect_pace *pace, u64 now_ms)
{
	bool stormed = pace->busy >= REDIRECT_STORM_SECONDS;
	u64 seconds;

	if (!pace->second_ms)
		pace->second_ms = now_ms;

	seconds = div_u64(now_ms - pace->second_ms, MSEC_PER_SEC);
	if (seconds) {
		pace->peak = max(pace->peak, pace->count);
		if (seconds == 1 && pace->count >= REDIRECT_STORM_RATE)
			pace->busy++;
		else
			pace->busy = 0;
		pace->count = 0;
		pace->second_ms += seconds * MSEC_PER_SEC;
	}
	pace->count++;

	if (pace->busy < REDIRECT_STORM_SECONDS)
		return REDIRECT_CALM;
	return stormed ? REDIRECT_STORM_LASTS : REDIRECT_STORM_BEGINS;
}
EXPORT_SYMBOL_IF_KUNIT(redirect_step);
