// SPDX-License-Identifier: GPL-2.0
/*
 * Which thieves there are: follows VLANs, LAG ports and what is stacked above,
 * in every netns, and puts the hook on a port while it has a conflict.
 */

#include "vlansteal.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>

/* Guards the two lists and what hangs on them, together with RTNL. */
DEFINE_MUTEX(vlansteal_mutex);
LIST_HEAD(vlansteal_thieves);
static LIST_HEAD(vlansteal_ports);
/* Under RTNL. A parameter can be written before and after the watch. */
static bool vlansteal_watching;

static void vlansteal_settle_backstop(struct vlansteal_thief *thief)
{
	bool wanted = vlansteal_rescues() &&
		      thief->verdict == VLANSTEAL_CONFLICT;

	thief->settled_mode = vlansteal_mode.value;
	if (wanted == thief->backstop)
		return;

	if (wanted) {
		/* Somebody else may have the slot; it is theirs then. */
		thief->backstop = !netdev_rx_handler_register(thief->dev,
							      vlansteal_backstop,
							      NULL);
	} else {
		netdev_rx_handler_unregister(thief->dev);
		thief->backstop = false;
	}
}

static struct vlansteal_port *vlansteal_port_find(const struct net_device *dev)
{
	struct vlansteal_port *port;

	list_for_each_entry(port, &vlansteal_ports, list)
		if (port->dev == dev)
			return port;

	return NULL;
}

static struct vlansteal_port *vlansteal_port_get(struct net_device *dev)
{
	struct vlansteal_port *port = vlansteal_port_find(dev);

	if (port)
		return port;

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;

	port->dev = dev;
	list_add_tail(&port->list, &vlansteal_ports);
	return port;
}

static void vlansteal_port_free(struct rcu_head *rcu)
{
	struct vlansteal_port *port =
		container_of(rcu, struct vlansteal_port, rcu);
	int i;

	for (i = 0; i < ARRAY_SIZE(port->parts); i++)
		kfree(rcu_access_pointer(port->parts[i]));
	kfree(port);
}

/* The hook goes with the last conflict, the port with its last thief. */
static void vlansteal_port_settle(struct vlansteal_port *port)
{
	int err;

	if (port->conflicts && !ng_hook_attached(&port->hook)) {
		err = ng_hook_attach(&port->hook, port->dev, NF_NETDEV_INGRESS,
				     INT_MAX, vlansteal_ingress, port);
		if (err)
			netdev_warn_once(port->dev, "netguard_vlansteal: no ingress hook, frames are not counted: %d\n",
					 err);
	} else if (!port->conflicts) {
		ng_hook_detach(&port->hook);
	}

	if (!port->n_thieves) {
		list_del(&port->list);
		call_rcu(&port->rcu, vlansteal_port_free);
	}
}

/* The place for a thief on its port, NULL when memory is short. */
static struct vlansteal_thief __rcu **
vlansteal_port_place(struct vlansteal_port *port, unsigned int slot)
{
	struct vlansteal_part __rcu **where =
		&port->parts[slot / VLANSTEAL_PART];
	struct vlansteal_part *part = rtnl_dereference(*where);

	if (!part) {
		part = kzalloc(sizeof(*part), GFP_KERNEL);
		if (!part)
			return NULL;
		rcu_assign_pointer(*where, part);
	}

	return &part->thieves[slot % VLANSTEAL_PART];
}

static void vlansteal_thief_judge(struct vlansteal_thief *thief,
				  enum vlansteal_verdict verdict)
{
	struct vlansteal_port *port = thief->port;

	if (thief->verdict == verdict)
		return;

	thief->verdict = verdict;
	if (verdict == VLANSTEAL_CONFLICT) {
		port->conflicts++;
		ng_count(&vlansteal_guard, VLANSTEAL_conflicts);
		set_bit(thief->slot, port->taken);
	} else {
		port->conflicts--;
		ng_count_add(&vlansteal_guard, VLANSTEAL_conflicts, -1);
		clear_bit(thief->slot, port->taken);
	}
	vlansteal_settle_backstop(thief);
}

static struct vlansteal_thief *vlansteal_thief_add(struct vlansteal_port *port,
						   struct net_device *dev,
						   unsigned int slot)
{
	struct vlansteal_thief __rcu **place = vlansteal_port_place(port, slot);
	struct vlansteal_thief *thief;

	if (!place)
		return NULL;

	thief = kzalloc(sizeof(*thief), GFP_KERNEL);
	if (!thief)
		return NULL;

	thief->frames = alloc_percpu(struct vlansteal_frames);
	if (!thief->frames)
		goto err_thief;

	thief->dev = dev;
	thief->port = port;
	thief->slot = slot;
	thief->settled_mode = vlansteal_mode.value;
	rcu_assign_pointer(*place, thief);
	port->n_thieves++;
	list_add_tail(&thief->list, &vlansteal_thieves);
	ng_count(&vlansteal_guard, VLANSTEAL_thieves);
	return thief;

err_thief:
	kfree(thief);
	return NULL;
}

static void vlansteal_thief_free(struct rcu_head *rcu)
{
	struct vlansteal_thief *thief =
		container_of(rcu, struct vlansteal_thief, rcu);

	free_percpu(thief->frames);
	kfree(thief);
}

static void vlansteal_thief_remove(struct vlansteal_thief *thief)
{
	struct vlansteal_port *port = thief->port;

	vlansteal_thief_judge(thief, VLANSTEAL_PRIVATE);
	/* Never NULL: it was there for this thief. */
	RCU_INIT_POINTER(*vlansteal_port_place(port, thief->slot), NULL);
	port->n_thieves--;
	list_del(&thief->list);
	ng_count_add(&vlansteal_guard, VLANSTEAL_thieves, -1);
	call_rcu(&thief->rcu, vlansteal_thief_free);
	vlansteal_port_settle(port);
}

static struct vlansteal_thief *vlansteal_thief_find(struct net_device *dev)
{
	struct vlansteal_port *port =
		vlansteal_port_find(vlan_dev_priv(dev)->real_dev);

	return port ? vlansteal_thief_at(port,
					 vlansteal_slot(vlan_dev_vlan_proto(dev),
							vlan_dev_vlan_id(dev))) :
		      NULL;
}

/* Brings the entry of one VLAN device, new or known, up to date. */
static void vlansteal_look_at_vlan(struct net_device *dev)
{
	struct net_device *lower = vlan_dev_priv(dev)->real_dev;
	struct net_device *lag = vlansteal_lag_of(lower);
	struct vlansteal_thief *thief = vlansteal_thief_find(dev);
	__be16 proto = vlan_dev_vlan_proto(dev);
	u16 vid = vlan_dev_vlan_id(dev);
	enum vlansteal_verdict verdict;
	struct vlansteal_port *port;
	bool announce = !thief;

	if (!lag) {
		if (thief)
			vlansteal_thief_remove(thief);
		return;
	}

	port = vlansteal_port_get(lower);
	if (!port)
		return;

	port->lag = lag;
	if (!thief)
		thief = vlansteal_thief_add(port, dev,
					    vlansteal_slot(proto, vid));
	if (thief) {
		verdict = vlansteal_judge(lag, proto, vid);
		announce |= verdict == VLANSTEAL_CONFLICT &&
			    thief->verdict == VLANSTEAL_PRIVATE;
		vlansteal_thief_judge(thief, verdict);
	}
	vlansteal_port_settle(port);
	if (thief && announce)
		vlansteal_announce(thief);
}

/* All VLANs of a device that became, stayed or ceased to be a LAG port. */
static int vlansteal_look_at_port(struct net_device *dev,
				  struct netdev_nested_priv *unused)
{
	struct net_device *upper;
	struct list_head *iter;

	if (!vlansteal_lag_of(dev) && !vlansteal_port_find(dev))
		return 0;

	netdev_for_each_upper_dev_rcu(dev, upper, iter)
		if (is_vlan_dev(upper) && vlan_dev_priv(upper)->real_dev == dev)
			vlansteal_look_at_vlan(upper);

	return 0;
}

/* The VLANs on a LAG port that have the same tag as the one in @priv. */
static int vlansteal_look_at_rival(struct net_device *dev,
				   struct netdev_nested_priv *priv)
{
	const struct net_device *vlan = priv->data;
	struct vlansteal_port *port = vlansteal_port_find(dev);
	struct vlansteal_thief *thief;

	if (!port)
		return 0;

	thief = vlansteal_thief_at(port,
				   vlansteal_slot(vlan_dev_vlan_proto(vlan),
						  vlan_dev_vlan_id(vlan)));
	if (thief)
		vlansteal_look_at_vlan(thief->dev);
	return 0;
}

static void vlansteal_release(struct net_device *dev)
{
	struct vlansteal_thief *thief, *next;

	list_for_each_entry_safe(thief, next, &vlansteal_thieves, list)
		if (thief->dev == dev || thief->port->dev == dev)
			vlansteal_thief_remove(thief);
}

static void vlansteal_changeupper(struct net_device *dev,
				  const struct netdev_notifier_changeupper_info *info)
{
	struct netdev_nested_priv priv = { .data = info->upper_dev };

	if (is_vlan_dev(info->upper_dev)) {
		if (info->linking)
			vlansteal_look_at_vlan(info->upper_dev);
		else
			vlansteal_release(info->upper_dev);
		netdev_walk_all_lower_dev(dev, vlansteal_look_at_rival, &priv);
	} else {
		vlansteal_look_at_port(dev, NULL);
		netdev_walk_all_lower_dev(dev, vlansteal_look_at_port, NULL);
	}
}

/* A bridge or bond takes this device as a port: it needs the rx_handler. */
static void vlansteal_make_room(struct net_device *dev)
{
	struct vlansteal_thief *thief;

	list_for_each_entry(thief, &vlansteal_thieves, list)
		if (thief->dev == dev && thief->backstop) {
			netdev_rx_handler_unregister(dev);
			thief->backstop = false;
		}
}

static int vlansteal_netdev_event(struct notifier_block *nb,
				  unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	mutex_lock(&vlansteal_mutex);
	switch (event) {
	case NETDEV_REGISTER:
		if (is_vlan_dev(dev))
			vlansteal_look_at_vlan(dev);
		break;
	case NETDEV_CHANGEUPPER:
		vlansteal_changeupper(dev, ptr);
		break;
	case NETDEV_JOIN:
		vlansteal_make_room(dev);
		break;
	case NETDEV_UNREGISTER:
		/* A device that moves to another netns stays linked and steals on. */
		if (dev->reg_state != NETREG_REGISTERED)
			vlansteal_release(dev);
		break;
	}
	mutex_unlock(&vlansteal_mutex);

	return NOTIFY_DONE;
}

static struct notifier_block vlansteal_notifier = {
	.notifier_call = vlansteal_netdev_event,
};

static bool vlansteal_settle_one(void)
{
	struct vlansteal_thief *thief;

	list_for_each_entry(thief, &vlansteal_thieves, list)
		if (thief->settled_mode != vlansteal_mode.value) {
			vlansteal_settle_backstop(thief);
			return true;
		}

	return false;
}

/* Giving an rx_handler back waits for RCU: RTNL is let go after each. */
void vlansteal_watch_mode_changed(void)
{
	bool more;

	do {
		rtnl_lock();
		mutex_lock(&vlansteal_mutex);
		more = vlansteal_watching && vlansteal_settle_one();
		mutex_unlock(&vlansteal_mutex);
		rtnl_unlock();
	} while (more);
}

static bool vlansteal_remove_one(void)
{
	struct vlansteal_thief *thief;

	thief = list_first_entry_or_null(&vlansteal_thieves,
					 struct vlansteal_thief, list);
	if (thief)
		vlansteal_thief_remove(thief);
	return thief;
}

static void vlansteal_remove_all(void)
{
	bool more;

	do {
		rtnl_lock();
		mutex_lock(&vlansteal_mutex);
		vlansteal_watching = false;
		more = vlansteal_remove_one();
		mutex_unlock(&vlansteal_mutex);
		rtnl_unlock();
	} while (more);
}

int vlansteal_watch_start(void)
{
	int err;

	rtnl_lock();
	vlansteal_watching = true;
	rtnl_unlock();

	/* Tells of every device that is there already. */
	err = register_netdevice_notifier(&vlansteal_notifier);
	if (err)
		vlansteal_remove_all();
	return err;
}

void vlansteal_watch_stop(void)
{
	unregister_netdevice_notifier(&vlansteal_notifier);
	vlansteal_remove_all();
}
