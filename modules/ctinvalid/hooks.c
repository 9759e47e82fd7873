// SPDX-License-Identifier: GPL-2.0
/* An INVALID packet on its way through the host. */

#include "ctinvalid.h"

#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/tcp.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * struct ctinvalid_note - what a CPU remembers of packets it works on
 * @fated: skb->head, which clones share, of the last packet that was counted
 *	where it left or arrived
 * @templated: the packet that is in conntrack now, if it has a template
 * @templated_in: the namespace it is in; others may not look at the zone
 * @zone: that template's zone, which conntrack does not leave in the packet
 */
struct ctinvalid_note {
	const void *fated;
	const struct sk_buff *templated;
	const struct net *templated_in;
	struct nf_conntrack_zone zone;
};

static DEFINE_PER_CPU(struct ctinvalid_note, ctinvalid_note);

/* Neither a flow nor IP_CT_UNTRACKED, which no pointer is below. */
static bool ctinvalid_is(const struct sk_buff *skb)
{
	return skb_get_nfct(skb) < IP_CT_UNTRACKED;
}

static enum ctinvalid_action
ctinvalid_act(enum ctinvalid_mode mode, const struct ctinvalid_seen *seen,
	      struct nf_conn *ct, const struct sk_buff *skb,
	      const struct nf_hook_state *state)
{
	enum ctinvalid_action action;

	action = ctinvalid_decide(mode, &seen->pkt, &seen->flow,
				  seen->verdict.reason, seen->strikes);
	switch (action) {
	case CTINVALID_CURE:
		if (ctinvalid_can_heal(state) &&
		    ctinvalid_heal(ct, seen->flow.dir))
			trace_ctinvalid_healed(skb, seen);
		else
			action = CTINVALID_DISCARD;
		fallthrough;
	case CTINVALID_DISCARD:
		ng_count(&ctinvalid_guard, CTINVALID_dropped_by_netguard);
		trace_ctinvalid_dropped(skb, seen);
		break;
	case CTINVALID_PASS:
		break;
	}

	return action;
}

/* A RST is never answered; what this host sends is, but not by itself. */
static bool ctinvalid_answerable(enum ctinvalid_mode mode,
				 const struct ctinvalid_seen *seen,
				 const struct nf_hook_state *state)
{
	return state->hook == NF_INET_PRE_ROUTING &&
	       !ctinvalid_touches(mode, &seen->pkt, &seen->flow) &&
	       seen->pkt.key.proto == IPPROTO_TCP &&
	       !(seen->pkt.tcp_flags & TCPHDR_RST);
}

/*
 * A RST that answers a packet has no flow, for NAT did not translate that packet
 * back. This host sends its own by LOCAL_OUT; that of a pod, to which the
 * packet was forwarded, comes in like any other packet.
 */
static void ctinvalid_answer(const struct sk_buff *skb,
			     struct ctinvalid_seen *seen, bool by_peer)
{
	struct ctinvalid_key cause;

	if (seen->pkt.key.proto != IPPROTO_TCP ||
	    !(seen->pkt.tcp_flags & TCPHDR_RST) || seen->flow.found ||
	    !ctinvalid_flows_answer(&seen->pkt.key, &cause, by_peer))
		return;

	seen->provoked = true;
	ng_count(&ctinvalid_guard, CTINVALID_resets_provoked);
	ctinvalid_report_reset(&cause);
	trace_ctinvalid_reset(skb, seen);
}

/* BH off. Decide, act, account. */
static unsigned int ctinvalid_packet(struct ctinvalid_note *note,
				     struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	const struct nf_conntrack_zone *zone = &nf_ct_zone_dflt;
	enum ctinvalid_mode mode = READ_ONCE(ctinvalid_mode.value);
	struct ctinvalid_seen seen = {};
	struct nf_conn *ct;

	if (note->templated == skb && note->templated_in == state->net)
		zone = &note->zone;
	ctinvalid_parse(&seen.pkt, skb, state);
	seen.pkt.key.zone = zone->id;
	seen.in = state->in;
	seen.synproxy = ctinvalid_has_synproxy(state->net);
	ct = ctinvalid_flow_get(&seen.flow, &seen.pkt, skb, state->net, zone);
	seen.verdict = ctinvalid_judge(&seen.pkt, &seen.flow);
	note->templated = NULL;
	/* Another packet was at this address before. */
	if (note->fated == skb->head)
		note->fated = NULL;

	ng_count(&ctinvalid_guard, CTINVALID_packets_invalid);
	ng_count(&ctinvalid_guard,
		 ctinvalid_reason_counter(seen.verdict.reason));
	trace_ctinvalid_seen(skb, &seen);

	ctinvalid_flows_note(&seen, ctinvalid_answerable(mode, &seen, state));
	seen.action = ctinvalid_act(mode, &seen, ct, skb, state);
	if (ct)
		nf_ct_put(ct);

	ctinvalid_answer(skb, &seen, state->hook == NF_INET_PRE_ROUTING);
	/* The line of the packet that provoked it tells of a provoked RST. */
	if (!seen.provoked)
		ctinvalid_report(&seen, state->net);

	return seen.action == CTINVALID_PASS ? NF_ACCEPT : NF_DROP;
}

/* ipv4_conntrack_local() does not look at this host's own fragments. */
static bool ctinvalid_unseen(const struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	return state->pf == NFPROTO_IPV4 && !skb->skb_iif &&
	       ip_is_fragment(ip_hdr(skb));
}

/* Out of line: a valid packet does not pay for the registers this needs. */
static noinline unsigned int ctinvalid_slow(struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	unsigned int verdict = NF_ACCEPT;
	bool steady = in_softirq();

	local_bh_disable();
	if (ctinvalid_counted(state, steady))
		verdict = ctinvalid_packet(this_cpu_ptr(&ctinvalid_note), skb,
					   state);
	local_bh_enable();
	return verdict;
}

static unsigned int ctinvalid_in(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	if (likely(!ctinvalid_is(skb)))
		return NF_ACCEPT;

	return ctinvalid_slow(skb, state);
}

static unsigned int ctinvalid_out(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	if (likely(!ctinvalid_is(skb)) || ctinvalid_unseen(skb, state))
		return NF_ACCEPT;

	return ctinvalid_slow(skb, state);
}

/* A packet that a bridge or a multicast route copies is counted once. */
static void ctinvalid_fate(const struct sk_buff *skb,
			   const struct nf_hook_state *state,
			   enum ctinvalid_counter fate)
{
	struct ctinvalid_note *note;

	if (!ctinvalid_is_active(state))
		return;

	local_bh_disable();
	note = this_cpu_ptr(&ctinvalid_note);
	if (note->fated != skb->head) {
		note->fated = skb->head;
		ng_count(&ctinvalid_guard, fate);
		ctinvalid_report_fate(skb, state, fate);
	}
	local_bh_enable();
}

static unsigned int ctinvalid_arrived(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	if (unlikely(ctinvalid_is(skb)))
		ctinvalid_fate(skb, state, CTINVALID_delivered_local);
	return NF_ACCEPT;
}

static unsigned int ctinvalid_left(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	/* Only what came in by a device has an skb_iif; tunnels clear it. */
	if (unlikely(ctinvalid_is(skb)) && !ctinvalid_unseen(skb, state))
		ctinvalid_fate(skb, state,
			       skb->skb_iif ? CTINVALID_forwarded :
			       CTINVALID_sent_local);
	return NF_ACCEPT;
}

/*
 * Before conntrack, where rules can have given the packet a template: its zone
 * is not to be seen any more once conntrack has found the packet INVALID.
 */
static unsigned int ctinvalid_template(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	struct ctinvalid_note *note;
	enum ip_conntrack_info info;
	struct nf_conn *template;

	template = nf_ct_get(skb, &info);
	if (likely(!template && !this_cpu_read(ctinvalid_note.templated)))
		return NF_ACCEPT;

	local_bh_disable();
	note = this_cpu_ptr(&ctinvalid_note);
	note->templated = NULL;
	if (template && nf_ct_is_template(template)) {
		note->zone = *nf_ct_zone_tmpl(template, skb, &note->zone);
		note->templated = skb;
		note->templated_in = state->net;
	}
	local_bh_enable();
	return NF_ACCEPT;
}

/*
 * After conntrack and after the hook that asks for the zone: the note goes with
 * its packet, for the next one may be at the same address.
 */
static unsigned int ctinvalid_template_over(void *priv, struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	if (unlikely(this_cpu_read(ctinvalid_note.templated)))
		this_cpu_write(ctinvalid_note.templated, NULL);
	return NF_ACCEPT;
}

/* BH off. Decide, act, account. */
static unsigned int ctinvalid_ending_packet(struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	const struct nf_conntrack_zone *zone;
	struct nf_conntrack_zone zone_tmp;
	struct ctinvalid_seen seen = {};
	enum ip_conntrack_info info;
	struct nf_conn *ct, *template;
	bool refused;

	template = nf_ct_get(skb, &info);
	if (info == IP_CT_UNTRACKED ||
	    (template && !nf_ct_is_template(template)))
		return NF_ACCEPT;
	zone = nf_ct_zone_tmpl(template, skb, &zone_tmp);
	ctinvalid_parse(&seen.pkt, skb, state);
	seen.pkt.key.zone = zone->id;
	seen.in = state->in;
	if (seen.pkt.fault != CTINVALID_SOUND)
		return NF_ACCEPT;

	ct = ctinvalid_flow_get(&seen.flow, &seen.pkt, skb, state->net, zone);
	if (!ct)
		return NF_ACCEPT;
	refused = ctinvalid_is_healed(ct, seen.flow.dir) &&
		  ctinvalid_outside(&seen.pkt, &seen.flow);
	nf_ct_put(ct);
	if (!refused)
		return NF_ACCEPT;

	ng_count(&ctinvalid_guard, CTINVALID_closes_refused);
	trace_ctinvalid_dropped(skb, &seen);
	ctinvalid_report_refused(&seen, state->net);
	return NF_DROP;
}

/* Before conntrack, which believes any FIN and RST of a healed flow. */
static unsigned int ctinvalid_ending(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (likely(!ctinvalid_has_heals(state->net)) ||
	    !ctinvalid_ends_connection(skb, state->pf))
		return NF_ACCEPT;

	local_bh_disable();
	verdict = ctinvalid_ending_packet(skb, state);
	local_bh_enable();
	return verdict;
}

#define CTINVALID_OP(_pf, _hooknum, _priority, _hook) {			\
	.hook = _hook,							\
	.pf = _pf,							\
	.hooknum = _hooknum,						\
	.priority = _priority,						\
}

/* Conntrack has the same priorities for both families. */
#define CTINVALID_OPS(pf) {						\
	CTINVALID_OP(pf, NF_INET_LOCAL_IN, NF_IP_PRI_LAST,		\
		     ctinvalid_arrived),				\
	CTINVALID_OP(pf, NF_INET_POST_ROUTING, NF_IP_PRI_LAST,		\
		     ctinvalid_left),					\
	CTINVALID_OP(pf, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK + 1,	\
		     ctinvalid_out),					\
	CTINVALID_OP(pf, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK + 1,	\
		     ctinvalid_in),					\
}

#define CTINVALID_ZONE_OPS(pf) {					\
	CTINVALID_OP(pf, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK + 2,	\
		     ctinvalid_template_over),				\
	CTINVALID_OP(pf, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK + 2,	\
		     ctinvalid_template_over),				\
	CTINVALID_OP(pf, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK - 1,	\
		     ctinvalid_template),				\
	CTINVALID_OP(pf, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK - 1,	\
		     ctinvalid_template),				\
}

const struct nf_hook_ops ctinvalid_ops4[] = CTINVALID_OPS(NFPROTO_IPV4);
const struct nf_hook_ops ctinvalid_ops6[] = CTINVALID_OPS(NFPROTO_IPV6);
const struct nf_hook_ops ctinvalid_zone_ops4[] =
	CTINVALID_ZONE_OPS(NFPROTO_IPV4);
const struct nf_hook_ops ctinvalid_zone_ops6[] =
	CTINVALID_ZONE_OPS(NFPROTO_IPV6);
const struct nf_hook_ops ctinvalid_heal_ops4[] = {
	CTINVALID_OP(NFPROTO_IPV4, NF_INET_PRE_ROUTING,
		     NF_IP_PRI_CONNTRACK - 1, ctinvalid_ending),
};

const struct nf_hook_ops ctinvalid_heal_ops6[] = {
	CTINVALID_OP(NFPROTO_IPV6, NF_INET_PRE_ROUTING,
		     NF_IP_PRI_CONNTRACK - 1, ctinvalid_ending),
};
