# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # net: the incident script's
#
# Whatever takes a frame away between two devices, nobody sees the mark. For BPF and XDP see the world taps.
#
#   netns leak                                            netns leakfar
#   bl.7 198.51.100.1 - bl (bond) 192.0.2.1 - a0 -------- fa0 192.0.2.2 - fa0.7 198.51.100.2
#   v0 - v1, both here        ifb0        w0 ------------- w1 in netns leakbox

need ifb macvlan veth 8021q bonding sch_ingress act_mirred act_gact cls_u32 cls_matchall sch_htb nft_fwd_netdev nf_dup_netdev

# in_leak COMMAND...
in_leak() { in_ns leak "$@"; }

build_leaks() {
	local netns

	for netns in leak leakfar leakbox; do ip netns add $netns; done
	ip -n leak -batch - <<-'END'
		link set lo up
		link add a0 type veth peer name fa0 netns leakfar
		link add bl type bond mode active-backup miimon 100
		link set a0 master bl
		link set bl up
		link set a0 up
		address add 192.0.2.1/24 dev bl
		link add link bl name bl.7 type vlan id 7
		address add 198.51.100.1/24 dev bl.7
		link set bl.7 up
		link add v0 type veth peer name v1
		link set v0 up
		link set v1 up
		link add w0 type veth peer name w1 netns leakbox
		link set w0 up
		link add ifb0 type ifb
		link set ifb0 up
	END
	ip -n leakfar -batch - <<-'END'
		link set fa0 up
		address add 192.0.2.2/24 dev fa0
		link add link fa0 name fa0.7 type vlan id 7
		address add 198.51.100.2/24 dev fa0.7
		link set fa0.7 up
	END
	ip -n leakbox link set w1 up
	wait_for 10 in_ns leakfar ping -c 1 -W 1 198.51.100.1
	wait_for 10 in_ns leakfar ping -c 1 -W 1 192.0.2.1
}

# A packet that is dropped for its mark is not answered; whoever looks at marks counts.
leak_rules() {
	local netns

	for netns in leak leakfar leakbox; do rules $netns; done
	ip -n leak rule add fwmark "$bit/$bit" blackhole priority 10
}

# leak_seen: what rules saw here, and a filter of tc at $tc_at, if there is one.
tc_at=
leak_seen() {
	local n

	n=$(seen_by_rules leak)
	if [[ $tc_at ]]; then
		# shellcheck disable=SC2086 # a device and a place on it
		n=$((n + $(in_leak tc -s filter show dev $tc_at |
			sed -n 's/.*(rule hit [0-9]* success \([0-9]*\)).*/\1/p' | awk '{ n += $1 } END { print n + 0 }')))
	fi
	echo "$n"
}

# leak SENTENCE [ADDRESS...]: pings from the other side, and what this side sends itself; then nobody saw a mark.
seen_so_far=0
leak() {
	local now address

	for address in "${@:2}"; do
		in_ns leakfar ping -q -c 3 -i 0.05 -W 1 "$address" >/dev/null
	done
	in_leak "$net" udp 198.51.100.2 9 5 100 0
	nap 0.2
	now=$(leak_seen)
	is "nobody sees the mark: $1" $((now - seen_so_far)) 0
	seen_so_far=$now
}

# With u32 a filter of tc can look at the mark of a frame, and count.
look=(u32 match mark 0x40000000 0x40000000)
tc_look() { tc_at="$1 $2"; in_leak tc filter add dev "$1" "$2" protocol all prio 1 "${look[@]}" action continue; }
redirect_to_ifb() {
	in_leak tc qdisc add dev "$1" clsact
	in_leak tc filter add dev "$1" "$2" protocol all prio 2 matchall action mirred egress redirect dev ifb0
}
# What a rule has counted goes with it.
end_of_tc() { in_leak tc qdisc delete dev "$1" clsact; tc_at=''; seen_so_far=$(leak_seen); }

act "Cases: whatever takes a frame away, nobody sees the mark"
build_leaks
leak_rules
begin_capture /tmp/leak.log ip netns exec leak tcpdump -i any -w /dev/null
nap 1.5
others_before=$(counter tapdup marked_by_others)
marked_before=$(counter tapdup marked)
leak "with nothing in the way" 192.0.2.1 198.51.100.1
check "while duplicates are marked" test $(($(counter tapdup marked) - marked_before)) -ge 12

for dev in bl bl.7; do
	redirect_to_ifb $dev ingress
	leak "tc ingress on $dev redirects to an ifb" 192.0.2.1 198.51.100.1
	end_of_tc $dev
	in_leak tc qdisc add dev $dev clsact
	tc_look $dev ingress
	leak "tc ingress on $dev looks at it" 192.0.2.1 198.51.100.1
	end_of_tc $dev
done
for dev in a0 bl bl.7; do
	in_leak tc qdisc add dev $dev clsact
	tc_look $dev egress
	leak "tc egress on $dev looks at it" 192.0.2.1 198.51.100.1
	end_of_tc $dev
done
redirect_to_ifb bl egress
leak "tc egress on bl redirects to an ifb" 192.0.2.1 198.51.100.1
end_of_tc bl

for dev in a0 bl bl.7; do
	for way in ingress egress; do
		for priority in -500 2147483647; do
			in_leak nft "table netdev seen_$way { chain c { type filter hook $way device \"$dev\" priority $priority; meta mark & $bit != 0 counter; }; }"
			leak "nftables $way on $dev, priority $priority" 192.0.2.1 198.51.100.1
			in_leak nft delete table netdev seen_$way
			seen_so_far=$(leak_seen)
		done
	done
done
in_leak nft "table netdev away { chain c { type filter hook ingress device \"bl\" priority 0; fwd to \"v0\"; }; }"
leak "nftables on bl forwards to a veth of this namespace" 192.0.2.1
in_leak nft delete table netdev away

in_leak tc qdisc add dev bl root handle 1: htb default 1
in_leak tc class add dev bl parent 1: classid 1:1 htb rate 1gbit
tc_at='bl parent 1:'
in_leak tc filter add dev bl parent 1: protocol all prio 1 "${look[@]}" action continue
leak "a queue on bl that has classes and filters" 192.0.2.1 198.51.100.1
in_leak tc qdisc delete dev bl root
tc_at=
in_leak tc qdisc add dev bl root pfifo
leak "a plain queue on bl" 192.0.2.1 198.51.100.1
in_leak tc qdisc delete dev bl root
tc_at=
in_leak tc qdisc add dev a0 root handle 1: htb default 1
in_leak tc class add dev a0 parent 1: classid 1:1 htb rate 1gbit
tc_at='a0 parent 1:'
in_leak tc filter add dev a0 parent 1: protocol all prio 1 "${look[@]}" action continue
leak "a queue on a0 that has classes and filters" 192.0.2.1 198.51.100.1
in_leak tc qdisc delete dev a0 root
tc_at=
in_leak tc qdisc add dev a0 root handle 1: fq_codel
marked_before=$(counter tapdup marked)
leak "a plain queue on a0" 192.0.2.1 198.51.100.1
check "where duplicates are marked all the same" test $(($(counter tapdup marked) - marked_before)) -ge 20
tc_at='a0 parent 1:'
in_leak tc filter add dev a0 parent 1: protocol all prio 1 "${look[@]}" action continue
leak "its first filter" 192.0.2.1 198.51.100.1
in_leak tc qdisc delete dev a0 root
tc_at=

# What is for all is copied to macvlans by a worker; here one more takes all from its source.
ip -n leak -batch - <<-'END'
	link add link bl.7 name mv0 type macvlan mode bridge
	link add link bl.7 name mv1 type macvlan mode source macaddr add 02:00:00:00:bb:bb
	link set mv0 up
	link set mv1 up
END
for to in ffffffffffff "$(mac leak mv0)" "$(mac leak bl.7)"; do
	in_ns leakfar "$net" frame fa0 "$(datagram "$to" 81000007)"
done
leak "macvlans above the VLAN" 192.0.2.1 198.51.100.1
ip -n leak link delete mv0
ip -n leak link delete mv1

# A container: a VLAN whose lower device is the host's, and a bridge above it.
ip -n leak link add link bl name bl.8 type vlan id 8
ip -n leak link set bl.8 netns leakbox
ip -n leakbox -batch - <<-'END'
	link set bl.8 up
	link add br0 type bridge
	link set bl.8 master br0
	link set br0 up
	address add 203.0.113.1/24 dev br0
END
begin_capture /tmp/leakbox.log ip netns exec leakbox tcpdump -i any -w /dev/null
nap 1.5
in_leak nft "table netdev seen_egress { chain c { type filter hook egress device \"bl\" priority -2000000000; meta mark & $bit != 0 counter; }; }"
in_ns leakbox "$net" udp 203.0.113.2 9 5 100 0
in_ns leakbox ping -q -c 2 -i 0.05 -W 1 203.0.113.2 >/dev/null
leak "a container with a bridge above a VLAN of the host's bond" 192.0.2.1 198.51.100.1
is "nobody is said to use the bit" "$(counter tapdup mark_taken) $(counter tapdup marked_by_others)" "0 $others_before"
is "nobody saw one in the other two netns" "$(seen_by_rules leakfar) $(seen_by_rules leakbox)" "0 0"
stop_captures
for netns in leak leakfar leakbox; do ip netns delete $netns; done
