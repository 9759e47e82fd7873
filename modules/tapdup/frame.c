// SPDX-License-Identifier: GPL-2.0
/*
 * A frame between two rounds of taps.
 *
 * Received: the ingress hook of a device, behind everything that could take the
 * frame away there, sets the mark for the taps of the next device; the last of
 * those taps is ours, and takes it off before tc, netfilter or an rx_handler
 * run. Sent: the egress hook of a device, before everything else there, clears
 * what the device above had, and sets the mark for this device's taps, if nothing
 * lies between.
 *
 * A device hands a frame to the next one on the same CPU and with bottom halves
 * off, so a note is enough to know it again: one on receive, where rounds follow
 * each other, and one per level of nesting on transmit.
 */

#include "tapdup.h"

#include <linux/etherdevice.h>
#include <linux/hash.h>
#include <linux/if_macvlan.h>
#include <linux/if_vlan.h>
#include <linux/jiffies.h>
#include <linux/netfilter_bridge.h>
#include <linux/rcupdate.h>
#include <net/bonding.h>
#include <net/sch_generic.h>

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

/*
 * With PREEMPT_RT a task can be preempted by another with bottom halves off; on
 * 6.18 and later (3253cb49cbad) nothing keeps that out of a section which does
 * not lock. So there notes are the task's. It stays on its CPU meanwhile, which
 * leaves few tasks that could meet in one place; if two do, a note is lost, and
 * with it a mark, see @strays.
 */
#define TAPDUP_TASK_BITS (IS_ENABLED(CONFIG_PREEMPT_RT) ? 3 : 0)

struct tapdup_cpu {
	struct tapdup_notes notes[1 << TAPDUP_TASK_BITS];
};

static DEFINE_PER_CPU(struct tapdup_cpu, tapdup_cpus);
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
	if (round->wanted && !round->risks && !(verdict.mark & round->bit)) {
		verdict.set = round->bit;
		verdict.mark |= round->bit;
	}

	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_judge);

static struct tapdup_notes *tapdup_notes(void)
{
	struct tapdup_cpu *cpu = this_cpu_ptr(&tapdup_cpus);

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		return cpu->notes;

	return cpu->notes + hash_ptr(current, TAPDUP_TASK_BITS ?: 1);
}

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

/*
 * bond_should_deliver_exact_match(). A team shows its ports' state to nobody, but
 * what is for the next device only (LACP, LLDP) stays with its port.
 */
static bool tapdup_port_is_idle(const struct net_device *dev,
				const struct sk_buff *skb, unsigned int roles)
{
	const struct slave *slave;

	if (!(roles & TAPDUP_BOND_PORT))
		return is_link_local_ether_addr(eth_hdr(skb)->h_dest);

	/* bond_enslave() links it to the bond only behind this pointer. */
	slave = bond_slave_get_rcu(dev);
	return slave && unlikely(slave->inactive) &&
	       (BOND_MODE(slave->bond) != BOND_MODE_ALB ||
		skb->pkt_type == PACKET_BROADCAST ||
		skb->pkt_type == PACKET_MULTICAST);
}

/*
 * As macvlan_handle_frame() finds the one it gives a unicast frame to. Others get
 * copies by a worker, while the frame itself goes on here: nothing to be marked.
 */
static const struct tapdup_dev *tapdup_macvlan(const struct tapdup_dev *td,
					       const struct sk_buff *skb,
					       enum tapdup_taker *taker)
{
	const struct ethhdr *eth = eth_hdr(skb);
	const struct tapdup_dev *to = NULL;
	struct net_device *upper;
	struct list_head *iter;
	enum macvlan_mode mode;

	if (skb->pkt_type == PACKET_LOOPBACK ||
	    is_multicast_ether_addr(eth->h_dest))
		return NULL;

	netdev_for_each_upper_dev_rcu(td->dev, upper, iter) {
		if (!netif_is_macvlan(upper))
			continue;
		mode = ((struct macvlan_dev *)netdev_priv(upper))->mode;
		/* Copies of what it wants go to it by netif_rx(). */
		if (mode == MACVLAN_MODE_SOURCE)
			return NULL;
		/* Its address counts while it is up. */
		if (to || !(READ_ONCE(upper->flags) & IFF_UP) ||
		    (mode != MACVLAN_MODE_PASSTHRU &&
		     !ether_addr_equal(upper->dev_addr, eth->h_dest)))
			continue;
		to = tapdup_dev_watched(upper);
		*taker = tapdup_taker(td, to);
	}

	return to;
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

/* Do only guards come behind our hook? They take no frame and read no mark. */
static noinline bool tapdup_only_guards(const struct nf_hook_entries *hooks,
					nf_hookfn *fn)
{
	struct nf_hook_ops **ops = nf_hook_entries_get_hook_ops(hooks);
	unsigned int i = hooks->num_hook_entries;

	while (i--) {
		if (hooks->hooks[i].hook == fn)
			return true;
		if (READ_ONCE(ops[i])->hook_ops_type != NF_HOOK_OP_UNDEFINED)
			break;
	}
	return false;
}

static bool tapdup_is_last(const struct nf_hook_entries *hooks, nf_hookfn *fn)
{
	/* The last hook may have been unregistered meanwhile. */
	if (unlikely(!hooks))
		return false;
	if (likely(hooks->hooks[hooks->num_hook_entries - 1].hook == fn))
		return true;

	return tapdup_only_guards(hooks, fn);
}

/*
 * Taps of the next device see every frame, but for those made of the memory that
 * is kept for swapping, and those whose pages are a process's and could not be
 * copied, deliver_skb().
 */
static unsigned int tapdup_tap_risks(const struct net_device *to,
				     struct sk_buff *skb)
{
	unsigned int risks = 0;

	if (unlikely(skb_pfmemalloc(skb) || skb_zcopy(skb)))
		risks |= TAPDUP_NO_TAPS;
	if (unlikely(rcu_access_pointer(to->xdp_prog)))
		risks |= TAPDUP_XDP;
	return risks;
}

static unsigned int tapdup_rx_risks(const struct tapdup_dev *td,
				    const struct tapdup_dev *to,
				    struct sk_buff *skb)
{
	unsigned int risks = tapdup_tap_risks(to->dev, skb);

	/* A LAG lets go of it first, and of the link to its port last. */
	if (!to->lower && unlikely(!rcu_access_pointer(td->dev->rx_handler)))
		risks |= TAPDUP_HANDLER;
	if (!tapdup_is_last(rcu_dereference(td->dev->nf_hooks_ingress),
			    tapdup_ingress))
		risks |= TAPDUP_HOOKS;
	return risks;
}

static __always_inline unsigned int
tapdup_rx_mark(const struct tapdup_dev *td, struct sk_buff *skb,
	       const struct tapdup_dev *to)
{
	struct tapdup_note *note = &tapdup_notes()->rx;
	struct tapdup_round round = { .mark = skb->mark };
	struct tapdup_verdict verdict;

	if (!to) {
		note->to = NULL;
		return NF_ACCEPT;
	}

	round.bit = tapdup_bit(td->tn);
	round.wanted = true;
	round.risks = tapdup_rx_risks(td, to, skb);
	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;
	tapdup_note(note, skb, to, verdict.set);
	return NF_ACCEPT;
}

static noinline unsigned int tapdup_ingress_mixed(const struct tapdup_dev *td,
						  struct sk_buff *skb,
						  unsigned int roles)
{
	return tapdup_rx_mark(td, skb, tapdup_find_taker_mixed(td, skb, roles));
}

/* Behind the device's taps and all that may take the frame away from it. */
unsigned int tapdup_ingress(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	const struct tapdup_dev *td = priv;
	unsigned int roles = READ_ONCE(td->roles);

	if (!(roles & TAPDUP_RX_TAKERS))
		return NF_ACCEPT;
	if (unlikely(roles & TAPDUP_RX_MIXED))
		return tapdup_ingress_mixed(td, skb, roles);

	return tapdup_rx_mark(td, skb, tapdup_find_taker(td, skb, roles));
}

/*
 * The last tap of a device that gets frames from others: this round is over. The
 * skb is the one that goes on, with a reference for us.
 */
int tapdup_rx_tap(struct sk_buff *skb, struct net_device *dev,
		  struct packet_type *pt, struct net_device *orig_dev)
{
	const struct tapdup_dev *td = container_of(pt, struct tapdup_dev, tap);
	struct tapdup_note *note = &tapdup_notes()->rx;
	struct tapdup_round round = {
		.mark = skb->mark,
		.noted = note->to == td && tapdup_is_same(note, skb),
		.noted_bit = note->bit,
	};
	struct tapdup_verdict verdict;

	if (!round.noted && unlikely(round.mark))
		round.strays = READ_ONCE(tapdup_strays);

	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;

	if (verdict.kind == TAPDUP_DUPLICATE) {
		note->to = NULL;
		this_cpu_inc(td->counts->rounds[verdict.found ?
			     TAPDUP_RX_MARKED : TAPDUP_RX_PLAIN]);
		if (trace_tapdup_rx_duplicate_enabled())
			tapdup_rx_trace(td, skb);
	}
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

/* The bridge passes a frame up to itself, where taps will see it again. */
unsigned int tapdup_bridge_up(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	const struct nf_hook_entries *hooks;
	const struct tapdup_net *tn = priv;
	struct tapdup_round round = {};
	const struct tapdup_dev *to;
	struct tapdup_verdict verdict;

	/* br_handle_local_finish() comes this way too, and stays on the port. */
	if (skb->dev == state->in)
		return NF_ACCEPT;
	to = tapdup_dev_watched(skb->dev);
	if (!to)
		return NF_ACCEPT;

	hooks = ng_bridge_hooks(state->net, NF_BR_LOCAL_IN);
	round.mark = skb->mark;
	round.bit = tapdup_bit(tn);
	round.wanted = true;
	round.risks = tapdup_tap_risks(skb->dev, skb);
	if (!hooks || !tapdup_is_last(hooks, tapdup_bridge_up))
		round.risks |= TAPDUP_HOOKS;
	/* It begins at netif_receive_skb() again. */
	if (ng_dev_has_rps(skb->dev))
		round.risks |= TAPDUP_QUEUE;
	verdict = tapdup_judge(&round);
	skb->mark = verdict.mark;
	tapdup_note(&tapdup_notes()->rx, skb, to, verdict.set);
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

/* Queues that hold frames back or drop them, but have no way to look at a mark. */
static bool tapdup_is_plain(const struct Qdisc *queue)
{
	const struct Qdisc_class_ops *classes = queue->ops->cl_ops;
	const struct tcf_block *filters;

	/* By its option fwmark it reads the mark itself. */
	if (!strcmp(queue->ops->id, "cake"))
		return false;
	if (!classes)
		return true;
	/* Classes of its own, with anything inside: htb, prio, but also netem. */
	if (classes->graft)
		return false;
	if (!classes->tcf_block)
		return true;

	filters = classes->tcf_block((struct Qdisc *)queue, 0, NULL);
	return !filters || !READ_ONCE(filters->chain0.chain);
}

static bool tapdup_are_plain(const struct net_device *dev)
{
	unsigned int i, n = READ_ONCE(dev->real_num_tx_queues);
	const struct netdev_queue *txq;

	for (i = 0; i < n; i++) {
		txq = netdev_get_tx_queue(dev, i);
		if (!tapdup_is_plain(rcu_dereference(txq->qdisc)))
			return false;
	}
	return true;
}

static noinline bool tapdup_queue_sync(struct tapdup_dev *td,
				       const struct Qdisc *root)
{
	unsigned long now = jiffies;

	if (root->flags & TCQ_F_MQROOT ? !tapdup_are_plain(td->dev) :
					 !tapdup_is_plain(root))
		return false;

	WRITE_ONCE(td->queue, root);
	WRITE_ONCE(td->queue_at, now);
	return true;
}

/*
 * Below a device that hands frames on nothing may come later; what a NIC sends
 * may wait in a queue. Which of its queues it will be is not known yet, so all
 * are looked at, once a jiffy: a filter that somebody adds to one is found then.
 */
static bool tapdup_is_queued(struct tapdup_dev *td, unsigned int roles)
{
	const struct Qdisc *root = rcu_dereference(td->dev->qdisc);

	if (!root->enqueue && !(root->flags & TCQ_F_MQROOT))
		return false;
	if (roles & TAPDUP_UPPER)
		return true;
	if (likely(READ_ONCE(td->queue) == root &&
		   !time_after(jiffies, READ_ONCE(td->queue_at))))
		return false;

	return !tapdup_queue_sync(td, root);
}

/* A bridge's own frames pass its rules, behind a hook that clears the mark. */
static bool tapdup_is_first_in_bridge(const struct net_device *dev)
{
	const struct nf_hook_entries *hooks =
		ng_bridge_hooks(dev_net(dev), NF_BR_LOCAL_OUT);

	return hooks && hooks->hooks[0].hook == tapdup_bridge_out;
}

static unsigned int tapdup_tx_risks(struct tapdup_dev *td, unsigned int roles)
{
	unsigned int risks = 0;

	if (!tapdup_is_last(rcu_dereference(td->dev->nf_hooks_egress),
			    tapdup_egress))
		risks |= TAPDUP_HOOKS;
	if (unlikely(roles & TAPDUP_BRIDGE) &&
	    !tapdup_is_first_in_bridge(td->dev))
		risks |= TAPDUP_HOOKS;
	if (unlikely(ng_dev_has_tc_egress(td->dev)))
		risks |= TAPDUP_TC;
	if (tapdup_is_queued(td, roles))
		risks |= TAPDUP_QUEUE;
	return risks;
}

/* The round on this device comes now: did the frame have one further up? */
unsigned int tapdup_egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct tapdup_dev *td = priv;
	unsigned int roles = READ_ONCE(td->roles);
	const struct tapdup_net *tn = td->tn;
	struct tapdup_note *above, *note;
	struct tapdup_verdict verdict;
	struct tapdup_round round;
	unsigned int level;

	if (!roles)
		return NF_ACCEPT;
	level = dev_recursion_level();
	if (unlikely(level >= TAPDUP_LEVELS))
		return NF_ACCEPT;
	above = tapdup_notes()->tx + level;
	note = above + 1;

	round = (struct tapdup_round) {
		.mark = skb->mark,
		.bit = tapdup_bit(tn),
	};
	if (tapdup_is_sent_on(above, skb, tn)) {
		round.noted = true;
		round.noted_bit = above->bit;
		round.wanted = roles & TAPDUP_TX_LEAVES;
		if (round.wanted)
			round.risks = tapdup_tx_risks(td, roles);
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

	above = tapdup_notes()->tx + level;
	if (tapdup_is_sent_on(above, skb, priv))
		skb->mark &= ~above->bit;
	return NF_ACCEPT;
}
