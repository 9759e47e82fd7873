# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Measuring in the guest. Its clock ticks once per retired instruction (-icount shift=0), so nanoseconds are instructions.
#
# A row says what one packet costs on a path in a situation. It is printed, tab separated, as
#   row PATH WHAT FRAME FLOWS PACKETS ROUNDS FIRST SECOND
# FIRST and SECOND are the nanoseconds of two runs, "-" for one that failed. ROUNDS is how many devices of a stack a packet
# visits. Which rows are compared is for tools/bench/report to know. A single figure is printed as
#   fact WHAT VALUE UNIT

: "${ng_debugfs:?comes from tools/incidents/lib.sh}"

guards=(vlansteal padstrip ctinvalid tapdup pathmtu redirect)
load=build/guest/load
tracing=/sys/kernel/tracing

# What the next rows are made of.
packets=50000 frame=60 flows=1 rounds=1 wrap=1
# Set to keep conntrack's table from row to row, or memory as it is.
keep_flows='' keep_slabs=''

# --- packets; each of these sends $packets and prints nanoseconds ---

# pktgen DEVICE DST-MAC [COMMAND...]: straight into the stack, as if DEVICE had received them. The skb is shared.
pktgen() {
	local device=$1 mac=$2 command
	local file=/proc/net/pktgen/$device control=/proc/net/pktgen/kpktgend_0
	shift 2

	echo rem_device_all >$control
	echo "add_device $device" >$control
	for command in "xmit_mode netif_receive" "count $packets" "pkt_size $frame" "delay 0" "burst 1" "dst_mac $mac" \
		"src_mac 02:00:00:00:00:02" "src_min 192.0.2.2" "dst_min 192.0.2.1" "udp_dst_min 9" "udp_dst_max 9" \
		"udp_src_min 10000" "udp_src_max $((10000 + flows))" "$@"; do
		echo "$command" >"$file" || return
	done
	echo start >/proc/net/pktgen/pgctrl
	sed -n 's/^Result: OK: \([0-9]*\)(.*/\1000/p' "$file"
	grep -q "pkts-sofar: $packets " "$file"
}

# To a socket of this host, whose buffer is full.
receive() { pktgen n0 "$n0_mac"; }
# To another host: ends in ip_rcv(), so that there is little but what happens on the device.
arrive() { pktgen n0 02:00:00:00:00:99; }
# The same with a VLAN tag, on a bond's port.
arrive_vlan() { pktgen e0 02:00:00:00:00:99 "vlan_id $1"; }
# From one port of a bridge to another.
bridge() { pktgen b0 02:00:00:00:00:98; }
# send ADDRESS: from a process.
transmit() { $load udp "$1" 9 "$packets" "$flows" $((frame - 42)); }
# cable DEVICE HEX: from the other end of a cable, an skb for each frame. XX in it counts on from run to run, modulo $wrap.
sent=0
cable() { ip netns exec s $load frames "$1" "$packets" "$sent" "$wrap" "$2"; }

# --- frames in hex ---

# checksum HEX
checksum() {
	local hex=$1 sum=0

	while [[ -n $hex ]]; do
		sum=$((sum + 0x${hex:0:4}))
		hex=${hex:4}
	done
	sum=$(((sum & 0xffff) + (sum >> 16)))
	sum=$(((sum & 0xffff) + (sum >> 16)))
	printf '%04x' $((~sum & 0xffff))
}

# ipv4 LENGTH PROTOCOL SOURCE DESTINATION: a header, all but LENGTH in hex.
ipv4() {
	local begin end

	begin=$(printf '4500%04x0000400040%s' "$1" "$2")
	end=$3$4
	printf '%s%s%s' "$begin" "$(checksum "${begin}0000$end")" "$end"
}

# stray_rst: a RST that belongs to no flow, from ports that XX gives it.
stray_rst() {
	printf '%s' "${n0_hex}0200000000020800" "$(ipv4 40 06 c0000202 c0000201)" "XXXXXXXX$(zeros 8)50040000" "$(zeros 10)"
}

# What a thief takes: a broadcast in VLAN 1000.
stolen() { printf '%s' ffffffffffff020000000002810003e888b5 "$(zeros 42)"; }

zeros() { printf '%0*d' $((2 * $1)) 0; }

# --- rows ---

# run COMMAND...: what it prints, "-" if that is no number or it failed.
run() {
	local ns

	if ns=$("$@" 2>>/tmp/errors) && [[ $ns =~ ^[1-9][0-9]*$ ]]; then
		echo "$ns"
	else
		echo -
	fi
}

# agree FIRST SECOND: they differ by half a percent at most.
agree() {
	[[ $1 != - && $2 != - ]] || return
	local less=$1 more=$2

	((less <= more)) || { less=$2 more=$1; }
	(((more - less) * 200 <= less))
}

# slabs: an skb that comes from one slab and goes back to another costs hundreds of instructions more, and whether it does
# depends on how many holes what ran before has left in them. So every run begins with the holes filled, and with an odd
# number more, so that two runs begin at different places of a slab: a row that pays all the same disagrees with itself.
slabs() { [[ $keep_slabs ]] || $load hold 401 || not_ok 'the slabs can be filled'; }

# row PATH WHAT COMMAND...
row() {
	local path=$1 what=$2 first second try
	shift 2

	slabs
	# Entries in conntrack's table that others left make its chains longer.
	[[ -n $keep_flows || ! -d /sys/module/nf_conntrack ]] || conntrack -F 2>/dev/null
	# What looks around once a second has looked, and each flow has been seen.
	sleep 1.5
	packets=$((flows + 1000)) run "$@" >/dev/null
	sent=$((sent + flows + 1000))
	for try in 1 2 3; do
		first=$(run "$@")
		sent=$((sent + packets))
		slabs
		second=$(run "$@")
		sent=$((sent + packets))
		# Something else ran in between; a third disagreement is for report to refuse.
		! agree "$first" "$second" || break
	done
	printf 'row\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$path" "$what" "$frame" "$flows" "$packets" "$rounds" "$first" "$second"
	[[ $try = 1 ]] || say "# $try tries"
}

fact() { printf 'fact\t%s\t%s\t%s\n' "$@"; }

# now: nanoseconds.
now() { echo $((${EPOCHREALTIME/./} * 1000)); }

# --- situations ---

# floor_on NAME=VALUE...: empty hooks where a guard would have its own.
floor_on() { modprobe netguard_bench_floor "$@"; }
floor_off() { rmmod netguard_bench_floor; }

# guard_on GUARD [NAME=VALUE...]: this one and no other, or "all". modprobe would follow the core's softdep and load them
# all.
guard_on() {
	local file=/lib/modules/$(uname -r)/updates guard=$1
	shift

	[[ $guard != all ]] || { modprobe netguard; return; }
	[[ $guard != ctinvalid ]] || modprobe nf_conntrack
	[[ -d /sys/module/netguard ]] || insmod "$(find "$file" -name netguard.ko)"
	insmod "$(find "$file" -name "netguard_$guard.ko")" "$@"
}
guards_off() {
	local guard

	for guard in "${guards[@]}"; do
		[[ ! -d /sys/module/netguard_$guard ]] || rmmod "netguard_$guard"
	done
	[[ ! -d /sys/module/netguard ]] || rmmod netguard
}

# guarded PATH FLOOR WHAT GUARD COMMAND...: three rows: no module, empty hooks, and what GUARD says, which is words for
# guard_on.
guarded() {
	local path=$1 floor=$2 what=$3 guard=$4
	shift 4

	row "$path" 'no module' "$@"
	floor_on "$floor"
	row "$path" 'empty hook' "$@"
	floor_off
	# shellcheck disable=SC2086 # words
	guard_on $guard
	row "$path" "$what" "$@"
	guards_off
}

# events_on GUARD, events_off: the guard's tracepoints, into a ring that overwrites.
events_on() {
	local event

	for event in $tracing/events/netguard/"$1"_*/enable; do echo 1 >"$event"; done
}
events_off() { echo 0 >$tracing/events/enable; }

# conntrack_on: active, by a rule that none of the packets here meets.
conntrack_on() {
	nft add table ip active
	nft add chain ip active forward '{ type filter hook forward priority 0; }'
	nft add rule ip active forward ct state new counter
	# Nothing expires while it is measured, and the walk through the table that looks for what did is short.
	sysctl -qw net.netfilter.nf_conntrack_udp_timeout=86400 net.netfilter.nf_conntrack_udp_timeout_stream=86400 \
		net.netfilter.nf_conntrack_buckets=65536 net.netfilter.nf_conntrack_max=262144
}
conntrack_off() {
	nft delete table ip active
	conntrack -F 2>/dev/null
}

# The world, all in the first namespace but for the far ends of cables (netns s):
#
#   n0 192.0.2.1      cable to n1, where packets arrive
#   d0 198.51.100.1   dummy, where packets leave
#   e0, bond0, bond0.1000 203.0.113.1    cable to p0, stack of three
#   b0 and b1 (dummy) on br0
world() {
	need veth dummy bonding 8021q bridge pktgen
	sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip netns add s
	ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip link add n0 type veth peer name n1 netns s
	ip addr add 192.0.2.1/24 dev n0
	ip link set n0 up
	ip -n s link set n1 up
	ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev n0
	n0_mac=$(cat /sys/class/net/n0/address)
	n0_hex=${n0_mac//:/}

	ip link add d0 type dummy
	ip addr add 198.51.100.1/24 dev d0
	ip link set d0 up
	ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:03 dev d0

	ip link add e0 type veth peer name p0 netns s
	ip link add bond0 type bond mode active-backup
	ip link set e0 master bond0
	ip link set bond0 up
	ip link set e0 up
	ip -n s link set p0 up
	ip link add link bond0 name bond0.1000 type vlan id 1000
	ip addr add 203.0.113.1/24 dev bond0.1000
	ip link set bond0.1000 up
	ip neigh add 203.0.113.2 lladdr 02:00:00:00:00:04 dev bond0.1000

	ip link add br0 type bridge mcast_snooping 0
	ip link add b0 type dummy
	ip link add b1 type dummy
	ip link set b0 master br0 up
	ip link set b1 master br0 up
	ip link set br0 up
	bridge_fdb 02:00:00:00:00:98 b1
	$load sink 192.0.2.1 9 &
}
bridge_fdb() { command bridge fdb add "$1" dev "$2" master static; }

# thief: e0.1000, which takes bond0.1000's frames.
thief() {
	ip link add link e0 name e0.1000 type vlan id 1000
	ip link set e0.1000 up
}
no_thief() { ip link del e0.1000; }

# Printing to a console costs more than anything that is measured here.
console_off() {
	echo N >/sys/module/printk/parameters/ignore_loglevel
	dmesg -n 1
}

# console_on: and what should have been on the console is looked for in the log.
console_on() {
	echo Y >/sys/module/printk/parameters/ignore_loglevel
	dmesg -n 8
	check 'the kernel complained of nothing' kernel_is_content
}
kernel_is_content() {
	dmesg >/tmp/kernel.log
	! vm_log_scan /tmp/kernel.log
}
