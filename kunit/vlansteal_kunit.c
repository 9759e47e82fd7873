// SPDX-License-Identifier: GPL-2.0
/* vlansteal: who owns a VLAN's frames, and is a rescued frame the wire's. */

#include "vlansteal/thief.h"

#include <linux/rtnetlink.h>

#include "fixtures.h"

#define FRAME_MAX 1500

/* Too little headroom for a tag: the header has to be reallocated. */
#define LINEAR .layout = { .linear = FRAME_MAX, .headroom = 2 }

struct retag_case {
	const char *desc;
	/* input */
	__be16 proto;
	u16 tci;
	u16 type;
	struct layout layout;
	int len;
	u8 ip_summed;
	bool shared;
	bool cloned;
	/* output as expected */
	int result;
};

static const struct retag_case retag_cases[] = {
	{
		.desc = "an 802.1Q tag goes back in front of the EtherType",
		.proto = htons(ETH_P_8021Q), .tci = 1000, .type = ETH_P_IP,
		LINEAR, .len = 46,
	},
	{
		.desc = "priority and drop eligible bits are kept",
		.proto = htons(ETH_P_8021Q), .tci = 0xf3e8, .type = ETH_P_IP,
		LINEAR, .len = 46,
	},
	{
		.desc = "an 802.1ad tag stays 802.1ad",
		.proto = htons(ETH_P_8021AD), .tci = 7, .type = ETH_P_IP,
		LINEAR, .len = 46,
	},
	{
		.desc = "a payload in a page fragment is not touched",
		.proto = htons(ETH_P_8021Q), .tci = 1, .type = ETH_P_IP,
		.layout = { .linear = 20, .first = FRAME_MAX }, .len = 1420,
	},
	{
		.desc = "the checksum of a CHECKSUM_COMPLETE frame covers the tag",
		.proto = htons(ETH_P_8021Q), .tci = 4095, .type = ETH_P_IP,
		LINEAR, .len = 100,
		.ip_summed = CHECKSUM_COMPLETE,
	},
	{
		.desc = "a frame that taps hold as well is copied for them",
		.proto = htons(ETH_P_8021Q), .tci = 1, .type = ETH_P_ARP,
		.layout = { .linear = FRAME_MAX, .headroom = 64 }, .len = 46,
		.cloned = true,
	},
	{
		.desc = "two bytes behind the tag are enough to take it out again",
		.proto = htons(ETH_P_8021Q), .tci = 1, .type = ETH_P_IP,
		.layout = { .headroom = 2 }, .len = 2,
	},
	{
		.desc = "less than that would be dropped, and is left alone",
		.proto = htons(ETH_P_8021Q), .tci = 1, .type = ETH_P_IP,
		LINEAR, .len = 1,
		.result = -EINVAL,
	},
	{
		.desc = "a shared skb is left alone",
		.proto = htons(ETH_P_8021Q), .tci = 1, .type = ETH_P_IP,
		LINEAR, .len = 46,
		.shared = true,
		.result = -EBUSY,
	},
};

CASES(retag);

/* A frame as a netdev ingress hook gets it: tag accelerated, data at L3. */
static struct sk_buff *retag_frame(struct kunit *test,
				   const struct retag_case *param,
				   const u8 *payload)
{
	__be16 type = htons(param->type);
	struct sk_buff *skb = frame_build(test, type, payload, param->len,
					  &param->layout);

	get_random_bytes(eth_hdr(skb), 2 * ETH_ALEN);
	__vlan_hwaccel_put_tag(skb, param->proto, param->tci);
	skb->mark = 0x12345678;
	skb->priority = 5;
	__skb_set_sw_hash(skb, 99, true);
	skb->ip_summed = param->ip_summed;
	if (param->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
	if (param->ip_summed == CHECKSUM_PARTIAL) {
		skb->csum_start = skb_headroom(skb) + param->len / 2;
		skb->csum_offset = 6;
	}
	return skb;
}

static void retag_expect_csum(struct kunit *test, const struct sk_buff *skb,
			      const struct retag_case *param)
{
	KUNIT_EXPECT_EQ(test, param->ip_summed, (u8)skb->ip_summed);
	if (param->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ(test, csum_fold(skb->csum),
				csum_fold(skb_checksum(skb, 0, skb->len, 0)));
}

static void retag_expect_wire(struct kunit *test, const struct sk_buff *skb,
			      const struct retag_case *param,
			      const struct ethhdr *eth)
{
	const struct vlan_ethhdr *veth = vlan_eth_hdr(skb);

	KUNIT_EXPECT_FALSE(test, skb_vlan_tag_present(skb));
	KUNIT_EXPECT_EQ(test, param->proto, skb->protocol);
	KUNIT_EXPECT_EQ(test, param->proto, veth->h_vlan_proto);
	KUNIT_EXPECT_EQ(test, htons(param->tci), veth->h_vlan_TCI);
	KUNIT_EXPECT_EQ(test, eth->h_proto, veth->h_vlan_encapsulated_proto);
	KUNIT_EXPECT_EQ(test, 0, memcmp(veth, eth, 2 * ETH_ALEN));
	KUNIT_EXPECT_PTR_EQ(test, skb->data,
			    skb_mac_header(skb) + ETH_HLEN);
	retag_expect_csum(test, skb, param);
}

/* Byte for byte and in all that is known of it the frame that came. */
static void retag_expect_same(struct kunit *test, const struct sk_buff *skb,
			      const struct retag_case *param,
			      const struct ethhdr *eth, const u8 *payload)
{
	frame_expect_bytes(test, skb, payload, param->len, "payload");
	KUNIT_EXPECT_PTR_EQ(test, skb->data, skb_mac_header(skb) + ETH_HLEN);
	KUNIT_EXPECT_EQ(test, 0, memcmp(eth, eth_hdr(skb), sizeof(*eth)));
	KUNIT_EXPECT_TRUE(test, skb_vlan_tag_present(skb));
	KUNIT_EXPECT_EQ(test, param->proto, skb->vlan_proto);
	KUNIT_EXPECT_EQ(test, param->tci, skb_vlan_tag_get(skb));
	KUNIT_EXPECT_EQ(test, eth_proto_is_802_3(eth->h_proto) ?
			eth->h_proto : htons(ETH_P_802_2), skb->protocol);
	KUNIT_EXPECT_EQ(test, 0, skb_network_offset(skb));
	KUNIT_EXPECT_EQ(test, ETH_HLEN, skb->mac_len);
	KUNIT_EXPECT_EQ(test, 0x12345678, skb->mark);
	KUNIT_EXPECT_EQ(test, 5, skb->priority);
	KUNIT_EXPECT_EQ(test, 99, skb->hash);
	retag_expect_csum(test, skb, param);
	if (param->ip_summed == CHECKSUM_PARTIAL)
		KUNIT_EXPECT_EQ(test, param->len / 2,
				skb_checksum_start_offset(skb));
}

static void retag_one(struct kunit *test, const struct retag_case *param,
		      const u8 *payload)
{
	struct sk_buff *skb = retag_frame(test, param, payload);
	struct ethhdr eth = *eth_hdr(skb);
	struct sk_buff *clone = NULL;

	if (param->shared)
		skb_get(skb);
	if (param->cloned) {
		clone = skb_clone(skb, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, clone);
	}

	KUNIT_EXPECT_EQ(test, param->result, vlansteal_retag(skb));
	if (!param->result) {
		retag_expect_wire(test, skb, param, &eth);
		skb = skb_vlan_untag(skb);
		KUNIT_ASSERT_NOT_NULL(test, skb);
	}

	/* Led past the thief and untagged again. */
	retag_expect_same(test, skb, param, &eth, payload);
	if (clone)
		retag_expect_same(test, clone, param, &eth, payload);
	kfree_skb(clone);
	if (param->shared)
		kfree_skb(skb);
	kfree_skb(skb);
}

static void retag_test(struct kunit *test)
{
	const struct retag_case *param = test->param_value;
	u8 *payload = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	get_random_bytes(payload, FRAME_MAX);
	retag_one(test, param, payload);
}

static void retag_property_test(struct kunit *test)
{
	static const u16 types[] = { ETH_P_IP, ETH_P_IPV6, ETH_P_ARP,
				     ETH_P_8021Q, ETH_P_8021AD, ETH_P_LLDP,
				     40, 1500 };
	u8 *payload = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);
	struct rnd_state random;
	int round;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	random_begin(test, &random);
	for (round = 0; round < 2000 && !has_failed(test); round++) {
		int len = 2 + random_below(&random,
					   (round & 1 ? 64 : FRAME_MAX) - 2);
		struct retag_case param = {
			.proto = htons(random_below(&random, 2) ?
				       ETH_P_8021Q : ETH_P_8021AD),
			.tci = random_below(&random, 0x10000),
			.type = types[random_below(&random, ARRAY_SIZE(types))],
			.layout = {
				.linear = random_below(&random, len + 1),
				.first = random_below(&random, len + 1),
				.list = random_below(&random, 2),
				.headroom = random_below(&random, 40),
			},
			.len = len,
			.ip_summed = random_below(&random, 4),
			.cloned = random_below(&random, 2),
		};

		prandom_bytes_state(&random, payload, len);
		/* Or an 802.3 frame would be Novell's, see vlan_set_encap_proto(). */
		payload[0] &= 0x7f;
		retag_one(test, &param, payload);
	}
}

/* What may be stacked on a LAG. */
enum upper_kind { NONE, VLAN, MACVLAN, BRIDGE, OVS };

static const unsigned int upper_flags[] = {
	[VLAN] = IFF_802_1Q_VLAN,
	[MACVLAN] = IFF_MACVLAN,
	[BRIDGE] = IFF_EBRIDGE,
	[OVS] = IFF_OPENVSWITCH,
};

#define UPPERS 3

struct judge_case {
	const char *desc;
	/* input: the LAG is device 0, and these are 1 to 3, each on another */
	struct {
		enum upper_kind kind;
		int on;
		u16 proto;
		u16 vid;
	} uppers[UPPERS];
	/* output as expected, for 802.1Q VLAN 10 */
	enum vlansteal_verdict result;
};

static const struct judge_case judge_cases[] = {
	{
		.desc = "a LAG with nothing on it uses no VLAN",
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "the same VLAN on the LAG",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 10 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "another VLAN on the LAG",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 11 } },
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "the same VLAN ID in an 802.1ad tag",
		.uppers = { { VLAN, 0, ETH_P_8021AD, 10 } },
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "the same VLAN behind another one",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 11 },
			    { VLAN, 0, ETH_P_8021Q, 10 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "the same VLAN inside another one has two tags",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 11 },
			    { VLAN, 1, ETH_P_8021Q, 10 } },
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "the same VLAN on a macvlan on the LAG",
		.uppers = { { MACVLAN, 0 },
			    { VLAN, 1, ETH_P_8021Q, 10 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "a macvlan without it",
		.uppers = { { MACVLAN, 0 } },
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "to a bridge over the LAG belongs every VLAN",
		.uppers = { { BRIDGE, 0 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "to Open vSwitch over the LAG belongs every VLAN",
		.uppers = { { OVS, 0 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "a bridge over a macvlan on the LAG",
		.uppers = { { MACVLAN, 0 }, { BRIDGE, 1 } },
		.result = VLANSTEAL_CONFLICT,
	},
	{
		.desc = "a bridge over another VLAN gets that one's frames only",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 11 }, { BRIDGE, 1 } },
		.result = VLANSTEAL_PRIVATE,
	},
	{
		.desc = "the same VLAN on that bridge is inside the other one",
		.uppers = { { VLAN, 0, ETH_P_8021Q, 11 }, { BRIDGE, 1 },
			    { VLAN, 2, ETH_P_8021Q, 10 } },
		.result = VLANSTEAL_PRIVATE,
	},
};

CASES(judge);

static const struct net_device_ops judge_ops;

static void judge_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &judge_ops;
	dev->needs_free_netdev = true;
}

static struct net_device *judge_device(struct kunit *test)
{
	struct net_device *dev;

	dev = alloc_netdev(sizeof(struct vlan_dev_priv), "kunit%d",
			   NET_NAME_UNKNOWN, judge_setup);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, register_netdev(dev));
	return dev;
}

static int judge_link(struct net_device *lower, struct net_device *upper,
		      enum upper_kind kind)
{
	if (kind == BRIDGE || kind == OVS)
		return netdev_master_upper_dev_link(lower, upper, NULL, NULL,
						    NULL);
	return netdev_upper_dev_link(lower, upper, NULL);
}

/*
 * On devices that look like what they stand for during the call only, so that
 * nobody else takes them for it.
 */
static void judge_test(struct kunit *test)
{
	const struct judge_case *param = test->param_value;
	struct net_device *devs[1 + UPPERS];
	struct vlansteal_owners *owners;
	enum vlansteal_verdict verdict;
	int i, n, linked = 0;

	owners = kunit_kzalloc(test, sizeof(*owners), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, owners);
	devs[0] = judge_device(test);
	for (n = 0; n < UPPERS && param->uppers[n].kind != NONE; n++) {
		struct vlan_dev_priv *vlan;

		devs[n + 1] = judge_device(test);
		vlan = netdev_priv(devs[n + 1]);
		vlan->vlan_proto = htons(param->uppers[n].proto);
		vlan->vlan_id = param->uppers[n].vid;
	}

	rtnl_lock();
	for (i = 0; i < n; i++)
		linked += !judge_link(devs[param->uppers[i].on], devs[i + 1],
				      param->uppers[i].kind);
	for (i = 0; i < n; i++)
		devs[i + 1]->priv_flags |= upper_flags[param->uppers[i].kind];
	verdict = vlansteal_judge(devs[0], htons(ETH_P_8021Q), 10);
	/* Whoever looks for many of them at once finds the same. */
	vlansteal_owners_read(owners, devs[0]);
	KUNIT_EXPECT_EQ(test, verdict,
			vlansteal_owners_judge(owners,
					       vlansteal_slot(htons(ETH_P_8021Q),
							      10)));
	for (i = 0; i < n; i++)
		devs[i + 1]->priv_flags &= ~upper_flags[param->uppers[i].kind];
	for (i = 0; i < n; i++)
		netdev_upper_dev_unlink(devs[param->uppers[i].on], devs[i + 1]);
	for (i = 0; i <= n; i++)
		unregister_netdevice(devs[i]);
	rtnl_unlock();

	KUNIT_EXPECT_EQ(test, n, linked);
	KUNIT_EXPECT_EQ(test, param->result, verdict);
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
	KUNIT_CASE(retag_property_test),
	KUNIT_CASE_PARAM(judge_test, judge_gen_params),
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
