#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B9: many that change and look at one firewall at once, some of them killed: what each said it did is done and stays
# done, nobody waits for ever, and who only looks sees a whole set.  ROUNDS=50: so many rounds.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
root=/sys/fs/bpf/netprobe
one() { # NAME WORDS...
	local rc=0
	timeout 60 "$NETPROBE" block "${@:2}" dev here </dev/null >"$work/$1.out" 2>"$work/$1.log" || rc=$?
	echo "$rc" >"$work/$1.status"
}
# killed_after N NAME WORDS...: killed when it has made N system calls, or done earlier
killed_after() {
	{ strace -qq -f -o /dev/null -e trace=bpf -e inject=bpf:signal=KILL:when="$1" \
		"$NETPROBE" block "${@:3}" dev here </dev/null >"$work/$2.out" 2>"$work/$2.log" || :; } 2>/dev/null
}
status() { cat "$work/$1.status"; }
ended() { [ "$(status "$1")" = "$2" ] || die "$1: status $(status "$1"), wanted $2: $(cat "$work/$1.log")"; }
entries() { "$NETPROBE" block list dev here | sed 's/^[0-9]*: //; s/ src.*//' | sort; }

kill_some=yes
strace -o /dev/null true 2>/dev/null || kill_some=
rounds=${ROUNDS:-6} n=0
"$NETPROBE" block add 192.0.2.1 dev here --commit </dev/null 2>"$work/first.log" || die "$(cat "$work/first.log")"
for round in $(seq "$rounds"); do
	say "round $round"
	was=$(entries)
	pids=
	for i in 1 2 3 4 5; do
		one "add$i" add "198.51.100.$((10 * i + round % 10))" --commit &
		pids="$pids $!"
		one "list$i" list &
		pids="$pids $!"
	done
	one del del 192.0.2.1 --commit &
	pids="$pids $!"
	one status status &
	pids="$pids $!"
	one test test 192.0.2.200 192.0.2.201 192.0.2.202 &
	pids="$pids $!"
	if [ "$kill_some" ]; then
		for i in 1 2 3; do
			killed_after $(((round * 37 + i * 53) % 160 + 1)) "killed$i" add "203.0.113.$i" proto tcp --commit &
			pids="$pids $!"
		done
	fi
	# shellcheck disable=SC2086
	wait $pids
	n=$((n + 16))
	for i in 1 2 3 4 5; do
		ended "add$i" 0
		ended "list$i" 0
		# It is as it was before all, or after some of them: never less than what all leave alone.
		[ "$(wc -l <"$work/list$i.out")" -ge $(($(echo "$was" | wc -l) - 1)) ] || die "list $i: $(cat "$work/list$i.out")"
	done
	ended del 0
	ended status 0
	ended test 0
	same "verdicts" "$(grep -c ': pass, no_entry$' "$work/test.out")" 3
	"$NETPROBE" block list dev here >"$work/now.out"
	for i in 1 2 3 4 5; do
		grep -q " 198.51.100.$((10 * i + round % 10)) src" "$work/now.out" || die "an add that ended with 0 is lost: $i"
	done
	! grep -q ' 192.0.2.1 src' "$work/now.out" || die "a del that ended with 0 is lost"
	same "numbers given twice" "$(cut -d: -f1 "$work/now.out" | sort | uniq -d)" ""
	one back add 192.0.2.1 --commit
	ended back 0
done

say "who waits is told, and does not wait for ever"
exec 8<$root
flock -x 8
rc=0
"$NETPROBE" block list dev here >"$work/locked.out" 2>"$work/locked.log" || die "list waits for the lock"
one waits add 192.0.2.99 --commit &
pid=$!
until_true 5 eval 'ls -l /proc/*/fd 2>/dev/null | grep -c " $root\$" | grep -q "[2-9]"' || die "nobody waits"
kill -0 $pid || die "it does not wait: $(cat "$work/waits.log")"
if [ "${NETPROBE_TEST_TIER:-}" = all ]; then
	wait $pid
	ended waits 1
	grep -q 'is locked: another netprobe' "$work/waits.log" || die "the lock is not told: $(cat "$work/waits.log")"
	flock -u 8
else
	flock -u 8
	wait $pid
	ended waits 0
fi
"$NETPROBE" block del --all dev here </dev/null 2>"$work/end.log"
[ ! -e $root ] || die "left: $(find $root)"
echo "# $n at once in $rounds rounds"
