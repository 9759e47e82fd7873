/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PATHMTU_COUNTERS_H
#define NETGUARD_PATHMTU_COUNTERS_H

#define PATHMTU_COUNTERS(gauge, counter)				\
	counter(frag_needed_received,					\
		"fragmentation-needed and packet-too-big messages from routers") \
	counter(frag_needed_self,					\
		"the same from this host to itself, for packets of its own") \
	counter(oversize_without_gso,					\
		"packets longer than the route's MTU that lost their GSO size") \
	counter(blackhole_suspects,					\
		"TCP flows whose full-size segments vanish while small ones pass") \
	counter(frag_needed_malformed,					\
		"of frag_needed_received, those that quote no packet of this host") \
	counter(unreachables_unread,					\
		"destination-unreachable messages from before the hooks, code unknown") \
	counter(paths_evicted,						\
		"rows that made room for newer ones in the table")	\
	gauge(netns_watched,						\
	      "network namespaces where packets are looked at now")	\
	counter(paths_missed,						\
		"packets without a row: the table was busy or memory short")

#endif
