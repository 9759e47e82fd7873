/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_REDIRECT_COUNTERS_H
#define NETGUARD_REDIRECT_COUNTERS_H

#define REDIRECT_COUNTERS(gauge, counter)				\
	counter(redirects_received,					\
		"ICMP and ICMPv6 redirects that came in, obeyed or not") \
	counter(redirects_sent,						\
		"ICMP and ICMPv6 redirects that this host sent")	\
	counter(storms,							\
		"times one flow was redirected ten times a second for three seconds") \
	counter(redirects_malformed,					\
		"redirects seen whose quoted packet or gateway makes no sense") \
	counter(routers_evicted,					\
		"rows that made room for newer ones in the table")	\
	gauge(netns_watched,						\
	      "network namespaces where packets are looked at now")	\
	counter(routers_missed,						\
		"redirects without a row: the table was busy or memory short")

#endif
