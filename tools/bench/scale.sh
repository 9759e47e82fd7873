# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Does a packet pay for how much there is of everything? And what do loading, reading and remembering cost?

: "${tracing:?comes from tools/bench/lib.sh}"

# batch COMMAND-FORMAT FIRST LAST: ip(8), one line per number.
batch() {
	local i

	# shellcheck disable=SC2059 # a format it is
	for ((i = $2; i <= $3; i++)); do printf "$1\n" "${i}" "${i}"; done >/tmp/batch
	ip -batch /tmp/batch
}

section_vlans() {
	local vlans last=1

	thief
	row 'with many VLANs' 'no module' arrive_vlan 4001
	guard_on all
	for vlans in 1 100 4000; do
		# bond0.1000 is there already.
		[[ $vlans = 1 ]] || batch 'link add link bond0 name v%s type vlan id %s' $((last + 1)) $vlans 2>/dev/null
		last=$vlans
		row 'with many VLANs' "all guards, $vlans VLANs" arrive_vlan 4001
	done
	guards_off
	row 'with many VLANs' 'no module, 4000 VLANs' arrive_vlan 4001
	no_thief
	remove_devices 'v[0-9]*'
}

section_thieves() {
	local thieves last=0

	row 'with many thieves' 'no module' arrive_vlan 4001
	guard_on vlansteal mode=rescue
	for thieves in 1 100 1000; do
		batch 'link add link bond0 name v%s type vlan id %s' $((last + 1)) $((thieves == 1000 ? 999 : thieves))
		batch 'link add link e0 name t%s type vlan id %s' $((last + 1)) $thieves
		last=$thieves
		is "$thieves thieves are known" "$(counter vlansteal conflicts)" $thieves
		row 'with many thieves' "vlansteal, $thieves thieves" arrive_vlan 4001
	done
	guards_off
	scale_tables
}

# remove_devices GLOB
remove_devices() {
	local device

	for device in /sys/class/net/$1; do echo "link del ${device##*/}"; done >/tmp/batch
	ip -batch /tmp/batch
}

memory() { awk '$1 == "Slab:" || $1 == "Percpu:" { sum += $2 } END { print sum }' /proc/meminfo; }

# million CULPRITS PACKET GUARD [NAME=VALUE...]: what a packet of each of so many costs, and what of them is remembered.
million() {
	local what="a million $1" packet=$2 guard=$3 before
	shift 2

	row "$what" 'no module' cable n1 "$packet"
	guard_on "$@"
	slabs
	keep_slabs=yes before=$(memory) packets=500000
	row "$what" "$guard" cable n1 "$packet"
	fact "memory for $what" $(($(memory) - before)) KiB
	keep_slabs='' packets=50000
	guards_off
}

# The tables are bounded.
section_memory() {
	wrap=1000000
	conntrack_on
	sysctl -qw net.netfilter.nf_conntrack_checksum=0
	million 'INVALID flows' "$(stray_rst)" ctinvalid
	conntrack_off
	million 'bad MACs' "$(padded deadbeefcafe)" padstrip devices=n0
	wrap=1
}

# took COMMAND...: thousands of instructions.
took() {
	local begun

	begun=$(now)
	"$@" >/dev/null
	echo $((($(now) - begun) / 1000))
}

# With a thousand thieves and their bond's VLANs, which makes two thousand devices.
scale_tables() {
	local held holds table open

	fact 'devices' "$(find /sys/class/net -type l | wc -l)" devices
	fact 'modprobe netguard with them' "$(took guard_on all)" 'thousand instructions'
	guards_off
	read -r held holds <<<"$(rtnl guard_on all)"
	check 'somebody held RTNL meanwhile' test "$holds" -gt 0
	fact 'longest hold of RTNL during modprobe netguard' "$held" "us at an instruction a nanosecond"
	$load packet &
	open=$!
	read -r held holds <<<"$(rtnl sleep 2)"
	fact 'longest hold of RTNL after a capture was opened' "$held" "us at an instruction a nanosecond"
	for table in vlansteal/thieves padstrip/senders ctinvalid/flows tapdup/devices pathmtu/paths redirect/routers; do
		fact "reading $table, $(wc -l <$ng_debugfs/$table) rows" "$(took cat $ng_debugfs/$table)" 'thousand instructions'
		read -r held holds <<<"$(rtnl cat $ng_debugfs/$table)"
		fact "longest hold of RTNL while reading $table" "$held" "us at an instruction a nanosecond"
	done
	kill $open
	wait $open 2>/dev/null
	read -r held holds <<<"$(rtnl guards_off)"
	fact 'longest hold of RTNL during modprobe -r netguard' "$held" "us at an instruction a nanosecond"
	remove_devices 't[0-9]*'
	remove_devices 'v[0-9]*'
}

section_namespaces() {
	local namespaces last=0 i

	row 'with many namespaces' 'no module' receive
	guard_on all
	for namespaces in 10 1000; do
		for ((i = last; i < namespaces; i++)); do echo "netns add m$i"; done >/tmp/batch
		ip -batch /tmp/batch
		last=$namespaces
		row 'with many namespaces' "all guards, $namespaces namespaces" receive
	done
	guards_off
	row 'with many namespaces' 'no module, 1000 namespaces' receive
}
