// SPDX-License-Identifier: GPL-2.0
/* What debugfs shows: the devices, and the sums over them. */

#include "tapdup.h"

#include <linux/seq_file.h>

static u64 tapdup_rx(const struct tapdup_counts *sum)
{
	return sum->rounds[TAPDUP_RX_PLAIN] + sum->rounds[TAPDUP_RX_MARKED];
}

static u64 tapdup_tx(const struct tapdup_counts *sum)
{
	return sum->rounds[TAPDUP_TX_PLAIN] + sum->rounds[TAPDUP_TX_MARKED];
}

/* The guard's counters; rounds are counted only where they happen. */
u64 tapdup_read(unsigned int id)
{
	struct tapdup_counts sum;

	if (id > TAPDUP_marked)
		return ng_count_read(&tapdup_guard, id);

	tapdup_counts_sum(&sum);
	switch (id) {
	case TAPDUP_rx_duplicates:
		return tapdup_rx(&sum);
	case TAPDUP_tx_duplicates:
		return tapdup_tx(&sum);
	default:
		return sum.rounds[TAPDUP_RX_MARKED] +
		       sum.rounds[TAPDUP_TX_MARKED];
	}
}

static void tapdup_describe(struct seq_buf *row, const void *entry)
{
	const struct tapdup_dev *td = entry;
	struct tapdup_counts sum = {};

	tapdup_counts_add(&sum, td);

	/* RCU because the device may be about to change its netns. */
	rcu_read_lock();
	ng_row_printf(row, "netns=%u", dev_net(td->dev)->ns.inum);
	rcu_read_unlock();
	ng_row_str(row, "dev", td->dev->name);
	ng_row_printf(row, "ifindex=%d", td->dev->ifindex);
	ng_row_printf(row, "rx_duplicates=%llu", tapdup_rx(&sum));
	ng_row_printf(row, "tx_duplicates=%llu", tapdup_tx(&sum));
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
	return ng_row_show(m, tapdup_describe,
			   list_entry(v, struct tapdup_dev, list));
}

const struct seq_operations tapdup_table = {
	.start = tapdup_table_start,
	.next = tapdup_table_next,
	.stop = tapdup_table_stop,
	.show = tapdup_table_show,
};
