#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# corpus.sh packets|messages|sweep: score netprobe on captures made by others, where such a collection
# lies beside the tree (CORPUS, ../shared/corpus): PROTOCOL/NAME.pcap* with NAME.expected.jsonl and
# its own compare.py.  Every score must reach 0.99.
set -eu
cd "$(dirname "$0")/.."
CORPUS=${CORPUS:-../shared/corpus}
NETPROBE=${NETPROBE:-build/netprobe}
[ -x "$CORPUS/compare.py" ] || { echo "no corpus at $CORPUS"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

case ${1-} in
sweep)	# every packet of every capture cut at every length, under sanitizers
	mkdir -p build/corpus
	find "$CORPUS" \( -name '*.pcap' -o -name '*.pcapng' \) | sort |
		xargs -n 40 -P "$(nproc)" build/san/tests/tools/sweep >build/corpus/sweep 2>build/corpus/sweep.err || {
		tail -50 build/corpus/sweep.err
		exit 1
	}
	awk '{ p += $1; c += $3 } END { print "# " p " packets, " c " cuts"; exit !p }' build/corpus/sweep
	exit ;;
packets) args=--packets only=packet protos='encap ip malformed' ;;
messages) args='--proto all' only=arp,icmp,dns protos=$(cd "$CORPUS" && echo */ | tr -d /) ;;
*) echo "usage: tests/corpus.sh packets|messages|sweep" >&2; exit 2 ;;
esac

out=build/corpus/$1
rm -rf "$out"
failed=0
for proto in $protos; do
	mkdir -p "$out/$proto"
	for f in "$CORPUS/$proto"/*.pcap "$CORPUS/$proto"/*.pcapng "$CORPUS/$proto"/*.pcap.gz; do
		[ -e "$f" ] || continue
		name=${f##*/}
		rc=0
		# shellcheck disable=SC2086
		timeout 60 "$NETPROBE" watch -q -j -r "$f" $args >"$out/$proto/${name%.pcap*}.jsonl" 2>"$out/err" || rc=$?
		# 1 is a capture that is damaged: what came before the damage is scored.
		[ $rc -le 1 ] || { echo "$f: exit status $rc"; cat "$out/err"; failed=1; }
	done
done
[ $failed = 0 ] || exit 1
"$CORPUS/compare.py" --only "$only" --proto "$(echo "$protos" | tr -s ' \n' ',' | sed 's/,$//')" --per-file \
	--min-precision 0.99 --min-recall 0.99 "$CORPUS" "$out"
