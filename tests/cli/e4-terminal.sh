#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# E4: nothing from outside moves the cursor: no byte below 0x20 but the newline, none of
# 0x7f, no C1 control raw or as UTF-8, no bidirectional control, in any output, from any input.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }

# clean FILE: fails when a harmful byte or character is in it
clean() {
	LC_ALL=C tr -d '\n -~\200-\377' <"$1" | LC_ALL=C tr -d '\n' >"$work/low"
	[ ! -s "$work/low" ] || { od -c "$work/low" | head -3; return 1; }
	! LC_ALL=C grep -aqP '\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf' "$1" || return 1
	# whatever is above 0x7f is well-formed UTF-8: no stray C1 byte
	! command -v iconv >/dev/null || iconv -f utf-8 -t utf-8 <"$1" >/dev/null 2>&1
}

for f in "$top"/tests/golden/*.pcap "$top"/tests/golden/*.pcapng; do
	[ -e "$f" ] || continue
	for args in '' '-v' '-vv -e' '-X' '-A' '-j' '-p' '--csv' '-o event.dataset,dns.question.name,network.interface'; do
		# shellcheck disable=SC2086
		"$np" $args watch -r "$f" >"$work/out" 2>"$work/err" || :
		clean "$work/out" || die "$f with '$args': harmful output"
		clean "$work/err" || die "$f with '$args': harmful message"
	done
done

# The command line and file names are input too.
evil=$(printf 'x\033]52;c;aGk=\007\302\233\342\200\256y\177')
bidi=$(printf '\342\200\256')
for words in "watch -r $evil" "watch -i $evil" "watch $evil" "watch -w /nowhere/$evil -r /dev/null" "$evil" "watch --$evil" \
	"-o $evil watch" "-N $evil watch" "watch -Z $evil" "watch --proto $evil" "schema $bidi" "watch -F $evil"; do
	# shellcheck disable=SC2086
	"$np" $words >"$work/out" 2>"$work/err" </dev/null && die "'$words' was taken"
	clean "$work/out" || die "harmful output for hostile words"
	clean "$work/err" || { cat -v "$work/err"; die "harmful message for hostile words"; }
done
