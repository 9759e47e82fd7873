// SPDX-License-Identifier: GPL-2.0
/*
 * Which devices have hooks: follows devices in every netns as they come, go
 * and change their name, and the parameters devices and tx_zero_pad.
 */

#include "padstrip.h"
#include "pattern.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

/**
 * struct padstrip_device - a device that is watched
 * @list: in padstrip_devices
 * @dev: the device; not referenced, the entry goes at NETDEV_UNREGISTER
 * @ingress: on @dev as long as this exists, unless attaching failed
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

static bool padstrip_wants(const struct net_device *dev)
{
	if (!padstrip_watching || dev->type != ARPHRD_ETHER)
		return false;
	if (!*padstrip_patterns)
		return dev->dev.parent;

	return padstrip_patterns_match(padstrip_patterns, dev->name);
}

static struct padstrip_device *padstrip_find(const struct net_device *dev)
{
	struct padstrip_device *device;

	list_for_each_entry(device, &padstrip_devices, list)
		if (device->dev == dev)
			return device;

	return NULL;
}

static void padstrip_forget(struct padstrip_device *device)
{
	ng_hook_detach(&device->ingress);
	ng_hook_detach(&device->egress);
	list_del(&device->list);
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

/* Brings the hooks of one device up to date. */
static void padstrip_settle(struct net_device *dev)
{
	struct padstrip_device *device = padstrip_find(dev);

	if (!padstrip_wants(dev)) {
		if (device)
			padstrip_forget(device);
		return;
	}

	if (!device) {
		device = kzalloc(sizeof(*device), GFP_KERNEL);
		if (!device)
			return;
		device->dev = dev;
		list_add_tail(&device->list, &padstrip_devices);
	}

	padstrip_attach(device, &device->ingress, NF_NETDEV_INGRESS,
			padstrip_ingress);
	if (padstrip_tx_zero_pad.value)
		padstrip_attach(device, &device->egress, NF_NETDEV_EGRESS,
				padstrip_egress);
	else
		ng_hook_detach(&device->egress);
}

void padstrip_devices_settle(void)
{
	ng_netdev_walk(NULL, padstrip_settle);
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
	padstrip_devices_settle();
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
		padstrip_settle(dev);
		break;
	case NETDEV_REGISTER:
		padstrip_settle(dev);
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
