// SPDX-License-Identifier: GPL-2.0
/* The guards' netdev hooks, and letting go of them when a device leaves. */

#include "core.h"

#include <linux/export.h>
#include <linux/rtnetlink.h>

/* Under RTNL. */
static LIST_HEAD(ng_hooks);

int ng_hook_attach(struct ng_hook *hook, struct net_device *dev,
		   enum nf_dev_hooks hooknum, int priority, nf_hookfn *fn,
		   void *priv)
{
	int err;

	ASSERT_RTNL();
	if (WARN_ON_ONCE(ng_hook_attached(hook)))
		return -EBUSY;
	/* Its NETDEV_UNREGISTER may be over, and nobody would let go again. */
	if (dev->reg_state != NETREG_REGISTERED)
		return -ENODEV;

	hook->ops = (struct nf_hook_ops) {
		.hook = fn,
		.dev = dev,
		.priv = priv,
		.pf = NFPROTO_NETDEV,
		.hooknum = hooknum,
		.priority = priority,
	};
	err = nf_register_net_hook(dev_net(dev), &hook->ops);
	if (err) {
		hook->ops.dev = NULL;
		return err;
	}

	list_add(&hook->list, &ng_hooks);
	return 0;
}
EXPORT_SYMBOL_GPL(ng_hook_attach);

void ng_hook_detach(struct ng_hook *hook)
{
	ASSERT_RTNL();
	if (!ng_hook_attached(hook))
		return;

	list_del(&hook->list);
	nf_unregister_net_hook(dev_net(hook->ops.dev), &hook->ops);
	hook->ops.dev = NULL;
}
EXPORT_SYMBOL_GPL(ng_hook_detach);

static int ng_hook_netdev_event(struct notifier_block *nb, unsigned long event,
				void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ng_hook *hook, *next;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;

	/* Also when the device only moves: dev_net() is still the old netns. */
	list_for_each_entry_safe(hook, next, &ng_hooks, list)
		if (hook->ops.dev == dev)
			ng_hook_detach(hook);

	return NOTIFY_DONE;
}

static struct notifier_block ng_hook_notifier = {
	.notifier_call = ng_hook_netdev_event,
	/* After the guards' own, which may still want to know that it is on. */
	.priority = INT_MIN,
};

int ng_hook_setup(void)
{
	return register_netdevice_notifier(&ng_hook_notifier);
}

void ng_hook_teardown(void)
{
	unregister_netdevice_notifier(&ng_hook_notifier);
}
