# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# All incidents at once, each as small as it can be and in network namespaces of its own. Sourced in a guest, after
# tools/incidents/lib.sh; the stories are in tools/incidents.
#
# vm-tools: ip nft ping tcpdump ethtool sysctl
# vm-modules: veth bonding 8021q bridge nf_conntrack nf_conntrack_netlink nf_tables nft_chain_nat nft_masq nft_ct
# vm-files: build/guest/ethsend build/guest/forge build/guest/ctflow build/guest/bulk

programs=build/guest

# pair NETNS DEVICE ADDRESS NETNS DEVICE ADDRESS: a veth pair.
pair() {
	local netns

	for netns in "$1" "$4"; do
		[[ -e /run/netns/$netns ]] || ip netns add "$netns"
		ip -n "$netns" link set lo up
	done
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	[[ $3 = - ]] || ip -n "$1" addr add "$3" dev "$2"
	[[ $6 = - ]] || ip -n "$4" addr add "$6" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
}

inside() { ip netns exec "$@"; }

# trouble_thief [NAME]: a VLAN left on a bond's port takes five frames.
trouble_thief() {
	local thief=${1:-e0.1000}

	pair lag e0 - wire w0 -
	ip -n lag link add bond0 type bond mode active-backup miimon 50
	ip -n lag link set e0 down
	ip -n lag link set e0 master bond0
	ip -n lag link set bond0 up
	ip -n lag link add link bond0 name bond0.1000 type vlan id 1000
	ip -n lag link set bond0.1000 up
	ip -n lag link add link e0 name "$thief" type vlan id 1000
	ip -n lag link set "$thief" up
	inside wire $programs/ethsend w0 5 1000 ffffffffffff 020000000001 810003e8 88b5 "$(printf '%092d' 0)"
}

# trouble_padding: an ARP request with 18 bytes of garbage behind it.
trouble_padding() {
	pair padded n0 - badnic b0 -
	inside badnic $programs/ethsend b0 3 1000 ffffffffffff 02005e000050 0806 0001080006040001 02005e000050 c0000201 \
		000000000000 c0000202 beef4217beef4217beef4217beef4217beef
}

# trouble_redirects: a router that answers 20 packets a second with redirects, for four seconds.
trouble_redirects() {
	pair misled eth0 192.0.2.10/24 wrong eth0 192.0.2.1/24
	inside wrong $programs/forge -n 84 -g 50 192.0.2.10 5 1 c0000202 \
		450000541234400040110000c000020ac633640a1389138900400000
}

# trouble_invalid: one segment outside the window, and a NAT host kills the connection.
trouble_invalid() {
	local fd

	pair cl c0 192.0.2.2/24 nat vc 192.0.2.1/24
	pair sv s0 203.0.113.80/24 nat vs 203.0.113.1/24
	ip -n cl route add default via 192.0.2.1
	inside nat sysctl -q net.ipv4.ip_forward=1
	inside nat nft 'table inet nat { chain post { type nat hook postrouting priority srcnat; oifname "vs" masquerade; }; }'
	sleep 0.7
	mkfifo /tmp/serve /tmp/connect
	exec {fd}<>/tmp/serve
	inside sv $programs/ctflow serve 203.0.113.80 443 </tmp/serve >/tmp/served 2>&1 &
	wait_for 5 holds /tmp/served listening
	inside cl $programs/ctflow connect 203.0.113.80 443 <>/tmp/connect >/tmp/connected 2>&1 &
	wait_for 5 holds /tmp/served connected
	echo 'raw seq=10000000' >&"$fd"
	wait_for 5 holds /tmp/served 'raw sent'
}

# trouble_path: a middlebox that eats what is longer than 1420 bytes. Takes some seconds.
trouble_path() {
	pair host to-box 198.51.100.1/25 box to-host 198.51.100.2/25
	pair box to-peer 198.51.100.129/25 peer to-box 198.51.100.130/25
	ip -n host route add default via 198.51.100.2
	ip -n peer route add default via 198.51.100.129
	inside box sysctl -q net.ipv4.ip_forward=1
	inside host ethtool -K to-box tso off gso off >/dev/null
	inside box nft 'table inet eater { chain forward { type filter hook forward priority 0; ip length > 1420 drop; }; }'
	inside host $programs/bulk listen 443 &
	sleep 0.5
	inside peer $programs/bulk -t 30 connect 198.51.100.1 443 517 4000 >/dev/null 2>&1 &
}

# trouble_mark: somebody else uses the bit that marks duplicates, while a capture is open.
trouble_mark() {
	pair marker m0 - marked m1 -
	ip -n marker link add link m0 name m0.5 type vlan id 5
	ip -n marker addr add 192.0.2.65/26 dev m0.5
	ip -n marker link set m0.5 up
	ip -n marker neigh add 192.0.2.66 lladdr 02:00:5e:00:00:66 dev m0.5
	inside marker timeout 20 tcpdump -ni any -w /dev/null >/tmp/mark.log 2>&1 &
	wait_for 5 holds /tmp/mark.log listening
	wait_for 5 found tapdup devices_watched
	inside marker ping -q -c 2 -i 0.3 -W 1 -m $((0x40000000)) 192.0.2.66 >/dev/null
}

found() { [[ $(counter "$1" "$2") -ge ${3:-1} ]]; }

# troubles: all of them, until netguard has seen each.
troubles() {
	trouble_path
	trouble_redirects &
	trouble_thief "$@"
	trouble_padding
	trouble_invalid
	trouble_mark
	wait_for 10 found vlansteal frames_stolen 5
	wait_for 10 found padstrip frames_nonzero 3
	wait_for 10 found ctinvalid resets_provoked
	wait_for 10 found redirect storms
	wait_for 10 found tapdup mark_taken
	wait_for 40 found pathmtu blackhole_suspects
}
