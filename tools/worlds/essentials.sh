# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is the same in every world: a host with a bond and a VLAN, the switch, one finding of every guard, ten healthy seconds.
#
#        this host                               the switch, and everybody behind it (netns sw)
#
#   bond0.1000  192.0.2.1, 2001:db8::1      192.0.2.2, 2001:db8::2  bond0.1000
#       |                                                               |
#     bond0   active-backup                                           bond0
#     /   \                                                            /   \
#   e0     e1   <-- veth, or four network cards on two hubs -->      s0     s1
#
# vm-tools: ip ping nft tcpdump ethtool
# vm-modules: bonding 8021q veth nf_tables nft_ct nf_conntrack e1000e? virtio_net? virtio_pci?
# vm-files: tools/incidents/lib.sh tools/incidents/tapdup.d/lib.sh build/tools/netguard
# vm-files: build/guest/ethsend build/guest/forge build/guest/ctflow build/guest/bulk

# shellcheck source=tools/incidents/tapdup.d/lib.sh
. tools/incidents/tapdup.d/lib.sh

in_sw() { in_ns sw "$@"; }
have_ipv6() { [[ -e /proc/net/if_inet6 ]]; }

# --- topology ---

# lag NETNS-OPTIONS LAST-BYTE PORT PORT: one side.
lag() {
	# shellcheck disable=SC2086 # none, or two words
	ip $1 -batch - <<-END
		link add bond0 type bond mode active-backup miimon 50
		link set $3 master bond0
		link set $4 master bond0
		link set bond0 type bond primary $3
		link set bond0 up
		link add link bond0 name bond0.1000 type vlan id 1000
		addr add 192.0.2.$2/24 dev bond0.1000
		link set bond0.1000 up
	END
	# shellcheck disable=SC2086
	! have_ipv6 || ip $1 addr add "2001:db8::$2/64" dev bond0.1000 nodad
}

wire() {
	local port

	if [[ $(cat /sys/class/net/*/address) = *02:00:00:00:0[01]:0* ]]; then
		nic 02:00:00:00:00:00 e0
		nic 02:00:00:00:01:01 e1
		nic 02:00:00:00:00:02 s0
		nic 02:00:00:00:01:03 s1
		# Where nobody on the hub takes whole segments, qemu 7.2 cuts what e1000e is to segment into IP fragments (those of
		# IPv6 with an IPv4 checksum in their source address): net_tx_pkt_do_sw_fragmentation().
		for port in e0 e1 s0 s1; do ethtool -K $port tso off; done
		for port in s0 s1; do ip link set $port netns sw; done
	else
		ip link add e0 type veth peer name s0 netns sw
		ip link add e1 type veth peer name s1 netns sw
	fi
}

build_host() {
	need bonding 8021q veth nf_tables nft_ct nf_conntrack e1000e virtio_pci virtio_net
	ip netns add sw
	ip -n sw link set lo up
	world_wire
	lag '' 1 e0 e1
	lag '-n sw' 2 s0 s1
	ip route add 198.51.100.0/24 via 192.0.2.2
	# By policy, as on most servers.
	echo 0 | tee /proc/sys/net/ipv4/conf/{all,bond0.1000}/accept_redirects >/dev/null
	# Conntrack is active on this side. The redirects quote no flow of it.
	nft 'table inet worlds {
		chain raw { type filter hook prerouting priority raw; icmp type redirect notrack; }
		chain in { type filter hook input priority 0; ct state new counter; }
	}'
	servers=()
	build/guest/bulk listen 443 &
	servers+=($!)
	ip netns exec sw build/guest/bulk listen 443 &
	servers+=($!)
	check 'the switch answers' wait_for 20 ping -q -c 1 -W 1 192.0.2.2
	! have_ipv6 || check 'by IPv6 too' wait_for 10 ping -q -c 1 -W 1 2001:db8::2
}

end_host() {
	local port

	kill "${servers[@]}"
	wait "${servers[@]}" 2>/dev/null
	nft delete table inet worlds
	ip link delete bond0
	# Of a veth pair the other end goes too; network cards come back.
	for port in s0 s1; do ip -n sw link set $port netns 1; done
	ip netns delete sw
	for port in e0 e1; do ip link delete $port 2>/dev/null; done
}

# --- the suite ---

guards=$(modinfo -F softdep netguard | sed 's/post://g; s/netguard_//g')

loaded() {
	local guard

	for guard in $guards; do
		[[ -d /sys/module/netguard_$guard ]] || { echo "netguard_$guard is not loaded"; return 1; }
	done
}

load_suite() {
	log_mark
	check 'modprobe netguard' modprobe netguard
	check 'loads every guard' loaded
}

# --- one finding of every guard ---

grown() { [[ $(counter "$1" "$2") -gt $3 ]]; }

# lost: percent of echo requests to the switch, which is asked for its address first, as after any pause. Questions without an
# answer would make the kernel wait before the next one.
lost() {
	ip neigh flush dev bond0.1000
	loss 192.0.2.2 "$1"
}

# A VLAN left behind on a port takes what belongs to the bond's.
find_vlansteal() {
	log_mark
	ip link add link e0 name e0.1000 type vlan id 1000
	ip link set e0.1000 up
	is 'vlansteal: every echo request is lost to the leftover VLAN' "$(lost 4)" 100
	check 'the table has the conflict' test -n "$(row vlansteal thieves thief=e0.1000 verdict=conflict)"
	check 'frames_stolen' test "$(counter vlansteal frames_stolen)" -gt 0
	check 'the log has the command that ends it' wait_for 3 logged 'ip link delete'
	param vlansteal mode rescue
	is 'in rescue mode none is lost' "$(lost 10)" 0
	param vlansteal mode detect
	ip link delete e0.1000
	is 'and none without the thief' "$(lost 4)" 0
}

# An IPv4 packet of 28 bytes that is for nobody here, and 18 bytes of garbage.
padded=ffffffffffff0200000000ee08004500001c000000004011f6a5c0000281c00002821111822200080000$(printf '5a%.0s' {1..18})

find_padstrip() {
	log_mark
	param padstrip devices e0
	in_sw build/guest/ethsend s0 3 0 "$padded"
	check 'padstrip: garbage behind short packets is stripped' wait_for 3 grown padstrip frames_stripped 2
	is 'the table names the sender' "$(field "$(row padstrip senders dev=e0)" mac)" 02:00:00:00:00:ee
	check 'the log too' wait_for 3 logged 'mac=02:00:00:00:00:ee'
	param padstrip devices ''
}

# odd PORT: a segment with SYN and FIN for a port where nobody listens.
odd() { in_sw build/guest/ctflow send src=192.0.2.2 dst=192.0.2.1 sport="$1" dport="$1" flags=SF </dev/null; }
noticed() { odd 9; nap 0.2; grown ctinvalid packets_invalid 0; }

find_ctinvalid() {
	local before resets

	# The guard looks now and then whether conntrack is active.
	check 'ctinvalid: notices that conntrack is active' wait_for 5 noticed
	# The RST that the last of them provoked is counted a moment later.
	nap 0.3
	before=$(counter ctinvalid packets_invalid) resets=$(counter ctinvalid resets_provoked)
	log_mark
	odd 7
	check 'an INVALID packet and the RST that it provoked are counted' wait_for 3 grown ctinvalid packets_invalid $((before + 1))
	is 'tied to each other' $(($(counter ctinvalid resets_provoked) - resets)) 1
	check 'the table has the reason' test -n "$(row ctinvalid flows sport=7 reason=bad_flags)"
	check 'the log too' wait_for 3 logged 'reason=bad_flags'
}

# more_than_once FILE PACKETS: three times. Twice what is sent by a card that puts no tags in: on e0 the filter looks at a tag then.
more_than_once() {
	local all

	all=$(packets "$1")
	echo "$all"
	((all == 3 * $2 || all == 3 * $2 - $2 / 2))
}

# Five echo requests and replies, each on bond0.1000, bond0 and e0.
find_tapdup() {
	local before

	before=$(counter tapdup marked)
	capture_plain /tmp/plain.pcap 'icmp[icmptype] <= 8'
	capture_once /tmp/once.pcap 'icmp[icmptype] <= 8'
	is 'tapdup: no echo request is lost under a capture' "$(loss 192.0.2.2 5)" 0
	stop_captures
	check 'tcpdump sees each packet more than once' more_than_once /tmp/plain.pcap 10
	is 'netguard capture once' "$(packets /tmp/once.pcap)" 10
	check 'marked' test $(($(counter tapdup marked) - before)) -ge 20
}

# What is longer vanishes on its way into sw.
eat() { in_sw nft "table inet eater { chain c { type filter hook prerouting priority -500; meta length > $1 drop; }; }"; }
spare() { in_sw nft delete table inet eater; }
offloads() { for port in e0 bond0 bond0.1000; do ethtool -K $port tso "$1" gso "$1" >/dev/null 2>&1; done; }
has_hole() { [[ -n $(row pathmtu paths dst=192.0.2.2 kind=blackhole) ]]; }
has_storm() { [[ -n $(row redirect routers dst=198.51.100.10 direction=received storm=yes) ]]; }

# Both wait for seconds, so they do it at the same time.
find_pathmtu_redirect() {
	local client storm

	log_mark
	offloads off
	eat 1420
	ip netns exec sw build/guest/bulk -t 60 connect 192.0.2.1 443 517 4000 >/tmp/answer 2>&1 &
	client=$!
	ip netns exec sw build/guest/forge -n 130 -g 40 192.0.2.1 5 1 "$(hex4 192.0.2.3)" "$(quote4 192.0.2.1 198.51.100.10)" &
	storm=$!
	check 'redirect: a storm is one' wait_for 15 has_storm
	check 'the log names the router' wait_for 3 logged 'router=192.0.2.2'
	wait $storm
	check 'redirects_received: all that came' wait_for 3 grown redirect redirects_received 129
	check 'pathmtu: a black hole is found' wait_for 30 has_hole
	is 'with the size that vanishes' "$(field "$(row pathmtu paths dst=192.0.2.2 kind=blackhole)" size_lost)" 1500
	check 'the log too' wait_for 3 logged 'netguard_pathmtu: '
	spare
	offloads on
	kill $client
	wait $client 2>/dev/null
}

find_all() {
	find_vlansteal
	find_padstrip
	find_ctinvalid
	find_tapdup
	find_pathmtu_redirect
}

# --- healthy ---

# What none of them may count when nothing is wrong.
findings() {
	local guard name

	while read -r guard name; do
		echo "$guard $name $(counter "$guard" "$name")"
	done <<-'END'
		vlansteal thieves
		vlansteal frames_stolen
		vlansteal frames_lost
		vlansteal rescue_failed
		vlansteal frames_leaked
		padstrip frames_nonzero
		padstrip frames_malformed
		ctinvalid packets_invalid
		ctinvalid resets_provoked
		tapdup rx_duplicates
		tapdup tx_duplicates
		pathmtu frag_needed_received
		pathmtu frag_needed_self
		pathmtu oversize_without_gso
		pathmtu blackhole_suspects
		redirect redirects_received
		redirect redirects_sent
		redirect storms
	END
}

# found_nothing_since FINDINGS: shows what has moved.
found_nothing_since() { diff <(echo "$1") <(findings); }

# transfers SECONDS ADDRESS COMMAND...: one after the other for so long, 100 kB each way; how many came whole, and did not.
transfers() {
	local until=$((SECONDS + $1)) address=$2 whole=0 broken=0
	shift 2

	while ((SECONDS < until)); do
		if "$@" build/guest/bulk connect "$address" 443 100000 100000 >/dev/null; then
			whole=$((whole + 1))
		else
			broken=$((broken + 1))
		fi
	done
	echo $whole $broken
}

received_by() { echo "$(<"/sys/class/net/$1/statistics/rx_bytes")"; }

healthy() {
	local before bytes lost whole broken sum=0 family families=(out in) traffic=()

	# What the last finding left behind comes to its end.
	nap 1
	log_mark
	before=$(findings) bytes=$(received_by bond0.1000)
	transfers 10 192.0.2.2 env >/tmp/out &
	traffic+=($!)
	transfers 10 192.0.2.1 in_sw >/tmp/in &
	traffic+=($!)
	if have_ipv6; then
		transfers 10 2001:db8::2 env >/tmp/out6 &
		traffic+=($!)
		families+=(out6)
	fi
	lost=$(loss 192.0.2.2 60 -i 0.15)
	wait "${traffic[@]}"
	bytes=$(($(received_by bond0.1000) - bytes))
	is 'ten healthy seconds: no echo request is lost' "$lost" 0
	for family in "${families[@]}"; do
		read -r whole broken <"/tmp/$family"
		sum=$((sum + whole))
		check "transfers $family: $whole of 100 kB each way came whole" test "$whole" -gt 0 -a "$broken" = 0
	done
	check "by the bond, which received $bytes bytes" test $bytes -gt $((sum * 100000))
	check 'nothing is found' found_nothing_since "$before"
	is 'and nothing logged' "$(log_since_mark | grep netguard_)" ''
}

unload_suite() {
	local traffic bytes status whole broken

	transfers 3 192.0.2.2 env >/tmp/unload &
	traffic=$!
	nap 0.5
	bytes=$(received_by bond0.1000)
	modprobe -r netguard
	status=$?
	bytes=$(($(received_by bond0.1000) - bytes))
	wait $traffic
	read -r whole broken </tmp/unload
	is 'modprobe -r netguard' $status 0
	check 'nothing is left of it' test ! -e /sys/module/netguard
	check "under traffic: $bytes bytes came meanwhile" test $bytes -gt 0
	check "of which nothing was lost, $whole transfers came whole" test "$whole" -gt 0 -a "$broken" = 0
}
