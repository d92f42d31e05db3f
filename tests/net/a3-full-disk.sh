#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A3: a full disk ends the run with status 1 and a reason; the file ends on a record boundary.
. "$(dirname "$0")/lib.sh"
need jq
pair
mkdir "$work/disk"
mount -t tmpfs -o size=1m none "$work/disk"
"$TOOLS/mktraffic" "$work/in.pcap" 20000

full() { # NAME FILE COMMAND...: the command must fail and say why
	local name=$1 file=$2 rc=0
	shift 2
	say "$name"
	rm -f "$work/disk"/*
	"$@" 2>"$work/$name.err" || rc=$?
	same "$name: exit status" "$rc" 1
	grep -q 'No space left' "$work/$name.err" || die "$name: no reason given"
	[ -s "$file" ] || die "$name: nothing was written"
}

full pcap "$work/disk/x.pcap" "$NETPROBE" watch -r "$work/in.pcap" -w "$work/disk/x.pcap"
n=$("$NETPROBE" -j watch --packets -r "$work/disk/x.pcap" 2>"$work/back.err" | wc -l) || die "the cut file does not read back"
[ "$n" -gt 100 ] || die "only $n packets in the cut file"
[ ! -s "$work/back.err" ] || die "the file does not end on a record boundary"

full pcapng "$work/disk/x.pcapng" "$NETPROBE" watch -r "$work/in.pcap" -w "$work/disk/x.pcapng"
"$NETPROBE" -j watch --packets -r "$work/disk/x.pcapng" >/dev/null 2>"$work/back.err" || die "the cut pcapng does not read back"
[ ! -s "$work/back.err" ] || die "the pcapng does not end on a block boundary"

json() { "$NETPROBE" -j watch --packets -r "$work/in.pcap" >"$work/disk/x.json"; }
full json "$work/disk/x.json" json
jq -e . "$work/disk/x.json" >/dev/null || die "the last JSON line is torn"

csv() { "$NETPROBE" --csv watch --packets -r "$work/in.pcap" >"$work/disk/x.csv"; }
full csv "$work/disk/x.csv" csv
same "the last CSV line ends" "$(tail -c1 "$work/disk/x.csv" | od -An -tx1 | tr -d ' ')" 0a

full rotating "$work/disk/r.pcap" "$NETPROBE" watch -r "$work/in.pcap" -C 0.3 -w "$work/disk/r.pcap"
for f in "$work/disk"/r.pcap*; do
	[ -s "$f" ] || continue
	"$NETPROBE" -j watch --packets -r "$f" >/dev/null 2>"$work/back.err" || die "$f does not read back"
	[ ! -s "$work/back.err" ] || die "$f does not end on a record boundary"
done

say "what is told as written is in the file"
rm -f "$work/disk"/*
"$NETPROBE" -v watch -r "$work/in.pcap" -w "$work/disk/x.pcap" --print >"$work/x.txt" 2>"$work/told.err" || true
n=$("$NETPROBE" -j watch --packets -r "$work/disk/x.pcap" 2>/dev/null | grep -c '"dataset":"packet"')
grep -q "^ *$n records written to .*/x.pcap, [1-9][0-9]* not delivered" "$work/told.err" || die "$n packets are in the file"
n=$(grep -c '^[0-9]' "$work/x.txt")
grep -q "^ *$n records written to standard output, 0 not delivered" "$work/told.err" || die "$n records are on standard output"
