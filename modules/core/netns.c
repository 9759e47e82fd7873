// SPDX-License-Identifier: GPL-2.0
/*
 * The one list of network namespaces. for_each_net() misses those that are
 * being cleaned up, and can only be left by letting go of all it holds.
 */

#include "core.h"

#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <net/netns/generic.h>

unsigned int ng_net_id;

/* For the list, and for what ng_nets_do() is there for. */
static DEFINE_MUTEX(ng_nets_mutex);
/* By a number that counts up, so that a place in it outlives who is there. */
static DEFINE_XARRAY_ALLOC(ng_nets);
static u32 ng_nets_next;
static unsigned int ng_nets_count;

/**
 * ng_nets_do() - call a function for some of the namespaces
 * @place: where to begin, 0 at first; then where it has come to
 * @count: how many
 * @fn: called for each, also for those that are being cleaned up, until their
 *	exit; never two at a time
 * @arg: handed to @fn
 *
 * Nothing is held between two of them. Who was there at the beginning and still
 * is at the end has been met once.
 *
 * Context: process, may sleep.
 * Return: false when it has come to the end.
 */
bool ng_nets_do(unsigned long *place, unsigned int count,
		void (*fn)(struct ng_net *in, void *arg), void *arg)
{
	struct ng_net *in = NULL;

	for (; count; count--) {
		mutex_lock(&ng_nets_mutex);
		in = xa_find(&ng_nets, place, ULONG_MAX, XA_PRESENT);
		if (in)
			fn(in, arg);
		mutex_unlock(&ng_nets_mutex);
		if (!in)
			break;
		++*place;
		cond_resched();
	}

	return in;
}

/**
 * ng_nets_each() - call a function for every namespace
 * @fn: as in ng_nets_do()
 * @arg: handed to @fn
 */
void ng_nets_each(void (*fn)(struct ng_net *in, void *arg), void *arg)
{
	unsigned long place = 0;

	ng_nets_do(&place, UINT_MAX, fn, arg);
}

/* How many there are, more or less. */
unsigned int ng_nets_number(void)
{
	return READ_ONCE(ng_nets_count);
}

/**
 * ng_nets_get_next() - a reference to the next namespace that is in use
 * @place: as in ng_nets_do()
 *
 * Return: for put_net(); NULL at the end.
 */
struct net *ng_nets_get_next(unsigned long *place)
{
	struct net *net = NULL;
	struct ng_net *in;

	mutex_lock(&ng_nets_mutex);
	while (!net) {
		in = xa_find(&ng_nets, place, ULONG_MAX, XA_PRESENT);
		if (!in)
			break;
		/*
		 * setup_net() lists it last. Until then a later init may fail,
		 * and it is freed whatever references there are.
		 */
		if (READ_ONCE(in->net->list.next))
			net = maybe_get_net(in->net);
		++*place;
	}
	mutex_unlock(&ng_nets_mutex);

	return net;
}

static int __net_init ng_net_init(struct net *net)
{
	struct ng_net *in = net_generic(net, ng_net_id);
	int err;

	in->net = net;
	mutex_lock(&ng_nets_mutex);
	err = xa_alloc_cyclic(&ng_nets, &in->id, in, xa_limit_32b,
			      &ng_nets_next, GFP_KERNEL);
	/* 1 is a success: it has begun anew. */
	if (err >= 0)
		WRITE_ONCE(ng_nets_count, ng_nets_count + 1);
	mutex_unlock(&ng_nets_mutex);

	return min(err, 0);
}

static void __net_exit ng_net_exit(struct net *net)
{
	struct ng_net *in = net_generic(net, ng_net_id);

	mutex_lock(&ng_nets_mutex);
	ng_watch_net_exit(in);
	xa_erase(&ng_nets, in->id);
	WRITE_ONCE(ng_nets_count, ng_nets_count - 1);
	mutex_unlock(&ng_nets_mutex);

	/* No hook adds to them any more. */
	ng_guards_forget(net);
}

static struct pernet_operations ng_net_ops = {
	.init = ng_net_init,
	.exit = ng_net_exit,
	.id = &ng_net_id,
	.size = sizeof(struct ng_net),
};

int ng_netns_setup(void)
{
	return register_pernet_subsys(&ng_net_ops);
}

void ng_netns_teardown(void)
{
	unregister_pernet_subsys(&ng_net_ops);
	xa_destroy(&ng_nets);
}
