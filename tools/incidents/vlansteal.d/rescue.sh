# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Rescue mode: what the LAG makes of the frames it gets back. Sourced by cases.sh.

: "${ng_debugfs:?comes from tools/incidents/lib.sh}"

# rescued_all SENTENCE: nothing is lost, and it was the guard's doing.
rescued_all() {
	local before

	before=$(counter vlansteal frames_rescued)
	is "$1" "$(loss_out 20) $(loss6_out)" '0 0'
	check "$1: the frames came by way of the guard" test "$(counter vlansteal frames_rescued)" -gt $((before + 20))
}

param vlansteal mode rescue

for mode in balance-xor balance-rr active-backup; do
	world $mode
	thieves
	rescued_all "$mode: rescue loses nothing, ARP and neighbour discovery included"
	ip -n h link set e0.1000 down
	ip -n h link set e1.1000 down
	rescued_all "$mode: nor with the thieves down"
	world_end
done

world active-backup
quiet
ip -n h link set bond0 type bond active_slave e0
ip -n h link add link e1 name e1.1000 type vlan id 1000
before=$(counter vlansteal frames_rescued) received=$(rx bond0.1000)
frames p1 20 0 "$(tagged 8100 1000)"
frames p0 1 0 "$(tagged 8100 1000)"
wait_for 3 received bond0.1000 $((received + 1))
is 'active-backup: frames on the inactive slave are led to the bond' $(($(counter vlansteal frames_rescued) - before)) 20
is 'active-backup: which drops them, and takes those of the active slave' $(($(rx bond0.1000) - received)) 1
world_end

world active-backup
thieves
has_active() { in_ns h grep -q 'Currently Active Slave: e' /proc/net/bonding/bond0; }
ip -n h link set bond0 type bond arp_interval 200 arp_ip_target 192.0.2.2 arp_validate none
wait_for 10 has_active
sleep 2
check 'ARP monitor, target in the stolen VLAN: rescue keeps the active slave up' has_active
rescued_all 'ARP monitor: rescue loses nothing'
ip -n h link set bond0 type bond arp_validate active
check 'with arp_validate the monitor does not know the rescued replies (its page)' wait_for 10 fails has_active
world_end

world 802.3ad
thieves
partner() { in_ns h sed -n 's/.*Partner Mac Address: //p' /proc/net/bonding/bond0 | head -n 1; }
has_partner() { [[ $(partner) = *:* && $(partner) != 00:00:00:00:00:00 ]]; }
# Actor and partner of both ports, on both sides: all bits up to collecting and distributing.
aggregated() { [[ $(in_ns "$1" grep -c 'port state: 63$' /proc/net/bonding/bond0) = 4 ]]; }
check '802.3ad: this side collects and distributes' wait_for 20 aggregated h
check '802.3ad: so does the other' wait_for 20 aggregated s
rescued_all '802.3ad: rescue loses nothing'
frames p0 200 25000 "$(tagged 8100 1000)"
check '802.3ad: LACP stays up for longer than its short timeout' has_partner
is '802.3ad: both ports are still in the aggregate' \
	"$(in_ns h grep -c 'MII Status: up' /proc/net/bonding/bond0) $(in_ns h sed -n 's/.*Number of ports: //p' /proc/net/bonding/bond0)" '3 2'
world_end

# --- what is in the frames ---

world
thieves
is 'rescue with fragments: 8000-byte echo requests are answered' "$(loss_out 5 -s 8000)" 0
ip -n s link set bond0.1000 type vlan egress-qos-map 0:5
priorities() {
	begin_capture /tmp/priorities.log ip netns exec h tcpdump --immediate-mode -U -w /tmp/priorities.pcap -Q in -i bond0 \
		vlan 1000 and icmp
	ping_out >/dev/null
	ping_out >/dev/null
	stop_captures
	tcpdump -enr /tmp/priorities.pcap 2>/dev/null | grep -c 'vlan 1000, p 5'
}
is 'the priority bits of the tag are kept' "$(priorities)" 4

listening() { in_ns h netstat -ltn | grep -q :5000; }
# However slow this machine is, segments are to leave TCP in full aggregates.
in_ns s sysctl -qw net.ipv4.tcp_min_tso_segs=44
in_ns h sysctl -qw net.ipv4.tcp_rmem='4096 4000000 6000000'
megabytes=$((slow > 1 ? 2 : 8))
bulk() {
	dd if=/dev/urandom of=/tmp/sent bs=1M count=$megabytes 2>/dev/null
	ip netns exec h nc -l -p 5000 </dev/null >/tmp/got 2>/tmp/nc &
	wait_for 5 listening
	in_ns s bash -c 'cat /tmp/sent >/dev/tcp/192.0.2.1/5000'
	wait $!
}
traced vlansteal_rescued bulk >/tmp/bulk
check "a TCP transfer of $megabytes MB arrives byte for byte" cmp /tmp/sent /tmp/got
largest=$(sed 's/.* len=//' /tmp/bulk | sort -n | tail -n 1)
check 'aggregates of more than 60,000 bytes were rescued whole' test "${largest:-0}" -gt 60000
is 'no rescue failed and nothing leaked' \
	"$(($(wc -l </tmp/bulk) > 0)) $(counter vlansteal rescue_failed) $(counter vlansteal frames_leaked)" '1 0 0'
world_end

# --- it adds up ---

world
thieves
quiet
# grown FUNCTION BEFORE BY: what the function prints has grown by so much.
grown() { (($($1) - $2 >= $3)); }
taken() { echo $(($(counter vlansteal frames_stolen) + $(counter vlansteal frames_lost) + $(counter vlansteal frames_rescued))); }
before=$(taken) rescued=$(counter vlansteal frames_rescued) stolen=$(counter vlansteal frames_stolen)
above=$(rx bond0.1000) beside=$(rx e0.1000)
count=$((4000 / slow))
frames p0 $count 200 "$(tagged 8100 1000)" &
sender=$!
flips=0
while kill -0 $sender 2>/dev/null; do
	param vlansteal mode detect
	param vlansteal mode rescue
	flips=$((flips + 1))
done
wait $sender
arrived() { echo $(($(rx bond0.1000) + $(rx e0.1000))); }
wait_for 5 grown arrived $((above + beside)) $count
check 'rescue was turned on and off under load' test $flips -gt 3 -a "$(taken)" -gt "$before"
is 'every frame has one fate: rescued, stolen or lost' $(($(taken) - before)) $count
rescued=$(($(counter vlansteal frames_rescued) - rescued)) stolen=$(($(counter vlansteal frames_stolen) - stolen))
is 'what was rescued reached the bond' "$((rescued > 0)) $(($(rx bond0.1000) - above))" "1 $rescued"
is 'what was stolen reached the thief' "$((stolen > 0)) $(($(rx e0.1000) - beside))" "1 $stolen"
ip -n h link set e0.1000 down
param vlansteal mode detect
lost=$(counter vlansteal frames_lost) before=$(taken)
frames p0 100 0 "$(tagged 8100 1000)"
wait_for 3 grown taken "$before" 100
is 'what a thief that is down drops is counted as lost, to the frame' $(($(counter vlansteal frames_lost) - lost)) 100
world_end

# --- backstop ---

param vlansteal mode rescue
world
thieves
in_ns h tc qdisc add dev e0 ingress
ip -n h link add ifb0 type ifb
ip -n h link set ifb0 up
in_ns h tc filter add dev e0 parent ffff: matchall action mirred egress redirect dev ifb0
leaked=$(counter vlansteal frames_leaked) beside=$(rx e0.1000)
frames p0 30 0 "$(tagged 8100 1000)"
wait_for 3 received e0.1000 $((beside + 30))
# And what the switch has to say by itself, which may come between two questions.
leaked_now() { echo $(($(counter vlansteal frames_leaked) - leaked)); }
passed_on() { (($(leaked_now) >= 30 && $(rx e0.1000) - beside == $(leaked_now))); }
check 'frames that an ifb puts back skip the hook: counted as leaked' test "$(leaked_now)" -ge 30
check 'and passed on as the stock kernel would' wait_for 3 passed_on
in_ns h tc qdisc del dev e0 ingress
ip -n h link add br0 type bridge
check 'in rescue mode a macvlan can sit on a thief' ip -n h link add link e0.1000 name mv0 type macvlan
ip -n h link del mv0
check 'or an ipvlan' ip -n h link add link e0.1000 name iv0 type ipvlan
ip -n h link del iv0
ip -n h link add team7 type team
ip -n h link set e0.1000 down
check 'it can join a team' ip -n h link set e0.1000 master team7
ip -n h link del team7
ip -n h link set e0.1000 up
check 'it can become a bridge port' ip -n h link set e0.1000 master br0
is 'and the rescue goes on' "$(loss_out)" 0
param vlansteal mode detect
ip -n h link del br0
ip -n h link add br0 type bridge
ip -n h link set e0.1000 master br0
param vlansteal mode rescue
is 'one that has been a bridge port before is rescued as well' "$(loss_out)" 0
world_end

# --- team, and OVS ---

world_team
is 'team: clean' "$(loss_out)" 0
thieves
is 'team: a VLAN on its port is a conflict' "$(verdicts)" 'conflict conflict'
rescued_all 'team: rescue loses nothing'
param vlansteal mode detect
is 'team: without rescue all is lost' "$(loss_out)" 100
ip -n h link set e0 nomaster
is 'team: a released port has no thief' "$(verdicts)" conflict
world_end

if [[ -d /sys/module/openvswitch ]] || modprobe -q openvswitch; then
	world
	ip -n h link add link e0 name store type vlan id 77
	in_ns h ovs-dpctl add-dp dp0
	in_ns h ovs-dpctl add-if dp0 bond0
	is 'bond in Open vSwitch: every VLAN belongs above' "$(verdicts)" conflict
	in_ns h ovs-dpctl del-dp dp0
	is 'out of it: private again' "$(verdicts)" private
	world_end
else
	not_ok 'the kernel has openvswitch'
fi

# --- many ---

world
# On a debug kernel each of them takes long to make.
vlans=$((slow > 1 ? 200 : 500))
rivals="$(seq 50) $(seq $((vlans - 99)) $((vlans - 50)))"
{
	for ((vid = 1; vid <= vlans; vid++)); do
		[[ $vid = 100 ]] || echo "link add link bond0 name v$vid type vlan id $vid"
	done
} >/tmp/batch
ip -n h -batch /tmp/batch
for vid in $rivals; do
	echo "link add link e0 name t$vid type vlan id $vid"
done >/tmp/batch
log_mark
ip -n h -batch /tmp/batch
is "$vlans VLANs and 100 thieves: every thief is a row" "$(grep -c 'verdict=conflict' "$ng_debugfs"/vlansteal/thieves)" 100
is 'and counted' "$(counter vlansteal thieves) $(counter vlansteal conflicts)" '100 100'
is 'the VLAN ids in the rows are those of the thieves' \
	"$(sed 's/.* vid=\([0-9]*\) .*/\1/' "$ng_debugfs"/vlansteal/thieves | sort -n | xargs)" "$(xargs <<<"$rivals")"
suppressed() { log_since_mark | sed -n 's/.*netguard_vlansteal: .*suppressed=\([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'; }
lines() { log_since_mark | grep -c 'netguard_vlansteal: .*thief='; }
told() { echo $(($(suppressed) + $(lines))); }
check 'each thief is a line of the log or one of those it says it suppressed' wait_for 15 grown told 0 100
is 'and none is both' "$(told)" 100
check 'the log is limited: most of a hundred at once are suppressed' test "$(lines)" -lt 50
is 'a VLAN without a thief is not touched' "$(loss_out)" 0
param vlansteal mode detect
param vlansteal mode rescue
is 'rescue mode comes back with a hundred thieves' "$(param vlansteal mode)" rescue

# Loading looks at what is there in steps, with RTNL let go in between.
ip netns add x
for vid in {11..30}; do echo "link set t$vid netns x"; done >/tmp/batch
ip -n h -batch /tmp/batch
listed() { sed 's/.* vid=\([0-9]*\) .*verdict=\([a-z]*\) .*/\1 \2/' "$ng_debugfs"/vlansteal/thieves | sort -n; }
expected=$(for vid in $rivals; do echo "$vid conflict"; done)
modprobe -r netguard
modprobe netguard_vlansteal mode=rescue
is 'module loaded last: a hundred thieves in two namespaces are known at once' "$(listed)" "$expected"
# Gone and made again, and in and out of the namespaces, so that their order changes all the time.
for vid in {11..30}; do echo "link set t$vid netns h"; done >/tmp/batch_x
for vid in $(seq $((vlans - 99)) $((vlans - 50))); do
	printf '%s\n' "link del t$vid" "link add link e0 name t$vid type vlan id $vid"
done >/tmp/batch
modprobe -r netguard
{ ip -n h -batch /tmp/batch && ip -n x -batch /tmp/batch_x; } &
churn=$!
modprobe netguard_vlansteal mode=rescue
wait $churn || not_ok 'thieves can go, come and move while the module is loaded'
is 'loaded while thieves came, went and moved: each is known, and known once' "$(listed)" "$expected"
ip -n h -batch /tmp/batch &
churn=$!
modprobe -r netguard
wait $churn || not_ok 'thieves can go and come while the module is unloaded'
modprobe netguard_vlansteal mode=rescue
is 'unloaded while thieves came and went, and loaded again: the same' "$(listed)" "$expected"
is 'the gauges count each once' "$(counter vlansteal thieves) $(counter vlansteal conflicts)" '100 100'
modprobe netguard
ip netns del x
world_end

# --- loading, unloading and churn under traffic ---

world
thieves
ip netns exec s ping -q -f -w $((60 * slow)) 192.0.2.1 >/tmp/flood 2>&1 &
flood=$!
rounds=$((slow > 1 ? 2 : 8))
for ((round = 1; round <= rounds; round++)); do
	modprobe -r netguard
	modprobe netguard_vlansteal mode=rescue
	ip -n h link del e0.1000
	ip -n h link add link e0 name e0.1000 type vlan id 1000
	((round % 2)) || ip -n h link set e1.1000 netns s
	ip -n h link set e1 nomaster
	ip -n h link set e1 down
	ip -n h link set e1 master bond0
	cat "$ng_debugfs"/vlansteal/* >/dev/null
	((round % 2)) || ip -n s link set e1.1000 netns h
done
check "loaded and unloaded $rounds times under a flood" kill -0 $flood
kill $flood
wait $flood 2>/dev/null
is 'the guard sees both thieves afterwards' "$(verdicts)" 'conflict conflict'
is 'and the bond works' "$(loss_out)" 0
world_end
modprobe -r netguard
check 'everything can be unloaded' test ! -e /sys/module/netguard

# --- without debugfs ---

umount /sys/kernel/debug
modprobe netguard_vlansteal mode=rescue
world
thieves
is 'with debugfs not mounted the guard loads and rescues' "$(loss_out)" 0
ip netns del h
ip netns del s
modprobe -r netguard
mount -t debugfs debug /sys/kernel/debug
