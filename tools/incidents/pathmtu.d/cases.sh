# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What must hold besides the story; sourced by tools/incidents/pathmtu.

rows() { wc -l <$ng_debugfs/pathmtu/paths; }
rows_gone() { [[ $had -gt 0 && $(rows) = 0 ]]; }
# quote6 SOURCE DESTINATION: as quote4.
quote6() { printf '6000000005b40640%s%s%s' "$(hex6 "$1")" "$(hex6 "$2")" 01bb889900000001; }
host6=2001:0db8:0001:0000:0000:0000:0000:0010
peer6=2001:0db8:0002:0000:0000:0000:0000:0010

# mib NETNS FILE GROUP NAME: what the namespace itself has counted, in /proc/net/snmp or netstat.
# shellcheck disable=SC2016 # awk's
mib() { in_ns "$1" awk -v group="$3:" -v name="$4" '$1 == group && !n { n = split($0, names); next } $1 == group { for (i = 1; i <= n; i++) if (names[i] == name) print $i }' "/proc/net/$2"; }
# resent: how many TCP segments host has sent again. accepted: how many connections peer has.
resent() { mib host snmp Tcp RetransSegs; }
accepted() { mib peer snmp Tcp PassiveOpens; }
# shut: how often peer had no room left for what it does not read.
shut() { mib peer netstat TcpExt TCPToZeroWindowAdv; }
# eaten: how many packets the rule with a counter has dropped.
eaten() { in_router nft list ruleset | awk '{ for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n + 0 }'; }
# eaten_later: the same, once peer has answered. It died, then, and did not just never live.
eaten_later() { if [[ $(accepted) -gt $opened ]]; then eaten; else echo 0; fi; }
# bytes_of NETNS DEVICE: what it has received.
# shellcheck disable=SC2016
bytes_of() { in_ns "$1" awk -v device="$2:" '$1 == device { print $2 }' /proc/net/dev; }

# wake: makes sure that the hooks are on in host, or a missing alarm would prove nothing.
wake() {
	in_router $forge 192.0.2.10 3 3 0 "$(quote4 192.0.2.10 198.51.100.10)"
	in_host $forge 127.0.0.1 3 3 0 "$(quote4 127.0.0.1 127.0.0.1)"
	wait_for 3 at_least netns_watched 1
}

alarms() { echo "$(counter pathmtu blackhole_suspects) $(counter pathmtu oversize_without_gso) $(counter pathmtu frag_needed_self)"; }
# quiet SENTENCE LEAST ARRIVED COMMAND...: no alarm while the command ran; ARRIVED as unmoved takes it.
quiet() { unmoved "$1" alarms "${@:2}"; }

act 'No false alarm'
wake

lossy() {
	eat 'numgen random mod 100 < 20 drop'
	show in_host $bulk -t 40 connect 198.51.100.10 443 150000 1000
	show in_peer $bulk -t 40 connect 192.0.2.10 443 517 100000
	spare
}
quiet 'a path that loses 20 % of everything is no black hole' 10 resent lossy

eat 'ip daddr 198.51.100.77 counter drop'
to_nobody() { in_host $bulk -t 4 connect 198.51.100.77 443 5000 1000 >/dev/null 2>&1; }
quiet 'nor is a peer that never answers' 2 eaten to_nobody
spare
# dying AFTER PAUSE BYTES: peer answers, and is silent from some time on.
dying() {
	(sleep "$1"; eat 'counter drop') &
	local cut=$!

	in_host $bulk -t 8 -p "$2" connect 198.51.100.10 443 "$3" 1000 >/dev/null 2>&1
	wait $cut
}
opened=$(accepted)
quiet 'nor one that answered and then dies, before much is sent' 3 eaten_later dying 0.7 1500 60000
spare
opened=$(accepted)
quiet 'nor one that dies in the middle of a transfer' 3 eaten_later dying 1 0 800000000
spare

to_busy() { in_host $bulk -t 30 connect 198.51.100.10 443 3000000 1000 4000 >/dev/null; }
quiet 'nor is a peer that does not read for four seconds' 1 shut to_busy

in_host $bulk probe 198.51.100.10 4433 1500 1400 1300
in_host $bulk probe 2001:db8:2::10 4433 1500 1400 1300
eat 'meta length > 1420 counter drop'
probing() {
	in_host $bulk probe 198.51.100.10 4433 1500 1480 1460 1440 1420
	in_host $bulk probe 2001:db8:2::10 4433 1500 1480 1460 1440 1420
}
quiet 'UDP that looks for the MTU itself, as QUIC does, raises no alarm' 8 eaten probing
spare

over_loopback() {
	in_host $bulk connect 127.0.0.1 443 3000000 1000 >/dev/null
	in_host $bulk connect ::1 443 3000000 1000 >/dev/null
}
quiet 'nor does loopback' 6000000 'bytes_of host lo' over_loopback

offloads on
for link in host:to-router router:to-host router:to-peer peer:to-router; do
	ip -n "${link%:*}" link set "${link#*:}" mtu 9000
done
to_peer() { in_host $bulk connect 198.51.100.10 443 3000000 1000 >/dev/null; }
quiet 'nor do jumbo frames' 3000000 'bytes_of peer to-router' to_peer
for link in host:to-router router:to-host router:to-peer peer:to-router; do
	ip -n "${link%:*}" link set "${link#*:}" mtu 1500
done
quiet 'nor segmentation offload on veth' 3000000 'bytes_of peer to-router' to_peer

# Two real drivers on one cable, the far end in peer.
nics=()
for nic in /sys/class/net/*; do
	[[ $(readlink "$nic/device/driver") != *e1000e ]] || nics+=("${nic##*/}")
done
if [[ ${#nics[@]} = 2 ]]; then
	ip link set "${nics[0]}" netns host
	ip link set "${nics[1]}" netns peer
	ip -n host addr add 203.0.113.1/24 dev "${nics[0]}"
	ip -n peer addr add 203.0.113.2/24 dev "${nics[1]}"
	ip -n host link set "${nics[0]}" up
	ip -n peer link set "${nics[1]}" up
	check 'the e1000e pair is up' wait_for 10 in_host ping -q -c 1 -W 1 203.0.113.2
	is 'it has TSO' "$(in_host ethtool -k "${nics[0]}" | awk '$1 == "tcp-segmentation-offload:" { print $2 }')" on
	quiet 'nor TSO on e1000e' 1000000 "bytes_of peer ${nics[1]}" \
		show in_host $bulk -t 30 connect 203.0.113.2 443 1000000 1000
else
	not_ok 'two e1000e are there'
fi
check 'all that time the hooks were on' at_least netns_watched 1
offloads off

act 'Path MTU discovery that works'
ip -n router link set to-peer mtu 1400
quiet 'a message from a router is counted, and is no alarm' 1 'counter pathmtu frag_needed_received' \
	show in_host $bulk connect 198.51.100.10 443 20000 1000
check 'with the router, the destination and the MTU that it named' \
	has_row "netns=$host_inum" dst=198.51.100.10 kind=router reported_by=192.0.2.1 pmtu=1400 size_lost=1500
quiet 'nor is one of IPv6' 1 'counter pathmtu frag_needed_received' show in_host $bulk connect 2001:db8:2::10 443 20000 1000
check 'which gives the same row' \
	wait_for 3 has_row "netns=$host_inum" dst=2001:db8:2::10 kind=router reported_by=2001:db8:1::1 pmtu=1400 size_lost=1500
ip -n router link set to-peer mtu 1500

act 'IPv6'
ip -n host route flush cache
ip -n host -6 route flush cache
eat 'ip6 length > 1380 drop'
known=$(alarms)
in_peer $bulk -t 60 connect 2001:db8:1::10 443 517 4000 >/tmp/answer6 &
client=$!
check 'a black hole for IPv6 is suspected' wait_for 20 has_row "netns=$host_inum" dst=2001:db8:2::10 kind=blackhole size_lost=1500 size_ok=1216
is 'and counted once' "$(($(counter pathmtu blackhole_suspects) - ${known%% *}))" 1
in_host sysctl -q net.ipv4.tcp_mtu_probing=1
check 'the other fix, tcp_mtu_probing=1, makes it flow' wait_for 30 test -s /tmp/answer6
wait "$client"
spare
in_host sysctl -q net.ipv4.tcp_mtu_probing=0
known=$(alarms)

act 'A bulk transfer with nothing small in it'
eat 'ip length > 1420 drop'
in_host $bulk -t 6 connect 198.51.100.10 443 500000 1000 >/dev/null 2>&1
check 'the black hole is found though the peer never says a word' \
	wait_for 5 at_least blackhole_suspects $((${known%% *} + 1))
spare
known=$(alarms)

if [[ $has_lwt ]]; then
	act 'The lost GSO size with IPv6'
	offloads on
	ip -n host link set to-router gso_max_size 12000
	ip -n host -6 rule add fwmark 7 table 77
	ip -n host -6 route add default via 2001:db8:1::1 table 77
	ip -n host route add 2001:db8:2::10 via 2001:db8:1::1 encap bpf xmit pinned /tmp/bpf/gsoloss
	in_host $bulk -t 3 connect 2001:db8:2::10 443 100000 100 >/dev/null 2>&1
	check 'packets without GSO size are named' \
		wait_for 3 has_row "netns=$host_inum" dst=2001:db8:2::10 kind=self reported_by=2001:db8:1::10 pmtu=1500
	ip -n host route del 2001:db8:2::10
	offloads off
fi

act 'Forged and truncated'
before=$(rows) malformed=$(counter pathmtu frag_needed_malformed) received=$(counter pathmtu frag_needed_received)
good4=$(quote4 192.0.2.10 203.0.113.9) good6=$(quote6 $host6 $peer6)
in_router $forge 192.0.2.10 3 4 578
in_router $forge 192.0.2.10 3 4 578 "${good4:0:38}"
in_router $forge 192.0.2.10 3 4 578 "6${good4:1}"
in_router $forge 192.0.2.10 3 4 578 "41${good4:2}"
in_router $forge 192.0.2.10 3 4 578 "$(quote4 203.0.113.7 203.0.113.9)"
in_router $forge 2001:db8:1::10 2 0 578
in_router $forge 2001:db8:1::10 2 0 578 "${good6:0:78}"
in_router $forge 2001:db8:1::10 2 0 578 "4${good6:1}"
in_router $forge 2001:db8:1::10 2 0 578 "$(quote6 $peer6 $peer6)"
is 'reports that are cut short or quote what this host never sent are called malformed' \
	"$(($(counter pathmtu frag_needed_malformed) - malformed))" 9
is 'they are in the total, and make no row' "$(($(counter pathmtu frag_needed_received) - received)) $(rows)" "9 $before"
in_router $forge 192.0.2.10 3 4 0 "$good4"
check 'a router that names no MTU is one from before RFC 1191' has_row "netns=$host_inum" dst=203.0.113.9 pmtu=0
evicted=$(counter pathmtu paths_evicted)
in_router $forge -n 1500 -v 38 2001:db8:1::10 2 0 578 "$(quote6 $host6 2001:0db8:0002:0000:0000:0000:0003:0000)"
is 'reports on 1500 destinations do not grow the table beyond 1024 rows' "$(rows)" 1024
check 'what had to make room is counted' test $(($(counter pathmtu paths_evicted) + $(counter pathmtu paths_missed))) -ge $((evicted + 1500 - 1024))

act 'Unloading under traffic'
eat 'numgen random mod 100 < 20 drop'
# Not by in_host and in_router, whose processes would be shells, and what they started would outlive those.
ip netns exec host $bulk -t 20 connect 198.51.100.10 443 800000000 1000 >/dev/null 2>&1 &
load=$!
ip netns exec router $forge -n 30000 192.0.2.10 3 4 578 "$good4" &
flood=$!
unloads=0
for _ in 1 2 3; do
	modprobe netguard_pathmtu 2>/dev/null
	wait_for 4 at_least netns_watched 1 && rmmod netguard_pathmtu && unloads=$((unloads + 1))
done
kill $flood $load 2>/dev/null
wait $flood $load 2>/dev/null
spare
is 'the module goes at once, three times, while its hooks have work' "$unloads" 3

act 'A healthy host pays nothing'
tracing=/sys/kernel/tracing
# calls: how often the kernel called the hooks during some pings, says its function tracer.
calls() {
	echo nop >$tracing/current_tracer
	echo 'pathmtu_*:mod:netguard_pathmtu' >$tracing/set_ftrace_filter || return
	echo function >$tracing/current_tracer
	in_host ping -q -c 5 -i 0.05 -W 2 127.0.0.1 >/dev/null || echo 'no echo'
	grep -cE 'pathmtu_(in|out|post)' $tracing/trace
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
}
# Whatever still retransmits from before has an end now.
ip netns pids peer | xargs -r kill
ip netns pids host | xargs -r kill
sleep 1
modprobe netguard_pathmtu
sleep 1.2
if ! watched 0; then
	wait_for 80 watched 0
fi
is 'at rest no hook is attached' "$(counter pathmtu netns_watched)" 0
if [[ -w $tracing/set_ftrace_filter ]]; then
	is 'the kernel calls nothing of the guard' "$(calls)" 0
else
	skip 'the kernel calls nothing of the guard at rest' 'this kernel has no function tracer'
fi
unread=$(counter pathmtu unreachables_unread) received=$(counter pathmtu frag_needed_received)
in_router $forge 192.0.2.10 3 4 578 "$good4"
in_router $forge 2001:db8:1::10 2 0 578 "$good6"
started=${EPOCHREALTIME/./}
some_watched() { [[ $(counter pathmtu netns_watched) -ge 1 ]]; }
check 'trouble switches the hooks on' wait_for 3 some_watched
took=$(((${EPOCHREALTIME/./} - started) / 1000))
timely() { some_watched && [[ $took -le $((1000 + 500 * slow)) ]]; }
check "within a second (it took $took ms)" timely
is 'the packet-too-big from before the hooks is in the totals' "$(($(counter pathmtu frag_needed_received) - received))" 1
is 'the ICMP message, of which the kernel keeps no code, is in a total of its own' \
	"$(($(counter pathmtu unreachables_unread) - unread))" 1
if [[ -w $tracing/set_ftrace_filter ]]; then
	check 'now the kernel calls the hooks' test "$(calls)" -ge 10
fi
in_router $forge 192.0.2.10 3 4 578 "$good4"
started=${EPOCHREALTIME/./}
check 'what comes with the hooks on is not counted twice' \
	wait_for 2 counts frag_needed_received $((received + 2))
check 'and makes a row' has_row "netns=$host_inum" dst=203.0.113.9 kind=router
on=$(counter pathmtu netns_watched)
gone_off() { [[ $on -ge 1 ]] && watched 0; }
ip netns del peer
ip netns del router
unhooks_begin
check "the hooks of $on namespaces have nothing to do when nothing has moved for a minute" wait_for 80 gone_off
took=$(((${EPOCHREALTIME/./} - started) / 1000))
check "not earlier and not much later (it took $took ms)" test "$took" -ge 59000 -a "$took" -le $((60000 + 4000 * slow))
if [[ -w $tracing/set_ftrace_filter ]]; then
	is 'but stay: unregistering one would drop what waits in an NFQUEUE' "$(unhooks_end)" 0
fi
had=$(rows)
ip netns del host
check "the rows of a namespace go with it ($had)" wait_for 20 rows_gone
rmmod netguard_pathmtu
