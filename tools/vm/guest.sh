# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a guest script sources: `. /netguard/tools/vm/guest.sh`. A failed check never ends the script; pass tells at the end.

vm_passed=0
vm_failed=0
vm_skipped=0
vm_xfailed=0

# With KASAN, lockdep and kmemleak looking on, everything takes several times as long: what bounds a wait grows by this
# factor. Scripts multiply their own bounds by it, and divide their loads.
slow=1
[[ ! -e /sys/kernel/debug/kmemleak ]] || slow=5

# say TEXT: a line for the reader. act TITLE: a heading.
say() { printf '%s\n' "$*"; }
act() { printf '\n== %s\n' "$*"; }

# fails COMMAND...: for check, wait_for and the like.
fails() { ! "$@"; }

vm_indented() { sed 's/^/# /'; }

# ok SENTENCE
ok() {
	vm_passed=$((vm_passed + 1))
	printf 'ok - %s\n' "$1"
}

# not_ok SENTENCE [DETAIL]
not_ok() {
	vm_failed=$((vm_failed + 1))
	printf 'not ok - %s\n' "$1"
	[[ -z ${2:-} ]] || printf '%s\n' "$2" | vm_indented
}

# check SENTENCE COMMAND...: by the command's status; its output is shown when it fails. The command runs in a subshell.
check() {
	local sentence=$1 output status=0
	shift

	output=$("$@" 2>&1) || status=$?
	if [[ $status = 0 ]]; then
		ok "$sentence"
	else
		not_ok "$sentence" "$* (exit status $status)${output:+$'\n'$output}"
	fi
}

# is SENTENCE GOT WANTED
is() {
	if [[ $2 = "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "got:    $2"$'\n'"wanted: $3"
	fi
}

# skip SENTENCE REASON: what cannot be looked at here.
skip() {
	vm_skipped=$((vm_skipped + 1))
	printf 'skip - %s: %s\n' "$1" "$2"
}

# xfail ISSUE SENTENCE COMMAND...: like check, of what an issue is about, and so fails. It has to.
xfail() {
	local issue=$1 sentence=$2 output
	shift 2

	if output=$("$@" 2>&1); then
		not_ok "$sentence passes now: take it off the list"
	else
		vm_xfailed=$((vm_xfailed + 1))
		printf 'xfail - %s: issue %s\n' "$sentence" "$issue"
		[[ -z $output ]] || printf '%s\n' "$output" | vm_indented
	fi
}

# nap SECONDS: sleep without a process, for to start one takes longer than most naps.
exec {vm_silence}<> <(:)
nap() { read -rt "$1" -u "$vm_silence" || true; }

# holds FILE TEXT: the same for grep -qF.
holds() {
	local text

	read -rd '' text <"$1"
	[[ $text = *"$2"* ]]
}

# wait_for SECONDS COMMAND...: true as soon as the command is, false once the time, times $slow, is over.
wait_for() {
	# SECONDS would end the first second early.
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * slow * 1000000)) pause=0.1 tries=0
	shift

	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
		# What takes long is asked for less often.
		((++tries < 20)) || pause=0.5
		nap $pause
	done
}

# pass: the last line of every script.
pass() {
	[[ $vm_xfailed = 0 ]] || say "$vm_xfailed expected to fail"
	say "$vm_passed passed, $vm_failed failed, $vm_skipped skipped"
	[[ $vm_failed = 0 ]] || return 1
	say 'vm: pass'
}
