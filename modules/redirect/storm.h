/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_REDIRECT_STORM_H
#define NETGUARD_REDIRECT_STORM_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/* A storm is this many redirects a second of one flow for so many seconds. */
#define REDIRECT_STORM_RATE 10
#define REDIRECT_STORM_SECONDS 3

/**
 * enum redirect_kind - what a packet is to this guard
 * @REDIRECT_OTHER: not a redirect
 * @REDIRECT_NAMED: a redirect that names a flow and a gateway
 * @REDIRECT_MALFORMED: a redirect, but cut short or quoting nonsense
 */
enum redirect_kind {
	REDIRECT_OTHER,
	REDIRECT_NAMED,
	REDIRECT_MALFORMED,
};

/**
 * struct redirect_notice - what one redirect says
 * @router: who sent it
 * @src: who sent the packet that it is about
 * @dst: where that packet went
 * @gateway: the better first hop; @dst itself when that is in the segment
 */
struct redirect_notice {
	union nf_inet_addr router;
	union nf_inet_addr src;
	union nf_inet_addr dst;
	union nf_inet_addr gateway;
};

/**
 * redirect_read4() - is this IPv4 packet a redirect, and what does it say?
 * @skb: data at an IPv4 header that ip_rcv() or ip_local_out() has seen
 * @notice: filled in for REDIRECT_NAMED
 *
 * Context: any. The skb is only read, paged data included.
 * Return: the kind.
 */
enum redirect_kind redirect_read4(const struct sk_buff *skb,
				  struct redirect_notice *notice);

/**
 * redirect_read6() - is this IPv6 packet a redirect, and what does it say?
 * @skb: data at an IPv6 header that ipv6_rcv() or ndisc_send_skb() has seen
 * @notice: filled in for REDIRECT_NAMED
 *
 * The source of the redirected packet is whom the redirect is sent to.
 *
 * Context: any. The skb is only read, paged data included.
 * Return: the kind.
 */
enum redirect_kind redirect_read6(const struct sk_buff *skb,
				  struct redirect_notice *notice);

/**
 * enum redirect_weather - how fast the redirects of one flow come
 * @REDIRECT_CALM: slower than a storm, or not long enough
 * @REDIRECT_STORM_BEGINS: with this one it is a storm
 * @REDIRECT_STORM_LASTS: it still is
 */
enum redirect_weather {
	REDIRECT_CALM,
	REDIRECT_STORM_BEGINS,
	REDIRECT_STORM_LASTS,
};

/**
 * struct redirect_pace - how fast they came so far; starts as zero
 * @second_ms: when the second that is being counted began
 * @count: how many came in it
 * @busy: how many full seconds in a row were busy, before it
 * @peak: most in any one full second
 */
struct redirect_pace {
	u64 second_ms;
	unsigned int count;
	unsigned int busy;
	unsigned int peak;
};

/**
 * redirect_step() - account for one more redirect of a flow
 * @pace: of that flow
 * @now_ms: time, from a clock that never goes back
 *
 * Seconds are counted from the first redirect on, one after the other.
 *
 * Return: the weather.
 */
enum redirect_weather redirect_step(struct redirect_pace *pace, u64 now_ms);

#endif
