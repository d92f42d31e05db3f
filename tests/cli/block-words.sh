#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Words of block that contradict each other, or are given twice, are refused before anything is looked for, with the
# word at fault; of names in a list, file and line are told.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
die() { echo "$*" >&2; cat err >&2 || :; exit 1; }
# says STATUS TEXT ARGS...
says() {
	local want=$1 text=$2 rc=0
	shift 2
	"$np" block "$@" >out 2>err </dev/null || rc=$?
	[ $rc = "$want" ] || die "exit status $rc, not $want: $*"
	grep -qF -- "$text" err || die "not told '$text': $*"
	[ ! -s out ] || die "output all the same: $*"
}

for verb in add allow; do
	says 2 "'port 81': 'port' was given before" $verb 192.0.2.1 port 80 port 81 dev lo
	says 2 "'for 5m': 'for' was given before" $verb 192.0.2.1 for 10m for 5m dev lo
	says 2 "'src': 'dst' was given before" $verb 192.0.2.1 dst src dev lo
	says 2 "'reason b': 'reason' was given before" $verb 192.0.2.1 dev lo reason a reason b
	says 2 "'port 80': proto icmp has no ports" $verb 192.0.2.1 proto icmp port 80 dev lo
	says 2 "192.0.2.1: 'proto icmp6': IPv4 has icmp" $verb 192.0.2.1 proto icmp6 dev lo
	says 2 "2001:db8::1: 'proto icmp': IPv6 has icmp6" $verb 2001:db8::1 proto icmp dev lo
done
[ ! -e /sys/class/net/lo ] || says 2 "'dev lo': 'reason' was given before, and takes all that follows" add 192.0.2.1 reason a dev lo
says 2 "'action drop' of what is to be allowed" allow 192.0.2.1 action drop dev lo
says 2 "'action audit': 'action' was given before" add 192.0.2.1 action drop action audit dev lo
says 2 "'port 80': proto gre has no ports" del 192.0.2.1 proto gre port 80 dev lo
says 2 "'-' was given before" add - 192.0.2.1 - dev lo
for words in 'add 192.0.2.1' 'allow 192.0.2.1' 'apply x' 'del 192.0.2.1' rollback; do
	# shellcheck disable=SC2086
	says 2 '--confirm waits for a confirmation, --commit does not' $words dev lo --confirm 10s --commit
done
says 2 '--ingress is for del --all' del 192.0.2.1 --ingress dev lo
says 2 '--ingress and --egress' del --all --ingress --egress dev lo
says 2 'without --mode' del --all --mode deny dev lo
says 2 'without --confirm' del --all --confirm 10s dev lo
for words in 'add 192.0.2.1' 'del --all' list status poll 'test 192.0.2.1' confirm; do
	# shellcheck disable=SC2086
	says 2 "dev '': the name of an interface is empty" $words dev ''
	# shellcheck disable=SC2086
	says 2 "dev '': the name of an interface is empty" $words -i ''
	[ "$(wc -l <err)" = 1 ] || die "more than one line: $words"
done
says 2 'is a range that ends before it begins' add 192.0.2.9-192.0.2.1 dev lo
says 2 "'for 0s' is no time from 1s to 37037d53m20s" add 192.0.2.1 for 0s dev lo
says 2 "'reason': a text of more than 4095 bytes" add 192.0.2.1 dev lo reason "$(printf 'e%.0s' {1..4096})"
echo '{"permitted_cidrs": ["x", "y"]' >json
says 2 'json: 1 of 1 line is bad' apply json dev lo
echo '{"permitted_cidrs": ["x"]}' >json
says 2 'json: 1 of 1 line is bad' apply json dev lo
for word in www.example.com www.example.com. '*.example.com' 'domain www.example.com'; do
	# shellcheck disable=SC2086
	set -f; says 4 "names are not enforced by this version's program" add $word dev lo; set +f
done
says 2 "block add: for needs TIME, and 'dev' is the next keyword" add 192.0.2.1 for dev here
says 2 "block add: action limit needs RATE, and 'dev' is the next keyword" add 192.0.2.1 action limit dev here
for word in proto port for action dev file domain; do
	for next in src dst both proto port for action shared dev file domain reason; do
		says 2 "block add: $word needs " add 192.0.2.1 $word $next here
	done
done
says 2 'block del: id needs N' del id dev here
says 2 'block list: dev needs IFACE' list dev dev

for range in 192.0.2.1-9 192.0.2.1- 192.0.2.1-192.0.2.300 192.0.2.1-192.0.2.0/24 192.0.2.1-2001:db8::1 2001:db8::1-ff 192.0.2.1-x.test; do
	for verb in add allow del; do
		says 2 "'$range' is no range: two whole addresses of one family are, 192.0.2.1-192.0.2.9" $verb "$range" dev lo
	done
	echo "$range" >ranges
	says 2 "ranges:1: '$range' is no range" apply ranges dev lo
done
for verb in add allow del; do
	says 2 "'192.0.2.1 - 192.0.2.9': a range has no blanks: 192.0.2.1-192.0.2.9" $verb 192.0.2.1 - 192.0.2.9 dev lo
	says 2 "'2001:db8::1 - 2001:db8::9': a range has no blanks" $verb 198.51.100.0/24 2001:db8::1 - 2001:db8::9 dev lo
done
echo '192.0.2.1 - 192.0.2.9' >ranges
says 2 "ranges:1: '- 192.0.2.9' is not understood: a range has no blanks" apply ranges dev lo
for words in - '192.0.2.1 -' '- 192.0.2.0/24' '192.0.2.0/24 - 198.51.100.0/24'; do
	# shellcheck disable=SC2086
	says 2 'standard input: no entries: nothing was changed' add $words dev lo
done
says 2 '--mode is for --list' test 192.0.2.1 dev lo --mode deny
says 2 '--frag is for --list' test 192.0.2.1 dev lo --frag drop

printf '192.0.2.1\nads.example.com\n0.0.0.0 a.test b.test\n*.evil.test\n' >names
for verb in 'add file' apply; do
	# shellcheck disable=SC2086
	says 4 "names:2: 'ads.example.com' is a host name" $verb names dev lo
	for text in "names:3: 'b.test'" "names:4: '*.evil.test'" 'names: names are not enforced by'; do
		grep -qF "$text" err || die "not told '$text'"
	done
done
seq -f 'h%.0f.test' 25 >names
says 4 "names: 5 more host names" add file names dev lo
"$np" block test 192.0.2.1 --list names >out 2>err || die "a list with names is not asked"
grep -q 'names: 25 host names: not enforced' err || die "that names are not judged by is not told"

# What prints no records takes no option that says how they look; --help and completions do not offer it.
for words in 'add 192.0.2.1' 'allow 192.0.2.1' 'apply x' 'del 192.0.2.1' 'del --all' confirm rollback; do
	for option in -j -p --csv '-o rule.id' -H -4 -6; do
		# shellcheck disable=SC2086
		says 2 "block ${words%% *}: ${option%% *} is for what prints records" $words dev lo $option
	done
done
for words in 'attach add dev lo --dry-run -j' '-j attach del dev lo --dry-run'; do
	rc=0
	# shellcheck disable=SC2086
	"$np" $words >out 2>err </dev/null || rc=$?
	[ $rc = 2 ] || die "exit status $rc: $words"
	grep -q '^netprobe: attach [a-z]*: -j is for what prints records' err || die "not told: $words"
done
"$np" block add --help >out
! grep -Eq -- '-(j|p|o|H|4|6)\b' out || die "--help offers it: $(cat out)"
says 2 'unknown option --hits' add 192.0.2.1 --hits dev lo

# test asks of one address: a prefix is none, and half a bracket neither.
echo 203.0.113.1 >list
for word in 192.0.2.0/24 192.0.2.1/17 192.0.2.1/ 2001:db8::/32 '[2001:db8::1]/128'; do
	says 2 "'$word' reads as a prefix: test takes one address" test "$word" --list list
done
for word in '[2001:db8::1' '2001:db8::1]' '[2001:db8::1]x' '[2001:db8::1]80' '[]' '[' 192.0.2.1: '[2001:db8::1]:' any \
	"192.0.2.1:$(printf %0120d 80)"; do
	says 2 "'$word' is not ADDR[:PORT][/PROTO]" test "$word" --list list
done
for word in 192.0.2.1:x 192.0.2.1:65536 192.0.2.1:+80 192.0.2.1:-18446744073709551535 '192.0.2.1: 80'; do
	says 2 "'$word': no port" test "$word" --list list
done
for word in 192.0.2.1/tpc 192.0.2.1:80/256; do
	says 2 "'$word': no protocol" test "$word" --list list
done
for word in 192.0.2.1 192.0.2.1:0/17 192.0.2.1:80/6 192.0.2.1/udp '[2001:db8::1]' '[2001:db8::1]/udp' '[2001:db8::1]:80/tcp' 2001:db8::1/udp; do
	"$np" block test "$word" --list list >out 2>err || die "refused: $word"
	grep -qF "$word: pass, no_entry" out || die "not answered: $word"
done

# What changes a verdict can be asked for, without a kernel.
verdict() { # WANTED ARGS...
	local wanted=$1
	shift
	"$np" block test "$@" >out 2>err || die "refused: $*"
	[ "$(sed 's/^[^ ]* \([a-z]*\), \([a-z_]*\).*/\1 \2/' out | head -n "${lines:-1}" | tr '\n' ,)" = "$wanted," ] || { cat out; die "wanted '$wanted': $*"; }
}
echo 203.0.113.1 >list
verdict 'drop dropped' 203.0.113.1 --list list
verdict 'pass failsafe' 192.0.2.1:22/tcp --list list --mode deny
verdict 'drop not_permitted' 192.0.2.1:2222/tcp --list list --mode deny
verdict 'pass failsafe' 192.0.2.1:2222/tcp --list list --mode deny --failsafe 2222
verdict 'drop not_permitted' 192.0.2.1:22/tcp --list list --mode deny --failsafe 2222
for port in 0 65536 x ''; do
	says 2 "--failsafe: '$port' is no port" test 192.0.2.1 --list list --failsafe "$port"
done
frames() { "$np" -q block test -r "$top/tests/golden/fragments.pcap" --list list -j --frag "$1" | grep -o '"reason":"[a-z_]*"' | sort | uniq -c | tr -s ' \n' ' '; }
[ "$(frames drop)" != "$(frames inherit)" ] || die "--frag changes no verdict: $(frames drop)"
[[ $(frames drop) == *fragment_dropped* ]] || die "--frag drop: $(frames drop)"
