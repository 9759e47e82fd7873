// SPDX-License-Identifier: GPL-2.0
/*
 * tapdup: packet taps see one frame once per device of a stack.
 *
 * On a bond with a VLAN, `tcpdump -i any` shows each packet three times. While
 * such a capture is open, this guard marks every round of taps after the
 * first one with a bit of skb->mark, which a socket filter can test, and takes
 * the bit away again before anybody else looks.
 */

#include "tapdup.h"

#include <linux/kstrtox.h>
#include <linux/module.h>

static const struct ng_counter tapdup_counters[] = {
	TAPDUP_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

struct ng_guard tapdup_guard = {
	.name = "tapdup",
	.counters = tapdup_counters,
	.n_counters = ARRAY_SIZE(tapdup_counters),
	.read = tapdup_read,
	.table_name = "devices",
	.table = &tapdup_table,
};

static const char *const tapdup_modes[] = { "mark", "count", NULL };

static void tapdup_mode_changed(void)
{
	tapdup_watch_bit_changed(READ_ONCE(tapdup_mark));
}

struct ng_choice tapdup_mode = {
	.words = tapdup_modes,
	.changed = tapdup_mode_changed,
};
module_param_cb(mode, &ng_choice_ops, &tapdup_mode, 0644);
MODULE_PARM_DESC(mode, "mark: mark duplicates for captures (default); count: only count them");

u32 tapdup_mark = 0x40000000;

static int tapdup_mark_set(const char *value, const struct kernel_param *kp)
{
	u32 old = tapdup_mark;
	u32 mark;

	if (kstrtou32(value, 0, &mark) || !tapdup_is_mark(mark))
		return ng_param_refuse(kp, value,
				       "exactly one bit of 32, e.g. 0x40000000");

	/* Also the same again: then we are told anew if somebody else has it. */
	WRITE_ONCE(tapdup_mark, mark);
	tapdup_watch_bit_changed(old);
	return 0;
}

static int tapdup_mark_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "0x%08x\n", READ_ONCE(tapdup_mark));
}

static const struct kernel_param_ops tapdup_mark_ops = {
	.set = tapdup_mark_set,
	.get = tapdup_mark_get,
};
module_param_cb(mark, &tapdup_mark_ops, NULL, 0644);
MODULE_PARM_DESC(mark, "the bit of skb->mark that nobody else uses (default 0x40000000)");

static int __init tapdup_init(void)
{
	int err;

	err = ng_guard_register(&tapdup_guard);
	if (err)
		return err;

	err = tapdup_watch_start();
	if (err)
		ng_guard_unregister(&tapdup_guard);
	return err;
}

static void __exit tapdup_exit(void)
{
	tapdup_watch_stop();
	ng_guard_unregister(&tapdup_guard);
}

module_init(tapdup_init);
module_exit(tapdup_exit);

MODULE_DESCRIPTION("netguard: tells packet captures which deliveries are repeats");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
