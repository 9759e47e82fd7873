// SPDX-License-Identifier: GPL-2.0
/*
 * The log line of an INVALID packet. It is to say whether this host answered
 * with RST, which happens later in the same softirq. So each CPU holds its last
 * line back until that RST, the CPU's next INVALID packet, or a moment later.
 */

#include "ctinvalid.h"

#include <linux/workqueue.h>

#include "texts.h"

/**
 * struct ctinvalid_held - the line that a CPU holds back
 * @lock: the worker may take the line away from the CPU
 * @finding: the line, or NULL
 * @since: jiffies when its packet came
 * @reason: why the packet is INVALID
 * @action: what was done with it
 * @natted: it is TCP of a live flow that is NATed
 * @resets: what the flow has provoked so far
 */
struct ctinvalid_held {
	spinlock_t lock; /* protects all of it */
	struct ng_finding *finding;
	unsigned long since;
	enum ctinvalid_reason reason;
	enum ctinvalid_action action;
	bool natted;
	u64 resets;
};

static DEFINE_PER_CPU(struct ctinvalid_held, ctinvalid_held);

#define CTINVALID_TEXT(_id, _name, _cause, _fix)			\
	[CTINVALID_##_id] = { _cause, _fix },

static const struct {
	const char *cause;
	const char *fix;
} ctinvalid_texts[] = { CTINVALID_TEXTS(CTINVALID_TEXT) };

/* What follows from being INVALID in a flow that this host NATs. */
static const struct {
	const char *cause;
	const char *fix;
} ctinvalid_nat_texts[] = {
	[CTINVALID_PASS] = {
		". INVALID packets are not translated back by NAT: this host takes it for its own, finds no socket and answers RST, which breaks the connection",
		"echo heal >/sys/module/netguard_ctinvalid/parameters/mode",
	},
	[CTINVALID_DISCARD] = {
		". INVALID packets are not translated back by NAT: this one was dropped before this host could answer it with RST",
		"none needed here; mode heal also lets the rest of such a flow pass",
	},
	[CTINVALID_CURE] = {
		". INVALID packets are not translated back by NAT: this one was dropped before this host could answer it with RST, and the rest of its flow will pass",
		"none needed here; find what sends such segments",
	},
};

/* Return: the line that was held, which is the caller's to finish, or NULL. */
static struct ng_finding *ctinvalid_held_take(struct ctinvalid_held *held,
					      struct ctinvalid_held *copy)
{
	spin_lock_bh(&held->lock);
	copy->finding = held->finding;
	copy->reason = held->reason;
	copy->action = held->action;
	copy->natted = held->natted;
	copy->resets = held->resets;
	held->finding = NULL;
	spin_unlock_bh(&held->lock);

	return copy->finding;
}

static void ctinvalid_finish(const struct ctinvalid_held *line)
{
	static const char *const actions[] = {
		[CTINVALID_PASS] = "passed",
		[CTINVALID_DISCARD] = "dropped",
		[CTINVALID_CURE] = "healed",
	};
	struct seq_buf *row = ng_finding_row(line->finding);
	const char *fix = ctinvalid_texts[line->reason].fix;
	char cause[384];

	strscpy(cause, ctinvalid_texts[line->reason].cause, sizeof(cause));
	if (line->natted) {
		strlcat(cause, ctinvalid_nat_texts[line->action].cause,
			sizeof(cause));
		fix = ctinvalid_nat_texts[line->action].fix;
	}

	ng_row_printf(row, "resets=%llu", line->resets);
	ng_row_str(row, "action", actions[line->action]);
	ng_finding_end(line->finding, cause, fix);
}

static void ctinvalid_release_old(struct work_struct *work);
static DECLARE_DELAYED_WORK(ctinvalid_release_work, ctinvalid_release_old);

static void ctinvalid_release(bool all)
{
	struct ctinvalid_held *held, line;
	bool more = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		held = per_cpu_ptr(&ctinvalid_held, cpu);
		if (!READ_ONCE(held->finding))
			continue;
		if (!all && time_before(jiffies, READ_ONCE(held->since) +
						 CTINVALID_ANSWER))
			more = true;
		else if (ctinvalid_held_take(held, &line))
			ctinvalid_finish(&line);
	}

	if (more)
		schedule_delayed_work(&ctinvalid_release_work, CTINVALID_ANSWER);
}

static void ctinvalid_release_old(struct work_struct *work)
{
	ctinvalid_release(false);
}

static void ctinvalid_describe(struct seq_buf *row,
			       const struct ctinvalid_seen *seen)
{
	const struct ctinvalid_packet *pkt = &seen->pkt;

	ctinvalid_row_whose(row, seen->inum, seen->in ? seen->in->name : "",
			    &pkt->key, pkt->tcp_flags);
	if (pkt->key.proto == IPPROTO_TCP) {
		ng_row_printf(row, "seq=%u", pkt->seq);
		ng_row_printf(row, "ack=%u", pkt->ack);
		ng_row_printf(row, "win=%u", pkt->win);
	} else if (pkt->key.proto == IPPROTO_ICMP ||
		   pkt->key.proto == IPPROTO_ICMPV6) {
		ng_row_printf(row, "type=%u", pkt->icmp_type);
		ng_row_printf(row, "code=%u", pkt->icmp_code);
	}
	ng_row_str(row, "reason", ctinvalid_reason_name(seen->verdict.reason));
	if (seen->verdict.by)
		ng_row_printf(row, "by=%u", seen->verdict.by);
	ng_row_str(row, "nat", ctinvalid_nat_name(seen->flow.nat));
	if (pkt->key.zone)
		ng_row_printf(row, "zone=%u", pkt->key.zone);
}

/**
 * ctinvalid_report() - write the log line of an INVALID packet, to be held back
 * @seen: the packet
 * @net: its namespace
 * @resets: what its flow has provoked before
 *
 * Context: BH off, no lock held.
 */
void ctinvalid_report(const struct ctinvalid_seen *seen, struct net *net,
		      u64 resets)
{
	struct ctinvalid_held *held = this_cpu_ptr(&ctinvalid_held), line;
	struct ng_finding *finding;

	if (ctinvalid_held_take(held, &line))
		ctinvalid_finish(&line);

	finding = ng_finding_begin(&ctinvalid_guard, net, NG_WARNING);
	if (!finding) {
		ng_count(&ctinvalid_guard, CTINVALID_logs_suppressed);
		return;
	}
	ctinvalid_describe(ng_finding_row(finding), seen);

	spin_lock(&held->lock);
	held->reason = seen->verdict.reason;
	held->action = seen->action;
	held->natted = seen->flow.live && seen->flow.nat != CTINVALID_NAT_NONE &&
		       seen->pkt.key.proto == IPPROTO_TCP;
	held->resets = resets;
	held->since = jiffies;
	held->finding = finding;
	spin_unlock(&held->lock);

	schedule_delayed_work(&ctinvalid_release_work, CTINVALID_ANSWER);
}

/**
 * ctinvalid_report_reset() - the packet whose line is held provoked a RST
 *
 * Context: BH off, no lock held, on the CPU that reported the packet.
 */
void ctinvalid_report_reset(void)
{
	struct ctinvalid_held *held = this_cpu_ptr(&ctinvalid_held), line;

	if (ctinvalid_held_take(held, &line)) {
		line.resets++;
		ctinvalid_finish(&line);
	}
}

void ctinvalid_report_setup(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&ctinvalid_held, cpu)->lock);
}

/* With the hooks gone and no packet inside them any more. */
void ctinvalid_report_teardown(void)
{
	cancel_delayed_work_sync(&ctinvalid_release_work);
	ctinvalid_release(true);
}
