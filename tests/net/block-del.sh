#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block del: the entry that the words name and no other; where they name none, or several, those of that address are told
# with their numbers, and nothing is changed.  What went is told.  The same interface named again is one.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
ip link property add dev here altname hither 2>/dev/null || true
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err"; }
ids() { "$NETPROBE" block list -j dev here 2>"$work/ids.err" | jq -sr 'map(.rule.id) | join(" ")'; }
# kept STATUS TEXT WORDS...: refused like that, and the set is what it was
kept() {
	local status=$1 text=$2 before rc=0
	shift 2
	before=$(ids)
	np del "$@" dev here || rc=$?
	same "exit status of del $*" $rc "$status"
	grep -qF -- "$text" "$work/np.err" || die "del $*: not told '$text': $(cat "$work/np.err")"
	same "del $*: the set" "$(ids)" "$before"
}
# goes "IDS LEFT" TEXT WORDS...
goes() {
	local left=$1 text=$2
	shift 2
	np del "$@" dev here || die "del $*: $(cat "$work/np.err")"
	grep -qxF -- "$text" "$work/np.err" || die "del $*: not told '$text': $(cat "$work/np.err")"
	same "left after del $*" "$(ids)" "$left"
}

say "a set"
cat >"$work/list" <<E2
192.0.2.1 reason scanner
192.0.2.1 proto tcp port 80
192.0.2.1 port 53
192.0.2.0/24 dst
allow 192.0.2.1
10.0.0.3-10.0.0.6
2001:db8::1-2001:db8::3
any proto icmp action limit 100pps shared
198.51.100.1 proto udp
E2
np add file "$work/list" dev here || die "$(cat "$work/np.err")"
all='1 2 3 4 5 6 7 8 9 10 11 12 13'
same "numbers" "$(ids)" "$all"

say "what is not named by the words alone is told, and kept"
kept 1 "several entries are '192.0.2.1 src'" 192.0.2.1
for text in 'entry 1: 192.0.2.1 src action drop # scanner' 'entry 5: 192.0.2.1 src action allow'; do
	grep -qF "$text" "$work/np.err" || die "not told: $text"
done
[ "$(grep -c '^netprobe: entry' "$work/np.err")" = 2 ] || die "others are told as well: $(cat "$work/np.err")"
kept 1 'entry 13: 198.51.100.1 src proto udp action drop' 198.51.100.1
kept 1 "no entry is '198.51.100.1 src': nothing was changed (by number: block del id N)" 198.51.100.1
kept 1 'entry 2: 192.0.2.1 src proto tcp port 80 action drop' 192.0.2.1 proto tcp port 81
kept 1 'entry 4: 192.0.2.0/24 dst action drop' 192.0.2.7
kept 1 'entry 2: 192.0.2.1 src proto tcp port 80 action drop' 192.0.2.0/28
kept 1 "no entry is '203.0.113.1 src': nothing was changed" 203.0.113.1 action drop
kept 1 'entry 11: 0.0.0.0/0 src proto icmp action limit 100pps/5 shared' any
kept 1 'no entry has the number 99: nothing was changed' id 99
kept 1 'no entry has the number 99: nothing was changed' 1 99
kept 1 "no entry is '10.0.0.4/30 src'" 10.0.0.3-10.0.0.7
kept 1 "no entry is '192.0.2.1 src'" 192.0.2.1 action audit
kept 2 "id: 'x' is not a number from 1" id x
np del 192.0.2.1 action drop dev here --dry-run || die "$(cat "$work/np.err")"
grep -qxF "would go: 1: 192.0.2.1 src action drop # scanner  ($work/list:1)" "$work/np.err" || die "$(cat "$work/np.err")"
same "after --dry-run" "$(ids)" "$all"

say "what is named goes, alone, and is told"
goes '2 3 4 5 6 7 8 9 10 11 12 13' "gone: 1: 192.0.2.1 src action drop # scanner  ($work/list:1)" 192.0.2.1 action drop
goes '3 4 5 6 7 8 9 10 11 12 13' "gone: 2: 192.0.2.1 src proto tcp port 80 action drop  ($work/list:2)" proto tcp 192.0.2.1 port 80
goes '3 4 6 7 8 9 10 11 12 13' "gone: 5: 192.0.2.1 src action allow  ($work/list:5)" 192.0.2.1
goes '4 6 7 8 9 10 11 12 13' "gone: 3: 192.0.2.1 src port 53 action drop  ($work/list:3)" 3
goes '4 9 10 11 12 13' "gone: 7: 10.0.0.4/31 src action drop  ($work/list:6)" 10.0.0.3-10.0.0.6
goes '4 11 12 13' "gone: 10: 2001:db8::2/127 src action drop  ($work/list:7)" 2001:db8::1-2001:db8::3
goes '4 13' "gone: 12: ::/0 src proto icmp action limit 100pps/5 shared  ($work/list:8)" any proto icmp action limit 100pps shared
goes '' "gone: 13: 198.51.100.1 src proto udp action drop  ($work/list:9)" id 4 198.51.100.1 proto udp

say "many are counted"
seq -f '203.0.113.%.0f' 1 30 >"$work/list"
np add file "$work/list" dev here
np del $(seq 14 43) dev here || die "$(cat "$work/np.err")"
same "told" "$(grep -c '^gone: ' "$work/np.err")" 11
grep -qx 'gone: 20 more' "$work/np.err" || die "$(cat "$work/np.err")"
same "left" "$(ids)" ''

say "the same interface twice"
np add 192.0.2.1 dev here dev here || die "$(cat "$work/np.err")"
for words in 'dev here dev here' '-i here dev here' 'dev hither dev here'; do
	[ "$words" != 'dev hither dev here' ] || ip link show dev hither >/dev/null 2>&1 || continue
	# shellcheck disable=SC2086
	same "$words: entries" "$(np list $words | wc -l)" 1
	# shellcheck disable=SC2086
	same "$words: sets" "$(np status -j $words | wc -l)" 1
done
