#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A2: in pcapng a loss stands with the interface that lost, in its packets and in its statistics; where several are
# watched, with none of them.
. "$(dirname "$0")/lib.sh"
need ethtool
need python3
pair
there ethtool -K eth0 gro on >/dev/null
ip link set here address 02:00:00:00:00:0a
there ip link set eth0 address 02:00:00:00:00:0b

# told FILE: "NAME LOST-BY-PACKETS LOST-BY-STATISTICS" for each interface that lost
told() {
	python3 - "$1" <<'EOF'
import struct
import sys

data = open(sys.argv[1], "rb").read()
at, ifs = 0, []
while at < len(data):
    kind, total = struct.unpack_from("<II", data, at)
    b, o = data[at + 8 : at + total - 4], {1: 8, 5: 12}.get(kind)
    if kind == 6:
        o = 20 + (struct.unpack_from("<I", b, 12)[0] + 3 & ~3)
    options = []
    while o is not None and o + 4 <= len(b):
        code, n = struct.unpack_from("<HH", b, o)
        if not code:
            break
        options.append((code, b[o + 4 : o + 4 + n]))
        o += 4 + (n + 3 & ~3)
    count = lambda *codes: sum(struct.unpack("<Q", v)[0] for c, v in options if c in codes)
    if kind == 1:
        ifs.append([dict(options).get(2, b"-").decode(), 0, 0])
    elif kind == 6:
        ifs[struct.unpack_from("<I", b)[0]][1] += count(4)
    elif kind == 5:
        ifs[struct.unpack_from("<I", b)[0]][2] = count(5, 7)
    at += total
print(*[" ".join(map(str, i)) for i in ifs if i[1] or i[2]], sep=", ")
EOF
}

lossy() { # NAME ARGS...
	local name=$1
	shift
	"$NETPROBE" -N there watch -Q in -B 512 -w "$work/$name.pcapng" "$@" 2>"$work/$name.err" &
	pid=$!
	until_true 5 grep -q 'listening on' "$work/$name.err" || die "$name did not start"
	kill -STOP $pid
	"$TOOLS/livegen" here 100000 60 >/dev/null
	kill -CONT $pid
	until_true 5 [ -s "$work/$name.pcapng" ]
	ping -qc5 -i 0.3 10.9.0.2 >/dev/null	# for the next packet to tell it
	stop INT
	lost=$(sed -n 's/ packets dropped by .*//p' "$work/$name.err" | awk '{ s += $1 } END { print s }')
	[ "$lost" -gt 0 ] || die "$name lost nothing"
}

for rung in tcx socket packet; do
	say "one interface, $rung"
	lossy one$rung --rung $rung -i eth0
	same "$rung" "$(told "$work/one$rung.pcapng")" "eth0 $lost $lost"
	say "several interfaces, $rung"
	lossy any$rung --rung $rung -i any
	same "$rung" "$(told "$work/any$rung.pcapng")" "- 0 $lost"
done
