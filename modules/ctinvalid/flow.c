// SPDX-License-Identifier: GPL-2.0
/* The conntrack entry that a packet belongs to although it is INVALID. */

#include "ctinvalid.h"

#include <linux/spinlock.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_seqadj.h>

/* TCP_SYN_SET of nf_conntrack_proto_tcp.c */
#define CTINVALID_TCP_SYN_SET 0

static enum ctinvalid_nat ctinvalid_nat_of(const struct nf_conn *ct)
{
	switch (READ_ONCE(ct->status) & IPS_NAT_MASK) {
	case IPS_SRC_NAT:
		return CTINVALID_SNAT;
	case IPS_DST_NAT:
		return CTINVALID_DNAT;
	case IPS_NAT_MASK:
		return CTINVALID_NAT_BOTH;
	default:
		return CTINVALID_NAT_NONE;
	}
}

static bool ctinvalid_tcp_is_open(u8 state)
{
	return state != TCP_CONNTRACK_NONE &&
	       state != TCP_CONNTRACK_TIME_WAIT && state != TCP_CONNTRACK_CLOSE;
}

/* What a lookup has to find: an ICMP error has no flow, but quotes one. */
static bool ctinvalid_tuple(struct nf_conntrack_tuple *tuple,
			    const struct ctinvalid_packet *pkt,
			    const struct sk_buff *skb, struct net *net)
{
	struct nf_conntrack_tuple quoted;

	if (!pkt->icmp_error)
		return nf_ct_get_tuplepr(skb, skb_network_offset(skb),
					 pkt->key.family, net, tuple);

	return nf_ct_get_tuplepr(skb, pkt->inner, pkt->key.family, net,
				 &quoted) &&
	       nf_ct_invert_tuple(tuple, &quoted);
}

/**
 * ctinvalid_flow_get() - look up a packet's flow and copy its state
 * @flow: filled in; all zero when there is no flow
 * @pkt: the packet, parsed
 * @skb: the same packet
 * @net: its namespace
 * @zone: the zone in which conntrack looked it up
 *
 * ct->lock is held for the copy and for nothing else.
 *
 * Context: BH off, under rcu_read_lock().
 * Return: the flow, to be put with nf_ct_put(), or NULL.
 */
struct nf_conn *ctinvalid_flow_get(struct ctinvalid_flow *flow,
				   const struct ctinvalid_packet *pkt,
				   const struct sk_buff *skb, struct net *net,
				   const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple tuple;
	struct nf_conn *ct;

	memset(flow, 0, sizeof(*flow));
	if (!ctinvalid_tuple(&tuple, pkt, skb, net))
		return NULL;

	h = nf_conntrack_find_get(net, zone, &tuple);
	if (!h)
		return NULL;

	ct = nf_ct_tuplehash_to_ctrack(h);
	flow->found = true;
	flow->live = !nf_ct_is_dying(ct);
	flow->assured = test_bit(IPS_ASSURED_BIT, &ct->status);
	flow->any_rst = READ_ONCE(nf_tcp_pernet(net)->tcp_ignore_invalid_rst);
	flow->dir = NF_CT_DIRECTION(h);
	flow->nat = ctinvalid_nat_of(ct);
	if (nf_ct_protonum(ct) != IPPROTO_TCP || pkt->icmp_error)
		return ct;

	spin_lock(&ct->lock);
	flow->state = ct->proto.tcp.state;
	flow->last_was_syn = ct->proto.tcp.last_index == CTINVALID_TCP_SYN_SET;
	memcpy(flow->seen, ct->proto.tcp.seen, sizeof(flow->seen));
	flow->ack_offset = nf_ct_seq_offset(ct, !flow->dir, pkt->ack - 1);
	spin_unlock(&ct->lock);

	flow->live = flow->live && ctinvalid_tcp_is_open(flow->state);
	return ct;
}
