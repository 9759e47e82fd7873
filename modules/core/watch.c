// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks that a network namespace gets only while its own counters move.
 *
 * The kernel keeps MIB counters per netns anyway. Once a second they are looked
 * at from a worker; a guard's netfilter hooks go on in a netns when one of its
 * values has moved, and come off NG_WATCH_LINGER after the last movement.
 */

#include "core.h"

#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <net/netns/generic.h>

#define NG_WATCH_PERIOD HZ
#define NG_WATCH_LINGER (60 * HZ)

struct ng_watch_state {
	unsigned long moved_at;
	bool hooked;
	unsigned long values[NG_WATCH_VALUES];
};

struct ng_watch_net {
	struct list_head list;
	struct net *net;
	struct ng_watch_state states[NG_MAX_GUARDS];
};

static unsigned int ng_watch_net_id;
/* For both lists, and for the states of all namespaces. */
static DEFINE_MUTEX(ng_watch_mutex);
static LIST_HEAD(ng_watches);
/* Not for_each_net(): a netns leaves that list some time before its exit. */
static LIST_HEAD(ng_watch_nets);

static void ng_watch_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(ng_watch_work, ng_watch_work_fn);

static struct ng_watch_state *ng_watch_state(const struct ng_watch *watch,
					     struct ng_watch_net *in)
{
	return &in->states[watch->guard->index];
}

static void ng_watch_hook(struct ng_watch *watch, struct net *net,
			  struct ng_watch_state *state)
{
	/* Short of memory: the next look tries again, while values move. */
	if (nf_register_net_hooks(net, watch->hooks, watch->n_hooks))
		return;

	state->hooked = true;
	ng_count(watch->guard, watch->gauge);
}

static void ng_watch_unhook(struct ng_watch *watch, struct net *net,
			    struct ng_watch_state *state)
{
	if (!state->hooked)
		return;

	nf_unregister_net_hooks(net, watch->hooks, watch->n_hooks);
	state->hooked = false;
	ng_count_add(watch->guard, watch->gauge, -1);
}

/* Tells the guard what moved since the last look; true if the hooks are to be on. */
static bool ng_watch_moved(struct ng_watch *watch, struct net *net,
			   struct ng_watch_state *state)
{
	unsigned long values[NG_WATCH_VALUES] = {};
	unsigned long moved = 0, wanted = 0;
	unsigned int i;

	watch->read(net, values);
	for (i = 0; i < NG_WATCH_VALUES; i++) {
		unsigned long now = values[i];

		values[i] -= state->values[i];
		state->values[i] = now;
		moved |= values[i];
		if (i < watch->n_triggers)
			wanted |= values[i];
	}

	if (moved)
		watch->moved(net, values, state->hooked);
	return wanted;
}

static void ng_watch_look(struct ng_watch *watch, struct ng_watch_net *in)
{
	struct ng_watch_state *state = ng_watch_state(watch, in);

	if (ng_watch_moved(watch, in->net, state)) {
		state->moved_at = jiffies;
		if (!state->hooked)
			ng_watch_hook(watch, in->net, state);
	} else if (time_after(jiffies, state->moved_at + NG_WATCH_LINGER)) {
		ng_watch_unhook(watch, in->net, state);
	}
}

static void ng_watch_work_fn(struct work_struct *work)
{
	struct ng_watch_net *in;
	struct ng_watch *watch;

	mutex_lock(&ng_watch_mutex);
	list_for_each_entry(in, &ng_watch_nets, list) {
		list_for_each_entry(watch, &ng_watches, list)
			ng_watch_look(watch, in);
		cond_resched();
	}
	if (!list_empty(&ng_watches))
		queue_delayed_work(system_power_efficient_wq, &ng_watch_work,
				   NG_WATCH_PERIOD);
	mutex_unlock(&ng_watch_mutex);
}

void ng_watch_start(struct ng_watch *watch)
{
	struct ng_watch_state *state;
	struct ng_watch_net *in;

	mutex_lock(&ng_watch_mutex);
	list_for_each_entry(in, &ng_watch_nets, list) {
		state = ng_watch_state(watch, in);
		memset(state, 0, sizeof(*state));
		watch->read(in->net, state->values);
	}
	list_add_tail(&watch->list, &ng_watches);
	queue_delayed_work(system_power_efficient_wq, &ng_watch_work,
			   NG_WATCH_PERIOD);
	mutex_unlock(&ng_watch_mutex);
}
EXPORT_SYMBOL_GPL(ng_watch_start);

void ng_watch_stop(struct ng_watch *watch)
{
	struct ng_watch_net *in;

	mutex_lock(&ng_watch_mutex);
	list_del(&watch->list);
	list_for_each_entry(in, &ng_watch_nets, list)
		ng_watch_unhook(watch, in->net, ng_watch_state(watch, in));
	mutex_unlock(&ng_watch_mutex);
}
EXPORT_SYMBOL_GPL(ng_watch_stop);

static int __net_init ng_watch_net_init(struct net *net)
{
	struct ng_watch_net *in = net_generic(net, ng_watch_net_id);

	in->net = net;
	mutex_lock(&ng_watch_mutex);
	list_add_tail(&in->list, &ng_watch_nets);
	mutex_unlock(&ng_watch_mutex);
	return 0;
}

static void __net_exit ng_watch_net_exit(struct net *net)
{
	struct ng_watch_net *in = net_generic(net, ng_watch_net_id);
	struct ng_watch *watch;

	mutex_lock(&ng_watch_mutex);
	list_del(&in->list);
	list_for_each_entry(watch, &ng_watches, list) {
		struct ng_watch_state *state = ng_watch_state(watch, in);

		ng_watch_moved(watch, net, state);
		ng_watch_unhook(watch, net, state);
	}
	mutex_unlock(&ng_watch_mutex);

	/* No hook adds to them any more. */
	ng_guards_forget(net);
}

static struct pernet_operations ng_watch_net_ops = {
	.init = ng_watch_net_init,
	.exit = ng_watch_net_exit,
	.id = &ng_watch_net_id,
	.size = sizeof(struct ng_watch_net),
};

int ng_watch_setup(void)
{
	return register_pernet_subsys(&ng_watch_net_ops);
}

void ng_watch_teardown(void)
{
	unregister_pernet_subsys(&ng_watch_net_ops);
	cancel_delayed_work_sync(&ng_watch_work);
}
