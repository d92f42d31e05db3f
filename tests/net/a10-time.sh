#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A10: stamps are wall time within 1 ms of an AF_PACKET stamp, also inside a time namespace.
# (A step of the clock is tried in the kernel matrix, where the clock is the guest's own.)
. "$(dirname "$0")/lib.sh"
need jq
pair

check() { # NAME PREFIX...
	local name=$1 before after first last
	shift
	"$@" "$NETPROBE" -j watch --packets -i here icmp >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	until_true 5 grep -q 'listening on' "$work/$name.err" || die "$name did not start"
	before=$(date +%s%N)
	ping -qc5 -i 0.2 10.9.0.2 >/dev/null
	after=$(date +%s%N)
	pkill -INT -x netprobe || true
	wait "$pid" || true
	first=$(jq -rs 'map(.["@timestamp"])[0]' "$work/$name.out")
	last=$(jq -rs 'map(.["@timestamp"])[-1]' "$work/$name.out")
	first=$(date -d "$first" +%s%N)
	last=$(date -d "$last" +%s%N)
	[ "$first" -ge $((before - 1000000)) ] || die "$name: first stamp $(((before - first) / 1000)) us early"
	[ "$last" -le $((after + 1000000)) ] || die "$name: last stamp $(((last - after) / 1000)) us late"
}

say "plain"
check plain
say "inside a time namespace"
if unshare -T --boottime 100000 true 2>/dev/null; then
	check timens unshare -T --boottime 100000 --fork
fi
