#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block test with lists: any form, without a kernel.  Reasons and file names are input like any other (E4, F4).
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; cat "$work/err" >&2 2>/dev/null || :; exit 1; }
same() { [ "$2" = "$3" ] || die "$1: got '$2', wanted '$3'"; }
test_() { "$np" block test "$@" >"$work/out" 2>"$work/err"; }

# clean FILE: fails when a byte or character that could harm is in it
clean() {
	LC_ALL=C tr -d '\n -~\200-\377' <"$1" | LC_ALL=C tr -d '\n' >"$work/low"
	[ ! -s "$work/low" ] || return 1
	! LC_ALL=C grep -aqP '\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf' "$1" || return 1
	! command -v iconv >/dev/null || iconv -f utf-8 -t utf-8 <"$1" >/dev/null 2>&1
}

evil=$(printf 'x\033]52;c;aGk=\007\302\233\342\200\256\377y\177')
list="$work/l$evil"
printf '192.0.2.0/24 reason %s\n192.0.2.7 action audit reason =cmd()\n2001:db8::/32 proto udp\n' "$evil" >"$list"
for form in '' -v -j -p --csv '-o rule.name,rule.reference,block.reason' '--csv -o rule.name,rule.reference'; do
	for color in C C.UTF-8; do
		# shellcheck disable=SC2086
		LC_ALL=$color test_ $form 192.0.2.1 192.0.2.7:80/tcp 2001:db8::9/udp --list "$list" || die "'$form' failed"
		clean "$work/out" || { cat -v "$work/out"; die "'$form': harmful output"; }
		clean "$work/err" || die "'$form': a harmful message"
		# shellcheck disable=SC2086
		LC_ALL=$color test_ $form -r "$top/tests/golden/hostile.pcapng" --list "$list" || die "'$form' -r failed"
		clean "$work/out" || die "'$form' -r: harmful output"
	done
done
test_ --csv -o rule.name 192.0.2.7 --list "$list"
same "a formula" "$(sed -n 2p "$work/out")" "'=cmd()"

if command -v jq >/dev/null; then
	test_ -j 192.0.2.1:443/tcp '[2001:db8::1]:53/udp' 198.51.100.1 --list "$list"
	same "verdicts" "$(jq -r '[.event.dataset, .event.action, .block.reason, .source.ip, .destination.port, .network.transport, .rule.id] | map(. // "-") | join(" ")' <"$work/out" | tr '\n' ,)" \
		"block drop dropped 192.0.2.1 443 tcp 1,block drop dropped 2001:db8::1 53 udp 3,block pass no_entry 198.51.100.1 - - -,"
	test_ -j --egress 192.0.2.1 --list "$list"
	same "what leaves" "$(jq -r .destination.ip <"$work/out")" 192.0.2.1
	test_ -p 192.0.2.1 192.0.2.2 --list "$list"
	same "one document" "$(jq length <"$work/out")" 2
fi

# A frame with another link header (Linux cooked, 113) is judged by its IP header; one without is told to be left out.
sll='\0\0\0\1\0\6\2\0\0\0\0\1\0\0'
ip='\x45\0\0\x14\0\0\0\0\x40\0\0\0\xc0\0\2\1\xc0\0\2\2'
{
	printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\x71\0\0\0'
	printf '\0\0\0\0\0\0\0\0\x24\0\0\0\x24\0\0\0%b\x08\0%b' "$sll" "$ip"
} >"$work/cooked.pcap"
test_ -r "$work/cooked.pcap" --list "$list" || die "cooked frames are refused"
grep -q '^1: 192.0.2.1 > 192.0.2.2 .*: drop, dropped, entry 1: ' "$work/out" || die "cooked: $(cat "$work/out")"

# JSON is read where nothing can be opened any more; ssh stays open whatever is denied.
echo '{"permitted_cidrs": ["203.0.113.0/24"]}' >"$work/permitted.json"
test_ 203.0.113.7 198.51.100.1 198.51.100.1:22/tcp --list "$work/permitted.json" --mode deny || die "JSON: $(cat "$work/err")"
same "permitted, and not" "$(sed 's/^[^ ]* \([a-z]*\), \([a-z_]*\).*/\1 \2/' "$work/out" | tr '\n' ,)" \
	"pass allowed,drop not_permitted,pass failsafe,"

# A disk that is full, a reader that has had enough, options that exclude each other.
rc=0
"$np" block test 192.0.2.1 --list "$list" >/dev/full 2>"$work/err" || rc=$?
same "status with a full disk" $rc 1
rc=0
"$np" block test -j -r "$top/tests/golden/tcp.pcap" --list "$list" >/dev/full 2>"$work/err" || rc=$?
same "status with a full disk, of a capture" $rc 1
"$np" block test -r "$top/tests/golden/flows.pcap" --list "$list" 2>"$work/err" | head -n 1 >/dev/null ||
	die "head: status ${PIPESTATUS[*]}"
for words in '-j --csv' '-o no.such.field'; do
	rc=0
	# shellcheck disable=SC2086
	test_ $words 192.0.2.1 --list "$list" || rc=$?
	same "status of '$words'" $rc 2
done
