// SPDX-License-Identifier: GPL-2.0
/*
 * padstrip: short Ethernet frames padded with something else than zeros.
 *
 * Some NIC firmware fills a short frame with what was in its buffer. Whoever
 * sums the whole frame then, as load balancers did, computes a wrong checksum.
 * This guard names the sender and removes the padding before anything behind
 * this host sums it, and pads what this host sends before its NIC can.
 */

#include "padstrip.h"

#include <linux/module.h>

static const struct ng_counter padstrip_counters[] = {
	PADSTRIP_COUNTERS(NG_COUNTER_DESC)
};

struct ng_guard padstrip_guard = {
	.name = "padstrip",
	.counters = padstrip_counters,
	.n_counters = ARRAY_SIZE(padstrip_counters),
	.table_name = "senders",
	.rows = &padstrip_senders,
};

static const char *const padstrip_modes[] = { "strip", "detect", "zero", NULL };

struct ng_choice padstrip_mode = {
	.words = padstrip_modes,
};
module_param_cb(mode, &ng_choice_ops, &padstrip_mode, 0644);
MODULE_PARM_DESC(mode, "strip: cut non-zero padding off (default); detect: only report; zero: overwrite it with zeros");

module_param_cb(devices, &padstrip_devices_ops, NULL, 0644);
MODULE_PARM_DESC(devices, "device names with commas between, * allowed as a suffix; empty: Ethernet devices on a bus whose frames are forwarded on layer 2 (default)");

static const char *const padstrip_switch[] = { "0", "1", NULL };
static const char *const padstrip_sample_words[] = { "1", "0", NULL };

struct ng_choice padstrip_tx_zero_pad = {
	.words = padstrip_switch,
	.changed = padstrip_devices_sync,
};
module_param_cb(tx_zero_pad, &ng_choice_ops, &padstrip_tx_zero_pad, 0644);
MODULE_PARM_DESC(tx_zero_pad, "1: pad short frames with zeros before the driver sees them; 0: do not (default)");

struct ng_choice padstrip_sample = {
	.words = padstrip_sample_words,
	.changed = padstrip_sample_changed,
};
module_param_cb(sample, &ng_choice_ops, &padstrip_sample, 0644);
MODULE_PARM_DESC(sample, "1: look at Ethernet devices on a bus without a hook for one second a minute (default); 0: do not");

static int __init padstrip_init(void)
{
	int err;

	err = ng_guard_register(&padstrip_guard);
	if (err)
		return err;

	err = padstrip_devices_start();
	if (err)
		goto err_guard;

	padstrip_sample_start();
	return 0;

err_guard:
	ng_guard_unregister(&padstrip_guard);
	return err;
}

static void __exit padstrip_exit(void)
{
	padstrip_sample_stop();
	padstrip_devices_stop();
	ng_guard_unregister(&padstrip_guard);
}

module_init(padstrip_init);
module_exit(padstrip_exit);

MODULE_DESCRIPTION("netguard: finds and removes non-zero Ethernet padding");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
