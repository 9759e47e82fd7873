// SPDX-License-Identifier: GPL-2.0
/* vlansteal: who owns a VLAN's frames, and is a rescued frame the wire's. */

#include "vlansteal/thief.h"

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/random.h>

#include <netguard/compat.h>

struct retag_case {
	const char *desc;
	/* input */
	__be16 proto;
	u16 tci;
	unsigned int linear;
	unsigned int paged;
	u8 ip_summed;
	bool shared;
	/* output as expected */
	int result;
};

static const struct retag_case retag_cases[] = {
	{
		.desc = "an 802.1Q tag goes back in front of the EtherType",
		.proto = htons(ETH_P_8021Q), .tci = 1000, .linear = 46,
	},
	{
		.desc = "priority and drop eligible bits are kept",
		.proto = htons(ETH_P_8021Q), .tci = 0xf3e8, .linear = 46,
	},
	{
		.desc = "an 802.1ad tag stays 802.1ad",
		.proto = htons(ETH_P_8021AD), .tci = 7, .linear = 46,
	},
	{
		.desc = "a payload in a page fragment is not touched",
		.proto = htons(ETH_P_8021Q), .tci = 1, .linear = 20,
		.paged = 1400,
	},
	{
		.desc = "the checksum of a CHECKSUM_COMPLETE frame covers the tag",
		.proto = htons(ETH_P_8021Q), .tci = 4095, .linear = 100,
		.ip_summed = CHECKSUM_COMPLETE,
	},
	{
		.desc = "a shared skb is left alone",
		.proto = htons(ETH_P_8021Q), .tci = 1, .linear = 46,
		.shared = true,
		.result = -EBUSY,
	},
};

static void retag_case_desc(const struct retag_case *param, char *desc)
{
	strscpy(desc, param->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(retag, retag_cases, retag_case_desc);

/* A frame as a netdev ingress hook gets it: tag accelerated, data at L3. */
static struct sk_buff *retag_frame(struct kunit *test,
				   const struct retag_case *param)
{
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + ETH_HLEN + param->linear,
					GFP_KERNEL);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	/* Too little headroom for a tag: the header has to be reallocated. */
	skb_reserve(skb, 2);
	skb_reset_mac_header(skb);
	get_random_bytes(skb_put(skb, ETH_HLEN + param->linear),
			 ETH_HLEN + param->linear);
	eth_hdr(skb)->h_proto = htons(ETH_P_IP);
	if (param->paged) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		get_random_bytes(page_address(page), param->paged);
		skb_add_rx_frag(skb, 0, page, 0, param->paged, PAGE_SIZE);
	}

	__skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	skb->protocol = htons(ETH_P_IP);
	__vlan_hwaccel_put_tag(skb, param->proto, param->tci);
	skb->ip_summed = param->ip_summed;
	if (param->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
	return skb;
}

static void *retag_copy(struct kunit *test, struct sk_buff *skb)
{
	unsigned int len = skb->len + ETH_HLEN;
	void *copy = kunit_kzalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, -ETH_HLEN, copy, len));
	return copy;
}

static void retag_expect_wire(struct kunit *test, struct sk_buff *skb,
			      const struct retag_case *param, const u8 *before)
{
	const struct vlan_ethhdr *veth = vlan_eth_hdr(skb);

	KUNIT_EXPECT_FALSE(test, skb_vlan_tag_present(skb));
	KUNIT_EXPECT_EQ(test, param->proto, skb->protocol);
	KUNIT_EXPECT_EQ(test, param->proto, veth->h_vlan_proto);
	KUNIT_EXPECT_EQ(test, htons(param->tci), veth->h_vlan_TCI);
	KUNIT_EXPECT_EQ(test, htons(ETH_P_IP),
			veth->h_vlan_encapsulated_proto);
	KUNIT_EXPECT_EQ(test, 0, memcmp(veth, before, 2 * ETH_ALEN));
	KUNIT_EXPECT_PTR_EQ(test, skb->data,
			    skb_mac_header(skb) + ETH_HLEN);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ(test, csum_fold(skb->csum),
				csum_fold(skb_checksum(skb, 0, skb->len, 0)));
}

static void retag_test(struct kunit *test)
{
	const struct retag_case *param = test->param_value;
	struct sk_buff *skb = retag_frame(test, param);
	unsigned int len = skb->len;
	u8 *before = retag_copy(test, skb);
	u8 *after;

	if (param->shared)
		skb_get(skb);

	KUNIT_EXPECT_EQ(test, param->result, vlansteal_retag(skb));

	if (!param->result) {
		retag_expect_wire(test, skb, param, before);
		skb = skb_vlan_untag(skb);
		KUNIT_ASSERT_NOT_NULL(test, skb);
	}

	/* Led past the thief and untagged again, it is byte for byte the same. */
	KUNIT_EXPECT_EQ(test, len, skb->len);
	KUNIT_EXPECT_TRUE(test, skb_vlan_tag_present(skb));
	KUNIT_EXPECT_EQ(test, param->proto, skb->vlan_proto);
	KUNIT_EXPECT_EQ(test, param->tci, skb_vlan_tag_get(skb));
	KUNIT_EXPECT_EQ(test, htons(ETH_P_IP), skb->protocol);
	after = retag_copy(test, skb);
	KUNIT_EXPECT_EQ(test, 0, memcmp(before, after, len + ETH_HLEN));
	if (param->shared)
		kfree_skb(skb);
	kfree_skb(skb);
}

static void slot_test(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, vlansteal_slot(htons(ETH_P_8021Q), 5),
			vlansteal_slot(htons(ETH_P_8021AD), 5));
	KUNIT_EXPECT_LT(test, vlansteal_slot(htons(ETH_P_8021AD),
					     VLAN_N_VID - 1),
			VLANSTEAL_PROTOS * VLAN_N_VID);
}

static struct kunit_case vlansteal_kunit_cases[] = {
	KUNIT_CASE_PARAM(retag_test, retag_gen_params),
	KUNIT_CASE(slot_test),
	{}
};

static struct kunit_suite vlansteal_kunit_suite = {
	.name = "netguard_vlansteal",
	.test_cases = vlansteal_kunit_cases,
};

kunit_test_suite(vlansteal_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of netguard_vlansteal");
MODULE_LICENSE("GPL");
