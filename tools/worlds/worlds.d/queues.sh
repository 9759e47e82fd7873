# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Ports with four queues, each with a NAPI thread of its own, so that CPUs receive at the same time. veth, for a hub of
# qemu gives its cards one queue each.
#
# vm-files: tools/worlds/receive.sh

# shellcheck source=tools/worlds/receive.sh
. tools/worlds/receive.sh

world_wire() {
	local port

	for port in 0 1; do
		ip link add e$port numrxqueues 4 numtxqueues 4 type veth peer name s$port netns sw numrxqueues 4 numtxqueues 4
	done
}

queues() { grep -l '^napi/e[01]-' /proc/[0-9]*/comm | wc -l; }

world_begin() {
	local port

	# veth has its NAPIs only while it is up and has GRO, and asks them only when the other end does not segment late.
	for port in "${ports[@]}"; do
		ethtool -K "$port" gro on
		in_sw ethtool -K "s${port#e}" tso off
	done
	all_ports threaded 1
	check 'every queue of both ports has a thread' wait_for 5 test "$(queues)" = 8
}
world_check() {
	bursts singly
	# One flow stays on one queue; its packets are INVALID on all of them.
	spread
}

# Two hundred packets, all of other flows. Their RSTs go to the switch, which forwards nothing.
spread() {
	local before senders=()

	before=$(counter ctinvalid invalid_bad_flags)
	for _ in 1 2; do
		ip netns exec sw build/guest/ctflow send src=198.51.100.1 dst=192.0.2.1 dport=22 flags=SF count=100 random=1 </dev/null &
		senders+=($!)
	done
	wait "${senders[@]}"
	wait_for 5 grown ctinvalid invalid_bad_flags $((before + 199))
	is 'ctinvalid: of flows on all queues every packet is found INVALID' $(($(counter ctinvalid invalid_bad_flags) - before)) 200
}
