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
