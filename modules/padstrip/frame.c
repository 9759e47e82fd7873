// SPDX-License-Identifier: GPL-2.0
/* A frame on a device that is watched. */

#include "padstrip.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void padstrip_zero_padded(struct sk_buff *skb, unsigned int len)
{
	ng_count(&padstrip_guard, PADSTRIP_frames_zero_padded);
	trace_padstrip_zero_padded(skb, len);
}

static void padstrip_stripped(struct sk_buff *skb, unsigned int len)
{
	ng_count(&padstrip_guard, PADSTRIP_frames_stripped);
	ng_count_add(&padstrip_guard, PADSTRIP_bytes_stripped, len);
	trace_padstrip_stripped(skb, len);
}

static void padstrip_zeroed(struct sk_buff *skb, unsigned int len)
{
	ng_count(&padstrip_guard, PADSTRIP_frames_zeroed);
	trace_padstrip_zeroed(skb, len);
}

static void padstrip_failed(struct sk_buff *skb, unsigned int len)
{
	ng_count(&padstrip_guard, PADSTRIP_strip_failed);
	trace_padstrip_strip_failed(skb, len);
}

static void padstrip_repair(struct sk_buff *skb,
			    const struct padstrip_padding *padding)
{
	int err;

	switch ((enum padstrip_mode)READ_ONCE(padstrip_mode.value)) {
	case PADSTRIP_DETECT:
		return;
	case PADSTRIP_STRIP:
		err = padstrip_strip(skb, padding);
		if (!err)
			padstrip_stripped(skb, padding->len);
		break;
	case PADSTRIP_ZERO:
		err = padstrip_zero(skb, padding);
		if (!err)
			padstrip_zeroed(skb, padding->len);
		break;
	}
	if (err)
		padstrip_failed(skb, padding->len);
}

static void padstrip_nonzero(struct sk_buff *skb,
			     const struct padstrip_padding *padding)
{
	unsigned int len = ETH_HLEN + skb->len;

	if (skb_vlan_tag_present(skb))
		len += VLAN_HLEN;

	ng_count(&padstrip_guard, PADSTRIP_frames_nonzero);
	trace_padstrip_nonzero(skb, padding->len);
	padstrip_repair(skb, padding);
	padstrip_sender_seen(skb->dev, eth_hdr(skb)->h_source, len, padding);
}

static noinline void padstrip_judged(struct sk_buff *skb)
{
	struct padstrip_padding padding;

	switch (padstrip_judge(skb, &padding)) {
	case PADSTRIP_IGNORED:
	case PADSTRIP_EXACT:
		break;
	case PADSTRIP_ZERO_PADDED:
		padstrip_zero_padded(skb, padding.len);
		break;
	case PADSTRIP_NONZERO:
		padstrip_nonzero(skb, &padding);
		break;
	case PADSTRIP_TRAILER:
		ng_count(&padstrip_guard, PADSTRIP_frames_trailer);
		trace_padstrip_trailer(skb, padding.len);
		break;
	case PADSTRIP_MALFORMED:
		ng_count(&padstrip_guard, PADSTRIP_frames_malformed);
		trace_padstrip_malformed(skb, 0);
		break;
	}
}

/* Out of line, so that a frame without any padding does not pay for it. */
static noinline void padstrip_inexact(struct sk_buff *skb)
{
	unsigned int zeros = padstrip_zeros(skb);

	if (zeros)
		padstrip_zero_padded(skb, zeros);
	else
		padstrip_judged(skb);
}

unsigned int padstrip_ingress(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	if (!padstrip_is_exact(skb))
		padstrip_inexact(skb);

	return NF_ACCEPT;
}

unsigned int padstrip_egress(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	unsigned int len = skb->len;

	if (likely(len >= ETH_ZLEN))
		return NF_ACCEPT;

	if (padstrip_pad(skb)) {
		ng_count(&padstrip_guard, PADSTRIP_tx_pad_failed);
		trace_padstrip_tx_pad_failed(skb, ETH_ZLEN - len);
	} else {
		ng_count(&padstrip_guard, PADSTRIP_tx_padded);
		trace_padstrip_tx_padded(skb, ETH_ZLEN - len);
	}

	return NF_ACCEPT;
}
