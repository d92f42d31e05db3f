#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# format.sh: statements laid out as .clang-format says: indentation, braces, blanks.
#
# A line is wrong when clang-format would change more than blanks between its words, both when it
# keeps our line breaks (limit 0) and when it makes its own (limit 110): so columns lined up by
# hand and an early line break stay.  What a reader sees as a table stays as well, for clang-format
# 14 would take it apart: rows of initialisers, enumerators and cases, chains of "?:", strings side
# by side, macro bodies; and so do headers, which are declarations with comments in columns.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo "no clang-format"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

columns() { sed -E 's/([^[:blank:]])[[:blank:]]+/\1 /g; s/[[:blank:]]+\}/}/g; s/\{ /{/g'; }
sed 's/^ColumnLimit:.*/ColumnLimit: 110/' .clang-format >"$tmp/110"
sed 's/^ColumnLimit:.*/ColumnLimit: 0/' .clang-format >"$tmp/0"
# changed FILE LIMIT: numbers of the lines that would change
changed() {
	clang-format --style="file:$tmp/$2" "$1" | columns |
		diff --old-line-format='%dn
' --new-line-format='' --unchanged-line-format='' "$tmp/ours" - | sort || true
}
# statements FILE: numbers of the lines that end a statement or a condition, tables left out
statements() {
	awk '
	/^[ \t]*#[ \t]*define/ { macro = 1 }
	{ line = $0; sub(/[ \t]*\/\*.*\*\/$/, "", line) }
	!macro && line ~ /[;{})]$/ && line !~ /\{.*\}|[^{]\};?$|^(static |const )*(enum|struct) [a-z_]* *\{|\?|__attribute__/ &&
		line !~ /^[ \t]*(:|"|(case [^:]*|default):[ \t]*[^ \t])|" +"|"  *[A-Z]|\)[~-]\(|^[ \t]+[A-Z_]+;$/ &&
		!attribute { print FNR }
	{ attribute = /^__attribute__/ }
	!/\\$/ { macro = 0 }' "$1" | sort
}

bad=0
for f in $(git ls-files -co --exclude-standard 'src/*.c' 'bpf/*.c' 'tests/*.c'); do
	[ -e "$f" ] || continue
	columns <"$f" >"$tmp/ours"
	statements "$f" >"$tmp/a"
	for limit in 0 110; do
		[ -s "$tmp/a" ] || break
		changed "$f" $limit | comm -12 "$tmp/a" - >"$tmp/b"
		mv "$tmp/b" "$tmp/a"
	done
	for n in $(sort -n "$tmp/a"); do
		echo "$f:$n: $(sed -n "${n}p" "$f")"
		bad=1
	done
done
exit $bad
