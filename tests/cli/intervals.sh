#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats -r FILE INTERVAL [COUNT]: rows in the capture's own time, however that goes.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v jq >/dev/null || { echo "jq is not installed"; exit 77; }
die() { echo "$*" >&2; cat "$work/err" >&2 2>/dev/null || :; exit 1; }

# SECONDS...: a capture with a datagram of 42 bytes at each of them; @FIRST+STEP*N: N of them.
capture() {
	python3 - "$@" >"$work/capture" <<'END'
import struct, sys
out = struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)
udp = struct.pack('>HHHH', 1000, 53, 8, 0)
ip = struct.pack('>BBHHHBBHII', 0x45, 0, 28, 0, 0, 64, 17, 0, 0xc0000201, 0xc0000202)
frame = b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\0' + ip + udp
for word in sys.argv[1:]:
    times = [word]
    if word[0] == '@':
        first, rest = word[1:].split('+')
        step, n = rest.split('*')
        times = [float(first) + float(step) * i for i in range(int(n))]
    for t in times:
        ns = round(float(t) * 1000) * 1000000
        out += struct.pack('<IIII', ns // 10**9, ns % 10**9, len(frame), len(frame)) + frame
sys.stdout.buffer.write(out)
END
}

# WANT ARGUMENT...: rows as second:packets/packets a second ("-": no rate), of standard input.
rows='"\(."@timestamp"[:19] + "Z" | fromdate):\(.stats.packets)/\(.stats.packets_per_second // "-")"'
expect() {
	local want=$1 got
	shift
	"$np" -j stats "$@" >"$work/out" 2>"$work/err" || die "stats $*: exit status $?"
	got=$(jq -rs "map($rows) | join(\" \")" "$work/out")
	[ "$got" = "$want" ] || die "stats $*: rows $got, not $want"
}
piped() { local want=$1; shift; expect "$want" -r - "$@" < <(cat "$work/capture"); }

# A row stands before the first frame at its end; the last is of what is left; rates are the interval's.
capture @1000+0.1*100 1010 @1010.5+0.05*100 1015.7
expect '1010:100/10 1015:202/18' -r "$work/capture" 10
piped '1010:100/10 1015:202/18' 10
expect '1010:100/10' -r "$work/capture" 10 1
piped '1010:100/10' 10 1
expect '1010:100/10 1015:202/18' -r "$work/capture" 10 2
want=$(for i in 1 2 3 4; do printf '%s ' $((1000 + i * 2)):$((i * 20))/10; done)
expect "${want% }" -r "$work/capture" 2s 4
expect '1000:5/10' -r "$work/capture" 500ms 1

# The last packet lies where an interval ends: it is of the next one, which has another time.
capture @1000+0.5*21
expect '1005:10/2 1010:20/2 1015:21/0' -r "$work/capture" 5

# Without packets there is no time to tell; of what cannot be read there is no row.
capture
"$np" -j stats -r "$work/capture" 5 >"$work/out" 2>"$work/err" || die "no packets: exit status $?"
[ "$(jq -c '[.stats.packets, has("@timestamp")]' "$work/out")" = '[0,false]' ] || die "no packets: $(cat "$work/out")"
rc=0
"$np" -j stats -r - 5 </dev/null >"$work/out" 2>"$work/err" || rc=$?
[ "$rc $(wc -c <"$work/out")" = '1 0' ] || die "an empty file: exit status $rc, $(cat "$work/out")"

# Rows of COUNT end the reading: what is broken behind them is not seen.
capture 1000 1005 1010 1015
cp "$work/capture" "$work/broken"
printf 'no packet at all, and yet long enough' >>"$work/broken"
expect '1010:2/0' -r "$work/broken" 10 1
"$np" -j stats -r "$work/broken" 10 >/dev/null 2>&1 && die "a broken capture: status 0"

# Frames that are filtered out tell the time too.
capture 1000 1011 1021
expect '1010:0/0 1020:0/0 1021:0/0' -r "$work/capture" 10 'tcp'

# Silence: a row for each interval, while these are not many.
capture 1000 1001 1035
expect '1010:2/0 1020:2/0 1030:2/0 1035:3/0' -r "$work/capture" 10
# A jump of years: what is passed over is said, and the rows keep their places.
capture @1000+1*5 @300000000+1*25
expect '1010:5/1 300000010:15/1 300000020:25/1 300000024:30/1' -r "$work/capture" 10
grep -q '^29999899 rows left out, of intervals without packets$' "$work/err" || die "what is left out is not said"
# Jumps in every frame: no more rows than frames, and some.
capture @1000+100000*3000
"$np" -j stats -r "$work/capture" 1 >"$work/out" 2>"$work/err"
n=$(wc -l <"$work/out")
[ "$n" = 3000 ] || die "jumps in every frame: $n rows"
capture @1000+3*3000
n=$("$np" -j stats -r "$work/capture" 1 2>"$work/err" | wc -l)
((n >= 6000 && n <= 7000)) || die "gaps of two intervals: $n rows"
[ "$("$np" -j stats -r "$work/capture" 1 2>/dev/null | jq -r '."@timestamp"' | sort | uniq -d | wc -l)" = 0 ] || die "a row twice"

# One stamp that is wrong, by years, is one packet more, and no end of the rows.
capture 1000 1001 300000000 @1002+1*20
expect '1010:11/1 1020:21/1 1021:23/2' -r "$work/capture" 10
# The last one cannot be judged; it is what it says.
capture 1000 1001 300000000
expect '1010:2/0 300000000:3/-' -r "$work/capture" 10

# Time that goes back, a little or for good, gives no row twice.
capture 1000 1004 1011 1009 1012 1008 1021
expect '1010:2/0 1020:6/0 1021:7/1' -r "$work/capture" 10
capture 1000 1011 @500+1*100 1012 1022
expect '1010:1/0 1020:103/10 1022:104/1' -r "$work/capture" 10
capture 1000 1011 500 501
expect '1010:1/0 1011:4/3' -r "$work/capture" 10

# As old as time, and an interval that never ends.
capture 0 1 2 11
expect '10:3/0 11:4/1' -r "$work/capture" 10
expect '11:4/0' -r "$work/capture" 500000h
capture
[ "$("$np" -j stats -r "$work/capture" 10 | wc -l)" = 1 ] || die "an empty capture"

# Rows of each kind.
capture @1000+0.5*40
for by in host iface proto port; do
	"$np" -j stats --by $by -r "$work/capture" 5 3 >"$work/out" 2>"$work/err" || die "--by $by: exit status $?"
	[ "$(jq -r '[(."@timestamp"[14:19]), .stats.packets, .stats.packets_per_second] | join("/")' "$work/out" | sort -u | xargs)" = \
		'16:45/10/2 16:50/20/2 16:55/30/2' ] || die "--by $by: $(cat "$work/out")"
done
devices() { "$np" -j stats --by device -r "$top/tests/golden/devices.pcap" "$@" 2>"$work/err"; }
devices 1ms >"$work/out" || die "--by device: exit status $?"
[ "$(jq -rs 'group_by(."@timestamp") | map(length) | .[0] < .[-1] and length > 2' "$work/out")" = true ] || die "--by device: $(cat "$work/out")"
last=$(jq -rs 'last."@timestamp"' "$work/out")
[ "$(jq -c --arg last "$last" 'select(."@timestamp" == $last) | del(."@timestamp")' "$work/out")" = \
	"$(devices | jq -c 'del(."@timestamp")')" ] || die "--by device: the last rows are not those of all"
[ "$(devices 1ms 1 | jq -rs 'map(."@timestamp") | unique | length')" = 1 ] || die "--by device: COUNT"

# A pipe that stays open has its row as soon as a frame tells that its time has come.
capture 1000 1004 1011
mkfifo "$work/fifo"
"$np" -j stats -r "$work/fifo" 10 >"$work/out" 2>"$work/err" &
reader=$!
exec 3>"$work/fifo"
cat "$work/capture" >&3
for _ in $(seq 600); do
	[ -s "$work/out" ] && break
	kill -0 $reader 2>/dev/null || break
	sleep 0.1
done
[ "$(jq -r "$rows" "$work/out")" = 1010:2/0 ] || die "an open pipe: $(cat "$work/out")"
exec 3>&-
wait $reader || die "an open pipe: exit status $?"
[ "$(tail -n 1 "$work/out" | jq -r "$rows")" = 1011:3/1 ] || die "an open pipe, in the end: $(cat "$work/out")"
