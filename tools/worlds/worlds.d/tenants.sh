# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# Tenants: users without any right on the host, who make network namespaces of their own (unshare -Urn) and do there what they
# like. The host has findings, rows and a capture itself; of those nothing may be lost, and of the host's time and log little.
#
#    this host                     netns road
#    own, own.5, own.6, own.7
#    203.0.113.1                   203.0.113.2
#      \-- o0 ----------------------- r0
#
# WORLD_SECONDS   for how long namespaces with conflicts are made and ended, 10
# WORLD_TENANTS   how many namespaces are alive at a time, 500
#
# vm-tools: ip ping nft tcpdump setpriv unshare mount comm
# vm-modules: bonding veth 8021q dummy nf_tables nft_ct nf_conntrack
# vm-files: tools/incidents/lib.sh tools/incidents/tapdup.d/lib.sh build/tools/netguard
# vm-files: build/guest/forge build/guest/ctflow build/guest/load

# shellcheck source=tools/incidents/tapdup.d/lib.sh
. tools/incidents/tapdup.d/lib.sh

# tenant COMMAND...: as nobody, root of a fresh namespace.
tenant() { setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn "$@"; }

tenants_build() {
	need bonding veth 8021q dummy nf_tables nft_ct nf_conntrack
	ip netns add road
	in_ns road sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n road link set lo up
	ip -batch - <<-'END'
		link add o0 type veth peer name r0 netns road
		link add own type bond mode active-backup miimon 50
		link set o0 master own
		link set own up
		addr add 203.0.113.1/24 dev own
		link add link own name own.5 type vlan id 5
		link add link own name own.6 type vlan id 6
		link add link own name own.7 type vlan id 7
	END
	ip -n road link set r0 up
	ip -n road addr add 203.0.113.2/24 dev r0
	nft 'table inet own { chain c { type filter hook prerouting priority 0; ct state new counter; }; }'
	echo 0 | tee /proc/sys/net/ipv4/conf/{all,own}/accept_redirects >/dev/null
	check 'the road answers' wait_for 20 ping -q -c 1 -W 1 203.0.113.2
}

# --- many namespaces ---

tenants=${WORLD_TENANTS:-500}

# One user has them all, by names in a /run of his own.
tenants_move_in() {
	local i

	for ((i = 0; i < tenants; i++)); do echo "netns add t$i"; done >/tmp/tenants.batch
	: >/tmp/tenants.count
	chmod 666 /tmp/tenants.count
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urnm bash -c '
		mount -t tmpfs run /run && mkdir /run/netns && ip -batch /tmp/tenants.batch
		ls /run/netns | wc -l >/tmp/tenants.count
		exec sleep 10000' &
	tenants_pid=$!
	check "$tenants namespaces of tenants are alive" wait_for 120 tenants_are_in
}
tenants_are_in() { [[ $(</tmp/tenants.count) = "$tenants" ]]; }

# netns_add_time: microseconds that the host needs for a namespace of its own: of three batches of ten the fastest.
netns_add_time() {
	local i begun best=0 took

	for _ in 1 2 3; do
		for i in 0 1 2 3 4 5 6 7 8 9; do echo "netns add own$i"; done >/tmp/batch
		begun=${EPOCHREALTIME/[.,]/}
		ip -batch /tmp/batch
		took=$(((${EPOCHREALTIME/[.,]/} - begun) / 10))
		((best && best < took)) || best=$took
		for i in 0 1 2 3 4 5 6 7 8 9; do echo "netns del own$i"; done >/tmp/batch
		ip -batch /tmp/batch
		# They go asynchronously.
		nap 1.5
	done
	echo $best
}

# --- log lines ---

# burst GUARD: the most lines of a guard within five seconds since the last log_mark.
burst() {
	log_since_mark | sed -n "s/^\[ *\([0-9.]*\)\] netguard_$1: .*/\1/p" |
		awk '{ at[NR] = $1; while ($1 - at[first + 1] > 5) first++; if (NR - first > most) most = NR - first } END { print most + 0 }'
}

# A bond with a port, and twelve VLANs above both.
conflicts_batch() {
	local vid

	printf 'link add name %s\n' 'b type bond' 'd type dummy'
	echo 'link set dev d master b'
	for vid in {1..12}; do
		echo "link add link b name b.$vid type vlan id $vid"
		echo "link add link d name d.$vid type vlan id $vid"
	done
}

tenants_conflict() {
	local until=$((SECONDS + ${WORLD_SECONDS:-10})) rounds=0 most

	conflicts_batch >/tmp/conflicts
	log_mark
	while ((SECONDS < until || rounds < 10)); do
		tenant ip -batch /tmp/conflicts || break
		rounds=$((rounds + 1))
		# In the midst of it the host has a conflict of its own.
		((rounds != 5)) || ip link add link o0 name o0.6 type vlan id 6
	done
	nap 1
	most=$(burst vlansteal)
	say "   $rounds namespaces with twelve conflicts each in ${WORLD_SECONDS:-10} s: $(log_since_mark | grep -c netguard_vlansteal:) lines, at most $most in five seconds."
	check 'tenants made namespaces with conflicts' test $rounds -ge 10
	check 'of which the host logs at most 20 lines in five seconds' test "$most" -le 20
	check 'among them the one of the host itself' logged 'thief=o0.6 '
	check 'and it is in the table' test -n "$(row vlansteal thieves thief=o0.6 verdict=conflict netns="$own_inum")"
	ip link delete o0.6
}

# --- rows ---

has_own_redirect() { [[ -n $(row redirect routers netns="$own_inum" dst=198.51.100.77) ]]; }
has_own_invalid() { [[ -n $(row ctinvalid flows netns="$own_inum" sport=9) ]]; }
own_invalid() { in_ns road build/guest/ctflow send src=203.0.113.2 dst=203.0.113.1 sport=9 dport=9 flags=SF </dev/null; nap 0.2; has_own_invalid; }
own_redirect() { in_ns road build/guest/forge 203.0.113.1 5 1 "$(hex4 203.0.113.3)" "$(quote4 203.0.113.1 198.51.100.77)"; nap 0.2; has_own_redirect; }

# A TCP segment whose checksum is wrong, from a port that varies: INVALID, and a row for each.
stray_frame=0200000000010200000000020800450000280001000040062665c6336402c6336401XXXX01bb000000010000000150100400ffff0000

# What a tenant does to the tables, see tenants_flood.
flood_redirects() {
	local quoted

	quoted=$(quote4 127.0.0.1 198.51.100.0)
	build/guest/forge -n 3 127.0.0.1 5 1 7f000001 "$quoted"
	nap 2.5
	build/guest/forge -n 3000 -v 18 127.0.0.1 5 1 7f000001 "$quoted"
	nap 1
}

flood_strays() {
	ip -batch - <<-'END'
		link add x0 type veth peer name x1
		link set x0 up
		link set x1 address 02:00:00:00:00:01
		link set x1 up
		addr add 198.51.100.1/24 dev x1
	END
	nft 'table inet t { chain c { type filter hook prerouting priority 0; ct state new counter; }; }'
	nap 2
	build/guest/load frames x0 3000 1 60000 $stray_frame
	nap 1
}

tenants_flood() {
	local before

	check 'the host has a row in the table of redirects' wait_for 10 own_redirect
	check 'and one in that of INVALID packets' wait_for 10 own_invalid
	export -f flood_redirects flood_strays nap quote4 hex4
	export stray_frame vm_silence

	before=$(counter redirect redirects_received)
	tenant bash -c 'ip link set lo up; flood_redirects'
	say "   A tenant's redirects: $(($(counter redirect redirects_received) - before)), rows: $(wc -l <"$ng_debugfs/redirect/routers")"
	check 'a tenant has sent himself thousands of redirects' test $(($(counter redirect redirects_received) - before)) -ge 3000
	check 'the row of the host is still in the table of redirects' has_own_redirect

	before=$(counter ctinvalid packets_invalid)
	tenant bash -c 'ip link set lo up; flood_strays' >/dev/null
	say "   A tenant's INVALID packets: $(($(counter ctinvalid packets_invalid) - before)), rows: $(wc -l <"$ng_debugfs/ctinvalid/flows")"
	check 'a tenant has made thousands of INVALID packets' test $(($(counter ctinvalid packets_invalid) - before)) -ge 2900
	check 'the row of the host is still in the table of INVALID packets' has_own_invalid
}

# --- names ---

# pasted DEVICE: the fix that the log has for this thief, as who copies the line gets it.
fix_for() {
	local line

	line=$(log_since_mark | grep 'netguard_vlansteal: .*verdict=conflict' | grep -F "vid=$1 " | tail -n 1)
	line=${line##* fix=\"}
	# Back from what the log line escapes.
	# shellcheck disable=SC2001 # a bracket expression
	sed 's/\\\(["\\]\)/\1/g' <<<"${line%\"}"
}

everybody() { ip -o link | sed 's/^[0-9]*: //; s/[@:] .*//; s/@.*//' | sort; ip -n lot -o link | sed 's/^[0-9]*: /lot /; s/@.*//' | sort; }

# pasted FIX DEVICE: true if the command deletes that device, nothing else, and runs nothing else.
pasted() {
	local before after status=0

	before=$(everybody)
	rm -rf /tmp/paste
	mkdir /tmp/paste
	# shellcheck disable=SC2016 # for the shell in which it is pasted
	PASTED=$1 bash -c 'reboot() { : >/tmp/paste/rebooted; }; cd /tmp/paste; eval "$PASTED"' >/tmp/pasted 2>&1 || status=$?
	after=$(everybody)
	[[ ! -e /tmp/paste/rebooted && $(</tmp/pasted) != *uid=* && $status = 0 ]] || { echo "$1: $(</tmp/pasted)"; return 1; }
	[[ $(comm -3 <(echo "$before") <(echo "$after")) = "$2" ]]
}

# shellcheck disable=SC2016 # these are names
tenants_names() {
	local name fix

	ip netns add lot
	# The last one is what ip takes for a word of its own, unless "dev" stands before it.
	for name in '$(id>&2)' 'a;reboot' "'\"" a; do
		log_mark
		ip link add link o0 name "$name" type vlan id 6 || not_ok "there is a device called $name"
		wait_for 5 logged 'vid=6 ' || not_ok "a thief called $name is logged"
		fix=$(fix_for 6)
		say "   $name: $fix"
		check "the fix for a device called $name deletes that device and does nothing else" pasted "$fix" "$name"
		ip link delete dev "$name" 2>/dev/null
	done

	# Of two devices of one name, that in the other namespace is meant.
	ip link add d.6 type dummy
	log_mark
	ip -n lot -batch - <<-'END'
		link add name b type bond
		link add name d type dummy
		link set dev d master b
		link add link b name b.6 type vlan id 6
		link add link d name d.6 type vlan id 6
	END
	wait_for 5 logged 'vid=6 ' || not_ok 'a thief in a netns is logged'
	fix=$(fix_for 6)
	say "   in a netns: $fix"
	check 'the fix for a device in another netns leaves the one of that name here alone' pasted "$fix" 'lot d.6'
	ip netns delete lot
	ip link delete d.6
}

# --- the host's own ---

own_capture() {
	local before

	begin_capture /tmp/own.log build/tools/netguard capture -w /tmp/own.pcap 'icmp[icmptype] <= 8 and host 203.0.113.2'
	nap 1
	before=$(counter tapdup marked)
	is "$1: no echo request of the host is lost" "$(loss 203.0.113.2 5)" 0
	stop_captures
	is "$1: the host's capture has each packet once" "$(packets /tmp/own.pcap)" 10
	is "$1: the other copies were marked" $(($(counter tapdup marked) - before)) 10
}

# --- the world ---

world_begin() {
	tenants_build
	tenants_move_in
	add_without=$(netns_add_time)
}

world_check() {
	local memory again

	own_inum=$(stat -L -c %i /proc/1/ns/net)
	add_with=$(netns_add_time)
	log_mark
	ip link add link o0 name o0.5 type vlan id 5
	check "the host's conflict is logged" wait_for 3 logged 'thief=o0.5 '
	own_capture 'before tenants act'
	slab_settle
	memory=$(netguard_memory)
	tenants_conflict
	tenants_flood
	tenants_names
	own_capture 'after tenants acted'
	check "the host's conflict is still in the table" test -n "$(row vlansteal thieves thief=o0.5 verdict=conflict netns="$own_inum")"
	again=$(netns_add_time)
	((again >= add_with)) || add_with=$again
	slab_settle
	memory=$(($(netguard_memory) - memory))
	say "   What tenants did leaves $memory KiB."
	check 'what tenants did leaves less than 8 MiB of memory' test $memory -lt 8192
	ip link delete o0.5
}

# KiB of everything that a module can hold.
netguard_memory() { awk '$1 == "Slab:" || $1 == "Percpu:" || $1 == "VmallocUsed:" { sum += $2 } END { print sum }' /proc/meminfo; }

world_end() {
	local again

	again=$(netns_add_time)
	((again >= add_without)) || add_without=$again
	say "   With $tenants namespaces alive 'ip netns add' takes $add_without us without netguard, $add_with us with it."
	# Other guests run beside this one, which is more noise than the tenth that it may cost.
	check "the host's own 'ip netns add' is not slower by more than a third" test $((3 * add_with)) -le $((4 * add_without))
	kill "$tenants_pid"
	wait "$tenants_pid" 2>/dev/null
	nft delete table inet own
	ip link delete own
	ip netns delete road
	ip link delete o0 2>/dev/null
	wait_for 10 fails test -e /sys/class/net/o0
}
