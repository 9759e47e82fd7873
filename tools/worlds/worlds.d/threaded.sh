# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Threaded NAPI: the polls of a port are a kernel thread's.
#
# vm-files: tools/worlds/receive.sh

# shellcheck source=tools/worlds/receive.sh
. tools/worlds/receive.sh

# napi_threads: the processes.
napi_threads() { grep -l '^napi/e[01]-' /proc/[0-9]*/comm | cut -d / -f 3; }
# How often they have run.
thread_runs() {
	local pid sum=0 runs

	for pid in $(napi_threads); do
		read -r _ _ runs <"/proc/$pid/schedstat"
		sum=$((sum + runs))
	done
	echo $sum
}

world_begin() {
	all_ports threaded 1
	check 'each port has a thread' wait_for 5 test "$(napi_threads | wc -l)" -ge 2
	runs=$(thread_runs)
}
world_check() {
	bursts lists
	check 'the threads have run' test $(($(thread_runs) - runs)) -gt 100
}
world_end() { all_ports threaded 0; }
