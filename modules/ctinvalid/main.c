// SPDX-License-Identifier: GPL-2.0
/*
 * ctinvalid: a packet that conntrack calls INVALID is not dropped by it, but it
 * is not translated back by NAT either. This host then takes the packet for its
 * own and answers RST, which breaks the connection.
 *
 * The guard sees each such packet right behind conntrack, tells why it is
 * INVALID and what became of it, and in mode heal keeps it from doing harm.
 */

#include "ctinvalid.h"

#include <linux/module.h>
#include <linux/mutex.h>

static const struct ng_counter ctinvalid_counters[] = {
	CTINVALID_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

/*
 * What conntrack left INVALID and what then neither arrived, nor left, nor was
 * dropped by this guard. The grace period lets packets that were seen before
 * get where they go. Under load the fates of later ones are in the sum as well:
 * then it lags, and catches up when it is quiet. It never goes down.
 */
static u64 ctinvalid_dropped_by_rules(void)
{
	static const enum ctinvalid_counter fates[] = {
		CTINVALID_delivered_local, CTINVALID_forwarded,
		CTINVALID_sent_local, CTINVALID_dropped_by_netguard,
	};
	static DEFINE_MUTEX(lock);
	static u64 last;
	s64 dropped;
	u64 result;
	int i;

	dropped = ng_count_read(&ctinvalid_guard, CTINVALID_packets_invalid);
	synchronize_rcu();
	for (i = 0; i < ARRAY_SIZE(fates); i++)
		dropped -= ng_count_read(&ctinvalid_guard, fates[i]);

	mutex_lock(&lock);
	last = max_t(s64, last, dropped);
	result = last;
	mutex_unlock(&lock);

	return result;
}

static u64 ctinvalid_read(unsigned int id)
{
	return id == CTINVALID_dropped_by_rules ?
		ctinvalid_dropped_by_rules() :
		ng_count_read(&ctinvalid_guard, id);
}

struct ng_guard ctinvalid_guard = {
	.name = "ctinvalid",
	.counters = ctinvalid_counters,
	.n_counters = ARRAY_SIZE(ctinvalid_counters),
	.read = ctinvalid_read,
	.table_name = "flows",
	.rows = &ctinvalid_rows,
};

static const char *const ctinvalid_modes[] = { "log", "drop", "heal", NULL };

struct ng_choice ctinvalid_mode = {
	.words = ctinvalid_modes,
	.changed = ctinvalid_netns_look,
};
module_param_cb(mode, &ng_choice_ops, &ctinvalid_mode, 0644);
MODULE_PARM_DESC(mode, "log: only report (default); drop: drop INVALID TCP of live NATed flows; heal: also stop checking the window of a flow for ten minutes, from its third such segment within a minute on");

static int __init ctinvalid_init(void)
{
	int err;

	ctinvalid_report_setup();
	err = ng_guard_register(&ctinvalid_guard);
	if (err)
		return err;

	err = ctinvalid_netns_start();
	if (err)
		ng_guard_unregister(&ctinvalid_guard);
	return err;
}

static void __exit ctinvalid_exit(void)
{
	ctinvalid_netns_stop();
	synchronize_net();
	ctinvalid_report_teardown();
	ng_guard_unregister(&ctinvalid_guard);
}

module_init(ctinvalid_init);
module_exit(ctinvalid_exit);

MODULE_DESCRIPTION("netguard: names INVALID packets, the resets they provoke, and heals their flows");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
