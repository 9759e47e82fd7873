/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_VLANSTEAL_H
#define NETGUARD_VLANSTEAL_H

#include "counters.h"
#include "thief.h"

#include <linux/bitmap.h>
#include <linux/if_vlan.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rtnetlink.h>

#include <netguard/core.h>

enum vlansteal_counter {
#define VLANSTEAL_ID(name, help) VLANSTEAL_##name,
	VLANSTEAL_COUNTERS(VLANSTEAL_ID, VLANSTEAL_ID)
#undef VLANSTEAL_ID
};

/*
 * How many thieves are known at most, how many of these the namespaces but the
 * first have together, and how many one of them.
 */
#define VLANSTEAL_THIEVES 1024
#define VLANSTEAL_THIEVES_OTHERS (VLANSTEAL_THIEVES * 3 / 4)
#define VLANSTEAL_THIEVES_OTHER (VLANSTEAL_THIEVES / 4)

/* How many slots one allocation holds the thieves of. */
#define VLANSTEAL_PART 512

/**
 * struct vlansteal_part - thieves with neighbouring slots
 * @thieves: by vlansteal_slot() modulo VLANSTEAL_PART
 */
struct vlansteal_part {
	struct vlansteal_thief __rcu *thieves[VLANSTEAL_PART];
};

/**
 * struct vlansteal_port - a LAG port that has thieves
 * @list: in the list of such ports
 * @dev: the port
 * @lag: the bond or team
 * @hook: on @dev while @conflicts is not 0
 * @conflicts: how many of the thieves are in conflict
 * @thieves: those in @parts
 * @parts: by vlansteal_slot() / VLANSTEAL_PART; made when first needed, and
 *	there as long as the port. Like struct vlan_group: two loads for a
 *	frame, where an xarray takes seventy instructions
 * @taken: the slots of those in conflict; all that a healthy frame pays
 * @rcu: frees it behind the hook
 */
struct vlansteal_port {
	struct list_head list;
	struct net_device *dev;
	struct net_device *lag;
	struct ng_hook hook;
	unsigned int conflicts;
	struct list_head thieves;
	struct vlansteal_part __rcu *parts[VLANSTEAL_SLOTS / VLANSTEAL_PART];
	DECLARE_BITMAP(taken, VLANSTEAL_SLOTS);
	struct rcu_head rcu;
};

struct vlansteal_frames {
	u64 by_fate[VLANSTEAL_FATES];
};

/**
 * struct vlansteal_thief - a VLAN device on a LAG port
 * @list: in vlansteal_thieves, the eldest first
 * @on_port: in the port's list
 * @serial: counts up; a reader's position
 * @dev: the VLAN device
 * @net: the namespace that it is counted for, where it was found
 * @port: what it sits on
 * @slot: its vlansteal_slot()
 * @verdict: conflict or private
 * @backstop: hook on @dev, while in conflict and in rescue mode
 * @synced_mode: the mode for which @backstop was last synced
 * @frames: what became of the frames it waits for, while in conflict
 * @rcu: frees it behind the hook
 */
struct vlansteal_thief {
	struct list_head list;
	struct list_head on_port;
	loff_t serial;
	struct net_device *dev;
	const struct net *net;
	struct vlansteal_port *port;
	unsigned int slot;
	enum vlansteal_verdict verdict;
	struct ng_hook backstop;
	int synced_mode;
	struct vlansteal_frames __percpu *frames;
	struct rcu_head rcu;
};

/**
 * vlansteal_thief_at() - the thief on a port that waits for a tag
 * @port: the port
 * @slot: vlansteal_slot() of the tag
 *
 * Context: RTNL or rcu_read_lock() held.
 * Return: the thief or NULL.
 */
static inline struct vlansteal_thief *
vlansteal_thief_at(const struct vlansteal_port *port, unsigned int slot)
{
	const struct vlansteal_part *part =
		rcu_dereference_rtnl(port->parts[slot / VLANSTEAL_PART]);

	return part ? rcu_dereference_rtnl(part->thieves[slot % VLANSTEAL_PART]) :
		      NULL;
}

/* Values of the parameter mode. */
enum vlansteal_mode {
	VLANSTEAL_DETECT,
	VLANSTEAL_RESCUE,
};

extern struct ng_choice vlansteal_mode;

static inline bool vlansteal_rescues(void)
{
	return READ_ONCE(vlansteal_mode.value) == VLANSTEAL_RESCUE;
}

extern struct ng_guard vlansteal_guard;

/* frame.c: the packet path. */
unsigned int vlansteal_ingress(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);
unsigned int vlansteal_backstop(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);

/*
 * port.c: how ports and thieves are kept. The list is changed under RTNL and
 * vlansteal_mutex, so either is enough to read it. Devices are not referenced:
 * an entry goes at its device's NETDEV_UNREGISTER at the latest, for which the
 * notifier has to take the mutex. The functions are called under both.
 */
extern struct mutex vlansteal_mutex;
extern struct list_head vlansteal_thieves;

int vlansteal_ports_setup(void);
void vlansteal_ports_teardown(void);
struct vlansteal_port *vlansteal_port_find(const struct net_device *dev);
struct vlansteal_port *vlansteal_port_get(struct net_device *dev);
/* To end each change with: the port is gone if it has no thief. */
void vlansteal_port_sync(struct vlansteal_port *port);

/* NULL when there is no room or memory; the port stays, to be settled. */
struct vlansteal_thief *vlansteal_thief_add(struct vlansteal_port *port,
					    struct net_device *dev,
					    unsigned int slot);
void vlansteal_thief_judge(struct vlansteal_thief *thief,
			   enum vlansteal_verdict verdict);
void vlansteal_thief_move(struct vlansteal_thief *thief);
void vlansteal_thief_remove(struct vlansteal_thief *thief);
void vlansteal_backstop_sync(struct vlansteal_thief *thief);

/* watch.c: which thieves there are. */
int vlansteal_watch_start(void);
void vlansteal_watch_stop(void);
void vlansteal_watch_mode_changed(void);

/* table.c: rows for debugfs and the log. */
extern const struct seq_operations vlansteal_table;

void vlansteal_announce(const struct vlansteal_thief *thief);

#endif
