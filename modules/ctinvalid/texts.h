/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cause and fix of each reason, written once: the log line has them, and so has
 * the command netguard. In the order of enum ctinvalid_reason.
 */
#ifndef NETGUARD_CTINVALID_TEXTS_H
#define NETGUARD_CTINVALID_TEXTS_H

#define CTINVALID_TEXTS(text) \
	text(NO_FLOW, no_flow, \
	     "no connection is tracked for it and it cannot start one: it is late, the entry was flushed, or the other direction takes another route", \
	     "asymmetric route: notrack it or accept ct state invalid; else: nft add rule ... ct state invalid drop in the input chain") \
	text(SEQ_OVER, seq_over, \
	     "it lies beyond what its receiver has offered to take: part of the connection bypasses this host, or somebody rewrites or forges segments", \
	     "find who sends it; to stop checking the windows of every flow: sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1") \
	text(ACK_OVER, ack_over, \
	     "it acknowledges data that never passed here: part of the connection bypasses this host, or somebody rewrites or forges segments", \
	     "find who sends it; to stop checking the windows of every flow: sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1") \
	text(BAD_FLAGS, bad_flags, \
	     "no TCP sends these flags together: a port scan or a broken sender", \
	     "safe to drop: nft add rule ... ct state invalid drop") \
	text(BAD_CHECKSUM, bad_checksum, \
	     "its checksum is wrong: it was damaged on the way, or a middlebox changed it without summing again", \
	     "look for errors on the incoming device: ethtool -S; if its offload is to blame: ethtool -K DEV rx off") \
	text(BAD_STATE, bad_state, \
	     "its connection is in a state where this packet cannot come: late after the close, or from the wrong side", \
	     "none needed for single packets; many of one flow: find who sends them") \
	text(RST_SEQ, rst_seq, \
	     "a RST older than what its sender has acknowledged: late, or a forged attempt to end the connection", \
	     "none needed; to let such pass: sysctl net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1") \
	text(MALFORMED, malformed, \
	     "a header is cut off or contradicts itself", \
	     "safe to drop: nft add rule ... ct state invalid drop; then find its sender") \
	text(ICMP_UNRELATED, icmp_unrelated, \
	     "an ICMP error that quotes a packet of no tracked connection", \
	     "none needed; on an asymmetric route let ICMP errors pass before ct state invalid drop, path MTU discovery needs them") \
	text(OTHER, other, \
	     "conntrack refused it and the flow's state does not show why", \
	     "the kernel's own words: sysctl net.netfilter.nf_conntrack_log_invalid=255 net.netfilter.nf_log_all_netns=1") \
	text(ICMP_MISDIRECTED, icmp_misdirected, \
	     "an ICMP error that quotes a packet of a tracked connection, but is not addressed to who sent that packet: forged, or translated by halves", \
	     "none needed; many: find who sends them")

/* What a line adds for the fate of its packet. */
#define CTINVALID_HEAL "echo heal >/sys/module/netguard_ctinvalid/parameters/mode"
#define CTINVALID_UNTRANSLATED ". NAT does not translate INVALID packets back: "
#define CTINVALID_TOOK_ANSWERED \
	"this host took it for its own, found no socket and answered RST, which breaks the connection"
#define CTINVALID_TOOK \
	"this host took it for its own, and did not answer"
#define CTINVALID_STRAYED_ANSWERED \
	"it went on with an address that its receiver knows no connection with, who answered RST, which breaks the connection"
#define CTINVALID_STRAYED \
	"it went on with an address that its receiver knows no connection with, who has not answered"
#define CTINVALID_IN_TIME "this one was dropped before anybody could answer it with RST"
#define CTINVALID_REST_PASSES ", and the rest of its flow will pass for ten minutes"
#define CTINVALID_MAY_HEAL \
	"none needed here; in mode heal such a flow passes from its third segment within a minute on"
#define CTINVALID_SYNPROXY \
	"none needed; SYNPROXY in this network namespace works by INVALID packets: never drop them all"

#endif
