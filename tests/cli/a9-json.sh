#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A9: each JSON line parses, is UTF-8, is at most 64 KiB, and has only fields that help --fields
# names.  (fuzz_json does the same with hostile bytes in every field.)
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
command -v jq >/dev/null || { echo "SKIP: jq is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }

"$np" help --fields | cut -f1 | sort >"$work/fields"
"$np" schema | jq -e . >/dev/null || die "the schema is not JSON"
for f in "$top"/tests/golden/*.pcap "$top"/tests/golden/*.pcapng; do
	"$np" -q -j watch --packets --answer-timeout 1 -r "$f" >"$work/out" 2>/dev/null || [ $? = 1 ]
	[ -s "$work/out" ] || die "$f: nothing"
	iconv -f utf-8 -t utf-8 "$work/out" >/dev/null || die "$f: not UTF-8"
	awk 'length($0) > 65536 { exit 1 }' "$work/out" || die "$f: a line of more than 64 KiB"
	[ "$(jq -c . "$work/out" | wc -l)" = "$(wc -l <"$work/out")" ] || die "$f: not one object a line"
	# Paths down to the first list; an element of a list is described by the schema.
	jq -r 'paths(type != "object") | map(select(type == "string")) | join(".")' "$work/out" | sort -u |
		sed -E 's/^(dns\.(questions|answers))\..*/\1/' | sort -u | comm -23 - "$work/fields" >"$work/unknown"
	[ ! -s "$work/unknown" ] || die "$f: unknown fields: $(cat "$work/unknown")"
	"$np" -q -p watch --packets -r "$f" 2>/dev/null | jq -e 'type == "array"' >/dev/null || die "$f: -p is not one document"
done
