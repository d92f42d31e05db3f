#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# regress.sh NAME | --list | --renew [NAME]: inputs that once went wrong, or nearly.  Packets stand
# in tests/regress/NAME.hex for eyes to read; NAME.out is what netprobe says of them.  Every fixed
# bug in a parser adds a pair, and none is ever taken away.  Runs under sanitizers when they are built.
set -eu
cd "$(dirname "$0")/regress"
B=${B:-../../build}
[ "$1" != --list ] || { for f in *.hex; do echo "${f%.hex}"; done; exit 0; }
renew=no
[ "$1" != --renew ] || { renew=yes; shift; }
if [ $renew = yes ] && [ -z "${1-}" ]; then
	for f in *.hex; do ../regress.sh --renew "${f%.hex}"; done
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Whichever build has the tools; the group san makes its own only.
tool=$B/tests/tools/hex2pcap
[ -x "$tool" ] || tool=$B/san/tests/tools/hex2pcap
"$tool" "$1.hex" "$tmp/in.pcap"
for np in "$B/netprobe" "$B/san/netprobe"; do
	[ -x "$np" ] || continue
	timeout 20 "$np" -q -j watch --packets -r "$tmp/in.pcap" >"$tmp/out"
	timeout 20 "$np" -q -vv watch -e -X -r "$tmp/in.pcap" >"$tmp/text"
	if [ $renew = yes ]; then
		cp "$tmp/out" "$1.out"
		exit 0
	fi
	diff -u "$1.out" "$tmp/out"
done
