#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats --prom: OpenMetrics 1.0, by a checker that is strict, and shown to be.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
golden=$top/tests/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v jq >/dev/null || { echo "jq is not installed"; exit 77; }
die() { echo "$*" >&2; cat "$work/err" "$work/told" >&2 2>/dev/null || :; exit 1; }
check() { "$top/tests/tools/openmetrics.py" "$@" 2>"$work/told"; }

# Everything that stats counts by, of every capture that is here.
bys=$("$np" help --words stats | awk -F '\t' '$1 == "word" && $2 == "--by" { print $3 }')
[ -n "$bys" ] || die "what --by takes is not told"
n=0
for capture in "$golden"/*.pcap "$golden"/*.pcapng; do
	for by in '' $bys; do
		"$np" stats --prom ${by:+--by "$by"} -r "$capture" 2>"$work/err" || die "$capture --by $by: exit status $?"
		n=$((n + 1))
	done
done >"$work/all"
[ "$(check -m <"$work/all")" = $n ] || die "not $n expositions"

# What is wrong is refused: each of these spoils one line, or all of it.
"$np" stats --prom --by host -r "$golden/flows.pcap" >"$work/good" 2>"$work/err"
check <"$work/good" >"$work/n" || die "what is to be spoilt"
spoil() { # WHAT SED-PROGRAM
	sed "$2" "$work/good" >"$work/bad"
	cmp -s "$work/good" "$work/bad" && die "$1: spoils nothing"
	check <"$work/bad" >"$work/n" && die "the checker takes $1"
	[ -s "$work/told" ] || die "the checker does not say what is wrong with $1"
}
spoil 'no # EOF' '/^# EOF/d'
spoil 'lines behind # EOF' '/^# EOF/p'
spoil 'a counter without _total' 's/^\(netprobe_packets\)_total/\1/'
spoil 'a counter that is a gauge' '/^# TYPE netprobe_bytes /s/counter/gauge/'
spoil 'a type that is none' '/^# TYPE netprobe_bytes /s/counter/count/'
spoil 'no TYPE' '/^# TYPE netprobe_bytes /d'
spoil 'no HELP' '/^# HELP netprobe_bytes /d'
spoil 'no UNIT' '/^# UNIT netprobe_bytes /d'
spoil 'a unit that is not in the name' '/^# UNIT netprobe_bytes /s/bytes$/seconds/'
spoil 'a quote in HELP' '/^# HELP netprobe_bytes /s/$/ "wire"/'
spoil 'a sample twice' '/^netprobe_bytes_total{host="192.0.2.1"/p'
spoil 'a label twice' 's/{host="192.0.2.1"}/{host="192.0.2.1",host="1"}/'
spoil 'a quote in a label' 's/{host="192.0.2.1"}/{host="192."0.2.1"}/'
spoil 'a backslash in a label' 's/{host="192.0.2.1"}/{host="192.\\0.2.1"}/'
spoil 'a comma at the end' 's/{host="192.0.2.1"}/{host="192.0.2.1",}/'
spoil 'empty braces' 's/{host="192.0.2.1"}/{}/'
spoil 'a blank too many' 's/{host="192.0.2.1"} /&&/'
spoil 'no value' 's/ [0-9]*$//'
spoil 'an empty line' '3s/^/\n/'
spoil 'a family in two pieces' '1{h;d};$!{/^netprobe_packets_total{host="192.0.2.1"/{H;d}};/^# EOF/{x;G}'
spoil 'a byte that is not UTF-8' 's/{host="192.0.2.1"}/{host="\xff"}/'
[ "$(cat "$work/good" "$work/good" | check -m)" = 2 ] || die "two expositions"
cat "$work/good" "$work/good" | check >"$work/n" && die "two expositions are taken for one"

# The numbers are those of JSON.
value() { awk -v s="$1" '$1 == s { print $2 }' "$work/out"; }
same() { # CAPTURE ARGUMENT... -- SAMPLE JQ...
	local arguments=()
	while [ "$1" != -- ]; do arguments+=("$1"); shift; done
	shift
	"$np" stats --prom "${arguments[@]}" >"$work/out" 2>"$work/err"
	"$np" -j stats "${arguments[@]}" >"$work/json" 2>/dev/null
	while [ $# -gt 0 ]; do
		[ -n "$(value "$1")" ] || die "${arguments[*]}: no $1"
		[ "$(value "$1")" = "$(jq -r "$2" "$work/json")" ] || die "${arguments[*]}: $1 is not $2: $(cat "$work/out")"
		shift 2
	done
}
same -r "$golden/flows.pcap" -- netprobe_packets_total .stats.packets netprobe_bytes_total .stats.bytes \
	netprobe_captured_bytes_total .stats.captured_bytes netprobe_flows .stats.flows netprobe_fragments_total .stats.fragments \
	netprobe_undecoded_total .stats.undecoded 'netprobe_by_transport_total{transport="tcp"}' .stats.by_transport.tcp \
	'netprobe_by_version_total{version="ipv6"}' .stats.by_version.ipv6 'netprobe_by_size_total{size="64"}' '.stats.by_size."64"' \
	'netprobe_by_tcp_flags_total{tcp_flags="syn_ack"}' .stats.by_tcp_flags.syn_ack \
	netprobe_bits_per_second .stats.bits_per_second
same -r "$golden/flows.pcap" --by host -- 'netprobe_bytes_total{host="2001:db8::2"}' 'select(.host.ip == "2001:db8::2").stats.bytes'
same -r "$golden/flows.pcap" --by port -- 'netprobe_packets_total{transport="tcp",port="80"}' \
	'select(.server.port == 80 and .network.transport == "tcp").stats.packets'
same -r "$golden/two-interfaces.pcapng" --by iface -- 'netprobe_packets_total{direction="ingress",interface="eth0"}' \
	'select(.network.interface == "eth0").stats.packets'

# More hosts than are kept are a loss, which is a counter.
python3 - >"$work/many.pcap" <<'END'
import struct, sys
out = [struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
for i in range(70000):
    ip = struct.pack('>BBHHHBBHII', 0x45, 0, 28, 0, 0, 64, 17, 0, 0x0a000000 + i, 0xc0000202)
    out.append(struct.pack('<IIII', 1000 + i // 1000, 0, 42, 42) + bytes(12) + b'\x08\0' + ip + bytes(8))
sys.stdout.buffer.write(b''.join(out))
END
same -r "$work/many.pcap" --by host -- 'netprobe_lost_total{stage="stats",reason="stats_table_full"}' \
	'select(.event.dataset == "lost").lost.count'
[ "$(check <"$work/out")" = 1 ] || die "a loss"
[ "$(grep -c '^netprobe_packets_total{' "$work/out")" = 65536 ] || die "rows of a full table"
# Told in parts, it is whole in the last exposition.
"$np" stats --prom --by host --top 1 -r "$work/many.pcap" 1 >"$work/parts" 2>"$work/err"
[ "$(check -m <"$work/parts")" = 70 ] || die "a loss in parts"
[ "$(grep '^netprobe_lost_total' "$work/parts" | tail -n 1)" = "$(grep '^netprobe_lost_total' "$work/out")" ] || die "a loss in parts: $(tail "$work/parts")"

# Each interval has its own, and the counters only grow.
"$np" stats --prom -r "$golden/flows.pcap" 10ms >"$work/out" 2>"$work/err"
[ "$(check -m <"$work/out")" = 3 ] || die "expositions of intervals"
[ "$(value netprobe_packets_total | xargs)" = '8 16 21' ] || die "counters of intervals"
[ "$("$np" stats --prom -r "$golden/flows.pcap" 10ms 2 | check -m)" = 2 ] || die "expositions of COUNT"
"$np" stats --prom -r - <<<'' >"$work/out" 2>/dev/null && die "what is no capture"
[ ! -s "$work/out" ] || die "of what is no capture: a whole exposition would say that there is nothing"

# It is a form of its own.
for other in -j -p --csv '-o stats.bytes'; do
	rc=0
	# shellcheck disable=SC2086
	"$np" $other stats --prom -r "$golden/flows.pcap" >"$work/out" 2>"$work/err" || rc=$?
	[ $rc = 2 ] || die "--prom $other: exit status $rc"
	grep -q '^netprobe: --prom has a form of its own' "$work/err" || die "--prom $other: $(cat "$work/err")"
	[ ! -s "$work/out" ] || die "--prom $other: output"
done
rc=0
"$np" stats --prom -r "$golden/flows.pcap" >/dev/full 2>"$work/err" || rc=$?
[ $rc = 1 ] || die "a full disk: exit status $rc"
