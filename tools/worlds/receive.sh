# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Bursts that reach the stack in one poll of the driver, as lists: what a busy network card does all day, and a packet at
# a time hides. For scripts of worlds.d, as their world_check.

burst=32
ports=(e0 e1)
classes=("${ports[@]/#/\/sys\/class\/net\/}")

# all_ports FILE VALUE: writes it into that file of both ports.
all_ports() {
	local class

	for class in "${classes[@]}"; do echo "$2" >"$class/$1"; done
}

# hold, release: after a poll the driver is not asked again before 50 ms are over, whatever comes, and then hands on all of it.
hold() {
	all_ports gro_flush_timeout 50000000
	all_ports napi_defer_hard_irqs 1000
	batch=$(</proc/sys/net/core/gro_normal_batch)
	echo 64 >/proc/sys/net/core/gro_normal_batch
	# The poll from which on that holds.
	loss 192.0.2.2 2 >/dev/null
}
release() {
	all_ports napi_defer_hard_irqs 0
	all_ports gro_flush_timeout 0
	echo "$batch" >/proc/sys/net/core/gro_normal_batch
	loss 192.0.2.2 2 >/dev/null
}

# What a burst brings is counted once it has been polled.
moved() { (($(counter "$1" "$2") - $3 >= burst)); }

odd_burst() { in_sw build/guest/ctflow send src=192.0.2.2 dst=192.0.2.1 sport="$1" dport="$1" flags=SF count=$burst </dev/null; nap 0.5; }

# lists_of COMMAND...: how many lists IPv4 was given meanwhile.
lists_of() { calls ip_list_rcv "$@"; }

# burst_ctinvalid lists|singly
burst_ctinvalid() {
	local before resets lists

	before=$(counter ctinvalid delivered_local) resets=$(counter ctinvalid resets_provoked)
	lists=$(lists_of odd_burst 21)
	if [[ $1 = lists ]]; then
		check "a burst of $burst packets reaches IPv4 in lists: ${lists:-no} calls of ip_list_rcv()" \
			test "${lists:-0}" -gt 0 -a "${lists:-99}" -le $((burst / 4))
	fi
	is 'ctinvalid: every packet of it is found INVALID' $(($(counter ctinvalid delivered_local) - before)) $burst
	resets=$(($(counter ctinvalid resets_provoked) - resets))
	# Those of a list are all past PRE_ROUTING before the first is answered.
	is 'and every RST is tied to its cause' "$resets" $burst
}

burst_vlansteal() {
	local before frame bond

	ip link add link e0 name e0.1000 type vlan id 1000
	ip link set e0.1000 up
	# An echo reply that nobody waits for, to the bond.
	frame=$(cat /sys/class/net/bond0/address)
	frame=${frame//:/}0200000000ee810003e8080045000024000000004001f6d5c0000202c00002010000f6f2000000004142434441424344
	before=$(counter vlansteal frames_stolen)
	in_sw build/guest/ethsend s0 $burst 0 "$frame"
	check 'vlansteal: a burst that is stolen is counted to the frame' wait_for 3 moved vlansteal frames_stolen "$before"
	param vlansteal mode rescue
	before=$(counter vlansteal frames_rescued)
	bond=$(</sys/class/net/bond0.1000/statistics/rx_packets)
	in_sw build/guest/ethsend s0 $burst 0 "$frame"
	check 'and one that is rescued' wait_for 3 moved vlansteal frames_rescued "$before"
	check 'by the bond' test $(($(</sys/class/net/bond0.1000/statistics/rx_packets) - bond)) -ge $burst
	is 'nothing leaked' "$(counter vlansteal frames_leaked)" 0
	param vlansteal mode detect
	ip link delete e0.1000
}

burst_padstrip() {
	local before

	before=$(counter padstrip frames_stripped)
	param padstrip devices e0
	in_sw build/guest/ethsend s0 $burst 0 "$padded"
	check 'padstrip: a burst is stripped to the frame' wait_for 3 moved padstrip frames_stripped "$before"
	param padstrip devices ''
}

# Echo requests all at once, and their replies. Of a flow that conntrack knows: of a list of requests of a new one it confirms
# the first and drops the others, for each has made an entry of its own at PRE_ROUTING (__nf_conntrack_confirm()).
burst_tapdup() {
	in_sw ping -q -c 1 -e 77 -W 2 192.0.2.1 >/tmp/ping
	capture_plain /tmp/plain.pcap 'icmp[icmptype] <= 8'
	capture_once /tmp/once.pcap 'icmp[icmptype] <= 8'
	in_sw ping -q -c 16 -l 16 -e 77 -W 2 192.0.2.1 >/tmp/ping
	nap 0.5
	stop_captures
	check 'tapdup: a burst of 16 echo requests, and their replies: tcpdump has each more than once' more_than_once /tmp/plain.pcap 32
	is 'netguard capture once' "$(packets /tmp/once.pcap)" 32
}

# bursts lists|singly: how they have to reach IPv4.
bursts() {
	hold
	burst_ctinvalid "$1"
	burst_vlansteal
	burst_padstrip
	burst_tapdup
	release
}
