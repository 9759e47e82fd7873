/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that a seed decides: splitmix64. */
#ifndef NETGUARD_TORTURE_RNG_H
#define NETGUARD_TORTURE_RNG_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct rng - a sequence of random numbers
 * @state: the seed
 */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline unsigned int rng_below(struct rng *r, unsigned int n)
{
	return rng_next(r) % n;
}

static inline bool rng_once_in(struct rng *r, unsigned int n)
{
	return !rng_below(r, n);
}

#endif
