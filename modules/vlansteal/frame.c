// SPDX-License-Identifier: GPL-2.0
/* A frame on a LAG port that has a thief. */

#include "vlansteal.h"

#include <linux/rcupdate.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static enum vlansteal_fate vlansteal_decide(struct vlansteal_thief *thief,
					    struct sk_buff *skb, __be16 proto,
					    u16 vid)
{
	/* Without the LAG's rx_handler nobody would take the tag out again. */
	if (vlansteal_rescues() && rcu_access_pointer(skb->dev->rx_handler)) {
		if (!vlansteal_retag(skb))
			return VLANSTEAL_RESCUED;

		ng_count(&vlansteal_guard, VLANSTEAL_rescue_failed);
		trace_vlansteal_rescue_failed(skb, skb->dev, thief->dev, proto,
					      vid);
	}

	return thief->dev->flags & IFF_UP ? VLANSTEAL_STOLEN : VLANSTEAL_LOST;
}

/* Out of line, so that the frames of other VLANs do not pay for it. */
static noinline void vlansteal_frame(struct vlansteal_port *port,
				     struct sk_buff *skb, __be16 proto,
				     u16 vid)
{
	struct vlansteal_thief *thief;
	enum vlansteal_fate fate;

	thief = vlansteal_thief_at(port, vlansteal_slot(proto, vid));
	if (!thief)
		return;

	fate = vlansteal_decide(thief, skb, proto, vid);
	this_cpu_inc(thief->frames->by_fate[fate]);

	switch (fate) {
	case VLANSTEAL_STOLEN:
		ng_count(&vlansteal_guard, VLANSTEAL_frames_stolen);
		trace_vlansteal_stolen(skb, skb->dev, thief->dev, proto, vid);
		break;
	case VLANSTEAL_LOST:
		ng_count(&vlansteal_guard, VLANSTEAL_frames_lost);
		trace_vlansteal_lost(skb, skb->dev, thief->dev, proto, vid);
		break;
	case VLANSTEAL_RESCUED:
		ng_count(&vlansteal_guard, VLANSTEAL_frames_rescued);
		trace_vlansteal_rescued(skb, skb->dev, thief->dev, proto, vid);
		break;
	}
}

unsigned int vlansteal_ingress(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct vlansteal_port *port = priv;
	u16 vid;

	if (!skb_vlan_tag_present(skb))
		return NF_ACCEPT;

	vid = skb_vlan_tag_get_id(skb);
	if (test_bit(vlansteal_slot(skb->vlan_proto, vid), port->taken))
		vlansteal_frame(port, skb, skb->vlan_proto, vid);

	return NF_ACCEPT;
}

/* On a thief in rescue mode: sees what the hook on its port did not. */
unsigned int vlansteal_backstop(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	const struct net_device *dev = skb->dev;

	ng_count(&vlansteal_guard, VLANSTEAL_frames_leaked);
	trace_vlansteal_leaked(skb, vlan_dev_priv(dev)->real_dev, dev,
			       vlan_dev_priv(dev)->vlan_proto,
			       vlan_dev_priv(dev)->vlan_id);
	return NF_ACCEPT;
}
