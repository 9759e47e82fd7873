/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters are declared once. A guard lists them in its counters.h as
 *
 *	#define VLANSTEAL_COUNTERS(gauge, counter)			\
 *		gauge(thieves, "VLAN devices on LAG ports now")	\
 *		counter(frames_stolen, "frames a thief took")
 *
 * and from that one list come the enum (NG_COUNTER_ENUM), the names in debugfs
 * and the sentences that the tools print (NG_COUNTER_DESC). Names are never
 * changed and never change their order; new ones are appended.
 */
#ifndef NETGUARD_COUNTERS_H
#define NETGUARD_COUNTERS_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/**
 * struct ng_counter - one counter as its readers see it
 * @name: name in debugfs
 * @help: one sentence that says what it counts
 * @gauge: it is a number of things that are there now, and may go down
 */
struct ng_counter {
	const char *name;
	const char *help;
	bool gauge;
};

#define NG_GAUGE_DESC(_name, _help) { #_name, _help, 1 },
#define NG_COUNTER_DESC(_name, _help) { #_name, _help, 0 },

#endif
