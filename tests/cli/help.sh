#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# help = manual = completions: every option of the binary stands in a manual page, and none else
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
# With what they mean: a letter that a command has for something else is the command's own.
"$NETPROBE" help --words | awk -F '\t' '$1 == "option" { print $2 "\t" $4 }' | sort -u >"$tmp/rows"
cut -f 1 "$tmp/rows" | sort -u >"$tmp/global"
"$NETPROBE" help --words | awk -F '\t' '$1 == "command" { print $2 }' >"$tmp/commands"
cp "$tmp/global" "$tmp/main"
while read -r c; do
	"$NETPROBE" help "$c" >"$tmp/help" || { echo "help $c: exit status $?"; rc=1; }
	"$NETPROBE" "$c" --help | cmp -s - "$tmp/help" || { echo "$c --help is not help $c"; rc=1; }
	grep -q "Cm $c" man/netprobe.8 || { echo "netprobe.8 does not tell of $c"; rc=1; }
	"$NETPROBE" help --words "$c" | awk -F '\t' '$1 == "option" { print $2 "\t" $4 }' | sort -u >"$tmp/with"
	cut -f 1 "$tmp/with" | sort >"$tmp/words"
	[ -z "$(uniq -d "$tmp/words")" ] || { echo "help $c tells an option twice: $(uniq -d "$tmp/words")"; rc=1; }
	if [ -e "man/netprobe-$c.8" ]; then
		comm -23 "$tmp/with" "$tmp/rows" | cut -f 1 | sort -u >"$tmp/own"
		options "man/netprobe-$c.8" | diff "$tmp/own" - >"$tmp/d" || {
			echo "netprobe-$c(8): < not in the page, > not in the program"; grep '^[<>]' "$tmp/d"; rc=1; }
	else
		cat "$tmp/words" >>"$tmp/main"	# told in netprobe(8)
	fi
	# Each word of the options stands in --help as well.
	while read -r w; do
		grep -qE -- "^ .*$w([^a-z]|\$)" "$tmp/help" || { echo "help $c does not tell $w"; rc=1; }
	done <"$tmp/words"
done <"$tmp/commands"
sort -u "$tmp/main" -o "$tmp/main"
options man/netprobe.8 | diff "$tmp/main" - >"$tmp/d" || {
	echo "netprobe(8): < not in the page, > not in the program"; grep '^[<>]' "$tmp/d"; rc=1; }
tests/man-fields.sh || rc=1
exit $rc
