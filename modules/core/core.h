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

int ng_watch_setup(void);
void ng_watch_teardown(void);

#endif
