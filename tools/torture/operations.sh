# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # guards and updates are the guest script's
#
# The random operations. The kernel log says before each which one begins, so that a splat is known by what led to it.

# begin TEXT: what is done next, to the kernel log.
begin() { echo "netguard-torture: $*" >/dev/kmsg; }

# do_cycle MODULE... / MODULE...: every module goes and comes, while the operations go on. A file of debugfs that
# somebody reads keeps the core for that moment.
do_cycle() {
	local guard

	while [[ $1 != / ]]; do
		busybox rmmod "netguard_$1" 2>/dev/null && echo "unload $1"
		shift
	done
	shift
	busybox rmmod netguard 2>/dev/null && echo 'unload core'
	[[ -d /sys/module/netguard ]] || { busybox insmod "$updates/netguard.ko" && echo 'load core'; }
	for guard in "$@"; do
		busybox insmod "$updates/netguard_$guard.ko" 2>/dev/null && echo "load $guard"
	done
} >>/tmp/cycles

# An ip that stays, one for each netns, for starting a program takes longer than what it does. Each has the file
# descriptors to_NETNS and from_NETNS.
declare -A to=() from=() clerk=() untold=()

hire() {
	local netns=$1 pipe=/tmp/ip.$1 in out

	mkfifo "$pipe.in" "$pipe.out"
	exec {in}<>"$pipe.in" {out}<>"$pipe.out"
	to[$netns]=$in from[$netns]=$out
	if [[ $netns = . ]]; then
		ip -force -batch "$pipe.in" >"$pipe.out" 2>&1 &
	else
		ip -n "$netns" -force -batch "$pipe.in" >"$pipe.out" 2>&1 &
	fi
	clerk[$netns]=$!
}

# It would keep a deleted netns.
dismiss() {
	local netns=$1 in=${to[$1]:-} out=${from[$1]:-}

	[[ -n $in ]] || return 0
	hear "$netns"
	kill "${clerk[$netns]}"
	wait "${clerk[$netns]}" 2>/dev/null
	exec {in}>&- {out}<&-
	unset "to[$netns]" "from[$netns]"
	rm /tmp/ip."$netns".in /tmp/ip."$netns".out
}

# tell NETNS COMMANDS: hands them over, and waits now and then: whoever waits for somebody waits long on a CPU that is
# emulated by turns. So the log is ahead of what happens by operations_ahead at most.
operations_ahead=8

tell() {
	local netns=$1 ends=${2//[!;]/}

	[[ -n ${to[$netns]:-} ]] || hire "$netns"
	printf '%s\n' "${2//;/$'\n'}" >&"${to[$netns]}"
	told=$((told + 1 + ${#ends}))
	untold[$netns]=$((${untold[$netns]:-0} + 1))
	[[ ${untold[$netns]} -lt $operations_ahead ]] || hear "$netns"
}

# hear NETNS: until all is done there. What ip prints of lo is the sign.
hear() {
	local netns=$1 line

	[[ ${untold[$netns]:-0} != 0 ]] || return 0
	untold[$netns]=0
	printf 'link show dev lo\n' >&"${to[$netns]}"
	while read -r -t 200 -u "${from[$netns]}" line; do
		case $line in
		*LOOPBACK*) read -r -t 200 -u "${from[$netns]}"; return ;;
		*failed*) refused=$((refused + 1)) ;;
		esac
	done
	not_ok "ip in netns $netns answers"
}

# read_files: every file of the suite, without starting a program.
read_files() {
	local file

	for file in "$ng_debugfs"/version "$ng_debugfs"/*/*; do
		{ IFS= read -r -d '' _ <"$file"; } 2>/dev/null
	done
	return 0
}

# do_operation LINE
do_operation() {
	local netns words

	read -ra words <<<"$1"
	case $1 in
	param\ *)
		{ echo "${words[*]:3}" >"/sys/module/netguard_${words[1]}/parameters/${words[2]}"; } 2>/dev/null
		;;
	capture\ .\ *)
		build/guest/traffic capture "${words[2]}" &
		;;
	capture\ *)
		hear .
		ip netns exec "${words[1]}" build/guest/traffic capture "${words[2]}" 2>/dev/null &
		;;
	read)
		read_files
		;;
	cycle\ *)
		wait "$cycling" 2>/dev/null
		do_cycle "${words[@]:1}" &
		cycling=$!
		;;
	*': netns del '*)
		dismiss "${words[3]}"
		hear .
		tell . "${1#*: }"
		;;
	*)
		netns=${1%%: *}
		[[ $netns = . || $netns = "$last" ]] || hear "$last"
		last=$netns
		[[ $netns = . || -e /run/netns/$netns ]] || return
		tell "$netns" "${1#*: }"
		;;
	esac
}

# What conntrack makes INVALID, NAT, and rules that see the mark.
operations_rules() {
	nft -f - <<-'END'
		table inet torture {
			chain in {
				type filter hook input priority 0; policy accept;
				ct state invalid counter
			}
			chain out {
				type nat hook postrouting priority 100; policy accept;
				masquerade
			}
		}
	END
}

operations_world() {
	sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.all.forwarding=1
	ip netns add far
	in_ns far sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	operations_rules
}

# Nothing of what the operations made may be in the way of going.
operations_end() {
	local netns device

	nft flush ruleset
	for netns in far t1 t2 t3 t4; do
		[[ ! -e /run/netns/$netns ]] || ip netns del "$netns"
	done
	for device in $(ip -o link | sed -nE 's/^[0-9]+: ([pvbrmd][0-9]+)[@:].*/\1/p'); do
		ip link del "$device" 2>/dev/null
	done
}

only_lo() { [[ $(ip -o link | grep -c .) = "$devices_at_start" ]]; }
netns_used() { slab_used | awk '$1 == "net_namespace" { print $2 }'; }
# netns_round: cleanup_net() keeps the struct net of its round until the next one.
netns_round() {
	ip netns add round
	ip netns del round
	slab_settle
}
netns_gone() { netns_round; [[ $(netns_used) -le $netns_at_start ]]; }

# operations_run SEED OPERATIONS CYCLES FIRST
operations_run() {
	local line number=0 told=0 refused=0 stop=/tmp/stop
	local background=() cycling='' never netns last=.

	rm -f $stop
	build/guest/operations "$@" >/tmp/operations
	operations_world
	ip netns exec far build/guest/traffic frames "$1" 20 100000 >/dev/null &
	background+=($!)
	build/guest/traffic talk 20 100000 >/dev/null 2>&1 &
	background+=($!)
	mkfifo /tmp/never
	exec {never}<>/tmp/never
	while [[ ! -e $stop ]]; do
		read_files
		read -r -t 1 -u "$never"
	done &

	while read -r line; do
		number=$((number + 1))
		begin "$number $line"
		do_operation "$line"
		((number % 500)) || say "# $number operations, $SECONDS s"
	done </tmp/operations
	begin "$number operations are done"
	wait "$cycling" 2>/dev/null
	for netns in "${!to[@]}"; do
		dismiss "$netns"
	done
	touch $stop
	kill "${background[@]}"
	wait
	exec {never}<&-
	rm /tmp/never
	operations_end
	begin "cleared"
	done_number=$number told_number=$told refused_number=$refused
}

torture_operations() {
	local before after grown devices_at_start netns_at_start guard
	local done_number told_number refused_number

	need bonding team 8021q bridge macvlan veth nf_conntrack
	devices_at_start=$(ip -o link | grep -c .)
	# Once with nothing at stake, for what the kernel allocates the first time.
	operations_run 1 20 1 21
	do_cycle "${guards[@]}" /
	busybox rmmod netguard
	: >/tmp/cycles
	netns_round
	netns_at_start=$(netns_used)
	before=$(slab_used)

	busybox insmod "$updates/netguard.ko" && load "${guards[@]}"
	operations_run "$@"
	say "# $done_number operations of $told_number commands, of which the kernel refused $refused_number"
	say "# $(sort /tmp/cycles | uniq -c | xargs)"
	check 'every guard is still there, or was refused while the core was read' test -d /sys/module/netguard
	for guard in "${guards[@]}"; do
		[[ ! -d /sys/module/netguard_$guard ]] || check "the guard $guard unloads at once" rmmod "netguard_$guard"
	done
	check 'and the core' rmmod netguard
	check 'all devices are gone again' wait_for 30 only_lo
	check 'all network namespaces are gone again' wait_for 60 netns_gone

	# Settled once more: after one time hundreds of kB are still there, kmemleak's objects first among them.
	slab_settle
	after=$(slab_used)
	grown=$(awk 'NF == 2 && !($1 in was) { was[$1] = $2; next } $2 > was[$1] { print $2 - was[$1], $1 }' \
		<<<"$before"$'\n'"$after" | sort -rn | head -n 12)
	before=$(awk '{ sum += $2 } END { print sum }' <<<"$before")
	after=$(awk '{ sum += $2 } END { print sum }' <<<"$after")
	say "# slab: $before bytes before, $after after"
	say "# grown: $(xargs <<<"$grown")"
	check 'slab use is back where it was, but for 256 KiB' test $((after - before)) -lt 262144
	# The last one, for it may fail for a short prefix, and that is not what the prefix is looked for.
	check 'most operations were carried out' test $((refused_number * 4)) -lt "$done_number"
	begin over
}
