#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Descriptors: closed standard streams are nobody else's, and what came along from the parent does not stay open.
. "$(dirname "$0")/lib.sh"
pair
frame=02000000000202000000000108004500002000010000401166ca0a0000010a00000203e80009000c00006e657421
for _ in 1 2 3; do echo $frame; done >"$work/three.hex"
"$TOOLS/hex2pcap" "$work/three.hex" "$work/three.pcap"
packets() { "$NETPROBE" watch --packets -r "$1" | wc -l; }

say "a file is written, whatever is closed"
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
	rm -f "$work/copy.pcap"
	eval "'$NETPROBE' watch -r '$work/three.pcap' -w '$work/copy.pcap' $closed" || die "$closed: status $?"
	same "packets with $closed" "$(packets "$work/copy.pcap")" 3
	for rung in tcx packet; do
		rm -f "$work/live.pcap"
		eval "'$NETPROBE' watch -i here --rung $rung -c 2 -w '$work/live.pcap' icmp $closed" &
		until_true 5 eval "ping -qc1 -W1 10.9.0.2; ! kill -0 $!" || die "$closed: does not end on $rung"
		wait $! || die "$closed: status $? on $rung"
		[ "$(packets "$work/live.pcap")" -ge 2 ] || die "$closed on $rung: $(packets "$work/live.pcap") packets"
	done
done

say "records that cannot be written are not a success"
status=0
"$NETPROBE" watch -r "$work/three.pcap" >&- 2>"$work/closed.err" || status=$?
same "status with standard output closed" "$status" 1
grep -q 'Bad file descriptor' "$work/closed.err" || die "$(cat "$work/closed.err")"
status=0
"$NETPROBE" watch -r - <&- 2>"$work/closed.err" || status=$?
same "status with standard input closed" "$status" 1

say "what came along is closed, in reader and helper"
exec 9<"$work/three.hex" 40<"$work/three.pcap"
start along watch -i here
for p in $pid $(pgrep -P "$pid"); do
	for fd in "/proc/$p/fd/"*; do
		case $(readlink "$fd") in */three.*) die "${fd##*/} is open in $(cat "/proc/$p/comm")" ;; esac
	done
done
stop INT
same "and can be read by its name" "$("$NETPROBE" watch --packets -r /dev/fd/40 | wc -l)" 3
exec 9<&- 40<&-
