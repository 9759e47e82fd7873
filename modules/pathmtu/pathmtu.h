/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_PATHMTU_H
#define NETGUARD_PATHMTU_H

#include "counters.h"
#include "path.h"

#include <netguard/core.h>

enum pathmtu_counter {
#define PATHMTU_ID(name, help) PATHMTU_##name,
	PATHMTU_COUNTERS(PATHMTU_ID, PATHMTU_ID)
#undef PATHMTU_ID
};

/**
 * enum pathmtu_kind - what is wrong with a path
 * @PATHMTU_SELF: this host's own packets have lost their GSO size
 * @PATHMTU_ROUTER: nothing; a router said what fits
 * @PATHMTU_HOLE: full-size packets vanish without a word
 */
enum pathmtu_kind {
	PATHMTU_SELF,
	PATHMTU_ROUTER,
	PATHMTU_HOLE,
};

/**
 * struct pathmtu_key - a destination and what is wrong on the way there
 * @netns: inum of the namespace
 * @kind: enum pathmtu_kind
 * @family: AF_INET or AF_INET6
 * @dst: the destination
 */
struct pathmtu_key {
	u32 netns;
	u32 kind;
	u32 family;
	union nf_inet_addr dst;
};

/* So many flows to one destination are told apart. */
#define PATHMTU_FLOWS 8

/**
 * struct pathmtu_path - an entry of the table
 * @entry: the table's
 * @key: which path
 * @size_ok: longest that is known to pass, 0 if unknown
 * @size_lost: shortest that is known not to
 * @pmtu: MTU that the reporter named, else that of the route
 * @reporter: who reported it
 * @reported: @reporter is filled in
 * @packets: how many were too long or vanished
 * @dev: device of the route, empty if unknown
 * @gateway: first hop of the route, 0 if the destination is on the link
 * @gateway_family: of @gateway, 0 for none
 * @flows: those that were counted last
 * @next_flow: where the next one goes
 */
struct pathmtu_path {
	struct ng_entry entry;
	struct pathmtu_key key;
	unsigned int size_ok;
	unsigned int size_lost;
	unsigned int pmtu;
	union nf_inet_addr reporter;
	bool reported;
	u64 packets;
	char dev[IFNAMSIZ];
	union nf_inet_addr gateway;
	u8 gateway_family;
	u32 flows[PATHMTU_FLOWS];
	unsigned int next_flow;
};

extern struct ng_guard pathmtu_guard;

/* packet.c: the packet path. */
#define PATHMTU_HOOKS 6
extern const struct nf_hook_ops pathmtu_hooks[PATHMTU_HOOKS];

/* flight.c: a segment that a local socket sends again. */
void pathmtu_retransmit(struct sk_buff *skb, unsigned int headers,
			const struct pathmtu_key *key,
			const struct nf_hook_state *state);

/* table.c: paths, and rows for debugfs and the log. */
extern struct ng_table pathmtu_paths;

struct pathmtu_path *pathmtu_path_add(const struct pathmtu_key *key,
				      bool *fresh);
void pathmtu_note_route(struct pathmtu_path *path, const struct sk_buff *skb);
void pathmtu_announce(const struct pathmtu_path *path, struct net *net);

#endif
