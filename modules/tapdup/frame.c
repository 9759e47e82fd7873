// SPDX-License-Identifier: GPL-2.0
/*
 * A frame between two rounds of taps.
 *
 * A device hands a frame to the next one on the same CPU and with bottom
 * halves off, so a note per CPU is enough to know it again: one on receive,
 * where rounds follow each other, and one per level of nesting on transmit.
 */

#include "tapdup.h"

#include <linux/etherdevice.h>
#include <linux/if_macvlan.h>
#include <linux/if_vlan.h>
#include <linux/rcupdate.h>
#include <net/bonding.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* __dev_queue_xmit() refuses deeper ones, see XMIT_RECURSION_LIMIT. */
#define TAPDUP_LEVELS 10

/**
 * struct tapdup_note - what a hook tells the next one about a frame
 * @skb: the frame, to compare only
 * @head: its data; the same in the copies that a bond or bridge sends
 * @hash: of a GSO frame, which may be cut into segments before the next hook
 * @to: on receive the device that gets it next, NULL if there are several;
 *	on transmit the netns
 * @bit: what was set in its mark
 */
struct tapdup_note {
	const struct sk_buff *skb;
	const void *head;
	u32 hash;
	const void *to;
	u32 bit;
};

struct tapdup_notes {
	struct tapdup_note rx;
	struct tapdup_note tx[TAPDUP_LEVELS];
};

static DEFINE_PER_CPU(struct tapdup_notes, tapdup_notes);
/* The marks of others are told of once per value of the parameter. */
static unsigned long tapdup_others_told;

static bool tapdup_is_noted(const struct tapdup_note *note,
			    const struct sk_buff *skb, const void *to)
{
	if (note->to != to)
		return false;

	return note->skb == skb || note->head == skb->head ||
	       (note->hash && note->hash == skb->hash);
}

static void tapdup_note(struct tapdup_note *note, const struct sk_buff *skb,
			const void *to, u32 bit)
{
	note->skb = skb;
	note->head = skb->head;
	note->hash = 0;
	note->to = to;
	note->bit = bit;
}

/* Before it is live, not every device of the netns has its hooks. */
static bool tapdup_is_live(const struct tapdup_net *tn)
{
	/* Pairs with tapdup_net_attach(): who sees it live sees the hooks. */
	return smp_load_acquire(&tn->live);
}

/**
 * struct tapdup_way - where a frame goes from a device
 * @taker: what kind of device takes it there
 * @to: that device if it is watched, NULL also if there are several
 */
struct tapdup_way {
	enum tapdup_taker taker;
	const struct tapdup_dev *to;
};

static struct tapdup_way tapdup_way(const struct tapdup_dev *from,
				    const struct tapdup_dev *to)
{
	return (struct tapdup_way){
		.taker = to && to->tn == from->tn ? TAPDUP_WATCHED :
						    TAPDUP_BLIND,
		.to = to,
	};
}

static struct tapdup_way tapdup_vlan(const struct tapdup_dev *td,
				     const struct sk_buff *skb)
{
	struct net_device *vlan;

	vlan = __vlan_find_dev_deep_rcu(td->dev, skb->vlan_proto,
					skb_vlan_tag_get_id(skb));
	/* What it finds may also sit on the master of the device. */
	if (!vlan || vlan_dev_priv(vlan)->real_dev != td->dev)
		return (struct tapdup_way){ TAPDUP_NOBODY };

	return tapdup_way(td, tapdup_dev_find(vlan));
}

/* bond_should_deliver_exact_match(); a team shows its ports' state to nobody. */
static bool tapdup_port_is_idle(const struct net_device *dev,
				const struct sk_buff *skb)
{
	struct slave *slave;

	if (!netif_is_bond_slave(dev))
		return false;

	slave = bond_slave_get_rcu(dev);
	return slave && bond_is_slave_inactive(slave) &&
	       (BOND_MODE(slave->bond) != BOND_MODE_ALB ||
		skb->pkt_type == PACKET_BROADCAST ||
		skb->pkt_type == PACKET_MULTICAST);
}

/* As macvlan_handle_frame() finds the one it gives a unicast frame to. */
static noinline struct tapdup_way tapdup_macvlan(const struct tapdup_dev *td,
						 const struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);
	struct net_device *upper;
	struct list_head *iter;
	enum macvlan_mode mode;

	if (is_multicast_ether_addr(eth->h_dest))
		return (struct tapdup_way){
			READ_ONCE(td->roles) & TAPDUP_MACVLANS_HERE ?
				TAPDUP_WATCHED : TAPDUP_BLIND
		};

	netdev_for_each_upper_dev_rcu(td->dev, upper, iter) {
		if (!netif_is_macvlan(upper))
			continue;
		mode = ((struct macvlan_dev *)netdev_priv(upper))->mode;
		if (mode != MACVLAN_MODE_PASSTHRU &&
		    (mode == MACVLAN_MODE_SOURCE ||
		     !ether_addr_equal(upper->dev_addr, eth->h_dest)))
			continue;
		return tapdup_way(td, tapdup_dev_find(upper));
	}

	return (struct tapdup_way){ TAPDUP_NOBODY };
}

/* Where will taps see it again? Return: taker is NOBODY if that is nowhere. */
static struct tapdup_way tapdup_look_ahead(const struct tapdup_dev *td,
					   const struct sk_buff *skb,
					   unsigned int roles)
{
	struct tapdup_takers takers = {};
	struct tapdup_way way = {};

	if (roles & TAPDUP_HAS_VLANS && skb_vlan_tag_present(skb)) {
		way = tapdup_vlan(td, skb);
		takers.vlan = way.taker;
	}

	if (takers.vlan == TAPDUP_NOBODY && roles & TAPDUP_LAG_PORT) {
		way = tapdup_way(td, rcu_dereference(td->lag));
		takers.lag = way.taker;
		takers.lag_idle = tapdup_port_is_idle(td->dev, skb);
	} else if (takers.vlan == TAPDUP_NOBODY &&
		   roles & TAPDUP_HAS_MACVLANS) {
		way = tapdup_macvlan(td, skb);
		takers.macvlan = way.taker;
	}

	if (tapdup_next(&takers) == TAPDUP_LAST)
		return (struct tapdup_way){ TAPDUP_NOBODY };
	return way;
}

static void tapdup_rx_account(const struct tapdup_dev *td,
			      const struct sk_buff *skb, bool marked)
{
	this_cpu_inc(td->counts->rx_duplicates);
	ng_count(&tapdup_guard, TAPDUP_rx_duplicates);
	if (marked)
		ng_count(&tapdup_guard, TAPDUP_marked);
	trace_tapdup_rx_duplicate(skb, td->dev);
}

/* The round on this device is over: what was it, and is there another one? */
unsigned int tapdup_ingress(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	const struct tapdup_dev *td = priv;
	unsigned int roles = READ_ONCE(td->roles);
	struct tapdup_verdict verdict;
	struct tapdup_way way = {};
	struct tapdup_note *note;
	struct tapdup_round round;

	/* First, so that little has to be kept over the calls this takes. */
	if (roles & TAPDUP_RX_TAKERS && tapdup_is_live(td->tn))
		way = tapdup_look_ahead(td, skb, roles);

	note = this_cpu_ptr(&tapdup_notes.rx);
	round = (struct tapdup_round){
		.mark = skb->mark,
		.bit = tapdup_bit(),
		.noted = tapdup_is_noted(note, skb, td),
		.noted_bit = note->bit,
		.strays = roles & TAPDUP_UPPER ? READ_ONCE(tapdup_strays) : 0,
		.wanted = way.taker != TAPDUP_NOBODY,
	};
	verdict = tapdup_judge(&round);
	if (skb->mark != verdict.mark)
		skb->mark = verdict.mark;
	tapdup_note(note, skb, way.to, verdict.set);

	if (verdict.kind == TAPDUP_DUPLICATE)
		tapdup_rx_account(td, skb, verdict.found);
	return NF_ACCEPT;
}

/* The bridge passes a frame up to itself, where taps will see it again. */
unsigned int tapdup_bridge_up(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct tapdup_note *note = this_cpu_ptr(&tapdup_notes.rx);
	struct tapdup_round round = { .mark = skb->mark };
	const struct tapdup_net *tn = priv;
	struct tapdup_verdict verdict;
	const struct tapdup_dev *to;

	/* br_handle_local_finish() comes this way too, and stays on the port. */
	if (skb->dev == state->in || !tapdup_is_live(tn))
		return NF_ACCEPT;
	to = tapdup_dev_find(skb->dev);
	if (!to)
		return NF_ACCEPT;

	round.wanted = true;
	round.bit = tapdup_bit();
	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;
	tapdup_note(note, skb, to, verdict.set);
	return NF_ACCEPT;
}

/* Macvlans got marked copies of this frame, the stack gets the frame itself. */
unsigned int tapdup_stack(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct tapdup_note *note = this_cpu_ptr(&tapdup_notes.rx);
	const struct tapdup_dev *td;

	if (likely(!(skb->mark & READ_ONCE(tapdup_strays))) ||
	    !state->in || !netif_is_macvlan_port(state->in))
		return NF_ACCEPT;

	td = tapdup_dev_find(state->in);
	if (td && is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		skb->mark &= ~(tapdup_is_noted(note, skb, NULL) ?
			       note->bit : READ_ONCE(tapdup_strays));
	return NF_ACCEPT;
}

void tapdup_others_forget(void)
{
	if (test_and_clear_bit(0, &tapdup_others_told))
		ng_count_add(&tapdup_guard, TAPDUP_mark_taken, -1);
}

static void tapdup_tell_of_others(const struct net_device *dev, u32 bit)
{
	struct ng_finding *finding;
	struct seq_buf *row;
	char cause[192];

	if (test_bit(0, &tapdup_others_told) ||
	    test_and_set_bit(0, &tapdup_others_told))
		return;

	ng_count(&tapdup_guard, TAPDUP_mark_taken);
	finding = ng_finding_begin(&tapdup_guard, dev_net(dev), NG_WARNING);
	if (!finding)
		return;

	snprintf(cause, sizeof(cause),
		 "packets that leave through %s carry the bit 0x%x in their mark already: a rule or a socket uses it, and a capture could not tell them from duplicates",
		 dev->name, bit);
	row = ng_finding_row(finding);
	ng_row_printf(row, "netns=%u", dev_net(dev)->ns.inum);
	ng_row_str(row, "dev", dev->name);
	ng_row_printf(row, "ifindex=%d", dev->ifindex);
	ng_finding_end(finding, cause,
		       "choose a bit that nobody uses: echo 0x20000000 > /sys/module/netguard_tapdup/parameters/mark");
}

static void tapdup_tx_account(const struct tapdup_dev *td,
			      const struct sk_buff *skb,
			      const struct tapdup_round *round,
			      const struct tapdup_verdict *verdict)
{
	if (verdict->kind == TAPDUP_DUPLICATE) {
		this_cpu_inc(td->counts->tx_duplicates);
		ng_count(&tapdup_guard, TAPDUP_tx_duplicates);
		if (verdict->set)
			ng_count(&tapdup_guard, TAPDUP_marked);
		trace_tapdup_tx_duplicate(skb, td->dev);
	} else if (unlikely(round->mark & round->bit)) {
		ng_count(&tapdup_guard, TAPDUP_marked_by_others);
		trace_tapdup_marked_by_others(skb, td->dev);
		tapdup_tell_of_others(td->dev, round->bit);
	}
}

/* Is the mark out of everybody's sight once the device's taps saw it? */
static bool tapdup_tx_leaves(struct net_device *dev, unsigned int roles)
{
	const struct net_device *peer;

	if (!(roles & TAPDUP_TX_PEER))
		return roles & TAPDUP_TX_LEAVES;

	/* skb_scrub_packet() takes the whole mark away between two netns. */
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return peer && !net_eq(dev_net(peer), dev_net(dev));
}

/* The round on this device comes now: did the frame have one further up? */
unsigned int tapdup_egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct tapdup_note *notes = this_cpu_ptr(tapdup_notes.tx);
	unsigned int level = dev_recursion_level();
	const struct tapdup_dev *td = priv;
	unsigned int roles = READ_ONCE(td->roles);
	struct tapdup_round round = {
		.mark = skb->mark,
		.bit = tapdup_is_live(td->tn) ? tapdup_bit() : 0,
	};
	struct tapdup_verdict verdict;

	if (level >= TAPDUP_LEVELS)
		return NF_ACCEPT;

	if (level && tapdup_is_noted(&notes[level - 1], skb, td->tn)) {
		round.noted = true;
		round.noted_bit = notes[level - 1].bit;
		round.wanted = tapdup_tx_leaves(td->dev, roles);
		/* Copies go first, the frame itself last: no other follows. */
		if (notes[level - 1].skb == skb)
			notes[level - 1].to = NULL;
	}

	verdict = tapdup_judge(&round);
	if (skb->mark != verdict.mark)
		skb->mark = verdict.mark;

	tapdup_note(&notes[level], skb, roles & TAPDUP_UPPER ? td->tn : NULL,
		    verdict.set);
	/* Its segments have nothing else in common with it. */
	if (skb_is_gso(skb))
		notes[level].hash = skb->hash;

	tapdup_tx_account(td, skb, &round, &verdict);
	return NF_ACCEPT;
}

/* A marked frame enters the bridge from above: not for the rules in there. */
unsigned int tapdup_bridge_out(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	const struct tapdup_note *notes = this_cpu_ptr(tapdup_notes.tx);
	unsigned int level = dev_recursion_level();

	if (level && level <= TAPDUP_LEVELS &&
	    tapdup_is_noted(&notes[level - 1], skb, priv))
		skb->mark &= ~notes[level - 1].bit;
	return NF_ACCEPT;
}
