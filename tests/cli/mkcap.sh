#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The committed captures are what tests/tools/mkcap makes, and all of them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${CC:=cc}"
command -v "$CC" >/dev/null || { echo "SKIP: no C compiler"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$CC" -std=gnu11 -O1 -o "$work/mkcap" "$top"/tests/tools/mkcap/*.c
mkdir "$work/made"
"$work/mkcap" "$work/made"
for f in "$work"/made/*; do
	name=${f##*/}
	cmp "$f" "$top/tests/golden/$name" || exit 1
	[ "$(wc -c <"$f")" -le 4096 ] || { echo "$name is larger than 4 KiB" >&2; exit 1; }
	grep -q "^$name " "$top/tests/golden/README" || { echo "README does not name $name" >&2; exit 1; }
done
for f in "$top"/tests/golden/*.pcap "$top"/tests/golden/*.pcapng; do
	[ -e "$work/made/${f##*/}" ] || { echo "mkcap does not make ${f##*/}" >&2; exit 1; }
done
