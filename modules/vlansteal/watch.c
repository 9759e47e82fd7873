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

/*
 * So many VLANs of a device that becomes a port are taken in during the event.
 * The others are a moment later, a few at a time.
 */
#define VLANSTEAL_AT_ONCE 256

static void vlansteal_walk(struct work_struct *work);
static DECLARE_WORK(vlansteal_walk_work, vlansteal_walk);

static struct vlansteal_thief *vlansteal_thief_find(struct net_device *dev)
{
	struct vlansteal_port *port =
		vlansteal_port_find(vlan_dev_priv(dev)->real_dev);
	struct vlansteal_thief *thief = NULL;

	if (port)
		thief = vlansteal_thief_at(port,
					   vlansteal_slot(vlan_dev_vlan_proto(dev),
							  vlan_dev_vlan_id(dev)));
	return thief && thief->dev == dev ? thief : NULL;
}

/* The port goes with the last one. */
static void vlansteal_port_release(struct vlansteal_port *port)
{
	struct vlansteal_thief *thief;
	bool last;

	do {
		thief = list_first_entry(&port->thieves,
					 struct vlansteal_thief, on_port);
		last = list_is_singular(&port->thieves);
		vlansteal_thief_remove(thief);
	} while (!last);
}

static void vlansteal_thief_update(struct vlansteal_thief *thief,
				   enum vlansteal_verdict verdict, bool fresh)
{
	bool announce = fresh || (verdict == VLANSTEAL_CONFLICT &&
				  thief->verdict == VLANSTEAL_PRIVATE);

	vlansteal_thief_judge(thief, verdict);
	/* The hook is gone when it has moved. */
	vlansteal_backstop_sync(thief);
	if (announce)
		vlansteal_announce(thief);
}

/*
 * Brings the entry of one VLAN device, new or known, up to date. @owners are
 * those above the LAG, NULL to look at what is there for this VLAN only.
 */
static void vlansteal_look_at_vlan(struct net_device *dev,
				   const struct vlansteal_owners *owners)
{
	struct net_device *lower = vlan_dev_priv(dev)->real_dev;
	struct net_device *lag = vlansteal_lag_of(lower);
	struct vlansteal_thief *thief = vlansteal_thief_find(dev);
	__be16 proto = vlan_dev_vlan_proto(dev);
	u16 vid = vlan_dev_vlan_id(dev);
	unsigned int slot = vlansteal_slot(proto, vid);
	struct vlansteal_port *port;
	bool fresh = !thief;

	if (!lag || !vlansteal_watching) {
		if (thief)
			vlansteal_thief_remove(thief);
		return;
	}

	port = vlansteal_port_get(lower);
	if (!port)
		return;

	port->lag = lag;
	if (thief && thief->net != dev_net(dev))
		vlansteal_thief_move(thief);
	if (!thief)
		thief = vlansteal_thief_add(port, dev, slot);
	if (thief)
		vlansteal_thief_update(thief, owners ?
				       vlansteal_owners_judge(owners, slot) :
				       vlansteal_judge(lag, proto, vid), fresh);
	vlansteal_port_sync(port);
}

/* Under vlansteal_mutex. Of the LAG that was looked at last, in one event. */
static struct vlansteal_owners vlansteal_owners;
static const struct net_device *vlansteal_owners_lag;

static const struct vlansteal_owners *
vlansteal_owners_of(struct net_device *lag)
{
	if (vlansteal_owners_lag != lag)
		vlansteal_owners_read(&vlansteal_owners, lag);
	vlansteal_owners_lag = lag;
	return &vlansteal_owners;
}

/* All VLANs of a device that became or ceased to be a LAG port. */
static void vlansteal_look_at_port(struct net_device *dev)
{
	struct net_device *lag = vlansteal_lag_of(dev);
	struct vlansteal_port *port = vlansteal_port_find(dev);
	unsigned int added = 0;
	struct net_device *upper;
	struct list_head *iter;

	if (!lag) {
		if (port)
			vlansteal_port_release(port);
		return;
	}

	netdev_for_each_upper_dev_rcu(dev, upper, iter) {
		if (!is_vlan_dev(upper) || vlan_dev_priv(upper)->real_dev != dev)
			continue;
		if (++added > VLANSTEAL_AT_ONCE) {
			schedule_work(&vlansteal_walk_work);
			break;
		}
		vlansteal_look_at_vlan(upper, vlansteal_owners_of(lag));
	}
}

/* The known thieves of a port, after something has changed above its LAG. */
static int vlansteal_judge_port(struct net_device *dev,
				struct netdev_nested_priv *unused)
{
	struct vlansteal_port *port = vlansteal_port_find(dev);
	const struct vlansteal_owners *owners;
	struct vlansteal_thief *thief;

	if (!port)
		return 0;

	owners = vlansteal_owners_of(port->lag);
	list_for_each_entry(thief, &port->thieves, on_port)
		vlansteal_thief_update(thief,
				       vlansteal_owners_judge(owners,
							      thief->slot),
				       false);
	vlansteal_port_sync(port);
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
		vlansteal_look_at_vlan(thief->dev, NULL);
	return 0;
}

static void vlansteal_release(struct net_device *dev)
{
	struct vlansteal_port *port = vlansteal_port_find(dev);
	struct vlansteal_thief *thief;

	if (port)
		vlansteal_port_release(port);
	thief = is_vlan_dev(dev) ? vlansteal_thief_find(dev) : NULL;
	if (thief)
		vlansteal_thief_remove(thief);
}

static void vlansteal_changeupper(struct net_device *dev,
				  const struct netdev_notifier_changeupper_info *info)
{
	struct netdev_nested_priv priv = { .data = info->upper_dev };

	if (is_vlan_dev(info->upper_dev)) {
		if (info->linking)
			vlansteal_look_at_vlan(info->upper_dev, NULL);
		else
			vlansteal_release(info->upper_dev);
		netdev_walk_all_lower_dev(dev, vlansteal_look_at_rival, &priv);
	} else {
		vlansteal_owners_lag = NULL;
		vlansteal_look_at_port(dev);
		netdev_walk_all_lower_dev(dev, vlansteal_judge_port, NULL);
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
			vlansteal_look_at_vlan(dev, NULL);
		break;
	case NETDEV_CHANGEUPPER:
		vlansteal_changeupper(dev, ptr);
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

static bool vlansteal_sync_one(void)
{
	struct vlansteal_thief *thief;

	list_for_each_entry(thief, &vlansteal_thieves, list)
		if (thief->synced_mode != vlansteal_mode.value) {
			vlansteal_backstop_sync(thief);
			return true;
		}

	return false;
}

/* RTNL is let go after each. */
void vlansteal_watch_mode_changed(void)
{
	bool more;

	do {
		rtnl_lock();
		mutex_lock(&vlansteal_mutex);
		more = vlansteal_watching && vlansteal_sync_one();
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
	vlansteal_look_at_vlan(dev, NULL);
	mutex_unlock(&vlansteal_mutex);
}

static void vlansteal_walk(struct work_struct *work)
{
	ng_netdev_walk(NULL, vlansteal_look_at);
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
	cancel_work_sync(&vlansteal_walk_work);
	vlansteal_remove_all();
	unregister_netdevice_notifier(&vlansteal_notifier);
	/* An event may have queued it until now; it takes nothing in any more. */
	cancel_work_sync(&vlansteal_walk_work);
}
