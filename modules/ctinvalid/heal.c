// SPDX-License-Identifier: GPL-2.0
/*
 * Flows whose windows conntrack does not check for a while, in the direction
 * that was refused. Their number is bounded. What closes a connection is still
 * checked: conntrack would believe any RST and FIN of such a flow, and forget
 * the connection soon after.
 */

#include "ctinvalid.h"

#include <linux/hashtable.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_conntrack.h>

#define CTINVALID_HEALS 256
#define CTINVALID_HEAL_TIME (600 * HZ)
#define CTINVALID_HEAL_LOOK (10 * HZ)

/**
 * struct ctinvalid_heal - a flow that is being healed
 * @node: in ctinvalid_heals, by @ct
 * @rcu: readers may still look at it
 * @ct: the flow, referenced
 * @dir: the direction that is not checked
 * @was_liberal: it was so before; then it stays so
 * @until: jiffies when it will be again
 */
struct ctinvalid_heal {
	struct hlist_node node;
	struct rcu_head rcu;
	struct nf_conn *ct;
	u8 dir;
	bool was_liberal;
	unsigned long until;
};

static DEFINE_HASHTABLE(ctinvalid_heals, 6);
static DEFINE_SPINLOCK(ctinvalid_heals_lock); /* for changes of these */
static unsigned int ctinvalid_heals_count;

static void ctinvalid_heals_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(ctinvalid_heals_work, ctinvalid_heals_look);

static struct ctinvalid_heal *ctinvalid_heal_find(const struct nf_conn *ct,
						  u8 dir)
{
	struct ctinvalid_heal *heal;

	hash_for_each_possible_rcu(ctinvalid_heals, heal, node,
				   (unsigned long)ct,
				   lockdep_is_held(&ctinvalid_heals_lock))
		if (heal->ct == ct && heal->dir == dir)
			return heal;

	return NULL;
}

static void ctinvalid_set_liberal(struct nf_conn *ct, u8 dir, bool liberal)
{
	struct ip_ct_tcp_state *sender = &ct->proto.tcp.seen[dir];

	spin_lock_bh(&ct->lock);
	if (liberal)
		sender->flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	else
		sender->flags &= ~IP_CT_TCP_FLAG_BE_LIBERAL;
	spin_unlock_bh(&ct->lock);
}

/**
 * ctinvalid_heal() - stop checking the window of one direction of a flow
 * @ct: a TCP flow, referenced by the caller
 * @dir: the direction
 *
 * Context: BH off.
 * Return: whether it is so now; not if too many are, or memory is short.
 */
bool ctinvalid_heal(struct nf_conn *ct, u8 dir)
{
	struct ctinvalid_heal *heal;
	bool done = false;

	spin_lock(&ctinvalid_heals_lock);
	heal = ctinvalid_heal_find(ct, dir);
	if (!heal && ctinvalid_heals_count < CTINVALID_HEALS)
		heal = kzalloc(sizeof(*heal), GFP_ATOMIC | __GFP_NOWARN);
	if (heal && !heal->ct) {
		nf_conntrack_get(&ct->ct_general);
		heal->ct = ct;
		heal->dir = dir;
		heal->was_liberal = READ_ONCE(ct->proto.tcp.seen[dir].flags) &
				    IP_CT_TCP_FLAG_BE_LIBERAL;
		hash_add_rcu(ctinvalid_heals, &heal->node, (unsigned long)ct);
		ctinvalid_heals_count++;
		ctinvalid_net_healed(nf_ct_net(ct), 1);
		ng_count(&ctinvalid_guard, CTINVALID_flows_healed);
	}
	if (heal) {
		heal->until = jiffies + CTINVALID_HEAL_TIME;
		ctinvalid_set_liberal(ct, dir, true);
		done = true;
	}
	spin_unlock(&ctinvalid_heals_lock);

	if (done)
		schedule_delayed_work(&ctinvalid_heals_work,
				      CTINVALID_HEAL_LOOK);
	return done;
}

/**
 * ctinvalid_is_healed() - is the window of this direction not checked for now?
 * @ct: a flow, referenced by the caller
 * @dir: the direction
 *
 * Context: any, under rcu_read_lock().
 * Return: whether it is this guard that keeps conntrack from checking it.
 */
bool ctinvalid_is_healed(const struct nf_conn *ct, u8 dir)
{
	return ctinvalid_heal_find(ct, dir);
}

/* Under the lock. */
static void ctinvalid_heal_end(struct ctinvalid_heal *heal)
{
	/* A flowtable sets it, too, for as long as it has the flow. */
	if (!heal->was_liberal &&
	    !test_bit(IPS_OFFLOAD_BIT, &heal->ct->status))
		ctinvalid_set_liberal(heal->ct, heal->dir, false);
	hash_del_rcu(&heal->node);
	ctinvalid_heals_count--;
	ctinvalid_net_healed(nf_ct_net(heal->ct), -1);
	nf_ct_put(heal->ct);
	kfree_rcu(heal, rcu);
}

static void ctinvalid_heals_look(struct work_struct *work)
{
	struct ctinvalid_heal *heal;
	struct hlist_node *next;
	bool more;
	int i;

	spin_lock_bh(&ctinvalid_heals_lock);
	hash_for_each_safe(ctinvalid_heals, i, next, heal, node)
		if (time_after(jiffies, heal->until) ||
		    nf_ct_is_dying(heal->ct))
			ctinvalid_heal_end(heal);
	more = ctinvalid_heals_count;
	spin_unlock_bh(&ctinvalid_heals_lock);

	if (more)
		schedule_delayed_work(&ctinvalid_heals_work,
				      CTINVALID_HEAL_LOOK);
}

/**
 * ctinvalid_heals_forget() - end the heals of a namespace
 * @net: the namespace, with no packet in its hooks any more
 *
 * Context: process.
 */
void ctinvalid_heals_forget(const struct net *net)
{
	struct ctinvalid_heal *heal;
	struct hlist_node *next;
	int i;

	spin_lock_bh(&ctinvalid_heals_lock);
	hash_for_each_safe(ctinvalid_heals, i, next, heal, node)
		if (net_eq(nf_ct_net(heal->ct), net))
			ctinvalid_heal_end(heal);
	spin_unlock_bh(&ctinvalid_heals_lock);
}

/* With no namespace watched any more. */
void ctinvalid_heals_stop(void)
{
	cancel_delayed_work_sync(&ctinvalid_heals_work);
}
