// SPDX-License-Identifier: GPL-2.0
/* A packet in or out of a host where something does not get through. */

#include "pathmtu.h"

#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static void pathmtu_reported(const struct pathmtu_quote *quote,
			     enum pathmtu_kind kind,
			     const struct nf_hook_state *state)
{
	struct pathmtu_key key = {
		.netns = state->net->ns.inum,
		.kind = kind,
		.family = state->pf,
		.dst = quote->dst,
	};
	struct pathmtu_path *path;
	bool fresh;

	path = pathmtu_path_add(&key, &fresh);
	if (path) {
		path->pmtu = quote->mtu;
		path->size_ok = quote->mtu;
		path->size_lost = quote->size;
		path->reporter = quote->reporter;
		path->reported = true;
		/* One that came back to this host was seen going out. */
		if (kind == PATHMTU_ROUTER || fresh)
			path->packets++;
		ng_table_put(&pathmtu_paths, &path->entry);
	}

	trace_pathmtu_frag_needed(&key, quote->size, quote->mtu);
}

/* @ours: quotes a packet of this host; @self: and this host complains. */
static void pathmtu_heard(const struct pathmtu_quote *quote, bool ours,
			  bool self, const struct nf_hook_state *state)
{
	if (self) {
		ng_count(&pathmtu_guard, PATHMTU_frag_needed_self);
		pathmtu_reported(quote, PATHMTU_SELF, state);
		return;
	}

	ng_count(&pathmtu_guard, PATHMTU_frag_needed_received);
	if (ours)
		pathmtu_reported(quote, PATHMTU_ROUTER, state);
	else
		ng_count(&pathmtu_guard, PATHMTU_frag_needed_malformed);
}

static bool pathmtu_is_local4(const struct nf_hook_state *state,
			      const union nf_inet_addr *addr)
{
	return inet_addr_type_dev_table(state->net, state->in, addr->ip) ==
	       RTN_LOCAL;
}

static bool pathmtu_is_local6(const struct nf_hook_state *state,
			      const union nf_inet_addr *addr)
{
	return nf_ipv6_chk_addr(state->net, &addr->in6, NULL, 0);
}

static unsigned int pathmtu_in4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct pathmtu_quote quote;
	enum pathmtu_report report;
	bool ours;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	report = pathmtu_read4(skb, &quote);
	if (report == PATHMTU_NO_REPORT)
		return NF_ACCEPT;

	ours = report == PATHMTU_FRAG_NEEDED &&
	       pathmtu_is_local4(state, &quote.src);
	pathmtu_heard(&quote, ours,
		      ours && pathmtu_is_local4(state, &quote.reporter), state);
	return NF_ACCEPT;
}

static unsigned int pathmtu_in6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct pathmtu_quote quote;
	enum pathmtu_report report;
	bool ours;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	report = pathmtu_read6(skb, &quote);
	if (report == PATHMTU_NO_REPORT)
		return NF_ACCEPT;

	ours = report == PATHMTU_FRAG_NEEDED &&
	       pathmtu_is_local6(state, &quote.src);
	pathmtu_heard(&quote, ours,
		      ours && pathmtu_is_local6(state, &quote.reporter), state);
	return NF_ACCEPT;
}

/* The socket's own packet, and one that it has sent often enough? */
static bool pathmtu_is_retransmit(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return sk && sk_fullsock(sk) && sk_is_tcp(sk) &&
	       READ_ONCE(inet_csk(sk)->icsk_retransmits) >= PATHMTU_RETRANSMITS;
}

static unsigned int pathmtu_out4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct pathmtu_key key = {
		.netns = state->net->ns.inum,
		.kind = PATHMTU_HOLE,
		.family = NFPROTO_IPV4,
		.dst.ip = iph->daddr,
	};

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	if (pathmtu_is_retransmit(skb) && iph->protocol == IPPROTO_TCP)
		pathmtu_retransmit(skb, iph->ihl * 4, &key, state);

	return NF_ACCEPT;
}

static unsigned int pathmtu_out6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct pathmtu_key key = {
		.netns = state->net->ns.inum,
		.kind = PATHMTU_HOLE,
		.family = NFPROTO_IPV6,
		.dst.in6 = ip6h->daddr,
	};

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	if (pathmtu_is_retransmit(skb) && ip6h->nexthdr == IPPROTO_TCP)
		pathmtu_retransmit(skb, sizeof(*ip6h), &key, state);

	return NF_ACCEPT;
}

static void pathmtu_oversize(const struct sk_buff *skb, unsigned int mtu,
			     const struct pathmtu_key *key,
			     const struct nf_hook_state *state)
{
	struct pathmtu_path copy;
	struct pathmtu_path *path;
	bool fresh;

	ng_count(&pathmtu_guard, PATHMTU_oversize_without_gso);
	trace_pathmtu_oversize(key, skb->len, mtu);

	path = pathmtu_path_add(key, &fresh);
	if (path) {
		path->pmtu = mtu;
		path->size_ok = mtu;
		path->size_lost = skb->len;
		path->packets++;
		fresh |= !path->dev[0];
		pathmtu_note_route(path, skb);
		copy = *path;
		ng_table_put(&pathmtu_paths, &path->entry);
	}

	if (path && fresh)
		pathmtu_announce(&copy, state->net);
}

/*
 * IPsec looks at the length itself, before and after; what a bridge passes has a
 * route only for show.
 */
static bool pathmtu_is_routed(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return dst && !dst_xfrm(dst) && !(dst->flags & DST_FAKE_RTABLE);
}

static unsigned int pathmtu_post4(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct pathmtu_key key = {
		.netns = state->net->ns.inum,
		.kind = PATHMTU_SELF,
		.family = NFPROTO_IPV4,
		.dst.ip = iph->daddr,
	};
	unsigned int mtu;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	if (!pathmtu_is_routed(skb))
		return NF_ACCEPT;

	mtu = ip_skb_dst_mtu(state->sk, skb);
	if (pathmtu_fit(skb, mtu, iph->frag_off & htons(IP_DF)) ==
	    PATHMTU_OVERSIZE)
		pathmtu_oversize(skb, mtu, &key, state);

	return NF_ACCEPT;
}

static unsigned int pathmtu_post6(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct pathmtu_key key = {
		.netns = state->net->ns.inum,
		.kind = PATHMTU_SELF,
		.family = NFPROTO_IPV6,
		.dst.in6 = ipv6_hdr(skb)->daddr,
	};
	unsigned int mtu;

	if (!ng_watch_active(priv))
		return NF_ACCEPT;

	if (!pathmtu_is_routed(skb))
		return NF_ACCEPT;

	mtu = ip6_skb_dst_mtu(skb);
	if (pathmtu_fit(skb, mtu, true) == PATHMTU_OVERSIZE)
		pathmtu_oversize(skb, mtu, &key, state);

	return NF_ACCEPT;
}

/* Last: what the filters let through, as NAT and mangling left it. */
const struct nf_hook_ops pathmtu_hooks[PATHMTU_HOOKS] = {
	{
		.hook = pathmtu_in4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = pathmtu_out4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = pathmtu_post4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = pathmtu_in6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_LAST,
	},
	{
		.hook = pathmtu_out6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_LAST,
	},
	{
		.hook = pathmtu_post6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP6_PRI_LAST,
	},
};
