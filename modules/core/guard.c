// SPDX-License-Identifier: GPL-2.0
/* Registration of guards, and their counters. */

#include "core.h"

#include <linux/export.h>
#include <linux/mutex.h>

static DEFINE_MUTEX(ng_guard_mutex);
static struct ng_guard *ng_guards[NG_MAX_GUARDS];

static int ng_guard_add(struct ng_guard *guard)
{
	unsigned int index;
	int err = -ENOSPC;

	mutex_lock(&ng_guard_mutex);
	for (index = 0; index < NG_MAX_GUARDS; index++) {
		if (ng_guards[index])
			continue;
		ng_guards[index] = guard;
		guard->index = index;
		err = 0;
		break;
	}
	mutex_unlock(&ng_guard_mutex);

	return err;
}

static void ng_guard_remove(struct ng_guard *guard)
{
	mutex_lock(&ng_guard_mutex);
	ng_guards[guard->index] = NULL;
	mutex_unlock(&ng_guard_mutex);
}

int ng_guard_register(struct ng_guard *guard)
{
	int err;

	guard->counts = __alloc_percpu(array_size(guard->n_counters, sizeof(u64)),
				       __alignof__(u64));
	if (!guard->counts)
		return -ENOMEM;

	if (guard->rows) {
		err = ng_table_setup(guard->rows);
		if (err)
			goto err_counts;
	}

	err = ng_guard_add(guard);
	if (err)
		goto err_rows;

	ng_log_add_guard(guard);
	ng_debugfs_add_guard(guard);
	return 0;

err_rows:
	if (guard->rows)
		ng_table_teardown(guard->rows);
err_counts:
	free_percpu(guard->counts);
	return err;
}
EXPORT_SYMBOL_GPL(ng_guard_register);

void ng_guard_unregister(struct ng_guard *guard)
{
	ng_debugfs_remove_guard(guard);
	synchronize_net();
	rcu_barrier();
	ng_log_remove_guard(guard);
	ng_guard_remove(guard);
	if (guard->rows)
		ng_table_teardown(guard->rows);
	free_percpu(guard->counts);
}
EXPORT_SYMBOL_GPL(ng_guard_unregister);

/* Frees the rows of a namespace that ends. */
void ng_guards_forget(const struct net *net)
{
	unsigned int index;

	mutex_lock(&ng_guard_mutex);
	for (index = 0; index < NG_MAX_GUARDS; index++)
		if (ng_guards[index] && ng_guards[index]->rows)
			ng_table_sweep(ng_guards[index]->rows, net->ns.inum,
				       NULL, NULL);
	mutex_unlock(&ng_guard_mutex);
}

u64 ng_count_read(const struct ng_guard *guard, unsigned int id)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(&guard->counts[id], cpu);

	return sum;
}
EXPORT_SYMBOL_GPL(ng_count_read);
