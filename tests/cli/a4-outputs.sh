#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A4: an output that cannot be written is a failure with a reason; a reader that has gone is a quiet
# end; a slow one gets everything.  Every command, every format.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }
capture=$top/tests/golden/dns-udp.pcap

status() { # COMMAND...: its exit status, its words in $work/err
	local rc=0
	"$@" 2>"$work/err" || rc=$?
	echo $rc
}

formats=('' '-v' '-X' '-j' '-p' '--csv' '-o event.dataset,source.ip')
for f in "${formats[@]}"; do
	# shellcheck disable=SC2086
	run() { "$np" watch $f -r "$capture"; }
	full() { run >/dev/full; }
	closed() { run >&-; }
	[ "$(status full)" = 1 ] || die "watch $f: a full output is no failure"
	grep -q 'No space left' "$work/err" || die "watch $f: no reason for a full output"
	[ "$(status closed)" != 0 ] || die "watch $f: a closed output is no failure"
	[ -s "$work/err" ] || die "watch $f: no reason for a closed output"
	run >"$work/whole" 2>/dev/null
	# A reader that takes its time loses nothing.
	run 2>/dev/null | { sleep 0.2; cat; } >"$work/slow"
	cmp "$work/whole" "$work/slow" || die "watch $f: a slow reader missed something"
done

# A reader that leaves.
for f in '' '-j' '-p' '--csv'; do
	set +e
	# shellcheck disable=SC2086
	"$np" watch $f -X -r "$capture" 2>"$work/err" | head -n 1 >"$work/first"
	rc=${PIPESTATUS[0]}
	set -e
	[ "$rc" = 0 ] || [ "$rc" = 141 ] || die "watch $f | head: exit status $rc"
	[ ! -s "$work/err" ] || die "watch $f | head: $(cat "$work/err")"
	[ -s "$work/first" ] || die "watch $f | head: nothing came"
done

for w in full.pcap full.pcapng; do
	ln -sf /dev/full "$work/$w"
	rc=$(status "$np" watch -q -r "$capture" -w "$work/$w")
	[ "$rc" = 1 ] || die "-w $w: exit status $rc"
done
for c in 'help' 'help watch' 'help --words' 'help --fields' 'schema' 'version' '--help' 'watch --help'; do
	# shellcheck disable=SC2086
	out() { "$np" $c >/dev/full; }
	[ "$(status out)" = 1 ] || die "$c: a full output is no failure"
	[ -s "$work/err" ] || die "$c: no reason for a full output"
done

# Usage is told from failure.
for c in 'nosuch' 'watch --nosuch' 'watch -c x' 'watch -r a -i b' 'watch -Q up' 'watch --rung x' '--color x watch' '--time x watch' 'watch -C 1' 'watch tcp port' '-o nosuch watch -r a'; do
	# shellcheck disable=SC2086
	[ "$(status "$np" $c)" = 2 ] || die "$c: not a usage error"
	[ -s "$work/err" ] || die "$c: nothing said"
done
[ "$(status "$np" watch -r "$work/none.pcap")" = 1 ] || die "a missing file is no failure"
grep -q none.pcap "$work/err" || die "the missing file is not named"

# A capture that tells of losses fails with --fail-on-loss, whatever else is asked for.
lossy=$top/tests/golden/two-interfaces.pcapng
for f in '' '-v' '-j'; do
	# shellcheck disable=SC2086
	run() { "$np" watch $f --fail-on-loss -r "$lossy" >/dev/null; }
	[ "$(status run)" = 3 ] || die "watch $f --fail-on-loss: not 3 for a capture with losses"
done
# So do bytes of TCP that are missing, and fragments that cannot be put together.
for f in tcp-gap fragment-two-ends; do
	"$top/build/tests/tools/hex2pcap" "$top/tests/regress/$f.hex" "$work/lossy.pcap"
	run() { "$np" watch --fail-on-loss -r "$work/lossy.pcap" >/dev/null; }
	[ "$(status run)" = 3 ] || die "watch --fail-on-loss: not 3 for $f"
done
[ "$(status "$np" watch -q --fail-on-loss -c 1 -w /dev/null -r "$capture")" = 0 ] || die "--fail-on-loss without loss"

# What is read is not written to, by whatever name: neither emptied nor without an end.
cp "$capture" "$work/in.pcap"
ln -s in.pcap "$work/link.pcap"
ln "$work/in.pcap" "$work/second.pcap"
for w in in link second; do
	for args in '' '--pcapng' '-C 1' '-G 10'; do
		# shellcheck disable=SC2086
		[ "$(status "$np" watch -r "$work/in.pcap" -w "$work/$w.pcap" $args)" = 1 ] || die "-r in -w $w $args: no failure"
		grep -q 'the file that is being read' "$work/err" || die "-r in -w $w $args: $(cat "$work/err")"
		cmp "$capture" "$work/in.pcap" || die "-r in -w $w $args: the input is not what it was"
	done
done
itself() { "$np" watch -r - -w - <"$work/in.pcap" >>"$work/in.pcap"; }
[ "$(status itself)" = 1 ] || die "-r - -w - of one file is no failure"
cmp "$capture" "$work/in.pcap" || die "-r - -w -: the input is not what it was"

# Files of a capture that is read are named by the time of their packets: the first that is written, and so on.
python3 - "$work/times.pcap" <<'EOT'
import struct, sys
frame = bytes.fromhex('020000000002020000000001080045000020000100004011f6c8c0000201c00002029c400009000c000061626364')
with open(sys.argv[1], 'wb') as f:
    f.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for at in (1699990000, 1700000000, 1700000100, 1700000700):
        one = frame[:-4] + (b'drop' if at == 1699990000 else b'keep')
        f.write(struct.pack('<IIII', at, 0, len(one), len(one)) + one)
EOT
mkdir "$work/named"
(cd "$work/named" && TZ=UTC "$np" -q watch -r ../times.pcap -G 600 -w 'x-%Y%m%d-%H%M.pcap' 'udp[8] = 0x6b') 2>"$work/err" ||
	die "-r -G: $(cat "$work/err")"
[ "$(cd "$work/named" && echo x-*)" = 'x-20231114-2213.pcap x-20231114-2225.pcap' ] || die "-r -G: $(ls "$work/named")"
