#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block test leaves no trace in the firewall that it asks, and is not told by what that has seen: counts, rates,
# fragments, sources that are remembered.  (B6)
. "$(dirname "$0")/lib.sh"
need jq
need python3
mount -t bpf bpf /sys/fs/bpf
pair
sysctl -qw net.ipv6.conf.here.disable_ipv6=1
there sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
unset SSH_CONNECTION
# Nothing but what is sent here: neighbours that are asked for again would be counted.
ip link set here arp off
there ip link set eth0 arp off
mac=$(ip -j link show here | jq -r ".[0].address")
# A datagram in two fragments, one of them each, and 200 small datagrams
python3 - "$work" "$mac" <<'P'
import struct, sys
work, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
def frame(src, ident, frag, body):
    ip = bytearray(struct.pack("!BBHHHBBHBBBBBBBB", 0x45, 0, 20 + len(body), ident, frag, 64, 17, 0, 10, 9, 0, src, 10, 9, 0, 1))
    s = sum(struct.unpack("!10H", ip))
    ip[10:12] = struct.pack("!H", ~((s & 0xffff) + (s >> 16)) & 0xffff)
    return mac + bytes.fromhex("0200000000070800") + ip + body
def capture(name, frames):
    with open(f"{work}/{name}", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for n, b in enumerate(frames):
            f.write(struct.pack("<IIII", 0, n, len(b), len(b)) + b)
udp = struct.pack("!HHHH", 4000, 9999, 40, 0) + bytes(32)
first, later = frame(7, 7, 0x2000, udp), frame(7, 7, 5, bytes(24))
for name, frames in ("first", [first]), ("later", [later]), ("both", [first, later]), ("many", [frame(6, 0, 0, udp)] * 200):
    capture(name, frames)
P
asks() { "$NETPROBE" block test -j -r "$work/$1" dev here 2>"$work/np.err" | jq -r .block.reason | sort | uniq -c | awk '{ printf "%s %s ", $1, $2 }'; }
counted() { "$NETPROBE" block status -j dev here | jq -c .firewall.packets; }
hits() { "$NETPROBE" block list -j dev here | jq -cs 'map([.block.hits, .block.limited])'; }
reason() { "$NETPROBE" block status -j dev here | jq ".firewall.packets.by_reason.$1"; }
sends() { there "$TOOLS/inject" eth0 "$work/$1" >/dev/null; }

for mode in native generic tcx; do
	say "$mode: the firewall's fragments are its own, and so are those of a test"
	"$NETPROBE" block add 10.9.0.7 dev here proto udp port 9999 action audit -m $mode --commit </dev/null 2>"$work/np.err" || die "$(cat "$work/np.err")"
	"$NETPROBE" block add 10.9.0.6 dev here action limit 1pps/40 --commit </dev/null 2>"$work/np.err" || die "$(cat "$work/np.err")"
	counted >"$work/counts" && hits >"$work/hits"
	same "both" "$(asks both)" "1 audited 1 fragment_inherited "
	same "the first" "$(asks first)" "1 audited "
	same "the later, which is asked about alone" "$(asks later)" "1 fragment_early "
	same "counts" "$(counted)" "$(cat "$work/counts")"
	sends later
	until_true 5 eval '[ "$(reason fragment_early)" = 1 ]' || die "$mode: told by a test: $(counted)"
	sends first
	until_true 5 eval '[ "$(reason audited)" = 1 ]' || die "$mode: no first: $(counted)"
	same "the later of a test, where the firewall saw the first" "$(asks later)" "1 fragment_early "
	sends later
	until_true 5 eval '[ "$(reason fragment_inherited)" = 1 ]' || die "$mode: forgotten by a test: $(counted)"

	say "$mode: a rate is not used up"
	counted >"$work/counts" && hits >"$work/hits"
	same "200 asked about" "$(asks many)" "200 limit_passed "
	same "counts" "$(counted)" "$(cat "$work/counts")"
	same "hits" "$(hits)" "$(cat "$work/hits")"
	sends many
	until_true 5 eval '[ $(($(reason limit_passed) + $(reason limit_dropped))) = 200 ]' || die "$mode: 200 sent: $(counted)"
	[ "$(reason limit_passed)" -ge 40 ] && [ "$(reason limit_dropped)" -ge 100 ] || die "$mode: the rate: $(counted)"

	say "$mode: what is known of rates and fragments outlives a change"
	passed=$(reason limit_passed)
	sends first
	until_true 5 eval '[ "$(reason audited)" = 2 ]' || die "$mode: no first: $(counted)"
	"$NETPROBE" block add 192.0.2.1 dev here --commit </dev/null 2>"$work/np.err" || die "$(cat "$work/np.err")"
	sends later
	until_true 5 eval '[ "$(reason fragment_inherited)" = 2 ]' || die "$mode: the first was forgotten: $(counted)"
	sends many
	until_true 5 eval '[ $(($(reason limit_passed) + $(reason limit_dropped))) = 400 ]' || die "$mode: 200 more: $(counted)"
	[ $(($(reason limit_passed) - passed)) -lt 30 ] || die "$mode: a new rate after a change: $(counted)"
	"$NETPROBE" block del --all dev here 2>"$work/np.err" || die "$(cat "$work/np.err")"
done
