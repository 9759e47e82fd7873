// SPDX-License-Identifier: GPL-2.0
/* Where does the packet in a frame end, and what comes after it? */

#include "padding.h"

#include <linux/if_arp.h>

/* Instead of a length. */
enum padstrip_no_length {
	PADSTRIP_LENGTH_UNSAID = -1,
	PADSTRIP_LENGTH_BAD = -2,
};

static int padstrip_ip_length(const struct sk_buff *skb, int at)
{
	const struct iphdr *ip;
	struct iphdr buffer;

	ip = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	if (!ip || ip->version != 4 || ip->ihl < 5)
		return PADSTRIP_LENGTH_BAD;
	if (!ip->tot_len)
		return PADSTRIP_LENGTH_UNSAID;
	if (ntohs(ip->tot_len) < ip->ihl * 4)
		return PADSTRIP_LENGTH_BAD;

	return ntohs(ip->tot_len);
}

static int padstrip_ipv6_length(const struct sk_buff *skb, int at)
{
	const struct ipv6hdr *ip;
	struct ipv6hdr buffer;

	ip = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	if (!ip || ip->version != 6)
		return PADSTRIP_LENGTH_BAD;
	if (!ip->payload_len)
		return PADSTRIP_LENGTH_UNSAID;

	/* Extension headers are part of the payload. */
	return sizeof(*ip) + ntohs(ip->payload_len);
}

/* What arp_rcv() would drop has no length that one could rely on. */
static int padstrip_arp_length(const struct sk_buff *skb, int at)
{
	const struct arphdr *arp;
	struct arphdr buffer;

	arp = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	if (!arp || arp->ar_hln != ETH_ALEN || arp->ar_pln != sizeof(__be32))
		return PADSTRIP_LENGTH_BAD;

	return sizeof(*arp) + 2 * (arp->ar_hln + arp->ar_pln);
}

/* RFC 2516: version and type, code, session, length of what follows. */
static int padstrip_pppoe_length(const struct sk_buff *skb, int at,
				 bool session)
{
	const u8 *pppoe;
	u8 buffer[6];
	u16 length;

	pppoe = skb_header_pointer(skb, at, sizeof(buffer), buffer);
	if (!pppoe || pppoe[0] != 0x11)
		return PADSTRIP_LENGTH_BAD;

	/*
	 * Discovery may end a session without a tag. A session sends PPP, whose
	 * protocol has two bytes here; br_netfilter drops what ends before them.
	 */
	length = get_unaligned_be16(pppoe + 4);
	if (session && length < 2)
		return PADSTRIP_LENGTH_BAD;

	return sizeof(buffer) + length;
}

/* IEEE 802.3: the field is a length up to 1500; LLC has three bytes or more. */
static int padstrip_llc_length(__be16 field)
{
	if (ntohs(field) < 3 || ntohs(field) > ETH_DATA_LEN)
		return PADSTRIP_LENGTH_BAD;

	return ntohs(field);
}

/* Length of the packet at @at, or an enum padstrip_no_length. */
static int padstrip_length(const struct sk_buff *skb, int at, __be16 proto)
{
	switch (proto) {
	case htons(ETH_P_IP):
		return padstrip_ip_length(skb, at);
	case htons(ETH_P_IPV6):
		return padstrip_ipv6_length(skb, at);
	case htons(ETH_P_ARP):
	case htons(ETH_P_RARP):
		return padstrip_arp_length(skb, at);
	case htons(ETH_P_PPP_SES):
	case htons(ETH_P_PPP_DISC):
		return padstrip_pppoe_length(skb, at,
					     proto == htons(ETH_P_PPP_SES));
	}

	return eth_proto_is_802_3(proto) ? PADSTRIP_LENGTH_UNSAID :
					   padstrip_llc_length(proto);
}

static enum padstrip_verdict
padstrip_judge_bytes(const struct sk_buff *skb, struct padstrip_padding *padding)
{
	const u8 *bytes;

	bytes = skb_header_pointer(skb, padding->end, padding->len,
				   padding->bytes);
	if (!bytes)
		return PADSTRIP_IGNORED;
	if (padstrip_is_zero(bytes, padding->len))
		return PADSTRIP_ZERO_PADDED;

	if (bytes != padding->bytes)
		memcpy(padding->bytes, bytes, padding->len);
	return PADSTRIP_NONZERO;
}

enum padstrip_verdict padstrip_judge(const struct sk_buff *skb,
				     struct padstrip_padding *padding)
{
	__be16 proto = skb->protocol;
	const struct vlan_hdr *tag;
	struct vlan_hdr buffer;
	unsigned int at = 0;
	int length;

	if (skb_is_gso(skb) || skb->data - skb_mac_header(skb) != ETH_HLEN)
		return PADSTRIP_IGNORED;

	/* A DSA conduit: the bytes behind the addresses are the switch's. */
	if (proto == htons(ETH_P_XDSA))
		return PADSTRIP_IGNORED;

	/* eth_type_trans() put these in the place of a length. */
	if (proto == htons(ETH_P_802_2) || proto == htons(ETH_P_802_3))
		proto = eth_hdr(skb)->h_proto;

	for (; eth_type_vlan(proto); at += VLAN_HLEN) {
		if (at == PADSTRIP_TAGS_MAX * VLAN_HLEN)
			return PADSTRIP_IGNORED;
		tag = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
		if (!tag)
			return PADSTRIP_MALFORMED;
		proto = tag->h_vlan_encapsulated_proto;
	}

	length = padstrip_length(skb, at, proto);
	if (length == PADSTRIP_LENGTH_UNSAID)
		return PADSTRIP_IGNORED;
	if (length == PADSTRIP_LENGTH_BAD || at + length > skb->len)
		return PADSTRIP_MALFORMED;

	padding->end = at + length;
	padding->len = skb->len - padding->end;
	if (!padding->len)
		return PADSTRIP_EXACT;
	/* Each tag, the accelerated one too, moves the minimum by its length. */
	if (skb->len > at + PADSTRIP_PADDING_MAX)
		return PADSTRIP_TRAILER;

	return padstrip_judge_bytes(skb, padding);
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_judge);

int padstrip_strip(struct sk_buff *skb, const struct padstrip_padding *padding)
{
	__wsum csum = skb->csum;
	int err;

	if (skb_shared(skb))
		return -EBUSY;

	err = pskb_trim_rcsum(skb, padding->end);
	/* pskb_trim_rcsum_slow() changes the sum before it may run out of memory. */
	if (err && skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum;

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_strip);

int padstrip_zero(struct sk_buff *skb, const struct padstrip_padding *padding)
{
	__wsum csum;
	int err;

	if (skb_shared(skb))
		return -EBUSY;

	/* A page may have other owners, so the bytes move to the linear part. */
	err = skb_ensure_writable(skb, padding->end + padding->len);
	if (err)
		return err;

	if (skb->ip_summed == CHECKSUM_COMPLETE) {
		csum = csum_partial(skb->data + padding->end, padding->len, 0);
		skb->csum = csum_block_sub(skb->csum, csum, padding->end);
	}
	memset(skb->data + padding->end, 0, padding->len);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_zero);

int padstrip_pad(struct sk_buff *skb)
{
	if (skb_shared(skb))
		return -EBUSY;

	return __skb_put_padto(skb, ETH_ZLEN, false);
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_pad);
