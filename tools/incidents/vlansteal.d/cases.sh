# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What must hold of vlansteal. Every case builds its own world of two namespaces and takes it down again:
#
#      host (h)                         switch (s)
#
#   bond0.1000  192.0.2.1        192.0.2.2  bond0.1000
#     bond0                                 bond0
#    e0    e1  <------ two veth pairs ---->  p0    p1

need bonding 8021q veth bridge team
. tools/incidents/vlansteal.d/world.sh

modprobe netguard
check 'modprobe netguard loads the core and the guard' test -d /sys/module/netguard -a -d /sys/module/netguard_vlansteal
is 'the version in sysfs, debugfs and modinfo is one' \
	"$(cat /sys/module/netguard/version) $(cat "$ng_debugfs"/version)" \
	"$(modinfo -F version netguard) $(modinfo -F version netguard_vlansteal)"
is 'the default mode is detect' "$(param vlansteal mode)" detect

# --- parameters ---

log_mark
check 'a wrong mode is refused with EINVAL' refused resce
check 'the old mode stays' test "$(param vlansteal mode)" = detect
check 'the log names the allowed modes' \
	wait_for 2 logged 'netguard_vlansteal: mode=resce refused, allowed: detect, rescue'
modprobe -r netguard
check 'modprobe -r netguard removes core and guard' test ! -e /sys/module/netguard -a ! -e /sys/module/netguard_vlansteal
check 'modprobe -r netguard when nothing is loaded is no error' modprobe -r netguard
check 'a wrong mode at load time is refused' fails modprobe netguard_vlansteal mode=nonsense
check 'and leaves nothing loaded behind' fails grep -q netguard_vlansteal /proc/modules
modprobe netguard_vlansteal mode=rescue
is 'a guard loads alone, pulls in the core and takes its mode' "$(param vlansteal mode)" rescue
param vlansteal mode detect
modprobe netguard

# --- how a thief comes about ---

world
is 'no thief, no row' "$(cat "$ng_debugfs"/vlansteal/thieves)" ''
# Before knock, whose packet socket is one for tapdup to see if it stays for long.
is 'nothing at all is attached to any device of a healthy host' "$(netdev_hooks ping_out)" 0
is 'no hook is attached while no port has a thief' "$(calls vlansteal_ingress knock)" 0
log_mark
thieves
is 'thief made after enslaving: a conflict at once' "$(verdicts)" 'conflict conflict'
check 'its log line is there at once' wait_for 2 logged 'thief=e0.1000 '
is 'the row names thief, port, bond, protocol and VLAN' "$(row_of e0.1000 | sed 's/=[0-9]*\( frames_\|$\)/=N\1/g')" \
	"netns=$(netns_inum h) thief=e0.1000 ifindex=$(ifindex e0.1000) state=up lower=e0 lower_ifindex=$(ifindex e0) master=bond0 proto=802.1Q vid=1000 verdict=conflict frames_stolen=N frames_lost=N frames_rescued=N"
is 'a thief that is up: all is lost' "$(loss_out)" 100
check 'and counted as stolen' test "$(counter vlansteal frames_stolen)" -gt 0
sum=$(sum_of frames_stolen)
is 'the table and the counter agree' "$((sum > 0)) $sum" "1 $(counter vlansteal frames_stolen)"
check 'the hook is on the port that has a thief' test "$(calls vlansteal_ingress knock)" -ge 5
check 'and this test sees hooks of devices' test "$(netdev_hooks knock)" -ge 5
traced vlansteal_stolen knock >/tmp/stolen
check 'each stolen frame has a tracepoint that names port and thief' \
	grep -q 'port=e[01] ifindex=.* thief=e[01].1000 ' /tmp/stolen
ip -n h link set e0.1000 down
ip -n h link set e1.1000 down
is 'the row follows the state' "$(field "$(row_of e0.1000)" state)" down
is 'a thief that is down: all is lost' "$(loss_out)" 100
check 'and counted as lost' test "$(counter vlansteal frames_lost)" -gt 0
check 'each lost frame has a tracepoint' test -n "$(traced vlansteal_lost knock)"
ip -n h link set e0.1000 name stray
is 'a renamed thief is listed under its new name' "$(field "$(row_of stray)" verdict)" conflict
ip -n h link set e0 down
ip -n h link set e0 name eth7
is 'a renamed port too' "$(field "$(row_of stray)" lower)" eth7
ip -n h link set eth7 name e0
ip -n h link set e0 up
ip -n h link set stray down
ip -n h link set stray name 'a"b=c'
is 'a name with quotes and equal signs is quoted' "$(grep -c 'thief="a\\"b=c" ' "$ng_debugfs"/vlansteal/thieves)" 1
ip -n h link del 'a"b=c'
is 'a deleted thief is gone from the table' "$(verdicts)" conflict
ip -n h link set e1 nomaster
is 'a released slave has no thief' "$(verdicts)" ''
ip -n h link set e1 down
ip -n h link set e1 master bond0
is 'thief made before enslaving: a conflict when the port is enslaved' "$(verdicts)" conflict
ip -n h link del bond0.1000
is 'without the VLAN above the bond it becomes private' "$(verdicts)" private
ip -n h link add link bond0 name bond0.1000 type vlan id 1000
is 'VLAN above the bond made last: a conflict again' "$(verdicts)" conflict
is 'the gauges say so' "$(counter vlansteal thieves) $(counter vlansteal conflicts)" '1 1'
modprobe -r netguard
modprobe netguard
is 'module loaded last: known at once' "$(verdicts)" conflict
ip -n h link del bond0
is 'bond deleted: no thief' "$(verdicts)" ''
is 'the gauges are back at zero' "$(counter vlansteal thieves) $(counter vlansteal conflicts)" '0 0'
world_end

# --- other namespaces ---

world
thieves
ip netns add x
ip -n h link set e0.1000 netns x
ip -n h link set e1.1000 netns x
is 'a thief moved to another netns still steals' "$(loss_out)" 100
is 'and is listed with the namespace it is in' "$(field "$(row_of e0.1000)" netns)" "$(netns_inum x)"
param vlansteal mode rescue
is 'rescue works across namespaces' "$(loss_out)" 0
ip netns del x
check 'the netns of a thief is deleted: its thieves go at once' wait_for 3 no_thieves
is 'and the bond gets its frames by itself' "$(loss_out)" 0
param vlansteal mode detect
world_end

# --- verdicts ---

world
ip -n h link add link e0 name store type vlan id 77
ip -n h link set store up
is 'a VLAN that nobody above uses is private' "$(field "$(row_of store)" verdict)" private
is 'it counts as a thief, not as a conflict' "$(counter vlansteal thieves) $(counter vlansteal conflicts)" '1 0'
is 'for a private VLAN no hook is attached' "$(calls vlansteal_ingress knock)" 0
private_works 'a private VLAN works in detect mode'
rescued=$(counter vlansteal frames_rescued) beside=$(rx store)
param vlansteal mode rescue
private_works 'a private VLAN works in rescue mode'
is 'and no frame of it was touched' "$(($(rx store) - beside)) $(counter vlansteal frames_rescued)" "20 $rescued"
param vlansteal mode detect
ip -n h link add link bond0.1000 name inner type vlan id 77
is 'a VLAN inside another VLAN of the bond is no conflict' "$(field "$(row_of store)" verdict)" private
ip -n h link add br9 type bridge
ip -n h link set bond0.1000 master br9
is 'nor is a bridge on another VLAN of the bond' "$(field "$(row_of store)" verdict)" private
ip -n h link del br9
ip -n h link add link bond0 name mv0 type macvlan mode bridge
ip -n h link add link mv0 name mv0.77 type vlan id 77
is 'the same VLAN on a macvlan of the bond is a conflict' "$(field "$(row_of store)" verdict)" conflict
ip -n h link del mv0
is 'private again without it' "$(field "$(row_of store)" verdict)" private
ip -n h link add br0 type bridge
ip -n h link set bond0 master br0
is 'bond in a bridge: every VLAN belongs above' "$(field "$(row_of store)" verdict)" conflict
ip -n h link set bond0 nomaster
is 'bond out of the bridge: private again' "$(field "$(row_of store)" verdict)" private
ip -n h link add link e0 name ad1000 type vlan proto 802.1ad id 1000
is 'an 802.1ad thief does not match an 802.1Q VLAN' "$(row vlansteal thieves thief=ad1000 | grep -o 'proto=.*vid=[0-9]* verdict=[a-z]*')" \
	'proto=802.1ad vid=1000 verdict=private'
is 'and the 802.1Q VLAN of the same id works' "$(loss_out)" 0
world_end

world_ad
ip -n h link add link e0 name q1000 type vlan id 1000
ip -n h link add link e1 name q1001 type vlan id 1000
is 'an 802.1Q thief does not match an 802.1ad VLAN of the same id' "$(verdicts)" 'private private'
is 'the 802.1ad VLAN works' "$(loss_out)" 0
ip -n h link add link e0 name ad0 type vlan proto 802.1ad id 1000
ip -n h link add link e1 name ad1 type vlan proto 802.1ad id 1000
is '802.1ad thief of an 802.1ad VLAN: a conflict' "$(field "$(row_of ad0)" verdict)" conflict
is 'all is lost' "$(loss_out)" 100
param vlansteal mode rescue
is 'rescued' "$(loss_out)" 0
is 'QinQ: the inner VLAN behind a stolen outer tag is rescued' "$(loss_from h 198.51.100.2)" 0
param vlansteal mode detect
is 'QinQ: without rescue the outer tag is stolen' "$(loss_from h 198.51.100.2)" 100
world_end

. tools/incidents/vlansteal.d/rescue.sh
