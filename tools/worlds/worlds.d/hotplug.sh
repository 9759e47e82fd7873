# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# CPUs that come and go while the guards count per CPU.

cpu() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; }

world_check() {
	local before pings

	is 'CPUs that there might be, and that there are' "$(</sys/devices/system/cpu/possible) $(</sys/devices/system/cpu/online)" '0-63 0-1'
	in_sw ping -q -i 0.02 -w 4 192.0.2.1 >/tmp/ping &
	pings=$!
	before=$(findings)
	check 'a third CPU comes' cpu 2 1
	check 'the second goes' cpu 1 0
	nap 1
	check 'and comes back' cpu 1 1
	check 'the third goes' cpu 2 0
	wait $pings
	check 'under traffic' grep -q ' 0% packet loss' /tmp/ping
	check 'what was counted on a CPU that went is not lost' found_nothing_since "$before"
}
