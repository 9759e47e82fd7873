# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What incident scripts share. Runs in the guest, after tools/vm/guest.sh.

ng_debugfs=/sys/kernel/debug/netguard

# act TITLE: a heading of the story.
act() { printf '\n== %s\n' "$*"; }

# show COMMAND...: what an operator would type, and what he gets.
show() {
	printf '   $ %s\n' "$*"
	"$@" 2>&1 | sed 's/^/     /'
}

# need MODULE...: loads modules of the kernel, which may be built in.
need() {
	local module

	for module in "$@"; do
		[[ -d /sys/module/${module//-/_} ]] || modprobe -q "$module" || true
	done
}

# counter GUARD NAME: its value now.
counter() { awk -v name="$2" '$1 == name { print $2 }' "$ng_debugfs/$1/counters"; }

# field ROW KEY: the value of a logfmt pair without spaces.
field() {
	local pair

	for pair in $1; do
		[[ $pair != "$2="* ]] || echo "${pair#*=}"
	done
}

# row GUARD TABLE KEY=VALUE...: the table's rows that hold all of these pairs.
row() {
	local table=$ng_debugfs/$1/$2 line pair
	shift 2

	while read -r line; do
		for pair in "$@"; do
			[[ " $line " = *" $pair "* ]] || continue 2
		done
		printf '%s\n' "$line"
	done <"$table"
}

# param GUARD NAME [VALUE]: reads or writes a module parameter.
param() {
	local file=/sys/module/netguard_$1/parameters/$2

	if [[ $# = 3 ]]; then
		echo "$3" >"$file"
	else
		cat "$file"
	fi
}

# logged TEXT: the kernel log since the last log_mark has a line with this text.
log_mark() { echo "netguard-test: mark" >/dev/kmsg; }
log_since_mark() { dmesg | awk '/netguard-test: mark/ { lines = ""; next } { lines = lines $0 "\n" } END { printf "%s", lines }'; }
logged() { log_since_mark | grep -qF -- "$1"; }

# loss ADDRESS [COUNT [PING_OPTION...]]: percent of echo requests that stay unanswered.
loss() {
	local address=$1 count=${2:-10}
	shift; [[ $# = 0 ]] || shift

	ping -q -c "$count" -i 0.05 -W 1 "$@" "$address" 2>&1 |
		sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p'
}

# netns_inum NAME: the number that netguard prints for a named netns.
netns_inum() { stat -L -c %i "/run/netns/$1"; }
