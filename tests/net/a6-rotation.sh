#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A6: rotation by size, number and time, live and from a file: no packet lost at a boundary,
# complete files always readable, kill -9 tears at most the last record, SIGHUP reopens.
. "$(dirname "$0")/lib.sh"
pair
"$TOOLS/mktraffic" "$work/in.pcap" 5000
mkdir "$work/d"
count() { "$NETPROBE" -j watch --packets -r "$1" | grep -c '"dataset":"packet"' || true; }
total() {
	local t=0 f
	for f in "$@"; do t=$((t + $(count "$f"))); done
	echo $t
}

files() { find "$work/d" -type f | wc -l; }

say "-C, from a file"
"$NETPROBE" watch -r "$work/in.pcap" -C 0.5 -w "$work/d/c.pcap" 2>"$work/c.err"
[ "$(files)" -gt 3 ] || die "too few files: $(ls "$work/d")"
same "packets over all files" "$(total "$work"/d/*)" 5000
for f in "$work"/d/*; do
	[ "$(stat -c %s "$f")" -le 530000 ] || die "$f is larger than asked"
	same "mode of $f" "$(stat -c %a "$f")" 600
done
rm "$work"/d/*

say "-C -W, a ring of files"
"$NETPROBE" watch -r "$work/in.pcap" -C 0.5 -W 3 -w "$work/d/w.pcap" 2>"$work/w.err"
same "files" "$(files)" 3
rm "$work"/d/*

say "-G, live, sparse traffic"
start g watch -i here -G 1 -w "$work/d/g-%s.pcap" icmp
for _ in 1 2 3; do
	ping -qc2 -i 0.2 10.9.0.2 >/dev/null
	sleep 1
done
stop INT
same "exit status" "$status" 0
[ "$(files)" -ge 3 ] || die "did not rotate: $(ls "$work/d")"
same "packets over all files" "$(total "$work"/d/*)" 12
rm "$work"/d/*

say "kill -9 in the middle"
start k watch -i here -C 0.1 -w "$work/d/k.pcap"
ping -q -f -c 3000 -s 1000 10.9.0.2 >/dev/null 2>&1 &
sleep 0.4
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
for f in "$work"/d/*; do
	[ -s "$f" ] || continue
	"$NETPROBE" -j watch --packets -r "$f" >/dev/null 2>"$work/back.err" || true
	[ "$(wc -l <"$work/back.err")" -le 1 ] || die "$f: more than a torn tail"
done
wait
rm "$work"/d/*

say "SIGHUP reopens"
start h watch -i here -w "$work/d/h.pcap" icmp
ping -qc2 -i 0.2 10.9.0.2 >/dev/null
mv "$work/d/h.pcap" "$work/d/h.old"
kill -HUP "$pid"
until_true 3 test -e "$work/d/h.pcap" || die "SIGHUP did not open a new file"
ping -qc2 -i 0.2 10.9.0.2 >/dev/null
stop INT
same "packets before and after" "$(total "$work/d/h.old" "$work/d/h.pcap")" 8
