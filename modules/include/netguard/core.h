/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one API between the core module and the guards.
 *
 * A guard declares a struct ng_guard, registers it, counts with ng_count(),
 * reports a finding with ng_finding_begin()/ng_finding_end() and attaches its
 * packet hooks with ng_hook_attach(). Everything else about a guard is its own.
 */
#ifndef NETGUARD_CORE_H
#define NETGUARD_CORE_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/percpu.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include <netguard/compat.h>
#include <netguard/counters.h>

struct ng_table;

/* Guards that can be registered at one time. */
#define NG_MAX_GUARDS 16

/**
 * struct ng_guard - what the core needs to know about one guard
 * @name: the guard's one name: debugfs folder, log prefix, .ko suffix
 * @counters: the guard's counters, in the order in which they are printed
 * @n_counters: length of @counters
 * @read: the value of one counter for its readers, for a guard that derives
 *	some of them; may sleep. NULL is ng_count_read()
 * @table_name: name of the guard's table in debugfs
 * @rows: the guard's table
 * @table: instead of @rows, iteration over rows that are kept in another way;
 *	.show ends in ng_row_show()
 *
 * The structure is static in the guard's module and stays as it is between
 * ng_guard_register() and ng_guard_unregister().
 */
struct ng_guard {
	const char *name;
	const struct ng_counter *counters;
	unsigned int n_counters;
	u64 (*read)(unsigned int id);
	const char *table_name;
	struct ng_table *rows;
	const struct seq_operations *table;
	/* private: the core's */
	unsigned int index;
	u64 __percpu *counts;
	struct dentry *dir;
};

/**
 * ng_guard_register() - give a guard its counters, rate limits and debugfs files
 * @guard: the guard
 *
 * Context: process, may sleep. The table may be read as soon as this returns,
 * so what its rows stand on must be ready before.
 * Return: 0, -ENOSPC when all NG_MAX_GUARDS slots are taken, -ENOMEM.
 */
int ng_guard_register(struct ng_guard *guard);

/**
 * ng_guard_unregister() - take back all that ng_guard_register() gave
 * @guard: the guard, with its hooks detached and its notifiers gone
 *
 * Waits for readers of the debugfs files, for packets that are still inside
 * the guard's hooks, for call_rcu() callbacks and for pending log lines. What
 * the hooks work on may be freed and the module's code may go afterwards.
 *
 * Context: process, may sleep, not under RTNL.
 */
void ng_guard_unregister(struct ng_guard *guard);

/**
 * ng_count_add() - add to one of the guard's counters
 * @guard: a registered guard
 * @id: index into its counters
 * @n: what to add; a gauge may go down, u64 arithmetic wraps back
 *
 * Context: any.
 */
static inline void ng_count_add(const struct ng_guard *guard, unsigned int id,
				s64 n)
{
	this_cpu_add(guard->counts[id], n);
}

/**
 * ng_count() - count one event
 * @guard: a registered guard
 * @id: index into its counters
 *
 * Context: any.
 */
static inline void ng_count(const struct ng_guard *guard, unsigned int id)
{
	this_cpu_inc(guard->counts[id]);
}

/**
 * ng_count_read() - fold one counter over all possible CPUs
 * @guard: a registered guard
 * @id: index into its counters
 *
 * Context: any.
 * Return: the sum at about this moment.
 */
u64 ng_count_read(const struct ng_guard *guard, unsigned int id);

/**
 * ng_row_str() - append key=value to a logfmt row
 * @row: the row
 * @key: a plain word
 * @value: any bytes up to NUL; quoted and escaped where logfmt asks for it
 *
 * Device names may hold quotes, equal signs and control bytes: nothing that
 * a user can choose reaches a row or the log by another way.
 */
void ng_row_str(struct seq_buf *row, const char *key, const char *value);

/**
 * ng_row_printf() - append key=value, value formatted, to a logfmt row
 * @row: the row
 * @fmt: begins with the key and "=", e.g. "vid=%u"; the result holds no space
 */
__printf(2, 3) void ng_row_printf(struct seq_buf *row, const char *fmt, ...);

/**
 * ng_row_addr() - append key=address to a logfmt row
 * @row: the row
 * @key: a plain word
 * @family: AF_INET or AF_INET6; anything else prints "none"
 * @addr: the address
 */
void ng_row_addr(struct seq_buf *row, const char *key, u8 family,
		 const union nf_inet_addr *addr);

/* Room for a device name as a word of a shell, in the worst case. */
#define NG_WORD_MAX (4 * (IFNAMSIZ - 1) + sizeof("''"))

/**
 * ng_shell_word() - a device name as one word of a command
 * @word: NG_WORD_MAX bytes
 * @name: the name, any bytes up to NUL
 *
 * For what stands in a fix: POSIX single quotes, where a shell needs them.
 *
 * Return: @word.
 */
const char *ng_shell_word(char *word, const char *name);

/* Room for what enters a namespace. */
#define NG_ENTER_MAX 112

/**
 * ng_shell_enter() - the words that a command for a namespace begins with
 * @enter: NG_ENTER_MAX bytes
 * @net: the namespace that the command is for
 *
 * The kernel knows no name of a namespace, and nsenter no number: what has that
 * inode is looked for where names are, and among processes.
 *
 * Return: @enter: ends with a space, or is empty for the first namespace.
 */
const char *ng_shell_enter(char *enter, const struct net *net);

/**
 * ng_row_show() - print one table row from a seq_operations.show
 * @m: the seq_file
 * @fill: writes the row's pairs
 * @entry: handed to @fill
 *
 * Return: 0, which is what .show has to return. A row that does not fit makes
 * seq_file try again with a larger buffer.
 */
int ng_row_show(struct seq_file *m,
		void (*fill)(struct seq_buf *row, const void *entry),
		const void *entry);

/**
 * enum ng_level - how much a finding matters
 * @NG_WARNING: a fault that somebody has to mend
 * @NG_INFO: a remark
 */
enum ng_level {
	NG_WARNING,
	NG_INFO,
};

struct ng_finding;

/**
 * ng_finding_begin() - start a finding's log line, if the rate limit permits
 * @guard: the guard that reports
 * @net: the namespace whose limit counts; alive during the call
 * @level: fault or remark
 *
 * Context: any, softirq and RTNL included: the line is printed later by a
 * worker, so that no caller ever waits for a console.
 * Return: the row to fill, then hand to ng_finding_end(); NULL when the lines
 * of this namespace, or of all but the first, are used up for this guard, when
 * too many wait for a slow console or memory is short (counted as suppressed).
 */
struct ng_finding *ng_finding_begin(const struct ng_guard *guard,
				    struct net *net, enum ng_level level);

/**
 * ng_finding_row() - the logfmt row of a finding
 * @finding: from ng_finding_begin()
 *
 * Return: the row to append to.
 */
struct seq_buf *ng_finding_row(struct ng_finding *finding);

/**
 * ng_finding_end() - add cause and fix, and hand the line to the log
 * @finding: from ng_finding_begin(), not to be used afterwards
 * @cause: why, in plain words
 * @fix: what to do, a command where there is one
 */
void ng_finding_end(struct ng_finding *finding, const char *cause,
		    const char *fix);

/**
 * NG_NOTIFIER_LAST - priority of a guard's netdevice notifier that follows links
 *
 * For a guard that reacts to NETDEV_CHANGEUPPER: bonding and others unlink a
 * device in their own NETDEV_UNREGISTER handlers, also when the device only
 * moves to another netns and looks as registered as before. Behind them, the
 * guard's own NETDEV_UNREGISTER is the last that it hears of the device here.
 */
#define NG_NOTIFIER_LAST	(INT_MIN + 1)

/**
 * struct ng_hook - one netdev hook of a guard on one device
 *
 * Embedded in what the guard keeps for the device; zeroed before first use.
 */
struct ng_hook {
	/* private: the core's, under RTNL */
	struct list_head list;
	struct nf_hook_ops ops;
};

/**
 * ng_hook_attach() - put a netdev ingress or egress hook on a device
 * @hook: zeroed or detached; stays until detached
 * @dev: the device, registered
 * @hooknum: NF_NETDEV_INGRESS or NF_NETDEV_EGRESS
 * @priority: order among the hooks of that device
 * @fn: called in softirq under rcu_read_lock()
 * @priv: handed to @fn; to be freed no sooner than an RCU grace period after
 *	the hook was detached
 *
 * The core lets go of the hook by itself on NETDEV_UNREGISTER, which is also
 * sent when the device changes its netns: a hook left behind would keep the
 * device from ever going away. No reference to the device is taken.
 *
 * Context: RTNL held.
 * Return: 0, -ENODEV if the device is being unregistered, or the error of
 * nf_register_net_hook().
 */
int ng_hook_attach(struct ng_hook *hook, struct net_device *dev,
		   enum nf_dev_hooks hooknum, int priority, nf_hookfn *fn,
		   void *priv);

/**
 * ng_hook_detach() - take a hook off its device
 * @hook: attached, or detached already, or never attached
 *
 * Packets may be inside the hook until an RCU grace period has passed.
 *
 * Context: RTNL held.
 */
void ng_hook_detach(struct ng_hook *hook);

/**
 * ng_hook_attached() - is the hook on a device?
 * @hook: the hook
 *
 * Context: RTNL held.
 * Return: true while it is.
 */
static inline bool ng_hook_attached(const struct ng_hook *hook)
{
	return hook->ops.dev;
}

/**
 * ng_netdev_walk() - look at the devices that are there
 * @wanted: in which namespaces, asked under RTNL; NULL for all
 * @look: called for each device under RTNL, in no order to rely on; does not
 *	register, unregister or move devices
 *
 * For what a guard has to do once per device when it starts, a parameter
 * changes or a namespace begins to matter: register_netdevice_notifier() tells
 * of all devices under one hold of RTNL, which with thousands of them is too
 * long for more than a glance.
 * Here RTNL is let go after every few devices.
 *
 * Every device that keeps its namespace from the beginning to the end is looked
 * at once. One that comes or moves meanwhile is looked at or not: the guard's
 * notifier hears its NETDEV_REGISTER, and so has to listen before this begins.
 *
 * Context: process, may sleep, not under RTNL.
 */
void ng_netdev_walk(bool (*wanted)(const struct net *net),
		    void (*look)(struct net_device *dev));

/**
 * struct ng_probe - a function on one of the kernel's tracepoints
 *
 * Zeroed before first use.
 */
struct ng_probe {
	/* private: the core's */
	struct tracepoint *tp;
	void *fn;
	void *data;
};

/**
 * ng_probe_attach() - have a function called by a tracepoint
 * @probe: zeroed or detached
 * @name: of a tracepoint that is built in, exported or not
 * @fn: has the arguments of that tracepoint behind @data; called with
 *	preemption off, so on PREEMPT_RT it takes no spinlock_t
 * @data: its first argument
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT if the kernel has no such tracepoint, -ENOMEM.
 */
int ng_probe_attach(struct ng_probe *probe, const char *name, void *fn,
		    void *data);

/**
 * ng_probe_detach() - call it no more
 * @probe: attached or not
 *
 * It is not running any more when this returns.
 *
 * Context: process, may sleep.
 */
void ng_probe_detach(struct ng_probe *probe);

/* How many values one guard can watch. */
#define NG_WATCH_VALUES 8

/**
 * struct ng_watch - netfilter hooks that do something only where counters move
 * @guard: the guard, registered
 * @hooks: its hooks, of the protocols' own families; static, never changed;
 *	each first asks ng_watch_active()
 * @n_hooks: length of @hooks
 * @gauge: index of the guard's gauge of namespaces where @hooks are active now
 * @n_triggers: how many of the values, from the first, make @hooks active
 * @retransmits: TCP retransmissions make them active, too
 * @read: brings the namespace's values up to date; what it leaves stays. The
 *	values only grow, and may wrap. An atomic costs one load; what has to be
 *	folded over all CPUs is read only when an atomic says that there is cause
 * @moved: told by how much each value has grown since the last look, and
 *	whether @hooks were active meanwhile; called before they are attached
 *
 * Every network namespace is looked at once a second. Where a trigger has moved
 * the hooks go on, and are active until a minute after the last movement. They
 * stay attached: to unregister one drops what waits in the namespace's NFQUEUEs.
 * @read and @moved are called from a worker or from the end of the namespace,
 * never at the same time; they may sleep, but not wait for RTNL.
 */
struct ng_watch {
	const struct ng_guard *guard;
	const struct nf_hook_ops *hooks;
	unsigned int n_hooks;
	unsigned int gauge;
	unsigned int n_triggers;
	bool retransmits;
	void (*read)(struct net *net, unsigned long *values);
	void (*moved)(struct net *net, const unsigned long *deltas,
		      bool active);
	/* private: the core's */
	struct ng_probe probe;
};

/**
 * ng_watch_active() - has a hook of a watch anything to do?
 * @priv: of the hook
 *
 * Context: the hook.
 * Return: true while the counters of its namespace move.
 */
static inline bool ng_watch_active(const void *priv)
{
	return READ_ONCE(*(const bool *)priv);
}

/**
 * ng_watch_start() - look at all namespaces from now on
 * @watch: filled in
 *
 * What was counted before is not told.
 *
 * Context: process, may sleep.
 * Return: 0, or the error of ng_probe_attach().
 */
int ng_watch_start(struct ng_watch *watch);

/**
 * ng_watch_stop() - take the hooks off everywhere and look no more
 * @watch: started
 *
 * Packets may be inside the hooks until ng_guard_unregister() has waited.
 *
 * Context: process, may sleep.
 */
void ng_watch_stop(struct ng_watch *watch);

/* How many rows a table can have, and how many of them are the first netns's alone. */
#define NG_TABLE_MAX 1024
#define NG_TABLE_RESERVED (NG_TABLE_MAX / 4)

struct ng_share;
struct ng_store;

/**
 * struct ng_entry - what each row of a bounded table begins with
 * @touched: get_jiffies_64() of the last time that it was added or added to,
 *	under the row's lock
 */
struct ng_entry {
	u64 touched;
	/* private: the core's */
	u32 hash;
	bool used;
	struct hlist_node node;
	struct list_head queue;
	struct ng_share *share;
};

/**
 * struct ng_table - rows that any packet may add to, and no tenant can exhaust
 * @guard: whose table it is
 * @evicted: index of the guard's counter of rows that had to make room
 * @missed: index of the guard's counter of what was not tabled: another CPU had
 *	the lock, or memory was short
 * @fill: writes a row's pairs to a line of debugfs; is given a copy
 * @entry_size: size of a row: struct ng_entry, key, and what the guard keeps
 * @key_size: size of the key, which begins with the u32 inum of the netns and
 *	has no padding
 *
 * Named in &ng_guard.rows, it is ready from ng_guard_register() on, and empty
 * of a namespace's rows when that has ended. At most NG_TABLE_MAX rows, so
 * memory is bounded; what is new then takes the place of a row of the namespace
 * that has most, and there of one that was not touched for long. So a namespace
 * can have all there is while nobody else wants it, and nobody can push another
 * one below an equal share. The first NG_TABLE_RESERVED rows of the first
 * namespace are nobody else's, however many namespaces there are.
 *
 * A row has a lock, which it shares with few others. It is held from
 * ng_table_add() or ng_table_get() to ng_table_put(): a few assignments, no
 * other row, no finding. The table has another one, for rows that come and go:
 * what only adds to a row that is there does not take it.
 *
 * In the packet path:
 *
 *	entry = ng_table_try_add(&guard_rows, &key, &fresh);
 *	if (!entry)
 *		return;
 *	row = container_of(entry, struct guard_row, entry);
 *	row->packets++;
 *	copy = *row;
 *	ng_table_put(&guard_rows, entry);
 *	if (fresh)
 *		guard_announce(&copy);
 */
struct ng_table {
	const struct ng_guard *guard;
	unsigned int evicted;
	unsigned int missed;
	void (*fill)(struct seq_buf *row, const void *entry);
	size_t entry_size;
	size_t key_size;
	/* private: the core's */
	struct ng_store *store;
};

/**
 * NG_TABLE_INIT() - initial value of a static table
 * @_guard: whose table
 * @_evicted: index of the counter of evicted rows
 * @_missed: index of the counter of what was not tabled
 * @_fill: writes a row's pairs
 * @_type: structure of a row, beginning with struct ng_entry and the key
 * @_key: type of the key
 */
#define NG_TABLE_INIT(_guard, _evicted, _missed, _fill, _type, _key) {	\
	.guard = _guard,						\
	.evicted = _evicted,						\
	.missed = _missed,						\
	.fill = _fill,							\
	.entry_size = sizeof(_type),					\
	.key_size = sizeof(_key),					\
}

/**
 * ng_table_add() - get the row of a key, or make one
 * @table: the table
 * @key: its key, padding zeroed
 * @fresh: set when the row is new: key filled in, the rest zero
 *
 * Waits for other CPUs: for what is rare and must not be missed.
 *
 * Context: any but hard interrupts; no other row held.
 * Return: the row, locked and with bottom halves off, for ng_table_put(); NULL
 * when memory is short and there is no row that could make room.
 */
struct ng_entry *ng_table_add(struct ng_table *table, const void *key,
			      bool *fresh);

/**
 * ng_table_try_add() - the same without waiting, for the packet path
 * @table: the table
 * @key: its key, padding zeroed
 * @fresh: set when the row is new: key filled in, the rest zero
 *
 * A flood on many CPUs adds what it can; the rest is counted as missed.
 *
 * Context: any but hard interrupts; no other row held.
 * Return: the row, locked and with bottom halves off, for ng_table_put(); NULL
 * when it was missed.
 */
struct ng_entry *ng_table_try_add(struct ng_table *table, const void *key,
				  bool *fresh);

/**
 * ng_table_get() - get the row of a key, which stays as old as it is
 * @table: the table
 * @key: its key, padding zeroed
 *
 * Context: any but hard interrupts; no other row held.
 * Return: the row, locked and with bottom halves off, for ng_table_put(); NULL
 * when there is none.
 */
struct ng_entry *ng_table_get(struct ng_table *table, const void *key);

/**
 * ng_table_try_get() - the same without waiting, for the packet path
 * @table: the table
 * @key: its key, padding zeroed
 *
 * Context: any but hard interrupts; no other row held.
 * Return: the row, locked and with bottom halves off, for ng_table_put(); NULL
 * when there is none, or when it was missed.
 */
struct ng_entry *ng_table_try_get(struct ng_table *table, const void *key);

/**
 * ng_table_put() - let go of a row
 * @table: the table
 * @entry: from ng_table_add() or ng_table_get(), not to be used afterwards
 */
void ng_table_put(struct ng_table *table, struct ng_entry *entry);

/**
 * ng_table_remove() - free the row of a key, if there is one
 * @table: the table
 * @key: its key, padding zeroed
 *
 * Context: any but hard interrupts; no row held.
 */
void ng_table_remove(struct ng_table *table, const void *key);

/**
 * ng_table_sweep() - look at the rows of one namespace
 * @table: the table
 * @netns: inum of the namespace; costs nothing to speak of if it has no row
 * @stays: told each row, locked; frees it by false. May write to the row; NULL
 *	frees all.
 * @arg: handed to @stays
 *
 * Context: any but hard interrupts; no row held.
 */
void ng_table_sweep(struct ng_table *table, u32 netns,
		    bool (*stays)(struct ng_entry *entry, const void *arg),
		    const void *arg);

/**
 * ng_entry_age_ms() - how long ago a row was touched
 * @entry: the row, locked or a copy
 *
 * Return: milliseconds.
 */
static inline u64 ng_entry_age_ms(const struct ng_entry *entry)
{
	return jiffies64_to_msecs(get_jiffies_64() - entry->touched);
}

/**
 * struct ng_choice - a module parameter that takes one of a few words
 * @words: the words, default first, NULL at the end
 * @value: index of the chosen word
 * @changed: called after @value changed, under the module's parameter lock;
 *	also while the module is not initialised yet or already gone through its
 *	exit, so it has to look whether there is anything to change. May be NULL.
 */
struct ng_choice {
	const char *const *words;
	int value;
	void (*changed)(void);
};

extern const struct kernel_param_ops ng_choice_ops;

/**
 * ng_param_refuse() - say why a parameter value is not taken
 * @kp: the parameter
 * @value: what was written
 * @allowed: what would be taken, in words
 *
 * Return: -EINVAL, for the setter to return.
 */
int ng_param_refuse(const struct kernel_param *kp, const char *value,
		    const char *allowed);

#endif
