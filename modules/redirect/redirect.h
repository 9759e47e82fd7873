/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_REDIRECT_H
#define NETGUARD_REDIRECT_H

#include "counters.h"
#include "storm.h"

#include <netguard/core.h>

enum redirect_counter {
#define REDIRECT_ID(name, help) REDIRECT_##name,
	REDIRECT_COUNTERS(REDIRECT_ID, REDIRECT_ID)
#undef REDIRECT_ID
};

enum redirect_direction {
	REDIRECT_RECEIVED,
	REDIRECT_SENT,
};

/**
 * struct redirect_key - the flow that one router redirects
 * @netns: inum of the namespace
 * @ifindex: device where the redirect came in or went out
 * @direction: enum redirect_direction
 * @family: AF_INET or AF_INET6
 * @router: who redirects
 * @src: whose packets
 * @dst: where to
 */
struct redirect_key {
	u32 netns;
	int ifindex;
	u32 direction;
	u32 family;
	union nf_inet_addr router;
	union nf_inet_addr src;
	union nf_inet_addr dst;
};

/**
 * struct redirect_flow - an entry of the table
 * @entry: the table's
 * @key: which flow
 * @dev: name of the device when the latest redirect passed
 * @gateway: the better gateway, as the latest redirect has it
 * @redirects: how many were seen
 * @pace: how fast
 * @stormed: it has been a storm
 */
struct redirect_flow {
	struct ng_entry entry;
	struct redirect_key key;
	char dev[IFNAMSIZ];
	union nf_inet_addr gateway;
	u64 redirects;
	struct redirect_pace pace;
	bool stormed;
};

extern struct ng_guard redirect_guard;

/* packet.c: the packet path. */
#define REDIRECT_HOOKS 4
extern const struct nf_hook_ops redirect_hooks[REDIRECT_HOOKS];

/* table.c: flows, and rows for debugfs and the log. */
extern struct ng_table redirect_flows;

void redirect_announce(const struct redirect_flow *flow, struct net *net,
		       enum redirect_weather weather);

#endif
