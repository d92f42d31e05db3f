#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# flows-sums.sh [FILE...]: every packet of a capture (all of tests/golden) is in one conversation, by its outermost
# IP header, or told to be in none; stats counts as many, and so does who looks at each frame: a super-packet is
# its segments.  Likewise of each file cut at a few places: what could be read is counted, with the same status.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
[ $# -gt 0 ] || set -- "$top"/tests/golden/*.pcap "$top"/tests/golden/*.pcapng
cuts=4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad() { echo "$name: $*" >&2; failed=1; }

# count AWK FIELDS COMMAND...: the sum that awk's part makes of these fields of the records, as columns; the exit
# status in $rc
count() {
	sum=$1 fields=$2
	shift 2
	rc=0
	timeout 60 "$np" --csv -H -o "$fields" "$@" -r "$file" >"$work/out" 2>"$work/err" || rc=$?
	n=$(awk -F , "$sum"' END { print n + 0 }' "$work/out")
}
# sums: of $file, which is $name in messages
sums() {
	count '$1 == "packet" || $1 == "drop" { n += $2 > 1 ? $2 : 1 }' event.dataset,frame.segments \
		watch --packets --answer-timeout 1
	frames=$n status=$rc
	count '{ n += $1 }' stats.packets stats
	[ "$n $rc" = "$frames $status" ] || bad "stats: $n packets and status $rc; there are $frames, and status $status"
	count '$1 == "flow" && $3 == "" { n += $2 }' event.dataset,network.packets,network.tunnel flows
	told=$(sed -n 's/^\([0-9]*\) packets\{0,1\}: \([0-9]*\) in [0-9]* flows\{0,1\}\( (and [0-9]* inside tunnels)\)\{0,1\}, \([0-9]*\) in none$/\1 \2 \4/p' "$work/err")
	# Damaged before the first one: there is nothing to tell.
	[ "$told" ] || [ "$frames $status" != "0 1" ] || told='0 0 0'
	[ "$told" ] || bad "flows: no line of packets"
	none=${told##* }
	[ "$((n + none)) $rc" = "$frames $status" ] ||
		bad "flows: $n packets, $none in none, and status $rc; there are $frames, and status $status"
	[ "$told" = "$frames $n $none" ] || bad "flows: it says \"$told\", of $frames with $n in flows"
	[ "$status" -le 1 ] || bad "status $status"
}

failed=0 files=0 inside=0
for path; do
	name=${path##*/}
	case $path in *.gz) gzip -dc "$path" ;; *) cat "$path" ;; esac >"$work/whole"
	size=$(wc -c <"$work/whole")
	file=$work/whole
	sums
	files=$((files + 1))
	# The same places each time, behind a head of pcap
	place=$size i=0
	while [ $i -lt $cuts ] && [ "$size" -gt 25 ]; do
		i=$((i + 1))
		place=$(((place * 1103515245 + 12345) % 2147483648))
		at=$((24 + place / 8 % (size - 24)))
		head -c $at "$work/whole" >"$work/cut"
		file=$work/cut name="${path##*/}, $at bytes of it"
		sums
		inside=$((inside + (status == 1)))
	done
done
[ $inside -gt 0 ] || { echo "no file was cut inside a record" >&2; failed=1; }
[ $failed = 0 ] && echo "# $files captures, $inside cuts inside a record"
exit $failed
