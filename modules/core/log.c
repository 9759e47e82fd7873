// SPDX-License-Identifier: GPL-2.0
/*
 * One structured line per finding, limited per guard and netns, and per guard
 * for the whole host.
 *
 * A finding may be made in softirq, under RTNL or under a guard's own lock, and
 * a console may be slow. So the line is only formatted there; a worker prints
 * it. What the limit held back is counted and printed as suppressed=N.
 *
 * Of the lines in NG_LOG_INTERVAL a part is the first namespace's alone, and
 * all others share the rest. What is remembered are the latest lines, and not
 * something for each namespace: who makes a thousand of them, or a new one for
 * each line, gets no line more.
 */

#include "core.h"

/* A finding is its guard's, not the core's. */
#undef pr_fmt
#define pr_fmt(fmt) "netguard_" fmt

#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#define NG_LINE_MAX 1024
#define NG_LOG_INTERVAL (5 * HZ)
#define NG_LOG_FLUSH (6 * HZ)

/* Twenty in an interval, with the two that say how many were suppressed. */
#define NG_LOG_FIRST 10
#define NG_LOG_OTHERS 8
/* What one of the others may have of theirs. */
#define NG_LOG_OTHER 6

/* Lines that wait to be printed, and what the others may have of that. */
#define NG_LOG_WAITING 64
#define NG_LOG_WAITING_OTHERS 32

struct ng_finding {
	struct llist_node node;
	enum ng_level level;
	const char *guard_name;
	unsigned int suppressed;
	struct seq_buf row;
	char text[NG_LINE_MAX];
};

/**
 * struct ng_log_line - a line that was permitted
 * @until: it counts before these jiffies; 0: there was none yet
 * @netns: whose
 */
struct ng_log_line {
	u64 until;
	u32 netns;
};

/**
 * struct ng_log_share - the latest lines of the first namespace, or of all others
 * @lines: a ring
 * @next: the oldest
 * @suppressed: how many more there were, not printed yet
 */
struct ng_log_share {
	struct ng_log_line lines[NG_LOG_FIRST];
	unsigned int next;
	unsigned int suppressed;
};

/**
 * struct ng_log - the limit of one guard
 * @lock: for @first and @others
 * @guard_name: of the guard
 * @first: the first namespace's share
 * @others: what all others have together
 * @flush: prints what was suppressed
 */
struct ng_log {
	spinlock_t lock; /* for @first and @others */
	const char *guard_name;
	struct ng_log_share first;
	struct ng_log_share others;
	struct delayed_work flush;
};

static struct ng_log ng_logs[NG_MAX_GUARDS];
static LLIST_HEAD(ng_log_pending);
static atomic_t ng_log_waiting;

static void ng_log_print(struct work_struct *work)
{
	struct llist_node *lines = llist_del_all(&ng_log_pending);
	struct ng_finding *finding, *next;

	lines = llist_reverse_order(lines);
	llist_for_each_entry_safe(finding, next, lines, node) {
		if (finding->level == NG_WARNING)
			pr_warn("%s: %s\n", finding->guard_name,
				ng_seq_buf_str(&finding->row));
		else
			pr_info("%s: %s\n", finding->guard_name,
				ng_seq_buf_str(&finding->row));
		kfree(finding);
		atomic_dec(&ng_log_waiting);
		cond_resched();
	}
}

static DECLARE_WORK(ng_log_work, ng_log_print);

static void ng_log_flush(struct work_struct *work)
{
	struct ng_log *log = container_of(to_delayed_work(work), struct ng_log,
					  flush);
	unsigned int first, others;

	spin_lock_bh(&log->lock);
	first = log->first.suppressed;
	log->first.suppressed = 0;
	others = log->others.suppressed;
	log->others.suppressed = 0;
	spin_unlock_bh(&log->lock);

	if (first)
		pr_warn("%s: netns=%u suppressed=%u\n", log->guard_name,
			init_net.ns.inum, first);
	if (others)
		pr_warn("%s: netns=other suppressed=%u\n", log->guard_name,
			others);
}

/* A place for one more line of a namespace, or NULL. */
static struct ng_log_line *ng_log_place(struct ng_log_share *share,
					unsigned int size, u32 netns,
					unsigned int most)
{
	u64 now = get_jiffies_64();
	unsigned int i, n = 0;

	if (time_before64(now, share->lines[share->next].until))
		return NULL;

	for (i = 0; i < size; i++)
		if (share->lines[i].netns == netns &&
		    time_before64(now, share->lines[i].until))
			n++;

	return n < most ? &share->lines[share->next] : NULL;
}

/* Memory for the line, if its namespace may have one more. */
static struct ng_finding *ng_log_permit(struct ng_log *log, u32 netns)
{
	bool first = netns == init_net.ns.inum;
	struct ng_log_share *share = first ? &log->first : &log->others;
	unsigned int size = first ? NG_LOG_FIRST : NG_LOG_OTHERS;
	struct ng_finding *finding = NULL;
	struct ng_log_line *line;

	spin_lock_bh(&log->lock);
	line = ng_log_place(share, size, netns, first ? size : NG_LOG_OTHER);
	if (line && atomic_inc_return(&ng_log_waiting) <=
		    (first ? NG_LOG_WAITING : NG_LOG_WAITING_OTHERS))
		finding = kmalloc(sizeof(*finding), GFP_ATOMIC | __GFP_NOWARN);
	if (finding) {
		line->until = get_jiffies_64() + NG_LOG_INTERVAL;
		line->netns = netns;
		share->next = (share->next + 1) % size;
		/* Those of the others are told by the flush: not all are its. */
		finding->suppressed = first ? share->suppressed : 0;
		if (first)
			share->suppressed = 0;
	} else {
		if (line)
			atomic_dec(&ng_log_waiting);
		share->suppressed++;
	}
	spin_unlock_bh(&log->lock);

	return finding;
}

struct ng_finding *ng_finding_begin(const struct ng_guard *guard,
				    struct net *net, enum ng_level level)
{
	struct ng_log *log = &ng_logs[guard->index];
	struct ng_finding *finding = ng_log_permit(log, net->ns.inum);

	if (!finding) {
		/* Does nothing while it is already pending. */
		schedule_delayed_work(&log->flush, NG_LOG_FLUSH);
		return NULL;
	}

	finding->guard_name = guard->name;
	finding->level = level;
	seq_buf_init(&finding->row, finding->text, sizeof(finding->text));
	return finding;
}
EXPORT_SYMBOL_GPL(ng_finding_begin);

struct seq_buf *ng_finding_row(struct ng_finding *finding)
{
	return &finding->row;
}
EXPORT_SYMBOL_GPL(ng_finding_row);

void ng_finding_end(struct ng_finding *finding, const char *cause,
		    const char *fix)
{
	if (finding->suppressed)
		ng_row_printf(&finding->row, "suppressed=%u",
			      finding->suppressed);
	ng_row_str(&finding->row, "cause", cause);
	ng_row_str(&finding->row, "fix", fix);

	llist_add(&finding->node, &ng_log_pending);
	schedule_work(&ng_log_work);
}
EXPORT_SYMBOL_GPL(ng_finding_end);

/* The next guard in this place, or the same one again, begins anew. */
void ng_log_add_guard(const struct ng_guard *guard)
{
	struct ng_log *log = &ng_logs[guard->index];

	memset(log, 0, sizeof(*log));
	spin_lock_init(&log->lock);
	log->guard_name = guard->name;
	INIT_DELAYED_WORK(&log->flush, ng_log_flush);
}

/* Findings that have a line are printed, what was only counted is dropped. */
void ng_log_remove_guard(const struct ng_guard *guard)
{
	flush_work(&ng_log_work);
	cancel_delayed_work_sync(&ng_logs[guard->index].flush);
}
