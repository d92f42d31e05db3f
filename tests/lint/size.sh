#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# size.sh: what fits the head.  A function has at most 60 lines, a file 600; nesting is at most 3 (in a test 4)
# deep; a folder of src/ has at most 17 .c files.  A line has at most 120 columns (tabs of 8), in a
# test 140, where a row of bytes and what it means stand side by side.
# Whoever is allowed more stands below with the reason; a line here that is no longer needed fails too.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# KIND PATH[:FUNCTION]	why
cat >"$tmp/allowed" <<'A'
folder src/cmd	a command is one to eleven files, and is found by its name
A

git ls-files -co --exclude-standard 'src/*.[ch]' 'bpf/*.[ch]' 'tests/*.[ch]' >"$tmp/files"
# shellcheck disable=SC2016
xargs awk '
function indent(s,   n) { n = 0; while (substr(s, n + 1, 1) == "\t") n++; return n }
FNR == 1 { if (file) done(); file = FILENAME; inside = 0 }
function done() { if (last > 600) print "file " file "\t" last " lines, at most 600 allowed" }
{
	last = FNR
	line = $0; n = 0
	gsub(/[\200-\277]/, "", line)	# UTF-8: one column a character
	for (i = 1; i <= length(line); i++)
		n = substr(line, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
	most = FILENAME ~ /^tests\// ? 140 : 120
	# A field is a row, which grep, manual and schema read as one line.
	if (line ~ /^\tX\(/ && FILENAME ~ /\/(fields|record)\.h$/) most = n
	if (n > most) print "columns " FILENAME "\tline " FNR ": " n " columns, at most " most " allowed"
	if (line ~ /[ \t]$/) print "blank " FILENAME "\tline " FNR ": blank at the end of the line"
}
# A function: a line at the margin that ends with ")" , then "{" alone.
/^[A-Za-z_].*\(/ && !/;[ \t]*$/ { match($0, /[A-Za-z0-9_]+\(/); name = substr($0, RSTART, RLENGTH - 1) }
/^\{$/ { inside = FNR; deepest = 0; where = 0 }
inside && /^\}/ {
	if (FNR - inside - 1 > 60) print "function " FILENAME ":" name "\t" FNR - inside - 1 " lines, at most 60 allowed"
	if (deepest > (FILENAME ~ /^tests\// ? 4 : 3)) print "nesting " FILENAME ":" name "\tline " where ": " deepest " deep, at most 3 allowed"
	inside = 0
}
# Only what opens a block counts: a line that ends with "{", or with a condition for one statement.
inside && /^\t+(\} )?(if|for|while|do|switch|else)([ ({]|$)/ {
	d = indent($0)
	if (d > deepest) { deepest = d; where = FNR }
}
END { if (file) done() }
' <"$tmp/files" >"$tmp/found"
sed -n 's|^src/\(.*\)/[^/]*\.c$|\1|p' "$tmp/files" | sort | uniq -c |
	while read -r n folder; do
		[ "$n" -le 17 ] || printf 'folder src/%s\t%s files, at most 17 allowed\n' "$folder" "$n"
	done >>"$tmp/found"

bad=0
awk -F '\t' 'NR == FNR { ok[$1] = $2; next }
	$1 in ok { used[$1] = 1; next }
	{ key = $1; sub(/^[a-z]* /, "", key); print key ": " $2; bad = 1 }
	END {
		for (k in ok) if (!(k in used)) { print "size.sh: no longer needed: " k; bad = 1 }
		exit bad
	}' "$tmp/allowed" "$tmp/found" || bad=1
exit $bad
