/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_VLANSTEAL_THIEF_H
#define NETGUARD_VLANSTEAL_THIEF_H

#include <linux/bitmap.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/**
 * enum vlansteal_verdict - what a VLAN device on a LAG port is
 * @VLANSTEAL_PRIVATE: nothing above the LAG uses this VLAN
 * @VLANSTEAL_CONFLICT: its frames belong to someone above the LAG
 */
enum vlansteal_verdict {
	VLANSTEAL_PRIVATE,
	VLANSTEAL_CONFLICT,
};

/**
 * enum vlansteal_fate - what became of a frame that a thief waits for
 * @VLANSTEAL_STOLEN: vlan_do_receive() gives it to the thief
 * @VLANSTEAL_LOST: vlan_do_receive() drops it, the thief is down
 * @VLANSTEAL_RESCUED: its tag is back in the frame, the LAG gets it
 */
enum vlansteal_fate {
	VLANSTEAL_STOLEN,
	VLANSTEAL_LOST,
	VLANSTEAL_RESCUED,
};

#define VLANSTEAL_FATES (VLANSTEAL_RESCUED + 1)

/* The two tag protocols that a VLAN device can have; they are told apart. */
#define VLANSTEAL_PROTOS 2
#define VLANSTEAL_SLOTS (VLANSTEAL_PROTOS * VLAN_N_VID)

/**
 * vlansteal_slot() - a number for each (protocol, VLAN ID)
 * @proto: ETH_P_8021Q or ETH_P_8021AD, network byte order
 * @vid: VLAN ID, host byte order
 *
 * Return: below VLANSTEAL_SLOTS.
 */
static inline unsigned int vlansteal_slot(__be16 proto, u16 vid)
{
	return vid + (proto == htons(ETH_P_8021AD) ? VLAN_N_VID : 0);
}

/**
 * vlansteal_lag_of() - the LAG that a device is a port of
 * @dev: any device
 *
 * Looks at the master instead of netif_is_lag_port(): team_upper_dev_link()
 * sets IFF_TEAM_PORT only after the NETDEV_CHANGEUPPER that tells of the port.
 *
 * Context: RTNL held.
 * Return: the bond or team, or NULL.
 */
struct net_device *vlansteal_lag_of(struct net_device *dev);

/**
 * struct vlansteal_owners - the VLANs whose frames belong to someone above a LAG
 * @switched: all of them
 * @slots: these, by vlansteal_slot()
 */
struct vlansteal_owners {
	bool switched;
	DECLARE_BITMAP(slots, VLANSTEAL_SLOTS);
};

/**
 * vlansteal_owners_read() - what vlansteal_judge() says of each VLAN
 * @owners: filled in
 * @lag: the bond or team
 *
 * For many thieves: looks once at each device above @lag, not for each thief.
 *
 * Context: RTNL held.
 */
void vlansteal_owners_read(struct vlansteal_owners *owners,
			   struct net_device *lag);

static inline enum vlansteal_verdict
vlansteal_owners_judge(const struct vlansteal_owners *owners, unsigned int slot)
{
	return owners->switched || test_bit(slot, owners->slots) ?
		VLANSTEAL_CONFLICT : VLANSTEAL_PRIVATE;
}

/**
 * vlansteal_judge() - does someone above the LAG own these frames?
 * @lag: the bond or team
 * @proto: tag protocol of the thief, network byte order
 * @vid: VLAN ID of the thief
 *
 * Yes if the LAG, or a device stacked on it that would see the same outer tag,
 * has a VLAN device for (@proto, @vid), or if one of these is a port of a
 * bridge or OVS, where every VLAN ID belongs to the switch. What is stacked on
 * a VLAN device sees frames without this tag and does not count.
 *
 * Context: RTNL held.
 * Return: the verdict.
 */
enum vlansteal_verdict vlansteal_judge(struct net_device *lag, __be16 proto,
				       u16 vid);

/**
 * vlansteal_retag() - put an accelerated VLAN tag back into the frame
 * @skb: as in a netdev ingress hook: data at the network header, tag present
 *
 * The inverse of skb_vlan_untag(): afterwards the frame is as it was on the
 * wire, vlan_do_receive() does not see a tag, and the next round of
 * __netif_receive_skb_core() takes the tag out again. CHECKSUM_COMPLETE is
 * kept right. May reallocate the header.
 *
 * Context: softirq. The caller owns the skb.
 * Return: 0; -EBUSY if the skb is shared, -EINVAL if its header is not that of
 * Ethernet or skb_vlan_untag() would find it too short, -ENOMEM. On error the
 * skb is as it was.
 */
int vlansteal_retag(struct sk_buff *skb);

#endif
