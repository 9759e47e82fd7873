// SPDX-License-Identifier: GPL-2.0
/* How a device looks in debugfs. */

#include "tapdup.h"

#include <linux/seq_file.h>

static void tapdup_row(struct seq_buf *row, const void *entry)
{
	const struct tapdup_dev *td = entry;
	struct tapdup_counts sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct tapdup_counts *counts =
			per_cpu_ptr(td->counts, cpu);

		sum.rx_duplicates += counts->rx_duplicates;
		sum.tx_duplicates += counts->tx_duplicates;
	}

	/* RCU because the device may be about to change its netns. */
	rcu_read_lock();
	ng_row_printf(row, "netns=%u", dev_net(td->dev)->ns.inum);
	rcu_read_unlock();
	ng_row_str(row, "dev", td->dev->name);
	ng_row_printf(row, "ifindex=%d", td->dev->ifindex);
	ng_row_printf(row, "rx_duplicates=%llu", sum.rx_duplicates);
	ng_row_printf(row, "tx_duplicates=%llu", sum.tx_duplicates);
}

static void *tapdup_table_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&tapdup_mutex);
	return seq_list_start(&tapdup_devs, *pos);
}

static void *tapdup_table_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &tapdup_devs, pos);
}

static void tapdup_table_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&tapdup_mutex);
}

static int tapdup_table_show(struct seq_file *m, void *v)
{
	return ng_row_show(m, tapdup_row,
			   list_entry(v, struct tapdup_dev, list));
}

const struct seq_operations tapdup_table = {
	.start = tapdup_table_start,
	.next = tapdup_table_next,
	.stop = tapdup_table_stop,
	.show = tapdup_table_show,
};
