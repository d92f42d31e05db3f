#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A4: an output that takes nothing holds up the data, never a signal: SIGINT and SIGTERM end the run, with the
# reason; SIGUSR1 and SIGHUP do their work and lose nothing; a terminal that goes away ends everything.
. "$(dirname "$0")/lib.sh"
need python3
pair
mkdir "$work/d"

# deaf NAME KIND ARGS...: netprobe in $pid with an output that nobody reads, its keeper in $keeper
deaf() {
	local name=$1 kind=$2
	shift 2
	: >"$work/$name.err"
	rm -f "$work/pid"
	"$top/tests/tools/deafout.py" "$kind" "$NETPROBE" "$@" >"$work/$name.out" 2>"$work/$name.err" 9>"$work/pid" &
	keeper=$!
	until_true 5 test -s "$work/pid" || die "$name: not started"
	pid=$(cat "$work/pid")
	if [ "$kind" != tty ]; then
		until_true 5 grep -q 'listening on' "$work/$name.err" || die "$name: does not listen"
	else
		until_true 5 attached || die "$name: does not listen"
	fi
	children=$(cat "/proc/$pid/task/$pid/children")
}
attached() { ping -qc1 -W1 10.9.0.2 && ! is_blocked; }

# It sleeps, and not because there is nothing to do.
is_blocked() { case $(cat "/proc/$pid/wchan") in "" | 0 | ep_poll | *epoll_wait*) return 1 ;; esac; }
block() {
	for _ in 1 2 3 4 5; do
		ping -qf -c 2500 -W1 10.9.0.2 >/dev/null || true
		! until_true 2 is_blocked || return 0
	done
	die "the output takes everything"
}
gone() { ! kill -0 "$1"; }
# ended NAME STATUS: keeper, reader and helper
ended() {
	local rc=0
	until_true 5 gone "$pid" || { kill -9 "$pid"; die "$1: does not end"; }
	wait "$keeper" || rc=$?
	same "$1: exit status" "$rc" "$2"
	for c in $children; do
		until_true 5 gone "$c" || die "$1: the helper does not end"
	done
}
ledgers() { grep -c 'ledger: ' "$work/$1.err" || true; }

for kind in pipe unix tcp pty; do
	for sig in INT TERM; do
		say "$kind: $sig while blocked"
		deaf "$kind$sig" $kind -j watch --packets -i here
		block
		kill -$sig "$pid"
		ended "$kind$sig" 1
		grep -q 'takes nothing, gave up on it: [1-9][0-9]* records are not written' "$work/$kind$sig.err" ||
			die "$kind: not told what is not written"
	done

	say "$kind: HUP and USR1 while blocked"
	deaf "$kind" $kind -j watch --packets -i here -w "$work/d/x" --print
	block
	mv "$work/d/x" "$work/d/old"
	kill -HUP "$pid"
	kill -USR1 "$pid"
	until_true 5 eval "[ \$(ledgers $kind) = 1 ]" || die "$kind: no ledger while blocked"
	! until_true 2 gone "$pid" || die "$kind: it ended"
	is_blocked || die "$kind: not blocked any more"
	kill -USR1 "$keeper"
	until_true 5 test -e "$work/d/x" || die "$kind: SIGHUP was lost"
	kill -INT "$pid"
	ended "$kind" 0
	rm "$work"/d/*
done

say "-r: TERM while blocked"
"$TOOLS/mktraffic" "$work/in.pcap" 20000
rm -f "$work/pid"
"$top/tests/tools/deafout.py" pty "$NETPROBE" watch -r "$work/in.pcap" >"$work/file.out" 2>"$work/file.err" 9>"$work/pid" &
keeper=$! children=
until_true 5 test -s "$work/pid"
pid=$(cat "$work/pid")
until_true 5 is_blocked || die "-r: the terminal takes everything"
kill -USR1 "$pid"
until_true 5 eval '[ $(ledgers file) = 1 ]' || die "-r: no ledger while blocked"
kill -TERM "$pid"
ended file 1

for args in "watch -i here" "-j watch --packets -i here -w $work/d/y --print"; do
	for when in idle blocked; do
		say "a terminal that goes away, $when: $args"
		# shellcheck disable=SC2086
		deaf gone$when pty $args
		[ $when = idle ] || block
		kill -USR2 "$keeper"
		ended gone$when 1
	done
done

say "the terminal takes no messages either"
deaf both tty -j watch --packets -i here
block
kill -TERM "$pid"
ended both 1
