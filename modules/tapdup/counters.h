/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_TAPDUP_COUNTERS_H
#define NETGUARD_TAPDUP_COUNTERS_H

#define TAPDUP_COUNTERS(gauge, counter)					\
	counter(rx_duplicates,						\
		"rounds in which a frame that came in was shown to taps again") \
	counter(tx_duplicates,						\
		"rounds in which a frame that goes out was shown to taps again") \
	counter(marked,							\
		"rounds of these in which the frame carried the mark")	\
	counter(marked_by_others,					\
		"frames sent with the mark bit set by somebody else")	\
	counter(devices_skipped,					\
		"times a device was not watched (too many, no memory): its netns marks nothing") \
	gauge(devices_watched,						\
	      "devices that are watched now, because a capture is open") \
	gauge(mark_taken,						\
	      "1 once the mark bit was seen in somebody else's use, until the parameter is set")

#endif
