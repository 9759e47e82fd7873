# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # guards and updates are the guest script's
#
# Memory that is short: in the init of each module, at every insert into a table, and while the network changes.

failslab=/sys/kernel/debug/failslab

# Where modules are on x86_64. In the debug kernel nothing else is one, so an allocation with such an address among its
# callers is the suite's.
modules_from=0xffffffffa0000000 modules_to=0xffffffffff000000

failslab_set() { echo "$2" >"$failslab/$1"; }

# failslab_on PERCENT TIMES TASK-FILTER: TIMES -1 is without end.
failslab_on() {
	failslab_set verbose 0
	failslab_set interval 1
	failslab_set space 0
	failslab_set ignore-gfp-wait N
	failslab_set stacktrace-depth 32
	failslab_set require-start $modules_from
	failslab_set require-end $modules_to
	failslab_set task-filter "$3"
	failslab_set times "$2"
	failslab_set probability "$1"
}
# failslab_below FUNCTION: of the kernel's; only what it calls fails.
declare -A failslab_range=()
failslab_below() {
	# In the order of addresses, as far as the kernel itself goes.
	[[ -n ${failslab_range[$1]:-} ]] || failslab_range[$1]=$(awk -v name="$1" '
		found && $1 != found { print "0x" found, "0x" $1; exit }
		$3 == name { found = $1 }' /proc/kallsyms)
	failslab_set require-start "${failslab_range[$1]% *}"
	failslab_set require-end "${failslab_range[$1]#* }"
}
failslab_off() { failslab_set probability 0; }

# insmod_short FILE: as a process that is told to fail. Not busybox, whose insmod tries again.
insmod_short() (
	echo 1 >"/proc/$BASHPID/make-it-fail"
	exec insmod "$1" 2>/dev/null
)

# failslab_init NAME TRIES: one failure a try, somewhere in the module's init, the seldom ones further in.
failslab_init() {
	local ko=$updates/$1.ko name=$1 folder=$ng_debugfs/${1#netguard_} try below_whom percent
	# Below which function how many of a hundred: by the whole suite the first is hit first, and debugfs may do without.
	local ways=('modules 100' 'register_pernet_operations 100' 'register_pernet_operations 40' 'modules 20' 'modules 5')
	local injected=0 refused=0 left=0

	[[ $name != netguard ]] || folder=$ng_debugfs
	for ((try = 0; try < $2; try++)); do
		read -r below_whom percent <<<"${ways[try % ${#ways[@]}]}"
		failslab_on "$percent" 1 Y
		[[ $below_whom = modules ]] || failslab_below "$below_whom"
		if insmod_short "$ko"; then
			failslab_off
			busybox rmmod "$name" || left=$((left + 1))
		else
			failslab_off
			refused=$((refused + 1))
		fi
		[[ $(<$failslab/times) != 0 ]] || injected=$((injected + 1))
		[[ ! -e /sys/module/$name && ! -e $folder ]] || left=$((left + 1))
	done
	say "# $name: $injected of $2 loads ran short of memory, $refused failed by it"
	check "$name ran short of memory while it loaded" test $injected -gt 0
	# Others get by, but not without what they keep for each namespace.
	[[ ! $name =~ ^netguard(_ctinvalid|_tapdup)?$ ]] || check "$name does not load without it" test $refused -gt 0
	is "whatever came of it, nothing of $name stays" $left 0
	check "the next load of $name works" busybox insmod "$ko"
}

# Frames for every table, through a world of its own.
failslab_world() {
	ip netns add far
	ip link add p0 type veth peer name q0 netns far
	ip link add p1 type veth peer name q1 netns far
	ip link add b0 type bond mode active-backup miimon 100
	ip link set p1 master b0
	ip link add link b0 name v1 type vlan id 10
	ip link set v1 up
	ip link set p0 up
	ip link set p1 up
	ip link set b0 up
	ip addr add 198.51.100.254/24 dev p0
	ip addr add 2001:db8::2/64 dev p0 nodad
	in_ns far ip link set q0 up
	in_ns far ip link set q1 up
	ip -n far addr add 198.51.100.1/24 dev q0
	operations_rules
	param padstrip devices 'p*'
	ip link set p0 address 02:00:00:00:00:77
}

rows_in() { wc -l <"$ng_debugfs/$1"; }

failslab_frames() { in_ns far build/guest/traffic frames "$1" 100 "$2" >/dev/null; }

# failslab_errors LAST: a router's redirects, and its complaints of size, about what this host sent to 203.0.113.LAST.
failslab_errors() {
	local quote

	quote=$(printf '4500001c00004000400600%02xc63364fecb0071%02x0fa00fa000000001' 0 "$1")
	in_ns far build/guest/forge -n 15 -g 100 198.51.100.254 5 1 c6336402 "$quote"
	in_ns far build/guest/forge -n 15 -g 100 198.51.100.254 3 4 00000578 "$quote"
}

# failslab_tables SEED SECONDS
failslab_tables() {
	local table seconds=$2
	local -A had=()

	build/guest/traffic capture $((3 * seconds + 20)) &
	# From the first of them on pathmtu and redirect have their hooks.
	failslab_errors 9
	for table in pathmtu/paths redirect/routers; do
		had[$table]=$(rows_in $table)
	done
	had[vlansteal/thieves]=0
	failslab_on 100 -1 N
	ip link add link p1 name v2 type vlan id 10
	failslab_errors 10
	failslab_frames "$1" "$seconds"
	failslab_off
	for table in "${!had[@]}"; do
		check "without memory there is no row more in $table" test "$(rows_in "$table")" -le "${had[$table]}"
	done
	ip link del v2
	ip link add link p1 name v2 type vlan id 10
	failslab_errors 11
	for table in "${!had[@]}"; do
		check "with memory again there is a row more in $table" test "$(rows_in "$table")" -gt "${had[$table]}"
	done
	# Now and then, in all guards, in whatever order.
	failslab_on 20 -1 N
	failslab_frames "$1" "$seconds"
	failslab_off
	wait
}

# torture_failslab SEED TRIES SECONDS
torture_failslab() {
	local guard

	need bonding 8021q veth nf_conntrack
	failslab_init netguard "$2"
	for guard in "${guards[@]}"; do
		failslab_init "netguard_$guard" "$2"
	done
	failslab_world
	failslab_tables "$1" "$3"
	check 'all guards unload' unload "${guards[@]}"
	check 'and the core' busybox rmmod netguard
	nft flush ruleset
	ip netns del far
	ip link del b0
}

# torture_all SEED OPERATIONS CYCLES TRIES FRAMES
torture_all() {
	torture_operations "$1" "$2" "$3"
	torture_failslab "$1" "$4" 4
	torture_fuzz "$1" "$5"
}

# torture_short SEED OPERATIONS CYCLES [FIRST]: the random operations while a tenth of the suite's allocations fail.
torture_short() {
	failslab_on 10 -1 N
	torture_operations "$@"
	failslab_off
}
