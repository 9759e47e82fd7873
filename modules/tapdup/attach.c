// SPDX-License-Identifier: GPL-2.0
/* What a device is in its stack, and the hooks that it has for that. */

#include "tapdup.h"

#include <linux/if_vlan.h>
#include <linux/netfilter_bridge.h>
#include <linux/rtnetlink.h>
#include <net/rtnetlink.h>

static unsigned int tapdup_upper_role(const struct net_device *dev)
{
	if (netif_is_bridge_master(dev))
		return TAPDUP_UPPER | TAPDUP_BRIDGE;

	return netif_is_lag_master(dev) || is_vlan_dev(dev) ||
	       netif_is_macvlan(dev) ? TAPDUP_UPPER : 0;
}

static struct net_device *tapdup_peer(struct net_device *dev)
{
	struct net_device *peer = NULL;

	if (dev->netdev_ops->ndo_get_peer_dev) {
		rcu_read_lock();
		peer = dev->netdev_ops->ndo_get_peer_dev(dev);
		rcu_read_unlock();
	}
	return peer;
}

static bool tapdup_is_kind(const struct net_device *dev, const char *kind)
{
	return dev->rtnl_link_ops && !strcmp(dev->rtnl_link_ops->kind, kind);
}

static bool tapdup_is_watched_here(const struct net_device *dev,
				   const struct net *net)
{
	return net_eq(dev_net(dev), net) && tapdup_dev_watched(dev);
}

/* Does a marked frame that this device sends end, or meet a hook of ours next? */
static bool tapdup_tx_leaves(struct net_device *dev)
{
	const struct net_device *peer;

	/* What a VLAN device sends goes on where its lower device is. */
	if (is_vlan_dev(dev))
		return tapdup_is_watched_here(vlan_dev_priv(dev)->real_dev,
					      dev_net(dev));
	/* Ports are in the netns of their LAG, and have hooks, or it is blind. */
	if (netif_is_lag_master(dev))
		return true;
	if (netif_is_bridge_master(dev))
		return tapdup_net(dev_net(dev))->bridge_on;
	/* Between two netns ____dev_forward_skb() takes the whole mark away. */
	if (tapdup_is_kind(dev, "veth")) {
		peer = tapdup_peer(dev);
		return peer && !net_eq(dev_net(peer), dev_net(dev));
	}
	if (tapdup_is_kind(dev, "tun") || tapdup_is_kind(dev, "dummy"))
		return true;
	/*
	 * A driver of hardware. One with a link kind, or above another device,
	 * may hand the frame to somebody else: a DSA port, netvsc above its VF.
	 */
	return dev->dev.parent && !dev->rtnl_link_ops &&
	       list_empty(&dev->adj_list.lower);
}

/* Under RTNL, like all that follows here. */
static unsigned int tapdup_roles(struct net_device *dev)
{
	unsigned int roles = tapdup_upper_role(dev);
	bool vlans = false, vlans_here = false;
	bool others = false, mixed = false;
	struct net_device *upper;
	struct list_head *iter;
	bool here;

	if (tapdup_net(dev_net(dev))->phase == TAPDUP_OFF)
		return 0;
	/* E.g. a bond lets go of its ports after its NETDEV_UNREGISTER. */
	if (dev->reg_state != NETREG_REGISTERED)
		return 0;

	netdev_for_each_upper_dev_rcu(dev, upper, iter) {
		here = net_eq(dev_net(upper), dev_net(dev));
		if (is_vlan_dev(upper)) {
			vlans = true;
			vlans_here |= here;
			/* Its frames go on without the tag if nobody takes them. */
			mixed |= !vlan_dev_vlan_id(upper);
			continue;
		}

		others = true;
		if (netif_is_macvlan(upper)) {
			roles |= here ? TAPDUP_HAS_MACVLANS : 0;
		} else if (!here) {
			continue;
		} else if (netif_is_lag_master(upper)) {
			roles |= TAPDUP_LAG_PORT;
			if (netif_is_bond_master(upper))
				roles |= TAPDUP_BOND_PORT;
		} else if (netif_is_bridge_master(upper)) {
			roles |= TAPDUP_BRIDGE_PORT;
		}
	}

	/* A VLAN device elsewhere takes frames from who would get them here. */
	if (vlans_here || (vlans && roles & TAPDUP_RX_TAKERS))
		roles |= TAPDUP_HAS_VLANS;
	if (roles & TAPDUP_HAS_MACVLANS || mixed || (vlans && others))
		roles |= TAPDUP_RX_MIXED;
	return roles;
}

/* From the first bridge on; what they cost without a capture is two loads. */
static void tapdup_bridge_attach(struct tapdup_net *tn)
{
	if (!tn->bridge_on)
		tn->bridge_on = !nf_register_net_hooks(tn->net, tn->bridge_ops,
						       TAPDUP_BRIDGE_HOOKS);
}

static int tapdup_hook(struct tapdup_dev *td, struct ng_hook *hook,
		       enum nf_dev_hooks hooknum, int priority, nf_hookfn *fn)
{
	if (ng_hook_attached(hook))
		return 0;

	return ng_hook_attach(hook, td->dev, hooknum, priority, fn, td);
}

static int tapdup_hooks(struct tapdup_dev *td, unsigned int roles)
{
	int err;

	err = tapdup_hook(td, &td->egress, NF_NETDEV_EGRESS, INT_MIN,
			  tapdup_egress);
	if (!err && roles & TAPDUP_RX_TAKERS)
		err = tapdup_hook(td, &td->ingress, NF_NETDEV_INGRESS, INT_MAX,
				  tapdup_ingress);
	return err;
}

/*
 * Its being there alone would make dev_queue_xmit_nit() copy what is sent: but
 * a capture is open, which has that done already.
 */
static void tapdup_tap_add(struct tapdup_dev *td)
{
	td->tap = (struct packet_type) {
		.type = htons(ETH_P_ALL),
		.dev = td->dev,
		.ignore_outgoing = true,
		.func = tapdup_rx_tap,
	};
	dev_add_pack(&td->tap);
	td->tapped = true;
}

/* The hooks stay. Nobody may hand it a marked frame any more. */
void tapdup_detach(struct tapdup_dev *td)
{
	RCU_INIT_POINTER(td->lag, NULL);
	WRITE_ONCE(td->roles, 0);
	if (!td->watched)
		return;

	WRITE_ONCE(td->watched, false);
	hlist_del_init_rcu(&td->by_vlan);
	ng_count_add(&tapdup_guard, TAPDUP_devices_watched, -1);
	if (td->tapped) {
		/* Receivers may be about to call it: it stays as it is. */
		__dev_remove_pack(&td->tap);
		td->tapped = false;
	}
}

/* Nothing is marked in its netns: a mark could get past it. */
static void tapdup_skip(const struct net_device *dev)
{
	tapdup_net_blind(tapdup_net(dev_net(dev)));
	ng_count(&tapdup_guard, TAPDUP_devices_skipped);
}

/* The LAG gets its hooks before its port does. */
static struct tapdup_dev *tapdup_lag_of(const struct tapdup_dev *port)
{
	struct net_device *master = netdev_master_upper_dev_get(port->dev);

	if (!tapdup_dev_watched(master))
		tapdup_sync(master);
	return tapdup_dev_watched(master);
}

static void tapdup_attach(struct tapdup_dev *td, unsigned int roles)
{
	struct net_device *lower = NULL;

	if (tapdup_hooks(td, roles)) {
		tapdup_skip(td->dev);
		return;
	}

	if (roles & TAPDUP_BRIDGE)
		tapdup_bridge_attach(td->tn);
	if (is_vlan_dev(td->dev))
		lower = vlan_dev_priv(td->dev)->real_dev;
	if (lower && net_eq(dev_net(lower), dev_net(td->dev)) &&
	    !tapdup_dev_watched(lower))
		tapdup_sync(lower);
	if (tapdup_tx_leaves(td->dev))
		roles |= TAPDUP_TX_LEAVES;
	WRITE_ONCE(td->roles, roles);
	rcu_assign_pointer(td->lag, roles & TAPDUP_LAG_PORT ?
			   tapdup_lag_of(td) : NULL);
	if (td->watched)
		return;

	if (roles & TAPDUP_UPPER)
		tapdup_tap_add(td);
	ng_count(&tapdup_guard, TAPDUP_devices_watched);
	/* Pairs with tapdup_dev_watched(). */
	smp_store_release(&td->watched, true);
	if (td->lower)
		hlist_add_head_rcu(&td->by_vlan,
				   tapdup_vlans(td->lower, td->tag));
}

/* Brings one device up to date, also in a netns without packet sockets. */
void tapdup_sync(struct net_device *dev)
{
	unsigned int roles = tapdup_roles(dev);
	struct tapdup_dev *td = tapdup_dev_find(dev);

	if (!roles) {
		if (td)
			tapdup_detach(td);
		return;
	}

	if (!td)
		td = tapdup_dev_add(dev);
	if (td)
		tapdup_attach(td, roles);
	else
		tapdup_skip(dev);
}

/* Those to which it matters in which netns this one is. */
void tapdup_sync_others(struct net_device *dev)
{
	struct net_device *peer = tapdup_peer(dev);
	struct net_device *lower, *upper;
	struct list_head *iter;

	netdev_for_each_lower_dev(dev, lower, iter)
		tapdup_sync(lower);
	netdev_for_each_upper_dev_rcu(dev, upper, iter)
		if (is_vlan_dev(upper))
			tapdup_sync(upper);
	if (peer)
		tapdup_sync(peer);
}

/* Nobody may hand it a marked frame any more when its tap goes. */
static void tapdup_lag_remove(const struct tapdup_dev *lag)
{
	struct net_device *lower;
	struct tapdup_dev *port;
	struct list_head *iter;
	bool ports = false;

	netdev_for_each_lower_dev(lag->dev, lower, iter) {
		port = tapdup_dev_find(lower);
		if (port && rcu_access_pointer(port->lag) == lag) {
			RCU_INIT_POINTER(port->lag, NULL);
			ports = true;
		}
	}
	if (ports)
		synchronize_net();
}

/* VLAN devices stay above a device that changes its netns. */
static void tapdup_vlans_unmark(struct net_device *dev)
{
	struct net_device *upper;
	struct tapdup_dev *vlan;
	struct list_head *iter;

	netdev_for_each_upper_dev_rcu(dev, upper, iter) {
		vlan = is_vlan_dev(upper) ? tapdup_dev_find(upper) : NULL;
		if (vlan)
			WRITE_ONCE(vlan->roles,
				   vlan->roles & ~TAPDUP_TX_LEAVES);
	}
}

/* On its NETDEV_UNREGISTER: no frame is in its hooks, it was closed before. */
void tapdup_dev_unregister(struct tapdup_dev *td)
{
	if (netif_is_lag_master(td->dev))
		tapdup_lag_remove(td);

	tapdup_detach(td);
	tapdup_vlans_unmark(td->dev);
	ng_hook_detach(&td->ingress);
	ng_hook_detach(&td->egress);
	tapdup_dev_remove(td);
}

/* A namespace begins. */
void tapdup_net_setup(struct tapdup_net *tn)
{
	static const struct nf_hook_ops bridge_ops[TAPDUP_BRIDGE_HOOKS] = {
		{
			.hook = tapdup_bridge_up,
			.pf = NFPROTO_BRIDGE,
			.hooknum = NF_BR_LOCAL_IN,
			.priority = INT_MAX,
		}, {
			.hook = tapdup_bridge_out,
			.pf = NFPROTO_BRIDGE,
			.hooknum = NF_BR_LOCAL_OUT,
			.priority = INT_MIN,
		},
	};
	int i;

	memcpy(tn->bridge_ops, bridge_ops, sizeof(bridge_ops));
	for (i = 0; i < TAPDUP_BRIDGE_HOOKS; i++)
		tn->bridge_ops[i].priv = tn;
}

/* A namespace ends, or the guard: its devices are gone. */
void tapdup_net_teardown(struct tapdup_net *tn)
{
	if (tn->bridge_on) {
		nf_unregister_net_hooks(tn->net, tn->bridge_ops,
					TAPDUP_BRIDGE_HOOKS);
		/* nfnl_hook_dump() may read its ops, which are freed with @tn. */
		synchronize_net();
	}
	tn->bridge_on = false;
}
