/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a network namespace counts by itself, summed over all CPUs.
 *
 * IPv6 only where it is built in: a module that comes after the core would free
 * its counters before the core has stopped looking at a dying namespace. And only
 * where it came up: with ipv6.disable=1 inet6_init() leaves before it has made
 * any, so their pointers are NULL, in every namespace.
 */
#ifndef NETGUARD_MIB_H
#define NETGUARD_MIB_H

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/snmp.h>

/* Index of an ICMP type that was sent in struct icmpmsg_mib; received are 0-255. */
#define NG_MIB_OUT 256

/**
 * ng_mib_icmp() - ICMP messages of one type
 * @net: the namespace
 * @type: ICMP type, plus NG_MIB_OUT for those that were sent
 *
 * Return: how many so far; icmp_rcv() counts those with a good checksum.
 */
static inline unsigned long ng_mib_icmp(const struct net *net, int type)
{
	return atomic_long_read(&net->mib.icmpmsg_statistics->mibs[type]);
}

/**
 * ng_mib_ip() - an IPv4 counter
 * @net: the namespace
 * @item: IPSTATS_MIB_*
 *
 * Return: its value, cut to the width of a long.
 */
static inline unsigned long ng_mib_ip(const struct net *net, int item)
{
	return snmp_fold_field64(net->mib.ip_statistics, item,
				 offsetof(struct ipstats_mib, syncp));
}

/**
 * ng_mib_tcp() - a TCP counter, IPv4 and IPv6 together
 * @net: the namespace
 * @item: TCP_MIB_*
 *
 * Return: its value.
 */
static inline unsigned long ng_mib_tcp(const struct net *net, int item)
{
	return snmp_fold_field(net->mib.tcp_statistics, item);
}

/**
 * ng_mib_linux() - a counter of TcpExt
 * @net: the namespace
 * @item: LINUX_MIB_*
 *
 * Return: its value.
 */
static inline unsigned long ng_mib_linux(const struct net *net, int item)
{
	return snmp_fold_field(net->mib.net_statistics, item);
}

#if IS_BUILTIN(CONFIG_IPV6)
/**
 * ng_mib_icmp6() - ICMPv6 messages of one type
 * @net: the namespace
 * @type: ICMPv6 type, plus NG_MIB_OUT for those that were sent
 *
 * Return: how many so far, none without IPv6.
 */
static inline unsigned long ng_mib_icmp6(const struct net *net, int type)
{
	if (!net->mib.icmpv6msg_statistics)
		return 0;

	return atomic_long_read(&net->mib.icmpv6msg_statistics->mibs[type]);
}

/**
 * ng_mib_ip6() - an IPv6 counter
 * @net: the namespace
 * @item: IPSTATS_MIB_*
 *
 * Return: its value, cut to the width of a long, 0 without IPv6.
 */
static inline unsigned long ng_mib_ip6(const struct net *net, int item)
{
	/* A per-CPU pointer: NULL would read what is first in each CPU's area. */
	if (!net->mib.ipv6_statistics)
		return 0;

	return snmp_fold_field64(net->mib.ipv6_statistics, item,
				 offsetof(struct ipstats_mib, syncp));
}
#else
static inline unsigned long ng_mib_icmp6(const struct net *net, int type)
{
	return 0;
}

static inline unsigned long ng_mib_ip6(const struct net *net, int item)
{
	return 0;
}
#endif

#endif
