// SPDX-License-Identifier: GPL-2.0
/* core: tables that stay small, in which nobody loses what is fairly theirs. */

#include "fixtures.h"

#include <linux/delay.h>
#include <linux/kthread.h>

#include <core/core.h>

enum {
	TABLE_evicted,
	TABLE_missed,
};

static const struct ng_counter table_counters[] = {
	NG_COUNTER_DESC(evicted, "rows that made room")
	NG_COUNTER_DESC(missed, "what was not tabled")
};

struct table_key {
	u32 netns;
	u32 id;
};

struct table_row {
	struct ng_entry entry;
	struct table_key key;
	u32 value;
};

static void table_fill(struct seq_buf *row, const void *entry)
{
	const struct table_row *line = entry;

	ng_row_printf(row, "netns=%u", line->key.netns);
	ng_row_printf(row, "id=%u", line->key.id);
}

static struct ng_guard table_guard;
static struct ng_table table_rows =
	NG_TABLE_INIT(&table_guard, TABLE_evicted, TABLE_missed, table_fill,
		      struct table_row, struct table_key);

static struct ng_guard table_guard = {
	.name = "table_kunit",
	.counters = table_counters,
	.n_counters = ARRAY_SIZE(table_counters),
	.table_name = "rows",
	.rows = &table_rows,
};

static u64 table_evicted(void)
{
	return ng_count_read(&table_guard, TABLE_evicted);
}

/* Adds @value to a row's; returns what it was before, or -1 if it was new. */
static int table_add(u32 netns, u32 id, u32 value)
{
	struct table_key key = { netns, id };
	struct ng_entry *entry;
	struct table_row *row;
	bool fresh;
	int was;

	entry = ng_table_add(&table_rows, &key, &fresh);
	if (!entry)
		return -ENOMEM;

	row = container_of(entry, struct table_row, entry);
	was = fresh ? -1 : row->value;
	row->value += value;
	ng_table_put(&table_rows, entry);
	return was;
}

static bool table_has(u32 netns, u32 id)
{
	struct table_key key = { netns, id };
	struct ng_entry *entry = ng_table_get(&table_rows, &key);

	if (!entry)
		return false;

	ng_table_put(&table_rows, entry);
	return true;
}

static unsigned int table_count(u32 netns, u32 ids)
{
	unsigned int n = 0;
	u32 id;

	for (id = 0; id < ids; id++)
		n += table_has(netns, id);

	return n;
}

/* What was not touched for long makes room, and is counted. */
static void table_evict_test(struct kunit *test)
{
	u32 id;

	for (id = 0; id < NG_TABLE_MAX; id++)
		KUNIT_ASSERT_EQ(test, -1, table_add(1, id, id));
	KUNIT_EXPECT_EQ(test, 0, table_evicted());

	/* Touched again the first one is passed over; a look leaves it so. */
	KUNIT_EXPECT_EQ(test, 0, table_add(1, 0, 0));
	KUNIT_EXPECT_TRUE(test, table_has(1, 1));

	KUNIT_EXPECT_EQ(test, -1, table_add(1, NG_TABLE_MAX, 0));
	KUNIT_EXPECT_EQ(test, 1, table_evicted());
	KUNIT_EXPECT_TRUE(test, table_has(1, 0));
	KUNIT_EXPECT_FALSE(test, table_has(1, 1));
	KUNIT_EXPECT_TRUE(test, table_has(1, 2));

	/* What is new has nothing of what was there before. */
	KUNIT_EXPECT_EQ(test, -1, table_add(1, 1, 7));
	KUNIT_EXPECT_EQ(test, 7, table_add(1, 1, 0));

	/* When all have been touched one still goes. */
	for (id = 3; id <= NG_TABLE_MAX; id++)
		table_add(1, id, 0);
	KUNIT_EXPECT_EQ(test, -1, table_add(1, NG_TABLE_MAX + 1, 0));
	KUNIT_EXPECT_EQ(test, 3, table_evicted());
	KUNIT_EXPECT_EQ(test, NG_TABLE_MAX, table_count(1, 2 * NG_TABLE_MAX));
}

/* A flood fills what nobody wants, and yields to who comes, to equal shares. */
static void table_fair_test(struct kunit *test)
{
	u32 netns, id;

	for (id = 0; id < 2 * NG_TABLE_MAX; id++)
		table_add(1, id, 0);
	KUNIT_EXPECT_EQ(test, NG_TABLE_MAX, table_count(1, 2 * NG_TABLE_MAX));

	/* Few rows are never touched by who has many. */
	for (id = 0; id < 10; id++)
		table_add(2, id, 0);
	for (id = 0; id < 10 * NG_TABLE_MAX; id++)
		table_add(1, id, 0);
	KUNIT_EXPECT_EQ(test, 10, table_count(2, 10));

	for (netns = 3; netns <= 4; netns++)
		for (id = 0; id < NG_TABLE_MAX; id++)
			table_add(netns, id, 0);
	KUNIT_EXPECT_EQ(test, 10, table_count(2, 10));
	for (netns = 1; netns <= 4; netns++)
		if (netns != 2)
			KUNIT_EXPECT_EQ(test, (NG_TABLE_MAX - 10) / 3,
					table_count(netns, 10 * NG_TABLE_MAX));
}

/* However many namespaces somebody makes, the first one keeps what is its own. */
static void table_reserved_test(struct kunit *test)
{
	u32 first = init_net.ns.inum;
	u32 netns, id;

	for (id = 0; id < NG_TABLE_RESERVED + 10; id++)
		table_add(first, id, 0);
	for (netns = 1; netns <= 2 * NG_TABLE_MAX; netns++)
		for (id = 0; id < 3; id++)
			table_add(netns, id, 0);
	KUNIT_EXPECT_LE(test, NG_TABLE_RESERVED,
			table_count(first, NG_TABLE_RESERVED + 10));

	/* And can have them when it comes last. */
	ng_table_sweep(&table_rows, first, NULL, NULL);
	for (netns = 1; netns <= NG_TABLE_MAX; netns++)
		table_add(netns, 0, 0);
	for (id = 0; id < NG_TABLE_RESERVED; id++)
		table_add(first, id, 0);
	KUNIT_EXPECT_EQ(test, NG_TABLE_RESERVED,
			table_count(first, NG_TABLE_RESERVED));
}

/* Who would have to wait is counted instead. */
static void table_try_test(struct kunit *test)
{
	struct table_key key = { 1, 1 }, other = { 1, 2 };
	struct ng_entry *entry;
	bool fresh;

	entry = ng_table_try_add(&table_rows, &key, &fresh);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	KUNIT_EXPECT_TRUE(test, fresh);
	KUNIT_EXPECT_NULL(test, ng_table_try_add(&table_rows, &key, &fresh));
	KUNIT_EXPECT_NULL(test, ng_table_try_get(&table_rows, &key));
	KUNIT_EXPECT_EQ(test, 2, ng_count_read(&table_guard, TABLE_missed));
	ng_table_put(&table_rows, entry);

	/* One that is not there is no miss. */
	KUNIT_EXPECT_NULL(test, ng_table_try_get(&table_rows, &other));
	entry = ng_table_try_get(&table_rows, &key);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	ng_table_put(&table_rows, entry);
	KUNIT_EXPECT_EQ(test, 2, ng_count_read(&table_guard, TABLE_missed));
}

static bool table_is_even(struct ng_entry *entry, const void *arg)
{
	struct table_row *row = container_of(entry, struct table_row, entry);

	row->value = *(const u32 *)arg;
	return !(row->key.id & 1);
}

static void table_remove_test(struct kunit *test)
{
	struct table_key key = { 2, 1 };
	u32 value = 5, id;

	for (id = 0; id < 30; id++)
		table_add(1 + id % 3, id / 3, 0);
	ng_table_remove(&table_rows, &key);
	ng_table_remove(&table_rows, &key);
	KUNIT_EXPECT_FALSE(test, table_has(2, 1));
	KUNIT_EXPECT_EQ(test, 9, table_count(2, 10));

	ng_table_sweep(&table_rows, 3, table_is_even, &value);
	KUNIT_EXPECT_EQ(test, 5, table_count(3, 10));
	KUNIT_EXPECT_EQ(test, 5, table_add(3, 0, 0));
	KUNIT_EXPECT_EQ(test, -1, table_add(3, 1, 0));

	ng_table_sweep(&table_rows, 1, NULL, NULL);
	ng_table_sweep(&table_rows, 4, NULL, NULL);
	KUNIT_EXPECT_EQ(test, 0, table_count(1, 10));
	KUNIT_EXPECT_EQ(test, 9, table_count(2, 10));
	KUNIT_EXPECT_EQ(test, 0, table_evicted());
}

/* So many rows stay, and are busy, while others come and go. */
#define TABLE_STEADY (NG_TABLE_MAX / 4)

static int table_churn(void *data)
{
	u32 id = 0;

	while (!kthread_should_stop()) {
		id++;
		table_add(1, id % TABLE_STEADY, 1);
		table_add(2 + id % 2, id, 1);
		if (!(id % 1000))
			ng_table_sweep(&table_rows, 3, NULL, NULL);
		if (!(id % 64))
			cond_resched();
	}
	return 0;
}

/* As debugfs reads: some rows a page, then again from where the page ended. */
static void table_read(struct kunit *test, u8 *seen)
{
	struct seq_file m = { .private = &table_rows };
	const struct table_row *row;
	unsigned int n = 0;
	loff_t pos = 0;
	void *v;

	v = ng_table_seq.start(&m, &pos);
	while (v && !IS_ERR(v)) {
		row = v;
		if (row->key.netns == 1 && row->key.id < TABLE_STEADY)
			seen[row->key.id]++;
		v = ng_table_seq.next(&m, v, &pos);
		if (v && ++n % 20 == 0) {
			ng_table_seq.stop(&m, v);
			v = ng_table_seq.start(&m, &pos);
		}
	}
	KUNIT_EXPECT_FALSE(test, IS_ERR(v));
	ng_table_seq.stop(&m, v);
}

static void table_read_test(struct kunit *test)
{
	u8 *seen = kunit_kzalloc(test, TABLE_STEADY, GFP_KERNEL);
	struct task_struct *churn;
	int round;
	u32 id;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (id = 0; id < TABLE_STEADY; id++)
		table_add(1, id, 0);
	churn = kthread_run(table_churn, NULL, "table_churn");
	KUNIT_ASSERT_FALSE(test, IS_ERR(churn));

	/* Until rows are evicted all the time. */
	while (!table_evicted())
		usleep_range(1000, 2000);
	for (round = 0; round < 100; round++) {
		memset(seen, 0, TABLE_STEADY);
		table_read(test, seen);
		for (id = 0; id < TABLE_STEADY; id++)
			if (seen[id] != 1)
				break;
		KUNIT_EXPECT_EQ(test, TABLE_STEADY, id);
		if (has_failed(test))
			break;
	}
	kthread_stop(churn);
}

/* A row that does not fit makes seq_file come again with more room. */
static void table_show_test(struct kunit *test)
{
	static const char whole[] = "netns=1 id=2\n";
	struct table_row row = { .key = { 1, 2 } };
	struct seq_file m = {};
	size_t size;

	for (size = 0; size <= sizeof(whole) + 1; size++) {
		char *text = kunit_kzalloc(test, size ?: 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, text);
		m = (struct seq_file){ .buf = text, .size = size,
				       .private = &table_rows };
		KUNIT_EXPECT_EQ(test, 0, ng_table_seq.show(&m, &row));
		KUNIT_EXPECT_EQ(test, size < sizeof(whole),
				seq_has_overflowed(&m));
		if (size >= sizeof(whole)) {
			KUNIT_EXPECT_EQ(test, strlen(whole), m.count);
			KUNIT_EXPECT_STREQ(test, whole, text);
		}
		kunit_kfree(test, text);
	}
}

/* The same table, as simple as can be: what is there, and its value. */
#define MODEL_NETNS 4
#define MODEL_IDS 600

struct model {
	int values[MODEL_NETNS][MODEL_IDS];
	unsigned int counts[MODEL_NETNS];
	u8 there[MODEL_NETNS][MODEL_IDS];
};

static bool model_see(struct ng_entry *entry, const void *arg)
{
	const struct table_row *row = container_of(entry, struct table_row,
						   entry);
	struct model *model = (struct model *)arg;

	model->there[row->key.netns - 1][row->key.id] = 1;
	return true;
}

/* Finds the one row that is gone, in the namespace that had most. */
static void model_evict(struct kunit *test, struct model *model, u32 netns)
{
	unsigned int most = 0, gone = 0;
	u32 i, id;

	memset(model->there, 0, sizeof(model->there));
	for (i = 0; i < MODEL_NETNS; i++) {
		ng_table_sweep(&table_rows, i + 1, model_see, model);
		most = max(most, model->counts[i]);
	}
	for (i = 0; i < MODEL_NETNS; i++)
		for (id = 0; id < MODEL_IDS; id++)
			if (model->values[i][id] >= 0 && !model->there[i][id]) {
				KUNIT_EXPECT_EQ(test, most, model->counts[i]);
				if (model->counts[netns] == most)
					KUNIT_EXPECT_EQ(test, netns, i);
				model->values[i][id] = -1;
				gone++;
			}
	KUNIT_EXPECT_EQ(test, 1, gone);
	for (i = 0; i < MODEL_NETNS; i++)
		for (id = 0, model->counts[i] = 0; id < MODEL_IDS; id++)
			model->counts[i] += model->values[i][id] >= 0;
}

static void table_property_test(struct kunit *test)
{
	struct rnd_state random;
	u64 evicted, n = 0;
	u32 netns, id;
	struct model *model;
	int round;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	memset(model->values, -1, sizeof(model->values));
	random_begin(test, &random);
	for (round = 0; round < 5000 && !has_failed(test); round++) {
		/* The lower ones are busier. */
		netns = random_below(&random, 1 + random_below(&random,
							       MODEL_NETNS));
		id = random_below(&random, MODEL_IDS);
		if (!random_below(&random, 4000)) {
			ng_table_sweep(&table_rows, netns + 1, NULL, NULL);
			memset(model->values[netns], -1,
			       sizeof(model->values[netns]));
			model->counts[netns] = 0;
			continue;
		}
		if (!random_below(&random, 4)) {
			KUNIT_ASSERT_EQ(test, model->values[netns][id] >= 0,
					table_has(netns + 1, id));
			continue;
		}

		evicted = table_evicted();
		KUNIT_ASSERT_EQ(test, model->values[netns][id],
				table_add(netns + 1, id, 1));
		if (table_evicted() != evicted) {
			model_evict(test, model, netns);
			n++;
		}
		if (model->values[netns][id] < 0) {
			model->values[netns][id] = 0;
			model->counts[netns]++;
		}
		model->values[netns][id]++;
	}
	KUNIT_EXPECT_GT(test, n, 0);
}

static int table_init(struct kunit *test)
{
	return ng_guard_register(&table_guard);
}

static void table_exit(struct kunit *test)
{
	ng_guard_unregister(&table_guard);
}

static struct kunit_case table_kunit_cases[] = {
	KUNIT_CASE(table_evict_test),
	KUNIT_CASE(table_fair_test),
	KUNIT_CASE(table_reserved_test),
	KUNIT_CASE(table_try_test),
	KUNIT_CASE(table_remove_test),
	KUNIT_CASE(table_read_test),
	KUNIT_CASE(table_show_test),
	KUNIT_CASE(table_property_test),
	{}
};

static struct kunit_suite table_kunit_suite = {
	.name = "netguard_table",
	.init = table_init,
	.exit = table_exit,
	.test_cases = table_kunit_cases,
};

kunit_test_suite(table_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of the bounded tables of module netguard");
MODULE_LICENSE("GPL");
