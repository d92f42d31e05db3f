#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What netprobe writes, others read: the same packets, times, interfaces and losses.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
golden=$top/tests/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }
have tshark || { echo "SKIP: tshark is not installed"; exit 77; }

# fields FILE: what must not change
fields() {
	tshark -r "$1" -T fields -e frame.time_epoch -e frame.len -e frame.cap_len -e frame.encap_type \
		-e frame.interface_name -e frame.packet_flags_direction -e frame.md5_hash \
		-o frame.generate_md5_hash:TRUE 2>/dev/null
}

for f in "$golden"/*.pcap "$golden"/*.pcapng; do
	name=${f##*/}
	"$np" watch -r "$f" -w "$work/copy.pcapng" 2>"$work/err" || { cat "$work/err"; die "$name to pcapng"; }
	fields "$f" >"$work/a"
	fields "$work/copy.pcapng" >"$work/b"
	[ -s "$work/a" ] || die "tshark reads nothing of $name"
	case $name in
	*.pcapng) cmp "$work/a" "$work/b" || die "$name and its copy as pcapng differ" ;;
	*)	# plain pcap names no interface
		cut -f 1-4,7 "$work/a" >"$work/a2"
		cut -f 1-4,7 "$work/b" >"$work/b2"
		cmp "$work/a2" "$work/b2" || die "$name and its copy as pcapng differ"
		"$np" watch -r "$f" -w "$work/copy.pcap" 2>"$work/err" || { cat "$work/err"; die "$name to pcap"; }
		fields "$work/copy.pcap" | cut -f 1-4,7 >"$work/b2"
		cmp "$work/a2" "$work/b2" || die "$name and its copy as pcap differ"
		! have tcpdump || tcpdump -nr "$work/copy.pcap" >/dev/null 2>&1 || die "tcpdump refuses the copy of $name" ;;
	esac
	! have capinfos || capinfos "$work/copy.pcapng" >/dev/null || die "capinfos refuses the copy of $name"
	# From a pipe, and through gzip, it is the same.
	"$np" -j watch --packets -r "$f" >"$work/plain"
	gzip -c "$f" | "$np" -j watch --packets -r - >"$work/piped"
	cmp "$work/plain" "$work/piped" || die "$name reads differently when piped and zipped"
done

# Comments: the drop and the super-packet come back from our own copy.
"$np" watch -r "$golden/two-interfaces.pcapng" -w "$work/copy.pcapng" 2>"$work/err"
tshark -r "$work/copy.pcapng" -T fields -e frame.comment 2>/dev/null | grep -v '^$' >"$work/comments"
printf 'drop NO_SOCKET at __udp4_lib_rcv (udp)\nGRO x12\n' | cmp - "$work/comments" || die "comments differ"

# A file that ends too soon: every whole frame, a message, exit status 1.
head -c 400 "$golden/dns-udp.pcap" >"$work/cut.pcap"
rc=0
"$np" -j watch --packets -r "$work/cut.pcap" >"$work/out" 2>"$work/err" || rc=$?
[ $rc = 1 ] || die "a cut file gives status $rc"
[ "$(grep -c '"dataset":"packet"' "$work/out")" = 3 ] || die "a cut file gives $(wc -l <"$work/out") packets"
grep -q 'cut.pcap: the file ends inside a record, at byte' "$work/err" || { cat "$work/err"; die "no clear message"; }
