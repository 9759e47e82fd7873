// SPDX-License-Identifier: GPL-2.0
/*
 * Which devices have hooks: follows devices in every netns as they come, go
 * and change their name, and the parameters devices and tx_zero_pad.
 */

#include "padstrip.h"
#include "pattern.h"

#include <linux/if_arp.h>
#include <linux/if_macvlan.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

/**
 * struct padstrip_device - a device that is watched
 * @list: in padstrip_devices
 * @dev: the device; not referenced, the entry goes at NETDEV_UNREGISTER
 * @ingress: on @dev while its frames are forwarded, or it is named in devices
 * @egress: on @dev while tx_zero_pad is 1
 * @rcu: frees it behind the hooks
 */
struct padstrip_device {
	struct list_head list;
	struct net_device *dev;
	struct ng_hook ingress;
	struct ng_hook egress;
	struct rcu_head rcu;
};

/* All under RTNL. Parameters can be written before the start and after the stop. */
static LIST_HEAD(padstrip_devices);
static bool padstrip_watching;
static char padstrip_patterns[512];

bool padstrip_is_nic(const struct net_device *dev)
{
	return dev->type == ARPHRD_ETHER && dev->dev.parent;
}

/*
 * Does anybody hand the device's frames on as they are? What is routed or
 * received is cut to its packet by ip_rcv_core() anyway. Uppers nest at most
 * MAX_NEST_DEV deep, see __netdev_upper_dev_link().
 */
static bool padstrip_is_forwarded(struct net_device *dev)
{
	struct net_device *master = netdev_master_upper_dev_get(dev);
	struct net_device *upper;
	struct list_head *iter;

	if (ng_has_tc_ingress(dev) ||
	    (master && (netif_is_bridge_master(master) ||
			netif_is_ovs_master(master))))
		return true;

	netdev_for_each_upper_dev_rcu(dev, upper, iter)
		if (netif_is_macvlan(upper) ||
		    ((is_vlan_dev(upper) || netif_is_lag_master(upper)) &&
		     padstrip_is_forwarded(upper)))
			return true;

	return false;
}

/* For ingress: in the default only where it matters. */
static bool padstrip_wants(struct net_device *dev)
{
	if (*padstrip_patterns)
		return padstrip_patterns_match(padstrip_patterns, dev->name);

	return padstrip_is_nic(dev) && padstrip_is_forwarded(dev);
}

/* A NIC that pads badly does so whatever this host is. */
static bool padstrip_wants_tx(const struct net_device *dev)
{
	if (!padstrip_tx_zero_pad.value)
		return false;
	if (*padstrip_patterns)
		return padstrip_patterns_match(padstrip_patterns, dev->name);

	return padstrip_is_nic(dev);
}

static struct padstrip_device *padstrip_find(const struct net_device *dev)
{
	struct padstrip_device *device;

	list_for_each_entry_rcu(device, &padstrip_devices, list,
				lockdep_rtnl_is_held())
		if (device->dev == dev)
			return device;

	return NULL;
}

bool padstrip_has_hook(const struct net_device *dev)
{
	const struct padstrip_device *device = padstrip_find(dev);

	return device && ng_hook_attached(&device->ingress);
}

static void padstrip_forget(struct padstrip_device *device)
{
	ng_hook_detach(&device->ingress);
	ng_hook_detach(&device->egress);
	list_del_rcu(&device->list);
	kfree_rcu(device, rcu);
}

static void padstrip_attach(struct padstrip_device *device,
			    struct ng_hook *hook, enum nf_dev_hooks hooknum,
			    nf_hookfn *fn)
{
	int err;

	if (ng_hook_attached(hook))
		return;

	/*
	 * Ingress: before any hook that may sum the frame. Egress: after all
	 * that may still make it shorter.
	 */
	err = ng_hook_attach(hook, device->dev, hooknum,
			     hooknum == NF_NETDEV_INGRESS ? INT_MIN : INT_MAX,
			     fn, NULL);
	if (err)
		netdev_warn(device->dev, "netguard_padstrip: no %s hook, its frames are not looked at: %d\n",
			    hooknum == NF_NETDEV_INGRESS ? "ingress" : "egress",
			    err);
}

/* Brings the hooks of one device in line with what is wanted. */
static void padstrip_sync(struct net_device *dev)
{
	bool ether = padstrip_watching && dev->type == ARPHRD_ETHER;
	struct padstrip_device *device = padstrip_find(dev);
	bool rx = ether && padstrip_wants(dev);
	bool tx = ether && padstrip_wants_tx(dev);

	if (!rx && !tx) {
		if (device)
			padstrip_forget(device);
		return;
	}

	if (!device) {
		device = kzalloc(sizeof(*device), GFP_KERNEL);
		if (!device)
			return;
		device->dev = dev;
		list_add_tail_rcu(&device->list, &padstrip_devices);
	}

	if (rx)
		padstrip_attach(device, &device->ingress, NF_NETDEV_INGRESS,
				padstrip_ingress);
	else
		ng_hook_detach(&device->ingress);
	if (tx)
		padstrip_attach(device, &device->egress, NF_NETDEV_EGRESS,
				padstrip_egress);
	else
		ng_hook_detach(&device->egress);
}

void padstrip_devices_sync(void)
{
	ng_netdev_walk(NULL, padstrip_sync);
}

/* A hook that is there stays: to take it off by the clock would cost packets. */
static void padstrip_poll(struct net_device *dev)
{
	if (padstrip_is_nic(dev) && !padstrip_has_hook(dev))
		padstrip_sync(dev);
}

void padstrip_devices_poll(void)
{
	ng_netdev_walk(NULL, padstrip_poll);
}

static int padstrip_sync_lower(struct net_device *dev,
			       struct netdev_nested_priv *unused)
{
	if (padstrip_is_nic(dev))
		padstrip_sync(dev);
	return 0;
}

/* A VLAN that comes is nobody's port yet; one that goes is unlinked first, and may still be one. */
static void padstrip_changeupper(struct net_device *dev,
				 const struct netdev_notifier_changeupper_info *info)
{
	if (*padstrip_patterns ||
	    (is_vlan_dev(info->upper_dev) &&
	     !netdev_has_any_upper_dev(info->upper_dev)))
		return;

	padstrip_sync_lower(dev, NULL);
	netdev_walk_all_lower_dev(dev, padstrip_sync_lower, NULL);
}

static int padstrip_devices_set(const char *value,
				const struct kernel_param *kp)
{
	char patterns[sizeof(padstrip_patterns)];
	size_t len = strlen(value);

	if (len && value[len - 1] == '\n')
		len--;
	if (len >= sizeof(patterns))
		goto refuse;

	memcpy(patterns, value, len);
	patterns[len] = '\0';
	if (!padstrip_patterns_valid(patterns))
		goto refuse;

	rtnl_lock();
	strscpy(padstrip_patterns, patterns, sizeof(padstrip_patterns));
	rtnl_unlock();
	padstrip_devices_sync();
	return 0;

refuse:
	return ng_param_refuse(kp, value,
			       "device names with commas between, * at the end of a name, or nothing");
}

static int padstrip_devices_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", padstrip_patterns);
}

const struct kernel_param_ops padstrip_devices_ops = {
	.set = padstrip_devices_set,
	.get = padstrip_devices_get,
};

static int padstrip_netdev_event(struct notifier_block *nb,
				 unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct padstrip_device *device;

	switch (event) {
	case NETDEV_CHANGENAME:
		padstrip_senders_rename(dev);
		padstrip_sync(dev);
		break;
	case NETDEV_REGISTER:
		padstrip_sync(dev);
		break;
	case NETDEV_CHANGEUPPER:
		padstrip_changeupper(dev, ptr);
		break;
	case NETDEV_UNREGISTER:
		/* Unloading tells of every device; the rows go as a whole then. */
		if (!padstrip_watching)
			break;
		/* Also when it moves to another netns, where it registers anew. */
		device = padstrip_find(dev);
		if (device)
			padstrip_forget(device);
		padstrip_senders_forget(dev);
		break;
	}

	return NOTIFY_DONE;
}

static struct notifier_block padstrip_notifier = {
	.notifier_call = padstrip_netdev_event,
	.priority = NG_NOTIFIER_LAST,
};

int padstrip_devices_start(void)
{
	int err;

	rtnl_lock();
	padstrip_watching = true;
	rtnl_unlock();

	/* Tells of every device that is there already. */
	err = register_netdevice_notifier(&padstrip_notifier);
	if (err)
		padstrip_devices_stop();
	return err;
}

void padstrip_devices_stop(void)
{
	struct padstrip_device *device, *next;

	rtnl_lock();
	padstrip_watching = false;
	list_for_each_entry_safe(device, next, &padstrip_devices, list)
		padstrip_forget(device);
	rtnl_unlock();

	unregister_netdevice_notifier(&padstrip_notifier);
}
