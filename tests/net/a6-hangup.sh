#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A6: SIGHUP and SIGUSR1 lose nothing, whatever is written and read: a file that was not moved away stays as
# it is, one that was goes on under its name, a series keeps its order, and the end is told.
. "$(dirname "$0")/lib.sh"
pair
mkdir "$work/d"
count() { "$NETPROBE" -j watch --packets -r "$1" 2>>"$work/count.err" | grep -c '"dataset":"packet"' || true; }
total() {
	local t=0 f
	for f in "$@"; do t=$((t + $(count "$f"))); done
	echo $t
}
files() { find "$work/d" -type f -printf '%f\n' | sort | tr '\n' ' '; }
echoes() { ping -qc"$1" -i 0.01 10.9.0.2 >/dev/null; }	# twice as many packets

# ledgers NAME: how often it was told; a signal with a larger number comes later
ledgers() { grep -c 'ledger: ' "$work/$1.err" || true; }
hup() {
	local before
	before=$(ledgers "$1")
	kill -HUP "$pid"
	kill -USR1 "$pid"
	until_true 5 eval "[ \$(ledgers $1) -gt $before ]" || die "$1: does not answer after SIGHUP"
}

# kept NAME FILES ARGS...: HUP thrice with nothing moved; all packets in FILES
kept() {
	local name=$1 wanted=$2
	shift 2
	say "$name: nothing was moved"
	start "$name" watch -i here "$@" icmp
	echoes 10
	for _ in 1 2 3; do
		hup "$name"
		echoes 2
	done
	stop INT
	same "$name: exit status" "$status" 0
	same "$name: files" "$(files)" "$wanted"
	same "$name: packets" "$(total "$work"/d/*)" 32
	rm "$work"/d/*
}
kept plain 'x.pcap ' -w "$work/d/x.pcap"
kept pcapng 'x.pcapng ' -w "$work/d/x.pcapng"
kept period 'x.pcapng ' -G 1000 -w "$work/d/x.pcapng"
kept periods 'x ' -G 1000 -W 2 -w "$work/d/x"
kept ring 'x0 ' -C 1 -W 2 -w "$work/d/x"
kept one 'x.pcapng ' -C 1 -W 1 -w "$work/d/x.pcapng"
kept both 'x ' -C 1 -G 1000 -w "$work/d/x"
[ ! -s "$work/count.err" ] || die "$(cat "$work/count.err")"

# moved NAME FILES FILE ARGS...: moved away before each of three HUPs; all packets in FILES
moved() {
	local name=$1 wanted=$2 file=$work/d/$3
	shift 3
	say "$name: it was moved away"
	start "$name" watch -i here "$@" icmp
	for i in 1 2 3; do
		echoes 3
		mv "$file" "$work/d/old$i"
		hup "$name"
		until_true 5 test -e "$file" || die "$name: no new file"
	done
	echoes 1
	stop INT
	same "$name: exit status" "$status" 0
	same "$name: files" "$(files)" "$wanted"
	same "$name: packets" "$(total "$work"/d/*)" 20
	rm "$work"/d/*
}
moved mplain 'old1 old2 old3 x.pcap ' x.pcap -w "$work/d/x.pcap"
moved mperiods 'old1 old2 old3 x.pcapng ' x.pcapng -G 1000 -W 2 -w "$work/d/x.pcapng"
moved mring 'old1 old2 old3 x0 ' x0 -C 1 -W 2 -w "$work/d/x"

say "the end of a series is told"
start series watch -i here -G 1 -W 2 -w "$work/d/s%s" icmp
hup series
echoes 1
until_true 20 eval 'echoes 1; ! kill -0 "$pid"' || die "-W 2 does not end"
wait "$pid" || die "-W 2 is no clean end"
same "files" "$(files | wc -w)" 2
grep -q 'the last of 2 files is complete' "$work/series.err" || die "not told why it ended"
rm "$work"/d/*

say "a FIFO that nobody reads any more"
mkfifo "$work/d/fifo"
cat "$work/d/fifo" >/dev/null &
reader=$!
start fifo watch -i here -w "$work/d/fifo" icmp
kill $reader
wait $reader 2>/dev/null || true
hup fifo
stop INT
same "exit status" "$status" 0

say "a FIFO that nobody reads yet"
: >"$work/wait.err"
env --default-signal=INT,HUP "$NETPROBE" watch -i here -w "$work/d/fifo" 2>"$work/wait.err" &
pid=$!
until_true 5 grep -q wait_for_partner "/proc/$pid/wchan" || die "it does not wait for a reader"
stop INT
same "killed by" "$status" 130

say "nohup"
: >"$work/nohup.err"
(trap '' HUP; exec "$NETPROBE" watch -i here icmp) >"$work/nohup.out" 2>"$work/nohup.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/nohup.err"
hup nohup
echoes 1
stop INT
same "exit status" "$status" 0
same "lines" "$(wc -l <"$work/nohup.out")" 2
start hung watch -i here icmp
stop HUP
same "without it: exit status" "$status" 0
start piped watch -i here -w - icmp
stop HUP
same "no file to open again: exit status" "$status" 0

say "-r goes on"
"$TOOLS/mktraffic" "$work/in.pcap" 50
mkfifo "$work/in"
env --default-signal=HUP "$NETPROBE" -j watch --packets -r "$work/in" >"$work/read.out" 2>"$work/read.err" &
pid=$!
exec 7>"$work/in"
head -c 20000 "$work/in.pcap" >&7
until_true 5 test -s "$work/read.out" || die "nothing came"
hup read
hup read
tail -c +20001 "$work/in.pcap" >&7
exec 7>&-
status=0
wait "$pid" || status=$?
same "exit status" "$status" 0
same "packets" "$(grep -c '"dataset":"packet"' "$work/read.out")" 50
