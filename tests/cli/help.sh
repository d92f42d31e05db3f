#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# help = manual = completions: every option, verb and keyword of the binary stands in a manual page, and none else
# does; every field in netprobe-output(5), with its type, datasets and meaning.
set -eu
cd "$(dirname "$0")/../.."
NETPROBE=${NETPROBE:-build/netprobe}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rc=0

# options PAGE...: what the pages list as ".It Fl x , Fl -name Ar ARG"
options() {
	sed -n 's/^\.It \(Fl .*\)/\1/p' "$@" | grep -o 'Fl -\{0,1\}[^ ]*' |
		sed 's/^Fl /-/; s/\\&//g' | sort -u
}
# commands PAGE: verbs and keywords, listed as ".It Cm add Ar TARGET", ".It Cm src , dst"
commands() {
	sed -n 's/^\.It Cm //p' "$@" | sed 's/, Cm /, /g; s/ \(Ar\|Op\|Fl\|Ns\) [^,]*//g; s/ *, */\n/g' | sort -u
}
# With what they mean: a letter that a command has for something else is the command's own.
"$NETPROBE" help --words | awk -F '\t' '$1 == "option" { print $2 "\t" $4 }' | sort -u >"$tmp/rows"
cut -f 1 "$tmp/rows" | sort -u >"$tmp/global"
"$NETPROBE" help --words | awk -F '\t' '$1 == "command" { print $2 }' >"$tmp/commands"
cp "$tmp/global" "$tmp/main"
while read -r c; do
	grep -q "Cm $c" man/netprobe.8 || { echo "netprobe.8 does not tell of $c"; rc=1; }
	# All that it takes, and each of its verbs.
	"$NETPROBE" help --words "$c" | awk -F '\t' '$1 == "verb" { print $2 }' >"$tmp/verbs"
	: >"$tmp/with"
	: >"$tmp/keywords"
	for v in '' $(cat "$tmp/verbs"); do
		"$NETPROBE" help "$c" ${v:+"$v"} >"$tmp/help" || { echo "help $c $v: exit status $?"; rc=1; }
		[ "$c" = help ] || "$NETPROBE" "$c" ${v:+"$v"} --help | cmp -s - "$tmp/help" || { echo "$c $v --help is not help $c $v"; rc=1; }
		"$NETPROBE" help --words "$c" ${v:+"$v"} >"$tmp/all"
		awk -F '\t' '$1 == "option" { print $2 "\t" $4 }' "$tmp/all" | sort -u >"$tmp/own"
		awk -F '\t' '$1 == "keyword" { print $2 }' "$tmp/all" | sort -u >"$tmp/own-keywords"
		cut -f 1 "$tmp/own" | sort >"$tmp/words"
		[ -z "$(uniq -d "$tmp/words")" ] || { echo "help $c $v tells an option twice: $(uniq -d "$tmp/words")"; rc=1; }
		# Each word stands in --help as well, and so do those that an argument may be.
		while read -r w; do
			grep -qE -- "^ .*$w([^a-z]|\$)" "$tmp/help" || { echo "help $c $v does not tell $w"; rc=1; }
		done <<W
$(cat "$tmp/words" "$tmp/own-keywords")
$(awk -F '\t' '$1 == "verb" { print $2 } $1 == "word" && $2 != "-" { print $3 } $1 == "item" && $2 != "--drops" { print $3 }' "$tmp/all")
W
		cat "$tmp/own" >>"$tmp/with"
		cat "$tmp/own-keywords" >>"$tmp/keywords"
	done
	# And in the manual: the words that an option's argument may be.
	"$NETPROBE" help --words "$c" >"$tmp/all"
	for w in $(awk -F '\t' '($1 == "word" || $1 == "item") && $2 != "-" && $2 != "--drops" { print $3 }' "$tmp/all"); do
		cat "man/netprobe-$c.8" man/netprobe.8 2>/dev/null | grep -qwF -- "$w" || { echo "netprobe-$c(8) does not tell of $w"; rc=1; }
	done
	sort -u "$tmp/with" -o "$tmp/with"
	if [ -e "man/netprobe-$c.8" ]; then
		comm -23 "$tmp/with" "$tmp/rows" | cut -f 1 | sort -u >"$tmp/own"
		options "man/netprobe-$c.8" | diff "$tmp/own" - >"$tmp/d" || {
			echo "netprobe-$c(8): < not in the page, > not in the program"; grep '^[<>]' "$tmp/d"; rc=1; }
		sort -u "$tmp/keywords" "$tmp/verbs" >"$tmp/own"
		[ ! -s "$tmp/own" ] || commands "man/netprobe-$c.8" | diff "$tmp/own" - >"$tmp/d" || {
			echo "netprobe-$c(8), verbs and keywords: < not in the page, > not in the program"; grep '^[<>]' "$tmp/d"; rc=1; }
	else
		cut -f 1 "$tmp/with" >>"$tmp/main"	# told in netprobe(8)
		while read -r v; do
			grep -q "^\.It Cm $c $v" man/netprobe.8 || { echo "netprobe.8 does not tell of $c $v"; rc=1; }
		done <"$tmp/verbs"
	fi
done <"$tmp/commands"
sort -u "$tmp/main" -o "$tmp/main"
options man/netprobe.8 | diff "$tmp/main" - >"$tmp/d" || {
	echo "netprobe(8): < not in the page, > not in the program"; grep '^[<>]' "$tmp/d"; rc=1; }
tests/man-fields.sh || rc=1
exit $rc
