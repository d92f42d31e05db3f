#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Words of watch's command line that mean nothing, or contradict each other, are refused with the reason;
# those that tcpdump has mean what they mean there, or say that they do not.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$top/tests/golden/tcp.pcap" "$work"
cd "$work"
die() { echo "$*" >&2; cat err >&2 || :; exit 1; }

# usage TEXT ARGS...: refused as wrong usage, with that in the message
usage() {
	local rc=0 text=$1
	shift
	"$np" "$@" >out 2>err </dev/null || rc=$?
	[ $rc = 2 ] || die "exit status $rc, not 2: $*"
	grep -qF -- "$text" err || die "not told '$text': $*"
	[ "$(wc -l <err)" = 1 ] || die "more than one line: $*"
	[ ! -s out ] || die "output all the same: $*"
}
# prints WANTED ARGS...
prints() {
	local wanted=$1
	shift
	"$np" "$@" >out 2>err </dev/null || die "refused: $*"
	[ "$(cat out)" = "$wanted" ] || { cat out; die "wanted '$wanted': $*"; }
}

# None at all is no number to ask for; a fraction of one is none.
for words in '-c 0' '--count 0' '--count=0' '--sample 0' '-B 0' '-B 0k' '-C 0 -w x' '-G 0 -w x' '-G 0ms -w x' '-W 0 -C 1 -w x' \
	'--answer-timeout 0' '-c 0.2'; do
	# shellcheck disable=SC2086
	usage 'must be more than 0' watch -r tcp.pcap $words
done
# What has counted already takes no filter and refreshes nothing.
usage "'0.01' is too short" stats --waterfall 0.01 1
usage "COUNT: '0.5'" stats --waterfall 1 0.5
usage "no filter ('udp')" stats --waterfall 1 udp port 53
usage '--no-refresh' stats --waterfall --no-refresh
usage '--no-refresh' stats memory --no-refresh
usage '--no-refresh' stats --no-refresh memory
for words in '--by host' '-i lo' '--waterfall' '--prom' '--top 1' '-r tcp.pcap' '-Z nobody'; do
	# shellcheck disable=SC2086
	usage "unknown option ${words%% *}" stats memory $words
done
"$np" stats memory --help >out
grep -q '^global options:' out && ! grep -q -- '^options:\|--by\|-i, ' out || { cat out; die "stats memory --help"; }
! "$np" help --words stats memory | grep -- '--by' || die "stats memory completes --by"
[ "$("$np" attach plan --help | head -n 1)" = 'usage: netprobe attach plan [dev IFACE] [try]' ] || die "attach plan --help"
usage='usage: netprobe attach add dev IFACE [hook HOOK]... [-m MODE] [flows N] [--dry-run]'
[ "$("$np" attach add --help | head -n 1)" = "$usage" ] || die "attach add --help"
usage 'which interface' attach add
usage 'one of them' attach add dev lo hook xdp hook ingress
usage "'tcx' is none of xdp, ingress, egress" attach add dev lo hook tcx
usage '-m is for hook xdp' attach add dev lo hook ingress -m native
usage 'at most 16777216' attach add dev lo flows 17M
for words in '' 'all stale' 'dev lo id 7' 'id 7 all'; do
	# shellcheck disable=SC2086
	usage 'what? one of dev IFACE, id N, all, stale' attach del $words
done
usage 'hook goes with dev IFACE' attach del stale hook xdp
[ "$("$np" attach list --help | head -n 1)" = 'usage: netprobe attach list [dev IFACE]' ] || die "attach list --help"
usage 'must be more than 0' flows -r tcp.pcap --top 0
usage 'must be more than 0' stats -r tcp.pcap --top 0
prints "$("$np" watch -tr tcp.pcap)" watch -tr tcp.pcap -s 0

# Twice.
for words in 'watch -r a -r b' 'flows -r a --read=b' 'stats -r a -r a' 'block test -r a -r b'; do
	# shellcheck disable=SC2086
	usage 'once is enough' $words
done
usage 'once is enough' watch -w a -w b
usage 'once is enough' watch -F a -F b

# What does not go together, and words too many.
usage 'exclude each other' watch -r tcp.pcap -4 -6
usage 'exclude each other' flows -r tcp.pcap -46
usage "it takes no filter ('lo')" watch -D lo
for words in '-i lo' '-r tcp.pcap' '-w x' '-c 3' '--drops'; do
	# shellcheck disable=SC2086
	usage 'do not go with it' watch -D $words
done
usage 'give one of them' watch -D -d
usage 'give one of them' watch --plan -d tcp
usage 'leave out -w' watch --plan -w x
usage 'one word too many' version x
usage 'one word too many' schema dns http
usage 'one word too many' help watch flows

# The version, wherever it is asked for.
for c in '' watch flows stats policy block help schema version; do
	# shellcheck disable=SC2086
	prints "$("$np" version)" $c -V
done

# -F: comments, standard input, and nothing beside it.
printf '# what comes in\ntcp # port 99\n and (src port 80)#' >filter
lines=$("$np" watch -tr tcp.pcap 'tcp and src port 80')
[ -n "$lines" ] || die "no lines"
prints "$lines" watch -tr tcp.pcap -F filter
prints "$lines" watch -tr tcp.pcap -4 -F filter
"$np" watch -tr tcp.pcap -F - <filter >out
[ "$(cat out)" = "$lines" ] || die "-F -"
usage "'udp' is one too many" watch -tr tcp.pcap -F filter udp
printf '# nothing\n' >filter
prints "$("$np" watch -tr tcp.pcap)" watch -tr tcp.pcap -4 -F filter
prints '' watch -tr tcp.pcap -6 -F filter

# --count: a number only, of all or of those that pass.
prints "$(($("$np" watch --packets -tr tcp.pcap 2>/dev/null | wc -l))) packets" watch --count -r tcp.pcap
prints '1 packet' watch -r tcp.pcap --count 'tcp[tcpflags] == tcp-syn and src port 40080'
prints '0 packets' watch -r tcp.pcap --count udp
prints '3 packets' watch -r tcp.pcap --count -c 3
prints '{"packets":0}' -j watch -r tcp.pcap --count udp
prints "$("$np" watch -tr tcp.pcap -c 2)" watch -tr tcp.pcap --count 2
usage 'give -r FILE' watch --count
for words in '-w x' '--packets' '--proto dns' '--alerts' '--where source.ip'; do
	# shellcheck disable=SC2086
	usage 'prints a number of packets and nothing else' watch -r tcp.pcap --count $words
done

# tcpdump's: -p is no output format here, what needs nothing done is taken, what cannot be is told.
prints "$("$np" watch -tr tcp.pcap)" watch -p -tr tcp.pcap -O -b -f -g -u --nano -K -l -U
prints "$("$np" watch --pretty -r tcp.pcap)" -p watch -r tcp.pcap
prints "$("$np" stats --pretty -r tcp.pcap)" stats -p -r tcp.pcap
usage 'never executes anything' watch -r tcp.pcap -w x -C 1 -z gzip
usage 'nanoseconds' watch -r tcp.pcap -w x --micro
[ ! -e x ] || die "a file was made by what was refused"

# An interval.  A word of digits with one point is a number, and no filter.
usage "INTERVAL: '0.01' is too short" flows watch 0.01
usage "INTERVAL: '99ms' is too short" stats --by host -i lo 99ms
usage "INTERVAL: '0.5x' is not a time" flows watch 0.5x
usage "COUNT: '1.5' is not a number" stats -i lo 1 1.5
prints "$("$np" stats -r tcp.pcap 10ms)" stats -r tcp.pcap 0.01

# A verb refuses what its --help leaves out, and takes what is there.
# refused TEXT COMMAND VERB OPTION...
refused() {
	local text=$1 command=$2 verb=$3 words
	shift 3
	"$np" help "$command" "$verb" >shown
	"$np" help --words "$command" "$verb" >words
	for words; do
		# shellcheck disable=SC2086
		usage "$text" "$command" "$verb" $words
		! grep -qw -e "${words%% *}" shown words || die "help $command $verb tells ${words%% *}"
	done
}
refused 'what passes now' flows watch '-r x' '--read x' '--for 1s' '--idle-timeout 1s' '--active-timeout 1s'
refused 'unknown option' stats memory '--by host' '--top 1' --waterfall --prom --no-refresh '-i lo' '-r x' '-Z nobody'
! "$np" help stats memory | grep -q '^options:' || die "options, and none"
for verb in list watch; do
	"$np" help flows $verb >shown
	[ $verb = watch ] && wanted=rate || wanted=bytes
	[ "$(grep -o -- '--top.*default [a-z]*' shown | sed 's/.* //')" = $wanted ] || die "flows $verb --top"
done
