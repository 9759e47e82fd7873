// SPDX-License-Identifier: GPL-2.0
/* tapdup: does another round follow, and what becomes of the mark. */

#include "tapdup/round.h"

#include "fixtures.h"

#define BIT_OURS 0x40000000

struct next_case {
	const char *desc;
	/* input */
	struct tapdup_takers takers;
	/* output as expected */
	enum tapdup_next result;
};

static const struct next_case next_cases[] = {
	{
		.desc = "a frame that nobody takes has had its last round",
		.result = TAPDUP_LAST,
	},
	{
		.desc = "a LAG port's frame gets a round on the LAG",
		.takers = { .lag = TAPDUP_WATCHED },
		.result = TAPDUP_ANOTHER,
	},
	{
		.desc = "an inactive port's frame stays on the port",
		.takers = { .lag = TAPDUP_WATCHED, .lag_idle = true },
		.result = TAPDUP_LAST,
	},
	{
		.desc = "a LAG without our hook gets no mark",
		.takers = { .lag = TAPDUP_BLIND },
		.result = TAPDUP_LAST,
	},
	{
		.desc = "a VLAN device takes the frame before the LAG",
		.takers = { .vlan = TAPDUP_WATCHED, .lag = TAPDUP_BLIND },
		.result = TAPDUP_ANOTHER,
	},
	{
		.desc = "a VLAN device takes it from an inactive port as well",
		.takers = { .vlan = TAPDUP_WATCHED, .lag = TAPDUP_WATCHED,
			    .lag_idle = true },
		.result = TAPDUP_ANOTHER,
	},
	{
		.desc = "a VLAN device in another netns hides the LAG behind it",
		.takers = { .vlan = TAPDUP_BLIND, .lag = TAPDUP_WATCHED },
		.result = TAPDUP_LAST,
	},
	{
		.desc = "a macvlan of this netns gets another round",
		.takers = { .macvlan = TAPDUP_WATCHED },
		.result = TAPDUP_ANOTHER,
	},
	{
		.desc = "a macvlan in a container gets no mark",
		.takers = { .macvlan = TAPDUP_BLIND },
		.result = TAPDUP_LAST,
	},
};

CASES(next);

static void next_test(struct kunit *test)
{
	const struct next_case *param = test->param_value;

	KUNIT_EXPECT_EQ(test, param->result, tapdup_next(&param->takers));
}

/*
 * Whoever waits above a device: another round is promised only if the first who
 * takes the frame is watched, or an original would keep a mark.
 */
static void next_every_test(struct kunit *test)
{
	int i, first;

	for (i = 0; i < 3 * 3 * 3 * 2; i++) {
		struct tapdup_takers takers = {
			.vlan = i % 3, .lag = i / 3 % 3,
			.macvlan = i / 9 % 3, .lag_idle = i / 27,
		};
		enum tapdup_taker order[] = {
			takers.vlan,
			takers.lag_idle ? TAPDUP_NOBODY : takers.lag,
			takers.macvlan,
		};

		for (first = 0; first < ARRAY_SIZE(order) - 1; first++)
			if (order[first] != TAPDUP_NOBODY)
				break;
		KUNIT_EXPECT_EQ(test, order[first] == TAPDUP_WATCHED,
				tapdup_next(&takers) == TAPDUP_ANOTHER);
	}
}

struct judge_case {
	const char *desc;
	/* input */
	struct tapdup_round round;
	/* output as expected */
	struct tapdup_verdict result;
};

static const struct judge_case judge_cases[] = {
	{
		.desc = "a first round before nothing is left alone",
		.round = { .mark = 0x17, .bit = BIT_OURS },
		.result = { TAPDUP_ORIGINAL, 0, 0x17, 0 },
	},
	{
		.desc = "a first round before another one sets the bit",
		.round = { .mark = 0x17, .bit = BIT_OURS, .wanted = true },
		.result = { TAPDUP_ORIGINAL, 0, 0x40000017, BIT_OURS },
	},
	{
		.desc = "before a program of XDP, a filter of tc or a queue there is no mark",
		.round = { .mark = 0x17, .bit = BIT_OURS, .wanted = true,
			   .risks = TAPDUP_XDP | TAPDUP_TC | TAPDUP_QUEUE },
		.result = { TAPDUP_ORIGINAL, 0, 0x17, 0 },
	},
	{
		.desc = "where a risk begins, the mark that the frame had goes",
		.round = { .mark = 0x40000017, .bit = BIT_OURS, .noted = true,
			   .noted_bit = BIT_OURS, .wanted = true,
			   .risks = TAPDUP_HOOKS },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, 0x17, 0 },
	},
	{
		.desc = "a round between two others leaves the bit where it is",
		.round = { .mark = BIT_OURS, .bit = BIT_OURS, .noted = true,
			   .noted_bit = BIT_OURS, .wanted = true },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, BIT_OURS, BIT_OURS },
	},
	{
		.desc = "the last round clears our bit and no other",
		.round = { .mark = 0xffffffff, .bit = BIT_OURS, .noted = true,
			   .noted_bit = BIT_OURS },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, 0xbfffffff, 0 },
	},
	{
		.desc = "somebody else's bit is not taken for a duplicate",
		.round = { .mark = BIT_OURS, .bit = BIT_OURS },
		.result = { TAPDUP_ORIGINAL, 0, BIT_OURS, 0 },
	},
	{
		.desc = "somebody else's bit is not noted as ours",
		.round = { .mark = BIT_OURS, .bit = BIT_OURS, .wanted = true },
		.result = { TAPDUP_ORIGINAL, 0, BIT_OURS, 0 },
	},
	{
		.desc = "somebody else's bit survives the last round",
		.round = { .mark = BIT_OURS, .bit = BIT_OURS, .noted = true,
			   .strays = BIT_OURS },
		.result = { TAPDUP_DUPLICATE, 0, BIT_OURS, 0 },
	},
	{
		.desc = "a bit that came without its note is ours all the same",
		.round = { .mark = 0x40000001, .bit = BIT_OURS,
			   .strays = BIT_OURS },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, 1, 0 },
	},
	{
		.desc = "the bit that was meant before the parameter changed goes",
		.round = { .mark = BIT_OURS, .bit = 0x100, .noted = true,
			   .noted_bit = BIT_OURS, .wanted = true },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, 0x100, 0x100 },
	},
	{
		.desc = "counting only, a duplicate is known but not marked",
		.round = { .mark = 5, .noted = true, .wanted = true },
		.result = { TAPDUP_DUPLICATE, 0, 5, 0 },
	},
	{
		.desc = "counting only from now on, the last mark goes",
		.round = { .mark = 0x40000005, .noted = true,
			   .noted_bit = BIT_OURS, .wanted = true },
		.result = { TAPDUP_DUPLICATE, BIT_OURS, 5, 0 },
	},
};

CASES(judge);

static void judge_test(struct kunit *test)
{
	const struct judge_case *param = test->param_value;
	struct tapdup_verdict verdict = tapdup_judge(&param->round);

	KUNIT_EXPECT_EQ(test, param->result.kind, verdict.kind);
	KUNIT_EXPECT_EQ(test, param->result.found, verdict.found);
	KUNIT_EXPECT_EQ(test, param->result.mark, verdict.mark);
	KUNIT_EXPECT_EQ(test, param->result.set, verdict.set);
}

/*
 * Whatever a user's mark was and however many devices a frame passes, each
 * round but the first is a duplicate, taps see the bit in these, and in the
 * end the mark is what it was.
 */
static void journey_test(struct kunit *test)
{
	struct rnd_state random;
	int i;

	random_begin(test, &random);
	for (i = 0; i < 10000; i++) {
		u32 bit = BIT(random_below(&random, 32));
		u32 before = prandom_u32_state(&random);
		u32 rounds = random_below(&random, 6) + 1;
		struct tapdup_verdict verdict = { .mark = before };
		u32 left;

		for (left = rounds; left; left--) {
			struct tapdup_round round = {
				.mark = verdict.mark,
				.bit = bit,
				.noted = left < rounds,
				.noted_bit = verdict.set,
				.wanted = left > 1,
			};

			if (left < rounds)
				KUNIT_ASSERT_EQ(test, bit, verdict.mark & bit);
			verdict = tapdup_judge(&round);
			KUNIT_ASSERT_EQ(test, left < rounds ?
					TAPDUP_DUPLICATE : TAPDUP_ORIGINAL,
					verdict.kind);
			KUNIT_ASSERT_EQ(test, before & ~bit,
					verdict.mark & ~bit);
		}
		KUNIT_ASSERT_EQ(test, before, verdict.mark);
	}
}

/* Whatever else is known: with any risk no mark of ours goes on. */
static void risk_test(struct kunit *test)
{
	struct rnd_state random;
	unsigned int risk;
	int i;

	random_begin(test, &random);
	for (risk = TAPDUP_NO_TAPS; risk <= TAPDUP_QUEUE; risk <<= 1)
		for (i = 0; i < 1000; i++) {
			struct tapdup_round round = {
				.mark = prandom_u32_state(&random),
				.bit = BIT_OURS,
				.noted = random_below(&random, 2),
				.noted_bit = random_below(&random, 2) ?
					BIT_OURS : 0,
				.wanted = true,
			};
			struct tapdup_verdict with, without;

			without = tapdup_judge(&round);
			round.risks = risk;
			with = tapdup_judge(&round);
			KUNIT_ASSERT_EQ(test, 0, with.set);
			KUNIT_ASSERT_EQ(test, without.kind, with.kind);
			KUNIT_ASSERT_EQ(test, without.found, with.found);
			/* Somebody else's bit stays, one that is ours does not. */
			KUNIT_ASSERT_EQ(test, round.mark & ~with.found,
					with.mark);
		}
}

static void mark_test(struct kunit *test)
{
	int i;

	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_TRUE(test, tapdup_is_mark(BIT(i)));
	KUNIT_EXPECT_FALSE(test, tapdup_is_mark(0));
	KUNIT_EXPECT_FALSE(test, tapdup_is_mark(3));
	KUNIT_EXPECT_FALSE(test, tapdup_is_mark(U32_MAX));
}

static struct kunit_case tapdup_cases[] = {
	KUNIT_CASE_PARAM(next_test, next_gen_params),
	KUNIT_CASE(next_every_test),
	KUNIT_CASE_PARAM(judge_test, judge_gen_params),
	KUNIT_CASE(journey_test),
	KUNIT_CASE(risk_test),
	KUNIT_CASE(mark_test),
	{}
};

static struct kunit_suite tapdup_suite = {
	.name = "netguard_tapdup",
	.test_cases = tapdup_cases,
};

kunit_test_suite(tapdup_suite);

MODULE_DESCRIPTION("KUnit tests of netguard_tapdup");
MODULE_LICENSE("GPL");
NG_IMPORT_KUNIT_SYMBOLS();
