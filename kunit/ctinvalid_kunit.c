// SPDX-License-Identifier: GPL-2.0
/* ctinvalid: why a packet is INVALID, and what is done with it. */

#include "ctinvalid/ctinvalid.h"

#include "fixtures.h"

#include <linux/in.h>
#include <net/tcp.h>

#define S TCPHDR_SYN
#define A TCPHDR_ACK
#define F TCPHDR_FIN
#define R TCPHDR_RST
#define P TCPHDR_PSH
#define ORIG IP_CT_DIR_ORIGINAL
#define REPLY IP_CT_DIR_REPLY

/*
 * The flow of all cases: both sides have sent up to 1000, acknowledged that,
 * and offered a window that ends at 2000.
 */
struct judge_case {
	const char *desc;
	/* input */
	u8 proto;
	enum ctinvalid_fault fault;
	bool icmp_error;
	u8 flags;
	u32 seq;
	u32 ack;
	u32 sack;
	bool no_flow;
	u8 dir;
	u8 state;
	s32 ack_offset;
	bool no_sack;
	bool any_rst;
	bool last_was_syn;
	bool not_assured;
	/* output as expected */
	enum ctinvalid_reason reason;
	u32 by;
};

#define TCP(_flags, _seq, _ack)						\
	.proto = IPPROTO_TCP, .flags = (_flags), .seq = (_seq), .ack = (_ack)
#define STATE(_dir, _state) .dir = (_dir), .state = TCP_CONNTRACK_##_state

static const struct judge_case judge_cases[] = {
	{
		.desc = "a segment that begins behind the window is over it",
		TCP(A, 2001, 1000), STATE(REPLY, ESTABLISHED),
		.reason = CTINVALID_SEQ_OVER, .by = 1,
	},
	{
		.desc = "one that begins at its last byte is not",
		TCP(A, 2000, 1000), STATE(REPLY, ESTABLISHED),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "an acknowledgment of what was not sent is over",
		TCP(A, 1000, 101000), STATE(REPLY, ESTABLISHED),
		.reason = CTINVALID_ACK_OVER, .by = 100000,
	},
	{
		.desc = "an acknowledgment of all that was sent is not",
		TCP(A, 1000, 1000), STATE(REPLY, ESTABLISHED),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "both over: the sequence number is looked at first",
		TCP(A, 5000, 5000), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_SEQ_OVER, .by = 3000,
	},
	{
		.desc = "a SACK block counts like an acknowledgment",
		TCP(A, 1000, 1000), .sack = 1500, STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_ACK_OVER, .by = 500,
	},
	{
		.desc = "but not if its receiver had not offered to take any",
		TCP(A, 1000, 1000), .sack = 1500, STATE(ORIG, ESTABLISHED),
		.no_sack = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "NAT's change of the sequence numbers is taken off",
		TCP(A, 1000, 1010), .ack_offset = 10, STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "and not forgotten where that is not enough",
		TCP(A, 1000, 1011), .ack_offset = 10, STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_ACK_OVER, .by = 1,
	},
	{
		.desc = "an acknowledgment without ACK is not looked at",
		TCP(R, 1000, 9999), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "old segments are below the window, not over it",
		TCP(A, 0xfffff000, 1000), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "SYN and FIN do not go together",
		TCP(S | F, 1000, 1000), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_BAD_FLAGS,
	},
	{
		.desc = "no flags at all",
		TCP(0, 1000, 1000), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_BAD_FLAGS,
	},
	{
		.desc = "FIN needs ACK",
		TCP(F, 1000, 1000), .no_flow = true,
		.reason = CTINVALID_BAD_FLAGS,
	},
	{
		.desc = "PSH alone needs ACK",
		TCP(P, 1000, 1000), .no_flow = true,
		.reason = CTINVALID_BAD_FLAGS,
	},
	{
		.desc = "ECE, CWR and PSH are always good",
		TCP(A | P | TCPHDR_ECE | TCPHDR_CWR, 2001, 1000),
		STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_SEQ_OVER, .by = 1,
	},
	{
		.desc = "a SYN-ACK from the client does not fit",
		TCP(S | A, 1000, 1000), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_BAD_STATE,
	},
	{
		.desc = "a SYN from the server does not fit",
		TCP(S, 1000, 0), STATE(REPLY, ESTABLISHED),
		.reason = CTINVALID_BAD_STATE,
	},
	{
		.desc = "an ACK before the SYN-ACK does not fit",
		TCP(A, 1000, 1000), STATE(ORIG, SYN_SENT),
		.reason = CTINVALID_BAD_STATE,
	},
	{
		.desc = "a FIN of the last connection while the next one opens",
		TCP(F | A, 1000, 1000), STATE(REPLY, SYN_SENT),
		.reason = CTINVALID_BAD_STATE,
	},
	{
		.desc = "a FIN of the last connection while both sides open",
		TCP(F | A, 1000, 1000), STATE(REPLY, SYN_SENT2),
		.reason = CTINVALID_BAD_STATE,
	},
	{
		.desc = "an odd segment after the close is over the window still",
		TCP(A, 5000, 1000), STATE(REPLY, TIME_WAIT),
		.reason = CTINVALID_SEQ_OVER, .by = 3000,
	},
	{
		.desc = "likewise after a RST",
		TCP(A, 1000, 1500), STATE(REPLY, CLOSE),
		.reason = CTINVALID_ACK_OVER, .by = 500,
	},
	{
		.desc = "a RST below what was acknowledged",
		TCP(R, 900, 0), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_RST_SEQ, .by = 100,
	},
	{
		.desc = "unless the operator lets such pass",
		TCP(R, 900, 0), STATE(ORIG, ESTABLISHED), .any_rst = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "or the connection is being closed already",
		TCP(R, 900, 0), STATE(ORIG, FIN_WAIT),
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "or a SYN was let through since",
		TCP(R, 900, 0), STATE(ORIG, ESTABLISHED), .last_was_syn = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "a RST with 0 answers a SYN before the flow is assured",
		TCP(R, 0, 0), STATE(ORIG, SYN_RECV), .not_assured = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "and is old afterwards",
		TCP(R, 0, 0), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_RST_SEQ, .by = 1000,
	},
	{
		.desc = "a RST beyond the window",
		TCP(R, 2500, 0), STATE(ORIG, ESTABLISHED),
		.reason = CTINVALID_SEQ_OVER, .by = 500,
	},
	{
		.desc = "no flow: an ACK cannot start one",
		TCP(A, 1, 1), .no_flow = true,
		.reason = CTINVALID_NO_FLOW,
	},
	{
		.desc = "no flow: a RST, like the one that the host provokes",
		TCP(R, 1, 0), .no_flow = true,
		.reason = CTINVALID_NO_FLOW,
	},
	{
		.desc = "no flow: a SYN would have started one",
		TCP(S, 1, 0), .no_flow = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "a cut off header goes before anything else",
		TCP(S | F, 9999, 0), .fault = CTINVALID_TRUNCATED,
		.reason = CTINVALID_MALFORMED,
	},
	{
		.desc = "the checksum goes before the flags",
		TCP(S | F, 9999, 0), .fault = CTINVALID_CHECKSUM,
		.reason = CTINVALID_BAD_CHECKSUM,
	},
	{
		.desc = "UDP with a wrong checksum",
		.proto = IPPROTO_UDP, .fault = CTINVALID_CHECKSUM,
		.reason = CTINVALID_BAD_CHECKSUM,
	},
	{
		.desc = "UDP that is sound",
		.proto = IPPROTO_UDP, .no_flow = true,
		.reason = CTINVALID_OTHER,
	},
	{
		.desc = "an ICMP error about nothing that is tracked",
		.proto = IPPROTO_ICMP, .icmp_error = true, .no_flow = true,
		.reason = CTINVALID_ICMP_UNRELATED,
	},
	{
		.desc = "an ICMP error about what is tracked, to somebody else",
		.proto = IPPROTO_ICMP, .icmp_error = true,
		.reason = CTINVALID_ICMP_MISDIRECTED,
	},
	{
		.desc = "an ICMPv6 error with a wrong checksum",
		.proto = IPPROTO_ICMPV6, .fault = CTINVALID_CHECKSUM,
		.icmp_error = true, .no_flow = true,
		.reason = CTINVALID_BAD_CHECKSUM,
	},
	{
		.desc = "an echo reply that nobody asked for",
		.proto = IPPROTO_ICMP, .no_flow = true,
		.reason = CTINVALID_NO_FLOW,
	},
	{
		.desc = "SCTP without a flow",
		.proto = IPPROTO_SCTP, .no_flow = true,
		.reason = CTINVALID_NO_FLOW,
	},
	{
		.desc = "SCTP with a flow keeps its reason to itself",
		.proto = IPPROTO_SCTP,
		.reason = CTINVALID_OTHER,
	},
};

CASES(judge);

static struct ctinvalid_flow judge_flow(u8 dir, u8 state)
{
	static const struct ip_ct_tcp_state side = {
		.td_end = 1000, .td_maxend = 2000, .td_maxwin = 1000,
		.td_maxack = 1000, .flags = IP_CT_TCP_FLAG_MAXACK_SET |
					    IP_CT_TCP_FLAG_SACK_PERM,
	};

	return (struct ctinvalid_flow) {
		.found = true, .live = true, .assured = true,
		.dir = dir, .state = state,
		.nat = CTINVALID_SNAT, .seen = { side, side },
	};
}

static void judge_test(struct kunit *test)
{
	const struct judge_case *param = test->param_value;
	struct ctinvalid_flow flow = judge_flow(param->dir, param->state);
	struct ctinvalid_packet pkt = {
		.key.proto = param->proto,
		.fault = param->fault,
		.icmp_error = param->icmp_error,
		.tcp_flags = param->flags,
		.seq = param->seq,
		.ack = param->ack,
		.sack = param->sack ?: param->ack,
	};
	struct ctinvalid_verdict verdict;

	if (param->no_flow)
		memset(&flow, 0, sizeof(flow));
	flow.ack_offset = param->ack_offset;
	flow.any_rst = param->any_rst;
	flow.last_was_syn = param->last_was_syn;
	flow.assured = flow.found && !param->not_assured;
	if (param->no_sack)
		flow.seen[!flow.dir].flags &= ~IP_CT_TCP_FLAG_SACK_PERM;

	verdict = ctinvalid_judge(&pkt, &flow);

	KUNIT_EXPECT_EQ(test, param->reason, verdict.reason);
	KUNIT_EXPECT_EQ(test, param->by, verdict.by);
}

/* Wherever in the number space a flow is, only the distances matter. */
static void judge_shift_test(struct kunit *test)
{
	struct rnd_state random;
	int i, side;

	random_begin(test, &random);
	for (i = 0; i < 10000; i++) {
		u32 shift[2] = { prandom_u32_state(&random),
				 prandom_u32_state(&random) };
		struct ctinvalid_flow flow = judge_flow(i & 1,
							TCP_CONNTRACK_ESTABLISHED);
		s32 seq_over = (s32)prandom_u32_state(&random) / 4;
		s32 ack_over = (s32)prandom_u32_state(&random) / 4;
		struct ctinvalid_packet pkt = {
			.key.proto = IPPROTO_TCP, .tcp_flags = A,
			.seq = 2000 + shift[flow.dir] + seq_over,
			.ack = 1000 + shift[!flow.dir] + ack_over,
		};
		struct ctinvalid_verdict got, wanted = { CTINVALID_OTHER, 0 };

		pkt.sack = pkt.ack;
		for (side = 0; side < 2; side++) {
			flow.seen[side].td_end += shift[side];
			flow.seen[side].td_maxend += shift[side];
			flow.seen[side].td_maxack += shift[!side];
		}
		if (seq_over > 0) {
			wanted.reason = CTINVALID_SEQ_OVER;
			wanted.by = seq_over;
		} else if (ack_over > 0) {
			wanted.reason = CTINVALID_ACK_OVER;
			wanted.by = ack_over;
		}

		got = ctinvalid_judge(&pkt, &flow);
		KUNIT_EXPECT_EQ(test, wanted.reason, got.reason);
		KUNIT_EXPECT_EQ(test, wanted.by, got.by);
	}
}

struct decide_case {
	const char *desc;
	/* input */
	enum ctinvalid_mode mode;
	u8 proto;
	bool no_flow;
	bool closed;
	enum ctinvalid_nat nat;
	enum ctinvalid_reason reason;
	u8 flags;
	u8 state;
	unsigned int strikes;
	/* output as expected */
	enum ctinvalid_action action;
};

static const struct decide_case decide_cases[] = {
	{
		.desc = "log touches nothing",
		.mode = CTINVALID_LOG, .proto = IPPROTO_TCP,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_SEQ_OVER,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "drop drops TCP of a live NATed flow",
		.mode = CTINVALID_DROP, .proto = IPPROTO_TCP,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_SEQ_OVER,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "drop: DNAT is NAT",
		.mode = CTINVALID_DROP, .proto = IPPROTO_TCP,
		.nat = CTINVALID_DNAT, .reason = CTINVALID_BAD_STATE,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "drop: without NAT the receiver judges for itself",
		.mode = CTINVALID_DROP, .proto = IPPROTO_TCP,
		.nat = CTINVALID_NAT_NONE, .reason = CTINVALID_SEQ_OVER,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "drop: without a flow it may be half of a route",
		.mode = CTINVALID_DROP, .proto = IPPROTO_TCP, .no_flow = true,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_NO_FLOW,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "drop: a closed connection cannot be broken",
		.mode = CTINVALID_DROP, .proto = IPPROTO_TCP, .closed = true,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_BAD_STATE,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "drop: UDP provokes no RST",
		.mode = CTINVALID_DROP, .proto = IPPROTO_UDP,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_BAD_CHECKSUM,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "heal cures a window finding, the third time",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP,
		.nat = CTINVALID_NAT_BOTH, .reason = CTINVALID_ACK_OVER,
		.strikes = 3,
		.action = CTINVALID_CURE,
	},
	{
		.desc = "heal: not the second time",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP,
		.nat = CTINVALID_NAT_BOTH, .reason = CTINVALID_ACK_OVER,
		.strikes = 2,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "heal: not for a RST, however often",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP, .flags = R,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_SEQ_OVER,
		.strikes = 9,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "heal: nor for a FIN",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP, .flags = F | A,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_SEQ_OVER,
		.strikes = 9,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "heal: nor for a connection that is being closed",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_SEQ_OVER,
		.state = TCP_CONNTRACK_FIN_WAIT, .strikes = 9,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "heal: for bad flags no flow is made liberal",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP,
		.nat = CTINVALID_SNAT, .reason = CTINVALID_BAD_FLAGS,
		.strikes = 3,
		.action = CTINVALID_DISCARD,
	},
	{
		.desc = "heal: nor is one without NAT",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP,
		.nat = CTINVALID_NAT_NONE, .reason = CTINVALID_SEQ_OVER,
		.action = CTINVALID_PASS,
	},
	{
		.desc = "heal: nothing without a flow",
		.mode = CTINVALID_HEAL, .proto = IPPROTO_TCP, .no_flow = true,
		.reason = CTINVALID_NO_FLOW,
		.action = CTINVALID_PASS,
	},
};

CASES(decide);

static void decide_test(struct kunit *test)
{
	const struct decide_case *param = test->param_value;
	struct ctinvalid_flow flow = judge_flow(REPLY, param->state ?:
						TCP_CONNTRACK_ESTABLISHED);
	struct ctinvalid_packet pkt = { .key.proto = param->proto,
					.tcp_flags = param->flags };

	flow.found = !param->no_flow;
	flow.live = !param->no_flow && !param->closed;
	flow.nat = param->nat;

	KUNIT_EXPECT_EQ(test, param->action,
			ctinvalid_decide(param->mode, &pkt, &flow,
					 param->reason, param->strikes));
	KUNIT_EXPECT_EQ(test, param->action != CTINVALID_PASS,
			ctinvalid_touches(param->mode, &pkt, &flow));
}

struct fault_case {
	const char *desc;
	/* input */
	u8 proto;
	u8 flags;
	bool over;
	enum ctinvalid_nat nat;
	enum ctinvalid_reason reason;
	enum ctinvalid_action action;
	/* output as expected */
	bool fault;
};

static const struct fault_case fault_cases[] = {
	{ "beyond the window of a live connection", IPPROTO_TCP, A, false,
	  CTINVALID_NAT_NONE, CTINVALID_SEQ_OVER, CTINVALID_PASS, true },
	{ "of one that is over: late", IPPROTO_TCP, A, true,
	  CTINVALID_NAT_NONE, CTINVALID_SEQ_OVER, CTINVALID_PASS, false },
	{ "dropped in time", IPPROTO_TCP, A, false,
	  CTINVALID_SNAT, CTINVALID_SEQ_OVER, CTINVALID_DISCARD, false },
	{ "healed", IPPROTO_TCP, A, false,
	  CTINVALID_SNAT, CTINVALID_SEQ_OVER, CTINVALID_CURE, false },
	{ "a RST, which nobody answers", IPPROTO_TCP, R, false,
	  CTINVALID_SNAT, CTINVALID_SEQ_OVER, CTINVALID_PASS, false },
	{ "a scan into a NATed connection will be answered", IPPROTO_TCP,
	  S | F, false, CTINVALID_DNAT, CTINVALID_BAD_FLAGS, CTINVALID_PASS,
	  true },
	{ "into another its receiver judges it", IPPROTO_TCP, S | F, false,
	  CTINVALID_NAT_NONE, CTINVALID_BAD_FLAGS, CTINVALID_PASS, false },
	{ "damage in a flow", IPPROTO_UDP, 0, false,
	  CTINVALID_NAT_NONE, CTINVALID_BAD_CHECKSUM, CTINVALID_PASS, true },
};

CASES(fault);

static void fault_test(struct kunit *test)
{
	const struct fault_case *param = test->param_value;
	struct ctinvalid_flow flow = judge_flow(REPLY,
						TCP_CONNTRACK_ESTABLISHED);
	struct ctinvalid_packet pkt = { .key.proto = param->proto,
					.tcp_flags = param->flags };

	flow.live = !param->over;
	flow.nat = param->nat;

	KUNIT_EXPECT_EQ(test, param->fault,
			ctinvalid_is_fault(&pkt, &flow, param->reason,
					   param->action));
}

struct outside_case {
	const char *desc;
	/* input */
	u8 flags;
	u32 seq;
	u32 ack;
	/* output as expected */
	bool outside;
};

/* The flow of the judge cases; what is older than its window is 0 .. -1. */
static const struct outside_case outside_cases[] = {
	{ "a RST at the edge of what was sent", R, 1000, 0, false },
	{ "a RST at the end of the window", R, 2000, 0, false },
	{ "a RST behind it", R, 2001, 0, true },
	{ "a RST half the sequence space away", R, 1000 + BIT(30), 0, true },
	{ "a RST as old as the window is long", R, 0, 0, false },
	{ "an older one", R, -1, 0, true },
	{ "a FIN in its place", F | A, 1000, 1000, false },
	{ "a FIN behind the window", F | A, 2001, 1000, true },
	{ "a FIN that acknowledges what was not sent", F | A, 1000, 1001, true },
	{ "a FIN that acknowledges as little as can be", F | A, 1000,
	  1000 - 66000, false },
	{ "a FIN that acknowledges less", F | A, 1000, 1000 - 66001, true },
	{ "a RST with a zero acknowledgment", R | A, 1000, 0, false },
};

CASES(outside);

static void outside_test(struct kunit *test)
{
	const struct outside_case *param = test->param_value;
	struct ctinvalid_flow flow = judge_flow(REPLY,
						TCP_CONNTRACK_ESTABLISHED);
	struct ctinvalid_packet pkt = {
		.key.proto = IPPROTO_TCP, .tcp_flags = param->flags,
		.seq = param->seq, .ack = param->ack, .sack = param->ack,
		.end = param->seq + !!(param->flags & F),
	};

	KUNIT_EXPECT_EQ(test, param->outside, ctinvalid_outside(&pkt, &flow));
}

/*
 * Whatever a packet and its flow are: there is one reason, the counters have a
 * place for it, so that they sum up, and only what NAT can break is touched.
 */
static void judge_property_test(struct kunit *test)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
				     IPPROTO_UDP, IPPROTO_ICMP,
				     IPPROTO_ICMPV6, IPPROTO_SCTP };
	unsigned int seen[CTINVALID_REASONS] = {};
	enum ctinvalid_action action;
	enum ctinvalid_mode mode;
	struct rnd_state random;
	int i, side;

	KUNIT_EXPECT_EQ(test, CTINVALID_packets_invalid + 1,
			CTINVALID_invalid_no_flow);
	KUNIT_EXPECT_EQ(test, CTINVALID_invalid_other,
			CTINVALID_invalid_no_flow + CTINVALID_OTHER);

	random_begin(test, &random);
	for (i = 0; i < 20000 && !has_failed(test); i++) {
		struct ctinvalid_packet pkt = {
			.key.proto = protos[random_below(&random,
							 ARRAY_SIZE(protos))],
			.fault = random_below(&random, 8) ? CTINVALID_SOUND :
				 random_below(&random, 3),
			.tcp_flags = random_below(&random, 256),
			.icmp_error = random_below(&random, 2),
			.seq = prandom_u32_state(&random),
			.ack = prandom_u32_state(&random),
			.sack = prandom_u32_state(&random),
		};
		struct ctinvalid_flow flow = {};
		struct ctinvalid_verdict verdict;

		if (random_below(&random, 4)) {
			flow = judge_flow(i & 1, 0);
			flow.state = random_below(&random,
						  TCP_CONNTRACK_SYN_SENT2 + 1);
			flow.live = random_below(&random, 2);
			flow.nat = random_below(&random, 4);
			flow.ack_offset = prandom_u32_state(&random);
			for (side = 0; side < 2; side++)
				flow.seen[side].td_maxend =
					prandom_u32_state(&random);
		}

		verdict = ctinvalid_judge(&pkt, &flow);
		KUNIT_ASSERT_LT(test, verdict.reason, CTINVALID_REASONS);
		seen[verdict.reason]++;
		if (!flow.found)
			KUNIT_EXPECT_EQ(test, 0, verdict.by);

		mode = random_below(&random, 3);
		action = ctinvalid_decide(mode, &pkt, &flow, verdict.reason,
					  random_below(&random, 5));
		if (action == CTINVALID_PASS)
			continue;
		KUNIT_EXPECT_NE(test, CTINVALID_LOG, mode);
		KUNIT_EXPECT_TRUE(test, flow.found && flow.live && flow.nat);
		KUNIT_EXPECT_EQ(test, IPPROTO_TCP, pkt.key.proto);
		if (action == CTINVALID_CURE)
			KUNIT_EXPECT_TRUE(test, mode == CTINVALID_HEAL &&
					  (verdict.reason == CTINVALID_SEQ_OVER ||
					   verdict.reason == CTINVALID_ACK_OVER));
	}

	/* It was asked about all there is. */
	for (i = 0; i < CTINVALID_REASONS && !has_failed(test); i++)
		KUNIT_EXPECT_GT_MSG(test, seen[i], 0, "reason %d", i);
}

static struct kunit_case ctinvalid_kunit_cases[] = {
	KUNIT_CASE_PARAM(judge_test, judge_gen_params),
	KUNIT_CASE(judge_shift_test),
	KUNIT_CASE(judge_property_test),
	KUNIT_CASE_PARAM(decide_test, decide_gen_params),
	KUNIT_CASE_PARAM(fault_test, fault_gen_params),
	KUNIT_CASE_PARAM(outside_test, outside_gen_params),
	{}
};

static struct kunit_suite ctinvalid_kunit_suite = {
	.name = "netguard_ctinvalid",
	.test_cases = ctinvalid_kunit_cases,
};

kunit_test_suite(ctinvalid_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of netguard_ctinvalid");
MODULE_LICENSE("GPL");
