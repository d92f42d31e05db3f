#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B9: many netprobes that add and delete at once, some of them killed: each one's status says what it did, and in the
# end there is one whole state or none.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
"$NETPROBE" attach plan dev here 2>"$work/plan.err" | grep -q chosen || skip "neither tcx nor clsact here"
root=/sys/fs/bpf/netprobe
hooks() { "$NETPROBE" -j attach list dev here 2>/dev/null | jq -r 'select(.program.name // "" | startswith("np_")) | .link.hook | sub("^tc/"; "clsact/")' | sort | paste -sd,; }
none() { [ -z "$(hooks)" ] && [ ! -e $root ] && ! tc qdisc show dev here | grep -q clsact; }
one() { # NUMBER WORDS...
	local rc=0
	"$NETPROBE" attach "${@:2}" >/dev/null 2>"$work/$1.err" || rc=$?
	echo "$rc" >"$work/$1.status"
}
# judge NUMBERS...: added, or deleted, or nothing to delete
judge() {
	local i
	for i; do
		case $(cat "$work/$i.status") in
		0) grep -q 'counts\|counting\|removed' "$work/$i.err" ;;
		1) grep -q 'counts nothing there' "$work/$i.err" ;;
		*) false ;;
		esac || die "$i: status $(cat "$work/$i.status"): $(cat "$work/$i.err")"
	done
}

say "adds and dels at once"
for round in 1 2 3; do
	for i in 1 2 3 4 5; do
		one "$round-a$i" add dev here &
		one "$round-d$i" del dev here &
	done
	wait
	# shellcheck disable=SC2046
	judge $(echo $round-{a,d}{1..5})
	case $(hooks) in '' | */egress,*/ingress) ;; *) die "in the end: $(hooks)" ;; esac
	[ -n "$(hooks)" ] || none || die "in the end: $(find $root)"
done

say "adds alone: one state, one program a hook"
for i in $(seq 10); do one "add$i" add dev here & done
wait
# shellcheck disable=SC2046
judge $(seq -f 'add%g' 10)
case $(hooks) in */egress,*/ingress) ;; *) die "in the end: $(hooks)" ;; esac
there ping -qc1 -W1 10.9.0.1 >/dev/null || die "no packet passes"

say "dels alone: one has something to do"
for i in $(seq 10); do one "del$i" del dev here & done
wait
# shellcheck disable=SC2046
judge $(seq -f 'del%g' 10)
same "who deleted" "$(grep -l '^here: removed' "$work"/del*.err | wc -l)" 1
none || die "left: $(hooks) $(find $root)"

say "some are killed, while stale looks on"
for i in $(seq 12); do
	words='dev here'
	[ $((i % 4)) != 0 ] || words=stale
	verb=$([ $((i % 2)) = 0 ] && echo del || echo add)
	# shellcheck disable=SC2086
	{ timeout -s KILL 0.$((RANDOM % 90 + 10)) "$NETPROBE" attach "$verb" $words >/dev/null 2>&1 || :; } 2>/dev/null &
	one "stale$i" del stale &
done
wait
for i in $(seq 12); do
	same "del stale: $(cat "$work/stale$i.err")" "$(cat "$work/stale$i.status")" 0
done
one last add dev here
judge last
case $(hooks) in */egress,*/ingress) ;; *) die "in the end: $(hooks)" ;; esac
one last del dev here
judge last
none || die "left: $(hooks) $(find $root)"
