#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A2: loss shows in every form of output: text, CSV, pcapng statistics, trailer.
. "$(dirname "$0")/lib.sh"
need ethtool
pair
there ethtool -K eth0 gro on >/dev/null
ip link set here address 02:00:00:00:00:0a
there ip link set eth0 address 02:00:00:00:00:0b

lossy() { # NAME ARGS...
	local name=$1
	shift
	"$NETPROBE" -N there "$@" -i eth0 -Q in -B 512 >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	until_true 5 grep -q 'listening on' "$work/$name.err" || die "$name did not start"
	kill -STOP $pid
	"$TOOLS/livegen" here 200000 60 >/dev/null
	kill -CONT $pid
	stop INT
	eval "$(ledger "$name")"
	# shellcheck disable=SC2154
	[ "$lost" -gt 0 ] || die "$name lost nothing"
	grep -q "^$lost packets dropped by kernel" "$work/$name.err" || die "$name: the trailer does not say $lost"
	same "exit status without --fail-on-loss" "$status" 0
}

say "text"
lossy text watch --packets
same "lost in the text" "$(sed -n 's/.*!lost \([0-9]*\).*/\1/p' "$work/text.out" | awk '{ s += $1 } END { print s }')" "$lost"

same "records written, the lost ones too" "$(sed -n 's/^ *\([0-9]*\) records written.*/\1/p' "$work/text.err" | tail -1)" \
	"$(wc -l <"$work/text.out")"

say "csv"
lossy csv --csv -o event.dataset,lost.count watch --packets
same "lost in the CSV" "$(awk -F, '$1 == "lost" { s += $2 } END { print s }' "$work/csv.out")" "$lost"

say "pcapng"
lossy pcapng watch -w "$work/loss.pcapng"
if command -v capinfos >/dev/null; then
	capinfos "$work/loss.pcapng" >"$work/capinfos.log" 2>&1 || die "capinfos refuses the file"
fi
if command -v tshark >/dev/null; then
	# shellcheck disable=SC2154
	same "packets in the file" "$(tshark -r "$work/loss.pcapng" 2>/dev/null | wc -l)" "$read"
fi
