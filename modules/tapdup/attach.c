// SPDX-License-Identifier: GPL-2.0
/* What a device is in its stack, and the hooks that it has for that. */

#include "tapdup.h"

#include <linux/if_vlan.h>
#include <linux/netfilter_arp.h>
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

static unsigned int tapdup_tx_role(struct net_device *dev)
{
	const char *kind = dev->rtnl_link_ops ? dev->rtnl_link_ops->kind : "";
	const struct net_device *peer;

	/* skb_scrub_packet() takes the whole mark away between two netns. */
	if (dev->netdev_ops->ndo_get_peer_dev) {
		peer = tapdup_peer(dev);
		return peer && !net_eq(dev_net(peer), dev_net(dev)) ?
			TAPDUP_TX_LEAVES : 0;
	}
	/* What these send goes through hooks of ours again. */
	if (netif_is_lag_master(dev) || is_vlan_dev(dev))
		return TAPDUP_TX_LEAVES;
	/* So it does here, if the bridge's own rules do not see it. */
	if (netif_is_bridge_master(dev))
		return tapdup_net(dev_net(dev))->bridge_on ?
			TAPDUP_TX_LEAVES : 0;
	/* A macvlan may give it to another one, a tunnel sends it elsewhere. */
	if (netif_is_macvlan(dev))
		return 0;
	return dev->dev.parent || !strcmp(kind, "tun") ||
	       !strcmp(kind, "dummy") ? TAPDUP_TX_LEAVES : 0;
}

/* Under RTNL, like all that follows here. */
static unsigned int tapdup_roles(struct net_device *dev)
{
	unsigned int roles = tapdup_upper_role(dev);
	bool vlans = false, vlans_here = false;
	bool others = false, mixed = false;
	bool macvlans_here = true;
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
			macvlans_here &= here;
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

	if (roles & TAPDUP_HAS_MACVLANS && macvlans_here)
		roles |= TAPDUP_MACVLANS_HERE;
	/* A VLAN device elsewhere takes frames from who would get them here. */
	if (vlans_here || (vlans && roles & TAPDUP_RX_TAKERS))
		roles |= TAPDUP_HAS_VLANS;
	if (roles & TAPDUP_HAS_MACVLANS || mixed || (vlans && others))
		roles |= TAPDUP_RX_MIXED;
	return roles;
}

/* Rules of the bridge and of the stack itself are to see nothing of it. */
static void tapdup_net_sync(struct net *net)
{
	struct tapdup_net *tn = tapdup_net(net);

	if (tn->bridges && !tn->bridge_on)
		tn->bridge_on = !nf_register_net_hooks(net, tn->bridge_ops,
						       TAPDUP_BRIDGE_HOOKS);
	else if (!tn->bridges && tn->bridge_on)
		nf_unregister_net_hooks(net, tn->bridge_ops,
					TAPDUP_BRIDGE_HOOKS);
	tn->bridge_on &= !!tn->bridges;

	if (tn->macvlan_ports && !tn->stack_on)
		tn->stack_on = !nf_register_net_hooks(net, tn->stack_ops,
						      TAPDUP_STACK_HOOKS);
	else if (!tn->macvlan_ports && tn->stack_on)
		nf_unregister_net_hooks(net, tn->stack_ops, TAPDUP_STACK_HOOKS);
	tn->stack_on &= !!tn->macvlan_ports;
}

static void tapdup_set_roles(struct tapdup_dev *td, unsigned int roles)
{
	unsigned int gained = roles & ~td->roles;
	unsigned int lost = td->roles & ~roles;
	struct tapdup_net *tn = td->tn;

	tn->macvlan_ports += !!(gained & TAPDUP_HAS_MACVLANS);
	tn->macvlan_ports -= !!(lost & TAPDUP_HAS_MACVLANS);
	tn->bridges += !!(gained & TAPDUP_BRIDGE);
	tn->bridges -= !!(lost & TAPDUP_BRIDGE);
	tapdup_net_sync(dev_net(td->dev));

	/* Without these hooks a copy's mark would be on the frame as well. */
	if (!tn->stack_on)
		roles &= ~TAPDUP_MACVLANS_HERE;
	if (roles)
		roles |= tapdup_tx_role(td->dev);
	WRITE_ONCE(td->roles, roles);
}

void tapdup_detach(struct tapdup_dev *td)
{
	RCU_INIT_POINTER(td->lag, NULL);
	if (!td->watched)
		return;

	WRITE_ONCE(td->watched, false);
	hlist_del_init_rcu(&td->by_vlan);
	ng_count_add(&tapdup_guard, TAPDUP_devices_watched, -1);
	tapdup_set_roles(td, 0);
	ng_hook_detach(&td->ingress);
	ng_hook_detach(&td->egress);
}

static int tapdup_hook(struct tapdup_dev *td, struct ng_hook *hook,
		       enum nf_dev_hooks hooknum, nf_hookfn *fn)
{
	if (ng_hook_attached(hook))
		return 0;

	return ng_hook_attach(hook, td->dev, hooknum, INT_MAX, fn, td);
}

static int tapdup_hooks(struct tapdup_dev *td, unsigned int roles)
{
	int err;

	err = tapdup_hook(td, &td->egress, NF_NETDEV_EGRESS, tapdup_egress);
	if (err)
		return err;

	if (roles & TAPDUP_RX_ROLES) {
		err = tapdup_hook(td, &td->ingress, NF_NETDEV_INGRESS,
				  tapdup_ingress);
		if (err)
			ng_hook_detach(&td->egress);
		return err;
	}

	ng_hook_detach(&td->ingress);
	return 0;
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
	if (tapdup_hooks(td, roles)) {
		tapdup_detach(td);
		ng_count(&tapdup_guard, TAPDUP_devices_skipped);
		return;
	}

	tapdup_set_roles(td, roles);
	rcu_assign_pointer(td->lag, roles & TAPDUP_LAG_PORT ?
			   tapdup_lag_of(td) : NULL);
	if (td->watched)
		return;

	ng_count(&tapdup_guard, TAPDUP_devices_watched);
	WRITE_ONCE(td->watched, true);
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
		ng_count(&tapdup_guard, TAPDUP_devices_skipped);
}

/* Those to which it matters in which netns this one is. */
void tapdup_sync_others(struct net_device *dev)
{
	struct net_device *peer = tapdup_peer(dev);
	struct net_device *lower;
	struct list_head *iter;

	netdev_for_each_lower_dev(dev, lower, iter)
		tapdup_sync(lower);
	if (peer)
		tapdup_sync(peer);
}

/* Nobody may hand it a marked frame any more when its hooks go. */
static void tapdup_lag_remove(const struct tapdup_dev *lag)
{
	struct tapdup_dev *port;
	bool ports = false;

	list_for_each_entry(port, &tapdup_devs, list)
		if (rcu_access_pointer(port->lag) == lag) {
			RCU_INIT_POINTER(port->lag, NULL);
			ports = true;
		}
	if (ports)
		synchronize_net();
}

/* On its NETDEV_UNREGISTER: no frame is in its hooks, it was closed before. */
void tapdup_dev_unregister(struct tapdup_dev *td)
{
	if (netif_is_lag_master(td->dev))
		tapdup_lag_remove(td);

	tapdup_detach(td);
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
	static const struct nf_hook_ops stack_ops[TAPDUP_STACK_HOOKS] = {
		{
			.hook = tapdup_stack,
			.pf = NFPROTO_INET,
			.hooknum = NF_INET_PRE_ROUTING,
			.priority = INT_MIN,
		}, {
			.hook = tapdup_stack,
			.pf = NFPROTO_ARP,
			.hooknum = NF_ARP_IN,
			.priority = INT_MIN,
		},
	};
	int i;

	memcpy(tn->bridge_ops, bridge_ops, sizeof(bridge_ops));
	memcpy(tn->stack_ops, stack_ops, sizeof(stack_ops));
	for (i = 0; i < TAPDUP_BRIDGE_HOOKS; i++)
		tn->bridge_ops[i].priv = tn;
}
