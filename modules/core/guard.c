// SPDX-License-Identifier: GPL-2.0
/* Registration of guards, and their counters. */

#include "core.h"

#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/mutex.h>

static DEFINE_MUTEX(ng_guard_mutex);
static DECLARE_BITMAP(ng_guard_slots, NG_MAX_GUARDS);

int ng_guard_register(struct ng_guard *guard)
{
	unsigned int index;

	guard->counts = __alloc_percpu(array_size(guard->n_counters, sizeof(u64)),
				       __alignof__(u64));
	if (!guard->counts)
		return -ENOMEM;

	mutex_lock(&ng_guard_mutex);
	index = find_first_zero_bit(ng_guard_slots, NG_MAX_GUARDS);
	if (index < NG_MAX_GUARDS)
		__set_bit(index, ng_guard_slots);
	mutex_unlock(&ng_guard_mutex);

	if (index == NG_MAX_GUARDS) {
		free_percpu(guard->counts);
		return -ENOSPC;
	}

	guard->index = index;
	ng_log_add_guard(guard);
	ng_debugfs_add_guard(guard);
	return 0;
}
EXPORT_SYMBOL_GPL(ng_guard_register);

void ng_guard_unregister(struct ng_guard *guard)
{
	ng_debugfs_remove_guard(guard);
	synchronize_net();
	rcu_barrier();
	ng_log_remove_guard(guard);

	mutex_lock(&ng_guard_mutex);
	__clear_bit(guard->index, ng_guard_slots);
	mutex_unlock(&ng_guard_mutex);

	free_percpu(guard->counts);
}
EXPORT_SYMBOL_GPL(ng_guard_unregister);

u64 ng_count_read(const struct ng_guard *guard, unsigned int id)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(&guard->counts[id], cpu);

	return sum;
}
EXPORT_SYMBOL_GPL(ng_count_read);
