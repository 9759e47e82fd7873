// SPDX-License-Identifier: GPL-2.0
/*
 * Which thieves there are: follows VLANs, LAG ports and what is stacked above,
 * in every netns.
 */

#include "vlansteal.h"

/*
 * Under RTNL: new thieves are taken in. A parameter can be written before and
 * after the watch, and devices come and go while it begins and ends.
 */
static bool vlansteal_watching;

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

	if (!lag || !vlansteal_watching) {
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

static void vlansteal_look_at(struct net_device *dev)
{
	if (!is_vlan_dev(dev))
		return;

	mutex_lock(&vlansteal_mutex);
	vlansteal_look_at_vlan(dev);
	mutex_unlock(&vlansteal_mutex);
}

/* RTNL is let go after each thief here too. */
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

/*
 * Registering the notifier tells of every device under one hold of RTNL. That
 * is passed over: judging a thousand thieves takes too long for it. From then
 * on events are heard but lead to nothing, for no thief is known and none taken
 * in, until vlansteal_watching is set. A thief that is there at that moment is
 * found by the walk, unless it moves; of moves, and of what comes later, events
 * tell.
 */
int vlansteal_watch_start(void)
{
	int err;

	err = register_netdevice_notifier(&vlansteal_notifier);
	if (err)
		return err;

	rtnl_lock();
	vlansteal_watching = true;
	rtnl_unlock();
	ng_netdev_walk(NULL, vlansteal_look_at);
	return 0;
}

/* The notifier goes last: until all thieves are removed one may be deleted. */
void vlansteal_watch_stop(void)
{
	vlansteal_remove_all();
	unregister_netdevice_notifier(&vlansteal_notifier);
}
