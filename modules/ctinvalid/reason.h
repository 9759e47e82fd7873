/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_CTINVALID_REASON_H
#define NETGUARD_CTINVALID_REASON_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/types.h>

/*
 * One forged segment must not take a flow out of conntrack's checks: it takes so
 * many within a minute.
 */
#define CTINVALID_STRIKES 3

/**
 * enum ctinvalid_reason - why conntrack left a packet INVALID
 * @CTINVALID_NO_FLOW: no flow matches and the packet cannot start one
 * @CTINVALID_SEQ_OVER: sequence number beyond the receiver's window
 * @CTINVALID_ACK_OVER: acknowledges data that was not seen
 * @CTINVALID_BAD_FLAGS: TCP flags that do not go together
 * @CTINVALID_BAD_CHECKSUM: wrong transport checksum
 * @CTINVALID_BAD_STATE: does not fit the state of its connection: wrong
 *	direction, or late after the close
 * @CTINVALID_RST_SEQ: RST older than what its sender acknowledged
 * @CTINVALID_MALFORMED: header truncated or contradicting itself
 * @CTINVALID_ICMP_UNRELATED: ICMP error that quotes no tracked flow
 * @CTINVALID_OTHER: none of these, or the flow moved on meanwhile
 * @CTINVALID_ICMP_MISDIRECTED: ICMP error that quotes a tracked flow, but is not
 *	addressed to the sender of what it quotes
 * @CTINVALID_REASONS: how many there are
 */
enum ctinvalid_reason {
	CTINVALID_NO_FLOW,
	CTINVALID_SEQ_OVER,
	CTINVALID_ACK_OVER,
	CTINVALID_BAD_FLAGS,
	CTINVALID_BAD_CHECKSUM,
	CTINVALID_BAD_STATE,
	CTINVALID_RST_SEQ,
	CTINVALID_MALFORMED,
	CTINVALID_ICMP_UNRELATED,
	CTINVALID_OTHER,
	CTINVALID_ICMP_MISDIRECTED,
	CTINVALID_REASONS,
};

/**
 * enum ctinvalid_fault - what is wrong with a packet by itself
 * @CTINVALID_SOUND: nothing
 * @CTINVALID_TRUNCATED: a header is cut off or contradicts itself
 * @CTINVALID_CHECKSUM: the transport checksum does not match
 */
enum ctinvalid_fault {
	CTINVALID_SOUND,
	CTINVALID_TRUNCATED,
	CTINVALID_CHECKSUM,
};

/**
 * enum ctinvalid_nat - what NAT does to a flow
 * @CTINVALID_NAT_NONE: nothing
 * @CTINVALID_SNAT: it rewrites the source
 * @CTINVALID_DNAT: it rewrites the destination
 * @CTINVALID_NAT_BOTH: both
 */
enum ctinvalid_nat {
	CTINVALID_NAT_NONE,
	CTINVALID_SNAT,
	CTINVALID_DNAT,
	CTINVALID_NAT_BOTH,
};

/* Values of the parameter mode. */
enum ctinvalid_mode {
	CTINVALID_LOG,
	CTINVALID_DROP,
	CTINVALID_HEAL,
};

/**
 * enum ctinvalid_action - what is done with an INVALID packet
 * @CTINVALID_PASS: nothing
 * @CTINVALID_DISCARD: it is dropped
 * @CTINVALID_CURE: it is dropped and its flow made liberal
 */
enum ctinvalid_action {
	CTINVALID_PASS,
	CTINVALID_DISCARD,
	CTINVALID_CURE,
};

/**
 * struct ctinvalid_key - whose packet it is; compared byte by byte, no padding
 * @netns: inum of the namespace
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: transport protocol
 * @zone: conntrack zone
 * @src: source address
 * @dst: destination address
 * @sport: source port, 0 where there are none, network byte order
 * @dport: destination port, likewise
 */
struct ctinvalid_key {
	u32 netns;
	u8 family;
	u8 proto;
	u16 zone;
	union nf_inet_addr src;
	union nf_inet_addr dst;
	__be16 sport;
	__be16 dport;
};

/**
 * struct ctinvalid_packet - what conntrack looked at in a packet
 * @key: addresses and ports
 * @fault: what is wrong with it by itself
 * @tcp_flags: TCPHDR_* bits
 * @icmp_error: it is an ICMP error message or redirect
 * @icmp_type: ICMP type
 * @icmp_code: ICMP code
 * @inner: where the packet that an ICMP error quotes begins
 * @seq: TCP sequence number, host byte order like the next five
 * @ack: TCP acknowledgment number
 * @sack: highest right edge of a SACK block, or @ack
 * @end: sequence number behind the segment
 * @win: TCP window as in the header
 */
struct ctinvalid_packet {
	struct ctinvalid_key key;
	enum ctinvalid_fault fault;
	u8 tcp_flags;
	bool icmp_error;
	u8 icmp_type;
	u8 icmp_code;
	unsigned int inner;
	u32 seq;
	u32 ack;
	u32 sack;
	u32 end;
	u16 win;
};

/**
 * struct ctinvalid_flow - snapshot of the flow that a packet belongs to
 * @found: there is one; of an ICMP error, that which it quotes
 * @live: and it is neither dying nor closed
 * @assured: packets have gone both ways, IPS_ASSURED
 * @any_rst: nf_conntrack_tcp_ignore_invalid_rst is set
 * @dir: the packet's direction, enum ip_conntrack_dir
 * @nat: what NAT does to it
 * @state: enum tcp_conntrack
 * @last_was_syn: conntrack has let a SYN through that may be the start of
 *	another connection, and knows no bound for a RST since
 * @ack_offset: nf_ct_seq_offset() of the packet's acknowledgment
 * @seen: window state of both directions
 *
 * The last four are zero unless it is TCP.
 */
struct ctinvalid_flow {
	bool found;
	bool live;
	bool assured;
	bool any_rst;
	u8 dir;
	enum ctinvalid_nat nat;
	u8 state;
	bool last_was_syn;
	s32 ack_offset;
	struct ip_ct_tcp_state seen[IP_CT_DIR_MAX];
};

/**
 * struct ctinvalid_verdict - why a packet is INVALID, and by how much
 * @reason: why
 * @by: how far over the bound, for seq_over and ack_over, and how far under it,
 *	for rst_seq; else 0
 */
struct ctinvalid_verdict {
	enum ctinvalid_reason reason;
	u32 by;
};

struct ctinvalid_verdict ctinvalid_judge(const struct ctinvalid_packet *pkt,
					 const struct ctinvalid_flow *flow);

bool ctinvalid_is_fault(const struct ctinvalid_packet *pkt,
			const struct ctinvalid_flow *flow,
			enum ctinvalid_reason reason,
			enum ctinvalid_action action);

bool ctinvalid_outside(const struct ctinvalid_packet *pkt,
		       const struct ctinvalid_flow *flow);

bool ctinvalid_touches(enum ctinvalid_mode mode,
		       const struct ctinvalid_packet *pkt,
		       const struct ctinvalid_flow *flow);
enum ctinvalid_action ctinvalid_decide(enum ctinvalid_mode mode,
				       const struct ctinvalid_packet *pkt,
				       const struct ctinvalid_flow *flow,
				       enum ctinvalid_reason reason,
				       unsigned int strikes);

#endif
