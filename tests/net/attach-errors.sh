#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach add and del go wrong at each system call that changes something.  B2: one that fails is told in a line and with
# a status, and leaves what was there before.  B1: killed there, the next add and the next del work, and packets pass
# at all times.  Each STRIDEth place; with check-all fewer, and of other errors, too.
. "$(dirname "$0")/lib.sh"
need strace
need jq
mount -t bpf bpf /sys/fs/bpf
pair
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
"$NETPROBE" attach plan dev here 2>"$work/plan.err" | grep -q chosen || skip "neither tcx nor clsact here"
root=/sys/fs/bpf/netprobe

hooks() { "$NETPROBE" -j attach list dev here 2>/dev/null | jq -r 'select(.program.name // "" | startswith("np_")) | .link.hook | sub("^tc/"; "clsact/")' | sort | paste -sd,; }
maps() { find $root -type d -name count -exec "$TOOLS/pinned" maps {} \; 2>/dev/null | sort; }
# What is there: maps, hooks, filters
shape() { hooks; maps | grep -v meta || :; tc filter show dev here ingress | grep -o np_count_in || :; }
none() { [ -z "$(hooks)" ] && ! tc qdisc show dev here | grep -q clsact && [ ! -e $root ]; }
passes() { there ping -qc1 -W1 10.9.0.1 >/dev/null; }
traced() { grep -q INJECTED "$work/run.trace" || grep -q 'killed by SIGKILL' "$work/run.trace"; }
add() { "$NETPROBE" attach add dev here 2>"$work/add.err" || die "$when, then add: status $?: $(cat "$work/add.err")"; }
# Whatever there is goes; when there is nothing, that is what it says.
del() {
	local rc=0
	"$NETPROBE" attach del dev here 2>"$work/del.err" || rc=$?
	[ $rc = 0 ] || { [ $rc = 1 ] && grep -q 'counts nothing there' "$work/del.err"; } || die "$when, then del: status $rc: $(cat "$work/del.err")"
	none || die "$when, then del: left: $(shape) $(find $root)"
}
# traced_run CALL ACTION WORDS...: its exit status in $status
traced_run() {
	local call=$1 action=$2
	shift 2
	when="attach $*: $call, $action"
	status=0
	{ strace -qq -f -o "$work/run.trace" -e "trace=$call" -e "inject=$call:$action" \
		"$NETPROBE" attach "$@" >"$work/run.out" 2>"$work/run.err" || status=$?; } 2>/dev/null
	passes || die "$when: no packet passes"
}
whole() { case $(hooks) in tcx/egress,tcx/ingress | clsact/egress,clsact/ingress | clsact/egress,tcx/ingress | clsact/ingress,tcx/egress) ;; *) die "$when: counts at '$(hooks)'" ;; esac; }

# fails CALL ERRNO N WORDS...: of add
fails() {
	local call=$1 errno=$2 n=$3 before
	shift 3
	before=$(shape)
	traced_run "$call" "error=$errno:when=$n" "$@"
	traced || return 0
	if [ $status = 0 ]; then
		whole
		del
		return
	fi
	[ $status -lt 128 ] || die "$when: status $status"
	same "$when: lines that say why ($(cat "$work/run.err"))" "$(grep -c '^netprobe: ' "$work/run.err")" 1
	same "$when: what is there" "$(shape)" "$before"
}
# killed CALL - N WORDS...
killed() {
	local call=$1 n=$3
	shift 3
	traced_run "$call" "signal=KILL:when=$n" "$@"
	traced || return 0
	runs_killed=$((runs_killed + 1))
	# By turns, for either must do by itself.
	if [ $((runs_killed % 2)) = 0 ]; then
		add
		whole
	fi
	del
}

# sweep WHAT CALL ERRNO BY BEFORE WORDS...: BEFORE is run before each
sweep() {
	local what=$1 call=$2 errno=$3 by=$4 before=$5 n tried=0
	shift 5
	n=$((1 + runs % by))
	say "$what: $call $errno, attach $*"
	while [ $n -lt 400 ]; do
		when="before $n"
		$before
		"$what" "$call" "$errno" $n "$@"
		traced || break
		tried=$((tried + 1))
		n=$((n + by))
	done
	[ $tried -gt 0 ] || [ "$call" != bpf ] || die "$call was not called"
	when="after"
	runs=$((runs + tried))
}
there_is_one() { [ -n "$(hooks)" ] || add; }
there_is_none() { none || del; }

runs=0 runs_killed=0
errors=ENOMEM stride=${STRIDE:-17}
[ "${NETPROBE_TEST_TIER:-}" != all ] || { errors='ENOMEM EPERM EINVAL'; stride=${STRIDE:-23}; }
for e in $errors; do
	sweep fails bpf "$e" $stride there_is_none add dev here
	sweep fails bpf "$e" $stride there_is_one add dev here flows 20k
done
sweep fails mkdir ENOSPC 1 there_is_none add dev here
sweep fails rename ENOMEM 3 there_is_one add dev here flows 20k
sweep killed bpf - $stride there_is_none add dev here
sweep killed bpf - $stride there_is_one add dev here flows 20k
sweep killed bpf - 11 there_is_one del dev here
sweep killed mkdir - 1 there_is_none add dev here
sweep killed unlink - 3 there_is_one del dev here
sweep killed rename - 3 there_is_one add dev here flows 20k
there_is_none
echo "$runs runs went wrong in as many places, $runs_killed of them killed"
