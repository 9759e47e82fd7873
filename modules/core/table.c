// SPDX-License-Identifier: GPL-2.0
/* Bounded tables: what was not touched for longest makes room for the new. */

#include "core.h"

#include <linux/export.h>
#include <linux/jhash.h>
#include <linux/slab.h>

static struct hlist_head *ng_table_bucket(struct ng_table *table, u32 hash)
{
	return &table->buckets[hash % NG_TABLE_BUCKETS];
}

static struct ng_entry *ng_table_find(struct ng_table *table, const void *key,
				      u32 hash)
{
	struct ng_entry *entry;

	hlist_for_each_entry(entry, ng_table_bucket(table, hash), node)
		if (entry->hash == hash &&
		    !memcmp(entry + 1, key, table->key_size))
			return entry;

	return NULL;
}

/* A zeroed entry: a new one while there is room, else the oldest. */
static struct ng_entry *ng_table_room(struct ng_table *table)
{
	struct ng_entry *entry = NULL;

	if (table->count < NG_TABLE_MAX)
		entry = kzalloc(table->entry_size, GFP_ATOMIC | __GFP_NOWARN);
	if (entry) {
		table->count++;
		return entry;
	}
	if (list_empty(&table->entries))
		return NULL;

	entry = list_last_entry(&table->entries, struct ng_entry, list);
	list_del(&entry->list);
	hlist_del(&entry->node);
	ng_count(table->guard, table->evicted);
	memset(entry, 0, table->entry_size);
	return entry;
}

struct ng_entry *ng_table_touch(struct ng_table *table, const void *key,
				bool *fresh)
{
	u32 hash = jhash(key, table->key_size, 0);
	struct ng_entry *entry;

	lockdep_assert_held(&table->lock);
	entry = ng_table_find(table, key, hash);
	*fresh = !entry;
	if (entry) {
		list_move(&entry->list, &table->entries);
	} else {
		entry = ng_table_room(table);
		if (!entry)
			return NULL;
		memcpy(entry + 1, key, table->key_size);
		entry->hash = hash;
		hlist_add_head(&entry->node, ng_table_bucket(table, hash));
		list_add(&entry->list, &table->entries);
	}
	entry->touched = jiffies;
	return entry;
}
EXPORT_SYMBOL_GPL(ng_table_touch);

struct ng_entry *ng_table_peek(struct ng_table *table, const void *key)
{
	lockdep_assert_held(&table->lock);
	return ng_table_find(table, key, jhash(key, table->key_size, 0));
}
EXPORT_SYMBOL_GPL(ng_table_peek);

void ng_table_forget(struct ng_table *table, u32 netns)
{
	struct ng_entry *entry, *next;

	spin_lock_bh(&table->lock);
	list_for_each_entry_safe(entry, next, &table->entries, list) {
		const u32 *first = (const u32 *)(entry + 1);

		if (netns && *first != netns)
			continue;
		list_del(&entry->list);
		hlist_del(&entry->node);
		table->count--;
		kfree(entry);
	}
	spin_unlock_bh(&table->lock);
}
EXPORT_SYMBOL_GPL(ng_table_forget);

/* seq_file lets go of the lock whenever its page is full. */
static void *ng_table_seq_start(struct seq_file *m, loff_t *pos)
	__acquires(&((struct ng_table *)m->private)->lock)
{
	struct ng_table *table = m->private;

	spin_lock_bh(&table->lock);
	return seq_list_start(&table->entries, *pos);
}

static void *ng_table_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct ng_table *table = m->private;

	return seq_list_next(v, &table->entries, pos);
}

static void ng_table_seq_stop(struct seq_file *m, void *v)
	__releases(&((struct ng_table *)m->private)->lock)
{
	struct ng_table *table = m->private;

	spin_unlock_bh(&table->lock);
}

static int ng_table_seq_show(struct seq_file *m, void *v)
{
	const struct ng_table *table = m->private;

	return ng_row_show(m, table->fill, list_entry(v, struct ng_entry, list));
}

const struct seq_operations ng_table_seq = {
	.start = ng_table_seq_start,
	.next = ng_table_seq_next,
	.stop = ng_table_seq_stop,
	.show = ng_table_seq_show,
};
EXPORT_SYMBOL_GPL(ng_table_seq);
