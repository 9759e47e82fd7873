# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cards interrupt the first CPU, the last one does the rest.
#
# vm-files: tools/worlds/receive.sh

# shellcheck source=tools/worlds/receive.sh
. tools/worlds/receive.sh

# In hexadecimal, column 10: packets that another CPU has handed to this one.
rps_received() { echo $(($(awk '{ print "0x" $10 }' /proc/net/softnet_stat | paste -sd +))); }

rps() { all_ports queues/rx-0/rps_cpus "$1"; }
# irqs_of PORT: its numbers, for /proc/interrupts has its name.
irqs_of() { awk -v port="$1" '$NF ~ "^" port "(-|$)" { sub(":", "", $1); print $1 }' /proc/interrupts; }
world_begin() {
	local port irq

	for port in "${ports[@]}"; do
		for irq in $(irqs_of "$port"); do echo 1 >"/proc/irq/$irq/smp_affinity"; done
	done
	rps $((1 << $(nproc) - 1))
	handed=$(rps_received)
}
world_check() {
	bursts singly
	check 'packets were handed to another CPU' test $(($(rps_received) - handed)) -gt 100
}
world_end() { rps 0; }
