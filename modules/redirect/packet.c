// SPDX-License-Identifier: GPL-2.0
/* A packet in or out of a host where redirects move. */

#include "redirect.h"

#include <linux/ktime.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static void redirect_account(const struct redirect_notice *notice,
			     enum redirect_direction direction,
			     const struct nf_hook_state *state)
{
	const struct net_device *dev = direction == REDIRECT_SENT ?
				       state->out : state->in;
	struct redirect_key key = {
		.netns = state->net->ns.inum,
		.ifindex = dev->ifindex,
		.direction = direction,
		.family = state->pf,
		.router = notice->router,
		.src = notice->src,
		.dst = notice->dst,
	};
	enum redirect_weather weather;
	struct redirect_flow *flow;
	struct redirect_flow copy;
	struct ng_entry *entry;
	bool fresh;

	entry = ng_table_try_add(&redirect_flows, &key, &fresh);
	if (!entry)
		return;

	flow = container_of(entry, struct redirect_flow, entry);
	strscpy(flow->dev, dev->name, sizeof(flow->dev));
	flow->gateway = notice->gateway;
	flow->redirects++;
	weather = redirect_step(&flow->pace,
				ktime_to_ms(ktime_get()));
	flow->stormed |= weather != REDIRECT_CALM;
	copy = *flow;
	ng_table_put(&redirect_flows, entry);

	if (weather == REDIRECT_STORM_BEGINS)
		ng_count(&redirect_guard, REDIRECT_storms);
	if (fresh || weather == REDIRECT_STORM_BEGINS)
		redirect_announce(&copy, state->net, weather);
	trace_redirect_seen(dev, &key, &notice->gateway, weather);
}

static unsigned int redirect_handle(enum redirect_kind kind,
				    const struct redirect_notice *notice,
				    enum redirect_direction direction,
				    const struct nf_hook_state *state)
{
	switch (kind) {
	case REDIRECT_OTHER:
		break;
	case REDIRECT_NAMED:
		redirect_account(notice, direction, state);
		break;
	case REDIRECT_MALFORMED:
		ng_count(&redirect_guard, REDIRECT_redirects_malformed);
		break;
	}

	return NF_ACCEPT;
}

static unsigned int redirect_in4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct redirect_notice notice;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	return redirect_handle(redirect_read4(skb, &notice), &notice,
			       REDIRECT_RECEIVED, state);
}

static unsigned int redirect_out4(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct redirect_notice notice;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	return redirect_handle(redirect_read4(skb, &notice), &notice,
			       REDIRECT_SENT, state);
}

static unsigned int redirect_in6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct redirect_notice notice;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	return redirect_handle(redirect_read6(skb, &notice), &notice,
			       REDIRECT_RECEIVED, state);
}

static unsigned int redirect_out6(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct redirect_notice notice;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	return redirect_handle(redirect_read6(skb, &notice), &notice,
			       REDIRECT_SENT, state);
}

/* Last: what the filters let through is what the stack counts. */
const struct nf_hook_ops redirect_hooks[REDIRECT_HOOKS] = {
	{
		.hook = redirect_in4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = redirect_out4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = redirect_in6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_LAST,
	},
	{
		.hook = redirect_out6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_LAST,
	},
};
