// SPDX-License-Identifier: GPL-2.0
/* The devices of network namespaces, in steps that hold RTNL shortly. */

#include "core.h"

#include <linux/export.h>
#include <linux/rtnetlink.h>

/* How many devices are looked at in one step. */
#define NG_WALK_STEP 32

/*
 * The next few ifindexes of a namespace, from *from on. A device that stays
 * where it is keeps its ifindex, so it does not matter what else was added to
 * the list between two steps, or taken out. Returns whether there are more.
 */
static bool ng_walk_some(struct net *net, int *from,
			 void (*look)(struct net_device *dev))
{
	struct net_device *dev;
	int next = 0;

	for_each_netdev(net, dev) {
		if (dev->ifindex < *from)
			continue;
		if (dev->ifindex - *from < NG_WALK_STEP)
			look(dev);
		else if (!next || dev->ifindex < next)
			next = dev->ifindex;
	}

	*from = next;
	return next;
}

static void ng_walk_net(struct net *net,
			bool (*wanted)(const struct net *net),
			void (*look)(struct net_device *dev))
{
	int from = 0;
	bool more;

	do {
		rtnl_lock();
		more = (!wanted || wanted(net)) &&
		       ng_walk_some(net, &from, look);
		rtnl_unlock();
		cond_resched();
	} while (more);
}

void ng_netdev_walk(bool (*wanted)(const struct net *net),
		    void (*look)(struct net_device *dev))
{
	unsigned long place = 0;
	struct net *net;

	while ((net = ng_nets_get_next(&place))) {
		ng_walk_net(net, wanted, look);
		put_net(net);
	}
}
EXPORT_SYMBOL_GPL(ng_netdev_walk);
