// SPDX-License-Identifier: GPL-2.0
/* Why a packet is INVALID, and what to do with it. */

#include "reason.h"

#include <linux/bits.h>
#include <linux/in.h>
#include <net/tcp.h>

#include <netguard/compat.h>

/* get_conntrack_index() of nf_conntrack_proto_tcp.c */
enum ctinvalid_index {
	CTINVALID_SYN,
	CTINVALID_SYNACK,
	CTINVALID_FIN,
	CTINVALID_ACK,
	CTINVALID_RST,
	CTINVALID_NONE,
	CTINVALID_INDEXES,
};

#define NO BIT(TCP_CONNTRACK_NONE)
#define SS BIT(TCP_CONNTRACK_SYN_SENT)
#define SR BIT(TCP_CONNTRACK_SYN_RECV)
#define ES BIT(TCP_CONNTRACK_ESTABLISHED)
#define FW BIT(TCP_CONNTRACK_FIN_WAIT)
#define CW BIT(TCP_CONNTRACK_CLOSE_WAIT)
#define LA BIT(TCP_CONNTRACK_LAST_ACK)
#define TW BIT(TCP_CONNTRACK_TIME_WAIT)
#define CL BIT(TCP_CONNTRACK_CLOSE)
#define S2 BIT(TCP_CONNTRACK_SYN_SENT2)
#define ALL (NO | SS | SR | ES | FW | CW | LA | TW | CL | S2)

/* MAXACKWINCONST of nf_conntrack_proto_tcp.c */
#define CTINVALID_MAXACKWIN 66000

/* The states in which tcp_conntracks[dir][index] says sIV. */
static const u16 ctinvalid_refused[IP_CT_DIR_MAX][CTINVALID_INDEXES] = {
	[IP_CT_DIR_ORIGINAL] = {
		[CTINVALID_SYN] = 0,
		[CTINVALID_SYNACK] = NO | SS | ES | FW | CW | LA | TW | CL,
		[CTINVALID_FIN] = NO | SS | S2,
		[CTINVALID_ACK] = SS | S2,
		[CTINVALID_RST] = NO,
		[CTINVALID_NONE] = ALL,
	},
	[IP_CT_DIR_REPLY] = {
		[CTINVALID_SYN] = NO | SR | ES | FW | CW | LA | CL,
		[CTINVALID_SYNACK] = NO,
		[CTINVALID_FIN] = NO | SS | S2,
		[CTINVALID_ACK] = NO,
		[CTINVALID_RST] = NO,
		[CTINVALID_NONE] = ALL,
	},
};

static enum ctinvalid_index ctinvalid_index(u8 flags)
{
	if (flags & TCPHDR_RST)
		return CTINVALID_RST;
	if (flags & TCPHDR_SYN)
		return flags & TCPHDR_ACK ? CTINVALID_SYNACK : CTINVALID_SYN;
	if (flags & TCPHDR_FIN)
		return CTINVALID_FIN;
	return flags & TCPHDR_ACK ? CTINVALID_ACK : CTINVALID_NONE;
}

/* tcp_valid_flags[] */
static bool ctinvalid_flags_sound(u8 flags)
{
	switch (flags & ~(TCPHDR_ECE | TCPHDR_CWR | TCPHDR_PSH)) {
	case TCPHDR_SYN:
	case TCPHDR_SYN | TCPHDR_URG:
	case TCPHDR_SYN | TCPHDR_ACK:
	case TCPHDR_RST:
	case TCPHDR_RST | TCPHDR_ACK:
	case TCPHDR_FIN | TCPHDR_ACK:
	case TCPHDR_FIN | TCPHDR_ACK | TCPHDR_URG:
	case TCPHDR_ACK:
	case TCPHDR_ACK | TCPHDR_URG:
		return true;
	default:
		return false;
	}
}

/*
 * The two bounds of tcp_in_window() that make a segment INVALID. What it says
 * about the lower bounds is that the segment is ignored, and lets it pass.
 */
static struct ctinvalid_verdict
ctinvalid_judge_window(const struct ctinvalid_packet *pkt,
		       const struct ctinvalid_flow *flow)
{
	const struct ip_ct_tcp_state *sender = &flow->seen[flow->dir];
	const struct ip_ct_tcp_state *receiver = &flow->seen[!flow->dir];
	u32 ack = pkt->ack - flow->ack_offset;
	u32 sack = ack, seq = pkt->seq;

	if (receiver->flags & IP_CT_TCP_FLAG_SACK_PERM)
		sack = pkt->sack - flow->ack_offset;

	if (!(pkt->tcp_flags & TCPHDR_ACK) ||
	    (pkt->tcp_flags & TCPHDR_RST && !ack))
		sack = receiver->td_end;
	if (pkt->tcp_flags & TCPHDR_RST && !seq &&
	    flow->state == TCP_CONNTRACK_SYN_SENT)
		seq = sender->td_end;

	if (after(seq, sender->td_maxend))
		return (struct ctinvalid_verdict) {
			CTINVALID_SEQ_OVER, seq - sender->td_maxend };
	if (after(sack, receiver->td_end))
		return (struct ctinvalid_verdict) {
			CTINVALID_ACK_OVER, sack - receiver->td_end };
	return (struct ctinvalid_verdict) { CTINVALID_OTHER, 0 };
}

/*
 * Does conntrack compare a RST's sequence number with what was acknowledged? Not
 * where the connection is being closed, see tcp_can_early_drop(), nor where it
 * has let pass what may have begun another one.
 */
static bool ctinvalid_rst_is_bound(const struct ctinvalid_packet *pkt,
				   const struct ctinvalid_flow *flow)
{
	const struct ip_ct_tcp_state *receiver = &flow->seen[!flow->dir];
	bool established = flow->state == TCP_CONNTRACK_ESTABLISHED &&
			   flow->assured;

	if (flow->any_rst || flow->last_was_syn ||
	    !(receiver->flags & IP_CT_TCP_FLAG_MAXACK_SET) ||
	    BIT(flow->state) & (FW | LA | TW | CL | CW))
		return false;

	return pkt->seq || established;
}

static struct ctinvalid_verdict
ctinvalid_judge_tcp(const struct ctinvalid_packet *pkt,
		    const struct ctinvalid_flow *flow)
{
	enum ctinvalid_index index = ctinvalid_index(pkt->tcp_flags);
	const struct ip_ct_tcp_state *receiver = &flow->seen[!flow->dir];
	struct ctinvalid_verdict verdict = { CTINVALID_OTHER, 0 };

	if (!ctinvalid_flags_sound(pkt->tcp_flags)) {
		verdict.reason = CTINVALID_BAD_FLAGS;
		return verdict;
	}
	if (!flow->found) {
		/* A SYN always starts a flow: something else went wrong. */
		if (index != CTINVALID_SYN)
			verdict.reason = CTINVALID_NO_FLOW;
		return verdict;
	}
	if (ctinvalid_refused[flow->dir][index] & BIT(flow->state)) {
		verdict.reason = CTINVALID_BAD_STATE;
		return verdict;
	}
	if (index == CTINVALID_RST && ctinvalid_rst_is_bound(pkt, flow) &&
	    before(pkt->seq, receiver->td_maxack)) {
		verdict.reason = CTINVALID_RST_SEQ;
		verdict.by = receiver->td_maxack - pkt->seq;
		return verdict;
	}

	return ctinvalid_judge_window(pkt, flow);
}

/**
 * ctinvalid_judge() - why did conntrack leave this packet INVALID?
 * @pkt: what conntrack looked at
 * @flow: the packet's flow right after conntrack had looked
 *
 * Asks in the order of nf_conntrack_in(), nf_conntrack_tcp_packet() and
 * tcp_in_window(). The answer takes for granted that the packet is INVALID;
 * where the flow's state does not show why, it is CTINVALID_OTHER.
 *
 * Context: any.
 * Return: the reason, and by how much a bound was missed.
 */
struct ctinvalid_verdict ctinvalid_judge(const struct ctinvalid_packet *pkt,
					 const struct ctinvalid_flow *flow)
{
	struct ctinvalid_verdict verdict = { CTINVALID_OTHER, 0 };

	if (pkt->fault == CTINVALID_TRUNCATED)
		verdict.reason = CTINVALID_MALFORMED;
	else if (pkt->fault == CTINVALID_CHECKSUM)
		verdict.reason = CTINVALID_BAD_CHECKSUM;
	else if (pkt->key.proto == IPPROTO_TCP)
		verdict = ctinvalid_judge_tcp(pkt, flow);
	else if (pkt->icmp_error)
		verdict.reason = flow->found ? CTINVALID_ICMP_MISDIRECTED :
					       CTINVALID_ICMP_UNRELATED;
	else if (!flow->found && pkt->key.proto != IPPROTO_UDP)
		verdict.reason = CTINVALID_NO_FLOW;

	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(ctinvalid_judge);

/**
 * ctinvalid_is_fault() - has somebody to mend something, or is this a remark?
 * @pkt: the packet
 * @flow: its flow
 * @reason: why it is INVALID
 * @action: what was done with it
 *
 * What has no connection, or one that is over, breaks none: scans, late packets.
 * Nobody answers a RST. What was dropped by the guard does no harm any more.
 *
 * Context: any.
 * Return: whether it is a fault.
 */
bool ctinvalid_is_fault(const struct ctinvalid_packet *pkt,
			const struct ctinvalid_flow *flow,
			enum ctinvalid_reason reason,
			enum ctinvalid_action action)
{
	if (action != CTINVALID_PASS || !flow->live || pkt->icmp_error)
		return false;
	if (pkt->key.proto == IPPROTO_TCP && pkt->tcp_flags & TCPHDR_RST)
		return false;

	switch (reason) {
	case CTINVALID_SEQ_OVER:
	case CTINVALID_ACK_OVER:
	case CTINVALID_BAD_CHECKSUM:
		return true;
	default:
		return pkt->key.proto == IPPROTO_TCP &&
		       flow->nat != CTINVALID_NAT_NONE;
	}
}
EXPORT_SYMBOL_IF_KUNIT(ctinvalid_is_fault);

/**
 * ctinvalid_outside() - would conntrack disbelieve this segment, were it strict?
 * @pkt: a TCP segment that is sound by itself
 * @flow: its flow before conntrack has looked at the segment
 *
 * All four bounds of tcp_in_window(). A liberal flow has none, and what closes a
 * connection is then believed wherever it lies: see nf_tcp_store_invalid().
 *
 * Context: any.
 * Return: whether it lies outside the window.
 */
bool ctinvalid_outside(const struct ctinvalid_packet *pkt,
		       const struct ctinvalid_flow *flow)
{
	const struct ip_ct_tcp_state *sender = &flow->seen[flow->dir];
	const struct ip_ct_tcp_state *receiver = &flow->seen[!flow->dir];
	u32 ack = pkt->ack - flow->ack_offset, oldest;

	if (ctinvalid_judge_window(pkt, flow).reason != CTINVALID_OTHER)
		return true;
	if (receiver->td_maxwin &&
	    !after(pkt->end, sender->td_end - receiver->td_maxwin - 1))
		return true;

	if (!(pkt->tcp_flags & TCPHDR_ACK) ||
	    (pkt->tcp_flags & TCPHDR_RST && !ack))
		return false;
	oldest = receiver->td_end - max_t(u32, sender->td_maxwin,
					  CTINVALID_MAXACKWIN);
	return before(ack, oldest);
}
EXPORT_SYMBOL_IF_KUNIT(ctinvalid_outside);

/**
 * ctinvalid_touches() - does the guard act on such an INVALID packet at all?
 * @mode: what the operator asked for
 * @pkt: the packet
 * @flow: its flow
 *
 * Only TCP that belongs to a live NATed flow is ever touched: there the host
 * takes the packet for its own and answers RST, or a pod does. Without a flow it
 * may be one half of an asymmetric route, and without NAT its receiver can judge
 * for itself.
 *
 * Context: any.
 * Return: whether it does.
 */
bool ctinvalid_touches(enum ctinvalid_mode mode,
		       const struct ctinvalid_packet *pkt,
		       const struct ctinvalid_flow *flow)
{
	return mode != CTINVALID_LOG && pkt->key.proto == IPPROTO_TCP &&
	       flow->found && flow->live && flow->nat != CTINVALID_NAT_NONE;
}
EXPORT_SYMBOL_IF_KUNIT(ctinvalid_touches);

/**
 * ctinvalid_decide() - what is to be done with an INVALID packet?
 * @mode: what the operator asked for
 * @pkt: the packet
 * @flow: its flow
 * @reason: why it is INVALID
 * @strikes: how many of the flow's segments, this one included, were outside
 *	the window within the last minute
 *
 * Liberal tracking helps only against window findings, and is given only to a
 * connection that is established and insists. What closes a connection buys
 * none.
 *
 * Context: any.
 * Return: the action.
 */
enum ctinvalid_action ctinvalid_decide(enum ctinvalid_mode mode,
				       const struct ctinvalid_packet *pkt,
				       const struct ctinvalid_flow *flow,
				       enum ctinvalid_reason reason,
				       unsigned int strikes)
{
	if (!ctinvalid_touches(mode, pkt, flow))
		return CTINVALID_PASS;

	if (mode == CTINVALID_HEAL && strikes >= CTINVALID_STRIKES &&
	    flow->state == TCP_CONNTRACK_ESTABLISHED &&
	    !(pkt->tcp_flags & (TCPHDR_FIN | TCPHDR_RST)) &&
	    (reason == CTINVALID_SEQ_OVER || reason == CTINVALID_ACK_OVER))
		return CTINVALID_CURE;

	return CTINVALID_DISCARD;
}
EXPORT_SYMBOL_IF_KUNIT(ctinvalid_decide);
