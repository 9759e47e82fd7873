// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded tables with a fair share for each network namespace.
 *
 * Two kinds of locks. That of a bucket is for the rows in it; the packet path
 * takes it for each packet that adds to a row. That of the table is for rows
 * that come and go: the free ones, the shares and their queues. It is taken
 * first, and with it no more than one bucket at a time.
 *
 * A row stays in its slot from the time it is added to the time it is evicted,
 * and a reader's position is a slot: however busy the table is, what is there
 * all the time is read once.
 */

#include "core.h"

#include <linux/export.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#define NG_BUCKET_BITS 8
#define NG_SHARE_BITS 6

/* How many of a share's rows are passed over because they were touched. */
#define NG_EVICT_TRIES 8

/**
 * struct ng_share - the rows of one namespace, while it has any
 * @node: in ng_store.shares
 * @peers: in ng_store.by_weight
 * @queue: struct ng_entry, the next one to be evicted first
 * @netns: inum
 * @rows: how many there are
 */
struct ng_share {
	struct hlist_node node;
	struct hlist_node peers;
	struct list_head queue;
	u32 netns;
	unsigned int rows;
};

struct ng_bucket {
	spinlock_t lock; /* for @rows and all that is in them */
	struct hlist_head rows;
};

/**
 * struct ng_store - what is in a table
 * @lock: for all but what is in the rows
 * @seed: of the hash
 * @slots_used: how many of @slots have memory
 * @heaviest: index into @by_weight, above which all are empty
 * @slots: each row's place for good
 * @free: rows that are in no bucket
 * @shares: struct ng_share by namespace
 * @by_weight: struct ng_share by how much each has
 * @buckets: rows by key
 */
struct ng_store {
	spinlock_t lock; /* see above */
	u32 seed;
	unsigned int slots_used;
	unsigned int heaviest;
	struct ng_entry *slots[NG_TABLE_MAX];
	struct list_head free;
	struct hlist_head shares[1 << NG_SHARE_BITS];
	struct hlist_head by_weight[NG_TABLE_MAX + 1];
	struct ng_bucket buckets[1 << NG_BUCKET_BITS];
};

static u32 ng_key_netns(const void *key)
{
	return *(const u32 *)key;
}

static struct ng_bucket *ng_bucket(const struct ng_table *table, u32 hash)
{
	return &table->store->buckets[hash_32(hash, NG_BUCKET_BITS)];
}

/* Under the bucket's lock. */
static struct ng_entry *ng_bucket_find(const struct ng_table *table,
				       const void *key, u32 hash)
{
	struct ng_entry *entry;

	hlist_for_each_entry(entry, &ng_bucket(table, hash)->rows, node)
		if (entry->hash == hash &&
		    !memcmp(entry + 1, key, table->key_size))
			return entry;

	return NULL;
}

static bool ng_table_lock(const struct ng_table *table, spinlock_t *lock,
			  bool try)
{
	if (!try) {
		spin_lock_bh(lock);
		return true;
	}
	if (spin_trylock_bh(lock))
		return true;

	ng_count(table->guard, table->missed);
	return false;
}

/* How much a share is blamed for when room is needed; 0 for what is its own. */
static unsigned int ng_share_weight(const struct ng_share *share)
{
	if (share->netns != init_net.ns.inum)
		return share->rows;

	return max(share->rows, NG_TABLE_RESERVED) - NG_TABLE_RESERVED;
}

/* A row more or less, so the heaviest share is one step away at most. */
static void ng_share_resize(struct ng_store *store, struct ng_share *share,
			    int rows)
{
	unsigned int weight;

	share->rows += rows;
	hlist_del_init(&share->peers);
	weight = ng_share_weight(share);
	hlist_add_head(&share->peers, &store->by_weight[weight]);
	if (weight > store->heaviest)
		store->heaviest = weight;
	else if (store->heaviest &&
		 hlist_empty(&store->by_weight[store->heaviest]))
		store->heaviest--;
}

static struct ng_share *ng_share_find(struct ng_store *store, u32 netns)
{
	struct ng_share *share;

	hlist_for_each_entry(share,
			     &store->shares[hash_32(netns, NG_SHARE_BITS)],
			     node)
		if (share->netns == netns)
			return share;

	return NULL;
}

static struct ng_share *ng_share_add(struct ng_store *store, u32 netns)
{
	struct ng_share *share = ng_share_find(store, netns);

	if (share)
		return share;

	share = kzalloc(sizeof(*share), GFP_ATOMIC | __GFP_NOWARN);
	if (!share)
		return NULL;

	share->netns = netns;
	INIT_LIST_HEAD(&share->queue);
	hlist_add_head(&share->node,
		       &store->shares[hash_32(netns, NG_SHARE_BITS)]);
	ng_share_resize(store, share, 0);
	return share;
}

/* A share without rows goes. */
static void ng_share_trim(struct ng_share *share)
{
	if (share->rows)
		return;

	hlist_del(&share->node);
	hlist_del(&share->peers);
	kfree(share);
}

/* Under the table's lock; the share stays, even if this was its last row. */
static void ng_entry_free(struct ng_table *table, struct ng_entry *entry)
{
	struct ng_bucket *bucket = ng_bucket(table, entry->hash);

	spin_lock(&bucket->lock);
	hlist_del(&entry->node);
	spin_unlock(&bucket->lock);

	list_move(&entry->queue, &table->store->free);
	ng_share_resize(table->store, entry->share, -1);
	entry->share = NULL;
}

/*
 * The first in the queue that was not touched since it came there. A row does
 * not move when it is touched, that would take the table's lock; it is passed
 * over when its turn comes.
 */
static void ng_share_evict(struct ng_table *table, struct ng_share *share)
{
	struct ng_entry *entry;
	unsigned int tries;

	for (tries = 0; tries < NG_EVICT_TRIES; tries++) {
		entry = list_first_entry(&share->queue, struct ng_entry, queue);
		if (!READ_ONCE(entry->used))
			break;
		WRITE_ONCE(entry->used, false);
		list_move_tail(&entry->queue, &share->queue);
	}

	entry = list_first_entry(&share->queue, struct ng_entry, queue);
	ng_entry_free(table, entry);
	ng_count(table->guard, table->evicted);
}

/* Whose row makes room for one of @share: its own if nobody has more. */
static struct ng_share *ng_share_victim(struct ng_store *store,
					struct ng_share *share)
{
	if (ng_share_weight(share) >= store->heaviest)
		return share;

	return hlist_entry(store->by_weight[store->heaviest].first,
			   struct ng_share, peers);
}

/* A row that is free, new, or was somebody's. */
static struct ng_entry *ng_table_room(struct ng_table *table,
				      struct ng_share *share)
{
	struct ng_store *store = table->store;
	struct ng_entry *entry = NULL;
	struct ng_share *victim;

	if (list_empty(&store->free) && store->slots_used < NG_TABLE_MAX)
		entry = kzalloc(table->entry_size, GFP_ATOMIC | __GFP_NOWARN);
	if (entry) {
		store->slots[store->slots_used++] = entry;
		list_add(&entry->queue, &store->free);
	}
	if (list_empty(&store->free)) {
		victim = ng_share_victim(store, share);
		if (!victim->rows)
			return NULL;
		ng_share_evict(table, victim);
		if (victim != share)
			ng_share_trim(victim);
	}

	return list_first_entry(&store->free, struct ng_entry, queue);
}

/* Under the table's lock: a row that nobody has seen yet. */
static struct ng_entry *ng_table_new(struct ng_table *table, const void *key,
				     u32 hash)
{
	struct ng_share *share = ng_share_add(table->store, ng_key_netns(key));
	struct ng_entry *entry;

	if (!share)
		return NULL;
	entry = ng_table_room(table, share);
	if (!entry) {
		ng_share_trim(share);
		return NULL;
	}

	memset(entry + 1, 0, table->entry_size - sizeof(*entry));
	memcpy(entry + 1, key, table->key_size);
	entry->hash = hash;
	entry->used = false;
	entry->share = share;
	list_move_tail(&entry->queue, &share->queue);
	ng_share_resize(table->store, share, 1);
	return entry;
}

/* The row with its bucket locked, the table not; NULL with neither. */
static struct ng_entry *ng_table_insert(struct ng_table *table,
					const void *key, u32 hash, bool try,
					bool *fresh)
{
	struct ng_bucket *bucket = ng_bucket(table, hash);
	struct ng_entry *entry;

	if (!ng_table_lock(table, &table->store->lock, try))
		return NULL;

	/* Another CPU may have been here before, none can now. */
	spin_lock(&bucket->lock);
	entry = ng_bucket_find(table, key, hash);
	*fresh = !entry;
	if (!entry) {
		spin_unlock(&bucket->lock);
		entry = ng_table_new(table, key, hash);
		if (!entry) {
			ng_count(table->guard, table->missed);
			spin_unlock_bh(&table->store->lock);
			return NULL;
		}
		spin_lock(&bucket->lock);
		hlist_add_head(&entry->node, &bucket->rows);
	}
	/* Bottom halves stay off, for the bucket. */
	spin_unlock(&table->store->lock);
	return entry;
}

static struct ng_entry *ng_table_find(struct ng_table *table, const void *key,
				      u32 hash, bool try, bool *missed)
{
	struct ng_bucket *bucket = ng_bucket(table, hash);
	struct ng_entry *entry;

	*missed = !ng_table_lock(table, &bucket->lock, try);
	if (*missed)
		return NULL;

	entry = ng_bucket_find(table, key, hash);
	if (!entry)
		spin_unlock_bh(&bucket->lock);
	return entry;
}

static u32 ng_table_hash(const struct ng_table *table, const void *key)
{
	return jhash(key, table->key_size, table->store->seed);
}

static struct ng_entry *ng_table_lookup(struct ng_table *table, const void *key,
					bool try, bool *fresh)
{
	u32 hash = ng_table_hash(table, key);
	struct ng_entry *entry;
	bool missed;

	*fresh = false;
	entry = ng_table_find(table, key, hash, try, &missed);
	if (!entry && !missed)
		entry = ng_table_insert(table, key, hash, try, fresh);
	if (!entry)
		return NULL;

	if (!*fresh)
		WRITE_ONCE(entry->used, true);
	entry->touched = get_jiffies_64();
	return entry;
}

struct ng_entry *ng_table_add(struct ng_table *table, const void *key,
			      bool *fresh)
{
	return ng_table_lookup(table, key, false, fresh);
}
EXPORT_SYMBOL_GPL(ng_table_add);

struct ng_entry *ng_table_try_add(struct ng_table *table, const void *key,
				  bool *fresh)
{
	return ng_table_lookup(table, key, true, fresh);
}
EXPORT_SYMBOL_GPL(ng_table_try_add);

struct ng_entry *ng_table_get(struct ng_table *table, const void *key)
{
	bool missed;

	return ng_table_find(table, key, ng_table_hash(table, key), false,
			     &missed);
}
EXPORT_SYMBOL_GPL(ng_table_get);

struct ng_entry *ng_table_try_get(struct ng_table *table, const void *key)
{
	bool missed;

	return ng_table_find(table, key, ng_table_hash(table, key), true,
			     &missed);
}
EXPORT_SYMBOL_GPL(ng_table_try_get);

void ng_table_put(struct ng_table *table, struct ng_entry *entry)
{
	spin_unlock_bh(&ng_bucket(table, entry->hash)->lock);
}
EXPORT_SYMBOL_GPL(ng_table_put);

void ng_table_remove(struct ng_table *table, const void *key)
{
	struct ng_store *store = table->store;
	struct ng_share *share;
	struct ng_entry *entry;

	spin_lock_bh(&store->lock);
	entry = ng_table_get(table, key);
	if (entry) {
		ng_table_put(table, entry);
		share = entry->share;
		ng_entry_free(table, entry);
		ng_share_trim(share);
	}
	spin_unlock_bh(&store->lock);
}
EXPORT_SYMBOL_GPL(ng_table_remove);

void ng_table_sweep(struct ng_table *table, u32 netns,
		    bool (*stays)(struct ng_entry *entry, const void *arg),
		    const void *arg)
{
	struct ng_store *store = table->store;
	struct ng_entry *entry, *next;
	struct ng_share *share;
	struct ng_bucket *bucket;
	bool keep;

	spin_lock_bh(&store->lock);
	share = ng_share_find(store, netns);
	if (share) {
		list_for_each_entry_safe(entry, next, &share->queue, queue) {
			bucket = ng_bucket(table, entry->hash);
			spin_lock(&bucket->lock);
			keep = stays && stays(entry, arg);
			spin_unlock(&bucket->lock);
			if (!keep)
				ng_entry_free(table, entry);
		}
		ng_share_trim(share);
	}
	spin_unlock_bh(&store->lock);
}
EXPORT_SYMBOL_GPL(ng_table_sweep);

/* Copies the row at *pos or behind it. The locks are let go of for each row. */
static void *ng_table_read(struct ng_table *table, void *copy, loff_t *pos)
{
	struct ng_store *store = table->store;
	struct ng_bucket *bucket;
	struct ng_entry *entry;
	bool found = false;

	spin_lock_bh(&store->lock);
	for (; *pos < store->slots_used; ++*pos) {
		entry = store->slots[*pos];
		if (!entry->share)
			continue;
		bucket = ng_bucket(table, entry->hash);
		spin_lock(&bucket->lock);
		memcpy(copy, entry, table->entry_size);
		spin_unlock(&bucket->lock);
		found = true;
		break;
	}
	spin_unlock_bh(&store->lock);

	if (found)
		return copy;
	kfree(copy);
	return NULL;
}

static void *ng_table_seq_start(struct seq_file *m, loff_t *pos)
{
	struct ng_table *table = m->private;
	void *copy = kmalloc(table->entry_size, GFP_KERNEL);

	return copy ? ng_table_read(table, copy, pos) : ERR_PTR(-ENOMEM);
}

static void *ng_table_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return ng_table_read(m->private, v, pos);
}

static void ng_table_seq_stop(struct seq_file *m, void *v)
{
	if (!IS_ERR(v))
		kfree(v);
}

static int ng_table_seq_show(struct seq_file *m, void *v)
{
	const struct ng_table *table = m->private;

	return ng_row_show(m, table->fill, v);
}

const struct seq_operations ng_table_seq = {
	.start = ng_table_seq_start,
	.next = ng_table_seq_next,
	.stop = ng_table_seq_stop,
	.show = ng_table_seq_show,
};
EXPORT_SYMBOL_IF_KUNIT(ng_table_seq);

int ng_table_setup(struct ng_table *table)
{
	struct ng_store *store = kvzalloc(sizeof(*store), GFP_KERNEL);
	unsigned int i;

	if (!store)
		return -ENOMEM;

	spin_lock_init(&store->lock);
	store->seed = get_random_u32();
	INIT_LIST_HEAD(&store->free);
	for (i = 0; i < ARRAY_SIZE(store->buckets); i++)
		spin_lock_init(&store->buckets[i].lock);
	table->store = store;
	return 0;
}

/* Nobody uses it any more. */
void ng_table_teardown(struct ng_table *table)
{
	struct ng_store *store = table->store;
	struct ng_share *share;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(store->shares); i++)
		hlist_for_each_entry_safe(share, next, &store->shares[i], node)
			kfree(share);
	for (i = 0; i < store->slots_used; i++)
		kfree(store->slots[i]);
	kvfree(store);
	table->store = NULL;
}
