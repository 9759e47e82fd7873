// SPDX-License-Identifier: GPL-2.0
/*
 * One structured line per finding, limited per guard and netns.
 *
 * A finding may be made in softirq, under RTNL or under a guard's own lock, and
 * a console may be slow. So the line is only formatted there; a worker prints
 * it. What the limit held back is counted and printed as suppressed=N, with
 * the next line of that guard and netns or NG_LOG_FLUSH later.
 */

#include "core.h"

/* A finding is its guard's, not the core's. */
#undef pr_fmt
#define pr_fmt(fmt) "netguard_" fmt

#include <linux/llist.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/netns/generic.h>

#define NG_LINE_MAX 1024
#define NG_LOG_INTERVAL (5 * HZ)
#define NG_LOG_BURST 10
#define NG_LOG_FLUSH (6 * HZ)

struct ng_finding {
	struct llist_node node;
	enum ng_level level;
	const char *guard_name;
	unsigned int suppressed;
	struct seq_buf row;
	char text[NG_LINE_MAX];
};

struct ng_log_limit {
	struct ratelimit_state rate;
	atomic_t suppressed;
};

struct ng_log_net {
	unsigned int inum;
	struct delayed_work flush;
	struct ng_log_limit limits[NG_MAX_GUARDS];
};

static unsigned int ng_log_net_id;
static const char *ng_log_guard_names[NG_MAX_GUARDS];
static LLIST_HEAD(ng_log_pending);

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
	}
}

static DECLARE_WORK(ng_log_work, ng_log_print);

static void ng_log_flush(struct work_struct *work)
{
	struct ng_log_net *log = container_of(to_delayed_work(work),
					      struct ng_log_net, flush);
	unsigned int index;
	int suppressed;

	for (index = 0; index < NG_MAX_GUARDS; index++) {
		suppressed = atomic_xchg(&log->limits[index].suppressed, 0);
		if (suppressed)
			pr_warn("%s: netns=%u suppressed=%d\n",
				ng_log_guard_names[index], log->inum,
				suppressed);
	}
}

static void ng_log_suppress(struct ng_log_net *log, unsigned int index)
{
	atomic_inc(&log->limits[index].suppressed);
	/* Does nothing while it is already pending. */
	schedule_delayed_work(&log->flush, NG_LOG_FLUSH);
}

struct ng_finding *ng_finding_begin(const struct ng_guard *guard,
				    struct net *net, enum ng_level level)
{
	struct ng_log_net *log = net_generic(net, ng_log_net_id);
	struct ng_log_limit *limit = &log->limits[guard->index];
	struct ng_finding *finding = NULL;

	if (__ratelimit(&limit->rate))
		finding = kmalloc(sizeof(*finding), GFP_ATOMIC | __GFP_NOWARN);
	if (!finding) {
		ng_log_suppress(log, guard->index);
		return NULL;
	}

	finding->guard_name = guard->name;
	finding->level = level;
	finding->suppressed = atomic_xchg(&limit->suppressed, 0);
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

static void ng_log_limit_init(struct ng_log_limit *limit)
{
	ratelimit_state_init(&limit->rate, NG_LOG_INTERVAL, NG_LOG_BURST);
	/* Keeps it from printing a count of its own. */
	ratelimit_set_flags(&limit->rate, RATELIMIT_MSG_ON_RELEASE);
	atomic_set(&limit->suppressed, 0);
}

/* The next guard in this place, or the same one again, has its own limits. */
static void ng_log_forget(unsigned int index)
{
	struct ng_log_net *log;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		log = net_generic(net, ng_log_net_id);
		ng_log_limit_init(&log->limits[index]);
	}
	up_read(&net_rwsem);
}

void ng_log_add_guard(const struct ng_guard *guard)
{
	ng_log_guard_names[guard->index] = guard->name;
}

/* Findings that have a line are printed, what was only counted is dropped. */
void ng_log_remove_guard(const struct ng_guard *guard)
{
	flush_work(&ng_log_work);
	ng_log_forget(guard->index);
}

static int __net_init ng_log_net_init(struct net *net)
{
	struct ng_log_net *log = net_generic(net, ng_log_net_id);
	unsigned int index;

	log->inum = net->ns.inum;
	INIT_DELAYED_WORK(&log->flush, ng_log_flush);
	for (index = 0; index < NG_MAX_GUARDS; index++)
		ng_log_limit_init(&log->limits[index]);
	return 0;
}

static void __net_exit ng_log_net_exit(struct net *net)
{
	struct ng_log_net *log = net_generic(net, ng_log_net_id);

	cancel_delayed_work_sync(&log->flush);
}

static struct pernet_operations ng_log_net_ops = {
	.init = ng_log_net_init,
	.exit = ng_log_net_exit,
	.id = &ng_log_net_id,
	.size = sizeof(struct ng_log_net),
};

int ng_log_setup(void)
{
	return register_pernet_subsys(&ng_log_net_ops);
}

void ng_log_teardown(void)
{
	unregister_pernet_subsys(&ng_log_net_ops);
}
