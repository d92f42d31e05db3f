#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# interfaces.sh: what a capture tells of interfaces and directions is one thing for -Q, text, JSON and pcapng.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
die() { echo "$*"; [ ! -s err ] || cat -v err; exit 1; }

ip='\x45\0\0\x1d\0\1\0\0\x40\x11\xf6\xcb\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x9\0\x9\0\0x'
be32() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }
# pcap LINK HEADER...: a frame for each link header (as printf has it), an IP packet behind it
pcap() {
	printf '\xa1\xb2\xc3\xd4\0\2\0\4'; be32 0; be32 0; be32 65535; be32 "$1"
	shift
	local header n
	for header; do
		n=$(($(printf '%b' "$header" | wc -c) + 29))
		be32 1700000000; be32 0; be32 $n; be32 $n
		printf '%b' "$header$ip"
	done
}
directions() { "$np" -q -j watch --packets -r "$1" 2>err | sed -n 's/.*"direction":"\([a-z]*\)".*/\1/p' | xargs; }
# both NAME LINK IN OUT: a frame that came in and one that went out, by what stands in its header
both() {
	pcap "$2" "$3" "$4" >"$1.pcap"
	[ "$(directions "$1.pcap")" = 'ingress egress' ] || die "$1: $(directions "$1.pcap")"
	"$np" watch -r "$1.pcap" -Q in -w in.pcapng 2>err || die "$1: -Q in"
	[ "$(directions in.pcapng)" = ingress ] || die "$1: -Q in: $(directions in.pcapng)"
	"$np" watch -r "$1.pcap" -Q out -w out.pcap 2>err || die "$1: -Q out"
	[ "$(directions out.pcap)" = egress ] || die "$1: -Q out: $(directions out.pcap)"
	! grep -q 'unknown direction' err || die "$1: the direction is known"
}
mac='\2\0\0\0\0\1\0\0'
both sll 113 "\0\0\0\1\0\6$mac\x8\0" "\0\4\0\1\0\6$mac\x8\0"
both sll2 276 "\x8\0\0\0\0\0\0\2\0\1\0\6$mac" "\x8\0\0\0\0\0\0\7\0\1\4\6$mac"
both ppp 204 '\0\xff\3\0\x21' '\1\xff\3\0\x21'
both pppd 166 '\0\3\0\x21' '\1\3\0\x21'
both hdlc 205 '\0\xf\0\x8\0' '\1\xf\0\x8\0'
name='en0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
both pktap 258 "\x28\0\0\0\1\0\0\0\xc\0\0\0$name\1\0\0\0" "\x28\0\0\0\1\0\0\0\xc\0\0\0$name\2\0\0\0"

# Cooked v2 has the number of an interface, text and records show it.
"$np" -q -j watch -r sll2.pcap >out 2>err || die "sll2"
grep -q '"ifindex":2[,}]' out && grep -q '"ifindex":7[,}]' out || die "no number of an interface: $(cat out)"
"$np" -q watch -tr sll2.pcap >out 2>err || die "sll2"
sed -n 1p out | grep -q '^if2   In  IP 192' && sed -n 2p out | grep -q '^if7   Out IP 192' || die "$(cat out)"

# A second interface may be described late: it and what follows are told apart.
"$np" -q watch -r "$top/tests/golden/two-interfaces.pcapng" -w late.pcapng 2>err || die "late"
"$np" -q watch -tr late.pcapng >out 2>err || die "late"
sed -n 2p out | grep -q '^tun0  Out IP' && sed -n 4p out | grep -q '^eth0  In  IP' || die "$(cat out)"

# Frames whose direction nobody knows pass, which is said.
pcap 101 '' '' '' >raw.pcap
[ "$("$np" watch -tr raw.pcap -Q in 2>err | wc -l)" = 3 ] || die "frames of unknown direction do not pass"
grep -q '3 packets of unknown direction' err || die "not told"
"$np" watch -tr raw.pcap >out 2>err || die "raw"
grep -q '^IP 192' out && [ ! -s err ] || die "an interface where there is none: $(cat out)"
exit 0
