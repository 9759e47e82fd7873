# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # net: the incident script's
#
# Every kind of stack at once, one capture over all of them. Device x here has its other end fx in netns far (or fx in
# far2, where it says so); subnet k has 203.0.113.(8k+1) here and .(8k+2) there.

here() { echo "203.0.113.$((8 * $1 + 1))"; }
there() { echo "203.0.113.$((8 * $1 + 2))"; }

declare -A batch
# on NETNS COMMAND...: one for ip, which is slow to start in a guest and so gets many at a time, from carry_out.
on() { batch[$1]+="${*:2}"$'\n'; }

# carry_out: home first, which makes the devices that the others have the ends of.
carry_out() {
	local netns

	for netns in home far far2 box; do
		[[ -z ${batch[$netns]:-} ]] || ip -n $netns -batch - <<<"${batch[$netns]}"
	done
	batch=()
}

# wire NAME [NETNS]: a pair of devices, the other end in NETNS.
wire() {
	on home link add "$1" type veth peer name "f$1" netns "${2:-far}"
	on home link set "$1" up
	on "${2:-far}" link set "f$1" up
}

# addresses K DEV FARDEV [NETNS]: puts subnet K on both.
addresses() {
	on home address add "$(here "$1")/29" dev "$2"
	on home link set "$2" up
	on "${4:-far}" address add "$(there "$1")/29" dev "$3"
	on "${4:-far}" link set "$3" up
}

# ports NETNS BOND PORT...: they have to be down for it.
ports() {
	local port

	for port in "${@:3}"; do
		on "$1" link set "$port" down
		on "$1" link set "$port" master "$2"
		on "$1" link set "$port" up
	done
}

# lag NAME TYPE PORT...: over these, with a bridge fNAME on the other side.
lag() {
	local lag=$1 kind=$2 port
	shift 2

	on home link add "$lag" type "$kind"
	if [[ $kind = team ]]; then
		carry_out
		teamnl "$lag" setoption mode roundrobin
	fi
	for port; do wire "$port"; done
	ports home "$lag" "$@"
	on home link set "$lag" up
	on far link add "f$lag" type bridge
	for port; do on far link set "f$port" master "f$lag"; done
	on far link set "f$lag" up
}

# vlan NETNS LOWER ID [PROTO]
vlan() {
	on "$1" link add link "$2" name "$2.$3" type vlan id "$3" protocol "${4:-802.1Q}"
	on "$1" link set "$2.$3" up
}

build_stacks() {
	local port

	need team team_mode_roundrobin macvlan veth
	ip netns add far
	ip netns add far2
	ip netns add box
	ip netns attach home 1
	sysctl -qw net.ipv4.ip_forward=1

	lag bonda 'bond mode active-backup miimon 100' a0 a1
	addresses 0 bonda fbonda
	vlan home bonda 1000; vlan far fbonda 1000
	addresses 1 bonda.1000 fbonda.1000
	vlan home bonda 200; vlan far fbonda 200
	on home link add bra type bridge
	on home link set bonda.200 master bra
	addresses 2 bra fbonda.200

	wire c0; wire c1 far2; wire c2 far2
	on home link add brc type bridge
	for port in c0 c1 c2; do on home link set $port master brc; done
	addresses 3 brc fc0
	on far2 address add 203.0.113.27/29 dev fc1

	wire d0
	vlan home d0 5; vlan far fd0 5
	addresses 4 d0.5 fd0.5
	vlan home d0 7 802.1ad; vlan far fd0 7 802.1ad
	vlan home d0.7 8; vlan far fd0.7 8
	addresses 5 d0.7.8 fd0.7.8

	lag teame team e0 e1
	addresses 6 teame fteame

	wire m0
	on home link add link m0 name mv0 type macvlan mode bridge
	addresses 7 mv0 fm0

	on home link add bondb type bond mode broadcast miimon 100
	wire b0; wire b1
	ports home bondb b0 b1
	addresses 8 bondb fb0

	wire r0 far2
	addresses 10 r0 fr0 far2
	on far route add 203.0.113.80/29 via "$(here 1)"
	on far2 route add 203.0.113.8/29 via "$(here 10)"

	# A container with a bond of its own.
	lag bondx 'bond mode active-backup miimon 100' x0 x1
	for port in x0 x1; do
		on home link set $port nomaster
		on home link set $port netns box
	done
	on home link delete bondx
	on box link set lo up
	on box link add bondx type bond mode active-backup miimon 100
	ports box bondx x0 x1
	on box link set bondx up
	on box address add "$(here 9)/29" dev bondx
	on far address add "$(there 9)/29" dev fbondx
	carry_out
}

# seen FILE DIRECTION REGEX [DEVICE]: how many lines of tcpdump; a packet for all or many came in just as well.
seen() {
	[[ $1.txt -nt $1 ]] || tcpdump -nr "$1" >"$1.txt" 2>/dev/null
	awk -v wanted="$2" -v regex="$3" -v dev="${4:-}" '
		(($3 == "Out") == (wanted == "Out")) && $0 ~ regex && (dev == "" || $2 == dev) { n++ } END { print n + 0 }' "$1.txt"
}

# once SENTENCE FILE REGEX OUT IN
once() {
	is "$1" "$(seen "$2" Out "$3") out, $(seen "$2" In "$3") in" "$4 out, $5 in"
}

pings=3
# far_ping FROM ADDRESS...
pinged() { in_ns "$1" ping -q -c $pings -i 0.2 -W 2 "$2" >/dev/null || say "no answer to $1 from $2"; }


lacpdu=0180c200000202000000aaaa880901010114$(printf '00%.0s' {1..106})
act "Cases: where a large segment is cut"
# larger FILE DEVICE: how many frames it sent that no wire takes.
larger() { packets "$1" "ifindex $(</sys/class/net/"$2"/ifindex) and outbound and greater 1600"; }
# cut WHERE WANTED DEVICE...: transfers without segmentation offload on these; WANTED: above, or not, what the VLAN sends
cut() {
	local where=$1 wanted=$2 device before
	shift 2

	for device; do ethtool -K "$device" tso off gso off >/dev/null; done
	for _ in 1 2 3 4 5; do
		before=$(retransmitted)
		capture_transfer
		[[ $(retransmitted) != "$before" ]] || break
	done
	for device; do ethtool -K "$device" tso on gso on >/dev/null; done
	is "segments cut $where: the VLAN's are larger than a frame, the port's are not" \
		"$(($(packets /tmp/plain.pcap tcp) > 0)) $(($(larger /tmp/plain.pcap bond0.1000) > 0)) $(larger /tmp/plain.pcap eth0)" "1 $wanted 0"
	is "segments cut $where: a plain capture has every byte three times" "$(payload_in /tmp/plain.pcap)" $((3 * payload_bytes))
	is "segments cut $where: every byte is there once" "$(payload_in /tmp/once.pcap)" $payload_bytes
	is "segments cut $where: as the VLAN sent them" "$(originals /tmp/once.pcap)" "$(originals /tmp/plain.pcap)"
}
cut 'above the ports' 1 eth0 eth2
cut 'above the bond' 1 bond0
cut 'above the VLAN' 0 bond0.1000

act "Cases: every kind of stack"
# A device that comes while a capture is open keeps the hooks that it gets.
wait_for 6 unwatched
build_stacks
for k in 0 1 2 3 4 5 6 7 8; do
	wait_for 10 ping -c 1 -W 1 "$(there $k)" || say "subnet $k does not answer"
done
wait_for 10 in_ns far ping -c 1 -W 1 "$(there 10)"
wait_for 10 in_ns far ping -c 1 -W 1 203.0.113.27
check "with no packet socket open no device is watched within a few seconds" wait_for 6 unwatched
is "nor does netfilter call a hook of any device" "$(netdev_hooks ping -c 3 -i 0.2 "$(there 1)")" 0
# As dhclient, lldpd and networkd hold them all day.
begin_capture /tmp/hold1.log "$net" hold 3 a0
begin_capture /tmp/hold2.log "$net" hold 0x88cc
nap 2
check "nor for a packet socket that is bound to a device, or to a protocol" unwatched
stop_captures
begin_capture /tmp/hold1.log "$net" hold 3
check "but for one that takes everything, once it is bound" wait_for 2 watched
stop_captures
check "until that is closed" wait_for 6 unwatched
check "rules that count marked packets can be set: inet, arp, bridge" rules home
check "and on the other side" rules far
ip rule add fwmark $bit/$bit blackhole priority 10

# A fresh neighbour table, so that ARP goes through the stacks too.
ip neigh flush all; ip -n far neigh flush all
capture_plain /tmp/p.pcap
check "within one second of its opening a packet socket has the stacks watched" wait_for 1 watched
capture_once /tmp/o.pcap
begin_capture /tmp/box.log ip netns exec box "$netguard" capture -w /tmp/box.pcap
for k in 0 1 2 3 4 5 6 7 8; do pinged home "$(there $k)"; done
pinged box "$(there 9)"
pinged far "$(there 10)"
# An ARP probe from there would tell the address here, too.
ip -n far2 neigh flush all; ip -n far neigh flush dev fc0
pinged far 203.0.113.27
for k in 1 2; do "$net" frame bonda.1000 "$(datagram "$(mac far fbonda.1000)")"; done
in_ns far "$net" frame fa0 "$lldp"
in_ns far "$net" frame fa0 "$lacpdu"
"$net" frame a0 "$lldp"
# To the bond's address, on the port that does not listen.
in_ns far "$net" frame fa1 "$(datagram "$(mac home bonda)")"
ip link add link a0 name a0.300 type vlan id 300
in_ns far "$net" frame fa0 "$(datagram "$(mac home bonda)" 8100012c)"
ip link set a0.300 up
in_ns far "$net" frame fa0 "$(datagram "$(mac home bonda)" 8100012c)"
ip link delete a0.300
"$net" udp "$(there 1)" 9 5 3000 0x17
sleep 0.5
stop_captures

echo_of() { echo " ($(there "$1") > $(here "$1")|$(here "$1") > $(there "$1")): ICMP echo"; }
for k in "0:a bond" "1:a VLAN on a bond" "2:a bridge over a VLAN on a bond" "3:a bridge" \
	"4:a VLAN on a NIC" "6:a team" "7:a macvlan"; do
	IFS=: read -r k title <<<"$k"
	once "$title: each packet is there once" /tmp/o.pcap "$(echo_of "$k")" 3 3
	check "$title: a plain capture has each packet more than once" test "$(seen /tmp/p.pcap In "$(echo_of "$k")")" -gt 3
done
# vlan_get_protocol_dgram(): on "any", the outermost of two tags is metadata, the inner one is where the header announces
# IP, so that tcpdump cannot read the copy on the lowest device: neither here nor in its own capture.
two_tags() {
	local inner=0x00080800 address=0xcb0071

	packets "$1" "inbound and ip[0:4] = $inner and ip[16:4] = $address$(printf %02x 42) and ip[20:4] = $address$(printf %02x 41)"
}
is "a VLAN in a VLAN: each packet is there once" \
	"$(seen /tmp/o.pcap Out "$(echo_of 5)") out, $(seen /tmp/o.pcap In "$(echo_of 5)") and $(two_tags /tmp/o.pcap) in" "3 out, 0 and 3 in"
is "a VLAN in a VLAN: a plain capture has each packet three times" \
	"$(seen /tmp/p.pcap Out "$(echo_of 5)") out, $(seen /tmp/p.pcap In "$(echo_of 5)") and $(two_tags /tmp/p.pcap) in" "9 out, 6 and 3 in"
# The reply is unicast, the question above a macvlan is not.
for k in "0:bonda" "1:bonda.1000" "6:teame" "7:mv0"; do
	IFS=: read -r k top <<<"$k"
	replies="Reply $(there "$k") is-at"
	came=$(seen /tmp/p.pcap In "$replies" "$top")
	is "$top: ARP came in, and is there once" "$((came > 0)) $(seen /tmp/o.pcap In "$replies")" "1 $came"
done
once "a bond in broadcast mode: what was given to it goes out once, the copies on the ports are duplicates" \
	/tmp/o.pcap "$(echo_of 8)" 3 3
once "a bond in a container: each packet is there once" /tmp/box.pcap "$(echo_of 9)" 3 3
once "a routed packet is there once in and once out" /tmp/o.pcap " $(there 10)(: | > ).*ICMP" 6 6
once "a bridged packet is there once in and once out" /tmp/o.pcap " 203.0.113.27(: | > ).*ICMP" 6 6
once "a broadcast that a bridge floods comes in once and goes out once per port" \
	/tmp/o.pcap "Request who-has 203.0.113.27 .*tell $(there 3)" 2 1
once "a frame sent twice is there twice; one on an inactive port, and those a stale VLAN ate, down and up, once each" /tmp/o.pcap ' 198.51.100.1.9 > ' 2 3
once "fragments are there once each" /tmp/o.pcap " $(here 1)[.0-9]* > $(there 1)[.0-9]*: (UDP|udp|ip-proto-17)" 15 0
is "LLDP that came to a port is there once" "$(packets /tmp/o.pcap 'ether proto 0x88cc and inbound')" 1
is "LLDP that a daemon sends on a port is there" "$(packets /tmp/o.pcap 'ether proto 0x88cc and outbound')" 1
is "a LACPDU is there once" "$(packets /tmp/o.pcap 'ether proto 0x8809')" 1

act "Cases: nobody else sees the mark"
marked=$(counter tapdup marked)
is "more than 100 duplicates carried it, and none was without" \
	"$((marked > 100)) $marked" "1 $(($(counter tapdup rx_duplicates) + $(counter tapdup tx_duplicates)))"
is "no rule of this host saw it: inet, arp, bridge, conntrack" "$((marked > 100)) $(seen_by_rules home)" '1 0'
is "no rule of the other side saw it" "$((marked > 100)) $(seen_by_rules far)" '1 0'
is "nobody was found to use the bit" "$((marked > 100)) $(counter tapdup mark_taken)" '1 0'
nft 'table inet own {
	chain post { type filter hook postrouting priority 500; meta mark 0x17 counter; }
	chain pre { type filter hook prerouting priority -500; meta mark 0x23 counter; }
}
table netdev own {
	chain in { type filter hook ingress device a0 priority 0; meta mark set 0x23; }
}'
came_to() { [[ $(rx_of "$1" "$2") != 0 ]]; }
own() { nft list chain inet own "$1" | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'; }
capture_once /tmp/own.pcap
"$net" udp "$(there 1)" 9 4 100 0x17
check "while somebody captures netfilter does call the devices' hooks" test "$(netdev_hooks ping -c 3 -i 0.2 "$(there 1)")" -ge 12
pinged home "$(there 1)"
is "a mark that a socket set goes out as it was" "$(own post)" 4
is "a mark that a rule set on the lowest device arrives as it was" \
	"$(($(own pre) >= pings))" 1
# It takes frames from the port before the bond can, wherever it is.
vlan home a0 301
carry_out
ip link set a0.301 netns far2
ip -n far2 link set a0.301 up
rules far2
in_ns far "$net" frame fa0 "$(datagram "$(mac far2 a0.301)" 8100012d)"
check "a VLAN device in another netns takes a frame from a port" wait_for 2 came_to far2 a0.301
is "which has no mark there" "$(($(rx_of far2 a0.301) > 0)) $(seen_by_rules far2)" '1 0'
ip -n far2 link delete a0.301
in_ns far2 nft flush ruleset
stop_captures
nft delete table inet own
nft delete table netdev own

act "Cases: parameters"
bad() { ! param tapdup "$@" 2>/dev/null; }
for value in 0 3 0xc0000000 bit 0x100000000; do
	check "mark=$value is refused" bad mark $value
done
check "mode=on is refused" bad mode on
is "the old values stay" "$(param tapdup mark) $(param tapdup mode)" "0x40000000 mark"
capture_once /tmp/par.pcap "icmp and host $(there 1)"
param tapdup mark 0x100
sleep 1.5
pinged home "$(there 1)"
param tapdup mode count
check "a capture is told that nothing is marked any more" wait_for 3 holds /tmp/par.log 'only counts'
before=$(counter tapdup rx_duplicates)
pinged home "$(there 1)"
# An ARP answer may be among them.
check "counting goes on" test "$(($(counter tapdup rx_duplicates) - before))" -ge 6
param tapdup mode mark
check "a capture is told that duplicates can be told again" wait_for 3 holds /tmp/par.log 'can be told now'
param tapdup mark 0x40000000
sleep 1.5
pinged home "$(there 1)"
stop_captures
once "another bit works, counting shows every copy, and the first bit works again" /tmp/par.pcap "$(echo_of 1)" 15 15
is "still no rule saw the mark" "$(($(packets /tmp/par.pcap) > 0)) $(seen_by_rules home)" '1 0'
ip rule delete priority 10
"$net" udp "$(there 1)" 9 1 100 $bit
is "these rules do see a mark, if somebody sets it" "$(($(seen_by_rules home) > 0))" 1
param tapdup mark 0x40000000

act "Cases: the bit is somebody else's"
capture_once /tmp/taken.pcap 'udp port 9'
"$net" udp "$(there 1)" 9 2 100 $bit
check "a capture says so" wait_for 3 holds /tmp/taken.log 'somebody else uses the bit'
"$net" udp "$(there 1)" 9 2 100 $bit
stop_captures
check "and has every copy of such packets" test "$(packets /tmp/taken.pcap)" -ge 6
is "the guard says so, too" "$(counter tapdup mark_taken)" 1
check "the log says what to do" logged 'fix="choose a bit that nobody uses'
param tapdup mark 0x40000000
is "and forgets it once the parameter is set" "$(counter tapdup mark_taken)" 0

act "Cases: drops, signals, privileges"
begin_capture /tmp/drop.log "$netguard" capture -B 64 -w /tmp/drop.pcap "udp port 9"
pid=${captures[0]}
is "a capture is not root any more" "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" 65534
is "and has no capabilities" "$(awk '/^Cap(Prm|Eff):/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
opener=$(cat /proc/[0-9]*/status 2>/dev/null | awk -v parent="$pid" '/^Pid:/ { pid = $2 } /^PPid:/ && $2 == parent { print pid }')
is "the process that opens files for it is not root either" "$(awk '/^Uid:/ { print $2 }' "/proc/$opener/status")" 65534
# CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE.
is "and may only read files and look into other roots" "$(awk '/^Cap(Prm|Eff):/ { print $2 }' "/proc/$opener/status" | sort -u)" 0000000000080004
kill -STOP "$pid"
sent=$(</sys/class/net/bonda.1000/statistics/tx_packets)
"$net" udp "$(there 1)" 9 4000 100 0
kill -CONT "$pid"
stop_captures
check "and ends with it" wait_for 2 test ! -e "/proc/$opener"
dropped=$(sed -n 's/.*, \([0-9]*\) dropped by the kernel/\1/p' /tmp/drop.log)
check "a buffer too small for 4000 packets drops some of them, and says so" test "$dropped" -gt 0
say "   $(tail -n 1 /tmp/drop.log) of $(($(</sys/class/net/bonda.1000/statistics/tx_packets) - sent)) sent"
is "what was kept and what was dropped is all there was" "$(($(packets /tmp/drop.pcap) + dropped))" 4000
is "a reader gets packets from a pipe" \
	"$( (sleep 3; pinged home "$(there 1)") & timeout $((20 * slow)) "$netguard" capture -c 4 -w - "icmp and host $(there 1)" 2>/dev/null | tcpdump -nr - 2>/dev/null | wc -l)" 4

act "Cases: load and unload under a capture"
seen_before=$(seen_by_rules home)
modprobe -r netguard_tapdup
capture_once /tmp/load.pcap "icmp and host $(there 1)"
check "without the module a capture says so" grep -q 'not loaded' /tmp/load.log
: >/tmp/loading
while [[ -e /tmp/loading ]]; do
	ping -q -i 0.01 -c 100 "$(there 1)"
done >/tmp/load.ping &
pinger=$!
for k in 1 2 3; do
	modprobe netguard_tapdup
	wait_for 2 watched
	modprobe -r netguard_tapdup
done
modprobe netguard_tapdup
check "once it is loaded the capture can tell duplicates" wait_for 4 holds /tmp/load.log 'can be told now'
sleep 2
rm /tmp/loading
wait $pinger
stop_captures
is "no packet was lost meanwhile" "$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' /tmp/load.ping | sort -u)" 0
last=$(tcpdump -nr /tmp/load.pcap 2>/dev/null | tail -n 40 | awk '{ print $2, $3 }' | sort -u | wc -l)
is "a socket that was there before the module sees each packet once" "$last" 2
is "no rule saw the mark" "$(($(packets /tmp/load.pcap) > 0)) $(seen_by_rules home)" "1 $seen_before"
capture_once /tmp/unload.pcap "icmp and host $(there 1)"
check "the module can be unloaded under a capture that uses it" modprobe -r netguard_tapdup
check "which is told so" wait_for 4 holds /tmp/unload.log 'not loaded'
modprobe netguard_tapdup
check "and when it is back" wait_for 4 holds /tmp/unload.log 'can be told now'
stop_captures
check "without packet sockets the devices are left alone again" wait_for 6 unwatched

act "Cases: many devices"
# many VERB FIRST LAST: VLANs on d0.
many() {
	local i

	for ((i = $2; i <= $3; i++)); do
		case $1 in
		add) echo "link add link d0 name many$i type vlan id $i" ;;
		delete) echo "link delete many$i" ;;
		esac
	done | ip -batch -
}
watches() { [[ $(counter tapdup devices_watched) = "$1" ]]; }
capture_once /tmp/few.pcap
few=$(counter tapdup devices_watched)
stop_captures
wait_for 6 unwatched
# On a debug kernel each of them takes long to make.
third=$((slow > 1 ? 1050 : 1100)) first=$((slow > 1 ? 1060 : 1200)) last=$((slow > 1 ? 1100 : 1300))
many add 1000 $((first - 1))
many add $first $((last - 1)) &
adder=$!
capture_once /tmp/many.pcap
wait $adder
check "devices that come while hooks are put on step by step are watched as the others" wait_for 5 watches $((few + last - 1000))
stop_captures
many delete 1000 $((third - 1)) &
deleter=$!
check "and when they go meanwhile, no other is forgotten" wait_for 8 unwatched
wait $deleter
many delete $third $((last - 1))

act "Cases: devices come and go under a capture"
capture_once /tmp/go.pcap
pinged home "$(there 1)"
before=$(counter tapdup rx_duplicates)
check "a VLAN device counted duplicates" test "$(field "$(row tapdup devices dev=bonda.1000)" rx_duplicates)" -gt 0
ip link delete bonda.1000
check "they stay in the sum when it goes" test "$before" -gt 0 -a "$(counter tapdup rx_duplicates)" -ge "$before"
vlan home bonda 1000
carry_out
ip address add "$(here 1)/29" dev bonda.1000
wait_for 5 ping -c 1 -W 1 "$(there 1)"
rm -f /tmp/go2.pcap
capture_once /tmp/go2.pcap "icmp and host $(there 1)"
pinged home "$(there 1)"
stop_captures
once "a VLAN that is made anew is watched at once" /tmp/go2.pcap "$(echo_of 1)" 3 3
capture_once /tmp/gone.pcap
ip link delete bonda
# Deleted with its ports: they are released after its NETDEV_UNREGISTER.
is "a bond that was deleted with its ports is watched no more" "$(row tapdup devices dev=bonda | wc -l)" 0
ip link delete brc
ip link delete mv0
ip netns delete box
ip netns delete far2
check "devices and netns go away under a capture" wait_for 5 test ! -e /sys/class/net/bonda
for bond in $(</sys/class/net/bonding_masters); do ip link delete "$bond"; done
# Loaded anew, bonding hears of a device after the guard, if the guard does not see to it.
modprobe -r bonding
need bonding
ip netns add far2
lag bondm 'bond mode active-backup' w0 w1
vlan home w0 300
carry_out
is "a port with a VLAN is watched" "$(row tapdup devices dev=w0 | wc -l)" 1
ip link set w0 netns far2
is "a port that moves to a netns without captures is watched no more" "$(row tapdup devices dev=w0 | wc -l)" 0
stop_captures
