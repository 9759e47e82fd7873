# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# A tenant with thousands of VLANs: WORLD_VLANS (default 1000, 4094 is all there are) above a bond, as many on its port, and a
# packet socket. How long netguard holds RTNL then, against the same without it, and what it keeps.
#
# vm-tools: ip ping tcpdump setpriv unshare
# vm-modules: bonding veth 8021q dummy
# vm-files: tools/incidents/lib.sh tools/incidents/tapdup.d/lib.sh build/tools/netguard build/guest/load

# shellcheck source=tools/incidents/tapdup.d/lib.sh
. tools/incidents/tapdup.d/lib.sh

vlans=${WORLD_VLANS:-1000}

# A shell that lives in the tenant's namespace, as nobody, and does what it is told.
vlans_move_in() {
	rm -f /tmp/vlans.in /tmp/vlans.out
	mkfifo -m 666 /tmp/vlans.in
	: >/tmp/vlans.out
	: >/tmp/vlans.count
	chmod 666 /tmp/vlans.out /tmp/vlans.count
	exec {vlans_fd}<>/tmp/vlans.in
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn bash </tmp/vlans.in >/dev/null 2>/tmp/vlans.err {vlans_fd}>&- &
	vlans_pid=$!
	tenant_does 'ip link set lo up'
	# Goes when the tenant's devices go.
	ip link add witness type veth peer name witness netns "$vlans_pid"
}
vlans_gone() { [[ ! -e /sys/class/net/witness ]]; }

# tenant_does COMMAND: returns when that is done.
tenant_does() {
	: >/tmp/vlans.out
	echo "$1; echo done >/tmp/vlans.out" >&"$vlans_fd"
	wait_for 300 test -s /tmp/vlans.out || not_ok "the tenant's command ends: $1"
}

vlans_batch() {
	local vid

	printf 'link add name %s\n' 'b type bond' 'd type dummy'
	echo 'link set dev d master b'
	for ((vid = 1; vid <= vlans; vid++)); do echo "link add link b name b.$vid type vlan id $vid"; done
	for ((vid = 1; vid <= vlans; vid++)); do echo "link add link d name d.$vid type vlan id $vid"; done
}

netguard_memory() { awk '$1 == "Slab:" || $1 == "Percpu:" || $1 == "VmallocUsed:" { sum += $2 } END { print sum }' /proc/meminfo; }

# vlans_hold WHAT COMMAND...: the longest hold of RTNL meanwhile, in microseconds, into holds[WHAT].
declare -A holds
vlans_hold() {
	local what=$1 held count
	shift

	read -r held count <<<"$(rtnl "$@")"
	# Without netguard nobody needs RTNL when a packet socket is opened.
	((count > 0)) || [[ $what = capture ]] || not_ok "it is seen how long RTNL is held: $what"
	holds[$what]=$held
}

# vlans_live: the tenant's life, and what it cost.
vlans_live() {
	vlans_batch >/tmp/vlans.batch
	vlans_move_in
	slab_settle
	memory[begin]=$(netguard_memory)
	vlans_hold create tenant_does 'ip -batch /tmp/vlans.batch; ip -o link | grep -c "[bd][.].*@" >/tmp/vlans.count'
	is 'the tenant has his VLANs' "$(</tmp/vlans.count)" $((2 * vlans))
	slab_settle
	memory[created]=$(($(netguard_memory) - memory[begin]))
	tenant_does '/netguard/build/guest/load packet & packet=$!'
	vlans_hold capture sleep 3
	slab_settle
	memory[captured]=$(($(netguard_memory) - memory[begin]))
}
declare -A memory

vlans_end() {
	# shellcheck disable=SC2016 # for the shell there
	tenant_does 'kill $packet'
	vlans_hold end vlans_leave
	check 'the tenant is gone with his devices' vlans_gone
	exec {vlans_fd}>&-
	wait "$vlans_pid"
}
vlans_leave() {
	echo exit >&"$vlans_fd"
	wait_for 60 vlans_gone
	nap 0.5
}

world_begin() {
	local what

	need bonding veth 8021q dummy
	ip netns add road
	ip link add own type bond mode active-backup miimon 50
	ip link add o0 type veth peer name r0 netns road
	ip link set o0 master own
	ip link set own up
	ip addr add 203.0.113.1/24 dev own
	ip -n road link set r0 up
	ip -n road addr add 203.0.113.2/24 dev r0
	check 'the road answers' wait_for 20 ping -q -c 1 -W 1 203.0.113.2
	vlans_live
	vlans_end
	for what in "${!holds[@]}"; do without[$what]=${holds[$what]}; done
	for what in "${!memory[@]}"; do memory_without[$what]=${memory[$what]}; done
}
declare -A without memory_without

# The guest's clock counts instructions (tools/worlds/table), four nanoseconds each, so that it does not matter what else runs
# here. Two million is what netguard may add.
vlans_slack=8000
no_longer() { ((holds[$1] - without[$1] <= vlans_slack)); }

world_check() {
	local what before rows

	log_mark
	vlans_live
	rows=$(wc -l <"$ng_debugfs/vlansteal/thieves")
	say "   $vlans VLANs above a bond and as many on its port: $rows rows, $(log_since_mark | grep -c netguard_) lines."
	check 'devices are watched while the packet socket is open' test "$(counter tapdup devices_watched)" -ge "$vlans"
	check 'the conflicts are counted' test "$(counter vlansteal conflicts)" -ge "$vlans"
	# Ten and a count of the rest, for each time that ten more were allowed.
	say "   Memory, KiB, without netguard and with it: VLANs ${memory_without[created]} ${memory[created]}, and a packet socket ${memory_without[captured]} ${memory[captured]}."
	check 'netguard keeps less than 8 MiB for them' test $((memory[captured] - memory_without[captured])) -lt 8192

	begin_capture /tmp/own.log build/tools/netguard capture -w /tmp/own.pcap 'icmp[icmptype] <= 8 and host 203.0.113.2'
	nap 1
	before=$(counter tapdup marked)
	is 'no echo request of the host is lost' "$(loss 203.0.113.2 5)" 0
	stop_captures
	say "   The host's capture has $(packets /tmp/own.pcap) packets, $(($(counter tapdup marked) - before)) copies were marked."
	if ((2 * vlans >= 4096)); then
		xfail 18 "the host's own capture has each packet once" test "$(packets /tmp/own.pcap)" = 10
	else
		is "the host's own capture has each packet once" "$(packets /tmp/own.pcap)" 10
	fi

	vlans_end
	for what in create capture end; do
		say "   The longest hold of RTNL, $what: ${without[$what]} us without netguard, ${holds[$what]} us with it."
	done
	check 'VLANs come: RTNL is held no longer than without netguard' no_longer create
	check 'a packet socket is opened: likewise' no_longer capture
	xfail 18 'the namespace ends: likewise' no_longer end
}

world_end() {
	ip link delete own
	ip netns delete road
	ip link delete o0 2>/dev/null
	wait_for 10 fails test -e /sys/class/net/o0
}
