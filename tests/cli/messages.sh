#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A message is one line, whatever is in the names it tells; what is wrong once is said once.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
die() { echo "$*" >&2; cat -v err >&2 || :; exit 1; }

# says STATUS LINE ARGS...: ends with that status, and with this one line on standard error
says() {
	local rc=0 wanted=$1 line=$2
	shift 2
	"$np" "$@" >out 2>err </dev/null || rc=$?
	[ $rc = "$wanted" ] || die "exit status $rc: $*"
	[ "$(cat err)" = "$line" ] || die "wanted: $line"
}

# Names from outside: a newline begins no message of its own, a tab moves nothing, an escape is not faked.
evil=$'a\nnetprobe: warning: b\tc\\x1b\e]0;d\a\342\200\256'
told='a\x0anetprobe: warning: b\x09c\\x1b\x1b]0;d\x07\u{202e}'
says 1 "netprobe: $told: No such file or directory" watch -r "$evil"
says 2 "netprobe: $told: No such file or directory" watch -F "$evil"
says 1 "netprobe: --btf $told: No such file or directory" watch --drops --btf "$evil"
says 2 "netprobe: no command '$told' (try: netprobe help)" "$evil"
datasets=$("$np" help --words schema | awk -F '\t' '$1 == "word" && $2 == "-" { printf "%s%s", between, $3; between = ", " }')
says 2 "netprobe: schema: '$told' is none of $datasets" schema "$evil"
says 2 "netprobe: block: '$told' is none of add, allow, apply, del, list, status, poll, test, confirm, rollback" block "$evil"
says 2 "netprobe: block add: '$told' is no address, prefix, MAC address, file FILE or -" block add "$evil"
says 2 "netprobe: block confirm: '$told' is one word too many" block confirm "$evil"
says 2 "netprobe: unknown option --$told (see --help)" watch "--$evil"
# An option is of a verb's own before it, too; behind -- there is none.
says 2 "netprobe: unknown option --dry-run (see --help)" block --dry-run rollback dev lo
says 1 "netprobe: -V: No such file or directory" policy -- check -V
says 2 "netprobe: --rung: '$told' is none of tcx, clsact, socket, packet" watch --rung "$evil"
for command in flows stats; do
	says 2 "netprobe: -r reads a file: -i is for live capture" $command -r x -i lo
	says 2 "netprobe: -4 and -6 exclude each other: without either both are taken" -4 -6 $command -r x
	says 2 "netprobe: -j, -p and --csv exclude each other" -j --csv $command -r x
	says 2 "netprobe: --color: 'pink' is none of auto, always, never" --color pink $command -r x
done
printf 'x' >"$evil"
says 1 "netprobe: --btf $told: there are no kernel types (BTF) in it" watch --drops --btf "$evil"
for words in "watch $evil" "watch -i $evil" "watch -Z $evil" "watch --proto $evil" "-o $evil watch" "-N $evil watch" "watch -r $evil" \
	"watch --decode-as $evil" "watch --where $evil" "watch --alert $evil" "block list $evil" "policy check $evil" "flows -r $evil" \
	"stats -r $evil" "watch -r /dev/null -w /nowhere/$evil" "watch -s $evil" "watch -c $evil"; do
	# shellcheck disable=SC2086
	! "$np" -q ${words%%"$evil"} "$evil" >out 2>err </dev/null || die "taken: ${words%%"$evil"}"
	! grep -qv '^netprobe: ' err || die "a message of more than one line: ${words%%"$evil"}"
	! grep -q $'\t' err || die "a tab: ${words%%"$evil"}"
done

# Link types: section header, an interface description for each, and a packet of 42 bytes of each, many times.
le() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"; }
capture() { # LINK...
	local link i=0
	printf '\n\r\r\n'; le 28; printf '\x4d\x3c\x2b\x1a\x01\0\0\0'; le -1; le -1; le 28
	for link; do le 1; le 20; le "$link"; le 0; le 20; done
	for link; do
		for _ in 1 2 3; do
			le 6; le 76; le $i; le 0; le 0; le 42; le 42
			# Ethernet, IPv4, UDP from port 1 to port 2
			printf '\2\0\0\0\0\2\2\0\0\0\0\1\x8\0\x45\0\0\x1c\0\1\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2\0\1\0\2\0\x8\0\0\0\0'
			le 76
		done
		i=$((i + 1))
	done
}
capture 147 >one.pcapng
rc=0
"$np" watch -r one.pcapng -w refused.pcap 'udp port 1' >out 2>err || rc=$?
[ $rc = 1 ] || die "exit status $rc, of a filter that means nothing for the file"
[ ! -e refused.pcap ] || die "written to before it is refused"
# The link type's name and the reason are in libpcap's words.
grep -qE '^netprobe: filter "udp port 1", for frames of link type 147 \([^)]+\): .*filtering not implemented' err || die "not told"
[ "$(wc -l <err)" = 1 ] || die "not once"
[ ! -s out ] || die "frames that the filter means nothing for are printed"

# The link type is the file's: what has no sense for Ethernet may have one there, and -d shows what is compiled.
capture 105 >wifi.pcapng
"$np" watch -r wifi.pcapng --count 'type data' >out 2>err || die "exit status $?: $(cat err)"
"$np" watch -r wifi.pcapng -ddd 'type mgt' >out 2>err || die "-d: exit status $?: $(cat err)"
[ "$(wc -l <out)" -gt 2 ] || die "-d does not show the filter"
capture 1 >ether.pcapng
for option in '' -d; do
	rc=0
	# shellcheck disable=SC2086
	"$np" watch -r ether.pcapng $option 'type mgt' >out 2>err || rc=$?
	[ $rc = 1 ] && [ "$(wc -l <err)" = 1 ] || die "exit status $rc, $(cat err)"
	rc=0
	# shellcheck disable=SC2086
	"$np" watch -r ether.pcapng $option 'type' >out 2>err || rc=$?
	[ $rc = 2 ] || die "exit status $rc of a syntax error"
done

# More link types than one may think of: each is filtered as what it is, and what cannot be is said once.
links='0 101 113 276 108 9 50 104 105 127 6 7 10 107 117 119 123 129 138 163 166 147 148 1'
# shellcheck disable=SC2086
capture $links >many.pcapng
"$np" -j watch --packets -r many.pcapng 'udp port 1' >out 2>err
[ "$(grep -c '"dataset":"packet"' out)" = 3 ] || die "the frames of the last link type are not found: $(grep -c . out)"
[ "$(sed -n 's/.*of link type \([0-9]*\) .*/\1/p' err | xargs)" = '147 148' ] || die "not once for each link type"
grep -q 'warning: 6 packets left out: the filter means nothing for their link type' err || die "not counted"
# shellcheck disable=SC2086
"$np" watch -r many.pcapng 'vlan 5' >out 2>err
[ "$(grep -c 'sees VLAN tags' err)" = 1 ] || die "what a word implies is told again"
[ -z "$(sort err | uniq -d)" ] || die "told again"
