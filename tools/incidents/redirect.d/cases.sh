# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What must hold besides the story; sourced by tools/incidents/redirect.

host_inum=$(netns_inum host)
rows() { wc -l <$ng_debugfs/redirect/routers; }
received() { counter redirect redirects_received; }

act 'IPv6'
before=$(kernel_received)
in_host ping -q -c 3 -i 1.1 -W 2 2001:db8:2::10 >/dev/null
check 'an IPv6 redirect gives a row with router, destination and the better gateway' \
	wait_for 4 has_row "netns=$host_inum" router=fe80::1 dst=2001:db8:2::10 gateway=fe80::2 direction=received
check 'so does the one that was sent' has_row "netns=$(netns_inum wrong)" router=fe80::1 dst=2001:db8:2::10 direction=sent
check 'IPv6 redirects are in the totals' wait_for 3 totals_agree "$before"
in_wrong $forge -s fe80::1%eth0 -n 84 -g 50 fe80::10%eth0 137 0 0 \
	"$(hex6 fe80:0000:0000:0000:0000:0000:0000:0002)$(hex6 2001:0db8:0002:0000:0000:0000:0000:0011)"
check 'a storm of IPv6 redirects is one, too' \
	wait_for 3 has_row "netns=$host_inum" dst=2001:db8:2::11 gateway=fe80::2 direction=received storm=yes

act 'What is no storm'
slowly() { in_wrong $forge -n 24 -g 170 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "$(quote 192.0.2.10 198.51.100.12)"; }
unmoved 'six redirects a second are no storm' 'counter redirect storms' 24 received slowly
check 'but listed' has_row "netns=$host_inum" dst=198.51.100.12 direction=received storm=no
at_once() { in_wrong $forge -n 20 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "$(quote 192.0.2.10 198.51.100.13)"; }
unmoved 'nor are twenty at once' 'counter redirect storms' 20 received at_once
check 'which are listed, too' has_row "netns=$host_inum" dst=198.51.100.13 direction=received redirects=20 storm=no

act 'Truncated and forged'
wait_for 3 totals_agree
kernel=$(kernel_received)
before=$(rows) malformed=$(counter redirect redirects_malformed) total=$(received)
good=$(quote 192.0.2.10 198.51.100.14)
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)"
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "${good:0:38}"
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "6${good:1}"
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "42${good:2}"
in_wrong $forge 192.0.2.10 5 1 0 "$good"
in_wrong $forge -s fe80::1%eth0 fe80::10%eth0 137 0 0 fe80
# Seen twice: where they are sent and where they come in.
is 'redirects that are cut short, quote nonsense or name no gateway are called malformed, and make no row' \
	"$(($(counter redirect redirects_malformed) - malformed)) $(rows)" "12 $before"
check 'and they are in the totals' wait_for 3 totals_agree "$kernel"
is 'to the packet' "$(($(received) - total))" 6

evicted=$(counter redirect routers_evicted)
in_wrong $forge -s fe80::1%eth0 -n 1500 -v 30 fe80::10%eth0 137 0 0 \
	"$(hex6 fe80:0000:0000:0000:0000:0000:0000:0002)$(hex6 2001:0db8:0002:0000:0000:0000:0003:0000)"
is 'a flood of redirects for 1500 destinations does not grow the table beyond 1024 rows' "$(rows)" 1024
check 'what had to make room is counted' test $(($(counter redirect routers_evicted) + $(counter redirect routers_missed))) -ge $((evicted + 3000 - 1024))

act 'Unloading while redirects rain'
# Not by in_wrong, whose process would be a shell, and the flood would outlive that.
ip netns exec wrong $forge -n 200000 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "$(quote 192.0.2.10 198.51.100.15)" &
flood=$!
unloads=0
for _ in 1 2 3; do
	modprobe netguard_redirect 2>/dev/null
	wait_for 3 at_least redirects_received 1 && sleep 0.2 && rmmod netguard_redirect && unloads=$((unloads + 1))
done
kill "$flood" 2>/dev/null
wait "$flood" 2>/dev/null
# What it has sent may wait in a queue for a while, and is not to come into the next cases.
arrived() { local before; before=$(kernel_received) && nap 0.5 && [[ $(kernel_received) = "$before" ]]; }
wait_for 10 arrived
is 'the module goes at once, three times, while redirects come in' "$unloads" 3

act 'A healthy host pays nothing'
# calls FUNCTION...: how often the kernel called them while the pings ran, by its own tracer.
tracing=/sys/kernel/tracing
calls() {
	echo nop >$tracing/current_tracer
	echo 'redirect_in*:mod:netguard_redirect' >$tracing/set_ftrace_filter || return
	echo function >$tracing/current_tracer
	in_host ping -q -c 5 -i 0.05 -W 2 192.0.2.10 >/dev/null || echo 'no echo'
	grep -c 'redirect_in' $tracing/trace
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
}
modprobe netguard_redirect
is 'after loading no hook is attached, whatever the kernel counted before' \
	"$(($(kernel_received) > 0)) $(counter redirect netns_watched)" '1 0'
is 'old redirects are not counted as new' "$(($(kernel_received) > 0)) $(received)" '1 0'
if [[ -w $tracing/set_ftrace_filter ]]; then
	is 'the kernel calls nothing of the guard at rest, says its function tracer' "$(calls)" 0
else
	skip 'the kernel calls nothing of the guard at rest' 'this kernel has no function tracer'
fi
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "$(quote 192.0.2.10 198.51.100.16)"
started=${EPOCHREALTIME/./}
check 'one redirect switches the hooks on' wait_for 3 watched 2
took=$(((${EPOCHREALTIME/./} - started) / 1000))
# A second, and what this slow machine needs to notice.
timely() { watched 2 && [[ $took -le $((1000 + 500 * slow)) ]]; }
check "within a second (it took $took ms)" timely
is 'the one redirect from before the hooks is in the totals' "$(received)" 1
if [[ -w $tracing/set_ftrace_filter ]]; then
	check 'now the kernel calls the hooks' test "$(calls)" -ge 5
fi
ip netns add bystander
check 'a namespace where nothing moves is left alone' watched 2
in_wrong $forge 192.0.2.10 5 1 "$(hex4 192.0.2.2)" "$(quote 192.0.2.10 198.51.100.17)"
started=${EPOCHREALTIME/./}
check 'rows come from the hooks' wait_for 3 has_row "netns=$host_inum" dst=198.51.100.17
ip netns del right
ip netns del wrong
check 'the rows of a namespace go with it' wait_for 20 watched 1
gone_off() { [[ $on = 1 ]] && watched 0; }
on=$(counter redirect netns_watched)
is 'and only those' "$(rows)" 1
unhooks_begin
check 'the hooks have nothing to do when nothing has moved for a minute' wait_for 80 gone_off
took=$(((${EPOCHREALTIME/./} - started) / 1000))
check "not earlier and not much later (it took $took ms)" test "$took" -ge 59000 -a "$took" -le $((60000 + 4000 * slow))
if [[ -w $tracing/set_ftrace_filter ]]; then
	is 'but stay: unregistering one would drop what waits in an NFQUEUE' "$(unhooks_end)" 0
fi
rmmod netguard_redirect
