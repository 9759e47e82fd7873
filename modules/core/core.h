/* SPDX-License-Identifier: GPL-2.0 */
/* What the core's own files know of each other. */
#ifndef NETGUARD_CORE_PRIVATE_H
#define NETGUARD_CORE_PRIVATE_H

#include <netguard/core.h>

void ng_guards_forget(const struct net *net);

void ng_debugfs_setup(void);
void ng_debugfs_teardown(void);
void ng_debugfs_add_guard(struct ng_guard *guard);
void ng_debugfs_remove_guard(struct ng_guard *guard);

int ng_hook_setup(void);
void ng_hook_teardown(void);

void ng_log_add_guard(const struct ng_guard *guard);
void ng_log_remove_guard(const struct ng_guard *guard);

int ng_table_setup(struct ng_table *table);
void ng_table_teardown(struct ng_table *table);
extern const struct seq_operations ng_table_seq;

struct ng_watch_hooks;

/**
 * struct ng_watch_state - what one guard's watch knows of one namespace
 * @active: its hooks do something
 * @retransmitted: TCP has, since the last look
 * @moved_at: jiffies when anything has moved
 * @hooks: its hooks, NULL until they were needed
 * @values: as read the last time
 */
struct ng_watch_state {
	bool active;
	bool retransmitted;
	unsigned long moved_at;
	struct ng_watch_hooks *hooks;
	unsigned long values[NG_WATCH_VALUES];
};

/**
 * struct ng_net - what the core keeps for a namespace
 * @net: the namespace
 * @id: its place in the list
 * @states: by guard
 */
struct ng_net {
	struct net *net;
	u32 id;
	struct ng_watch_state states[NG_MAX_GUARDS];
};

extern unsigned int ng_net_id;

int ng_netns_setup(void);
void ng_netns_teardown(void);
bool ng_nets_do(unsigned long *place, unsigned int count,
		void (*fn)(struct ng_net *in, void *arg), void *arg);
void ng_nets_each(void (*fn)(struct ng_net *in, void *arg), void *arg);
unsigned int ng_nets_number(void);
struct net *ng_nets_get_next(unsigned long *place);

void ng_watch_net_exit(struct ng_net *in);

#endif
