// SPDX-License-Identifier: GPL-2.0
/* What is too long for a path, who says so, and what vanishes on it? */

#include "path.h"

#include <linux/math64.h>

#include <netguard/compat.h>
#include <netguard/icmp.h>

enum pathmtu_report pathmtu_read4(const struct sk_buff *skb,
				  struct pathmtu_quote *quote)
{
	int offset = ng_icmp_offset(skb);
	const struct iphdr *quoted;
	const struct icmphdr *icmph;
	struct iphdr quoted_copy;
	struct icmphdr icmp_copy;

	if (offset < 0)
		return PATHMTU_NO_REPORT;

	icmph = skb_header_pointer(skb, offset, sizeof(icmp_copy), &icmp_copy);
	if (!icmph || icmph->type != ICMP_DEST_UNREACH ||
	    icmph->code != ICMP_FRAG_NEEDED)
		return PATHMTU_NO_REPORT;

	quoted = ng_icmp_quoted(skb, offset, &quoted_copy);
	if (!quoted)
		return PATHMTU_MALFORMED;

	memset(quote, 0, sizeof(*quote));
	quote->reporter.ip = ip_hdr(skb)->saddr;
	quote->src.ip = quoted->saddr;
	quote->dst.ip = quoted->daddr;
	quote->size = ntohs(quoted->tot_len);
	quote->mtu = ntohs(icmph->un.frag.mtu);
	return PATHMTU_FRAG_NEEDED;
}
EXPORT_SYMBOL_IF_KUNIT(pathmtu_read4);

enum pathmtu_report pathmtu_read6(const struct sk_buff *skb,
				  struct pathmtu_quote *quote)
{
	int offset = ng_icmp6_offset(skb);
	const struct icmp6hdr *icmph;
	const struct ipv6hdr *quoted;
	struct ipv6hdr quoted_copy;
	struct icmp6hdr icmp_copy;

	if (offset < 0)
		return PATHMTU_NO_REPORT;

	icmph = skb_header_pointer(skb, offset, sizeof(icmp_copy), &icmp_copy);
	if (!icmph || icmph->icmp6_type != ICMPV6_PKT_TOOBIG)
		return PATHMTU_NO_REPORT;

	quoted = skb_header_pointer(skb, offset + sizeof(*icmph),
				    sizeof(quoted_copy), &quoted_copy);
	if (!quoted || quoted->version != 6)
		return PATHMTU_MALFORMED;

	quote->reporter.in6 = ipv6_hdr(skb)->saddr;
	quote->src.in6 = quoted->saddr;
	quote->dst.in6 = quoted->daddr;
	quote->size = sizeof(*quoted) + ntohs(quoted->payload_len);
	quote->mtu = ntohl(icmph->icmp6_mtu);
	return PATHMTU_FRAG_NEEDED;
}
EXPORT_SYMBOL_IF_KUNIT(pathmtu_read6);

enum pathmtu_fit pathmtu_fit(const struct sk_buff *skb, unsigned int mtu,
			     bool dont_fragment)
{
	if (likely(skb->len <= mtu) || skb_is_gso(skb))
		return PATHMTU_FITS;
	if (!dont_fragment || skb->ignore_df)
		return PATHMTU_FITS;

	return PATHMTU_OVERSIZE;
}
EXPORT_SYMBOL_IF_KUNIT(pathmtu_fit);

enum pathmtu_fate pathmtu_judge(const struct pathmtu_flight *flight,
				unsigned int *size_ok)
{
	u64 segments = max_t(u64, flight->acked_segments, 1);

	if (flight->retransmits < PATHMTU_RETRANSMITS || !flight->oldest ||
	    flight->headers + flight->payload <= PATHMTU_SMALL)
		return PATHMTU_MOVING;
	if (flight->reported)
		return PATHMTU_REPORTED;
	if (flight->window < flight->payload)
		return PATHMTU_STALLED;

	if (flight->sacked) {
		if (flight->sacked >= flight->payload)
			return PATHMTU_LOSSY;
		*size_ok = flight->headers + flight->sacked;
		return PATHMTU_BLACKHOLE;
	}

	if (flight->acked_bytes >= flight->payload ||
	    (!flight->delivered && flight->heard_us > PATHMTU_HEARD_US))
		return PATHMTU_SILENT;

	/* The longest was at least as long as the average. */
	*size_ok = flight->headers +
		   div64_u64(flight->acked_bytes + segments - 1, segments);
	return PATHMTU_BLACKHOLE;
}
EXPORT_SYMBOL_IF_KUNIT(pathmtu_judge);
