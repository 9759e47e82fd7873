/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_CTINVALID_H
#define NETGUARD_CTINVALID_H

#include "counters.h"
#include "reason.h"

#include <linux/build_bug.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include <netguard/core.h>

/*
 * For how long a RST is taken for the answer to an INVALID packet of the same
 * flow: this host needs less than a jiffy, a pod behind a DNAT some more, and
 * a hypervisor may stop either in between.
 */
#define CTINVALID_ANSWER max(HZ / 5, 2)

enum ctinvalid_counter {
#define CTINVALID_ID(name, help) CTINVALID_##name,
	CTINVALID_COUNTERS(CTINVALID_ID, CTINVALID_ID)
#undef CTINVALID_ID
};

static_assert(CTINVALID_invalid_no_flow + CTINVALID_OTHER ==
	      CTINVALID_invalid_other);

/* Counters are appended, so those of the reasons are not all in one place. */
static inline enum ctinvalid_counter
ctinvalid_reason_counter(enum ctinvalid_reason reason)
{
	if (reason == CTINVALID_ICMP_MISDIRECTED)
		return CTINVALID_invalid_icmp_misdirected;
	return CTINVALID_invalid_no_flow + reason;
}

extern struct ng_guard ctinvalid_guard;
extern struct ng_choice ctinvalid_mode;

/* packet.c: what conntrack looked at. */
bool ctinvalid_parse_key(struct ctinvalid_key *key, const struct sk_buff *skb,
			 const struct nf_hook_state *state);
bool ctinvalid_ends_connection(const struct sk_buff *skb, u8 pf);
void ctinvalid_parse(struct ctinvalid_packet *pkt, struct sk_buff *skb,
		     const struct nf_hook_state *state);

/* flow.c: the packet's flow. */
struct nf_conn *ctinvalid_flow_get(struct ctinvalid_flow *flow,
				   const struct ctinvalid_packet *pkt,
				   const struct sk_buff *skb, struct net *net,
				   const struct nf_conntrack_zone *zone);

/* heal.c: flows whose windows are not checked for a while. */
bool ctinvalid_heal(struct nf_conn *ct, u8 dir);
bool ctinvalid_is_healed(const struct nf_conn *ct, u8 dir);
void ctinvalid_heals_forget(const struct net *net);
void ctinvalid_heals_stop(void);

/**
 * struct ctinvalid_seen - one INVALID packet and all that is known of it
 * @pkt: the packet
 * @flow: its flow
 * @verdict: why it is INVALID
 * @action: what was done with it
 * @resets: how many RSTs its flow has provoked before
 * @strikes: how many of its flow's segments, itself included, were outside the
 *	window within the last minute; up to CTINVALID_STRIKES
 * @synproxy: rules in its namespace need INVALID packets
 * @provoked: it is the RST that answers another INVALID packet
 * @in: the device it came in by, NULL for one of this host's own
 */
struct ctinvalid_seen {
	struct ctinvalid_packet pkt;
	struct ctinvalid_flow flow;
	struct ctinvalid_verdict verdict;
	enum ctinvalid_action action;
	u64 resets;
	unsigned int strikes;
	bool synproxy;
	bool provoked;
	const struct net_device *in;
};

/* flows.c: the table of flows that had INVALID packets. */
extern struct ng_table ctinvalid_rows;

void ctinvalid_flows_note(struct ctinvalid_seen *seen, bool answerable);
bool ctinvalid_flows_answer(const struct ctinvalid_key *rst,
			    struct ctinvalid_key *cause, bool by_peer);
void ctinvalid_row_owner(struct seq_buf *row, const char *in,
			 const struct ctinvalid_key *key, u8 tcp_flags);
const char *ctinvalid_reason_name(enum ctinvalid_reason reason);
const char *ctinvalid_nat_name(enum ctinvalid_nat nat);

/**
 * struct ctinvalid_outcome - what there is to say of an INVALID packet
 * @reason: why it is INVALID
 * @action: what was done with it
 * @natted: it is TCP of a live flow that is NATed
 * @rst: it is a RST
 * @synproxy: rules in its namespace need INVALID packets
 * @fate: where it was counted: sent_local, delivered_local or forwarded; until
 *	then, or if it went no further, dropped_by_rules
 * @resets: what its flow has provoked so far
 */
struct ctinvalid_outcome {
	enum ctinvalid_reason reason;
	enum ctinvalid_action action;
	bool natted;
	bool rst;
	bool synproxy;
	enum ctinvalid_counter fate;
	u64 resets;
};

/* words.c: cause and fix. */
const char *ctinvalid_words(const struct ctinvalid_outcome *of, char *cause,
			    size_t size);

/* report.c: the log line, held back until the packet's fate is known. */
void ctinvalid_report_setup(void);
void ctinvalid_report_teardown(void);
void ctinvalid_report(const struct ctinvalid_seen *seen, struct net *net);
void ctinvalid_report_refused(const struct ctinvalid_seen *seen,
			      struct net *net);
void ctinvalid_report_fate(const struct sk_buff *skb,
			   const struct nf_hook_state *state,
			   enum ctinvalid_counter fate);
void ctinvalid_report_reset(const struct ctinvalid_key *cause);

/* hooks.c: the packet path. */
extern const struct nf_hook_ops ctinvalid_ops4[4];
extern const struct nf_hook_ops ctinvalid_ops6[4];
extern const struct nf_hook_ops ctinvalid_zone_ops4[4];
extern const struct nf_hook_ops ctinvalid_zone_ops6[4];
extern const struct nf_hook_ops ctinvalid_heal_ops4[1];
extern const struct nf_hook_ops ctinvalid_heal_ops6[1];

/* netns.c: where conntrack is active. */
bool ctinvalid_counted(const struct nf_hook_state *state, bool steady);
bool ctinvalid_has_synproxy(const struct net *net);
bool ctinvalid_has_heals(const struct net *net);
bool ctinvalid_can_heal(const struct nf_hook_state *state);
void ctinvalid_net_healed(struct net *net, int more);
void ctinvalid_netns_look(void);
bool ctinvalid_is_active(const struct nf_hook_state *state);
int ctinvalid_netns_start(void);
void ctinvalid_netns_stop(void);

#endif
