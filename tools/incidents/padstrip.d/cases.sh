# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Every layout of a frame, one by one, across a bridge: what comes out behind it, and what was counted.
#
#   t0 --- p0 --+        +-- p1 --- t1 (frames.c receives here)
#         tap0 -+-  br1 -+
#         paged-+        +-- nicb --- hub --- nica   (e1000e)
#
# Sourced by tools/incidents/padstrip, which sets:
: "${programs:?}" "${ng_debugfs:?}"

# rep HEX N: N bytes that repeat those of HEX.
rep() {
	local out=''

	while ((${#out} < 2 * $2)); do out+=$1; done
	printf '%s' "${out:0:2 * $2}"
}

garbage() { rep 5ac3f00d "$1"; }
zeros() { rep 00 "$1"; }

addresses=0200000000dd0200000000a1
# ip4 TOTAL-LENGTH [BYTES-THERE]: an IPv4 packet with a UDP header and letters as payload
ip4() {
	local rest
	rest=11118222$(printf %04x $(($1 - 20)))0000$(rep 61 1500)
	printf '4500%04x000000004011f6a5c0000281c0000282%s' "$1" "${rest:0:2 * (${2:-$1} - 20)}"
}
# ip6 PAYLOAD-LENGTH NEXT-HEADER BYTES
ip6() { printf '60000000%04x%s4020010db8%s20010db8%s%s' "$1" "$2" "$(zeros 12)" "$(zeros 12)" "$3"; }
arp=0001080006040001"$(rep 02 20)"

# snapshot: the guard's counters, as name=value pairs
snapshot() {
	local name value

	counted_before=()
	while read -r name value; do counted_before+=("$name=$value"); done <"$ng_debugfs"/padstrip/counters
}

# counted: what has moved since the snapshot, e.g. "frames_nonzero+1 frames_stripped+1"
counted() {
	local name value i=0 out=''

	while read -r name value; do
		((value == ${counted_before[i]#*=})) || out+=" $name+$((value - ${counted_before[i]#*=}))"
		i=$((i + 1))
	done <"$ng_debugfs"/padstrip/counters
	echo "${out# }"
}

# exchange COMMAND...: one line to frames, its answer in $reply
exchange() {
	reply='no answer'
	echo "$*" >&"${FRAMES[1]}"
	read -r -t 100 reply <&"${FRAMES[0]}"
}

# frames_on OUT [TAP PAGED-TAP]: (re)starts frames
frames_on() {
	local ready=''

	if [[ -n ${FRAMES_PID:-} ]]; then
		kill "$FRAMES_PID"
		wait "$FRAMES_PID" 2>/dev/null
	fi
	coproc FRAMES { exec "$programs"/frames "$@"; }
	read -r -t 10 ready <&"${FRAMES[0]}"
	[[ $ready = ready ]] || not_ok "frames runs on $1"
}

# carried SENTENCE HOW SENT WANTED COUNTED: HOW as frames.c takes it
carried() {
	snapshot
	exchange "$2 $3"
	is "$1" "$reply ($(counted))" "$4 ($5)"
}

build_lab() {
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	ip link add p0 type veth peer name t0
	ip link add p1 type veth peer name t1
	ip tuntap add dev tap0 mode tap
	ip tuntap add dev paged mode tap
	ip link add br1 type bridge
	local dev
	plain_bridge
	# Nothing is learned: every frame goes to every port.
	for dev in p0 p1 tap0 paged; do into_bridge $dev; done
	for dev in p0 t0 p1 t1 tap0 paged br1; do ip link set $dev up; done
	# A partial checksum is to be completed on the way out.
	ethtool -K p1 tx off >/dev/null
	frames_on t1 tap0 paged
	check 'the lab bridge forwards' wait_for 5 lab_ready
}

into_bridge() {
	ip link set "$1" master br1
	ip link set "$1" type bridge_slave learning off
}

lab_ready() {
	[[ $(cat /sys/class/net/{p0,p1,tap0,paged}/brport/state) = $'3\n3\n3\n3' ]]
}

# layout NAME HOW PACKET PADDING: five frames of this layout, with PADDING bytes where the packet has ended
layout() {
	local bad=$3 zero=$3 n=$4
	bad+=$(garbage "$n")
	zero+=$(zeros "$n")

	param padstrip mode strip
	carried "$1: garbage is cut off" "$2" "$bad" "$3" "frames_nonzero+1 frames_stripped+1 bytes_stripped+$n"
	carried "$1: padding with zeros is left byte for byte" "$2" "$zero" "$zero" frames_zero_padded+1
	carried "$1: without padding it is left byte for byte" "$2" "$3" "$3" ''
	param padstrip mode zero
	carried "$1: garbage is overwritten" "$2" "$bad" "$zero" 'frames_nonzero+1 frames_zeroed+1'
	param padstrip mode detect
	carried "$1: garbage is only counted in detect mode" "$2" "$bad" "$bad" frames_nonzero+1
	param padstrip mode strip
}

llc=424203$(rep 42 35)
layouts() {
	layout 'IPv4' 'raw t0' "${addresses}0800$(ip4 28)" 18
	layout 'IPv4, one byte of padding' 'raw t0' "${addresses}0800$(ip4 45)" 1
	layout 'IPv4 with options' 'raw t0' "${addresses}0800460000200000000040110000c0000281c000028201010101$(rep 61 8)" 14
	layout 'IPv6' 'raw t0' "${addresses}86dd$(ip6 4 3b 61616161)" 2
	layout 'ARP' 'raw t0' "${addresses}0806$arp" 18
	layout '802.3 with LLC' 'raw t0' "${addresses}0026$llc" 8
	layout '802.3 without LLC' 'raw t0' "${addresses}001effff$(rep 42 28)" 16
	layout 'PPPoE session' 'raw t0' "${addresses}886411000001000ac021$(rep 09 8)" 30
	layout 'PPPoE discovery' 'raw t0' "${addresses}88631109000000040101$(rep 00 2)" 36
	layout 'one tag in the payload' 'raw t0' "${addresses}810000640800$(ip4 28)" 18
	layout 'one tag, padded to 60 bytes only' 'raw t0' "${addresses}810000640800$(ip4 28)" 14
	layout 'one tag, 802.3 with LLC' 'raw t0' "${addresses}810000640026$llc" 8
	layout 'two tags' 'raw t0' "${addresses}88a80064810000c80800$(ip4 28)" 18
	layout 'two tags, ARP' 'raw t0' "${addresses}88a80064810000c80806$arp" 18
	layout 'two tags, 802.3 with LLC' 'raw t0' "${addresses}88a80064810000c80026$llc" 8
	layout 'two tags, PPPoE session' 'raw t0' "${addresses}88a80064810000c8886411000001000ac021$(rep 09 8)" 30
	layout 'padding in a page' 'paged 42' "${addresses}0800$(ip4 28)" 18
	layout 'padding across the linear part and a page' 'paged 47' "${addresses}0800$(ip4 28)" 18
	layout 'padding across two pages' 'paged 42,7' "${addresses}0800$(ip4 28)" 18
	layout 'headers in pages too' 'paged 20,9,20' "${addresses}0800$(ip4 28)" 18
	layout 'two tags, padding in a page' 'paged 50' "${addresses}88a80064810000c80800$(ip4 28)" 18
	layout 'checksum not checked' 'tap none' "${addresses}0800$(ip4 28)" 18
	layout 'checksum found good by the NIC' 'tap unnecessary' "${addresses}0800$(ip4 28)" 18
}

# sum HEX: the Internet sum, folded
sum() {
	local hex=$1 total=0
	((${#hex} % 4 == 0)) || hex+=00
	while [[ -n $hex ]]; do
		total=$((total + 0x${hex:0:4}))
		hex=${hex:4}
	done
	while ((total >> 16)); do total=$(((total & 0xffff) + (total >> 16))); done
	echo $total
}

partial_checksum() {
	local pseudo udp head done_udp packet

	# 9 bytes of UDP payload: an odd end.
	head=${addresses}0800$(ip4 37 20)
	pseudo=$(printf %04x "$(sum c0000281c000028200110011)")
	udp=111182220011
	packet=$udp${pseudo}$(rep 61 9)
	done_udp=$udp$(printf %04x $((0xffff - $(sum "$packet"))))$(rep 61 9)
	carried 'partial checksum: completed over the packet alone after strip' 'tap partial:34:6' \
		"$head$packet$(garbage 9)" "$head$done_udp" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+9'
	param padstrip mode zero
	carried 'partial checksum: right after zero, too' 'tap partial:34:6' \
		"$head$packet$(garbage 9)" "$head$done_udp$(zeros 9)" 'frames_nonzero+1 frames_zeroed+1'
	param padstrip mode strip
	snapshot
	exchange "tap partial:44:6 ${addresses}0800$(ip4 28)$(garbage 18)"
	is 'a frame whose partial checksum would go into the padding is passed whole, and counted as not stripped' \
		"${#reply} ($(counted))" '120 (frames_nonzero+1 strip_failed+1)'
}

# left SENTENCE HOW FRAME COUNTED: it comes out as it went in
left() { carried "$1" "$2" "$3" "$3" "$4"; }

malformed() {
	local n kind bytes bridge_drops=''
	local -A kinds=([IPv4]=0800 [IPv6]=86dd [ARP]=0806 [PPPoE]=8864 [802.3]=002e)

	left 'tot_len larger than the frame: left and counted' 'raw t0' "${addresses}0800$(ip4 100 46)" frames_malformed+1
	left 'IHL below 5: left and counted' 'raw t0' "${addresses}080044$(ip4 28 46 | cut -c 3-)" frames_malformed+1
	left 'IHL below 5, though tot_len fits: left and counted' 'raw t0' "${addresses}080044$(ip4 46 | cut -c 3-)" frames_malformed+1
	left 'tot_len below IHL * 4: left and counted' 'raw t0' "${addresses}080047$(ip4 24 46 | cut -c 3-)" frames_malformed+1
	left 'not version 4: left and counted' 'raw t0' "${addresses}080055$(ip4 28 46 | cut -c 3-)" frames_malformed+1
	left 'tot_len above a long frame: left and counted' 'raw t0' "${addresses}0800$(ip4 1400 200)" frames_malformed+1
	left 'IPv6 payload length beyond the frame: left and counted' 'raw t0' "${addresses}86dd$(ip6 200 3b "$(garbage 6)")" frames_malformed+1
	left 'not version 6: left and counted' 'raw t0' "${addresses}86dd5$(ip6 4 3b "$(garbage 6)" | cut -c 2-)" frames_malformed+1
	for bytes in 0504 ff04 0603 0610 0000; do
		left "ARP with hlen and plen $bytes: left and counted" 'raw t0' \
			"${addresses}080600010800${bytes}0001$(garbage 38)" frames_malformed+1
	done
	left 'PPPoE length beyond the frame: left and counted' 'raw t0' "${addresses}88641100000100c8c021$(garbage 38)" frames_malformed+1
	left 'PPPoE session without a payload: left and counted' 'raw t0' "${addresses}8864110000010000$(garbage 40)" frames_malformed+1
	left '802.3 length beyond the frame: left and counted' 'raw t0' "${addresses}0100424203$(garbage 43)" frames_malformed+1
	left '802.3 length zero: left and counted' 'raw t0' "${addresses}0000424203$(garbage 43)" frames_malformed+1
	# br_netfilter, where it is built in, drops what is too short for its tag or PPPoE header.
	[[ ! -e /proc/sys/net/bridge ]] || bridge_drops=none
	carried 'cut off inside the second tag: left and counted' 'raw t0' "${addresses}8100006481000064" \
		"${bridge_drops:-${addresses}8100006481000064}" frames_malformed+1
	for kind in "${!kinds[@]}"; do
		snapshot
		bytes=''
		for n in {0..13}; do
			exchange "raw t0 $addresses${kinds[$kind]}$(rep 45 "$n")"
			[[ $reply = "$addresses${kinds[$kind]}$(rep 45 "$n")" ]] ||
				[[ $kind = PPPoE && $n -lt 8 && $reply = "$bridge_drops" ]] || bytes+=" $n:$reply"
		done
		is "$kind with 0 to 13 bytes of payload: all left and counted" "$(counted)$bytes" frames_malformed+14
	done
}

not_padding() {
	left 'a trailer behind a 200-byte IP packet is counted and left' 'raw t0' "${addresses}0800$(ip4 200)$(garbage 8)" frames_trailer+1
	left 'a trailer in a page is counted and left' 'paged 214' "${addresses}0800$(ip4 200)$(garbage 8)" frames_trailer+1
	left 'one byte above the minimum it is a trailer' 'raw t0' "${addresses}0800$(ip4 28)$(garbage 19)" frames_trailer+1
	left 'one byte above the minimum with one tag it is a trailer' 'raw t0' "${addresses}810000640800$(ip4 28)$(garbage 19)" frames_trailer+1
	left 'one byte above the minimum with two tags it is a trailer' 'raw t0' "${addresses}88a80064810000c80800$(ip4 28)$(garbage 19)" frames_trailer+1
	left 'a trailer of zeros is a trailer' 'raw t0' "${addresses}0800$(ip4 200)$(zeros 8)" frames_trailer+1
	left 'a trailer behind IPv6 with extension headers is counted and left' 'raw t0' \
		"${addresses}86dd$(ip6 16 00 "3b00010400000000$(garbage 8)")$(garbage 4)" frames_trailer+1
	left 'a trailer behind ARP is counted and left' 'raw t0' "${addresses}0806$arp$(garbage 19)" frames_trailer+1
	left 'a trailer behind PPPoE is counted and left' 'raw t0' "${addresses}8864110000010064c021$(rep 61 98)$(garbage 4)" frames_trailer+1
	left 'IPv6 with extension headers that fills its frame is left' 'raw t0' \
		"${addresses}86dd$(ip6 16 00 "3b00010400000000$(garbage 8)")" ''
	left 'a long IPv4 frame is left' 'raw t0' "${addresses}0800$(ip4 1500)" ''
	left 'an EtherType without a length is left' 'raw t0' "${addresses}88b5$(garbage 46)" ''
	left 'IPv4 with length zero (BIG TCP) is left' 'raw t0' "${addresses}0800$(ip4 28 46 | sed 's/^4500001c/45000000/')" ''
	left 'IPv6 with length zero (BIG TCP) is left' 'raw t0' "${addresses}86dd$(ip6 0 3b "$(garbage 6)")" ''

	snapshot
	exchange "tap gso:100 ${addresses}0800450000f000004000400600000a000001c0000282$(rep 50 12)5010$(garbage 206)$(garbage 8)"
	is 'a GSO frame is not judged, even if its lengths differ' "$([[ $reply = $addresses* ]] && echo carried) ($(counted))" 'carried ()'
}

shared_data() {
	local frame
	frame=${addresses}0800$(ip4 28)

	param padstrip mode zero
	carried 'a tap that holds a clone keeps its own bytes while the frame is zeroed' 'held t0,p0' \
		"$frame$(garbage 18)" "$frame$(garbage 18)" 'frames_nonzero+1 frames_zeroed+1'
	param padstrip mode strip
	carried 'a tap that holds a clone keeps its own length while the frame is stripped' 'held t0,p0' \
		"$frame$(garbage 18)" "$frame$(garbage 18)" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18'
}

# --- checksum over the whole frame: a tunnel with a checksum hands its inner frames up as CHECKSUM_COMPLETE ---

traced() { grep -c "$1" /sys/kernel/tracing/trace; }

echoed() { [[ $(traced 'icmp_echo\|netguard_reply') -ge 1 ]]; }

complete_checksum() {
	local mode frame tracing=/sys/kernel/tracing

	need ip_gre
	# The runner takes every module that a debug kernel lacks for built in.
	if ! ip link add g0 type gretap local 198.51.100.1 remote 198.51.100.2; then
		skip 'a sum over the whole frame, garbage included, stays right' 'this kernel has no gretap; KUnit looks at it'
		return
	fi
	ip link del g0
	# IPv6 would send, and sum, packets of its own.
	quiet_netns ga
	quiet_netns gb
	cable ga0 ga gb0 gb
	# The tunnel's own checksum is in the packet, as it is on a real cable.
	in_ns ga ethtool -K ga0 tx off >/dev/null
	ip -n ga address add 198.51.100.1/24 dev ga0
	ip -n gb address add 198.51.100.2/24 dev gb0
	ip -n ga link add g0 type gretap local 198.51.100.1 remote 198.51.100.2 csum
	ip -n gb link add g1 type gretap local 198.51.100.2 remote 198.51.100.1 csum
	ip -n gb link set g1 address 02:00:00:00:00:dd
	ip -n ga link set g0 up
	ip -n gb link set g1 up
	ip -n gb address add 192.0.2.130/24 dev g1
	ip -n gb neigh add 192.0.2.129 lladdr 02:00:00:00:00:a1 dev g1
	param padstrip devices g1

	# The kernel sums the packet inside by itself only if the sum it came with does not fit. IPv6 sums its own elsewhere,
	# so skb->len has to be that of the echo request in the tunnel, or without it.
	echo 'p:netguard_sum __skb_checksum_complete len=+112(%di):u32' >$tracing/kprobe_events
	echo 'p:netguard_reply icmp_echo' >>$tracing/kprobe_events
	echo 'len == 68 || len == 11' >$tracing/events/kprobes/netguard_sum/filter
	echo 'name == "g1"' >$tracing/events/net/napi_gro_receive_entry/filter
	echo 1 >$tracing/events/net/napi_gro_receive_entry/enable
	echo 1 >$tracing/events/kprobes/enable

	# An echo request with an odd number of bytes.
	frame=0800$(printf %04x $((0xffff - $(sum 0800000000010001616161))))00010001616161
	frame=${addresses}08004500001f000000004001$(printf %04x $((0xffff - $(sum 4500001f000000004001c0000281c0000282))))c0000281c0000282$frame
	for mode in detect strip zero; do
		param padstrip mode $mode
		snapshot
		echo >$tracing/trace
		in_ns ga "$programs"/frames g0 <<<"flood g0 1 $frame$(garbage 15)" >/dev/null
		check "$mode: an echo request through a tunnel is taken" wait_for 3 echoed
		is "$mode: it came up with a sum over the whole frame, garbage included" \
			"$(traced 'ip_summed=2') $(counted | cut -d ' ' -f 1)" '1 frames_nonzero+1'
		is "$mode: the kernel believes that sum afterwards and sums in software only for the tunnel" \
			"$(traced netguard_sum:)" 1
	done
	echo 0 >$tracing/events/enable
	echo >$tracing/kprobe_events
	ip netns del ga
	ip netns del gb
	param padstrip mode strip
}

# --- real drivers ---

# An exact frame comes through, with the zeros that the driver pads it with.
hardware_ready() {
	exchange "raw nica $frame"
	[[ $reply = "$frame"* ]]
}

hardware() {
	local frame dev tagged

	need e1000e
	for dev in /sys/class/net/*; do
		case $(cat "$dev/address") in
		02:00:00:00:00:00) ip link set "${dev##*/}" name nica ;;
		02:00:00:00:00:01) ip link set "${dev##*/}" name nicb ;;
		esac
	done
	ip link set nica up
	into_bridge nicb
	ip link set nicb up
	wait_for 10 holds /sys/class/net/nicb/brport/state 3
	frame=${addresses}0800$(ip4 28)
	# Carrier alone does not say that its receiver runs.
	check 'the two e1000e carry frames' wait_for 40 hardware_ready

	param padstrip devices ''
	carried 'by default a NIC that is a port of a bridge is watched: e1000e, untagged' 'raw nica' \
		"$frame$(garbage 18)" "$frame" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18'
	left 'and a virtual Ethernet device is not' 'raw t0' "$frame$(garbage 18)" ''
	tagged=${addresses}810000640800$(ip4 28)
	check 'e1000e takes the tag out of the frame' grep -q 'rx-vlan-offload: on' <<<"$(ethtool -k nicb)"
	carried 'one tag, accelerated by e1000e' 'raw nica' \
		"$tagged$(garbage 18)" "$tagged" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18'
	left 'one tag, accelerated by e1000e: one byte above the minimum it is a trailer' 'raw nica' \
		"$tagged$(garbage 19)" frames_trailer+1
	tagged=${addresses}88a80064810000c80800$(ip4 28)
	carried 'two tags through e1000e' 'raw nica' \
		"$tagged$(garbage 18)" "$tagged" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18'

	param padstrip devices p0
	ip link set nica promisc on
	frames_on nica
	carried 'a bridge forwards a stripped frame to an e1000e: 60 bytes go out, with zeros' 'raw t0' \
		"$frame$(garbage 18)" "$frame$(zeros 18)" 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18'
	ip link set nicb nomaster
	frames_on t1 tap0 paged
	wait_for 5 lab_ready
	plain_receiver
	reload devices='p0,tap0,paged'
}

# bad_mac LAST-BYTE: one frame with garbage from nica, from a MAC of its own
bad_mac() { "$programs"/frames nica <<<"flood nica 1 ffffffffffff0200000000${1}0800$(ip4 28)$(garbage 18)" >/dev/null; }
named() { [[ -n $(row padstrip senders "mac=02:00:00:00:00:$1") ]]; }
sampled() { bad_mac b1; named b1; }

# A host that only receives cuts the packet out of each frame by itself, and pays nothing.
plain_receiver() {
	log_mark
	reload
	check 'a NIC of a plain receiver has no hook, and yet a bad sender is named' wait_for 120 sampled
	check 'in the log as well' wait_for 5 logged 'mac=02:00:00:00:00:b1 frames=1'
	is 'what it sent is not altered' "$(counter padstrip frames_stripped) $(counter padstrip frames_zeroed)" '0 0'
	is 'and only the sample saw it' "$(counter padstrip frames_sampled)" "$(counter padstrip frames_nonzero)"
	# The sample's second is over.
	sleep 2
	bad_mac b2
	sleep 1
	check 'between two samples nobody looks' eval '! named b2'
	ip link add link nicb name mv0 type macvlan
	bad_mac b3
	check 'with a macvlan on it the NIC forwards, and is watched all the time' wait_for 3 named b3
	check 'and what it forwards is stripped' test "$(counter padstrip frames_stripped)" -ge 1
	ip link del mv0
}

# --- the senders table ---

rows() { wc -l <"$ng_debugfs"/padstrip/senders; }
slab_kb() { slab_settle; awk '/^Slab:/ { print $2 }' /proc/meminfo; }

many_senders() {
	local before after evicted slab begun findings

	reload devices=p0
	log_mark
	begun=$SECONDS
	exchange "flood t0 10000 ${addresses}0800$(ip4 28)$(garbage 18)"
	check '10,000 senders: every frame is counted' wait_for 20 all_counted 10000
	before=$(rows) evicted=$(counter padstrip senders_evicted)
	check "the table is bounded: $before rows" [ "$before" -le 1024 -a "$before" -gt 900 ]
	is 'and each sender that left was counted' $((before + evicted)) 10000
	slab=$(slab_kb)
	exchange "flood t0 10000 ${addresses}0800$(ip4 28)$(garbage 18)"
	check 'and again' wait_for 20 all_counted 20000
	after=$(slab_kb)
	is "memory stays flat: $slab kB of slab before, $after kB after" "$((before > 0)) $((after - slab < 512))" '1 1'
	findings=$(logged_findings | grep -c cause=)
	check 'a finding a sender is limited in the log' [ "$findings" -ge 1 -a "$findings" -le $((10 * ((SECONDS - begun) / 5 + 2))) ]
	check 'and what was held back is said' wait_for 10 logged 'suppressed='

	reload devices=p0
	exchange "raw t0 ${addresses}0800$(ip4 28)$(garbage 18)"
	check 'a row carries these keys in this order' grep -Exq \
		"netns=$(stat -L -c %i /proc/self/ns/net) dev=p0 ifindex=$(cat /sys/class/net/p0/ifindex) mac=02:00:00:00:00:a1 frames=1 last_len=60 sample=$(garbage 18) age_ms=[0-9]+" \
		"$ng_debugfs"/padstrip/senders
	exchange "raw t0 ${addresses}810000640800$(ip4 28)$(garbage 4)"
	is 'last_len is that of the frame on the wire, the tag included' \
		"$(field "$(row padstrip senders)" frames) $(field "$(row padstrip senders)" last_len)" '2 50'
}

all_counted() { [[ $(counter padstrip frames_nonzero) = "$1" ]]; }

# reload PARAMETER=VALUE...
reload() {
	unload
	load "$@"
}

# --- which devices ---

# watched SENTENCE DEVICE PEER yes|no
watched() {
	local bad before='' arrived=''
	bad=${addresses}0800$(ip4 28)$(garbage 18)
	[[ $4 = yes ]] || before=$(</sys/class/net/"$2"/statistics/rx_packets)
	snapshot
	"$programs"/frames "$3" <<<"flood $3 1 $bad" >/dev/null
	# A frame that must not be counted has been handled by the time the other one is: veth delivers in order.
	sleep 0.2
	[[ $4 = yes || $(</sys/class/net/"$2"/statistics/rx_packets) -gt $before ]] || arrived=' (no frame arrived)'
	is "$1" "$(counted)$arrived" "$([[ $4 = no ]] || echo 'frames_nonzero+1 frames_stripped+1 bytes_stripped+18')"
}

rename() {
	ip link set "$1" down
	ip link set "$1" name "$2" up
}

device_patterns() {
	local had

	reload devices='w*,solo'
	ip link add w0 type veth peer name v0
	ip link set w0 up
	ip link set v0 up
	watched 'a device that appears later and matches is watched' w0 v0 yes
	is 'it is in the table by its name' "$(field "$(row padstrip senders dev=w0)" frames)" 1
	watched 'its peer does not match and is not' v0 w0 no
	rename w0 x0
	watched 'renamed out of the pattern it is let go' x0 v0 no
	is 'and its row has the new name' "$(field "$(row padstrip senders dev=x0)" frames)" 1
	rename x0 solo
	watched 'renamed into a pattern it is watched again' solo v0 yes
	param padstrip devices 'v0,none'
	watched 'another list takes effect at once: the one device is let go' solo v0 no
	watched 'and the other is watched' v0 solo yes
	param padstrip devices '*'
	watched 'a lone * means every Ethernet device' solo v0 yes
	param padstrip devices 'solo'
	ip netns add elsewhere
	ip link set solo netns elsewhere
	ip -n elsewhere link set solo up
	watched 'moved to another netns it is watched there' solo v0 yes
	is 'its rows are those of its new netns only' \
		"$(row padstrip senders dev=solo | while read -r line; do field "$line" netns; done)" "$(netns_inum elsewhere)"
	had=$(row padstrip senders dev=solo | wc -l)
	ip link del v0
	is 'a device that goes takes its rows along' "$((had > 0)) $(row padstrip senders dev=solo | wc -l)" '1 0'
	ip netns del elsewhere
}

refused() {
	local name=$1 value=$2 before
	before=$(param padstrip "$name")
	log_mark
	(param padstrip "$name" "$value") 2>/dev/null && return 1
	[[ $(param padstrip "$name") = "$before" ]] && logged "netguard_padstrip: $name=" && logged 'refused, allowed: '
}

wrong_values() {
	local value

	reload devices=p0
	for value in 'a b' 'p0,' ',p0' 'p0,,p1' 'p*0' 'p**' 'a/b' 'a:b' . .. abcdefghijklmnop 'abcdefghijklmnop*' \
		"$(rep 'p0,p1,' 300)p0"; do
		check "devices='${value:0:20}' is refused with a clear line, the old value stays" refused devices "$value"
	done
	check 'mode=drop is refused with a clear line, the old value stays' refused mode drop
	check 'tx_zero_pad=2 is refused with a clear line, the old value stays' refused tx_zero_pad 2
	watched 'and p0 is still watched' p0 t0 yes
	unload
	log_mark
	is 'loading with a wrong value is refused' "$(load devices='p0,' 2>/dev/null && echo loaded)" ''
	check 'with the same line' logged 'netguard_padstrip: devices=p0, refused, allowed: '
	load devices='p0,abcdefghijklmno,abcdefghijklmno*,eth*'
	is 'the longest names are taken' "$(param padstrip devices)" 'p0,abcdefghijklmno,abcdefghijklmno*,eth*'
}

# --- what this host sends ---

zero_pad() {
	local frame head packet

	reload devices=p1 mode=detect
	frame=${addresses}0800$(ip4 28)
	left 'a short frame goes out as it is while tx_zero_pad is 0' 'raw t0' "$frame" ''
	param padstrip tx_zero_pad 1
	carried 'a short frame is padded with zeros to 60 bytes' 'raw t0' "$frame" "$frame$(zeros 18)" tx_padded+1
	left 'a frame of 60 bytes goes out as it is' 'raw t0' "$frame$(garbage 18)" ''
	left 'and a longer one' 'raw t0' "${addresses}0800$(ip4 200)" ''
	carried 'a frame in pages is padded' 'paged 20,9' "$frame" "$frame$(zeros 18)" tx_padded+1
	carried 'a tagged frame is padded to 60 bytes and the tag' 'raw t0' \
		"${addresses}810000640800$(ip4 28)" "${addresses}810000640800$(ip4 28)$(zeros 18)" tx_padded+1
	head=${addresses}0800$(ip4 37 20)
	packet=111182220011
	frame=$packet$(printf %04x "$(sum c0000281c000028200110011)")$(rep 61 9)
	carried 'a partial checksum is completed right behind the padding' 'tap partial:34:6' "$head$frame" \
		"$head$packet$(printf %04x $((0xffff - $(sum "$frame"))))$(rep 61 9)$(zeros 9)" tx_padded+1
	param padstrip tx_zero_pad 0
	frame=${addresses}0800$(ip4 28)
	left 'switched off again it leaves frames as they are' 'raw t0' "$frame" ''
}

# --- leaving at any time ---

flowing() { [[ $(counter padstrip frames_stripped) -gt 0 ]]; }

unload_under_traffic() {
	local i pid rounds=0

	reload devices='p*'
	"$programs"/frames t1 <<<"flood t0 2000000 ${addresses}0800$(ip4 28)$(garbage 18)" >/dev/null &
	pid=$!
	for i in {1..5}; do
		wait_for 5 flowing && unload && load devices='p*' tx_zero_pad=$((i % 2)) && rounds=$((rounds + 1))
	done
	is 'five times the module goes and comes while it strips frames' "$rounds" 5
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
	unload
	is 'and leaves nothing in debugfs' "$(ls "$ng_debugfs"/padstrip 2>/dev/null)" ''
}

act 'Every case'
build_lab
load devices='p0,tap0,paged'
layouts
partial_checksum
malformed
not_padding
shared_data
hardware
complete_checksum
many_senders
device_patterns
wrong_values
zero_pad
unload_under_traffic
