// SPDX-License-Identifier: GPL-2.0
/* Is a VLAN device on a LAG port a thief, and how is a frame led past it? */

#include "thief.h"

#include <linux/rtnetlink.h>

#include <netguard/compat.h>

struct net_device *vlansteal_lag_of(struct net_device *dev)
{
	struct net_device *master = netdev_master_upper_dev_get(dev);

	return master && netif_is_lag_master(master) ? master : NULL;
}

static bool vlansteal_is_switched(struct net_device *dev)
{
	/*
	 * Not netif_is_bridge_port(): del_nbp() clears IFF_BRIDGE_PORT only
	 * after the NETDEV_CHANGEUPPER that tells of the release.
	 */
	struct net_device *master = netdev_master_upper_dev_get(dev);

	return master && (netif_is_bridge_master(master) ||
			  netif_is_ovs_master(master));
}

/* Uppers nest at most MAX_NEST_DEV deep, see __netdev_upper_dev_link(). */
static bool vlansteal_has_owner(struct net_device *dev, __be16 proto, u16 vid)
{
	struct net_device *upper;
	struct list_head *iter;

	if (vlansteal_is_switched(dev))
		return true;

	netdev_for_each_upper_dev_rcu(dev, upper, iter) {
		if (!is_vlan_dev(upper)) {
			if (vlansteal_has_owner(upper, proto, vid))
				return true;
		} else if (vlan_dev_vlan_proto(upper) == proto &&
			   vlan_dev_vlan_id(upper) == vid) {
			return true;
		}
	}

	return false;
}

enum vlansteal_verdict vlansteal_judge(struct net_device *lag, __be16 proto,
				       u16 vid)
{
	ASSERT_RTNL();

	return vlansteal_has_owner(lag, proto, vid) ? VLANSTEAL_CONFLICT :
						      VLANSTEAL_PRIVATE;
}
EXPORT_SYMBOL_IF_KUNIT(vlansteal_judge);

static void vlansteal_owners_add(struct vlansteal_owners *owners,
				 struct net_device *dev)
{
	struct net_device *upper;
	struct list_head *iter;

	owners->switched |= vlansteal_is_switched(dev);
	netdev_for_each_upper_dev_rcu(dev, upper, iter)
		if (is_vlan_dev(upper))
			__set_bit(vlansteal_slot(vlan_dev_vlan_proto(upper),
						 vlan_dev_vlan_id(upper)),
				  owners->slots);
		else
			vlansteal_owners_add(owners, upper);
}

void vlansteal_owners_read(struct vlansteal_owners *owners,
			   struct net_device *lag)
{
	ASSERT_RTNL();

	memset(owners, 0, sizeof(*owners));
	vlansteal_owners_add(owners, lag);
}
EXPORT_SYMBOL_IF_KUNIT(vlansteal_owners_read);

int vlansteal_retag(struct sk_buff *skb)
{
	const struct ethhdr *eth;
	struct vlan_ethhdr *veth;

	if (skb_shared(skb))
		return -EBUSY;
	if (skb->data - skb_mac_header(skb) != ETH_HLEN)
		return -EINVAL;
	/* vlan_set_encap_proto() may read so much: skb_vlan_untag() wants it. */
	if (skb->len < sizeof(u16))
		return -EINVAL;
	if (skb_cow_head(skb, ETH_HLEN + VLAN_HLEN))
		return -ENOMEM;

	/* In this order, for they overlap. The EtherType stays where it is. */
	eth = eth_hdr(skb);
	skb->mac_header -= VLAN_HLEN;
	veth = (struct vlan_ethhdr *)skb_mac_header(skb);
	ether_addr_copy(veth->h_dest, eth->h_dest);
	ether_addr_copy(veth->h_source, eth->h_source);
	veth->h_vlan_proto = skb->vlan_proto;
	veth->h_vlan_TCI = htons(skb_vlan_tag_get(skb));

	skb->protocol = skb->vlan_proto;
	__vlan_hwaccel_clear_tag(skb);
	__skb_push(skb, VLAN_HLEN);
	skb_postpush_rcsum(skb, skb->data, VLAN_HLEN);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vlansteal_retag);
