#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# F6, and the size: one static, position-independent, hardened executable of at most 4 MB that runs in an empty chroot.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }

readelf -hlWd "$np" >"$work/elf"
readelf -sW "$np" >"$work/symbols"
grep -q 'Type:.*DYN' "$work/elf" || die "not position-independent"
! grep -q 'NEEDED\|INTERP' "$work/elf" || die "not static"
grep -q GNU_RELRO "$work/elf" || die "no RELRO"
grep -q 'BIND_NOW\|FLAGS_1.*NOW' "$work/elf" || die "not bound at start"
grep 'GNU_STACK' "$work/elf" | grep -qv 'RWE' || die "executable stack"
! grep -E 'LOAD.* RWE ' "$work/elf" || die "a segment is writable and executable"
grep -q '__stack_chk_fail' "$work/symbols" || die "no stack protector"
grep -q '__[a-z]*_chk$' "$work/symbols" || die "not fortified"
! grep -E ' (__nss_[a-z_]*lookup[a-z_]*|_nss_[a-z_]*)$' "$work/symbols" || die "name service code is linked in"

cp "$np" "$work/stripped"
strip "$work/stripped"
size=$(stat -c %s "$work/stripped")
[ "$size" -le 4194304 ] || die "$size bytes stripped"

if [ "$(id -u)" = 0 ]; then
	mkdir "$work/root"
	cp "$work/stripped" "$work/root/netprobe"
	chroot "$work/root" /netprobe version >"$work/version" || die "does not run in an empty chroot"
	chroot "$work/root" /netprobe watch -d 'tcp port 443' >"$work/dump" || die "no filter in an empty chroot"
	for f in "$top"/tests/golden/*.pcap; do
		[ -e "$f" ] || continue
		chroot "$work/root" /netprobe -j watch -r - <"$f" >"$work/json" || die "cannot read $f in an empty chroot"
	done
fi
echo "$size bytes stripped"
