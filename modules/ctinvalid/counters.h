/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_CTINVALID_COUNTERS_H
#define NETGUARD_CTINVALID_COUNTERS_H

/*
 * The invalid_ counters stand in the order of enum ctinvalid_reason; behind
 * invalid_other come, at the end of the list, those that are younger.
 */
#define CTINVALID_COUNTERS(gauge, counter)				\
	counter(packets_invalid,					\
		"packets that conntrack left INVALID")			\
	counter(invalid_no_flow,					\
		"INVALID: no flow, and this packet cannot start one")	\
	counter(invalid_seq_over,					\
		"INVALID: sequence number beyond the receiver's window") \
	counter(invalid_ack_over,					\
		"INVALID: acknowledges data that was not seen")		\
	counter(invalid_bad_flags,					\
		"INVALID: TCP flags that do not go together")		\
	counter(invalid_bad_checksum,					\
		"INVALID: wrong transport checksum")			\
	counter(invalid_bad_state,					\
		"INVALID: does not fit the state of its connection")	\
	counter(invalid_rst_seq,					\
		"INVALID: RST older than what its sender acknowledged")	\
	counter(invalid_malformed,					\
		"INVALID: header truncated or contradicting itself")	\
	counter(invalid_icmp_unrelated,					\
		"INVALID: ICMP error about a flow that is not tracked")	\
	counter(invalid_other,						\
		"INVALID: the flow's state does not show why")		\
	counter(delivered_local,					\
		"INVALID packets handed to this host's own sockets")	\
	counter(forwarded,						\
		"INVALID packets forwarded")				\
	counter(sent_local,						\
		"INVALID packets of this host's own that were sent")	\
	counter(dropped_by_netguard,					\
		"INVALID packets dropped in mode drop or heal")		\
	counter(dropped_by_rules,					\
		"INVALID packets that went no further: rules, no route") \
	counter(resets_provoked,					\
		"RSTs that answered an INVALID packet")	\
	counter(flows_healed,						\
		"flows whose window was not checked for ten minutes")		\
	counter(logs_suppressed,					\
		"INVALID packets without a log line of their own")	\
	counter(flows_evicted,						\
		"rows of the flows table that had to make room")	\
	counter(invalid_icmp_misdirected,				\
		"INVALID: ICMP error about a tracked flow, sent to somebody else") \
	counter(closes_refused,						\
		"FINs and RSTs outside the window of a healed flow, dropped") \
	counter(flows_missed,						\
		"INVALID packets that the flows table did not get")

#endif
