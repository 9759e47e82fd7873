/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PADSTRIP_PADDING_H
#define NETGUARD_PADSTRIP_PADDING_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include <netguard/compat.h>

/* The most that padding can fill: a payload of ETH_ZLEN - ETH_HLEN bytes. */
#define PADSTRIP_PADDING_MAX (ETH_ZLEN - ETH_HLEN)

/* More tags inside the frame than this, and it is left alone. */
#define PADSTRIP_TAGS_MAX 8

/**
 * enum padstrip_verdict - what is behind the L3 packet of a frame
 * @PADSTRIP_IGNORED: nobody says where the packet ends: unknown EtherType,
 *	GSO, zero length field (BIG TCP), unreadable
 * @PADSTRIP_EXACT: nothing
 * @PADSTRIP_ZERO_PADDED: padding, all zero
 * @PADSTRIP_NONZERO: padding with something else in it
 * @PADSTRIP_TRAILER: bytes in a frame that needed no padding
 * @PADSTRIP_MALFORMED: the headers contradict themselves or the frame
 */
enum padstrip_verdict {
	PADSTRIP_IGNORED,
	PADSTRIP_EXACT,
	PADSTRIP_ZERO_PADDED,
	PADSTRIP_NONZERO,
	PADSTRIP_TRAILER,
	PADSTRIP_MALFORMED,
};

/**
 * struct padstrip_padding - what padstrip_judge() found
 * @end: where the L3 packet ends, from skb->data; not for IGNORED, MALFORMED
 * @len: how many bytes are behind it
 * @bytes: these bytes; only for NONZERO
 */
struct padstrip_padding {
	unsigned int end;
	unsigned int len;
	u8 bytes[PADSTRIP_PADDING_MAX];
};

/**
 * padstrip_is_exact() - does an IP packet obviously fill its frame?
 * @skb: as in a netdev ingress hook: data at the network header
 *
 * All that a healthy frame pays: one comparison of the IP header's own length
 * with that of the frame, whatever its size. GRO keeps the two equal.
 *
 * Return: true if it does; false if only padstrip_judge() can tell.
 */
static inline bool padstrip_is_exact(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		if (unlikely(skb_headlen(skb) < sizeof(struct iphdr)))
			return false;
		/* Version 4, no options, and tot_len. */
		return (get_unaligned((__be32 *)skb->data) &
			htonl(0xff00ffff)) == htonl(0x45000000 | skb->len);
	}

	if (skb->protocol == htons(ETH_P_IPV6)) {
		if (unlikely(skb_headlen(skb) < sizeof(struct ipv6hdr)))
			return false;
		/* A jumbogram's zero matches no length above the header's. */
		return skb->data[0] >> 4 == 6 &&
		       get_unaligned_be16(skb->data + 4) +
		       sizeof(struct ipv6hdr) == skb->len;
	}

	return false;
}

/**
 * padstrip_is_zero() - is there nothing but zeros?
 * @bytes: any alignment
 * @len: how many
 *
 * For some bytes memchr_inv() takes longer than the rest of the verdict.
 *
 * Return: true if all are zero.
 */
static inline bool padstrip_is_zero(const u8 *bytes, unsigned int len)
{
	const u8 *end = bytes + len;
	u64 seen = 0;

	/* The last word overlaps the one before. */
	if (len >= sizeof(u64)) {
		for (; bytes < end - sizeof(u64); bytes += sizeof(u64))
			seen |= get_unaligned((u64 *)bytes);
		seen |= get_unaligned((u64 *)(end - sizeof(u64)));
	} else if (len >= sizeof(u32)) {
		seen = get_unaligned((u32 *)bytes) |
		       get_unaligned((u32 *)(end - sizeof(u32)));
	} else {
		while (bytes < end)
			seen |= *bytes++;
	}

	return !seen;
}

/**
 * padstrip_zeros() - is a short IPv4 packet obviously padded with zeros?
 * @skb: as in a netdev ingress hook: data at the network header
 *
 * What most short frames are, without the way through padstrip_judge().
 *
 * Return: how many bytes of padding; 0 if only padstrip_judge() can tell.
 */
static inline unsigned int padstrip_zeros(const struct sk_buff *skb)
{
	unsigned int len = skb->len;
	unsigned int length;
	u32 head;

	if (skb->protocol != htons(ETH_P_IP) || skb_is_nonlinear(skb) ||
	    len < sizeof(struct iphdr) || len > PADSTRIP_PADDING_MAX ||
	    skb_is_gso(skb))
		return 0;

	/* Version 4 and no options, as in padstrip_is_exact(). */
	head = get_unaligned_be32(skb->data);
	length = head & 0xffff;
	if (head >> 24 != 0x45 || length < sizeof(struct iphdr) ||
	    length >= len)
		return 0;

	len -= length;
	return padstrip_is_zero(skb->data + length, len) ? len : 0;
}

/**
 * padstrip_judge() - what is behind the L3 packet of this frame?
 * @skb: as in a netdev ingress hook: Ethernet, data at the network header, the
 *	outer VLAN tag accelerated (skb_vlan_untag() sees to that), inner ones
 *	in the payload
 * @padding: filled as far as the verdict says
 *
 * IPv4 tot_len, IPv6 payload length, ARP as arp_rcv() accepts it, PPPoE length
 * and the 802.3 length field say where the packet ends. Reads linear data,
 * fragments and frag_list alike, never beyond the frame, and changes nothing.
 *
 * Context: any.
 * Return: the verdict.
 */
enum padstrip_verdict padstrip_judge(const struct sk_buff *skb,
				     struct padstrip_padding *padding);

/**
 * padstrip_strip() - cut the padding off
 * @skb: the frame
 * @padding: from padstrip_judge()
 *
 * Changes only this skb's idea of its length, so that a clone in a tap keeps
 * all its bytes. CHECKSUM_COMPLETE is kept right.
 *
 * Context: softirq. The caller owns the skb.
 * Return: 0; -EBUSY if the skb is shared, -EINVAL if the field for a partial
 * checksum is in the padding, -ENOMEM. On error the frame is as it was.
 */
int padstrip_strip(struct sk_buff *skb, const struct padstrip_padding *padding);

/**
 * padstrip_zero() - overwrite the padding with zeros
 * @skb: the frame; may be linearized and its header reallocated
 * @padding: from padstrip_judge()
 *
 * A clone in a tap keeps its own bytes. CHECKSUM_COMPLETE is kept right.
 *
 * Context: softirq. The caller owns the skb.
 * Return: 0; -EBUSY if the skb is shared, -ENOMEM. On error the bytes of the
 * frame are as they were.
 */
int padstrip_zero(struct sk_buff *skb, const struct padstrip_padding *padding);

/**
 * padstrip_pad() - pad a short outgoing frame with zeros
 * @skb: as in a netdev egress hook: data at the MAC header; shorter than
 *	ETH_ZLEN; may be linearized and its header reallocated
 *
 * To ETH_ZLEN without an accelerated tag, which then comes on top: hardware
 * that pads before it inserts the tag has nothing to add either.
 *
 * Context: softirq or BH disabled. The caller owns the skb.
 * Return: 0; -EBUSY if the skb is shared, -ENOMEM. On error the bytes of the
 * frame are as they were.
 */
int padstrip_pad(struct sk_buff *skb);

#endif
