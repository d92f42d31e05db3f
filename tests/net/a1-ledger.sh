#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A1, A2: a burst into a stopped reader.  Nothing is lost silently: what the interface received was seen, the ledger
# balances to the packet, what is lost is told in the stream, and --fail-on-loss exits with 3.
. "$(dirname "$0")/lib.sh"
need jq
need ethtool
pair
there ethtool -K eth0 gro on >/dev/null
ip link set here address 02:00:00:00:00:0a
there ip link set eth0 address 02:00:00:00:00:0b
# No frame but the burst's.
ip link set here arp off
there ip link set eth0 arp off
sysctl -qw net.ipv6.conf.here.disable_ipv6=1
there sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
received() { there awk '$1 == "eth0:" { print $3 }' /proc/net/dev; }
N=1000000

say "burst into a stopped reader"
"$NETPROBE" -N there -j watch --packets -i eth0 -Q in -B 1024 --fail-on-loss >"$work/burst.out" 2>"$work/burst.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/burst.err" || die "did not start"
kill -STOP $pid
before=$(received)
sent=$("$TOOLS/livegen" here $N 60)
same "received by the interface ($sent)" $(($(received) - before)) $N
kill -CONT $pid
kill -USR1 $pid
until_true 5 grep -q 'ledger:' "$work/burst.err"
stop INT

say "the ledger balances"
grep -q 'DOES NOT BALANCE' "$work/burst.err" && die "the ledger does not balance"
eval "$(ledger burst)"
# shellcheck disable=SC2154
same "seen of what was received ($sent)" "$seen" $N
# shellcheck disable=SC2154
same "seen" "$seen" $((filtered + sampled + emitted + lost))
# shellcheck disable=SC2154
same "emitted" "$emitted" "$read"
[ "$lost" -gt 0 ] || die "a ring of 1 MiB cannot have held $N packets"
same "exit status with --fail-on-loss" "$status" 3

say "the stream tells the same"
same "packet records" "$(grep -c '"dataset":"packet"' "$work/burst.out")" "$read"
told=$(jq -s 'map(select(.event.dataset == "lost") | .lost.count) | add' "$work/burst.out")
same "lost records add up" "$told" "$lost"
records=$(grep -c '"dataset":"lost"' "$work/burst.out")
[ "$records" -le 5 ] || die "$records lost records in a few seconds"
jq -es 'map(select(.event.dataset == "lost")) | all(.lost.stage and .lost.reason and .event.start and .event.end)' \
	"$work/burst.out" >/dev/null || die "a lost record without stage, reason or span"
echo "seen $seen = filtered $filtered + sampled $sampled + emitted $emitted + lost $lost, told $told; ${sent##*, }"
