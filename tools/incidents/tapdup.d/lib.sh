# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Captures, and what is counted in them.

netguard=build/tools/netguard

# capture_plain FILE [EXPRESSION]: what tcpdump shows, every copy of a packet.
# In immediate mode its buffer has one slot per packet, 256 KiB without -s, 64 KiB with this one.
capture_plain() { begin_capture "${1%.pcap}.log" tcpdump -B 24576 -s 65000 --immediate-mode -i any -U -w "$1" "${2:-}"; }

# capture_once FILE [EXPRESSION]: each packet once.
capture_once() { begin_capture "${1%.pcap}.log" "$netguard" capture -w "$1" "${2:-}"; }

# dropped_by FILE: how many packets tcpdump found no room for.
dropped_by() { sed -n 's/^\([0-9]*\) packets\? dropped by kernel.*/\1/p' "${1%.pcap}.log"; }

# packets FILE [EXPRESSION]: how many.
packets() { tcpdump -nr "$1" "${2:-}" 2>/dev/null | wc -l; }

bit=0x40000000
# rules NETNS: counts what carries the mark bit, wherever a rule can look.
rules() {
	local hook

	{
		echo "table inet seen {"
		for hook in prerouting input forward output postrouting; do
			echo "  chain $hook { type filter hook $hook priority -400; meta mark & $bit != 0 counter; }"
			echo "  chain late_$hook { type filter hook $hook priority 400; meta mark & $bit != 0 counter; }"
		done
		echo "  chain ct_out { type filter hook output priority 0; ct mark set meta mark; }"
		echo "  chain ct_in { type filter hook prerouting priority 0; ct mark set meta mark; }"
		echo "  chain ct_see { type filter hook input priority 10; ct mark & $bit != 0 counter; }"
		echo "}"
		echo "table arp seen {"
		echo "  chain input { type filter hook input priority -400; meta mark & $bit != 0 counter; }"
		echo "  chain output { type filter hook output priority 400; meta mark & $bit != 0 counter; }"
		echo "}"
		echo "table bridge seen {"
		for hook in prerouting input forward output postrouting; do
			echo "  chain $hook { type filter hook $hook priority -300; meta mark & $bit != 0 counter; }"
			echo "  chain late_$hook { type filter hook $hook priority 300; meta mark & $bit != 0 counter; }"
		done
		echo "}"
	} | in_ns "$1" nft -f -
}
# seen_by_rules NETNS: how many packets these counted.
seen_by_rules() { in_ns "$1" nft list ruleset | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p' | awk '{ n += $1 } END { print n + 0 }'; }

# A UDP datagram to the discard port, from nobody, to MAC $1.
datagram() { echo "${1//:/}02000000bbbb${2:-}080045000020000040004011b3a4c6336401c633640200090009000c000061626364"; }
mac() { ip -n "$1" -o link show "$2" | sed 's/.*link.ether \([^ ]*\).*/\1/'; }

watched() { [[ $(counter tapdup devices_watched) != 0 ]]; }
unwatched() { [[ $(counter tapdup devices_watched) = 0 ]]; }
