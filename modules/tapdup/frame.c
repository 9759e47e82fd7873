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

#include <netguard/compat.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* __dev_queue_xmit() refuses deeper ones, see XMIT_RECURSION_LIMIT. */
#define TAPDUP_LEVELS 10

/**
 * struct tapdup_note - what a hook tells the next one about a frame
 * @skb: the frame, to compare only
 * @head: its data; the same in the copies that a bond or bridge sends
 * @to: on receive the device that gets it next, on transmit the netns; NULL if
 *	nobody is meant
 * @bit: what was set in its mark
 * @hash: of a GSO frame, which may be cut into segments before the next hook
 */
struct tapdup_note {
	const struct sk_buff *skb;
	const void *head;
	const void *to;
	u32 bit;
	u32 hash;
};

/* In @tx, level n has [n + 1]: [0] stays empty, above the first is nobody. */
struct tapdup_notes {
	struct tapdup_note rx;
	struct tapdup_note tx[1 + TAPDUP_LEVELS];
};

static DEFINE_PER_CPU(struct tapdup_notes, tapdup_notes);
/* Stands for macvlans, who all get a frame that is multicast. */
static const struct tapdup_dev tapdup_several;
/* The marks of others are told of once per value of the parameter. */
static unsigned long tapdup_others_reported;

/*
 * The two decisions are a part of each hook: every device of a stack asks them
 * for every frame. What the compiler leaves of them by themselves is KUnit's.
 */
inline enum tapdup_next tapdup_next(const struct tapdup_takers *takers)
{
	enum tapdup_taker taker = takers->vlan;

	if (taker == TAPDUP_NOBODY)
		taker = takers->lag_idle ? TAPDUP_NOBODY : takers->lag;
	if (taker == TAPDUP_NOBODY)
		taker = takers->macvlan;

	return taker == TAPDUP_WATCHED ? TAPDUP_ANOTHER : TAPDUP_LAST;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_next);

inline struct tapdup_verdict tapdup_judge(const struct tapdup_round *round)
{
	u32 ours = round->noted ? round->noted_bit : round->strays;
	struct tapdup_verdict verdict = {
		.found = round->mark & ours,
		.mark = round->mark & ~ours,
	};

	if (round->noted || verdict.found)
		verdict.kind = TAPDUP_DUPLICATE;
	if (round->wanted && !(verdict.mark & round->bit)) {
		verdict.set = round->bit;
		verdict.mark |= round->bit;
	}

	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_judge);

static bool tapdup_is_same(const struct tapdup_note *note,
			   const struct sk_buff *skb)
{
	return note->skb == skb || note->head == skb->head;
}

static void tapdup_note(struct tapdup_note *note, const struct sk_buff *skb,
			const void *to, u32 bit)
{
	note->skb = skb;
	note->head = skb->head;
	note->to = to;
	note->bit = bit;
}

/* The bit to mark with; none before every device of the netns has its hooks. */
static u32 tapdup_bit(const struct tapdup_net *tn)
{
	/* Pairs with tapdup_net_mark(): who sees the bit sees the hooks. */
	return smp_load_acquire(&tn->bit);
}

static enum tapdup_taker tapdup_taker(const struct tapdup_dev *from,
				      const struct tapdup_dev *to)
{
	return to && to->tn == from->tn ? TAPDUP_WATCHED : TAPDUP_BLIND;
}

/*
 * The VLAN device for the frame's tag, if it is watched. For microseconds after
 * that has left its VLAN group we still say so: its frames are then for nobody,
 * unless others wait for them here, which tapdup_find_taker_mixed() asks for.
 */
static __always_inline const struct tapdup_dev *
tapdup_vlan(const struct tapdup_dev *td, const struct sk_buff *skb)
{
	u32 tag = tapdup_tag(skb->vlan_proto, skb_vlan_tag_get_id(skb));
	const struct tapdup_dev *vlan;

	hlist_for_each_entry_rcu(vlan, tapdup_vlans(td->dev, tag), by_vlan)
		if (vlan->lower == td->dev && vlan->tag == tag)
			return vlan;

	return NULL;
}

/* bond_should_deliver_exact_match(); a team shows its ports' state to nobody. */
static bool tapdup_port_is_idle(const struct net_device *dev,
				const struct sk_buff *skb, unsigned int roles)
{
	const struct slave *slave;

	if (!(roles & TAPDUP_BOND_PORT))
		return false;

	/* bond_enslave() links it to the bond only behind this pointer. */
	slave = bond_slave_get_rcu(dev);
	return slave && unlikely(slave->inactive) &&
	       (BOND_MODE(slave->bond) != BOND_MODE_ALB ||
		skb->pkt_type == PACKET_BROADCAST ||
		skb->pkt_type == PACKET_MULTICAST);
}

/* As macvlan_handle_frame() finds the one it gives a unicast frame to. */
static const struct tapdup_dev *tapdup_macvlan(const struct tapdup_dev *td,
					       const struct sk_buff *skb,
					       enum tapdup_taker *taker)
{
	const struct ethhdr *eth = eth_hdr(skb);
	const struct tapdup_dev *to;
	struct net_device *upper;
	struct list_head *iter;
	enum macvlan_mode mode;

	if (is_multicast_ether_addr(eth->h_dest)) {
		*taker = READ_ONCE(td->roles) & TAPDUP_MACVLANS_HERE ?
			TAPDUP_WATCHED : TAPDUP_BLIND;
		return &tapdup_several;
	}

	netdev_for_each_upper_dev_rcu(td->dev, upper, iter) {
		if (!netif_is_macvlan(upper))
			continue;
		mode = ((struct macvlan_dev *)netdev_priv(upper))->mode;
		if (mode != MACVLAN_MODE_PASSTHRU &&
		    (mode == MACVLAN_MODE_SOURCE ||
		     !ether_addr_equal(upper->dev_addr, eth->h_dest)))
			continue;
		to = tapdup_dev_watched(upper);
		*taker = tapdup_taker(td, to);
		return to;
	}

	return NULL;
}

/* Does the device have a VLAN device for the frame's tag, here or elsewhere? */
static bool tapdup_has_vlan(const struct net_device *dev,
			    const struct sk_buff *skb)
{
	const struct net_device *vlan;

	vlan = __vlan_find_dev_deep_rcu((struct net_device *)dev,
					skb->vlan_proto,
					skb_vlan_tag_get_id(skb));
	/* What it finds may also sit on the master of the device. */
	return vlan && vlan_dev_priv(vlan)->real_dev == dev;
}

/*
 * Who gets the frame next, where only VLAN devices may take it, or only a LAG?
 * NULL: nobody whose hook would take the mark off again.
 */
static const struct tapdup_dev *
tapdup_find_taker(const struct tapdup_dev *td, const struct sk_buff *skb,
		  unsigned int roles)
{
	const struct tapdup_dev *to = NULL;
	struct tapdup_takers takers = {};

	if (roles & TAPDUP_LAG_PORT) {
		to = rcu_dereference(td->lag);
		takers.lag = to ? TAPDUP_WATCHED : TAPDUP_BLIND;
		takers.lag_idle = tapdup_port_is_idle(td->dev, skb, roles);
	} else if (roles & TAPDUP_HAS_VLANS && skb_vlan_tag_present(skb)) {
		to = tapdup_vlan(td, skb);
		takers.vlan = tapdup_taker(td, to);
	}

	return tapdup_next(&takers) == TAPDUP_ANOTHER ? to : NULL;
}

/* The same where several may, e.g. a bond and a VLAN device on its port. */
static const struct tapdup_dev *
tapdup_find_taker_mixed(const struct tapdup_dev *td, const struct sk_buff *skb,
			unsigned int roles)
{
	struct tapdup_takers takers = {};
	const struct tapdup_dev *to;

	if (roles & TAPDUP_HAS_VLANS && skb_vlan_tag_present(skb) &&
	    tapdup_has_vlan(td->dev, skb))
		return tapdup_find_taker(td, skb, TAPDUP_HAS_VLANS);
	if (!(roles & TAPDUP_HAS_MACVLANS))
		return tapdup_find_taker(td, skb, roles & ~TAPDUP_HAS_VLANS);

	to = tapdup_macvlan(td, skb, &takers.macvlan);
	return tapdup_next(&takers) == TAPDUP_ANOTHER ? to : NULL;
}

/* Not inline: the hooks themselves call nothing, and so have to save nothing. */
static noinline void tapdup_rx_trace(const struct tapdup_dev *td,
				     const struct sk_buff *skb)
{
	trace_tapdup_rx_duplicate(skb, td->dev);
}

static noinline void tapdup_tx_trace(const struct tapdup_dev *td,
				     const struct sk_buff *skb)
{
	trace_tapdup_tx_duplicate(skb, td->dev);
}

/* The round on this device is over: what was it, and who gets the frame next? */
static __always_inline unsigned int
tapdup_rx_round(const struct tapdup_dev *td, struct sk_buff *skb,
		unsigned int roles, const struct tapdup_dev *to)
{
	struct tapdup_note *note = this_cpu_ptr(&tapdup_notes.rx);
	struct tapdup_round round = {
		.mark = skb->mark,
		.bit = tapdup_bit(td->tn),
		.noted = note->to == td && tapdup_is_same(note, skb),
		.noted_bit = note->bit,
		.wanted = to,
	};
	struct tapdup_verdict verdict;

	if (!round.noted && unlikely(round.mark) && roles & TAPDUP_UPPER)
		round.strays = READ_ONCE(tapdup_strays);

	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;
	tapdup_note(note, skb, to, verdict.set);

	if (verdict.kind == TAPDUP_DUPLICATE) {
		this_cpu_inc(td->counts->rounds[verdict.found ?
			     TAPDUP_RX_MARKED : TAPDUP_RX_PLAIN]);
		if (trace_tapdup_rx_duplicate_enabled())
			tapdup_rx_trace(td, skb);
	}
	return NF_ACCEPT;
}

static noinline unsigned int tapdup_ingress_mixed(const struct tapdup_dev *td,
						  struct sk_buff *skb,
						  unsigned int roles)
{
	return tapdup_rx_round(td, skb, roles,
			       tapdup_find_taker_mixed(td, skb, roles));
}

/* After the device's taps. */
unsigned int tapdup_ingress(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	const struct tapdup_dev *td = priv;
	unsigned int roles = READ_ONCE(td->roles);

	if (unlikely(roles & TAPDUP_RX_MIXED))
		return tapdup_ingress_mixed(td, skb, roles);

	return tapdup_rx_round(td, skb, roles, tapdup_find_taker(td, skb, roles));
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
	if (skb->dev == state->in)
		return NF_ACCEPT;
	to = tapdup_dev_watched(skb->dev);
	if (!to)
		return NF_ACCEPT;

	round.wanted = true;
	round.bit = tapdup_bit(tn);
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

	td = tapdup_dev_watched(state->in);
	if (td && is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		skb->mark &= ~(tapdup_is_same(note, skb) ?
			       note->bit : READ_ONCE(tapdup_strays));
	return NF_ACCEPT;
}

void tapdup_others_reset(void)
{
	if (test_and_clear_bit(0, &tapdup_others_reported))
		ng_count_add(&tapdup_guard, TAPDUP_mark_taken, -1);
}

static void tapdup_report_others(const struct net_device *dev, u32 bit)
{
	struct ng_finding *finding;
	struct seq_buf *row;
	char cause[192];

	if (test_bit(0, &tapdup_others_reported) ||
	    test_and_set_bit(0, &tapdup_others_reported))
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

static noinline void tapdup_marked_by_others(const struct tapdup_dev *td,
					     const struct sk_buff *skb, u32 bit)
{
	ng_count(&tapdup_guard, TAPDUP_marked_by_others);
	trace_tapdup_marked_by_others(skb, td->dev);
	tapdup_report_others(td->dev, bit);
}

static bool tapdup_is_sent_on(const struct tapdup_note *note,
			      const struct sk_buff *skb,
			      const struct tapdup_net *tn)
{
	return note->to == tn && (tapdup_is_same(note, skb) ||
				  (note->hash && note->hash == skb->hash));
}

/* The round on this device comes now: did the frame have one further up? */
unsigned int tapdup_egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct tapdup_note *above, *note;
	unsigned int level = dev_recursion_level();
	const struct tapdup_dev *td = priv;
	const struct tapdup_net *tn = td->tn;
	unsigned int roles = READ_ONCE(td->roles);
	struct tapdup_round round = {
		.mark = skb->mark,
		.bit = tapdup_bit(tn),
	};
	struct tapdup_verdict verdict;

	if (unlikely(level >= TAPDUP_LEVELS))
		return NF_ACCEPT;
	above = this_cpu_ptr(tapdup_notes.tx) + level;
	note = above + 1;

	if (tapdup_is_sent_on(above, skb, tn)) {
		round.noted = true;
		round.noted_bit = above->bit;
		round.wanted = roles & TAPDUP_TX_LEAVES;
		/* Copies go first, the frame itself last: no other follows. */
		if (above->skb == skb)
			above->to = NULL;
	}

	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;

	if (roles & TAPDUP_UPPER) {
		tapdup_note(note, skb, tn, verdict.set);
		/* Its segments have nothing else in common with it. */
		note->hash = skb_is_gso(skb) ? skb->hash : 0;
	} else {
		note->to = NULL;
	}

	if (verdict.kind == TAPDUP_DUPLICATE) {
		this_cpu_inc(td->counts->rounds[verdict.set ?
			     TAPDUP_TX_MARKED : TAPDUP_TX_PLAIN]);
		if (trace_tapdup_tx_duplicate_enabled())
			tapdup_tx_trace(td, skb);
	} else if (unlikely(round.mark & round.bit)) {
		tapdup_marked_by_others(td, skb, round.bit);
	}
	return NF_ACCEPT;
}

/* A marked frame enters the bridge from above: not for the rules in there. */
unsigned int tapdup_bridge_out(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	unsigned int level = dev_recursion_level();
	const struct tapdup_note *above;

	if (unlikely(level >= TAPDUP_LEVELS))
		return NF_ACCEPT;

	above = this_cpu_ptr(tapdup_notes.tx) + level;
	if (tapdup_is_sent_on(above, skb, priv))
		skb->mark &= ~above->bit;
	return NF_ACCEPT;
}
