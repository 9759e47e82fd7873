// SPDX-License-Identifier: GPL-2.0
/*
 * vlansteal: a VLAN device on a LAG port takes frames that belong to the LAG.
 *
 * __netif_receive_skb_core() calls vlan_do_receive() before the rx_handler of
 * the bond or team. This guard keeps a list of such VLAN devices (thieves),
 * counts what they take, and in rescue mode leads the frames past them.
 */

#include "vlansteal.h"

#include <linux/module.h>

static const struct ng_counter vlansteal_counters[] = {
	VLANSTEAL_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

struct ng_guard vlansteal_guard = {
	.name = "vlansteal",
	.counters = vlansteal_counters,
	.n_counters = ARRAY_SIZE(vlansteal_counters),
	.table_name = "thieves",
	.table = &vlansteal_table,
};

static const char *const vlansteal_modes[] = { "detect", "rescue", NULL };

struct ng_choice vlansteal_mode = {
	.words = vlansteal_modes,
	.changed = vlansteal_watch_mode_changed,
};
module_param_cb(mode, &ng_choice_ops, &vlansteal_mode, 0644);
MODULE_PARM_DESC(mode, "detect: only report (default); rescue: also hand the frames to the LAG");

static int __init vlansteal_init(void)
{
	int err;

	err = ng_guard_register(&vlansteal_guard);
	if (err)
		return err;

	err = vlansteal_ports_setup();
	if (err)
		goto err_guard;

	err = vlansteal_watch_start();
	if (err)
		goto err_ports;
	return 0;

err_ports:
	vlansteal_ports_teardown();
err_guard:
	ng_guard_unregister(&vlansteal_guard);
	return err;
}

static void __exit vlansteal_exit(void)
{
	vlansteal_watch_stop();
	vlansteal_ports_teardown();
	ng_guard_unregister(&vlansteal_guard);
}

module_init(vlansteal_init);
module_exit(vlansteal_exit);

MODULE_DESCRIPTION("netguard: finds VLANs on LAG ports that steal the LAG's traffic");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
