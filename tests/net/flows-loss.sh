#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is lost on purpose: the retransmissions that flows counts in a capture at the sender are those that its kernel
# counts, exactly, whatever was dropped and however often; segments that the link swaps are out of order at the
# receiver, and nobody retransmits them.
. "$(dirname "$0")/lib.sh"
need jq
need python3
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
size=3000000
mount -t tmpfs none /run && mkdir -p /run/netns
ip netns add there
ip link set lo up

# link RULE...: left (10.9.8.1) <-> right (10.9.8.2) in namespace there
segments=1	# in a packet at most, as the captures see them
link() {
	rm -f "$work/ctl" "$work/link.out"	# what the one before said does not count
	mkfifo "$work/ctl"
	"$TOOLS/lossylink" left /run/netns/there right "$@" <"$work/ctl" >"$work/link.out" 2>"$work/link.err" &
	linked=$!
	exec 5>"$work/ctl"
	until_true 5 grep -q '^up' "$work/link.out" || skip "no tun devices: $(cat "$work/link.err")"
	ip link set left txqueuelen 10000 gso_max_segs $segments up
	ip -n there link set right txqueuelen 10000 gso_max_segs $segments up
	ip addr add 10.9.8.1/24 dev left
	ip -n there addr add 10.9.8.2/24 dev right
}
unlink_all() {
	exec 5>&-
	wait "$linked"
}
# settings NAME=VALUE...: of TCP, at both ends
settings() {
	for s; do
		sysctl -qw "net.ipv4.$s"
		there sysctl -qw "net.ipv4.$s"
	done
}

cat >"$work/talk.py" <<'P'
"""talk.py serve|call SIZE one|both: SIZE bytes each way, one after the other or at once, in one connection"""
import socket, sys, threading
size, at_once = int(sys.argv[2]), sys.argv[3] == "both"
def take(s):
    left = size
    while left:
        n = len(s.recv(min(left, 1 << 16)))
        if not n:
            sys.exit("the peer closed with %d bytes to come" % left)
        left -= n
def give(s):
    s.sendall(b"x" * size)
if sys.argv[1] == "serve":
    l = socket.socket()
    l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind(("10.9.8.2", 9999))
    l.listen()
    print("ready", flush=True)
    s = l.accept()[0]
    order = [take, give]
else:
    s = socket.create_connection(("10.9.8.2", 9999))
    order = [give, take]
if at_once:
    t = threading.Thread(target=order[0], args=(s,))
    t.start()
    order[1](s)
    t.join()
else:
    order[0](s)
    order[1](s)
s.close()
P
talk() {
	rm -f "$work/serve.out"
	there python3 "$work/talk.py" serve $size "$1" >"$work/serve.out" 2>"$work/serve.log" &
	local server=$!
	until_true 10 grep -q ready "$work/serve.out" || die "no server"
	python3 "$work/talk.py" call $size "$1" 2>"$work/call.log"
	wait $server
}
# tcp COUNTER: of /proc/net/snmp
tcp() {
	awk -v name="$1" '$1 != "Tcp:" { next } n++ { print $at[name] } { for (i = 2; i <= NF; i++) at[$i] = i }' \
		"${2:-/proc/net/snmp}"
}
retransmitted() { echo "$(tcp RetransSegs) $(there cat /proc/net/snmp | tcp RetransSegs /dev/stdin)"; }
# "source.retransmissions destination.retransmissions source.out_of_order destination.out_of_order"
numbers() {
	jq -r 'select(.event.dataset == "flow" and .destination.port == 9999) | [.source.tcp, .destination.tcp] |
		map(.retransmissions), map(.out_of_order) | @tsv' | paste -s | tr '\t' ' '
}
# flow NAME: of a capture
flow() { "$NETPROBE" -j flows -r "$work/$1.pcapng" 'tcp port 9999' 2>"$work/flows.err" | numbers; }
# scenario WAY RULE...: a conversation over this link, captured at both ends; how many each kernel retransmitted in
# $sent_again, what flows says of both captures in $left and $right
scenario() {
	local way=$1 before
	shift
	link "$@"
	rm -f "$work"/*.pcapng
	start left watch -s 128 -i left -w "$work/left.pcapng"
	local at_left=$pid
	start right -N there watch -s 128 -i right -w "$work/right.pcapng"
	local at_right=$pid
	local counted=
	if [ "$live" = yes ]; then
		start counted -j flows -i left	# by the kernel, where it has tcx
		counted=$pid
		in_kernel counted || say "without tcx: $*"
	fi
	# shellcheck disable=SC2046
	set -- $(retransmitted)
	before=("$@")
	talk "$way"
	# shellcheck disable=SC2046
	set -- $(retransmitted)
	sent_again="$(($1 - before[0])) $(($2 - before[1]))"
	pid=$at_left
	stop INT
	pid=$at_right
	stop INT
	if [ -n "$counted" ]; then
		pid=$counted
		stop INT
	fi
	for end in left right; do
		# shellcheck disable=SC2046
		eval $(ledger $end)
		same "lost by the capture on $end" "$lost" 0
	done
	unlink_all
	left=$(flow left) right=$(flow right)
	[ -z "$counted" ] || same "counted while it passes" "$(numbers <"$work/counted.out")" "$left"
}
# dropped WAY RULE...: both sides' numbers, each as its own end captured them
dropped() {
	say "$*"
	scenario "$@"
	shift
	same "$*: segments dropped" "$(($(wc -l <"$work/link.out") - 1))" \
		"$(printf '%s\n' "$@" | awk -F : '$2 == "drop" { n += $5 } END { print n }')"
	# shellcheck disable=SC2086
	set -- $sent_again $left -- $right
	say "$step: the kernels sent again $1 and $2; the left saw $3 $4 $5 $6, the right $8 $9 ${10} ${11}"
	[ "$1" -gt 0 ] || [ "$2" -gt 0 ] || die "nothing was sent again"
	same "the left's own retransmissions" "$3" "$1"
	same "the right's own retransmissions" "$9" "$2"
	same "the left's own segments out of order" "$5" 0
	same "the right's own segments out of order" "${11}" 0
}
# and_seen WAY RULE...: and from the other end, which sees them as well, unless nothing came after what was lost: each
# once, and on a link with a length as what it is.  On one without, a handshake takes a hundred times what an answer
# takes, and the end that only receives has seen nothing else to judge by.
and_seen() {
	local n
	dropped "$@"
	# shellcheck disable=SC2206	# sent again by left, right; the left's view of left and right; the right's view
	n=($sent_again $left $right)
	same "the left's retransmissions, seen from the right" "$((n[6] + n[8]))" "${n[0]}"
	same "the right's retransmissions, seen from the left" "$((n[3] + n[5]))" "${n[1]}"
	dropped "$@" left:delay:5 right:delay:5
	# shellcheck disable=SC2206
	n=($sent_again $left $right)
	same "the left's retransmissions, seen from the right" "${n[6]} ${n[8]}" "${n[0]} 0"
	same "the right's retransmissions, seen from the left" "${n[3]} ${n[5]}" "${n[1]} 0"
}

# One segment; a burst; and the last ones of all, which only a timer misses, some of them again and again.
live=yes	# and counted while it passes
and_seen one left:drop:500000:1:1 right:drop:700000:1:1
live=no
and_seen one left:drop:800000:30000:20 right:drop:800000:60000:40
dropped one left:drop:$((size - 1)):1:1 right:drop:$((size - 1)):1:1
dropped one left:drop:$((size - 6000)):6000:7 right:drop:$((size - 3000)):3000:5
dropped both left:drop:900000:30000:20 right:drop:800000:1:3 left:drop:$((size - 1)):1:2 \
	right:drop:$((size - 6000)):6000:4
# Super-packets, as the kernel hands them over: their segments are counted.
segments=64
and_seen one left:drop:800000:30000:20 right:drop:800000:60000:40
live=yes
dropped both left:drop:900000:1:1 right:drop:$((size - 6000)):6000:4
segments=1
# Without what is quick to see a loss: timers alone
settings tcp_sack=0 tcp_recovery=0 tcp_early_retrans=0
dropped one left:drop:500000:20000:10 right:drop:$((size - 3000)):3000:4

# One other segment that overtakes is no reason to send again; a kernel that does so all the same, tells it.
settings tcp_sack=1
say "swapped segments"
scenario one left:swap:500000 left:swap:900000 left:swap:1300000 right:swap:600000 left:delay:20 right:delay:20
same "segments swapped" "$(grep -c swap "$work/link.out")" 4
say "swapped segments: the kernels sent again $sent_again; the left saw $left, the right $right"
same "at the receiving right" "$right" "${sent_again% *} ${sent_again#* } 3 0"
same "at the receiving left" "$left" "${sent_again% *} ${sent_again#* } 0 1"
