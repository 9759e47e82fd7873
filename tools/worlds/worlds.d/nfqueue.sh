# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# An inline NFQUEUE consumer that holds each packet for 100 ms. Whoever unregisters a netfilter hook in that namespace has the
# kernel drop what waits (nf_queue_nf_hook_drop()): does netguard?
#
#    netns left                  netns gate                       netns right
#    198.51.100.2 --- VLAN 7 --- lq.7 198.51.100.1   203.0.113.1 qr --- 203.0.113.2
#                                forward: queue, 100 ms each way
#
# vm-tools: ip ping nft tcpdump
# vm-modules: veth 8021q nf_tables nft_ct nf_conntrack nft_queue nfnetlink_queue
# vm-files: tools/incidents/lib.sh build/guest/hold build/guest/forge

in_gate() { in_ns gate "$@"; }

queue_build() {
	local ns

	need veth 8021q nf_tables nft_queue nfnetlink_queue nft_ct nf_conntrack
	for ns in left gate right; do
		ip netns add $ns
		in_ns $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		ip -n $ns link set lo up
	done
	ip link add lq netns gate type veth peer name ql netns left
	ip link add qr netns gate type veth peer name rq netns right
	ip -n left -batch - <<-'END'
		link set ql up
		link add link ql name ql.7 type vlan id 7
		link set ql.7 up
		addr add 198.51.100.2/24 dev ql.7
		route add default via 198.51.100.1
	END
	ip -n gate -batch - <<-'END'
		link set lq up
		link add link lq name lq.7 type vlan id 7
		link set lq.7 up
		addr add 198.51.100.1/24 dev lq.7
		link set qr up
		addr add 203.0.113.1/24 dev qr
		neigh add 203.0.113.77 lladdr 02:00:00:00:00:77 dev qr
	END
	ip -n right -batch - <<-'END'
		link set rq up
		addr add 203.0.113.2/24 dev rq
		route add default via 203.0.113.1
	END
	in_gate sysctl -qw net.ipv4.ip_forward=1
	check 'the path works before the queue' wait_for 10 in_ns left ping -q -c 1 -W 1 203.0.113.2
	in_gate nft 'table inet inline { chain c { type filter hook forward priority 0; counter queue num 0; }; }'
	ip netns exec gate build/guest/hold 0 100 >/tmp/hold &
	queue_pid=$!
	wait_for 5 test -s /tmp/hold
	ip netns exec left ping -q -i 0.04 203.0.113.2 >/tmp/hold.ping &
	ping_pid=$!
	check 'the consumer holds what passes' wait_for 10 queue_holds 20
}

# queue_ask: what the consumer has seen by now, in queue_said.
queue_ask() {
	local lines=() before

	mapfile -t lines </tmp/hold
	before=${#lines[@]}
	kill -USR1 "$queue_pid"
	until mapfile -t lines </tmp/hold && ((${#lines[@]} > before)); do nap 0.05; done
	queue_said=${lines[-1]}
}
queue_holds() { queue_ask; (($(field "$queue_said" held) >= $1)); }

# queue_loses COMMAND...: how many packets that waited the kernel dropped while it ran, in queue_lost, and how many times it
# dropped all that waited, in queue_drops.
queue_loses() {
	local before

	queue_ask
	before=$queue_said
	"$@"
	# Until the verdict for the last of them has come.
	nap 0.3
	queue_ask
	queue_lost=$(($(field "$queue_said" lost) - $(field "$before" lost)))
	queue_drops=$(($(field "$queue_said" drops) - $(field "$before" drops)))
	(($(field "$queue_said" held) > $(field "$before" held))) || not_ok "packets went through the queue during: $*"
}

# queue_unhooks COMMAND...: how many hooks netguard unregistered at the gate while it ran, in queue_unhooked: by the stack of who
# has the kernel drop what waits. Which struct net is the gate's is found by an nft that does so there.
queue_unhooks() {
	local tracing=/sys/kernel/tracing gate

	in_gate nft 'table inet which { chain c { type filter hook input priority 5; counter; }; }'
	echo 'p:netguard_test/drop nf_queue_nf_hook_drop net=%di' >$tracing/kprobe_events || return
	echo stacktrace >$tracing/events/netguard_test/drop/trigger
	# Only then the module is printed, too.
	echo 1 >$tracing/options/sym-offset
	echo >$tracing/trace
	echo 1 >$tracing/events/netguard_test/drop/enable
	in_gate nft delete table inet which
	wait_for 5 grep -q ' drop: .*net=' $tracing/trace || not_ok 'it is seen when a hook is unregistered'
	gate=$(sed -n 's/.* drop: .*\(net=0x[0-9a-f]*\).*/\1/p' $tracing/trace | head -n 1)
	"$@"
	echo 0 >$tracing/events/netguard_test/drop/enable
	queue_unhooked=$(awk -v gate="$gate" '
		/ drop: / { here = $0 ~ gate "( |$)"; seen = 0 }
		here && !seen && /\[netguard/ { seen = 1; n++ }
		END { print n + 0 }' $tracing/trace)
	echo 0 >$tracing/options/sym-offset
	echo '!stacktrace' >$tracing/events/netguard_test/drop/trigger
	echo >$tracing/kprobe_events
}

# shellcheck disable=SC2016 # awk's
retransmitted_at_gate() { in_gate awk '$1 == "Tcp:" { n = $13 } END { print n }' /proc/net/snmp; }
# Segments and a redirect: what the watch of pathmtu and redirect looks for.
queue_trouble() {
	local before

	before=$(retransmitted_at_gate)
	in_gate timeout 5 bash -c 'exec 3<>/dev/tcp/203.0.113.77/80' 2>/dev/null
	in_ns right build/guest/forge 203.0.113.1 5 1 "$(hex4 203.0.113.3)" "$(quote4 203.0.113.1 198.51.100.9)"
	(($(retransmitted_at_gate) > before)) || not_ok 'there was a retransmission at the gate'
}

# What waits when a capture ends.
queue_capture() {
	begin_capture /tmp/queue.log ip netns exec gate tcpdump -i any -U -w /tmp/queue.pcap
	nap 2
	stop_captures
	nap 4
}

queue_rules() { in_gate nft 'table inet stateful { chain c { type filter hook prerouting priority 0; ct state invalid counter; }; }'; nap 1; }
queue_rules_go() { in_gate nft delete table inet stateful; nap 1; }
# The kernel itself drops what waits when they go.
queue_restarts() {
	local drops=0

	for _ in 1 2 3 4; do
		queue_loses queue_rules
		is 'rules that need conntrack come: the queue loses nothing' "$queue_lost" 0
		queue_loses queue_rules_go
		drops=$((drops + queue_drops))
	done
	queue_drops=$drops
}

world_begin() {
	queue_build
	queue_loses queue_trouble
	is 'without netguard a retransmission costs the queue nothing' "$queue_lost" 0
	queue_loses queue_capture
	is 'nor does a capture' "$queue_lost" 0
	queue_restarts
	check 'rules that need conntrack go, four times: the kernel itself drops what waits' test "$queue_drops" -ge 4
}

world_check() {
	local inum begun

	inum=$(netns_inum gate)
	queue_loses queue_trouble
	is 'a retransmission and a redirect, hooks on: the queue loses nothing' "$queue_lost" 0
	begun=$SECONDS
	queue_unhooks queue_loses queue_capture
	say "   The end of a capture costs $queue_lost packets: $queue_unhooked hooks unregistered."
	# All that it takes off it takes off at once.
	check 'the end of a capture costs no more than what waits at one moment' test "$queue_lost" -le 12
	log_mark
	queue_unhooks queue_restarts
	say "   Rules that need conntrack went four times: $queue_drops drops; netguard unregistered $queue_unhooked hooks."
	check 'rules that need conntrack go: netguard unregisters nothing' test "$queue_unhooked" = 0
	say "   Of valid packets called INVALID by then: $(log_since_mark | grep -c "netguard_ctinvalid: netns=$inum") lines."
	check 'and calls nothing INVALID' fails logged "netguard_ctinvalid: netns=$inum"
	# NG_WATCH_LINGER is a minute, and a look a second.
	queue_unhooks queue_loses nap $((64 - SECONDS + begun))
	say "   A minute after the retransmission $queue_lost packets: $queue_unhooked hooks unregistered."
	check 'a minute after the retransmission, hooks off or not: the queue loses nothing' test "$queue_lost" = 0
}

# Each echo request and each reply is held once.
world_end() {
	local said sent received

	kill -INT "$ping_pid"
	wait "$ping_pid"
	nap 0.3
	kill -TERM "$queue_pid"
	wait "$queue_pid"
	said=$(tail -n 1 /tmp/hold)
	say "   $said; ping: $(grep transmitted /tmp/hold.ping)"
	read -r sent received < <(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' /tmp/hold.ping)
	check 'the consumer had more than a thousand packets' test "$(field "$said" held)" -gt 1000
	# Which does not wait for the last ones.
	check 'and lost what ping misses' test $((sent - received - $(field "$said" lost))) -ge 0 -a $((sent - received - $(field "$said" lost))) -le 6
	for ns in left gate right; do ip netns delete $ns; done
}
