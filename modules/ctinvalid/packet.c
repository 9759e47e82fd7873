// SPDX-License-Identifier: GPL-2.0
/* Reads from a packet what conntrack read, in the same order. */

#include "ctinvalid.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/tcp.h>

/* Fills in the addresses. Return: offset of the transport header, or -1. */
static int ctinvalid_parse_network(struct ctinvalid_key *key,
				   const struct sk_buff *skb, u8 family)
{
	int nhoff = skb_network_offset(skb);
	struct ipv6hdr _ip6h;
	const struct ipv6hdr *ip6h;
	struct iphdr _iph;
	const struct iphdr *iph;
	__be16 frag_off;
	int offset;

	key->family = family;
	if (family == NFPROTO_IPV4) {
		iph = skb_header_pointer(skb, nhoff, sizeof(_iph), &_iph);
		if (!iph)
			return -1;
		key->src.ip = iph->saddr;
		key->dst.ip = iph->daddr;
		key->proto = iph->protocol;
		offset = nhoff + iph->ihl * 4;
		return iph->frag_off & htons(IP_OFFSET) ||
		       offset > skb->len ? -1 : offset;
	}

	ip6h = skb_header_pointer(skb, nhoff, sizeof(_ip6h), &_ip6h);
	if (!ip6h)
		return -1;
	key->src.in6 = ip6h->saddr;
	key->dst.in6 = ip6h->daddr;
	key->proto = ip6h->nexthdr;
	offset = ipv6_skip_exthdr(skb, nhoff + sizeof(*ip6h), &key->proto,
				  &frag_off);
	return frag_off & htons(IP6_OFFSET) ? -1 : offset;
}

/* Under the conditions under which conntrack asked; its answer does not change. */
static bool ctinvalid_checksum_wrong(struct sk_buff *skb, int offset,
				     u8 proto,
				     const struct nf_hook_state *state)
{
	return state->hook == NF_INET_PRE_ROUTING &&
	       state->net->ct.sysctl_checksum &&
	       nf_checksum(skb, state->hook, offset, proto, state->pf);
}

/* tcp_sack(): the highest right edge of what the receiver has. */
static u32 ctinvalid_sack(const struct sk_buff *skb, int offset,
			  const struct tcphdr *th)
{
	int length = th->doff * 4 - sizeof(*th);
	u32 sack = ntohl(th->ack_seq);
	u8 buffer[15 * 4 - sizeof(*th)];
	const u8 *option;
	int size, i;
	u32 edge;

	if (!length)
		return sack;
	option = skb_header_pointer(skb, offset + sizeof(*th), length, buffer);

	while (option && length > 0 && *option != TCPOPT_EOL) {
		if (*option == TCPOPT_NOP) {
			option++;
			length--;
			continue;
		}
		if (length < 2 || option[1] < 2 || option[1] > length)
			break;
		size = option[1];
		if (*option == TCPOPT_SACK &&
		    size >= TCPOLEN_SACK_BASE + TCPOLEN_SACK_PERBLOCK &&
		    !((size - TCPOLEN_SACK_BASE) % TCPOLEN_SACK_PERBLOCK)) {
			for (i = TCPOLEN_SACK_BASE; i < size;
			     i += TCPOLEN_SACK_PERBLOCK) {
				edge = get_unaligned_be32(option + i + 4);
				if (after(edge, sack))
					sack = edge;
			}
			break;
		}
		option += size;
		length -= size;
	}

	return sack;
}

static enum ctinvalid_fault
ctinvalid_parse_tcp(struct ctinvalid_packet *pkt, struct sk_buff *skb,
		    int offset, const struct nf_hook_state *state)
{
	const struct tcphdr *th;
	struct tcphdr _th;

	th = skb_header_pointer(skb, offset, sizeof(_th), &_th);
	if (!th)
		return CTINVALID_TRUNCATED;

	pkt->tcp_flags = tcp_flag_byte(th);
	pkt->seq = ntohl(th->seq);
	pkt->ack = ntohl(th->ack_seq);
	pkt->sack = pkt->ack;
	pkt->win = ntohs(th->window);
	if (th->doff * 4 < sizeof(*th) || skb->len - offset < th->doff * 4)
		return CTINVALID_TRUNCATED;

	pkt->end = pkt->seq + skb->len - offset - th->doff * 4 + th->syn +
		   th->fin;
	pkt->sack = ctinvalid_sack(skb, offset, th);
	return ctinvalid_checksum_wrong(skb, offset, IPPROTO_TCP, state) ?
		CTINVALID_CHECKSUM : CTINVALID_SOUND;
}

static enum ctinvalid_fault
ctinvalid_parse_udp(struct ctinvalid_packet *pkt, struct sk_buff *skb,
		    int offset, const struct nf_hook_state *state)
{
	const struct udphdr *uh;
	struct udphdr _uh;

	uh = skb_header_pointer(skb, offset, sizeof(_uh), &_uh);
	if (!uh || ntohs(uh->len) > skb->len - offset ||
	    ntohs(uh->len) < sizeof(*uh))
		return CTINVALID_TRUNCATED;

	return uh->check &&
	       ctinvalid_checksum_wrong(skb, offset, IPPROTO_UDP, state) ?
		CTINVALID_CHECKSUM : CTINVALID_SOUND;
}

/* nf_conntrack_icmpv6_redirect() */
static enum ctinvalid_fault
ctinvalid_parse_redirect(struct ctinvalid_packet *pkt, struct sk_buff *skb,
			 int offset)
{
	struct nd_opt_hdr _option;
	const struct nd_opt_hdr *option;
	struct rd_msg _rd;

	if (!skb_header_pointer(skb, offset, sizeof(_rd), &_rd))
		return CTINVALID_TRUNCATED;
	if (pkt->icmp_code)
		return CTINVALID_SOUND;
	if (ipv6_hdr(skb)->hop_limit != 255 ||
	    !(ipv6_addr_type(&pkt->key.src.in6) & IPV6_ADDR_LINKLOCAL))
		return CTINVALID_TRUNCATED;

	offset += sizeof(_rd);
	option = skb_header_pointer(skb, offset, sizeof(_option), &_option);
	if (!option || !option->nd_opt_len)
		return CTINVALID_TRUNCATED;
	if (option->nd_opt_type != ND_OPT_REDIRECT_HDR)
		return CTINVALID_SOUND;

	pkt->icmp_error = true;
	pkt->inner = offset + 8;
	return CTINVALID_SOUND;
}

static enum ctinvalid_fault
ctinvalid_parse_icmp(struct ctinvalid_packet *pkt, struct sk_buff *skb,
		     int offset, const struct nf_hook_state *state)
{
	enum ctinvalid_fault fault = CTINVALID_SOUND;
	struct nf_conntrack_tuple inner;
	const struct icmphdr *ih;
	struct icmphdr _ih;

	/* One family's ICMP in the other's packets is nothing to conntrack. */
	if (pkt->key.proto != (state->pf == NFPROTO_IPV4 ? IPPROTO_ICMP :
							   IPPROTO_ICMPV6))
		return CTINVALID_SOUND;

	/* Type and code stand where ICMPv6 has them too. */
	ih = skb_header_pointer(skb, offset, sizeof(_ih), &_ih);
	if (!ih)
		return CTINVALID_TRUNCATED;

	pkt->icmp_type = ih->type;
	pkt->icmp_code = ih->code;
	if (ctinvalid_checksum_wrong(skb, offset, pkt->key.proto, state))
		return CTINVALID_CHECKSUM;

	pkt->inner = offset + sizeof(*ih);
	if (pkt->key.proto == IPPROTO_ICMP)
		pkt->icmp_error = icmp_is_err(ih->type);
	else if (ih->type == NDISC_REDIRECT)
		fault = ctinvalid_parse_redirect(pkt, skb, offset);
	else
		pkt->icmp_error = ih->type < ICMPV6_INFOMSG_MASK;

	if (pkt->icmp_error &&
	    !nf_ct_get_tuplepr(skb, pkt->inner, state->pf, state->net, &inner))
		fault = CTINVALID_TRUNCATED;
	return fault;
}

static void ctinvalid_parse_ports(struct ctinvalid_key *key,
				  const struct sk_buff *skb, int offset)
{
	const __be16 *ports;
	__be16 _ports[2];

	switch (key->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		ports = skb_header_pointer(skb, offset, sizeof(_ports), _ports);
		if (ports) {
			key->sport = ports[0];
			key->dport = ports[1];
		}
	}
}

/**
 * ctinvalid_parse_key() - read from a packet whose it is
 * @key: filled in, all but the zone
 * @skb: the packet, data at the network header
 * @state: of the hook that it is in
 *
 * Context: any, under rcu_read_lock().
 * Return: whether it has a transport header to read.
 */
bool ctinvalid_parse_key(struct ctinvalid_key *key, const struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	int offset;

	memset(key, 0, sizeof(*key));
	key->netns = state->net->ns.inum;
	offset = ctinvalid_parse_network(key, skb, state->pf);
	if (offset > 0)
		ctinvalid_parse_ports(key, skb, offset);
	return offset > 0;
}

/**
 * ctinvalid_ends_connection() - is it a TCP segment with FIN or RST?
 * @skb: the packet, data at the network header
 * @pf: its family
 *
 * Context: any, under rcu_read_lock().
 * Return: whether it is.
 */
bool ctinvalid_ends_connection(const struct sk_buff *skb, u8 pf)
{
	struct ctinvalid_key key;
	const struct tcphdr *th;
	struct tcphdr _th;
	int offset;

	offset = ctinvalid_parse_network(&key, skb, pf);
	if (offset <= 0 || key.proto != IPPROTO_TCP)
		return false;

	th = skb_header_pointer(skb, offset, sizeof(_th), &_th);
	return th && tcp_flag_byte(th) & (TCPHDR_FIN | TCPHDR_RST);
}

/**
 * ctinvalid_parse() - read from a packet what conntrack looked at
 * @pkt: filled in
 * @skb: a packet that conntrack left INVALID, data at the network header; only
 *	its checksum state may change, and only as conntrack had changed it
 * @state: of a hook at which conntrack looks
 *
 * Context: any, under rcu_read_lock().
 */
void ctinvalid_parse(struct ctinvalid_packet *pkt, struct sk_buff *skb,
		     const struct nf_hook_state *state)
{
	int offset;

	memset(pkt, 0, sizeof(*pkt));
	pkt->key.netns = state->net->ns.inum;
	offset = ctinvalid_parse_network(&pkt->key, skb, state->pf);
	if (offset <= 0) {
		pkt->fault = CTINVALID_TRUNCATED;
		return;
	}

	ctinvalid_parse_ports(&pkt->key, skb, offset);
	switch (pkt->key.proto) {
	case IPPROTO_TCP:
		pkt->fault = ctinvalid_parse_tcp(pkt, skb, offset, state);
		break;
	case IPPROTO_UDP:
		pkt->fault = ctinvalid_parse_udp(pkt, skb, offset, state);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		pkt->fault = ctinvalid_parse_icmp(pkt, skb, offset, state);
		break;
	}
}
