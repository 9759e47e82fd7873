// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks that do nothing, where guards have theirs: the floor below which no
 * guard can get. For tools/bench only; not part of what is installed.
 */

#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

#define FLOOR_MAX 8

static char *ingress[FLOOR_MAX];
static int n_ingress;
module_param_array(ingress, charp, &n_ingress, 0444);
MODULE_PARM_DESC(ingress, "devices that get an ingress hook");

static char *egress[FLOOR_MAX];
static int n_egress;
module_param_array(egress, charp, &n_egress, 0444);
MODULE_PARM_DESC(egress, "devices that get an egress hook");

static bool conntrack;
module_param(conntrack, bool, 0444);
MODULE_PARM_DESC(conntrack, "hooks behind conntrack, on all four ways of IPv4");

static unsigned int floor_hook(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

#define FLOOR_OP(_hooknum, _priority) {					\
	.hook = floor_hook,						\
	.pf = NFPROTO_IPV4,						\
	.hooknum = _hooknum,						\
	.priority = _priority,						\
}

static const struct nf_hook_ops floor_ops4[] = {
	FLOOR_OP(NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK + 1),
	FLOOR_OP(NF_INET_LOCAL_IN, NF_IP_PRI_LAST),
	FLOOR_OP(NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK + 1),
	FLOOR_OP(NF_INET_POST_ROUTING, NF_IP_PRI_LAST),
};

static struct nf_hook_ops floor_ops[2 * FLOOR_MAX];
static int floor_attached;

static int floor_attach(const char *name, enum nf_dev_hooks hooknum)
{
	struct nf_hook_ops *ops = &floor_ops[floor_attached];
	int err;

	ops->hook = floor_hook;
	ops->pf = NFPROTO_NETDEV;
	ops->hooknum = hooknum;
	ops->dev = dev_get_by_name(&init_net, name);
	if (!ops->dev)
		return -ENODEV;

	err = nf_register_net_hook(&init_net, ops);
	if (err)
		dev_put(ops->dev);
	else
		floor_attached++;
	return err;
}

static void floor_detach(void)
{
	while (floor_attached) {
		nf_unregister_net_hook(&init_net, &floor_ops[--floor_attached]);
		dev_put(floor_ops[floor_attached].dev);
	}
}

static int __init floor_init(void)
{
	int err = 0;
	int i;

	for (i = 0; i < n_ingress && !err; i++)
		err = floor_attach(ingress[i], NF_NETDEV_INGRESS);
	for (i = 0; i < n_egress && !err; i++)
		err = floor_attach(egress[i], NF_NETDEV_EGRESS);
	if (conntrack && !err)
		err = nf_register_net_hooks(&init_net, floor_ops4,
					    ARRAY_SIZE(floor_ops4));
	if (err)
		floor_detach();
	return err;
}

static void __exit floor_exit(void)
{
	if (conntrack)
		nf_unregister_net_hooks(&init_net, floor_ops4,
					ARRAY_SIZE(floor_ops4));
	floor_detach();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("netguard bench: empty netfilter hooks");
MODULE_LICENSE("GPL");
