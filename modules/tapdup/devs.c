// SPDX-License-Identifier: GPL-2.0
/* The devices that are known, the namespaces, and what each of them marks with. */

#include "tapdup.h"

#include <linux/hashtable.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#define TAPDUP_MAX_DEVS 4096
/* All namespaces but the first share this many of them. */
#define TAPDUP_MAX_OTHERS (TAPDUP_MAX_DEVS / 2)

/* Keeps the list for a reader of the table. */
DEFINE_MUTEX(tapdup_mutex);
LIST_HEAD(tapdup_devs);
static DEFINE_HASHTABLE(tapdup_by_dev, 8);
struct hlist_head tapdup_by_vlan[1 << TAPDUP_VLAN_BITS];
static unsigned int tapdup_n_devs;
static unsigned int tapdup_n_others;
/* Where marks are set, under tapdup_mutex. */
static LIST_HEAD(tapdup_live);
/* Of devices that are no more, under tapdup_mutex. */
static struct tapdup_counts tapdup_gone;
u32 tapdup_strays;
unsigned int tapdup_net_id;

struct tapdup_net *tapdup_net(const struct net *net)
{
	return net_generic(net, tapdup_net_id);
}

/* Under RTNL or RCU. */
struct tapdup_dev *tapdup_dev_find(const struct net_device *dev)
{
	struct tapdup_dev *td;

	hash_for_each_possible_rcu(tapdup_by_dev, td, node, (unsigned long)dev,
				   lockdep_rtnl_is_held())
		if (td->dev == dev)
			return td;

	return NULL;
}

struct tapdup_dev *tapdup_dev_watched(const struct net_device *dev)
{
	struct tapdup_dev *td = tapdup_dev_find(dev);

	/* Pairs with tapdup_attach(): who sees it watched sees its hooks. */
	return td && smp_load_acquire(&td->watched) ? td : NULL;
}

/* A namespace may have as many as it leaves to those that come later. */
static bool tapdup_has_room(const struct tapdup_net *tn)
{
	if (net_eq(tn->net, &init_net))
		return tapdup_n_devs < TAPDUP_MAX_DEVS;

	return tapdup_n_devs < TAPDUP_MAX_DEVS &&
	       tapdup_n_others + tn->devs < TAPDUP_MAX_OTHERS;
}

struct tapdup_dev *tapdup_dev_add(struct net_device *dev)
{
	struct tapdup_net *tn = tapdup_net(dev_net(dev));
	struct tapdup_dev *td;

	if (!tapdup_has_room(tn))
		return NULL;
	td = kzalloc(sizeof(*td), GFP_KERNEL);
	if (!td)
		return NULL;
	td->counts = alloc_percpu(struct tapdup_counts);
	if (!td->counts) {
		kfree(td);
		return NULL;
	}

	td->dev = dev;
	td->tn = tn;
	if (is_vlan_dev(dev)) {
		td->lower = vlan_dev_priv(dev)->real_dev;
		td->tag = tapdup_tag(vlan_dev_vlan_proto(dev),
				     vlan_dev_vlan_id(dev));
	}
	mutex_lock(&tapdup_mutex);
	list_add_tail(&td->list, &tapdup_devs);
	mutex_unlock(&tapdup_mutex);
	hash_add_rcu(tapdup_by_dev, &td->node, (unsigned long)dev);
	tapdup_n_devs++;
	tapdup_n_others += !net_eq(tn->net, &init_net);
	tn->devs++;
	return td;
}

static void tapdup_dev_free(struct rcu_head *rcu)
{
	struct tapdup_dev *td = container_of(rcu, struct tapdup_dev, rcu);

	free_percpu(td->counts);
	kfree(td);
}

void tapdup_counts_add(struct tapdup_counts *sum,
		       const struct tapdup_dev *td)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		for (i = 0; i < TAPDUP_N_COUNTS; i++)
			sum->rounds[i] +=
				per_cpu_ptr(td->counts, cpu)->rounds[i];
}

/* Of all devices, also of those that are no more. */
void tapdup_counts_sum(struct tapdup_counts *sum)
{
	const struct tapdup_dev *td;

	mutex_lock(&tapdup_mutex);
	*sum = tapdup_gone;
	list_for_each_entry(td, &tapdup_devs, list)
		tapdup_counts_add(sum, td);
	mutex_unlock(&tapdup_mutex);
}

/* Its hooks are off; frees it behind whom may still be in them. */
void tapdup_dev_remove(struct tapdup_dev *td)
{
	hash_del_rcu(&td->node);
	mutex_lock(&tapdup_mutex);
	list_del(&td->list);
	tapdup_counts_add(&tapdup_gone, td);
	mutex_unlock(&tapdup_mutex);
	tapdup_n_devs--;
	tapdup_n_others -= !net_eq(td->tn->net, &init_net);
	td->tn->devs--;
	call_rcu(&td->rcu, tapdup_dev_free);
}

/* What a netns marks with from now on; under tapdup_mutex. */
static void tapdup_net_mark(struct tapdup_net *tn, u32 bit)
{
	/* Pairs with tapdup_bit(). */
	smp_store_release(&tn->bit, bit);
}

void tapdup_net_mark_start(struct tapdup_net *tn)
{
	mutex_lock(&tapdup_mutex);
	list_add(&tn->live, &tapdup_live);
	tapdup_net_mark(tn, tn->blind ? 0 : tapdup_wanted_bit());
	mutex_unlock(&tapdup_mutex);
}

void tapdup_net_mark_stop(struct tapdup_net *tn)
{
	mutex_lock(&tapdup_mutex);
	list_del_init(&tn->live);
	tapdup_net_mark(tn, 0);
	tn->blind = false;
	mutex_unlock(&tapdup_mutex);
}

/*
 * A device is without hooks, and a mark could get past it: until the captures
 * of this netns have ended, nothing is marked there any more.
 */
void tapdup_net_blind(struct tapdup_net *tn)
{
	mutex_lock(&tapdup_mutex);
	tn->blind = true;
	tapdup_net_mark(tn, 0);
	mutex_unlock(&tapdup_mutex);
}

/* The parameters have a new value: what is marked with it marks with that. */
void tapdup_nets_sync(void)
{
	struct tapdup_net *tn;

	mutex_lock(&tapdup_mutex);
	list_for_each_entry(tn, &tapdup_live, live)
		tapdup_net_mark(tn, tn->blind ? 0 : tapdup_wanted_bit());
	mutex_unlock(&tapdup_mutex);
}
