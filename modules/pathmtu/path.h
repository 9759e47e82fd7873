/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PATHMTU_PATH_H
#define NETGUARD_PATHMTU_PATH_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/* Every IPv6 link carries this much; what is not longer is no full-size segment. */
#define PATHMTU_SMALL 1280
/* So often has a segment to be sent again before it counts as vanished. */
#define PATHMTU_RETRANSMITS 3
/* The peer was there when a flight began if it was heard this shortly before or after. */
#define PATHMTU_HEARD_US (200 * 1000)

/**
 * enum pathmtu_report - what a packet says about the size of others
 * @PATHMTU_NO_REPORT: nothing
 * @PATHMTU_FRAG_NEEDED: ICMP fragmentation-needed or ICMPv6 packet-too-big
 * @PATHMTU_MALFORMED: the same, but cut short or quoting nonsense
 */
enum pathmtu_report {
	PATHMTU_NO_REPORT,
	PATHMTU_FRAG_NEEDED,
	PATHMTU_MALFORMED,
};

/**
 * struct pathmtu_quote - what one fragmentation-needed says
 * @reporter: who sent it
 * @src: source of the packet that was too long
 * @dst: its destination
 * @size: its length as it says itself, IP header included
 * @mtu: what would fit; 0 from routers older than RFC 1191
 */
struct pathmtu_quote {
	union nf_inet_addr reporter;
	union nf_inet_addr src;
	union nf_inet_addr dst;
	unsigned int size;
	unsigned int mtu;
};

/**
 * pathmtu_read4() - is this an ICMP fragmentation-needed, and about what?
 * @skb: data at an IPv4 header that ip_rcv() has checked
 * @quote: filled in for PATHMTU_FRAG_NEEDED
 *
 * Context: any. The skb is only read, paged data included.
 * Return: the kind of report.
 */
enum pathmtu_report pathmtu_read4(const struct sk_buff *skb,
				  struct pathmtu_quote *quote);

/**
 * pathmtu_read6() - is this an ICMPv6 packet-too-big, and about what?
 * @skb: data at an IPv6 header that ipv6_rcv() has checked
 * @quote: filled in for PATHMTU_FRAG_NEEDED
 *
 * Context: any. The skb is only read, paged data included.
 * Return: the kind of report.
 */
enum pathmtu_report pathmtu_read6(const struct sk_buff *skb,
				  struct pathmtu_quote *quote);

/**
 * enum pathmtu_fit - does a packet fit its route?
 * @PATHMTU_FITS: it does, or somebody further down will make it fit
 * @PATHMTU_OVERSIZE: too long, must not be fragmented, cannot be segmented
 */
enum pathmtu_fit {
	PATHMTU_FITS,
	PATHMTU_OVERSIZE,
};

/**
 * pathmtu_fit() - will ip_finish_output() send this packet back to its source?
 * @skb: at POST_ROUTING, data at the IP header
 * @mtu: MTU of its route, from ip_skb_dst_mtu() or ip6_skb_dst_mtu()
 * @dont_fragment: IPv4: its DF bit; IPv6: always
 *
 * Follows ip_fragment() and ip6_fragment(): a GSO packet is segmented, one with
 * ignore_df is fragmented whatever it asks for.
 *
 * Return: the verdict.
 */
enum pathmtu_fit pathmtu_fit(const struct sk_buff *skb, unsigned int mtu,
			     bool dont_fragment);

/**
 * struct pathmtu_flight - what a TCP socket knows when it sends a segment again
 * @retransmits: timeouts since something was last acknowledged
 * @oldest: the segment is the first that is not acknowledged
 * @reported: someone said lately that packets to this destination are too long
 * @payload: bytes of data in the segment
 * @headers: bytes of IP and TCP headers in front of them
 * @window: bytes the peer is ready to take
 * @sacked: longest range behind the segment that the peer has, 0 if none
 * @acked_bytes: data that the peer has acknowledged since the flow began
 * @acked_segments: in how many segments, about
 * @delivered: something has arrived since the socket last had nothing in flight
 * @heard_us: time between the start of the flight and the peer's last word
 */
struct pathmtu_flight {
	unsigned int retransmits;
	bool oldest;
	bool reported;
	unsigned int payload;
	unsigned int headers;
	unsigned int window;
	unsigned int sacked;
	u64 acked_bytes;
	u64 acked_segments;
	bool delivered;
	u64 heard_us;
};

/**
 * enum pathmtu_fate - where full-size segments of a flow go
 * @PATHMTU_MOVING: not stuck, or not on a full-size segment
 * @PATHMTU_REPORTED: somebody said why, so discovery works
 * @PATHMTU_STALLED: the peer has no room for it
 * @PATHMTU_LOSSY: segments of this size pass, this one was unlucky
 * @PATHMTU_SILENT: nothing shows that small ones still pass: a dead peer
 * @PATHMTU_BLACKHOLE: small ones pass, this size vanishes
 */
enum pathmtu_fate {
	PATHMTU_MOVING,
	PATHMTU_REPORTED,
	PATHMTU_STALLED,
	PATHMTU_LOSSY,
	PATHMTU_SILENT,
	PATHMTU_BLACKHOLE,
};

/**
 * pathmtu_judge() - is this a black hole?
 * @flight: the facts
 * @size_ok: for PATHMTU_BLACKHOLE set to the longest packet that got through
 *
 * Best evidence is a selective acknowledgment: small segments behind the lost
 * one arrived, none as long as it did. Without one, as when all that is in
 * flight is full-size, the flow is a suspect if it has never had a segment of
 * that size acknowledged, and the peer was there when the flight began. A peer
 * that died at that very moment cannot be told from a black hole.
 *
 * Return: the verdict.
 */
enum pathmtu_fate pathmtu_judge(const struct pathmtu_flight *flight,
				unsigned int *size_ok);

#endif
