#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# flows -r of more conversations than the table holds: SYNs without an answer never push out a connection, memory stays
# below what the trailer declares, the coverage printed is the true one, and without an order every packet is in a
# record.  With tests/run --all ten million conversations as well.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
tools=${TOOLS:-$top/build/tests/tools}
established=100
room=1000000		# for conversations of either kind: those of SYNs use what the others leave free
most_kib=$((256 * 1024)) beside_kib=$((24 * 1024))
work=$(mktemp -d)
writer=
trap '[ -z "$writer" ] || kill "$writer" 2>/dev/null; rm -rf "$work"' EXIT
die() { echo "$*" >&2; sed 's/^/  /' "$work/err" >&2; exit 1; }

# flows COUNT ARGUMENTS...: of COUNT SYNs amid the connections, through a pipe.  Records in $work/out, what was said in
# $work/err; the generator's numbers in $packets and $each
flows() {
	n=$1
	shift
	{ "$tools/mkflows" "$n" $established 2>"$work/made" || echo mkflows >"$work/failed"; } |
		"$tools/peak" "$work/peak" "$np" --csv -H -o network.packets,flow.state,flow.end_reason,event.dataset \
			flows -r - "$@" >"$work/out" 2>"$work/err" || die "$n: exit status $?"
	[ ! -e "$work/failed" ] || die "$n: mkflows failed"
	read -r packets _ each _ <"$work/made"
}
# told: what the trailer says: $counted $in_flows $in_none $coverage (tenths of a per cent) $missed $declared (MiB)
told() {
	words='PACKETS packets: \([0-9]*\) in \([0-9]*\) flows, \([0-9]*\) in none'
	words=$(echo "$words" | sed 's/PACKETS/\\([0-9]*\\)/')
	# shellcheck disable=SC2046
	set -- $(sed -n "s/^$words\$/\1 \2 \3 \4/p" "$work/err")
	[ $# = 4 ] || die "no line of packets"
	counted=$1 in_flows=$2 in_none=$4
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^coverage \([0-9]*\)\.\([0-9]\) %, \([0-9]*\) flows missed; at most \([0-9]*\) flows (\([0-9]*\) MiB)$/\1\2 \3 \4 \5/p' "$work/err")
	[ $# = 4 ] || die "no line of coverage"
	coverage=$1 missed=$2 bound=$3 declared=$4
}
# bounded: memory, the trailer's sum, and the bound it names
bounded() {
	read -r peak <"$work/peak"
	[ "$peak" -le $most_kib ] || die "$peak KiB of memory, at most $most_kib"
	told
	[ "$peak" -le $((declared * 1024 + beside_kib)) ] || die "$peak KiB of memory, $declared MiB were declared"
	[ "$bound" = $room ] || die "at most $bound flows"
	[ "$counted $in_flows $in_none" = "$packets $packets 0" ] || die "$packets packets were made"
}
# whole: lines of connections that are whole, from opening to closing, and were not pushed out
whole() { awk -F , -v n="$each" '$1 == n && $2 == "closed" && $3 != "evicted" { c++ } END { print c + 0 }' "$work/out"; }

# near A B: are they within a hundredth of B?
near() { [ $(($1 > $2 ? $1 - $2 : $2 - $1)) -le $(($2 / 100)) ]; }

# listed COUNT: the largest, in order
listed() {
	flows "$1" --top 200 --sort packets
	[ "$(grep -c ',flow$' "$work/out")" = 200 ] || die "$1: $(grep -c ',flow$' "$work/out") flows are listed"
	[ "$(whole)" = $established ] || die "$1: $(whole) of $established connections are whole"
	bounded
	# Each flow that was pushed out had a packet, and the table is full in the end.
	gone=$(($1 + established > room ? $1 + established - room : 0))
	near "$missed" "$gone" || die "$1: $missed flows are missed, it must be $gone"
	share=$(((packets - gone) * 1000 / packets))
	[ $((coverage - share)) -le 10 ] && [ $((share - coverage)) -le 10 ] ||
		die "$1: a coverage of $coverage tenths, with $gone of $packets packets missed"
}
# streamed COUNT: as they end
streamed() {
	flows "$1"
	[ "$(whole)" = $established ] || die "$1: $(whole) of $established connections are whole"
	sums=$(awk -F , '$4 == "flow" { n++; sum += $1 } END { printf "%d %d\n", n, sum }' "$work/out")
	[ "$sums" = "$(($1 + established)) $packets" ] || die "$1: flows and packets are $sums, of $packets"
	gone=$(grep -c ',evicted,flow$' "$work/out") || true
	wanted=$(($1 + established > room ? $1 + established - room : 0))
	near "$gone" "$wanted" || die "$1: $gone flows say that they were pushed out, it must be $wanted"
	bounded
	[ "$coverage $missed" = "1000 0" ] || die "$1: all is printed, and $coverage tenths are covered, $missed flows missed"
}

# A connection that is over is told when it is over: the pipe stays open.
mkfifo "$work/pipe"
"$np" --csv -H -o flow.state,flow.end_reason,source.ip flows -r - <"$work/pipe" >"$work/out" 2>"$work/err" &
writer=$!
exec 3>"$work/pipe"
"$tools/mkflows" 0 1 1700000000 >&3 2>"$work/made"
"$tools/mkflows" 20000 0 1700000060 2>"$work/made" | tail -c +25 >&3
tries=$((200 * ${NETPROBE_TEST_SCALE:-1}))
until grep -q '^closed,closed,172\.16\.0\.0$' "$work/out"; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || die "a connection that is over is not told while the pipe is open: $(wc -l <"$work/out") lines"
	sleep 0.05
done
exec 3>&-
wait "$writer" || die "a pipe that stays open for a time: exit status $?"
writer=
[ "$(wc -l <"$work/out")" = 20001 ] || die "$(wc -l <"$work/out") of 20001 flows are told"

# All of it has room.
listed 100000
streamed 100000
listed 1500000
streamed 1500000
[ "${NETPROBE_TEST_TIER-}" = all ] || exit 0
listed 10000000
streamed 10000000
