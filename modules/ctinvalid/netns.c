// SPDX-License-Identifier: GPL-2.0
/*
 * Where conntrack is active. Nothing tells when a rule turns it on or off in a
 * namespace, so each namespace is looked at twice a second: two loads per
 * family where there is nothing to do. Hooks that were attached once stay: when
 * any hook is unregistered the kernel drops what waits in the namespace's
 * NFQUEUEs (nf_queue_nf_hook_drop()).
 */

#include "ctinvalid.h"

#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <net/netns/generic.h>

#define CTINVALID_LOOK (HZ / 2)

enum ctinvalid_family {
	CTINVALID_IPV4,
	CTINVALID_IPV6,
	CTINVALID_FAMILIES,
};

/**
 * struct ctinvalid_net - the guard's hooks in a namespace
 * @hooked: the main hooks are attached, per family
 * @zoned: the hook before conntrack is, too
 * @guarded: the hook that healed flows need is, too
 * @healed: how many healed flows there are
 * @synproxy: rules with SYNPROXY are there
 * @active: conntrack looked at the last packet that looked as if it was INVALID
 * @counted: what conntrack had counted when the guard looked, per CPU
 *
 * What is attached, and @counted, is changed by the look, and by pre_exit once
 * the look cannot find the namespace.
 */
struct ctinvalid_net {
	bool hooked[CTINVALID_FAMILIES];
	bool zoned[CTINVALID_FAMILIES];
	bool guarded[CTINVALID_FAMILIES];
	unsigned int healed;
	bool synproxy;
	bool active[CTINVALID_FAMILIES];
	u32 __percpu *counted;
};

struct ctinvalid_ops {
	const struct nf_hook_ops *ops;
	unsigned int n;
};

static const struct ctinvalid_ops ctinvalid_main_ops[] = {
	{ ctinvalid_ops4, ARRAY_SIZE(ctinvalid_ops4) },
	{ ctinvalid_ops6, ARRAY_SIZE(ctinvalid_ops6) },
};

static const struct ctinvalid_ops ctinvalid_zone_ops[] = {
	{ ctinvalid_zone_ops4, ARRAY_SIZE(ctinvalid_zone_ops4) },
	{ ctinvalid_zone_ops6, ARRAY_SIZE(ctinvalid_zone_ops6) },
};

static const struct ctinvalid_ops ctinvalid_heal_ops[] = {
	{ ctinvalid_heal_ops4, ARRAY_SIZE(ctinvalid_heal_ops4) },
	{ ctinvalid_heal_ops6, ARRAY_SIZE(ctinvalid_heal_ops6) },
};

static unsigned int ctinvalid_net_id;

/* Under rcu_read_lock(). */
static const struct nf_hook_entries *
ctinvalid_entries(const struct net *net, enum ctinvalid_family family,
		  unsigned int hooknum)
{
	return family == CTINVALID_IPV4 ?
		rcu_dereference(net->nf.hooks_ipv4[hooknum]) :
		rcu_dereference(net->nf.hooks_ipv6[hooknum]);
}

/* A chain of nftables can have conntrack's priority, but says that it is one. */
static bool ctinvalid_has_conntrack(const struct nf_hook_entries *entries)
{
	const struct nf_hook_ops *ops;
	unsigned int i;

	for (i = 0; entries && i < entries->num_hook_entries; i++) {
		ops = nf_hook_entries_get_hook_ops(entries)[i];
		if (ops->priority == NF_IP_PRI_CONNTRACK &&
		    ops->hook_ops_type == NF_HOOK_OP_UNDEFINED)
			return true;
	}

	return false;
}

/*
 * Hooks of nf_synproxy_core.c, which are there while a rule is. Not to be looked
 * for in LOCAL_IN, where conntrack's own for IPv6 has the same priority.
 */
static bool ctinvalid_has_synproxy_hook(const struct nf_hook_entries *entries)
{
	const struct nf_hook_ops *ops;
	unsigned int i;

	for (i = 0; entries && i < entries->num_hook_entries; i++) {
		ops = nf_hook_entries_get_hook_ops(entries)[i];
		if (ops->priority == NF_IP_PRI_CONNTRACK_CONFIRM - 1 &&
		    ops->hook_ops_type == NF_HOOK_OP_UNDEFINED)
			return true;
	}

	return false;
}

/* Rules before conntrack: the only ones that can choose a zone for it. */
static bool ctinvalid_has_raw(const struct nf_hook_entries *entries)
{
	const struct nf_hook_ops *ops;
	unsigned int i;

	for (i = 0; entries && i < entries->num_hook_entries; i++) {
		ops = nf_hook_entries_get_hook_ops(entries)[i];
		if (ops->priority < NF_IP_PRI_CONNTRACK - 1 &&
		    ops->priority != NF_IP_PRI_CONNTRACK_DEFRAG &&
		    ops->priority != NF_IP_PRI_FIRST)
			return true;
	}

	return false;
}

static enum ctinvalid_family ctinvalid_family(u8 pf)
{
	return pf == NFPROTO_IPV4 ? CTINVALID_IPV4 : CTINVALID_IPV6;
}

/* Each packet that conntrack leaves INVALID moves one of these. */
static u32 ctinvalid_count(const struct ip_conntrack_stat *stat)
{
	return READ_ONCE(stat->invalid) + READ_ONCE(stat->error);
}

/**
 * ctinvalid_counted() - is this packet INVALID, or did nobody look at it?
 * @state: of a hook right behind conntrack's
 * @steady: bottom halves were off already when conntrack looked
 *
 * Without conntrack every packet looks as if it was INVALID, and it may come or
 * go at any time. With bottom halves off nothing else on this CPU counts
 * between conntrack's hook and the guard's: if conntrack has counted anything
 * since the last time, it was this packet. Otherwise, and where bottom halves do
 * not keep each other off a CPU, it has to do that conntrack is there now.
 *
 * Context: BH off, under rcu_read_lock().
 * Return: whether it is INVALID.
 */
bool ctinvalid_counted(const struct nf_hook_state *state, bool steady)
{
	struct ctinvalid_net *here = net_generic(state->net, ctinvalid_net_id);
	enum ctinvalid_family family = ctinvalid_family(state->pf);
	u32 now = ctinvalid_count(this_cpu_ptr(state->net->ct.stat));
	bool counted;
	u32 *before;

	before = this_cpu_ptr(here->counted);
	if (steady && !IS_ENABLED(CONFIG_PREEMPT_RT))
		counted = now != *before;
	else
		counted = ctinvalid_has_conntrack(ctinvalid_entries(state->net,
								    family,
								    state->hook));
	*before = now;
	if (READ_ONCE(here->active[family]) != counted)
		WRITE_ONCE(here->active[family], counted);
	return counted;
}

/**
 * ctinvalid_is_active() - may packets without a connection be INVALID here?
 * @state: of any hook of the guard
 *
 * Context: any, under rcu_read_lock().
 * Return: false while conntrack is away.
 */
bool ctinvalid_is_active(const struct nf_hook_state *state)
{
	const struct ctinvalid_net *here = net_generic(state->net,
						       ctinvalid_net_id);

	return READ_ONCE(here->active[ctinvalid_family(state->pf)]);
}

/* More or fewer flows are healed here; under the lock of the heals. */
void ctinvalid_net_healed(struct net *net, int more)
{
	struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);

	WRITE_ONCE(here->healed, here->healed + more);
}

bool ctinvalid_has_heals(const struct net *net)
{
	const struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);

	return READ_ONCE(here->healed);
}

/* Is the hook there that keeps healed flows from being closed by anybody? */
bool ctinvalid_can_heal(const struct nf_hook_state *state)
{
	const struct ctinvalid_net *here = net_generic(state->net,
						       ctinvalid_net_id);

	return READ_ONCE(here->guarded[ctinvalid_family(state->pf)]);
}

bool ctinvalid_has_synproxy(const struct net *net)
{
	const struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);

	return READ_ONCE(here->synproxy);
}

/* What conntrack has counted before the guard looks is not the guard's. */
static bool ctinvalid_count_from_here(struct net *net,
				      struct ctinvalid_net *here)
{
	u32 *counted;
	int cpu;

	if (here->counted)
		return true;
	here->counted = alloc_percpu(u32);
	if (!here->counted)
		return false;
	for_each_possible_cpu(cpu) {
		counted = per_cpu_ptr(here->counted, cpu);
		*counted = ctinvalid_count(per_cpu_ptr(net->ct.stat, cpu));
	}
	return true;
}

/* Short of memory: the next look tries again. */
static void ctinvalid_attach(struct net *net, const struct ctinvalid_ops *what,
			     bool *attached)
{
	if (!*attached)
		*attached = !nf_register_net_hooks(net, what->ops, what->n);
}

/*
 * The hooks that see a packet come are the last to be attached and the first to
 * go: a packet underway does not look as if a rule had dropped it.
 */
static void ctinvalid_detach(struct net *net, const struct ctinvalid_ops *what,
			     bool *attached)
{
	unsigned int i;

	for (i = *attached ? what->n : 0; i--;)
		nf_unregister_net_hook(net, &what->ops[i]);
	*attached = false;
}

static void ctinvalid_sync(struct net *net)
{
	struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);
	const struct nf_hook_entries *pre, *out;
	enum ctinvalid_family family;
	bool active, raw, synproxy = false;

	for (family = 0; family < CTINVALID_FAMILIES; family++) {
		rcu_read_lock();
		pre = ctinvalid_entries(net, family, NF_INET_PRE_ROUTING);
		out = ctinvalid_entries(net, family, NF_INET_LOCAL_OUT);
		active = ctinvalid_has_conntrack(pre) &&
			 ctinvalid_has_conntrack(out);
		raw = active && (ctinvalid_has_raw(pre) ||
				 ctinvalid_has_raw(out));
		synproxy |= ctinvalid_has_synproxy_hook(ctinvalid_entries(net,
									  family,
									  NF_INET_POST_ROUTING));
		rcu_read_unlock();

		if (!active || !ctinvalid_count_from_here(net, here))
			continue;
		if (!here->hooked[family])
			WRITE_ONCE(here->active[family], true);
		if (raw)
			ctinvalid_attach(net, &ctinvalid_zone_ops[family],
					 &here->zoned[family]);
		if (READ_ONCE(ctinvalid_mode.value) == CTINVALID_HEAL)
			ctinvalid_attach(net, &ctinvalid_heal_ops[family],
					 &here->guarded[family]);
		ctinvalid_attach(net, &ctinvalid_main_ops[family],
				 &here->hooked[family]);
	}
	WRITE_ONCE(here->synproxy, synproxy);
}

static void ctinvalid_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(ctinvalid_look_work, ctinvalid_look);

static void ctinvalid_look(struct work_struct *work)
{
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net)
		ctinvalid_sync(net);
	up_read(&net_rwsem);

	schedule_delayed_work(&ctinvalid_look_work, CTINVALID_LOOK);
}

/* cleanup_net() has taken it off the list, and waits for packets after this. */
static void __net_exit ctinvalid_net_pre_exit(struct net *net)
{
	struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);
	enum ctinvalid_family family;

	for (family = 0; family < CTINVALID_FAMILIES; family++) {
		ctinvalid_detach(net, &ctinvalid_main_ops[family],
				 &here->hooked[family]);
		ctinvalid_detach(net, &ctinvalid_zone_ops[family],
				 &here->zoned[family]);
		ctinvalid_detach(net, &ctinvalid_heal_ops[family],
				 &here->guarded[family]);
	}
}

static void __net_exit ctinvalid_net_exit(struct net *net)
{
	struct ctinvalid_net *here = net_generic(net, ctinvalid_net_id);

	ctinvalid_heals_forget(net);
	free_percpu(here->counted);
}

static struct pernet_operations ctinvalid_net_ops = {
	.pre_exit = ctinvalid_net_pre_exit,
	.exit = ctinvalid_net_exit,
	.id = &ctinvalid_net_id,
	.size = sizeof(struct ctinvalid_net),
};

/* Under the module's parameter lock. */
static bool ctinvalid_looks;

/* Looks at once: the mode has changed. */
void ctinvalid_netns_look(void)
{
	if (ctinvalid_looks)
		mod_delayed_work(system_wq, &ctinvalid_look_work, 0);
}

static void ctinvalid_netns_may_look(bool may)
{
	kernel_param_lock(THIS_MODULE);
	ctinvalid_looks = may;
	kernel_param_unlock(THIS_MODULE);
}

int ctinvalid_netns_start(void)
{
	int err;

	err = register_pernet_subsys(&ctinvalid_net_ops);
	if (err)
		return err;

	ctinvalid_netns_may_look(true);
	schedule_delayed_work(&ctinvalid_look_work, 0);
	return 0;
}

void ctinvalid_netns_stop(void)
{
	ctinvalid_netns_may_look(false);
	cancel_delayed_work_sync(&ctinvalid_look_work);
	unregister_pernet_subsys(&ctinvalid_net_ops);
	ctinvalid_heals_stop();
}
