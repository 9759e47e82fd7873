# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Did a run pass? Reads only the two logs, so that tools/vm/selftest can ask without booting anything.

# Lines no run may leave in the kernel log. Case matters: the boot says "[Firmware Bug]" and "ACPI BIOS Error (bug)" on
# a healthy machine. WARNING has to start the message, for some mitigations print "Spectre V2 : WARNING: ...".
vm_bad=(
	'\bBUG\b'
	'(^|\] )WARNING: |WARNING: CPU: '
	'Oops: |Oops#'
	'Call Trace:|Modules linked in:|\bRIP: [0-9]{4}:'
	'KASAN: |KCSAN: |KMSAN: |KFENCE: |UBSAN: '
	'possible (recursive|circular|irq lock)|inconsistent lock state|suspicious RCU usage'
	'trying to register non-static key|locking correctness validator'
	'DEBUG_LOCKS_WARN_ON|bad unlock balance|deadlock detected'
	'rcu: INFO: |rcu.* detected( expedited)? stalls|self-detected stall'
	'refcount_t: |leaked reference|waiting for .* to become free'
	'[Kk]ernel panic|general protection|[Uu]nable to handle|stack-protector: '
	'hw csum failure|RTNL: assertion failed'
	'kmemleak: [0-9]+ new suspected|kernel memory leak|[Oo]bjects remaining'
	'Bad page|bad page|invoked oom-killer|Out of memory|page allocation failure'
	'blocked for more than|soft lockup|hard LOCKUP|hung_task: '
	'sleeping function called|scheduling while atomic'
	'ODEBUG: ([a-np-r]|Out)|list_(add|del) corruption|nobody cared'
	'vm: cannot '
)

# vm_log_scan FILE: prints the first bad line as "NUMBER:line", false when there is none.
vm_log_scan() {
	local IFS='|'

	grep -aEn -m 1 -e "${vm_bad[*]}" -- "$1"
}

# vm_verdict CONSOLE OUTPUT QEMU-STATUS LIMIT: prints one line saying why the run failed, or nothing and true when it
# passed. QEMU-STATUS 137 is what timeout(1) leaves after the hard limit.
vm_verdict() {
	local console=$1 output=$2 qemu=$3 limit=$4 bad status

	if bad=$(vm_log_scan "$console"); then
		echo "kernel log line $bad"
		return 1
	fi
	if [[ $qemu = 137 || $qemu = 124 ]]; then
		echo "still running after $limit s"
		return 1
	fi
	if [[ $qemu != 0 ]]; then
		echo "qemu ended with $qemu"
		return 1
	fi
	status=$(sed -n 's/.*vm: script ended with \([0-9]*\).*/\1/p' "$console" | tail -n 1)
	if [[ -z $status ]]; then
		echo "the guest went away before its script had ended"
		return 1
	fi
	if bad=$(grep -a -m 1 '^not ok' "$output"); then
		echo "$bad"
		return 1
	fi
	if [[ $status != 0 ]]; then
		echo "the script ended with $status"
		return 1
	fi
	if [[ $(grep -aE '^(ok|not ok|skip|xfail|vm:)' "$output" | tail -n 1) != 'vm: pass' ]]; then
		echo "the script did not end by saying 'vm: pass'"
		return 1
	fi
	# Whoever reads the output counts what was skipped, or is expected to fail.
	if ! grep -aqE '^(ok|skip|xfail) - ' "$output"; then
		echo "the script checked nothing: no 'ok' line"
		return 1
	fi
}

# vm_log_excerpt CONSOLE: the kernel log around the first bad line, or its end.
vm_log_excerpt() {
	local bad line

	if bad=$(vm_log_scan "$1"); then
		line=${bad%%:*}
		sed -n "$((line > 5 ? line - 5 : 1)),$((line + 25))p" "$1"
	else
		tail -n 40 "$1"
	fi
}
