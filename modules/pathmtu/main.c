// SPDX-License-Identifier: GPL-2.0
/*
 * pathmtu: packets that are too long for their path.
 *
 * Either something in this host dropped their segmentation data, and it bounces
 * its own packets; or somebody on the way drops what is long and says nothing.
 */

#include "pathmtu.h"

#include <linux/module.h>

#include <netguard/mib.h>

static const struct ng_counter pathmtu_counters[] = {
	PATHMTU_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

struct ng_guard pathmtu_guard = {
	.name = "pathmtu",
	.counters = pathmtu_counters,
	.n_counters = ARRAY_SIZE(pathmtu_counters),
	.table_name = "paths",
	.rows = &pathmtu_paths,
};

enum pathmtu_mib {
	PATHMTU_MIB_UNREACH_IN,
	PATHMTU_MIB_TOOBIG_IN6,
	PATHMTU_MIB_UNREACH_OUT,
	PATHMTU_MIB_TOOBIG_OUT6,
	/* Those above make the hooks active. */
	PATHMTU_MIB_FRAGFAILS,
	PATHMTU_MIB_FRAGFAILS6,
};

/* Who cannot fragment says so, before anybody has to fold its counter. */
static void pathmtu_mib_read(struct net *net, unsigned long *values)
{
	unsigned long out = ng_mib_icmp(net, NG_MIB_OUT + ICMP_DEST_UNREACH);
	unsigned long out6 = ng_mib_icmp6(net, NG_MIB_OUT +
					  ICMPV6_PKT_TOOBIG);

	if (out != values[PATHMTU_MIB_UNREACH_OUT])
		values[PATHMTU_MIB_FRAGFAILS] =
			ng_mib_ip(net, IPSTATS_MIB_FRAGFAILS);
	if (out6 != values[PATHMTU_MIB_TOOBIG_OUT6])
		values[PATHMTU_MIB_FRAGFAILS6] =
			ng_mib_ip6(net, IPSTATS_MIB_FRAGFAILS);

	values[PATHMTU_MIB_UNREACH_OUT] = out;
	values[PATHMTU_MIB_TOOBIG_OUT6] = out6;
	values[PATHMTU_MIB_UNREACH_IN] = ng_mib_icmp(net, ICMP_DEST_UNREACH);
	values[PATHMTU_MIB_TOOBIG_IN6] = ng_mib_icmp6(net, ICMPV6_PKT_TOOBIG);
}

/*
 * What came before the hooks, as far as the kernel's counters tell. A packet
 * that this host bounced to itself failed to be fragmented, made it send an
 * ICMP message and receive one. Of other destination-unreachable messages
 * nobody kept the code, so they are not called fragmentation-needed.
 */
static void pathmtu_mib_moved(struct net *net, const unsigned long *deltas,
			      bool active)
{
	unsigned long self, self6;

	if (active)
		return;

	self = min3(deltas[PATHMTU_MIB_FRAGFAILS],
		    deltas[PATHMTU_MIB_UNREACH_OUT],
		    deltas[PATHMTU_MIB_UNREACH_IN]);
	self6 = min3(deltas[PATHMTU_MIB_FRAGFAILS6],
		     deltas[PATHMTU_MIB_TOOBIG_OUT6],
		     deltas[PATHMTU_MIB_TOOBIG_IN6]);
	ng_count_add(&pathmtu_guard, PATHMTU_frag_needed_self, self + self6);
	ng_count_add(&pathmtu_guard, PATHMTU_oversize_without_gso,
		     self + self6);
	ng_count_add(&pathmtu_guard, PATHMTU_frag_needed_received,
		     deltas[PATHMTU_MIB_TOOBIG_IN6] - self6);
	ng_count_add(&pathmtu_guard, PATHMTU_unreachables_unread,
		     deltas[PATHMTU_MIB_UNREACH_IN] - self);
}

static struct ng_watch pathmtu_watch = {
	.guard = &pathmtu_guard,
	.hooks = pathmtu_hooks,
	.n_hooks = PATHMTU_HOOKS,
	.gauge = PATHMTU_netns_watched,
	.n_triggers = PATHMTU_MIB_FRAGFAILS,
	.retransmits = true,
	.read = pathmtu_mib_read,
	.moved = pathmtu_mib_moved,
};

static int __init pathmtu_init(void)
{
	int err;

	err = ng_guard_register(&pathmtu_guard);
	if (err)
		return err;

	err = ng_watch_start(&pathmtu_watch);
	if (err)
		ng_guard_unregister(&pathmtu_guard);
	return err;
}

static void __exit pathmtu_exit(void)
{
	ng_watch_stop(&pathmtu_watch);
	ng_guard_unregister(&pathmtu_guard);
}

module_init(pathmtu_init);
module_exit(pathmtu_exit);

MODULE_DESCRIPTION("netguard: tells lost segmentation data from path MTU black holes");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
