# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What incident scripts share. Runs in the guest, after tools/vm/guest.sh.

ng_debugfs=/sys/kernel/debug/netguard

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

# nic MAC NAME: gives the network card with this address that name, and leaves it down.
nic() {
	local old

	old=$(basename "$(dirname "$(grep -l "$1" /sys/class/net/*/address | head -n 1)")")
	ip link set "$old" down
	ip link set "$old" name "$2"
}

# in_ns NAME COMMAND...: in a named netns, but with this one's /sys. To mount another, as ip netns exec does, takes three
# times as long. Not for what is killed by its $!, which would be a shell's.
in_ns() {
	local program=$2

	# By its path: for a name busybox would take an applet of its own.
	if [[ $program != */* ]]; then
		hash "$program" || return
		program=${BASH_CMDS[$program]}
	fi
	nsenter --net="/run/netns/$1" "$program" "${@:3}"
}

# rx_of NETNS DEVICE: frames that it has received.
rx_of() { in_ns "$1" awk -v device="$2:" '$1 == device { print $3 }' /proc/net/dev; }

# counter GUARD NAME: its value now.
counter() {
	local name value

	while read -r name value; do
		[[ $name != "$2" ]] || echo "$value"
	done <"$ng_debugfs/$1/counters"
}

# field ROW KEY: the value of a logfmt pair without spaces.
field() {
	local pair

	for pair in $1; do
		[[ $pair != "$2="* ]] || echo "${pair#*=}"
	done
}

# column GUARD TABLE KEY: its value in each row, in one line.
column() {
	local line values=()

	while read -r line; do
		[[ ! " $line" =~ " $3="([^ ]*) ]] || values+=("${BASH_REMATCH[1]}")
	done <"$ng_debugfs/$1/$2"
	echo "${values[*]}"
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

# log_mark: what the kernel log has so far is of no interest to dmesg any more; the console keeps it.
log_mark() { dmesg -c >/dev/null; }
log_since_mark() { dmesg; }
# logged TEXT: the kernel log since the last log_mark has a line with this text.
logged() { [[ $(log_since_mark) = *"$1"* ]]; }

# loss ADDRESS [COUNT [PING_OPTION...]]: percent of echo requests that stay unanswered.
loss() { loss_by ping "$@"; }

# loss_from NETNS ADDRESS [COUNT [PING_OPTION...]]: the same from a named netns.
loss_from() { loss_by "in_ns $1 ping" "${@:2}"; }

# loss_by COMMAND ADDRESS [COUNT [PING_OPTION...]]
loss_by() {
	local said

	# shellcheck disable=SC2086 # a command and its first words
	said=$($1 -q -c "${3:-10}" -i 0.05 -W 1 "${@:4}" "$2" 2>&1)
	[[ ! $said =~ ([0-9.]+)%\ packet\ loss ]] || echo "${BASH_REMATCH[1]}"
}

# slab_settle: memory that only waits to be freed is free afterwards: RCU's, KASAN's quarantine, the caches' own.
slab_settle() {
	local cache

	sleep 3
	for cache in /sys/kernel/slab/*; do
		[[ -L $cache ]] || echo 1 >"$cache/shrink"
	done 2>/dev/null
}

# unmoved SENTENCE WHAT LEAST ARRIVED COMMAND...: while the command ran, what WHAT prints stayed the same. That says something only if
# the command did what it is there for: ARRIVED prints a number, far behind the sender, that has to grow by LEAST at least.
# WHAT and ARRIVED are commands in one word.
unmoved() {
	local sentence=$1 what=$2 least=$3 arrived=$4 before from
	shift 4

	before=$($what) from=$($arrived)
	"$@"
	if wait_for 3 grown_by "$least" "$arrived" "$from"; then
		# What it would have set off gets a moment, too.
		nap 0.2
		is "$sentence" "$($what)" "$before"
	else
		not_ok "$sentence" "nothing to see of: $*"$'\n'"$arrived: $from, now $($arrived), wanted $least more"
	fi
}
# grown_by LEAST COMMAND FROM: what the command, in one word, prints is a number, and larger by LEAST at least.
grown_by() {
	local now

	now=$($2)
	[[ $now =~ ^[0-9]+$ && $3 =~ ^[0-9]+$ ]] && ((now - $3 >= $1))
}

captures=()

# begin_capture LOG COMMAND...: starts it and waits until it listens.
begin_capture() {
	local log=$1
	shift

	# What an earlier one said is not for us.
	: >"$log"
	"$@" 2>"$log" &
	captures+=($!)
	wait_for 20 holds "$log" 'listening on' ||
		not_ok "a capture listens after 20 seconds: $*" "$(<"$log")"
}

# stop_captures: all that have begun.
stop_captures() {
	# Without a name wait would wait for everything.
	[[ ${#captures[@]} != 0 ]] || return 0
	# tcpdump does not look once more for what the kernel has.
	nap 0.5
	kill -INT "${captures[@]}"
	wait "${captures[@]}"
	captures=()
}

# netns_inum NAME: the number that netguard prints for a named netns.
netns_inum() { stat -L -c %i "/run/netns/$1"; }

# hex4 ADDRESS, hex6 ADDRESS: as in a packet; IPv6 from groups that are written out.
hex4() { local IFS=. bytes; read -ra bytes <<<"$1"; printf '%02x' "${bytes[@]}"; }
hex6() { printf '%s' "${1//:/}"; }
# quote4 SOURCE DESTINATION: what an ICMP error quotes of a TCP segment of 1500 bytes.
quote4() { printf '450005dc1234400040060000%s%s%s' "$(hex4 "$1")" "$(hex4 "$2")" 01bb8899000000010000; }

# calls FUNCTION COMMAND...: how often the kernel called one of its functions while the command ran. Of a command that failed there
# is no number: nothing may have happened.
calls() {
	local tracing=/sys/kernel/tracing function=$1
	shift

	echo "p:netguard_test/calls $function" >$tracing/kprobe_events || return
	echo 1 >$tracing/events/netguard_test/calls/enable
	"$@" >/dev/null 2>&1 || echo "failed: $*"
	awk '$1 == "calls" { print $2 }' $tracing/kprobe_profile
	echo 0 >$tracing/events/netguard_test/calls/enable
	echo >$tracing/kprobe_events
}

# netdev_hooks COMMAND...: how often netfilter hooks of a device, ingress or egress, ran meanwhile. As calls.
netdev_hooks() {
	local tracing=/sys/kernel/tracing

	# struct nf_hook_state begins with the hook's number and its family, both one byte; NFPROTO_NETDEV is 5.
	echo 'p:netguard_test/hooks nf_hook_slow pf=+1(%si):u8' >$tracing/kprobe_events || return
	echo 'pf == 5' >$tracing/events/netguard_test/hooks/filter
	echo >$tracing/trace
	echo 1 >$tracing/events/netguard_test/hooks/enable
	"$@" >/dev/null 2>&1 || echo "failed: $*"
	echo 0 >$tracing/events/netguard_test/hooks/enable
	grep -c 'hooks: ' $tracing/trace
	echo >$tracing/kprobe_events
}

# rtnl COMMAND...: runs it and prints the longest time for which anybody held RTNL meanwhile, in microseconds,
# and how many holds there were.
rtnl() {
	local tracing=/sys/kernel/tracing

	printf '%s\n' 'r:rtnl/got rtnl_lock' 'p:rtnl/let __rtnl_unlock' >$tracing/kprobe_events
	echo 4096 >$tracing/buffer_size_kb
	echo >$tracing/trace
	echo 1 >$tracing/events/rtnl/enable
	"$@" >/dev/null
	echo 0 >$tracing/events/rtnl/enable
	# "COMMAND-PID [CPU] FLAGS SECONDS.MICROSECONDS: EVENT: ..."
	awk '
		match($0, /[0-9]+\.[0-9]+: (got|let): /) {
			split(substr($0, RSTART, RLENGTH), word, ": ")
			if (word[2] == "got")
				got = word[1]
			else if (got) {
				if (word[1] - got > most) most = word[1] - got
				got = 0
				holds++
			}
		}
		END { printf "%d %d\n", most * 1000000, holds }' $tracing/trace
	echo >$tracing/kprobe_events
}

# traced EVENT COMMAND...: the lines that tracepoint netguard:EVENT printed while the command ran.
traced() {
	local tracing=/sys/kernel/tracing event=$1
	shift

	echo >$tracing/trace
	echo 1 >$tracing/events/netguard/"$event"/enable || return
	"$@" >/dev/null 2>&1
	echo 0 >$tracing/events/netguard/"$event"/enable
	grep -F " $event: " $tracing/trace
}

# unhooks_begin, unhooks_end: how often the kernel unregistered a netfilter hook meanwhile, by its function tracer.
unhooks_begin() {
	local tracing=/sys/kernel/tracing

	[[ -w $tracing/set_ftrace_filter ]] || return 0
	echo nf_unregister_net_hook >$tracing/set_ftrace_filter
	echo function >$tracing/current_tracer
}
unhooks_end() {
	local tracing=/sys/kernel/tracing

	grep -c 'nf_unregister_net_hook' $tracing/trace
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
}
