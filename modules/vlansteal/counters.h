/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_VLANSTEAL_COUNTERS_H
#define NETGUARD_VLANSTEAL_COUNTERS_H

#define VLANSTEAL_COUNTERS(gauge, counter)				\
	gauge(thieves,							\
	      "VLAN devices that sit on a LAG port now")		\
	gauge(conflicts,						\
	      "thieves whose VLAN is used above the LAG now")		\
	counter(frames_stolen,						\
		"frames that a thief took from above the LAG")		\
	counter(frames_lost,						\
		"frames dropped because the thief that took them was down") \
	counter(frames_rescued,						\
		"frames handed past a thief to the LAG")		\
	counter(rescue_failed,						\
		"frames that could not be handed past a thief")		\
	counter(frames_leaked,						\
		"frames that reached a thief in spite of rescue mode")	\
	counter(thieves_missed,						\
		"thieves that found no room in the table, or no memory")

#endif
