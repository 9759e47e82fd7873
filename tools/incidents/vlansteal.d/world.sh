# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The world of the cases, see cases.sh, and the questions they ask.

: "${ng_debugfs:?comes from tools/incidents/lib.sh}"

# Programs are slow to start in a guest, so ip gets many commands at a time.

# cables: the two namespaces and what is between them.
cables() {
	local side

	ip netns add h
	ip netns add s
	ip -batch - <<-END
		link add e0 netns h type veth peer name p0 netns s
		link add e1 netns h type veth peer name p1 netns s
	END
	for side in h s; do
		in_ns $side sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
	done
}

# world [MODE [PROTO]]: bonds of this mode on both sides.
world() {
	local mode=${1:-balance-xor} bond

	bond="link add bond0 type bond mode $mode miimon 20"
	[[ $mode != 802.3ad ]] || bond+=' lacp_rate fast'
	cables
	lag_up h "$bond" "${2:-802.1Q}" e0 e1
	lag_up s "$bond" "${2:-802.1Q}" p0 p1
	wait_for 10 ping_out
}

# world_team: a team on the host, a bond at the switch.
world_team() {
	cables
	ip -n h link add bond0 type team
	in_ns h teamnl bond0 setoption mode roundrobin
	lag_up h '' 802.1Q e0 e1
	lag_up s 'link add bond0 type bond mode balance-rr miimon 20' 802.1Q p0 p1
	wait_for 10 ping_out
}

# lag_up SIDE COMMAND PROTO PORT PORT: makes bond0 with that command of ip, its VLAN on top, and gives that addresses.
lag_up() {
	ip -n "$1" -batch - <<-END
		$2
		link set $4 master bond0
		link set $5 master bond0
		link set bond0 up
		link add link bond0 name bond0.1000 type vlan proto $3 id 1000
		link set bond0.1000 up
		link set $4 up
		link set $5 up
		$(addresses "$1" bond0.1000)
	END
}

# addresses SIDE DEVICE: the commands that give it the addresses of this side.
addresses() {
	local last=1

	[[ $1 = h ]] || last=2
	printf '%s\n' "addr add 192.0.2.$last/24 dev $2" "addr add 2001:db8::$last/64 dev $2 nodad"
}

world_ad() {
	local side

	world balance-xor 802.1ad
	for side in h s; do
		ip -n $side link add link bond0.1000 name inner type vlan id 200
		ip -n $side link set inner up
	done
	ip -n h addr add 198.51.100.1/24 dev inner
	ip -n s addr add 198.51.100.2/24 dev inner
}

# quiet: nobody but frames() sends in this world any more, so that frames can be counted.
quiet() {
	local side

	for side in h s; do
		ip -n $side addr flush dev bond0.1000
		in_ns $side sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	done
	sleep 0.5
}

# Namespaces go asynchronously; the next world must not meet what is left of this one.
world_end() {
	ip netns del h
	ip netns del s
	wait_for 5 no_thieves || not_ok 'deleted namespaces take their thieves along'
}

# thieves: bond0.1000's rivals on both ports, up.
thieves() {
	ip -n h -batch - <<-END
		link add link e0 name e0.1000 type vlan id 1000
		link set e0.1000 up
		link add link e1 name e1.1000 type vlan id 1000
		link set e1.1000 up
	END
}

no_thieves() { ! read -r <"$ng_debugfs/vlansteal/thieves"; }
row_of() { row vlansteal thieves "thief=$1"; }
ifindex() { ip netns exec h cat "/sys/class/net/$1/ifindex"; }
verdicts() { column vlansteal thieves verdict; }
sum_of() { local numbers; numbers=$(column vlansteal thieves "$1") && echo $((${numbers// /+})); }
refused() { ! param vlansteal mode "$1" && [[ $( (echo "$1" >/sys/module/netguard_vlansteal/parameters/mode) 2>&1) = *'Invalid argument'* ]]; }

ping_out() { in_ns h ping -q -c 2 -i 0.05 -W 1 192.0.2.2; }

# loss_out [COUNT [PING_OPTION...]]: from the host to the switch over the bond, ARP included.
loss_out() {
	local count=${1:-5}
	[[ $# = 0 ]] || shift

	ip -n h neigh flush all
	loss_from h 192.0.2.2 "$count" "$@"
}

loss6_out() {
	ip -n h -6 neigh flush all
	loss_from h 2001:db8::2 5
}

# rx DEVICE: frames that a device of the host has received.
rx() { rx_of h "$1"; }

# The storage VLAN 77 that sits on e0 only: frames from the switch's p0 reach it.
private_works() {
	local before

	before=$(rx store)
	frames p0 20 0 "$(tagged 8100 77)"
	wait_for 3 received store $((before + 20))
	is "$1" $(($(rx store) - before)) 20
}

received() { (($(rx "$1") >= $2)); }

# tagged TPID VID: a broadcast frame of 60 bytes for this VLAN, of a protocol that nobody answers.
tagged() { printf 'ffffffffffff0200000000ee%s%04x88b5%088d' "$1" "$2" 0; }

# knock: five frames of VLAN 1000 that have come to e0, or it fails.
knock() {
	local before

	before=$(rx e0)
	frames p0 5 0 "$(tagged 8100 1000)" && wait_for 3 received e0 $((before + 5)) && sleep 0.2
}

# frames PORT COUNT PAUSE_US HEX: puts frames on the switch's end of a cable.
frames() { in_ns s build/guest/ethsend "$@"; }
