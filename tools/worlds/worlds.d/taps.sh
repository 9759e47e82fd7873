# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2119,SC2120
#
# Who else takes frames from a device: tc, BPF, XDP, nft's chains of a device, Open vSwitch. And who listens all day.
#
#    netns far              netns ward
#    fp  198.51.100.2 ----- p0, p1: bond0  198.51.100.1
#    fq.7 198.51.100.66 --- q0.7  198.51.100.65      vp 198.51.100.193 --- pv 198.51.100.194  netns pod
#    fq.8 198.51.100.130 -- q0.8, a port of Open vSwitch, vo ------------- ov 198.51.100.129  netns pod
#                           xa --- xb
#
# Each of these ways is gone with and without netguard. With it a capture is open on "any", so that tapdup marks what comes
# again; nobody but the capture may see that mark.
#
# vm-tools: ip ping nft tcpdump tc ovs-dpctl
# vm-modules: bonding veth 8021q bridge ifb nf_tables nft_ct nf_conntrack nft_objref? nft_fwd_netdev sch_ingress cls_matchall cls_bpf act_mirred openvswitch
# vm-files: tools/incidents/lib.sh tools/incidents/tapdup.d/lib.sh build/tools/netguard
# vm-files: build/guest/pinbpf build/guest/listener build/guest/tapdup_net

# shellcheck source=tools/incidents/tapdup.d/lib.sh
. tools/incidents/tapdup.d/lib.sh

in_ward() { in_ns ward "$@"; }
in_far() { in_ns far "$@"; }
ward_tc() { in_ward tc "$@"; }
ward_ifindex() { ip -n ward -o link show "$1" | cut -d: -f1; }
pinbpf() { build/guest/pinbpf "$@"; }

taps_build() {
	local ns

	need bonding veth 8021q bridge ifb nf_tables nft_ct nf_conntrack nft_fwd_netdev openvswitch sch_ingress
	for ns in ward far pod; do
		ip netns add $ns
		in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		ip -n $ns link set lo up
	done
	ip -n ward -batch - <<-'END'
		link add p0 type veth peer name fp0 netns far
		link add p1 type veth peer name fp1 netns far
		link add q0 type veth peer name fq netns far
		link add vp type veth peer name pv netns pod
		link add vo type veth peer name ov netns pod
		link add xa type veth peer name xb
		link add bond0 type bond mode active-backup miimon 50
		link set p0 master bond0
		link set p1 master bond0
		link set bond0 up
		addr add 198.51.100.1/26 dev bond0
		link set q0 up
		link add link q0 name q0.7 type vlan id 7
		link add link q0 name q0.8 type vlan id 8
		link set q0.7 up
		link set q0.8 up
		addr add 198.51.100.65/26 dev q0.7
		link set vp up
		addr add 198.51.100.193/26 dev vp
		link set vo up
		link set xa up
		link set xb up
		link add ifb0 type ifb
		link set ifb0 up
	END
	ip -n far -batch - <<-'END'
		link add fp type bridge
		link set fp0 master fp
		link set fp1 master fp
		link set fp0 up
		link set fp1 up
		link set fp up
		addr add 198.51.100.2/26 dev fp
		link set fq up
		link add link fq name fq.7 type vlan id 7
		link add link fq name fq.8 type vlan id 8
		link set fq.7 up
		link set fq.8 up
		addr add 198.51.100.66/26 dev fq.7
		addr add 198.51.100.130/26 dev fq.8
		route add 198.51.100.192/26 via 198.51.100.65
	END
	ip -n pod -batch - <<-'END'
		link set pv up
		addr add 198.51.100.194/26 dev pv
		route add default via 198.51.100.193
		link set ov up
		addr add 198.51.100.129/26 dev ov
	END
	in_ward sysctl -qw net.ipv4.ip_forward=1
	in_ward ovs-dpctl add-dp wards q0.8 vo
	in_ward ovs-dpctl add-flow wards 'in_port(1),eth()' 2
	in_ward ovs-dpctl add-flow wards 'in_port(2),eth()' 1
	mkdir -p /tmp/bpf
	mount -t bpf bpf /tmp/bpf
	sysctl -qw kernel.bpf_stats_enabled=1
	pinbpf peer /tmp/bpf/peer "$(ward_ifindex vp)"
	pinbpf pass /tmp/bpf/pass
	pinbpf redirect /tmp/bpf/redirect "$(ward_ifindex xa)"
	check 'the bond answers' wait_for 20 in_far ping -q -c 1 -W 1 198.51.100.1
	check 'the pod answers by Open vSwitch' wait_for 10 in_far ping -q -c 1 -W 1 198.51.100.129
	check 'and by the router' wait_for 10 in_far ping -q -c 1 -W 1 198.51.100.194
	marks_build ward
	marks_build pod
}

# --- who sees the mark ---

bit=0x40000000
# marks_build NETNS: rules wherever the stack's own packets pass, and a blackhole for what policy routing sees.
marks_build() {
	local hook

	{
		echo 'table inet seen {'
		for hook in prerouting input forward output postrouting; do
			echo "  counter $hook { }"
			echo "  chain $hook { type filter hook $hook priority -400; meta mark & $bit != 0 counter name $hook; }"
		done
		echo '  counter conntrack { }'
		echo "  chain note { type filter hook prerouting priority 0; ct mark set meta mark; ct mark & $bit != 0 counter name conntrack; }"
		echo '}'
	} | in_ns "$1" nft -f -
	ip -n "$1" rule add fwmark $bit/$bit blackhole priority 10
}

# netdev_marks HOOK DEVICE...: the same for chains of devices.
netdev_marks() {
	local hook=$1 device
	shift

	{
		echo 'table netdev seen {'
		for device; do
			echo "  counter ${hook}_${device/./_} { }"
			echo "  chain ${hook}_${device/./_} { type filter hook $hook device \"$device\" priority 0; meta mark & $bit != 0 counter name ${hook}_${device/./_}; }"
		done
		echo '}'
	} | in_ward nft -f -
}

marks_forget() { in_ward nft reset counters >/dev/null; in_ns pod nft reset counters >/dev/null; }

# marks: what has seen one since then, NETNS:RULE=PACKETS.
marks() {
	local ns seen=()

	for ns in ward pod; do
		mapfile -t -O ${#seen[@]} seen < <(in_ns $ns nft list counters |
			awk -v ns=$ns '$1 == "counter" { name = $2 }
				$1 == "packets" && $2 > 0 && name != "passed" { print ns ":" name "=" $2 }')
	done
	echo "${seen[*]}"
}

# --- the ways ---

# Each is put up and down, says how often it was gone, and where the echo requests go.
mirror_up() { ward_tc qdisc add dev "$1" clsact && ward_tc filter add dev "$1" ingress matchall action mirred egress redirect dev ifb0; }
mirror_down() { ward_tc qdisc del dev "$1" clsact; }
passed() { in_ward cat /proc/net/dev | awk -v device="$1:" '$1 == device { print $3 }'; }

mirred_bond() {
	case $1 in
	up) mirror_up bond0; netdev_marks egress ifb0 ;;
	down) mirror_down bond0; in_ward nft delete table netdev seen ;;
	gone) passed ifb0 ;;
	to) echo 198.51.100.1 ;;
	esac
}

mirred_vlan() {
	case $1 in
	up) mirror_up q0.7; netdev_marks egress ifb0 ;;
	down) mirror_down q0.7; in_ward nft delete table netdev seen ;;
	gone) passed ifb0 ;;
	to) echo 198.51.100.65 ;;
	esac
}

redirect_peer() {
	case $1 in
	up) ward_tc qdisc add dev q0.7 clsact && ward_tc filter add dev q0.7 ingress bpf direct-action object-pinned /tmp/bpf/peer ;;
	down) ward_tc qdisc del dev q0.7 clsact ;;
	gone) pinbpf runs /tmp/bpf/peer ;;
	to) echo 198.51.100.194 ;;
	esac
}

xdp_pass() {
	case $1 in
	up) ip -n ward link set dev q0.7 xdpgeneric pinned /tmp/bpf/pass ;;
	down) ip -n ward link set dev q0.7 xdpgeneric off ;;
	gone) pinbpf runs /tmp/bpf/pass ;;
	to) echo 198.51.100.65 ;;
	esac
}

# Nobody answers: what comes goes out of xa and comes in on xb.
xdp_redirect() {
	case $1 in
	up)
		# What it takes is for nobody, and ARP has to be through.
		ip -n far neigh replace 198.51.100.65 lladdr "$(mac_of ward q0.7)" dev fq.7
		netdev_marks ingress xb
		ip -n ward link set dev q0.7 xdpgeneric pinned /tmp/bpf/redirect
		;;
	down)
		ip -n ward link set dev q0.7 xdpgeneric off
		in_ward nft delete table netdev seen
		ip -n far neigh del 198.51.100.65 dev fq.7
		;;
	gone) passed xb ;;
	to) echo 198.51.100.65 ;;
	loss) echo 100 ;;
	esac
}

# The same, by nft.
nft_forward() {
	case $1 in
	up)
		ip -n far neigh replace 198.51.100.65 lladdr "$(mac_of ward q0.7)" dev fq.7
		netdev_marks ingress xb
		in_ward nft 'add chain netdev seen away { type filter hook ingress device "q0.7" priority 0; }; add rule netdev seen away fwd to "xa"'
		;;
	down)
		in_ward nft delete table netdev seen
		ip -n far neigh del 198.51.100.65 dev fq.7
		;;
	gone) passed xb ;;
	to) echo 198.51.100.65 ;;
	loss) echo 100 ;;
	esac
}

nft_ingress() {
	case $1 in
	up) netdev_marks ingress p0 p1 bond0 q0 q0.7; in_ward nft add counter netdev seen passed '{ }'
		in_ward nft add rule netdev seen ingress_bond0 counter name passed ;;
	down) in_ward nft delete table netdev seen ;;
	gone) in_ward nft list counter netdev seen passed | awk '$1 == "packets" { print $2 }' ;;
	to) echo 198.51.100.1 ;;
	esac
}

nft_egress() {
	case $1 in
	up) netdev_marks egress p0 p1 bond0 q0 q0.7; in_ward nft add counter netdev seen passed '{ }'
		in_ward nft add rule netdev seen egress_bond0 counter name passed ;;
	down) in_ward nft delete table netdev seen ;;
	gone) in_ward nft list counter netdev seen passed | awk '$1 == "packets" { print $2 }' ;;
	to) echo 198.51.100.1 ;;
	esac
}

# A flow that asks for the mark comes before those that do not: it drops.
openvswitch() {
	case $1 in
	up) : ;;
	down) : ;;
	gone) in_ward ovs-dpctl show wards | sed -n 's/.*lookups: hit:\([0-9]*\) .*/\1/p' ;;
	to) echo 198.51.100.129 ;;
	esac
}

mac_of() { ip -n "$1" -o link show "$2" | sed 's/.*link.ether \([^ ]*\).*/\1/'; }

taps_ways='mirred_bond mirred_vlan redirect_peer xdp_pass xdp_redirect nft_forward nft_ingress nft_egress openvswitch'
taps_pings=10

# taps_go WAY: the neighbour's own work, and what it has counted.
taps_go() {
	local way=$1 before lost wanted

	$way up || not_ok "$way stands"
	marks_forget
	before=$($way gone)
	lost=$(loss_from far "$($way to)" $taps_pings)
	wanted=$($way loss)
	is "$way: echo requests lost, percent" "$lost" "${wanted:-0}"
	check "$way has been gone" test $(($($way gone) - before)) -ge $taps_pings
	taps_seen=$(marks)
	$way down
}

# --- who listens ---

listeners=()
listen() {
	# What an earlier one said is not for us.
	: >"/tmp/listener.$1"
	ip netns exec ward build/guest/listener "$1" "$2" >"/tmp/listener.$1" 2>&1 &
	listeners+=($!)
	wait_for 5 grep -q listening "/tmp/listener.$1" || not_ok "a listener for $1 on $2" "$(<"/tmp/listener.$1")"
}

# Sockets as lldpd and a DHCP client hold them; the lease itself is a real client's and a real server's.
taps_listen() {
	# What an earlier one said is not for us.
	: >"/tmp/listener.$1"
	listen lldp p0
	listen dhcp q0.7
	is 'both sockets are there' "$(in_ward cat /proc/net/packet | grep -c ' [0-9]\+ *0003\| 0800 ')" 2
	cat >/tmp/udhcpd.conf <<-'END'
		start 198.51.100.100
		end 198.51.100.110
		interface fq.7
		lease_file /tmp/udhcpd.leases
		pidfile /tmp/udhcpd.pid
	END
	: >/tmp/udhcpd.leases
	ip netns exec far busybox udhcpd -f /tmp/udhcpd.conf >/tmp/udhcpd.log 2>&1 &
	udhcpd_pid=$!
	check 'a DHCP client gets its lease' in_ward /bin/busybox udhcpc -i q0.7 -f -n -q -t 5 -T 1 -s /bin/true
	kill "$udhcpd_pid"
	wait "$udhcpd_pid" 2>/dev/null
	for _ in 1 2 3; do in_far build/guest/tapdup_net frame fp0 $lldp_frame; done
	nap 2
}

lldp_frame=0180c200000e02000000aaaa88cc02070402000000aaaa040703020000000001060200780000

taps_listen_end() {
	nap 0.2
	kill -TERM "${listeners[@]}"
	wait "${listeners[@]}"
	listeners=()
	is 'the LLDP daemon has heard what came' "$(tail -n 1 /tmp/listener.lldp)" 'heard 3'
	check 'and so has the DHCP client' grep -q 'heard [1-9]' /tmp/listener.dhcp
}

taps_unwatched() { [[ $(counter tapdup devices_watched) = 0 ]]; }
taps_watched() { [[ $(counter tapdup devices_watched) != 0 ]]; }

# taps_echoes FILE: of how many echo requests it has at least one copy.
taps_echoes() { tcpdump -nr "$1" 2>/dev/null | sed -n 's/.*echo request, \(id [0-9]*, seq [0-9]*\),.*/\1/p' | sort -u | wc -l; }

# --- the world ---

world_begin() {
	local way

	taps_build
	taps_listen
	taps_listen_end
	for way in $taps_ways; do taps_go "$way"; done
}

world_check() {
	local way skipped

	check 'nobody listens: no device is watched' wait_for 10 taps_unwatched
	taps_listen
	say "   With an LLDP daemon and a DHCP client $(counter tapdup devices_watched) devices are watched."
	check 'for an LLDP daemon and a DHCP client nothing is attached' taps_unwatched
	taps_listen_end
	check 'nor afterwards' wait_for 10 taps_unwatched

	log_mark
	for way in $taps_ways; do
		begin_capture /tmp/taps.log ip netns exec ward build/tools/netguard capture -w /tmp/taps.pcap icmp
		check "$way: with a capture open devices are watched" wait_for 5 taps_watched
		nap 0.6
		taps_go "$way"
		stop_captures
		[[ -z $taps_seen ]] || say "   $way: the mark was seen, $taps_seen"
		case $way in
		mirred_* | redirect_peer | xdp_redirect | nft_forward | nft_ingress)
			check "$way: nobody sees tapdup's mark" test -z "$taps_seen" ;;
		*)
			check "$way: nobody sees tapdup's mark" test -z "$taps_seen" ;;
		esac
		is "$way: the capture has every echo request" "$(taps_echoes /tmp/taps.pcap)" $taps_pings
	done
	say "   Logged meanwhile: $(log_since_mark | grep netguard_tapdup:)"
	is 'tapdup has logged nothing' "$(log_since_mark | grep netguard_tapdup:)" ''
}

world_end() {
	local ns

	in_ward ovs-dpctl del-dp wards
	for ns in ward far pod; do ip netns delete $ns; done
	umount /tmp/bpf
}
