# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Runs parts, as many at a time as there is room for, and sums up what they said; sourced by tools/check, which tells it the
# parts with part, then calls run_all and summary. A part is a command that prints, a line each,
#
#   ok - SENTENCE              not ok - SENTENCE
#   skip - SENTENCE: REASON    xfail - SENTENCE: issue N     (expected to fail, and does)
#
# A part that says none of these has failed, and so has one that exits non-zero without a "not ok" line. A skip is a failure, too,
# unless the part may skip: what is left out on a kernel that everybody has is looked at by nobody.

runner_results=$(mktemp -d)
runner_started=$SECONDS
trap 'rm -rf "$runner_results"' EXIT

# What is to run: a title and a command each, how many tenths of a processor it takes, and what it may.
titles=() commands=() shares=() late=() skipping=()
part() { titles+=("$1") commands+=("${*:2}") shares+=(10) late+=('') skipping+=(''); }
# Of the part that was told last. It may be late: an emulated guest on a machine that others use too can be. What fails is shown and
# tried once more, with a processor for itself; see retry.
may_be_late() { late[-1]=yes; }
# It may leave something out: its kernel is none of the default list.
may_skip() { skipping[-1]=yes; }
# It waits for timers, or for the rate limit of a log, half its time or most.
half_waits() { shares[-1]=5; }
mostly_waits() { shares[-1]=4; }

# run INDEX: one part; its log is part.INDEX.
run() {
	local title=${titles[$1]} log=$runner_results/part.$1 TIMEFORMAT='%0R %0U %0S' status=0 took user system

	printf '\n### %s begins, log in %s\n' "$title" "$log"
	# Words of ours, without spaces.
	# shellcheck disable=SC2086
	{ time ${commands[$1]} >"$log" 2>&1 </dev/null || status=$?; } 2>"$runner_results/time.$1"
	read -r took user system <"$runner_results/time.$1"
	if [[ $status != 0 ]] && ! grep -q '^not ok - ' "$log"; then
		printf 'not ok - %s (exit status %s)\n' "$title" "$status" >>"$log"
	elif ! grep -qE '^(ok|not ok|skip|xfail) - ' "$log"; then
		printf 'not ok - %s (it checked nothing)\n' "$title" >>"$log"
	fi
	[[ ${skipping[$1]} ]] || sed -i 's/^skip - \(.*\)/not ok - \1 (left out, where nothing may be)/' "$log"
	printf '%5d s, %4d s of a CPU  %s\n' "$took" $((user + system)) "$title" >>"$runner_results/times"
}

# retry INDEX: whether that may be put down to time: all that failed are checks that said so themselves, in guests that ended by
# themselves with a clean kernel log. tools/vm/boot gives a first "not ok" as its reason only then.
retry() {
	local log=$runner_results/part.$1 reason='^vm: FAILED on [^ ]* after [0-9]* s: '

	[[ ${late[$1]} ]] && grep -q '^not ok - ' "$log" || return
	# shellcheck disable=SC2251 # the last one is the answer
	! grep -E "$reason" "$log" | grep -qvE "${reason}not ok - " &&
		! grep -qE '^not ok - .*(\(exit status [0-9]+\)|\(it checked nothing\)|\(left out, where nothing may be\)|passes now: take it off the list)$' "$log"
}

# tell INDEX LOG: whole, though others may be telling.
tell() {
	{
		flock 9
		printf '\n### %s\n' "${titles[$1]}"
		cat "$2"
	} 9>"$runner_results/lock"
}

# try INDEX: what is to be tried again is kept in again.INDEX.
try() {
	run "$1"
	if retry "$1"; then
		sed 's/^/# first try: /' "$runner_results/part.$1" >"$runner_results/again.$1"
		tell "$1" "$runner_results/again.$1"
	else
		tell "$1" "$runner_results/part.$1"
	fi
}

# run_all: those that have not run, in their order. None is busy all the time, so a fifth more is begun than there is.
run_all() {
	local room=${ROOM:-$(($(nproc) * 12))} queue=() i pid used share
	local -A share_of=()

	for i in "${!titles[@]}"; do [[ -e $runner_results/part.$i ]] || queue+=("$i"); done
	# A process group each, so that stop_all gets what they started.
	set -m
	trap stop_all INT TERM HUP
	while :; do
		# Before all else what failed.
		for i in "${!titles[@]}"; do
			[[ ${late[i]} && -e $runner_results/again.$i ]] || continue
			late[i]='' shares[i]=10
			queue=("$i" "${queue[@]}")
		done
		used=0
		for pid in $(jobs -pr); do used=$((used + share_of[$pid])); done
		while [[ ${#queue[@]} -gt 0 ]]; do
			i=${queue[0]} share=${shares[i]}
			((used == 0 || used + share <= room)) || break
			try "$i" &
			share_of[$!]=$share
			used=$((used + share))
			queue=("${queue[@]:1}")
		done
		[[ $(jobs -pr) ]] || break
		wait -n
	done
	set +m
}

stop_all() {
	local group

	for group in $(jobs -p); do kill -- "-$group" 2>/dev/null; done
	wait
	exit 130
}

# said VERDICT: all lines with it.
said() { cat "$runner_results"/part.* | grep "^$1 - "; }
# list HEADING VERDICT
list() {
	said "$2" >"$runner_results/said" || return 0
	printf '\n%s:\n' "$1"
	cat "$runner_results/said"
}

# summary: what stands at the end, and whether all is well.
summary() {
	local i again=() passed failed

	for i in "${!titles[@]}"; do [[ ! -e $runner_results/again.$i ]] || again+=("$i"); done
	if [[ ${#again[@]} -gt 1 ]]; then
		printf 'not ok - one part of a run may need a second try, these were %s\n' "${#again[@]}" >"$runner_results/part.tries"
	fi
	list 'What failed' 'not ok'
	list 'What is expected to fail' xfail
	list 'What was left out' skip
	printf '\nTimes:\n'
	cat "$runner_results/times"
	printf '%5d s in all\n\n' $((SECONDS - runner_started))
	for i in "${again[@]}"; do
		printf 'second try of %s, because of:\n' "${titles[i]}"
		grep -h 'first try: not ok' "$runner_results/again.$i"
	done
	printf '%s second tries, %s expected to fail\n' "${#again[@]}" "$(said xfail | wc -l)"
	passed=$(said ok | wc -l) failed=$(said 'not ok' | wc -l)
	printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$(said skip | wc -l)"
	[[ $failed = 0 && $passed -gt 0 ]]
}
