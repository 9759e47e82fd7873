# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# Rules that make conntrack see less than there is: SYNPROXY, whose way of work are INVALID acknowledgements, and a flowtable,
# whose packets pass none of conntrack's hooks once their flow is in it.
#
#    netns guest            netns wall                       netns service
#    198.51.100.2 --------- wl 198.51.100.1  203.0.113.1 wr --------- 203.0.113.2: 80 behind SYNPROXY, 444 by the flowtable
#
# vm-tools: ip ping nft
# vm-modules: veth nf_tables nft_ct nf_conntrack nft_synproxy nf_flow_table nf_flow_table_inet nft_flow_offload
# vm-files: tools/incidents/lib.sh build/guest/bulk build/guest/ctflow

in_wall() { in_ns wall "$@"; }

tracked_build() {
	local ns port

	need veth nf_tables nft_ct nf_conntrack nft_synproxy nf_flow_table_inet nft_flow_offload
	for ns in guest wall service; do
		ip netns add $ns
		in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		ip -n $ns link set lo up
	done
	ip -n wall -batch - <<-'END'
		link add wl type veth peer name g0 netns guest
		link add wr type veth peer name s0 netns service
		link set wl up
		link set wr up
		addr add 198.51.100.1/24 dev wl
		addr add 203.0.113.1/24 dev wr
	END
	ip -n guest -batch - <<-'END'
		link set g0 up
		addr add 198.51.100.2/24 dev g0
		route add default via 198.51.100.1
	END
	ip -n service -batch - <<-'END'
		link set s0 up
		addr add 203.0.113.2/24 dev s0
		route add default via 203.0.113.1
	END
	in_wall sysctl -qw net.ipv4.ip_forward=1
	in_wall nft -f - <<-'END'
		table inet wall {
			flowtable fast {
				hook ingress priority 0
				devices = { wl, wr }
			}
			chain raw {
				type filter hook prerouting priority raw
				iifname "wl" tcp dport 80 tcp flags syn notrack
			}
			chain pass {
				type filter hook forward priority 0
				tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
				tcp dport 80 ct state invalid drop
				tcp dport 444 flow add @fast
				tcp dport 444 counter comment "slow"
				tcp sport 444 counter comment "slow"
			}
		}
	END
	in_wall sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	tracked_servers=()
	for port in 80 444; do
		ip netns exec service build/guest/bulk listen $port &
		tracked_servers+=($!)
	done
	check 'the service answers' wait_for 10 in_ns guest ping -q -c 1 -W 1 203.0.113.2
}

# cookies: how many acknowledgements SYNPROXY has taken for good, on all CPUs; the fourth column.
cookies() {
	local sum=0 line values

	while read -r line; do
		read -ra values <<<"$line"
		[[ $line = entries* ]] || sum=$((sum + 16#${values[3]}))
	done < <(in_wall cat /proc/net/stat/synproxy)
	echo $sum
}

# slow: packets of the flowtable's flows that the rules have seen.
slow_packets() { in_wall nft list chain inet wall pass | sed -n 's/.*counter packets \([0-9]*\) .*comment "slow"/\1/p' | awk "{ n += \$1 } END { print n + 0 }"; }
# shellcheck disable=SC2016 # awk's
wall_received() { in_wall awk '$1 ~ /^w[lr]:/ { n += $3 } END { print n + 0 }' /proc/net/dev; }

# tracked_proxy SENTENCE: the work of SYNPROXY.
tracked_proxy() {
	local before whole=0 i

	before=$(cookies)
	for i in 1 2 3 4 5; do
		in_ns guest build/guest/bulk connect 203.0.113.2 80 5000 5000 >/dev/null && whole=$((whole + 1))
	done
	is "$1: five connections through SYNPROXY, of which come whole" $whole 5
	check "$1: SYNPROXY has taken the cookie of each" test $(($(cookies) - before)) -ge 5
}

# tracked_flow SENTENCE: the work of the flowtable.
tracked_flow() {
	local slow all

	slow=$(slow_packets) all=$(wall_received)
	check "$1: a transfer by the flowtable comes whole" in_ns guest build/guest/bulk connect 203.0.113.2 444 1000000 1000000
	slow=$(($(slow_packets) - slow)) all=$(($(wall_received) - all))
	say "   $slow of $all packets passed the rules."
	check "$1: most packets do not pass the rules" test $((2 * slow)) -lt $all
}

wall_log() { log_since_mark | grep "netguard_ctinvalid: netns=$1 "; }
wall_is_odd() {
	in_ns guest build/guest/ctflow send src=198.51.100.2 dst=198.51.100.1 sport="$1" dport="$1" flags=SF </dev/null
	nap 0.2
	[[ -n $(row ctinvalid flows netns="$2" sport="$1" reason=bad_flags) ]]
}

# says_unseen NETNS: some row, counter or line tells that there are packets in it that are not seen.
says_unseen() {
	{ cat "$ng_debugfs"/ctinvalid/*; log_since_mark; } | grep "netns=$1 " | grep -qiE 'flowtable|unseen|not seen|offload'
}

world_begin() {
	tracked_build
	tracked_proxy 'without netguard'
	tracked_flow 'without netguard'
}

world_check() {
	local inum

	inum=$(netns_inum wall)
	check 'the guard has its hooks here: an INVALID packet is in its table' wait_for 10 wall_is_odd 9 "$inum"
	nap 0.5
	log_mark
	tracked_proxy 'with netguard'
	nap 0.5
	say "   Lines about it: $(wall_log "$inum" | wc -l)"
	check 'the way that SYNPROXY works is no finding' test -z "$(wall_log "$inum")"
	param ctinvalid mode heal
	tracked_proxy 'in mode heal'
	param ctinvalid mode log
	nap 6

	log_mark
	tracked_flow 'with netguard'
	is 'a flowtable is no finding' "$(wall_log "$inum")" ''
	xfail 19 'that packets of a flowtable are not seen is told' says_unseen "$inum"
	check 'what does not go by the flowtable is still found' wall_is_odd 7 "$inum"
}

world_end() {
	local ns

	tracked_proxy 'after netguard'
	tracked_flow 'after netguard'
	kill "${tracked_servers[@]}"
	wait "${tracked_servers[@]}" 2>/dev/null
	for ns in guest wall service; do ip netns delete $ns; done
}
