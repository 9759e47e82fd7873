// SPDX-License-Identifier: GPL-2.0
/* redirect: what a redirect says, and when many of them are a storm. */

#include "redirect/storm.h"

#include "fixtures.h"

#include <net/ndisc.h>

struct read_case {
	const char *desc;
	/* input */
	u8 type;
	u8 quoted_vihl;
	u8 options;
	u16 frag_off;
	__be32 gateway;
	unsigned int cut;
	/* output as expected */
	enum redirect_kind result;
};

static const struct read_case read_cases[] = {
	{
		.desc = "a host redirect names router, flow and gateway",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_NAMED,
	},
	{
		.desc = "IP options before the ICMP header are stepped over",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45, .options = 40,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_NAMED,
	},
	{
		.desc = "an echo request is none",
		.type = ICMP_ECHO, .quoted_vihl = 0x45,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_OTHER,
	},
	{
		.desc = "a later fragment has no ICMP header",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45, .frag_off = 10,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_OTHER,
	},
	{
		.desc = "a redirect to nowhere is malformed",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45,
		.result = REDIRECT_MALFORMED,
	},
	{
		.desc = "a quoted packet of another version is malformed",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x65,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_MALFORMED,
	},
	{
		.desc = "a quoted header that is too short is malformed",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x44,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_MALFORMED,
	},
	{
		.desc = "a quote that is cut short is malformed",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45, .cut = 1,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_MALFORMED,
	},
	{
		.desc = "without a whole ICMP header nothing can be said",
		.type = ICMP_REDIRECT, .quoted_vihl = 0x45, .cut = 21,
		.gateway = htonl(0xc0000202),
		.result = REDIRECT_OTHER,
	},
};

CASES(read);

static void read_test(struct kunit *test)
{
	const struct read_case *param = test->param_value;
	struct redirect_notice notice = {};
	struct icmp_error error;
	struct sk_buff *skb;

	icmp_error_init(&error, param->type, 0, param->options);
	error.iph->frag_off = htons(param->frag_off);
	error.icmph->un.gateway = param->gateway;
	*(u8 *)error.quoted = param->quoted_vihl;

	skb = packet_build(test, error.bytes, error.len - param->cut);
	KUNIT_EXPECT_EQ(test, param->result, redirect_read4(skb, &notice));
	if (param->result == REDIRECT_NAMED) {
		KUNIT_EXPECT_EQ(test, htonl(0xc0000201), notice.router.ip);
		KUNIT_EXPECT_EQ(test, htonl(0xc000020a), notice.src.ip);
		KUNIT_EXPECT_EQ(test, htonl(0xc633640a), notice.dst.ip);
		KUNIT_EXPECT_EQ(test, htonl(0xc0000202), notice.gateway.ip);
	}
	kfree_skb(skb);
}

static void read6_test(struct kunit *test)
{
	u8 bytes[sizeof(struct ipv6hdr) + sizeof(struct rd_msg)] = {};
	struct ipv6hdr *ip6h = (struct ipv6hdr *)bytes;
	struct rd_msg *msg = (struct rd_msg *)(ip6h + 1);
	struct redirect_notice notice = {};
	struct sk_buff *skb;
	unsigned int len;

	ip6h->version = 6;
	ip6h->nexthdr = IPPROTO_ICMPV6;
	ip6h->saddr.s6_addr[0] = 0xfe;
	msg->icmph.icmp6_type = NDISC_REDIRECT;
	msg->target.s6_addr[15] = 2;
	msg->dest.s6_addr[15] = 10;

	/* However much is missing, it is either no redirect or malformed. */
	for (len = sizeof(*ip6h); len < sizeof(bytes); len++) {
		skb = packet_build(test, bytes, len);
		KUNIT_EXPECT_EQ(test, len > sizeof(*ip6h) ?
				REDIRECT_MALFORMED : REDIRECT_OTHER,
				redirect_read6(skb, &notice));
		kfree_skb(skb);
	}

	skb = packet_build(test, bytes, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, REDIRECT_NAMED, redirect_read6(skb, &notice));
	KUNIT_EXPECT_EQ(test, 2, notice.gateway.in6.s6_addr[15]);
	KUNIT_EXPECT_EQ(test, 10, notice.dst.in6.s6_addr[15]);
	kfree_skb(skb);
}

/* Random bytes behind a valid IP header: any verdict, but none out of bounds. */
static void read_random_test(struct kunit *test)
{
	struct redirect_notice notice;
	struct rnd_state random;
	struct sk_buff *skb;
	unsigned int i;

	random_begin(test, &random);
	for (i = 0; i < 2000; i++) {
		skb = icmp_random(test, &random, ICMP_REDIRECT, i % 4);
		KUNIT_EXPECT_LE(test, redirect_read4(skb, &notice),
				REDIRECT_MALFORMED);
		icmp_random_to_ipv6(skb, i & 1 ? IPPROTO_ICMPV6 :
						 IPPROTO_HOPOPTS);
		KUNIT_EXPECT_LE(test, redirect_read6(skb, &notice),
				REDIRECT_MALFORMED);
		kfree_skb(skb);
	}
}

struct storm_case {
	const char *desc;
	/* input: so many redirects, so many milliseconds apart */
	unsigned int count;
	unsigned int gap_ms;
	/* output as expected */
	enum redirect_weather last;
	unsigned int begins;
};

static const struct storm_case storm_cases[] = {
	{
		.desc = "ten a second for three seconds are a storm",
		.count = 31, .gap_ms = 100,
		.last = REDIRECT_STORM_BEGINS, .begins = 1,
	},
	{
		.desc = "ten a second for less than that are none",
		.count = 30, .gap_ms = 100,
	},
	{
		.desc = "nine a second never are",
		.count = 1000, .gap_ms = 112,
	},
	{
		.desc = "a storm that lasts begins once",
		.count = 1000, .gap_ms = 20,
		.last = REDIRECT_STORM_LASTS, .begins = 1,
	},
	{
		.desc = "a thousand at once are a burst",
		.count = 1000, .gap_ms = 0,
	},
	{
		.desc = "one every two seconds is nothing",
		.count = 50, .gap_ms = 2000,
	},
};

CASES(storm);

static void storm_test(struct kunit *test)
{
	const struct storm_case *param = test->param_value;
	enum redirect_weather weather = REDIRECT_CALM;
	struct redirect_pace pace = {};
	unsigned int begins = 0;
	unsigned int i;

	for (i = 0; i < param->count; i++) {
		weather = redirect_step(&pace, 777 + i * param->gap_ms);
		begins += weather == REDIRECT_STORM_BEGINS;
	}

	KUNIT_EXPECT_EQ(test, param->last, weather);
	KUNIT_EXPECT_EQ(test, param->begins, begins);
}

static void storm_again_test(struct kunit *test)
{
	struct redirect_pace pace = {};
	unsigned int begins = 0;
	u64 now = 1;
	int i;

	for (i = 0; i < 100; i++, now += 50)
		begins += redirect_step(&pace, now) == REDIRECT_STORM_BEGINS;
	now += 10 * MSEC_PER_SEC;
	KUNIT_EXPECT_EQ(test, REDIRECT_CALM, redirect_step(&pace, now));
	for (i = 0, now += 50; i < 100; i++, now += 50)
		begins += redirect_step(&pace, now) == REDIRECT_STORM_BEGINS;

	KUNIT_EXPECT_EQ(test, 2, begins);
	KUNIT_EXPECT_EQ(test, 20, pace.peak);
}

static struct kunit_case redirect_kunit_cases[] = {
	KUNIT_CASE_PARAM(read_test, read_gen_params),
	KUNIT_CASE(read6_test),
	KUNIT_CASE(read_random_test),
	KUNIT_CASE_PARAM(storm_test, storm_gen_params),
	KUNIT_CASE(storm_again_test),
	{}
};

static struct kunit_suite redirect_kunit_suite = {
	.name = "netguard_redirect",
	.test_cases = redirect_kunit_cases,
};

kunit_test_suite(redirect_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of netguard_redirect");
MODULE_LICENSE("GPL");
