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
	/* What it sends is never seen by this netns again, mark and all. */
	TAPDUP_TX_LEAVES	= BIT(6),
	TAPDUP_BRIDGE		= BIT(7),
	/* Its LAG is a bond, which knows inactive ports. */
	TAPDUP_BOND_PORT	= BIT(8),
	/* More than only VLAN devices, or only a LAG, may take its frames. */
	TAPDUP_RX_MIXED		= BIT(9),
};

/* Somebody above takes frames from it on receive. */
#define TAPDUP_RX_TAKERS (TAPDUP_LAG_PORT | TAPDUP_HAS_VLANS | \
			  TAPDUP_HAS_MACVLANS)

#define TAPDUP_BRIDGE_HOOKS 2

/**
 * enum tapdup_phase - how far the devices of a netns are
 * @TAPDUP_OFF: no tap; hooks come off, if there are any left
 * @TAPDUP_ATTACHING: some have their hooks, nothing is marked yet
 * @TAPDUP_LIVE: all have their hooks, and marks are set
 * @TAPDUP_CLOSING: all have their hooks, the last marked frames are under way
 *
 * In all but TAPDUP_OFF the notifier keeps each device up to date.
 */
enum tapdup_phase {
	TAPDUP_OFF,
	TAPDUP_ATTACHING,
	TAPDUP_LIVE,
	TAPDUP_CLOSING,
};

/**
 * struct tapdup_net - a network namespace
 * @bit: to mark with now, 0 if nothing is to be marked
 * @phase: how far its devices are
 * @net: itself
 * @list: in the list of all
 * @tap: a packet socket that sees duplicates was open at the last look
 * @quiet: how often in a row there was none
 * @blind: one of its devices could not get its hooks: nothing is marked
 * @devs: how many devices it has in the list
 * @bridge_on: @bridge_ops are registered, and stay
 * @live: in the list of those where marks are set, under tapdup_mutex
 * @bridge_ops: where a bridge passes a frame up, or sends one of its own
 *
 * @bit, @blind and @live are under tapdup_mutex, @list, @tap and @quiet under the
 * mutex of watch.c, @phase changes under that and RTNL, the rest under RTNL.
 */
struct tapdup_net {
	u32 bit;
	enum tapdup_phase phase;
	struct net *net;
	struct list_head list;
	bool tap;
	unsigned int quiet;
	bool blind;
	unsigned int devs;
	bool bridge_on;
	struct list_head live;
	struct nf_hook_ops bridge_ops[TAPDUP_BRIDGE_HOOKS];
};

/* What is counted of a device: duplicates, each of them in one place. */
enum tapdup_count {
	TAPDUP_RX_PLAIN,
	TAPDUP_RX_MARKED,
	TAPDUP_TX_PLAIN,
	TAPDUP_TX_MARKED,
	TAPDUP_N_COUNTS,
};

struct tapdup_counts {
	u64 rounds[TAPDUP_N_COUNTS];
};

/**
 * struct tapdup_dev - a device that is, or was, part of a stack
 * @roles: enum tapdup_role, 0 while not watched
 * @watched: a capture is open, and all that follows here is in place
 * @tn: its netns
 * @dev: the device
 * @lag: the LAG of this netns that it is a port of
 * @counts: rounds on this device
 * @by_vlan: of a VLAN device that is watched, in the table by @lower and @tag
 * @lower: of a VLAN device, its real_dev
 * @tag: of a VLAN device, see tapdup_tag()
 * @node: in the table by device
 * @list: in tapdup_devs
 * @ingress: where a received frame gets its mark for the next device's taps;
 *	behind all other hooks
 * @egress: where a sent frame gets it for this device's taps; before all others
 * @tap: the last of this device's taps, takes the mark off a received frame
 * @tapped: whether @tap is in its list
 * @queue: the root qdisc that was last found to look at no mark
 * @queue_at: jiffies of then
 * @rcu: frees it behind the hooks
 *
 * Lives until the device is unregistered, for the sake of its counts. So do the
 * hooks: to unregister a hook of netfilter drops what waits in the NFQUEUEs of
 * the netns. Without @roles they return at once.
 */
struct tapdup_dev {
	unsigned int roles;
	bool watched;
	struct tapdup_net *tn;
	struct net_device *dev;
	struct tapdup_dev __rcu *lag;
	struct tapdup_counts __percpu *counts;
	struct hlist_node by_vlan;
	const struct net_device *lower;
	u32 tag;
	struct hlist_node node;
	struct list_head list;
	struct ng_hook ingress;
	struct ng_hook egress;
	struct packet_type tap;
	bool tapped;
	const struct Qdisc *queue;
	unsigned long queue_at;
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

/* The bit that the parameters ask for, 0 if only counting. */
static inline u32 tapdup_wanted_bit(void)
{
	return READ_ONCE(tapdup_mode.value) == TAPDUP_MARK ?
		READ_ONCE(tapdup_mark) : 0;
}

/* A VLAN on the wire: its protocol and its ID. */
static inline u32 tapdup_tag(__be16 proto, u16 vid)
{
	return (__force u32)proto << 16 | vid;
}

/*
 * Each file calls only those that stand above it here: devs.c, frame.c,
 * attach.c, watch.c; table.c reads devs.c.
 *
 * devs.c: which devices and namespaces there are. The list is changed under
 * RTNL and tapdup_mutex, so either is enough to read it; all but
 * tapdup_dev_watched() and the table by VLAN needs RTNL.
 */
extern struct mutex tapdup_mutex;
extern struct list_head tapdup_devs;

#define TAPDUP_VLAN_BITS 12
extern struct hlist_head tapdup_by_vlan[1 << TAPDUP_VLAN_BITS];

/* VLANs of one device come one after the other, as their IDs do. */
static inline struct hlist_head *tapdup_vlans(const struct net_device *lower,
					      u32 tag)
{
	unsigned long first = (unsigned long)lower >> PAGE_SHIFT;

	return &tapdup_by_vlan[(first + tag) % ARRAY_SIZE(tapdup_by_vlan)];
}

/* Bits that may still be under way on frames that carry no note. */
extern u32 tapdup_strays;
extern unsigned int tapdup_net_id;

struct tapdup_net *tapdup_net(const struct net *net);
void tapdup_net_mark_start(struct tapdup_net *tn);
void tapdup_net_mark_stop(struct tapdup_net *tn);
void tapdup_net_blind(struct tapdup_net *tn);
void tapdup_nets_sync(void);
struct tapdup_dev *tapdup_dev_watched(const struct net_device *dev);
struct tapdup_dev *tapdup_dev_find(const struct net_device *dev);
struct tapdup_dev *tapdup_dev_add(struct net_device *dev);
void tapdup_dev_remove(struct tapdup_dev *td);
void tapdup_counts_add(struct tapdup_counts *sum, const struct tapdup_dev *td);
void tapdup_counts_sum(struct tapdup_counts *sum);

/* frame.c: the packet path. */
unsigned int tapdup_ingress(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state);
unsigned int tapdup_egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state);
unsigned int tapdup_bridge_up(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int tapdup_bridge_out(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);
int tapdup_rx_tap(struct sk_buff *skb, struct net_device *dev,
		  struct packet_type *pt, struct net_device *orig_dev);
void tapdup_others_reset(void);

/* attach.c: hooks on devices, under RTNL. */
void tapdup_sync(struct net_device *dev);
void tapdup_sync_others(struct net_device *dev);
void tapdup_detach(struct tapdup_dev *td);
void tapdup_dev_unregister(struct tapdup_dev *td);
void tapdup_net_setup(struct tapdup_net *tn);
void tapdup_net_teardown(struct tapdup_net *tn);

/* watch.c: in which netns taps are open that can see a packet twice. */
int tapdup_watch_start(void);
void tapdup_watch_stop(void);
void tapdup_watch_bit_changed(u32 old);

/* table.c: what debugfs shows. */
extern const struct seq_operations tapdup_table;

u64 tapdup_read(unsigned int id);

#endif
