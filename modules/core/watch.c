// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks that a network namespace gets once its own counters move.
 *
 * A worker comes by each namespace once a second and reads a few counters that
 * cost one load each; retransmissions are told by their tracepoint. When one
 * has moved, the guard's netfilter hooks are called there until NG_WATCH_LINGER
 * after the last movement. Then they only return: to unregister any hook makes
 * the kernel drop what waits in the NFQUEUEs of its namespace, so once attached
 * they stay to the end of the namespace or of the guard.
 */

#include "core.h"

#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/netns/generic.h>
#include <trace/events/tcp.h>

#define NG_WATCH_PERIOD HZ
#define NG_WATCH_LINGER (60 * HZ)
/* So many namespaces at a time; with more of them it is time for more often. */
#define NG_WATCH_SLICE 64

/* One guard starts or stops at a time. */
static DEFINE_MUTEX(ng_watch_mutex);
static struct ng_watch *ng_watches[NG_MAX_GUARDS];
static unsigned int ng_watches_count;

static void ng_watch_poll(struct work_struct *work);
static DECLARE_DELAYED_WORK(ng_watch_work, ng_watch_poll);

static struct ng_watch_state *ng_watch_state(const struct ng_watch *watch,
					     struct ng_net *in)
{
	return &in->states[watch->guard->index];
}

/**
 * struct ng_watch_hooks - a guard's hooks in one namespace
 * @rcu: who walks the hooks of a namespace may still be at them
 * @watch: of which they are a copy
 * @ops: with the address of ng_watch_state.active as priv
 */
struct ng_watch_hooks {
	struct rcu_head rcu;
	struct ng_watch *watch;
	struct nf_hook_ops ops[];
};

static void ng_watch_attach(struct ng_watch *watch, struct ng_net *in,
			    struct ng_watch_state *state)
{
	struct ng_watch_hooks *hooks;
	unsigned int i;

	hooks = kmalloc(struct_size(hooks, ops, watch->n_hooks), GFP_KERNEL);
	if (!hooks)
		return;

	hooks->watch = watch;
	memcpy(hooks->ops, watch->hooks, watch->n_hooks * sizeof(*hooks->ops));
	for (i = 0; i < watch->n_hooks; i++)
		hooks->ops[i].priv = &state->active;

	/* Short of memory: the next look tries again, while values move. */
	if (nf_register_net_hooks(in->net, hooks->ops, watch->n_hooks))
		kfree(hooks);
	else
		state->hooks = hooks;
}

static void ng_watch_set_active(struct ng_watch *watch,
				struct ng_watch_state *state, bool active)
{
	if (state->active == active)
		return;

	WRITE_ONCE(state->active, active);
	ng_count_add(watch->guard, watch->gauge, active ? 1 : -1);
}

static void ng_watch_detach(struct ng_net *in, struct ng_watch_state *state)
{
	struct ng_watch_hooks *hooks = state->hooks;

	if (!hooks)
		return;

	ng_watch_set_active(hooks->watch, state, false);
	nf_unregister_net_hooks(in->net, hooks->ops, hooks->watch->n_hooks);
	state->hooks = NULL;
	kfree_rcu(hooks, rcu);
}

/* Tells the guard what moved since the last look; true if hooks are wanted. */
static bool ng_watch_moved(struct ng_watch *watch, struct ng_net *in,
			   struct ng_watch_state *state)
{
	unsigned long deltas[NG_WATCH_VALUES];
	unsigned long moved = 0, wanted = 0;
	unsigned int i;

	memcpy(deltas, state->values, sizeof(deltas));
	watch->read(in->net, state->values);
	for (i = 0; i < NG_WATCH_VALUES; i++) {
		deltas[i] = state->values[i] - deltas[i];
		moved |= deltas[i];
		if (i < watch->n_triggers)
			wanted |= deltas[i];
	}
	if (moved)
		watch->moved(in->net, deltas, state->active);

	if (READ_ONCE(state->retransmitted)) {
		WRITE_ONCE(state->retransmitted, false);
		wanted = 1;
	}
	return wanted;
}

static void ng_watch_look(struct ng_watch *watch, struct ng_net *in)
{
	struct ng_watch_state *state = ng_watch_state(watch, in);

	if (ng_watch_moved(watch, in, state)) {
		state->moved_at = jiffies;
		if (!state->hooks)
			ng_watch_attach(watch, in, state);
		ng_watch_set_active(watch, state, state->hooks);
	} else if (state->active &&
		   time_after(jiffies, state->moved_at + NG_WATCH_LINGER)) {
		ng_watch_set_active(watch, state, false);
	}
}

static void ng_watch_look_all(struct ng_net *in, void *unused)
{
	struct ng_watch *watch;
	unsigned int i;

	for (i = 0; i < NG_MAX_GUARDS; i++) {
		watch = READ_ONCE(ng_watches[i]);
		if (watch)
			ng_watch_look(watch, in);
	}
}

static void ng_watch_poll(struct work_struct *work)
{
	static unsigned long place;
	unsigned int slice, slices;

	slices = clamp_t(unsigned int,
			 DIV_ROUND_UP(ng_nets_number(), NG_WATCH_SLICE), 1,
			 NG_WATCH_PERIOD);
	slice = DIV_ROUND_UP(ng_nets_number(), slices);
	if (!ng_nets_do(&place, slice + 1, ng_watch_look_all, NULL))
		place = 0;
	queue_delayed_work(system_power_efficient_wq, &ng_watch_work,
			   NG_WATCH_PERIOD / slices);
}

/* In the middle of a transmission: says it to the next look, and no more. */
static void
ng_watch_retransmitted(NG_TCP_RETRANSMIT_ARGS(void *data,
					      const struct sock *sk,
					      const struct sk_buff *skb))
{
	struct ng_watch_state *state;

	/* Does nothing, but does not compile for another number of arguments. */
	check_trace_callback_type_tcp_retransmit_skb(ng_watch_retransmitted);
	state = ng_watch_state(data, net_generic(sock_net(sk), ng_net_id));
	if (!READ_ONCE(state->retransmitted))
		WRITE_ONCE(state->retransmitted, true);
}

static void ng_watch_begin(struct ng_net *in, void *data)
{
	struct ng_watch *watch = data;
	struct ng_watch_state *state = ng_watch_state(watch, in);

	memset(state, 0, sizeof(*state));
	watch->read(in->net, state->values);
}

static void ng_watch_end(struct ng_net *in, void *data)
{
	ng_watch_detach(in, ng_watch_state(data, in));
}

int ng_watch_start(struct ng_watch *watch)
{
	int err;

	mutex_lock(&ng_watch_mutex);
	ng_nets_each(ng_watch_begin, watch);
	err = watch->retransmits ?
		ng_probe_attach(&watch->probe, "tcp_retransmit_skb",
				ng_watch_retransmitted, watch) : 0;
	if (!err) {
		WRITE_ONCE(ng_watches[watch->guard->index], watch);
		ng_watches_count++;
		queue_delayed_work(system_power_efficient_wq, &ng_watch_work,
				   NG_WATCH_PERIOD);
	}
	mutex_unlock(&ng_watch_mutex);

	return err;
}
EXPORT_SYMBOL_GPL(ng_watch_start);

void ng_watch_stop(struct ng_watch *watch)
{
	mutex_lock(&ng_watch_mutex);
	WRITE_ONCE(ng_watches[watch->guard->index], NULL);
	if (!--ng_watches_count)
		cancel_delayed_work_sync(&ng_watch_work);
	ng_probe_detach(&watch->probe);
	/* Takes the worker's mutex, who cannot know of it afterwards. */
	ng_nets_each(ng_watch_end, watch);
	mutex_unlock(&ng_watch_mutex);
}
EXPORT_SYMBOL_GPL(ng_watch_stop);

/* Under ng_nets_mutex. */
void ng_watch_net_exit(struct ng_net *in)
{
	struct ng_watch *watch;
	unsigned int i;

	for (i = 0; i < NG_MAX_GUARDS; i++) {
		watch = READ_ONCE(ng_watches[i]);
		if (watch)
			ng_watch_moved(watch, in, ng_watch_state(watch, in));
		/* Also those of a guard that is about to stop. */
		ng_watch_detach(in, &in->states[i]);
	}
}
