#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# links.sh: of whatever link, -e shows the header, and -x begins behind it.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
die() { echo "$*"; [ ! -s err ] || cat -v err; exit 1; }

ip='\x45\0\0\x1d\0\1\0\0\x40\x11\xf6\xcb\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x9\0\x9\0\0x'
be32() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }
# link NUMBER HEADER TEXT: a packet behind that header (as printf has it); what -e says before its addresses
link() {
	local n
	n=$(($(printf '%b' "$2" | wc -c) + 29))
	{
		printf '\xa1\xb2\xc3\xd4\0\2\0\4'; be32 0; be32 0; be32 65535; be32 "$1"
		be32 1700000000; be32 0; be32 $n; be32 $n
		printf '%b' "$2$ip"
	} >in.pcap
	"$np" -q watch -tr in.pcap -e -x >out 2>err || die "link type $1: exit status $?"
	case $(sed -n 1p out) in "${3}192.0.2.1.40000 > "*) ;; *) die "link type $1: -e: $(cat out)" ;; esac
	case $(sed -n 2p out) in *'0x0000:  4500 001d '*) ;; *) die "link type $1: -x: $(cat out)" ;; esac
}
ethers='\2\0\0\0\0\2\2\0\0\0\0\1'
macs='02:00:00:00:00:01 > 02:00:00:00:00:02, '
mac='\2\0\0\0\0\1\0\0'
link 1 "$ethers\x8\0" "${macs}ethertype IPv4 (0x0800), length 43: "
link 0 '\2\0\0\0' 'AF IPv4 (2), length 33: IP '
link 108 '\0\0\0\2' 'AF IPv4 (2), length 33: IP '
link 109 '\0\0\0\2\0\0\x10\0\0\0\x30\0' 'AF IPv4 (2), length 41: IP '
link 9 '\xff\3\0\x21' 'PPP, protocol 0x0021, length 33: IP '
link 9 '\x21' 'PPP, protocol 0x0021, length 30: IP '
link 50 '\xf\0\x8\0' 'CHDLC, ethertype IPv4 (0x0800), length 33: IP '
link 104 '\xf\0\x8\0' 'CHDLC, ethertype IPv4 (0x0800), length 33: '
link 107 '\x18\x41\3\xcc' 'Q.922, DLCI 100, length 33: IP '
link 113 "\0\0\0\1\0\6$mac\x8\0" ' In 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 45: '
link 276 "\x8\0\0\0\0\0\0\7\0\1\4\6$mac" 'if7   Out Out 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 49: '
link 239 '\2\0\0\7\x21\0\x9\0' 'NFLOG, family 2 (IPv4), resource ID 7, length 37: IP '
link 284 "$ethers\x40\0\0\0\x8\0" "${macs}link type 284, length 47: IP "
link 204 '\0\xff\3\0\x21' 'link type 204, length 34: IP '
link 101 '' 'IP '
exit 0
