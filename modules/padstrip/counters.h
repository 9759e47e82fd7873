/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PADSTRIP_COUNTERS_H
#define NETGUARD_PADSTRIP_COUNTERS_H

#define PADSTRIP_COUNTERS(counter)					\
	counter(frames_zero_padded,					\
		"short frames padded with zeros, as they should be")	\
	counter(frames_nonzero,						\
		"short frames whose padding was not all zero")		\
	counter(frames_stripped,					\
		"frames whose padding was cut off")			\
	counter(frames_zeroed,						\
		"frames whose padding was overwritten with zeros")	\
	counter(bytes_stripped,						\
		"bytes of padding cut off")				\
	counter(frames_trailer,						\
		"frames above the minimum with bytes behind the packet, left alone") \
	counter(frames_malformed,					\
		"frames whose lengths contradict themselves, passed unchanged") \
	counter(strip_failed,						\
		"frames passed with bad padding because it could not be removed") \
	counter(tx_padded,						\
		"short frames padded with zeros before the driver saw them") \
	counter(senders_evicted,					\
		"senders that had to leave the table for newer ones")	\
	counter(tx_pad_failed,						\
		"short frames sent without software padding because it failed") \
	counter(senders_missed,						\
		"bad frames without a row: the table was busy or memory short") \
	counter(frames_sampled,						\
		"of frames_nonzero, those that only the sample of NICs saw")

#endif
