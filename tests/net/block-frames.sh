#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E6 on a wire: frames that are made to be misread arrive, or leave, at each hook; what passes is counted behind it, and
# status says why.  The whole table: tests/bpf/test_block_evasion.c.
. "$(dirname "$0")/lib.sh"
need jq
need python3
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
ip link set here arp off
ip -n there link set eth0 arp off
sysctl -qw net.ipv6.conf.here.disable_ipv6=1
there sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1

# Rows: NAME, verdict and reason where 10.0.0.1, 2001:db8::1 are blocked and the rest is denied; the frame
python3 - "$work/rows" "$work/frames" <<'P'
import struct, sys
macs = bytes.fromhex("020000000006020000000005")
def v4(proto=17, src=1, frag=0, options=0, first=None, total=None, ident=1, payload=None):
    p = udp if payload is None else payload
    n = total if total is not None else 20 + 4 * options + len(p)
    return struct.pack("!BBHHHBBHBBBBBBBB", first if first is not None else 0x45 + options, 0, n, ident, frag, 64, proto, 0,
                       10, 0, 0, src, 10, 0, 0, 2) + b"\1" * 4 * options + p
def v6(chain=(), proto=17, src=1, payload=None):
    p = udp if payload is None else payload
    kinds = list(chain) + [proto]
    body = b"".join(bytes([kinds[i + 1], 0, 0, 0, 0, 0, 0, 0]) for i in range(len(chain))) + p
    a = bytes.fromhex("20010db8") + bytes(11)
    return struct.pack("!IHBB", 6 << 28, len(body), kinds[0], 64) + a + bytes([src]) + a + b"\2" + body
def eth(body, type=0x0800, tags=0, tpid=0x8100):
    t = b"".join(struct.pack("!HH", tpid if i == 0 else 0x8100, 100 + i) for i in range(tags))
    return macs + t + struct.pack("!H", type) + body
udp = struct.pack("!HHHH", 40000, 53, 40, 0) + b"P" * 32
rows = [
    ("blocked", "drop", "dropped", eth(v4())),
    ("not-blocked", "drop", "not_permitted", eth(v4(src=9))),
    ("allowed", "pass", "allowed", eth(v4(src=8))),
    ("arp", "pass", "not_ip", eth(bytes(46), 0x0806)),
    ("six-tags", "drop", "dropped", eth(v4(), tags=6)),
    ("qinq-allowed", "pass", "allowed", eth(v4(src=8), tags=2, tpid=0x88a8)),
    ("nine-tags", "drop", "too_deep", eth(v4(src=8), tags=9)),
    ("forty-bytes-of-options", "drop", "dropped", eth(v4(options=10))),
    ("header-too-short", "drop", "bad_header", eth(v4(src=8, first=0x44))),
    ("first-fragment", "pass", "allowed", eth(v4(src=8, frag=0x2000, ident=7))),
    ("later-fragment", "pass", "fragment_inherited", eth(v4(src=8, frag=5, ident=7))),
    ("early-fragment", "drop", "fragment_early", eth(v4(src=9, frag=5, ident=9))),
    ("tiny-fragment", "drop", "fragment_tiny", eth(v4(src=8, proto=6, frag=0x2000, payload=b"P" * 8) + bytes(18))),
    ("overlapping-fragment", "drop", "fragment_overlap", eth(v4(src=8, proto=6, frag=1))),
    ("ends-in-the-ports", "drop", "cut", eth(v4(src=9, total=22))),
    ("ipv6-eight-headers", "drop", "dropped", eth(v6([0, 60, 43, 60, 135, 139, 140, 60]), 0x86dd)),
    ("ipv6-nine-headers", "drop", "too_deep", eth(v6([60] * 9, src=9), 0x86dd)),
    ("ip-in-ip", "drop", "not_permitted", eth(v4(src=9, proto=4, payload=v4()))),
]
with open(sys.argv[1], "w") as f:
    for name, verdict, reason, frame in rows:
        f.write(f"{name} {verdict} {reason} {len(frame)}\n")
        with open(f"{sys.argv[2]}.{name}", "wb") as p:
            p.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            p.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
P

np() { "$NETPROBE" block "$@" dev here </dev/null 2>"$work/np.err" || die "block $*: $(cat "$work/np.err")"; }
# All reasons with packets, "NAME PACKETS" a line
reasons() { np status -j $egress | jq -r '.firewall.packets.by_reason | to_entries[] | select(.value > 0) | "\(.key) \(.value)"'; }
# Whoever attaches later stands in front: what attach add counts is what the firewall lets pass.
"$NETPROBE" attach add dev here 2>"$work/attach.err" || skip "nothing that counts: $(cat "$work/attach.err")"
counts=$(find /sys/fs/bpf/netprobe -type d -name count)
passed() { "$TOOLS/pinned" counted "$counts" | awk -v side=$side '{ print side == "ingress" ? $1 : $2 }'; }

# What is dropped on its way out comes back as an error, for which inject would send it again.
leave() {
	python3 - "$1" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("here", 0))
		try:
		    s.send(open(sys.argv[1], "rb").read()[40:])
		except OSError:
		    pass
	P
}

frames=0
for mode in native generic tcx egress; do
	say "$mode"
	side=ingress egress='' way="-m $mode"
	[ $mode != egress ] || side=egress egress=--egress way=--egress
	# shellcheck disable=SC2086
	np add 10.0.0.1 src $way --commit
	np add 2001:db8::1 src $egress --commit
	np allow 10.0.0.8 src $egress --commit --mode deny
	before=$(passed)
	while read -r name verdict reason length <&3; do
		say "$mode: $name"
		reasons | sort >"$work/was"
		if [ $mode = egress ]; then
			leave "$work/frames.$name"
		else
			there "$TOOLS/inject" eth0 "$work/frames.$name" >/dev/null
		fi
		until_true 5 eval 'reasons | sort >"$work/now"; ! cmp -s "$work/was" "$work/now"' || die "$mode: $name, $length bytes: is not counted"
		same "$mode: $name: what is counted" "$(comm -13 "$work/was" "$work/now" | cut -d' ' -f1)" "$reason"
		[ "$verdict" = drop ] || before=$((before + 1))
		same "$mode: $name: what passes" "$(passed)" "$before"
		frames=$((frames + 1))
	done 3<"$work/rows"
	# shellcheck disable=SC2086
	np del --all $egress
done
echo "# $frames frames"
