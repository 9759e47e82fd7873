/* SPDX-License-Identifier: GPL-2.0 */
/* What more than one suite needs: random numbers that can be had again, frames. */
#ifndef NETGUARD_KUNIT_FIXTURES_H
#define NETGUARD_KUNIT_FIXTURES_H

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/skbuff.h>

#include <netguard/compat.h>

static unsigned int seed;
module_param(seed, uint, 0);
MODULE_PARM_DESC(seed, "of the random numbers of every property test, 0 = another each time");

/* Says what to load the module with to see the same again. */
static inline void random_begin(struct kunit *test, struct rnd_state *random)
{
	unsigned int begin = seed ?: get_random_u32();

	kunit_info(test, "seed=%u\n", begin);
	prandom_seed_state(random, begin);
}

static inline u32 random_below(struct rnd_state *random, u32 limit)
{
	return prandom_u32_state(random) % limit;
}

#endif
