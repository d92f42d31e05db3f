#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fragments that were captured twice are no loss; those whose others never came are told, and are none either.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; cat "$work/err" >&2; exit 1; }

eth='020000000002 020000000001 0800'
ends='c0000201 c0000202'
first="$eth 4500 001c 0007 2000 40 11 0000 $ends 9c40 0009 0010 0000"
last="$eth 4500 001c 0007 0001 40 11 0000 $ends 6161616161616161"
other="$eth 4500 001c 0008 2000 40 11 0000 $ends 9c40 0009 0010 0000"
whole="$eth 4500 0024 0009 0000 40 11 0000 $ends 9c40 0009 0010 0000 6161616161616161"

# capture PACKETS: each a second after the one before; then half a minute of something else
capture() {
	echo "$1" >"$work/in.hex"
	for _ in 1 2 3; do
		for _ in 1 2 3 4 5 6 7 8 9 10 11; do echo "$whole"; done
	done >>"$work/in.hex"
	"$top/build/tests/tools/hex2pcap" "$work/in.hex" "$work/in.pcap"
	"$np" -v -j watch -r "$work/in.pcap" --fail-on-loss >"$work/out" 2>"$work/err" || die "exit status $?"
}

capture "$first
$first
$last
$last"
! grep -q '"lost"' "$work/out" || die "copies are told as a loss"

capture "$first
$other
$last"
grep -q '"reason":"fragment_expired","count":1}' "$work/out" || die "a datagram that is not whole is not told"
# The ledger has every line.
grep -q " $(wc -l <"$work/out") records written" "$work/err" || die "the ledger counts other than $(wc -l <"$work/out") lines"
