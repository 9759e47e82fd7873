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

/* The generator name_gen_params from the table name_cases, told by their desc. */
#define CASES(name)							\
	static void name##_case_desc(const struct name##_case *param,	\
				     char *desc)			\
	{								\
		strscpy(desc, param->desc, KUNIT_PARAM_DESC_SIZE);	\
	}								\
	KUNIT_ARRAY_PARAM(name, name##_cases, name##_case_desc)

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

/*
 * Where the bytes of a frame are: so many of its payload in the linear part
 * and in a first piece, the rest in a second one.
 */
struct layout {
	const char *desc;
	int linear;
	int first;
	bool list;
	int headroom;
};

static inline void frame_add_piece(struct kunit *test, struct sk_buff *skb,
				   const u8 *bytes, unsigned int len,
				   bool list)
{
	struct sk_buff *piece, **last;
	struct page *page;

	if (!list) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), bytes, len);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, len,
				PAGE_SIZE);
		return;
	}

	piece = alloc_skb(len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	skb_put_data(piece, bytes, len);
	for (last = &skb_shinfo(skb)->frag_list; *last; last = &(*last)->next)
		;
	*last = piece;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += piece->truesize;
}

/* A frame as a netdev ingress hook gets it: data behind the Ethernet header. */
static inline struct sk_buff *frame_build(struct kunit *test, __be16 proto,
					  const u8 *payload, int len,
					  const struct layout *layout)
{
	int linear = min(len, layout->linear);
	int first = min(len - linear, layout->first);
	struct sk_buff *skb;

	/* No byte more than the frame has, so that KASAN sees a read too far. */
	skb = alloc_skb(layout->headroom + ETH_HLEN + linear, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, layout->headroom);
	skb_reset_mac_header(skb);
	memset(skb_put(skb, ETH_HLEN), 2, ETH_HLEN);
	eth_hdr(skb)->h_proto = proto;
	__skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_put_data(skb, payload, linear);
	skb_reset_mac_len(skb);
	skb->protocol = eth_proto_is_802_3(proto) ? proto : htons(ETH_P_802_2);

	if (first)
		frame_add_piece(test, skb, payload + linear, first,
				layout->list);
	if (linear + first < len)
		frame_add_piece(test, skb, payload + linear + first,
				len - linear - first, layout->list);
	KUNIT_ASSERT_EQ(test, len, skb->len);
	return skb;
}

static inline void frame_expect_bytes(struct kunit *test,
				      const struct sk_buff *skb,
				      const u8 *wanted, int len,
				      const char *what)
{
	u8 *got = kunit_kzalloc(test, len + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_EQ_MSG(test, len, skb->len, "%s", what);
	KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, 0, got, len));
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(wanted, got, len), "%s", what);
	kunit_kfree(test, got);
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
