// SPDX-License-Identifier: GPL-2.0
/*
 * redirect: routers that answer this host's packets with ICMP redirects.
 *
 * The totals are the kernel's own, so they are right also for what came before
 * the hooks were on. The hooks see who redirects what, and how fast.
 */

#include "redirect.h"

#include <linux/module.h>
#include <net/ndisc.h>

#include <netguard/mib.h>

static const struct ng_counter redirect_counters[] = {
	REDIRECT_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

struct ng_guard redirect_guard = {
	.name = "redirect",
	.counters = redirect_counters,
	.n_counters = ARRAY_SIZE(redirect_counters),
	.table_name = "routers",
	.rows = &redirect_flows,
};

enum redirect_mib {
	REDIRECT_MIB_IN,
	REDIRECT_MIB_OUT,
	REDIRECT_MIB_IN6,
	REDIRECT_MIB_OUT6,
	REDIRECT_MIBS,
};

static void redirect_mib_read(struct net *net, unsigned long *values)
{
	values[REDIRECT_MIB_IN] = ng_mib_icmp(net, ICMP_REDIRECT);
	values[REDIRECT_MIB_OUT] = ng_mib_icmp(net, NG_MIB_OUT + ICMP_REDIRECT);
	values[REDIRECT_MIB_IN6] = ng_mib_icmp6(net, NDISC_REDIRECT);
	values[REDIRECT_MIB_OUT6] = ng_mib_icmp6(net,
						 NG_MIB_OUT + NDISC_REDIRECT);
}

static void redirect_mib_moved(struct net *net, const unsigned long *deltas,
			       bool active)
{
	ng_count_add(&redirect_guard, REDIRECT_redirects_received,
		     deltas[REDIRECT_MIB_IN] + deltas[REDIRECT_MIB_IN6]);
	ng_count_add(&redirect_guard, REDIRECT_redirects_sent,
		     deltas[REDIRECT_MIB_OUT] + deltas[REDIRECT_MIB_OUT6]);
}

static struct ng_watch redirect_watch = {
	.guard = &redirect_guard,
	.hooks = redirect_hooks,
	.n_hooks = REDIRECT_HOOKS,
	.gauge = REDIRECT_netns_watched,
	.n_triggers = REDIRECT_MIBS,
	.read = redirect_mib_read,
	.moved = redirect_mib_moved,
};

static int __init redirect_init(void)
{
	int err;

	err = ng_guard_register(&redirect_guard);
	if (err)
		return err;

	err = ng_watch_start(&redirect_watch);
	if (err)
		ng_guard_unregister(&redirect_guard);
	return err;
}

static void __exit redirect_exit(void)
{
	ng_watch_stop(&redirect_watch);
	ng_guard_unregister(&redirect_guard);
}

module_init(redirect_init);
module_exit(redirect_exit);

MODULE_DESCRIPTION("netguard: names routers that redirect, and the better gateway");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
