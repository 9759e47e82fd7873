/* SPDX-License-Identifier: GPL-2.0 */
/* Where the ICMP header of a packet is, and the packet that it quotes. */
#ifndef NETGUARD_ICMP_H
#define NETGUARD_ICMP_H

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>

/**
 * ng_icmp_offset() - offset of the ICMP header
 * @skb: network header at an IPv4 header that ip_rcv() or ip_local_out() has seen
 *
 * Return: offset from skb->data, which the packet may not reach; negative if it
 * is no ICMP, or a later fragment.
 */
static inline int ng_icmp_offset(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_ICMP || iph->frag_off & htons(IP_OFFSET))
		return -ENOENT;

	return skb_network_offset(skb) + iph->ihl * 4;
}

/**
 * ng_icmp6_offset() - offset of the ICMPv6 header, behind extension headers
 * @skb: network header at an IPv6 header that ipv6_rcv() or ip6_local_out() has
 *	seen
 *
 * Return: as ng_icmp_offset().
 */
static inline int ng_icmp6_offset(const struct sk_buff *skb)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 frag;
	int offset;

	offset = ipv6_skip_exthdr(skb, skb_network_offset(skb) +
				  sizeof(struct ipv6hdr), &nexthdr, &frag);
	if (nexthdr != IPPROTO_ICMPV6 || frag & htons(IP6_OFFSET))
		return -ENOENT;

	return offset;
}

/**
 * ng_icmp_quoted() - the IPv4 header that an ICMP error quotes
 * @skb: the packet
 * @offset: of its ICMP header
 * @copy: room for it if it is not in one piece
 *
 * Return: the header; NULL if it is cut short or none.
 */
static inline const struct iphdr *ng_icmp_quoted(const struct sk_buff *skb,
						 int offset, struct iphdr *copy)
{
	const struct iphdr *quoted =
		skb_header_pointer(skb, offset + sizeof(struct icmphdr),
				   sizeof(*copy), copy);

	return quoted && quoted->version == 4 && quoted->ihl >= 5 ?
		quoted : NULL;
}

#endif
