# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Captures, and what is counted in them.

netguard=build/tools/netguard
captures=()

# begin_capture LOG COMMAND...: starts it and waits until it listens.
begin_capture() {
	local log=$1
	shift

	"$@" 2>"$log" &
	captures+=($!)
	wait_for 10 grep -q 'listening on' "$log"
}

# capture_plain FILE [EXPRESSION]: what tcpdump shows, every copy of a packet.
capture_plain() { begin_capture "${1%.pcap}.log" tcpdump -B 16384 --immediate-mode -i any -U -w "$1" "${2:-}"; }

# capture_once FILE [EXPRESSION]: each packet once.
capture_once() { begin_capture "${1%.pcap}.log" "$netguard" capture -w "$1" "${2:-}"; }

stop_captures() {
	# tcpdump does not look once more for what the kernel has.
	sleep 0.5
	[[ ${#captures[@]} = 0 ]] || kill -INT "${captures[@]}"
	wait "${captures[@]}"
	captures=()
}

# packets FILE [EXPRESSION]: how many.
packets() { tcpdump -nr "$1" "${2:-}" 2>/dev/null | wc -l; }
