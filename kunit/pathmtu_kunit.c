// SPDX-License-Identifier: GPL-2.0
/* pathmtu: what is reported, what fits, and what vanishes. */

#include "pathmtu/path.h"

#include "fixtures.h"

#include <linux/icmpv6.h>
#include <linux/ipv6.h>

struct report_case {
	const char *desc;
	/* input */
	u8 type;
	u8 code;
	u8 quoted_vihl;
	u8 options;
	u16 frag_off;
	unsigned int cut;
	/* output as expected */
	enum pathmtu_report result;
};

static const struct report_case report_cases[] = {
	{
		.desc = "fragmentation-needed names flow, size and MTU",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45,
		.result = PATHMTU_FRAG_NEEDED,
	},
	{
		.desc = "IP options before the ICMP header are stepped over",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45, .options = 40,
		.result = PATHMTU_FRAG_NEEDED,
	},
	{
		.desc = "a port that is unreachable is another matter",
		.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH,
		.quoted_vihl = 0x45,
		.result = PATHMTU_NO_REPORT,
	},
	{
		.desc = "so is the same code of another type",
		.type = ICMP_PARAMETERPROB, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45,
		.result = PATHMTU_NO_REPORT,
	},
	{
		.desc = "a later fragment has no ICMP header",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45, .frag_off = 8,
		.result = PATHMTU_NO_REPORT,
	},
	{
		.desc = "a quoted packet of another version is malformed",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x65,
		.result = PATHMTU_MALFORMED,
	},
	{
		.desc = "a quoted header that is too short is malformed",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x44,
		.result = PATHMTU_MALFORMED,
	},
	{
		.desc = "a quote that is cut short is malformed",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45, .cut = 1,
		.result = PATHMTU_MALFORMED,
	},
	{
		.desc = "without a whole ICMP header nothing can be said",
		.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED,
		.quoted_vihl = 0x45, .cut = 21,
		.result = PATHMTU_NO_REPORT,
	},
};

CASES(report);

static void report_test(struct kunit *test)
{
	const struct report_case *param = test->param_value;
	struct pathmtu_quote quote = {};
	struct icmp_error error;
	struct sk_buff *skb;

	icmp_error_init(&error, param->type, param->code, param->options);
	error.iph->frag_off = htons(param->frag_off);
	error.icmph->un.frag.mtu = htons(1400);
	*(u8 *)error.quoted = param->quoted_vihl;
	error.quoted->tot_len = htons(1500);

	skb = packet_build(test, error.bytes, error.len - param->cut);
	KUNIT_EXPECT_EQ(test, param->result, pathmtu_read4(skb, &quote));
	if (param->result == PATHMTU_FRAG_NEEDED) {
		KUNIT_EXPECT_EQ(test, htonl(0xc0000201), quote.reporter.ip);
		KUNIT_EXPECT_EQ(test, htonl(0xc000020a), quote.src.ip);
		KUNIT_EXPECT_EQ(test, htonl(0xc633640a), quote.dst.ip);
		KUNIT_EXPECT_EQ(test, 1500, quote.size);
		KUNIT_EXPECT_EQ(test, 1400, quote.mtu);
	}
	kfree_skb(skb);
}

static void report6_test(struct kunit *test)
{
	u8 bytes[2 * sizeof(struct ipv6hdr) + sizeof(struct icmp6hdr)] = {};
	struct ipv6hdr *ip6h = (struct ipv6hdr *)bytes;
	struct icmp6hdr *icmph = (struct icmp6hdr *)(ip6h + 1);
	struct ipv6hdr *quoted = (struct ipv6hdr *)(icmph + 1);
	struct pathmtu_quote quote = {};
	struct sk_buff *skb;
	unsigned int len;

	ip6h->version = 6;
	ip6h->nexthdr = IPPROTO_ICMPV6;
	icmph->icmp6_type = ICMPV6_PKT_TOOBIG;
	icmph->icmp6_mtu = htonl(1400);
	quoted->version = 6;
	quoted->payload_len = htons(1460);
	quoted->daddr.s6_addr[15] = 10;

	/* However much is missing, it is either no report or malformed. */
	for (len = sizeof(*ip6h); len < sizeof(bytes); len++) {
		skb = packet_build(test, bytes, len);
		KUNIT_EXPECT_EQ(test, len < sizeof(*ip6h) + sizeof(*icmph) ?
				PATHMTU_NO_REPORT : PATHMTU_MALFORMED,
				pathmtu_read6(skb, &quote));
		kfree_skb(skb);
	}

	skb = packet_build(test, bytes, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, PATHMTU_FRAG_NEEDED, pathmtu_read6(skb, &quote));
	KUNIT_EXPECT_EQ(test, 1500, quote.size);
	KUNIT_EXPECT_EQ(test, 1400, quote.mtu);
	KUNIT_EXPECT_EQ(test, 10, quote.dst.in6.s6_addr[15]);
	kfree_skb(skb);
}

/* Random bytes behind a valid IP header: any verdict, but none out of bounds. */
static void report_random_test(struct kunit *test)
{
	struct pathmtu_quote quote;
	struct rnd_state random;
	struct sk_buff *skb;
	unsigned int i;

	random_begin(test, &random);
	for (i = 0; i < 2000; i++) {
		skb = icmp_random(test, &random, ICMP_DEST_UNREACH,
				  ICMP_FRAG_NEEDED);
		KUNIT_EXPECT_LE(test, pathmtu_read4(skb, &quote),
				PATHMTU_MALFORMED);
		icmp_random_to_ipv6(skb, i & 1 ? IPPROTO_ICMPV6 :
						 IPPROTO_HOPOPTS);
		KUNIT_EXPECT_LE(test, pathmtu_read6(skb, &quote),
				PATHMTU_MALFORMED);
		kfree_skb(skb);
	}
}

struct fit_case {
	const char *desc;
	/* input */
	unsigned int len;
	unsigned int gso_size;
	bool dont_fragment;
	bool ignore_df;
	/* output as expected */
	enum pathmtu_fit result;
};

static const struct fit_case fit_cases[] = {
	{
		.desc = "a packet as long as the MTU fits",
		.len = 1500, .dont_fragment = true,
		.result = PATHMTU_FITS,
	},
	{
		.desc = "one byte more with DF is oversize",
		.len = 1501, .dont_fragment = true,
		.result = PATHMTU_OVERSIZE,
	},
	{
		.desc = "without DF it is fragmented",
		.len = 1501,
		.result = PATHMTU_FITS,
	},
	{
		.desc = "so it is when it was put together from fragments here",
		.len = 4000, .dont_fragment = true, .ignore_df = true,
		.result = PATHMTU_FITS,
	},
	{
		.desc = "a GSO packet is segmented, however long",
		.len = 60000, .gso_size = 1448, .dont_fragment = true,
		.result = PATHMTU_FITS,
	},
	{
		.desc = "the same without its GSO size bounces",
		.len = 60000, .dont_fragment = true,
		.result = PATHMTU_OVERSIZE,
	},
};

CASES(fit);

static void fit_test(struct kunit *test)
{
	const struct fit_case *param = test->param_value;
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	/* Only its length and flags are looked at. */
	skb->len = param->len;
	skb->ignore_df = param->ignore_df;
	skb_shinfo(skb)->gso_size = param->gso_size;
	KUNIT_EXPECT_EQ(test, param->result,
			pathmtu_fit(skb, 1500, param->dont_fragment));
	skb->len = 0;
	kfree_skb(skb);
}

struct judge_case {
	const char *desc;
	/* input */
	struct pathmtu_flight flight;
	/* output as expected */
	enum pathmtu_fate result;
	unsigned int size_ok;
};

#define FLIGHT(_retransmits, _oldest, _payload, _window)	\
	.retransmits = _retransmits, .oldest = _oldest,		\
	.payload = _payload, .headers = 52, .window = _window
/* A flow that is stuck on a full-size segment. */
#define STUCK FLIGHT(3, true, 1448, 64000)

static const struct judge_case judge_cases[] = {
	{
		.desc = "a small segment behind it was acknowledged selectively",
		.flight = { STUCK, .sacked = 1104, .acked_bytes = 9000 },
		.result = PATHMTU_BLACKHOLE, .size_ok = 1156,
	},
	{
		.desc = "one of the same size was: plain loss",
		.flight = { STUCK, .sacked = 1448 },
		.result = PATHMTU_LOSSY,
	},
	{
		.desc = "sent again twice is not enough",
		.flight = { FLIGHT(2, true, 1448, 64000), .sacked = 1104 },
		.result = PATHMTU_MOVING,
	},
	{
		.desc = "it has to be the oldest in flight",
		.flight = { FLIGHT(3, false, 1448, 64000), .sacked = 1104 },
		.result = PATHMTU_MOVING,
	},
	{
		.desc = "1280 bytes pass everywhere: that is no full-size segment",
		.flight = { FLIGHT(3, true, 1228, 64000), .sacked = 100 },
		.result = PATHMTU_MOVING,
	},
	{
		.desc = "1281 bytes are",
		.flight = { FLIGHT(3, true, 1229, 64000), .sacked = 100 },
		.result = PATHMTU_BLACKHOLE, .size_ok = 152,
	},
	{
		.desc = "somebody said that it is too long",
		.flight = { STUCK, .sacked = 1104, .reported = true },
		.result = PATHMTU_REPORTED,
	},
	{
		.desc = "the peer has closed its window",
		.flight = { FLIGHT(3, true, 1448, 0), .sacked = 1104 },
		.result = PATHMTU_STALLED,
	},
	{
		.desc = "the peer was heard long before and not since: it died",
		.flight = { STUCK, .acked_bytes = 517,
			    .heard_us = 1500 * 1000 },
		.result = PATHMTU_SILENT,
	},
	{
		.desc = "the handshake was just over: all that is in flight is full-size",
		.flight = { STUCK, .acked_bytes = 517, .heard_us = 3000 },
		.result = PATHMTU_BLACKHOLE, .size_ok = 569,
	},
	{
		.desc = "what was acknowledged came in several segments",
		.flight = { STUCK, .acked_bytes = 1000, .acked_segments = 3 },
		.result = PATHMTU_BLACKHOLE, .size_ok = 386,
	},
	{
		.desc = "a small one of the same flight was acknowledged",
		.flight = { STUCK, .acked_bytes = 300, .delivered = true,
			    .heard_us = 900 * 1000 },
		.result = PATHMTU_BLACKHOLE, .size_ok = 352,
	},
	{
		.desc = "the flow has moved more than that: full-size ones may have passed",
		.flight = { STUCK, .acked_bytes = 100000, .delivered = true },
		.result = PATHMTU_SILENT,
	},
};

CASES(judge);

static void judge_test(struct kunit *test)
{
	const struct judge_case *param = test->param_value;
	unsigned int size_ok = 0;

	KUNIT_EXPECT_EQ(test, param->result,
			pathmtu_judge(&param->flight, &size_ok));
	KUNIT_EXPECT_EQ(test, param->size_ok, size_ok);
}

/* Whatever a socket says: a suspect's sizes make sense. */
static void judge_random_test(struct kunit *test)
{
	unsigned int i, holes = 0;
	struct rnd_state rnd;

	random_begin(test, &rnd);
	for (i = 0; i < 20000; i++) {
		struct pathmtu_flight flight = {
			.retransmits = random_below(&rnd, 8),
			.oldest = random_below(&rnd, 8),
			.reported = !(random_below(&rnd, 8)),
			.payload = random_below(&rnd, 9000),
			.headers = 40 + random_below(&rnd, 60),
			.window = random_below(&rnd, 65536),
			.sacked = random_below(&rnd, 4) ?
				  0 : random_below(&rnd, 9000),
			.acked_bytes = random_below(&rnd, 9000),
			.acked_segments = random_below(&rnd, 8),
			.delivered = random_below(&rnd, 2),
			.heard_us = random_below(&rnd, 400000),
		};
		unsigned int size_ok = 0;

		if (pathmtu_judge(&flight, &size_ok) != PATHMTU_BLACKHOLE)
			continue;
		holes++;
		KUNIT_EXPECT_LT(test, size_ok,
				flight.headers + flight.payload);
		KUNIT_EXPECT_GE(test, size_ok, flight.headers);
		KUNIT_EXPECT_GT(test, flight.headers + flight.payload,
				PATHMTU_SMALL);
		KUNIT_EXPECT_GE(test, flight.retransmits, 3);
		KUNIT_EXPECT_FALSE(test, flight.reported);
	}
	KUNIT_EXPECT_GT(test, holes, 100);
}

static struct kunit_case pathmtu_kunit_cases[] = {
	KUNIT_CASE_PARAM(report_test, report_gen_params),
	KUNIT_CASE(report6_test),
	KUNIT_CASE(report_random_test),
	KUNIT_CASE_PARAM(fit_test, fit_gen_params),
	KUNIT_CASE_PARAM(judge_test, judge_gen_params),
	KUNIT_CASE(judge_random_test),
	{}
};

static struct kunit_suite pathmtu_kunit_suite = {
	.name = "netguard_pathmtu",
	.test_cases = pathmtu_kunit_cases,
};

kunit_test_suite(pathmtu_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of netguard_pathmtu");
MODULE_LICENSE("GPL");
