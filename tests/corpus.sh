#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# corpus.sh packets|messages|alerts|flows|stats|sums|rtt|sweep: score netprobe on captures made by others, where a
# collection lies beside the tree (CORPUS, ../shared/corpus): PROTOCOL/NAME.pcap* with NAME.expected.jsonl and
# its own compare.py.  Each capture that is not perfect has its reason in corpus.differences, which also
# names the frames in which the oracle is wrong.  With those left out events must reach a precision of 0.99
# and a recall of 0.98, and each field 0.98 of both, in all and (messages) in each directory.  The figures of
# all: build/corpus/PART.table, and with those frames PART.raw.
set -eu
cd "$(dirname "$0")/.."
CORPUS=${CORPUS:-../shared/corpus}
NETPROBE=${NETPROBE:-build/netprobe}
[ -x "$CORPUS/compare.py" ] || { echo "no corpus at $CORPUS"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

command=watch
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
sums)	# each packet is in a conversation or told to be in none, and what counts and what is read is as many
	find "$CORPUS" \( -name '*.pcap' -o -name '*.pcapng' -o -name '*.pcap.gz' \) | sort |
		xargs -n 40 -P "$(nproc)" tests/cli/flows-sums.sh
	exit ;;
rtt)	# round trips of TCP handshakes are those that tshark tells; it wants a home that can be read
	command -v tshark >/dev/null || { echo "no tshark"; exit 77; }
	mkdir -p build/corpus/home
	find "$CORPUS" \( -name '*.pcap' -o -name '*.pcapng' -o -name '*.pcap.gz' \) | sort |
		HOME=$PWD/build/corpus/home xargs -n 40 -P "$(nproc)" tests/tools/handshakes.py "$NETPROBE"
	exit ;;
alerts)	# each capture that labels.tsv names raises its alert, and no other raises any
	mkdir -p build/corpus
	find "$CORPUS" -name '*.pcap' -o -name '*.pcapng' -o -name '*.pcap.gz' | sort |
		NETPROBE=$NETPROBE xargs -P "$(nproc)" -n 1 sh -c '
			timeout 60 "$NETPROBE" watch -q -j -r "$1" --alerts 2>/dev/null |
				jq -r --arg file "${1##*/}" "select(.event.dataset == \"alert\") | [\$file, .rule.name,
				(.source.ip // .source.mac // \"-\"), (.destination.ip // \"-\")] | @tsv"; exit 0' sh >build/corpus/alerts
	python3 - "$CORPUS" build/corpus/alerts tests/corpus.differences <<-'E'
		import glob, os, sys
		corpus, found, differences = sys.argv[1:]
		wanted, known, bad = [], set(), 0
		for line in open(corpus + '/labels.tsv'):
		    if not line.startswith('#'):
		        wanted.append(line.rstrip('\n').split('\t')[:4])
		for line in open(differences):
		    if '|' in line and not line.startswith('#'):
		        known.update(w[6:] for w in line.split('|')[0].split() if w.startswith('alert:'))
		alerts = {tuple(l.rstrip('\n').split('\t')) for l in open(found)}
		told = set()
		for name, rule, src, dst in wanted:
		    optional = rule.startswith('?')
		    rule = rule.lstrip('?')
		    if not glob.glob(corpus + '/*/' + name):
		        continue
		    hits = {a for a in alerts if a[:2] == (name, rule) and src in ('-', a[2]) and dst in ('-', a[3])}
		    told |= hits
		    if not hits and not optional:
		        print('not found: %s %s' % (name, rule)); bad = 1
		for a in sorted(alerts - told):
		    if a[0] + ':' + a[1] not in known:
		        print('not asked for: %s' % ' '.join(a)); bad = 1
		print('# %d alerts of %d labels, %d with a reason' % (len(told), len(wanted), len(alerts - told)))
		sys.exit(bad)
	E
	exit ;;
packets) args=--packets only=packet protos='encap ip malformed' ;;
messages) args='--proto all --show-secrets' only=arp,icmp,dns,http,http2,tls,redis,kafka,dhcp protos=$(cd "$CORPUS" && echo */ | tr -d /) ;;
flows) command=flows args='' only=flow protos=$(cd "$CORPUS" && echo */ | tr -d /) ;;
stats) command=stats args='' only=stats protos=$(cd "$CORPUS" && echo */ | tr -d /) ;;
*) echo "usage: tests/corpus.sh packets|messages|alerts|flows|stats|sums|rtt|sweep" >&2; exit 2 ;;
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
		timeout 60 "$NETPROBE" $command -q -j -r "$f" $args >"$out/$proto/${name%.pcap*}.jsonl" 2>"$out/err" || rc=$?
		# 1 is a capture that is damaged: what came before the damage is scored.
		[ $rc -le 1 ] || { echo "$f: exit status $rc"; cat "$out/err"; failed=1; }
	done
done
[ $failed = 0 ] || exit 1
# Where the oracle was not told what a port carries, it is asked again: "... | reason | its arguments".
rm -rf "$out.expected"
mkdir -p "$out.expected"
cp -rs "$(realpath "$CORPUS")/." "$out.expected/"
awk -F '|' '!/^#/ && NF > 2' tests/corpus.differences >"$out.asked"
while IFS='|' read -r name _ arguments; do
	name=$(echo "$name" | tr -d ' ')
	command -v tshark >/dev/null || { echo "no tshark to ask about $name again"; continue; }
	rm -f "$out.expected/$name.expected.jsonl"
	# shellcheck disable=SC2086
	"$CORPUS/oracle.sh" "$(echo "$CORPUS/$name".pcap*)" $arguments >"$out.expected/$name.expected.jsonl"
done <"$out.asked"
# score EXPECTED ACTUAL ARGUMENTS...
score() {
	expected=$1 actual=$2
	shift 2
	"$CORPUS/compare.py" --only "$only" --proto "$(echo "$protos" | tr -s ' \n' ',' | sed 's/,$//')" "$@" "$expected" "$actual"
}
# A line of corpus.differences: NAME... | what is different and why.  NAME is a capture, or a pattern;
# NAME:1,2 or NAME:all says in which frames the oracle is wrong.
awk -F '|' '!/^#/ && NF > 1 { print $1 }' tests/corpus.differences | tr -s ' ' '\n' | grep . >"$out.known"
score "$out.expected" "$out" --per-file >"$out.scores" || true
score "$out.expected" "$out" >"$out.raw" || true
# known NAME: has it a reason?
known() {
	while read -r pattern; do
		# shellcheck disable=SC2254	# it is a pattern
		case $1 in ${pattern%%:*}) return 0 ;; esac
	done <"$out.known"
	return 1
}
sed -n 's|^\([a-z0-9]*/[^ ]*\) .*|\1|p' "$out.scores" >"$out.names"
while read -r name; do
	known "$name" || { echo "no reason in tests/corpus.differences: $(grep "^$name " "$out.scores")"; failed=1; }
done <"$out.names"

# Both sides without the frames in which the oracle is wrong
rm -rf "$out.judged"
mkdir -p "$out.judged/expected" "$out.judged/actual"
cp -rs "$(realpath "$out.expected")/." "$out.judged/expected/"
cp -rs "$(realpath "$out")/." "$out.judged/actual/"
without() {
	[ -e "$1" ] || return 0
	jq -c --argjson frames "[$2]" 'select(.frame.number as $n | ($frames == ["all"] and $n) or ($frames | index($n)) | not)' \
		"$1" >"$out.rest"
	rm "$1"
	mv "$out.rest" "$1"
}
while read -r name; do
	case $name in *:*) frames=${name#*:} name=${name%%:*} ;; *) continue ;; esac
	[ "$frames" = all ] && frames='"all"'
	without "$out.judged/expected/$name.expected.jsonl" "$frames"
	without "$out.judged/actual/$name.jsonl" "$frames"
done <"$out.known"
score "$out.judged/expected" "$out.judged/actual" >"$out.table" || true
grep -v ^encap "$out.table" | grep '^[a-z0-9]* *expected' || true
every=$protos
[ "$1" = messages ] && each=$protos || each=
for protos in "$every" $each; do
	score "$out.judged/expected" "$out.judged/actual" --json >"$out.json" || true
	jq -r '.datasets | to_entries[] | .key as $d | (.value | select(.precision < 0.99 or .recall < 0.98) |
		"\($d): precision \(.precision), recall \(.recall)"),
		(.value.fields | to_entries[] | select(.value.precision < 0.98 or .value.recall < 0.98) |
		"\($d) \(.key): precision \(.value.precision), recall \(.value.recall)")' "$out.json" >"$out.low"
	[ ! -s "$out.low" ] || failed=1
	sed "s|^|too low in $(echo "$protos" | tr -s ' \n' ' '): |" "$out.low"
done
exit $failed
