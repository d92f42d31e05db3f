#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A8: a sensor that cannot see says so: idle, down, deleted, missing interface.
. "$(dirname "$0")/lib.sh"
pair

say "idle"
ip link add idle type veth peer name idle2
ip link set idle2 up
sysctl -qw net.ipv6.conf.idle2.disable_ipv6=1 2>/dev/null || true
ip link set idle up
sysctl -qw net.ipv6.conf.idle.disable_ipv6=1 2>/dev/null || true
start idle watch -i idle arp
until_true 4 grep -q 'no traffic' "$work/idle.err" || die "an idle interface is not told"
stop INT

say "down"
ip link set idle down
start down watch -i idle
grep -q 'idle is down' "$work/down.err" || die "a down interface is not told"

say "deleted"
ip link del idle
status=0
wait "$pid" || status=$?
same "exit status" "$status" 1
grep -q 'idle is gone' "$work/down.err" || die "a vanished interface is not told"

for rung in tcx socket packet; do
	say "deleted, by another of its names, $rung"
	ip link add short type veth peer name short2
	ip link property add dev short altname a-name-of-more-than-fifteen
	ip link set short2 up
	ip link set short up
	"$NETPROBE" watch --rung $rung -i a-name-of-more-than-fifteen >/dev/null 2>"$work/alt-$rung.err" &
	pid=$!
	until_true 5 grep -q 'listening on short, ' "$work/alt-$rung.err" || die "does not listen"
	ip link del short
	status=0
	wait "$pid" || status=$?
	same "exit status" "$status" 1
	grep -q 'netprobe: short is gone' "$work/alt-$rung.err" || die "a vanished interface is not told"
	! grep -q 'sandbox' "$work/alt-$rung.err" || die "the sandbox is in the way"
done

say "one of many goes, the others are heard"
ip link add short type veth peer name short2
ip link set short2 up
ip link set short up
start many -j watch --packets -i any --rung packet 'icmp'
ip link del short
until_true 5 eval "ping -qc1 -W1 10.9.0.2 >/dev/null && grep -q '\"here\"' '$work/many.out'" || die "deaf after one went"
stop INT
same "exit status" "$status" 0

say "of many that are down, one line; and none with -q"
for i in 1 2 3; do ip link add low$i type veth peer name wol$i; done
start downs watch -i any
until_true 3 grep -q '^netprobe: warning: [0-9]* interfaces are down: ' "$work/downs.err" || die "down interfaces are not told"
same "lines about them" "$(grep -c 'down' "$work/downs.err")" 1
stop INT
"$NETPROBE" -q watch --packets -i any >"$work/quiet.out" 2>"$work/quiet.err" &
pid=$!
until_true 5 eval "ping -qc1 -W1 10.9.0.2 >/dev/null && [ -s '$work/quiet.out' ]" || die "-q: hears nothing"
stop INT
same "with -q" "$(cat "$work/quiet.err")" ""
for i in 1 2 3; do ip link del low$i; done

say "missing"
status=0
"$NETPROBE" watch -i nosuch 2>"$work/missing.err" || status=$?
same "exit status" "$status" 1
same "lines" "$(wc -l <"$work/missing.err")" 1
grep -q nosuch "$work/missing.err" || die "the missing interface is not named"

say "waiting for an interface that comes, goes and comes again"
"$NETPROBE" -j watch --packets --wait -i late >"$work/late.out" 2>"$work/late.err" &
pid=$!
heard() { [ "$(grep -c 'listening on late' "$work/late.err")" -ge "$1" ]; }
for round in 1 2; do
	sleep 0.3
	ip link add late type veth peer name late2
	ip link set late2 up
	ip link set late up
	until_true 4 heard $round || die "round $round: not listening"
	ip neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev late
	ip addr add 10.8.0.1/24 dev late
	ping -qc3 -i 0.2 -W1 10.8.0.9 >/dev/null || true
	ip link del late
done
stop INT
same "exit status" "$status" 0
cut -c1-300 "$work/late.out" >"$work/late.log"
[ "$(grep -c 10.8.0.9 "$work/late.out")" -ge 6 ] || die "did not see both lives of the interface"
