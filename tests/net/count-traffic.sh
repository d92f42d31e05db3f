#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel counts for stats and flows: as many packets and bytes as the interface has, the flows that a
# capture of the same packets holds, round trips that ping measures too.
. "$(dirname "$0")/lib.sh"
need jq
need python3
need curl
pair
mount -t bpf none /sys/fs/bpf

# counter NAME: what came in and went out here
counter() { ip -j -s link show here | jq ".[0].stats64 | .rx.$1 + .tx.$1"; }
# Nothing has passed for a while.  What asks for neighbours and routers by itself would not keep to that.
sysctl -qw net.ipv6.conf.here.accept_ra=0
there sysctl -qw net.ipv6.conf.eth0.accept_ra=0
still() { local n; n=$(counter packets); sleep "$1"; [ "$n" = "$(counter packets)" ]; }
for at in here eth0; do
	[ $at = here ] && others='there ip' dev=eth0 ends='10.9.0.1 fd09::1' mac=$(ip -j link show here | jq -r '.[0].address')
	[ $at = eth0 ] && others=ip dev=here ends='10.9.0.2 fd09::2' mac=$(there ip -j link show eth0 | jq -r '.[0].address')
	for end in $ends; do $others neigh replace "$end" lladdr "$mac" nud permanent dev $dev; done
done
# counted KEY: of the only row of stats
counted() { jq -r ".stats.$1" "$work/stats.out" | tail -n 1; }
# flows_of FILE: what is compared of each flow, but for what only the kernel's own clock could make the same
flows_of() {
	jq -S -c 'select(.event.dataset == "flow") | [.source.ip, .source.port, .destination.ip, .destination.port,
		.network.transport, .network.tunnel, .network.vlan, .flow.state,
		(.source, .destination | [.packets, .bytes, .tcp.flags, .tcp.retransmissions])]' "$1" | sort
}
# the_same NAME FILE: flows there are those of the capture
the_same() {
	flows_of "$2" >"$work/live.flows"
	diff -u "$work/read.flows" "$work/live.flows" >"$work/diff.log" || die "$1: the capture has other flows"
	[ -s "$work/live.flows" ] || die "$1: no flows"
}
# traffic NAME COMMAND...: while it runs, packets are counted, by flow too, and captured; by programs that are there
# already, too, whose numbers are there at once
traffic() {
	local name=$1 packets bytes
	shift
	say "$name"
	until_true 30 still 0.3 || die "it does not become still"
	"$NETPROBE" attach add dev here flows $((10000 + kept++)) 2>"$work/add.err" || die "attach add"
	start stats -j stats -i here -i lo
	local stats=$pid
	start flows -j flows -i here -i lo
	local flows=$pid
	start capture watch -i here -w "$work/$name.pcapng"
	local capture=$pid
	in_kernel stats || skip "no tcx here: packets are not counted in the kernel"
	in_kernel flows
	packets=$(counter packets) bytes=$(counter bytes)
	"$@" >"$work/$name.log" 2>&1 || die "$name: status $?"
	until_true 30 still 0.3 || die "it does not become still"
	packets=$(($(counter packets) - packets)) bytes=$(($(counter bytes) - bytes))
	for pid in $stats $flows $capture; do
		stop INT
		same "$name: status" "$status" 0
	done
	[ "$packets" -gt 0 ] || die "$name: no traffic"
	same "$name: packets, as the interface counts them" "$(counted frames)" "$packets"
	same "$name: bytes" "$(counted frame_bytes)" "$bytes"
	"$NETPROBE" -j flows -r "$work/$name.pcapng" >"$work/read.out" 2>"$work/read.err"
	flows_of "$work/read.out" >"$work/read.flows"
	the_same "$name" "$work/flows.out"
	say "$name: by what attach add left"
	"$NETPROBE" -j flows -i here >"$work/kept.out" 2>"$work/kept.err"
	the_same "$name" "$work/kept.out"
	"$NETPROBE" -j stats -i here >"$work/stats.out" 2>"$work/stats.err"
	grep -q 'counted since' "$work/stats.err" || die "$name: not what attach add left"
	same "$name: packets, as the interface counts them" "$(counted frames)" "$packets"
	same "$name: bytes" "$(counted frame_bytes)" "$bytes"
	"$NETPROBE" attach del dev here 2>"$work/del.err" || die "attach del"
	say "$name: $packets packets, $bytes bytes, $(wc -l <"$work/live.flows") flows"
}

kept=0
head -c 3000000 /dev/zero >"$work/file"
there python3 -m http.server -d "$work" 8000 >"$work/http.log" 2>&1 &
http=$!
there python3 -m http.server -b fd09::2 -d "$work" 8001 >"$work/http6.log" 2>&1 &
http6=$!
until_true 10 curl -s http://10.9.0.2:8000/ || die "no server"
until_true 10 curl -s 'http://[fd09::2]:8001/' || die "no server"

until_true 30 still 3 || die "it does not become still"	# hosts that have just come tell groups
get() { for _ in 1 2 3; do curl -sS "$1/file" -o /dev/null; done; }
traffic http4 get http://10.9.0.2:8000
traffic http6 get 'http://[fd09::2]:8001'
fragments() {
	ping -c 3 -i 0.1 -s 5000 10.9.0.2
	ping -c 3 -i 0.1 -s 5000 fd09::2
	python3 - <<-'END'
		import socket
		for family, to in (socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2"):
		    s = socket.socket(family, socket.SOCK_DGRAM)
		    for n in 10, 1400, 4000, 9000:
		        s.sendto(b"x" * n, (to, 9))
	END
}
traffic fragments fragments
kill $http $http6

# Both protocols, both versions, both directions.
by_ncat() {
	local n=4000
	for to in 10.9.0.2 fd09::2; do
		for udp in "" -u; do
			n=$((n + 1))
			# shellcheck disable=SC2086
			there ncat $udp -l -i 1 "$to" $n </dev/null &
			until_true 5 eval "there ss -Hln | grep -q ':$n '"
			# shellcheck disable=SC2086
			head -c 1000 "$work/file" | ncat $udp --send-only "$to" $n
			wait $! || true
		done
	done
}
traffic ncat by_ncat
if command -v iperf3 >/dev/null; then
	by_iperf3() {
		there iperf3 -s -1 -D -I "$work/iperf3.pid"
		until_true 5 eval "there ss -Hltn | grep -q ':5201 '"
		iperf3 -t 1 -b 50M "$@" -c 10.9.0.2
	}
	traffic iperf3 by_iperf3
	traffic iperf3-back by_iperf3 -R
	traffic iperf3-udp by_iperf3 -u
fi

# Frames as they are: tags, tunnels and what is in them.
stacks() {
	python3 - <<-'END'
		import socket, struct
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("here", 0))
		mac = b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1"
		def ip4(proto, body, src="10.1.0.1", dst="10.1.0.2"):
		    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0) + \
		           socket.inet_aton(src) + socket.inet_aton(dst) + body
		def ip6(proto, body):
		    return struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + \
		           socket.inet_pton(socket.AF_INET6, "fd00::1") + socket.inet_pton(socket.AF_INET6, "fd00::2") + body
		def udp(port, body):
		    return struct.pack("!HHHH", 4000, port, 8 + len(body), 0) + body
		def ether(kind, body, tags=b""):
		    return mac + tags + struct.pack("!H", kind) + body
		inner4, inner6 = ip4(17, udp(7, b"abc"), "10.2.0.1", "10.2.0.2"), ip6(17, udp(7, b"abcd"))
		tag = struct.pack("!HH", 0x8100, 5)
		both = struct.pack("!HH", 0x88a8, 6) + tag
		gre = struct.pack("!HH", 0, 0x0800)
		vxlan = struct.pack("!II", 0x08000000, 7 << 8)
		frames = [ether(0x0800, inner4, tag), ether(0x86dd, inner6, tag), ether(0x86dd, inner6, both),
		          ether(0x0800, ip4(47, gre + inner4)), ether(0x0800, ip4(4, inner4)), ether(0x0800, ip4(41, inner6)),
		          ether(0x0800, ip4(17, udp(4789, vxlan + ether(0x0800, inner4)))),
		          ether(0x0800, ip4(17, udp(4789, vxlan + ether(0x86dd, inner6, tag))), tag),
		          ether(0x86dd, ip6(17, udp(4789, vxlan + ether(0x0800, ip4(47, gre + inner4)))))]
		for f in frames * 20:
		    s.send(f)
	END
}
traffic stacks stacks

say "round trips"
[ -e /dev/net/tun ] || skip "no /dev/net/tun, and so no link that is slow"
mkfifo "$work/ctl"
"$TOOLS/lossylink" left /run/netns/there right left:delay:20 right:delay:30 <"$work/ctl" >"$work/link.out" 2>"$work/link.err" &
exec 5>"$work/ctl"
until_true 5 grep -q '^up' "$work/link.out" || skip "no tun devices: $(cat "$work/link.err")"
ip link set left up
ip -n there link set right up
ip addr add 10.9.8.1/24 dev left
ip -n there addr add 10.9.8.2/24 dev right
there python3 -m http.server -b 10.9.8.2 8002 >"$work/http.log" 2>&1 &
http=$!
until_true 10 curl -s http://10.9.8.2:8002/ || die "no server"
start slow -j flows -i left
ping -qc 5 -i 0.3 10.9.8.2 >"$work/ping.out"
for _ in 1 2 3 4 5 6; do curl -s http://10.9.8.2:8002/ -o /dev/null; done
stop INT
kill $http
exec 5>&-
python3 - "$work/ping.out" "$work/slow.out" <<'END' || die "handshakes are not what ping says"
import json, re, sys
# The least of each: on a busy machine the link is late now and then.
ping = float(re.search(r"= ([0-9.]+)/", open(sys.argv[1]).read()).group(1)) * 1e6
flows = [f for f in map(json.loads, open(sys.argv[2])) if f["network"].get("transport") == "tcp"]
took = [f["tcp"]["handshake_rtt"] for f in flows]
assert len(took) == 6, flows
print("ping %.1f ms, handshakes %.1f ms" % (ping / 1e6, min(took) / 1e6))
assert abs(min(took) - ping) <= ping / 10, (ping, took)
END
