# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # guards and updates are the guest script's
#
# Random frames through all guards, in all modes. What goes in comes out, or a counter says where it went.
#
#   far                    guest                                            far
#   g0 ---- h0 - bond0 - br0 - h1 ------------------------------------ g1    switched: the stack drops nothing
#           h0.10 steals VLAN 10 from br0
#   g2 ---- h2 - conntrack, NAT, routes - h3 --------------------------- g3    routed
#
# Frames that go in: what h0 received. Those that come out: what h1 sent. VLAN tags are in the frames on all veths.

declare -A was=() now=()

# fuzz_snapshot ARRAY: all that is counted, now.
# shellcheck disable=SC2034 # the array is somebody else's
fuzz_snapshot() {
	local name value guard rule
	local cpu=()
	local -n into=$1

	for name in h0.rx_packets h0.rx_bytes h0.rx_dropped h1.tx_packets h1.tx_bytes h1.tx_dropped bond0.rx_dropped; do
		into["$name"]=$(<"/sys/class/net/${name%.*}/statistics/${name#*.}")
	done
	for guard in vlansteal padstrip ctinvalid tapdup; do
		while read -r name value; do
			into[$guard.$name]=$value
		done <"$ng_debugfs/$guard/counters"
	done
	# How many packets each rule has counted, by its comment.
	while read -r rule value; do
		into["$rule"]=$value
	done <<<"$(nft list table inet torture | sed -n 's/.*counter packets \([0-9]*\) .*comment "\(.*\)".*/\2 \1/p')"
	# Hexadecimal, a line for each CPU.
	value=0
	while read -ra cpu; do
		[[ ${cpu[0]} = entries ]] || value=$((value + 16#${cpu[10]}))
	done </proc/net/stat/nf_conntrack
	into[conntrack.drop]=$value
}
fuzz_grown() { echo $((${now[$1]} - ${was[$1]})); }

fuzz_world() {
	local device

	sysctl -q -w net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.netfilter.nf_conntrack_max=200000 \
		net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0
	ip netns add far
	in_ns far sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	for device in 0 1 2 3; do
		ip link add h$device address 02:00:00:00:01:0$device type veth peer name g$device netns far
		in_ns far ip link set g$device up
	done
	ip link add bond0 type bond mode active-backup miimon 100
	ip link set h0 master bond0
	ip link add br0 type bridge mcast_snooping 0
	ip link set bond0 master br0
	ip link set h1 master br0
	for device in h0 h1 h2 h3 bond0 br0; do
		ethtool -K $device rxvlan off txvlan off tx-vlan-stag-hw-insert off >/dev/null 2>&1
		ip link set $device up
	done
	bridge fdb add 02:00:00:00:00:77 dev h1 master static
	sysctl -q -w net.ipv6.conf.h2.disable_ipv6=0 net.ipv6.conf.h3.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
	ip addr add 198.51.100.254/24 dev h2
	ip addr add 2001:db8:0:1::ff/64 dev h2 nodad
	ip addr add 203.0.113.254/24 dev h3
	ip addr add 2001:db8:0:2::ff/64 dev h3 nodad
	for device in 1 2 3 4; do
		ip neigh add 203.0.113.$device lladdr 02:00:00:00:00:78 dev h3
		ip neigh add 198.51.100.$device lladdr 02:00:00:00:00:79 dev h2
		ip neigh add 2001:db8:0:2::$device lladdr 02:00:00:00:00:78 dev h3
		ip neigh add 2001:db8:0:1::$device lladdr 02:00:00:00:00:79 dev h2
	done
	# Right before conntrack and right behind ctinvalid; at both ends of what is delivered.
	nft -f - <<-'END'
		table inet torture {
			chain before { type filter hook prerouting priority -201; counter comment "before"; }
			chain behind {
				type filter hook prerouting priority -198
				counter comment "behind"
				meta mark & 0x40000000 != 0 counter comment "marked"
			}
			chain outbefore { type filter hook output priority -201; counter comment "outbefore"; }
			chain outbehind { type filter hook output priority -198; counter comment "outbehind"; }
			chain first { type filter hook input priority -2000000000; counter comment "first"; }
			chain last { type filter hook input priority 2000000000; counter comment "last"; }
			chain nat { type nat hook postrouting priority 100; oifname "h3" masquerade; }
		}
	END
	check 'the bond is up' wait_for 10 fuzz_bond_is_up
}

fuzz_bond_is_up() { [[ $(</sys/class/net/bond0/operstate) = up ]]; }
fuzz_is_watched() { [[ $(counter tapdup devices_watched) != 0 ]]; }

# fuzz_round SEED FRAMES VLANSTEAL PADSTRIP TX CTINVALID TAPDUP CAPTURE
fuzz_round() {
	local seed=$1 frames=$2 bytes missing capture=
	local title="vlansteal $3, padstrip $4 and tx_zero_pad $5, ctinvalid $6, tapdup $7${8:+ while somebody captures}"

	param vlansteal mode "$3"
	param padstrip mode "$4"
	param padstrip tx_zero_pad "$5"
	param ctinvalid mode "$6"
	param tapdup mode "$7"
	if [[ -n $8 ]]; then
		build/guest/traffic capture 100000 &
		capture=$!
		check "the capture is noticed ($title)" wait_for 10 fuzz_is_watched
	fi
	sleep 1
	fuzz_snapshot was
	begin "fuzz: $title"
	in_ns far build/guest/fuzz "$seed" $((frames / 2)) g0 02:00:00:00:00:77 02:00:00:00:00:31 >/dev/null
	sleep 1
	fuzz_snapshot now
	missing=$(($(fuzz_grown h0.rx_packets) - $(fuzz_grown h1.tx_packets) - $(fuzz_grown h1.tx_dropped)))
	bytes=$(($(fuzz_grown h0.rx_bytes) - $(fuzz_grown h1.tx_bytes)))
	say "# $title:"
	say "# $(fuzz_grown h0.rx_packets) frames in, $(fuzz_grown h1.tx_packets) out; stolen $(fuzz_grown vlansteal.frames_stolen)," \
		"rescued $(fuzz_grown vlansteal.frames_rescued); non-zero padding $(fuzz_grown padstrip.frames_nonzero)," \
		"stripped $(fuzz_grown padstrip.frames_stripped), zeroed $(fuzz_grown padstrip.frames_zeroed)," \
		"padded $(fuzz_grown padstrip.tx_padded); duplicates $(fuzz_grown tapdup.rx_duplicates)"
	check "all frames were sent ($title)" test "$(fuzz_grown h0.rx_packets)" -ge $((frames / 2))
	is "switched frames come out, or the thief took them ($title)" "$missing" \
		"$(($(fuzz_grown vlansteal.frames_stolen) + $(fuzz_grown vlansteal.frames_lost)))"
	[[ $3 = detect ]] || is "and in mode rescue it took none ($title)" "$missing" 0
	[[ $3$5 != rescue0 ]] ||
		is "what bytes are missing was padding that was cut off ($title)" "$bytes" "$(fuzz_grown padstrip.bytes_stripped)"

	in_ns far build/guest/fuzz "$((seed + 1))" $((frames - frames / 2)) g2 02:00:00:00:01:02 02:00:00:00:00:31 >/dev/null
	sleep 1
	fuzz_snapshot now
	if [[ -n $capture ]]; then
		kill "$capture"
		wait "$capture" 2>/dev/null
	fi
	say "# $((frames - frames / 2)) frames to route; INVALID $(fuzz_grown ctinvalid.packets_invalid)," \
		"dropped $(fuzz_grown ctinvalid.dropped_by_netguard)"
	# Conntrack drops what it has no memory or no place for, here or where it would confirm it.
	missing=$(($(fuzz_grown before) - $(fuzz_grown behind) + $(fuzz_grown outbefore) - $(fuzz_grown outbehind)
		- $(fuzz_grown ctinvalid.dropped_by_netguard)))
	check "routed packets are there behind conntrack, or were dropped as INVALID ($title)" \
		test "$missing" -ge 0 -a "$missing" -le "$(fuzz_grown conntrack.drop)"
	is "nothing that is delivered gets lost ($title)" "$(fuzz_grown first)" "$(fuzz_grown last)"
	is "nobody sees the mark of tapdup ($title)" "$(fuzz_grown marked)" 0
}

# torture_fuzz SEED FRAMES
torture_fuzz() {
	local seed=$1 frames=$(($2 / 6)) guard

	need bonding 8021q bridge veth nf_conntrack
	busybox insmod "$updates/netguard.ko" && load "${guards[@]}"
	param padstrip devices 'h*'
	fuzz_world
	ip link add link h0 name h0.10 up type vlan id 10
	ip link set h0.10 up
	fuzz_round $((seed)) $frames detect strip 0 log mark ''
	fuzz_round $((seed + 2)) $frames rescue detect 1 drop count yes
	fuzz_round $((seed + 4)) $frames detect zero 1 heal mark yes
	fuzz_round $((seed + 6)) $frames rescue strip 0 log mark yes
	fuzz_round $((seed + 8)) $frames detect detect 0 drop count ''
	fuzz_round $((seed + 10)) $((frames + $2 % 6)) rescue zero 0 heal mark ''
	for guard in "${guards[@]}"; do
		say "# $guard: $(awk '$2 { printf "%s %s, ", $1, $2 }' "$ng_debugfs/$guard/counters")"
	done
	check 'all guards unload' unload "${guards[@]}"
	check 'and the core' busybox rmmod netguard
	nft flush ruleset
	ip link del h0.10
	ip netns del far
	ip link del br0
	ip link del bond0
}
