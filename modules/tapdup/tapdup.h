/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_TAPDUP_H
#define NETGUARD_TAPDUP_H

#include "counters.h"
#include "round.h"

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>

#include <netguard/core.h>

enum tapdup_counter {
#define TAPDUP_ID(name, help) TAPDUP_##name,
	TAPDUP_COUNTERS(TAPDUP_ID, TAPDUP_ID)
#undef TAPDUP_ID
};

/* What a device is in its stack. */
enum tapdup_role {
	/* LAG, VLAN, bridge or macvlan: frames come to it from other devices */
	TAPDUP_UPPER		= BIT(0),
	TAPDUP_LAG_PORT		= BIT(1),
	TAPDUP_BRIDGE_PORT	= BIT(2),
	TAPDUP_HAS_VLANS	= BIT(3),
	TAPDUP_HAS_MACVLANS	= BIT(4),
	/* All of its macvlans are in its own netns. */
	TAPDUP_MACVLANS_HERE	= BIT(5),
	/* What it sends is never seen by this netns again, mark and all. */
	TAPDUP_TX_LEAVES	= BIT(6),
	/* That depends on where its peer is. */
	TAPDUP_TX_PEER		= BIT(7),
	TAPDUP_BRIDGE		= BIT(8),
};

/* Somebody above takes frames from it on receive. */
#define TAPDUP_RX_TAKERS (TAPDUP_LAG_PORT | TAPDUP_HAS_VLANS | \
			  TAPDUP_HAS_MACVLANS)

/* A bridge port that is nothing else has nothing to say on receive. */
#define TAPDUP_RX_ROLES	(TAPDUP_UPPER | TAPDUP_RX_TAKERS)

#define TAPDUP_BRIDGE_HOOKS 2
#define TAPDUP_STACK_HOOKS 2

/**
 * struct tapdup_net - a network namespace
 * @live: its devices have their hooks, and marks may be set
 * @quiet: how often in a row the watch found no packet socket
 * @bridges: how many of the watched devices are bridges
 * @macvlan_ports: how many of them have macvlans
 * @bridge_on: @bridge_ops are registered
 * @stack_on: @stack_ops are registered
 * @bridge_ops: where a bridge passes a frame up, or sends one of its own
 * @stack_ops: where the stack takes a frame that macvlans got copies of
 *
 * All but @live is under RTNL.
 */
struct tapdup_net {
	bool live;
	unsigned int quiet;
	unsigned int bridges;
	unsigned int macvlan_ports;
	bool bridge_on;
	bool stack_on;
	struct nf_hook_ops bridge_ops[TAPDUP_BRIDGE_HOOKS];
	struct nf_hook_ops stack_ops[TAPDUP_STACK_HOOKS];
};

struct tapdup_counts {
	u64 rx_duplicates;
	u64 tx_duplicates;
};

/**
 * struct tapdup_dev - a device that is, or was, part of a stack
 * @node: in the table by device
 * @list: in tapdup_devs
 * @dev: the device
 * @tn: its netns
 * @watched: it has its hooks
 * @roles: enum tapdup_role, 0 while not watched
 * @lag: the LAG that it is a port of
 * @ingress: after the device's taps
 * @egress: before them
 * @counts: rounds on this device
 * @rcu: frees it behind the hooks
 *
 * Lives until the device is unregistered, for the sake of its counts.
 */
struct tapdup_dev {
	struct hlist_node node;
	struct list_head list;
	struct net_device *dev;
	struct tapdup_net *tn;
	bool watched;
	unsigned int roles;
	struct tapdup_dev __rcu *lag;
	struct ng_hook ingress;
	struct ng_hook egress;
	struct tapdup_counts __percpu *counts;
	struct rcu_head rcu;
};

extern struct ng_guard tapdup_guard;

/* Values of the parameter mode. */
enum tapdup_mode {
	TAPDUP_MARK,
	TAPDUP_COUNT,
};

extern struct ng_choice tapdup_mode;
extern u32 tapdup_mark;

/* The bit to mark with now, 0 if only counting. */
static inline u32 tapdup_bit(void)
{
	return READ_ONCE(tapdup_mode.value) == TAPDUP_MARK ?
		READ_ONCE(tapdup_mark) : 0;
}

/* frame.c: the packet path. */
unsigned int tapdup_ingress(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state);
unsigned int tapdup_egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state);
unsigned int tapdup_bridge_up(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int tapdup_bridge_out(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);
unsigned int tapdup_stack(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);
void tapdup_others_forget(void);

/*
 * stack.c: devices and their hooks. The list is changed under RTNL and
 * tapdup_mutex, so either is enough to read it; all but tapdup_dev_find()
 * needs RTNL.
 */
extern struct mutex tapdup_mutex;
extern struct list_head tapdup_devs;

struct tapdup_dev *tapdup_dev_find(const struct net_device *dev);
struct tapdup_dev *tapdup_dev_known(const struct net_device *dev);
void tapdup_look_at(struct net_device *dev);
void tapdup_look_at_lowers(struct net_device *dev);
void tapdup_detach(struct tapdup_dev *td);
void tapdup_forget(struct tapdup_dev *td);

/* watch.c: in which netns packet sockets are open. */

/* Bits that may still be under way on frames that carry no note. */
extern u32 tapdup_strays;

struct tapdup_net *tapdup_net(const struct net *net);
int tapdup_watch_start(void);
void tapdup_watch_stop(void);
void tapdup_watch_bit_changed(u32 old);

/* table.c: rows for debugfs. */
extern const struct seq_operations tapdup_table;

#endif
