#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A flow of a capture is told when it ends, also from a pipe that goes on; --sort waits for the end.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
capture=$top/tests/golden/flows.pcap
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }

# until_lines N FILE: wait for so many lines, half a minute at most
until_lines() {
	i=0
	while [ "$(wc -l <"$2")" -lt "$1" ]; do
		i=$((i + 1))
		[ $i -lt 300 ] || die "$2 has $(wc -l <"$2") lines, not $1"
		sleep 0.1
	done
}

# The pipe stays open: what is over is told all the same, and nothing else.
mkfifo "$work/pipe"
"$np" -j flows -r "$work/pipe" >"$work/out" 2>"$work/err" &
pid=$! pids=$!
exec 3>"$work/pipe"
cat "$capture" >&3
until_lines 3 "$work/out"
[ "$(jq -r '.flow.end_reason' "$work/out" | sort | uniq -c | tr -s ' ' | paste -sd,)" = ' 1 closed, 2 reset' ] ||
	die "what is over: $(cat "$work/out")"
exec 3>&-
wait "$pid" || die "status $?"
[ "$(wc -l <"$work/out")" = 6 ] || die "at the end: $(cat "$work/out")"
[ "$(jq -s 'map(.network.packets) | add' "$work/out")" = 21 ] || die "packets: $(cat "$work/out")"
grep -qx '21 packets: 21 in 6 flows, 0 in none' "$work/err" || die "the sum: $(cat "$work/err")"
grep -q '^coverage 100.0 %, 0 flows missed; at most 1000000 flows (' "$work/err" || die "coverage: $(cat "$work/err")"

# By the time of packets: what is silent for so long is over, and what comes later is another.
"$np" -j flows --idle-timeout 1ms -r "$capture" >"$work/idle" 2>/dev/null
[ "$(jq -s 'map(.network.packets) | add' "$work/idle")" = 21 ] || die "idle, packets: $(cat "$work/idle")"
[ "$(jq -r '.flow.end_reason' "$work/idle" | grep -c idle)" -gt 3 ] || die "idle: $(cat "$work/idle")"
"$np" -j flows --active-timeout 3ms -r "$capture" >"$work/active" 2>/dev/null
[ "$(jq -s 'map(.network.packets) | add' "$work/active")" = 21 ] || die "active, packets: $(cat "$work/active")"
[ "$(jq -r '.flow.end_reason' "$work/active" | grep -c active)" -ge 3 ] || die "active: $(cat "$work/active")"
# The port again: another connection.
{ cat "$capture"; tail -c +25 "$capture"; } >"$work/twice.pcap"
"$np" -j flows -r "$work/twice.pcap" 'port 40002' >"$work/reused" 2>/dev/null
[ "$(jq -r '.flow.end_reason // "none"' "$work/reused" | paste -sd,)" = reused,none ] || die "reused: $(cat "$work/reused")"
"$np" -j flows --sort start -r "$work/twice.pcap" 'port 40002' >"$work/once" 2>/dev/null
[ "$(jq .network.packets "$work/once")" = 12 ] || die "one list, one row: $(cat "$work/once")"

# Nothing was read: nothing is said to be complete.
"$np" flows -r "$work/nowhere" >"$work/out" 2>"$work/err" && die "no file, and status 0"
[ "$(wc -l <"$work/err")" = 1 ] || die "no file: $(cat "$work/err")"

rc=0
"$np" flows --top 3 --active-timeout 1s -r "$capture" >/dev/null 2>"$work/err" || rc=$?
[ $rc = 2 ] || die "--active-timeout with --top: status $rc"
# ARP belongs to no flow.
"$np" flows -r "$top/tests/golden/arp-icmp.pcap" >/dev/null 2>"$work/err"
all=$("$np" -j stats -r "$top/tests/golden/arp-icmp.pcap" | jq .stats.packets)
none=$(sed -n 's/.*, \([0-9]*\) in none$/\1/p' "$work/err")
[ "$none" -gt 0 ] || die "ARP: $(cat "$work/err")"
in=$("$np" -j flows -r "$top/tests/golden/arp-icmp.pcap" 2>/dev/null |
	jq -s 'map(select(.network.tunnel | not) | .network.packets) | add')
[ $((in + none)) = "$all" ] || die "$in in flows, $none in none, $all in all"
