// SPDX-License-Identifier: GPL-2.0
/* The devices of network namespaces, in steps that hold RTNL shortly. */

#include "core.h"

#include <linux/export.h>
#include <linux/rtnetlink.h>

/* About how many devices are looked at in one step. */
#define NG_WALK_STEP 32

/**
 * struct ng_walk - how far a walk has come
 * @wanted: whether to look at the devices of a namespace, NULL for all
 * @inum: the namespace that it goes on in, or the next higher one there is
 * @ifindex: the lowest that is still to come in that namespace
 *
 * Numbers, no pointers: what they stand for may be gone at the next step.
 */
struct ng_walk {
	bool (*wanted)(const struct net *net);
	unsigned int inum;
	int ifindex;
};

/* The namespace to go on in, NULL at the end. */
static struct net *ng_walk_net(struct ng_walk *walk)
{
	struct net *net, *next = NULL;

	for_each_net(net)
		if (net->ns.inum >= walk->inum &&
		    (!next || net->ns.inum < next->ns.inum) &&
		    (!walk->wanted || walk->wanted(net)))
			next = net;

	if (next && next->ns.inum != walk->inum) {
		walk->inum = next->ns.inum;
		walk->ifindex = 0;
	}
	return next;
}

/* The next few ifindexes of a namespace. Returns how many devices these were. */
static unsigned int ng_walk_some(struct ng_walk *walk, struct net *net,
				 void (*look)(struct net_device *dev))
{
	int from = walk->ifindex, next = 0;
	struct net_device *dev;
	unsigned int n = 0;

	for_each_netdev(net, dev) {
		if (dev->ifindex < from)
			continue;
		if (dev->ifindex - from < NG_WALK_STEP) {
			look(dev);
			n++;
		} else if (!next || dev->ifindex < next) {
			next = dev->ifindex;
		}
	}

	walk->ifindex = next;
	if (!next)
		walk->inum++;
	return n;
}

/*
 * A device that stays where it is keeps its ifindex and the number of its
 * namespace, and the walk passes each pair of them once, upwards. So it does
 * not matter what else was added to the lists between two steps, or taken out.
 */
void ng_netdev_walk(bool (*wanted)(const struct net *net),
		    void (*look)(struct net_device *dev))
{
	struct ng_walk walk = { .wanted = wanted };
	struct net *net;
	unsigned int n;

	do {
		rtnl_lock();
		down_read(&net_rwsem);
		n = 0;
		while ((net = ng_walk_net(&walk)) && n < NG_WALK_STEP)
			n += ng_walk_some(&walk, net, look);
		up_read(&net_rwsem);
		rtnl_unlock();
	} while (net);
}
EXPORT_SYMBOL_GPL(ng_netdev_walk);
