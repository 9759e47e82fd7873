/* SPDX-License-Identifier: GPL-2.0 */
/* What more than one suite needs: random numbers that can be had again, frames. */
#ifndef NETGUARD_KUNIT_FIXTURES_H
#define NETGUARD_KUNIT_FIXTURES_H

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/ip.h>
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

/* To end a long loop, when it has said once what is wrong. */
static inline bool has_failed(const struct kunit *test)
{
	return READ_ONCE(test->status) == KUNIT_FAILURE;
}

static inline u32 random_below(struct rnd_state *random, u32 limit)
{
	return prandom_u32_state(random) % limit;
}

#define PACKET_MAX 256

/* A packet as a hook of the network layer gets it. */
static inline struct sk_buff *packet_build(struct kunit *test,
					   const void *bytes, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(PACKET_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, bytes, len);
	skb_reset_network_header(skb);
	return skb;
}

/* An ICMP error from 192.0.2.1 that quotes 192.0.2.10 to 198.51.100.10. */
struct icmp_error {
	u8 bytes[PACKET_MAX];
	struct iphdr *iph;
	struct icmphdr *icmph;
	struct iphdr *quoted;
	unsigned int len;
};

static inline void icmp_error_init(struct icmp_error *error, u8 type, u8 code,
				   unsigned int options)
{
	unsigned int ihl = sizeof(*error->iph) + options;

	memset(error, 0, sizeof(*error));
	error->iph = (struct iphdr *)error->bytes;
	error->icmph = (struct icmphdr *)(error->bytes + ihl);
	error->quoted = (struct iphdr *)(error->icmph + 1);
	error->len = ihl + sizeof(*error->icmph) + sizeof(*error->quoted);

	error->iph->version = 4;
	error->iph->ihl = ihl / 4;
	error->iph->protocol = IPPROTO_ICMP;
	error->iph->saddr = htonl(0xc0000201);
	error->icmph->type = type;
	error->icmph->code = code;
	error->quoted->version = 4;
	error->quoted->ihl = 5;
	error->quoted->saddr = htonl(0xc000020a);
	error->quoted->daddr = htonl(0xc633640a);
}

/* Random bytes behind a valid IP header. */
static inline struct sk_buff *icmp_random(struct kunit *test,
					  struct rnd_state *random,
					  u8 type, u8 code)
{
	unsigned int len = 40 + random_below(random, 60);
	u8 bytes[PACKET_MAX];

	prandom_bytes_state(random, bytes, len);
	bytes[0] = 0x45 + random_below(random, 6);
	bytes[9] = IPPROTO_ICMP;
	bytes[20] = type;
	bytes[21] = code;
	return packet_build(test, bytes, len);
}

/* The same bytes behind an IPv6 header. */
static inline void icmp_random_to_ipv6(struct sk_buff *skb, u8 nexthdr)
{
	skb->data[0] = 0x60;
	skb->data[6] = nexthdr;
}

#endif
