#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B3: watch leaves nothing behind, whoever is killed: links, programs, maps, filters, processes.
. "$(dirname "$0")/lib.sh"
pair
KILLS=${KILLS:-200}
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
[ -x "$bpftool" ] || skip "bpftool is not installed"

state() {
	"$bpftool" net show 2>/dev/null | sed -n '/^tc:/,/^$/p'
	tc filter show dev here ingress
	tc filter show dev here egress
	"$bpftool" prog show | grep -c 'name np_' || true
	"$bpftool" map show | grep -c 'name np_' || true
	pgrep -c -x 'netprobe.*' || true
}
clean() { [ "$(state)" = "$before" ]; }
before=$(state)

for rung in tcx clsact socket packet; do
	say "kill -9 on rung $rung"
	"$NETPROBE" watch --rung $rung -i here >/dev/null 2>"$work/$rung.err" &
	pid=$!
	until_true 5 grep -q 'listening on' "$work/$rung.err" || { cat "$work/$rung.err"; die "rung $rung did not start"; }
	kill -9 $pid
	wait $pid 2>/dev/null || true
	until_true 1 clean || { state; die "rung $rung left something"; }
done

say "$KILLS kills at random moments"
for i in $(seq "$KILLS"); do
	"$NETPROBE" watch -i here >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	if [ $((i % 4)) = 0 ]; then	# also both processes at once
		pkill -9 -x 'netprobe.*' || true
	else
		kill -9 $pid 2>/dev/null || true
	fi
	wait $pid 2>/dev/null || true
	until_true 1 clean || { state; die "kill $i left something"; }
done

say "the helper alone"
start helper watch -i here
pkill -9 -x netprobe-helper || pkill -9 -P "$pid"
status=0
wait "$pid" || status=$?
same "exit status when the helper dies" "$status" 1
until_true 1 clean || die "the helper's death left something"
echo "$KILLS kills, nothing left"
