#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reading what attach add left: what is not there, not whole, not readable or ends meanwhile is told, and no number is
# made up.
. "$(dirname "$0")/lib.sh"
need jq
need python3
need setpriv
pair
mount -t bpf bpf /sys/fs/bpf
add() { "$NETPROBE" attach add "$@" 2>"$work/add.err" || die "attach add $*"; }
del() { "$NETPROBE" attach del "$@" 2>"$work/del.err" || die "attach del $*"; }
says() { grep -q "$2" "$work/$1.err" || die "$1 does not say: $2"; }
once() { status=0; "$NETPROBE" "$@" >"$work/once.out" 2>"$work/once.err" || status=$?; }

say "the loopback device: what goes out comes in, and counts once"
add dev lo
ping -qc 5 -i 0.05 127.0.0.1 >/dev/null
once -j stats -i lo --by iface
same "rows" "$(jq -r '[.network.direction, .stats.packets] | @tsv' "$work/once.out")" "$(printf 'ingress\t10')"

say "one of two directions"
add dev here hook ingress
once stats -i here
says once 'here: only what comes in is counted'
add dev here
once stats -i here
! grep -q only "$work/once.err" || die "both are counted"

say "all that is counted, and an interface that is not there"
once flows
says once '2 interfaces, counted since'
once stats -i here -i nope 200ms 1
says once 'nope: no such interface'

say "without the right to read"
once_as() { status=0; setpriv "$1" "$2" "$NETPROBE" stats -i here 1 1 >"$work/once.out" 2>"$work/once.err" || status=$?; }
once_as --bounding-set=-sys_admin --inh-caps=-sys_admin
says once 'here: what attach add left .* is not read: Operation not permitted'

say "what ends meanwhile"
start del stats -i here 1
del dev here
wait "$pid" && status=0 || status=$?
same status "$status" 1
says del 'what was counted there ended'
add dev here
start size flows watch --no-refresh -i here
add dev here flows 30000
wait "$pid" && status=0 || status=$?
same status "$status" 1
says size 'what was counted there ended'
ip link add gone type veth peer name other
ip link set gone up
add dev gone
start gone stats -i gone 1
ip link del gone
wait "$pid" && status=0 || status=$?
same status "$status" 1
says gone 'gone is gone'

say "what ends before it is watched: between the numbers and the helper's list"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	ip link add gone type veth peer name other
	ip link set gone up
	add dev gone
	timeout 60 strace -qq -o /dev/null -e trace=clone,clone3 -e inject=clone,clone3:delay_enter=2000000 \
		"$NETPROBE" stats -i gone 1 >"$work/early.out" 2>"$work/early.err" &
	pid=$!
	until_true 5 grep -q ': count' "$work/early.err" || die "stats did not begin"
	ip link del gone
	wait "$pid" && status=0 || status=$?
	same status "$status" 1
	says early 'gone is gone, and what was counted there'
fi

say "fragments that come before the ports are no traffic of their own"
cat >"$work/early.py" <<'END'
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("here", 0))
for n in range(5):
    for at in 2, 4, 6:
        s.send(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 36, n, at | 0x2000, 64, 17, 0) +
               socket.inet_aton("10.1.0.1") + socket.inet_aton("10.1.0.2") + b"x" * 16)
END
python3 "$work/early.py"
early='select(.source.ip == "10.1.0.1")'
for _ in 1 2; do
	once -j flows -i here
	same "one flow has them all" "$(jq -c "$early | [.source.packets, .source.bytes]" "$work/once.out")" '[15,540]'
done
once -j flows watch -i here 200ms 3
same "they do not grow" "$(jq -c "$early | [.source.packets, .flow.packets_per_second]" "$work/once.out" | sort -u)" '[15,0]'
once -j stats --by host -i here 200ms 3
same "rows of hosts wait for the ports" "$(jq -c 'select(.host.ip == "10.1.0.1")' "$work/once.out")" ''
