#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats --waterfall: counters are the kernel's, those of packets lost are marked, and stand in the layer that lost
# them; an interval has what grew in it.
. "$(dirname "$0")/lib.sh"
need jq
need tc
need python3
mount -t bpf bpf /sys/fs/bpf
pair
there sysctl -qw net.ipv6.conf.eth0.router_solicitations=0 2>/dev/null || true
fall() { "$NETPROBE" -j stats --waterfall "$@" 2>"$work/fall.err" >"$work/fall.out"; }
# one FILTER JQ: what JQ makes of the one record that passes
one() { jq -rs "[.[] | select($1)] | if length == 1 then .[0] | $2 else \"\(length) records\" end" "$work/fall.out"; }
row='[.layer.name, .network.direction, .layer.value, .layer.lost] | @tsv'
# kernel FILE GROUP NAME: a counter of /proc/net/snmp or netstat, of this namespace
kernel() { awk -v g="$2:" -v n="$3" '$1 == g && !c { for (i = 2; i <= NF; i++) if ($i == n) c = i; next } $1 == g { print $c; exit }' "/proc/net/$1"; }

say "a socket that nobody reads"
python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
s.bind(("127.0.0.1", 5353))
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(50):
    c.sendto(b"x" * 1000, ("127.0.0.1", 5353))
# Closed, the counters of the host stay.
PY
lost=$(kernel snmp Udp RcvbufErrors)
[ "$lost" -ge 40 ] || die "the kernel has $lost RcvbufErrors"
fall
same "RcvbufErrors" "$(one '.layer.counter == "RcvbufErrors"' "$row")" "$(printf 'udp\tingress\t%s\ttrue' "$lost")"
same "what it means" "$(one '.layer.counter == "RcvbufErrors"' '.layer.meaning | test("receive buffer")')" true
same "of no interface" "$(one '.layer.counter == "RcvbufErrors"' '.network.interface')" null
same "zeros" "$(jq -s '[.[] | select(.layer.value == 0)] | length' "$work/fall.out")" 0
"$NETPROBE" stats --waterfall >"$work/people.out" 2>"$work/people.err"
grep -q "^udp .* RcvbufErrors (Udp)  *$lost  lost\$" "$work/people.out" || grep -q " RcvbufErrors (Udp)  *$lost  lost\$" "$work/people.out" ||
	die "for people: $(cat "$work/people.out")"
grep -q "^the largest loss, Udp RcvbufErrors of this host: $lost packets: the receive buffer " "$work/people.err" ||
	die "the largest loss: $(cat "$work/people.err")"

say "the counters are the kernel's"
# What the kernels say to each other by themselves must not come between.
quiet() { # NAMESPACE COMMAND ARG...: nothing passed there meanwhile
	local ns=$1
	shift
	ip ${ns:+-n "$ns"} -s -j link >"$work/link.before"
	"$@"
	ip ${ns:+-n "$ns"} -s -j link >"$work/link.json"
	cmp -s "$work/link.before" "$work/link.json"
}
until_true 10 quiet '' fall -v -i here || die "it is never quiet here"
for pair in rx_packets:rx.packets rx_bytes:rx.bytes tx_packets:tx.packets tx_bytes:tx.bytes rx_dropped:rx.dropped tx_dropped:tx.dropped; do
	same "${pair%:*}" "$(one ".layer.counter == \"${pair%:*}\"" .layer.value)" "$(jq ".[] | select(.ifname == \"here\") | .stats64.${pair#*:}" "$work/link.json")"
done
for c in InReceives InHdrErrors InDiscards InDelivers OutRequests OutNoRoutes ReasmFails; do
	same "Ip $c" "$(one ".layer.counter == \"$c\" and .layer.detail == \"Ip\"" .layer.value)" "$(kernel snmp Ip $c)"
done
for c in ListenOverflows ListenDrops TCPBacklogDrop TCPRcvQDrop; do
	same "$c" "$(one ".layer.counter == \"$c\"" .layer.value)" "$(kernel netstat TcpExt $c)"
done
same "only of that interface" "$(jq -rs '[.[].network.interface // empty] | unique | join(",")' "$work/fall.out")" here

say "no such interface"
for iface in nowhere 'nowher*'; do
	rc=0
	"$NETPROBE" stats --waterfall -i here -i "$iface" >"$work/nowhere.out" 2>"$work/nowhere.err" || rc=$?
	same "$iface: status" "$rc" 1
	same "$iface: nothing else" "$(cat "$work/nowhere.out")" ""
	grep -qF "'$iface'" "$work/nowhere.err" || die "it is not named: $(cat "$work/nowhere.err")"
done
"$NETPROBE" stats --waterfall --by host >/dev/null 2>&1 && die "--by was taken" || same "--by: status" $? 2
"$NETPROBE" stats --waterfall udp >/dev/null 2>&1 && die "a filter was taken" || same "a filter: status" $? 2

say "between tc and ip"
tc qdisc add dev here clsact
# A classic program, for what is made of one action needs modules: UDP to port 7777 is 2, TC_ACT_SHOT, all else -1.
tc filter add dev here ingress bpf da bytecode \
	'8,40 0 0 12,21 0 5 2048,48 0 0 23,21 0 3 17,40 0 0 36,21 0 1 7777,6 0 0 2,6 0 0 4294967295' 2>"$work/tc.err" || filter=no
if [ "${filter-}" != no ]; then
	before=$(kernel snmp Ip InReceives)
	there python3 -c '
import socket
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(30):
    c.sendto(b"x", ("10.9.0.1", 7777))'
	dropped() { fall -i here && [ "$(one '.layer.name == "tc" and .layer.counter == "drops"' .layer.value)" = 30 ]; }
	until_true 5 dropped || die "tc: $(cat "$work/fall.out")"
	same "tc" "$(one '.layer.name == "tc" and .layer.counter == "drops"' '[.layer.detail, .layer.lost, .network.interface] | @tsv')" "$(printf 'clsact\ttrue\there')"
	same "IP did not see them" "$(kernel snmp Ip InReceives)" "$before"
	jq -es 'map(.layer.name) as $n | ($n | index("driver")) < ($n | index("tc")) and ($n | index("tc")) < ($n | index("ip"))' "$work/fall.out" >/dev/null ||
		die "the order: $(jq -r .layer.name "$work/fall.out" | uniq | paste -s)"
else
	echo "# without cls_bpf: $(tail -n 1 "$work/tc.err")"
fi
tc qdisc del dev here clsact

say "between XDP and ip"
if "$NETPROBE" block add 10.9.0.2 dev here proto udp port 7778 -m native --commit </dev/null 2>"$work/block.err"; then
	before=$(kernel snmp Ip InReceives)
	there python3 -c '
import socket
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20):
    c.sendto(b"x", ("10.9.0.1", 7778))'
	dropped() { fall -i here && [ "$(jq -s '[.[] | select(.layer.name == "xdp" and .layer.lost) | .layer.value] | add' "$work/fall.out")" = 20 ]; }
	until_true 5 dropped || die "xdp: $(cat "$work/fall.out")"
	same "IP did not see these" "$(kernel snmp Ip InReceives)" "$before"
	same "its program" "$(one '.layer.program_id' '[.layer.name, .layer.counter, .layer.detail] | join(" ")')" "$(echo xdp runs np_block_xdp native)"
	if sysctl -qw kernel.bpf_stats_enabled=1 2>/dev/null; then
		ping -qc3 -i 0.1 10.9.0.2 >/dev/null
		fall -i here
		sysctl -qw kernel.bpf_stats_enabled=0
		[ "$(one '.layer.program_id' .layer.value)" -ge 3 ] || die "runs: $(cat "$work/fall.out")"
	fi
else
	echo "# without XDP: $(tail -n 1 "$work/block.err")"
fi

say "queues"
tc qdisc add dev here root handle 1: pfifo limit 100
ping -qc2 -i 0.1 10.9.0.2 >/dev/null
fall -i here
same "qdisc" "$(one '.layer.name == "qdisc" and .layer.counter == "packets"' '[.layer.detail, .network.direction, .layer.value >= 2] | @tsv')" "$(printf 'pfifo\tegress\ttrue')"

say "intervals"
# What was there before is not told; what comes is, once.
"$NETPROBE" -j stats --waterfall -i lo 200ms >"$work/times.out" 2>"$work/times.err" &
pid=$!
send() { python3 -c '
import socket
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(25):
    c.sendto(b"x", ("127.0.0.1", 9))'; }
# It has begun once it tells of something.
begun() { ping -qc1 127.0.0.1 && [ -s "$work/times.out" ]; }
until_true 5 begun || die "no interval: $(cat "$work/times.err")"
noports=$(kernel snmp Udp NoPorts)
send
added=$(($(kernel snmp Udp NoPorts) - noports))
[ "$added" -ge 1 ] || die "nobody refused them"
told() { [ "$(jq -s '[.[] | select(.layer.counter == "NoPorts") | .layer.change] | add' "$work/times.out")" = "$added" ]; }
until_true 5 told || die "NoPorts grew by $added: $(cat "$work/times.out")"
kill -INT "$pid"
wait "$pid" || die "^C: exit status $?"
same "of before" "$(jq -s '[.[] | select(.layer.counter == "RcvbufErrors")] | length' "$work/times.out")" 0
jq -es 'all(.layer.change > 0 and .layer.rate > 0)' "$work/times.out" >/dev/null || die "not only growth: $(cat "$work/times.out")"
"$NETPROBE" -p stats --waterfall 100ms 2 >"$work/document.json" 2>/dev/null || die "two intervals: exit status $?"
jq -e . "$work/document.json" >/dev/null || die "-p: not one document"

say "nothing happens"
# Without /proc there are interfaces alone, and a loopback that is down is silent.
silent() { unshare --net --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "$NETPROBE" stats --waterfall -i lo "$@"; }
silent 100ms 4 >"$work/silent.out" 2>"$work/silent.err" || die "four intervals: exit status $?"
same "rows" "$(cat "$work/silent.out")" ""
same "that nothing was counted is said" "$(grep -c '^nothing was counted$' "$work/silent.err")" 1
same "what is missing" "$(grep missing "$work/silent.err")" "what the kernel counts there is missing: /proc/net: No such file or directory"
ended() { [ -s "$work/silent.rc" ]; }
{
	rc=0
	silent 100ms 2>"$work/silent.err" || rc=$?
	echo $rc >"$work/silent.rc"
} | : &
until_true 10 ended || die "the reader has gone, and it goes on"
same "without a reader: status" "$(cat "$work/silent.rc")" 0
{
	rc=0
	silent 1h 2>"$work/silent.err" || rc=$?
	echo $rc >"$work/hour.rc"
} | : &
ended() { [ -s "$work/hour.rc" ]; }
until_true 10 ended || die "in an interval of an hour the reader has gone, and it goes on"

say "the interfaces of a glob go"
ip link add gone0 type veth peer name gone1
"$NETPROBE" -j stats --waterfall -i 'gone*' 100ms >"$work/gone.out" 2>"$work/gone.err" &
pid=$!
# softirqs are counted all the time, of the machine.
until_true 10 eval 'ping -qc1 127.0.0.1; [ -s "$work/gone.out" ]' || die "no interval: $(cat "$work/gone.err")"
ip link del gone0
wc -l <"$work/gone.out" >"$work/gone.lines"
more() { ping -qc1 127.0.0.1 && [ "$(wc -l <"$work/gone.out")" -gt $(($(cat "$work/gone.lines") + 20)) ]; }
until_true 10 more || die "without them: $(cat "$work/gone.err")"
kill -INT "$pid"
wait "$pid" || die "without them: exit status $?"

say "each form"
"$NETPROBE" --csv stats --waterfall -v >"$work/csv.out" 2>/dev/null
head -n 1 "$work/csv.out" | grep -q '^@timestamp,layer.name,network.interface,network.direction,layer.counter,' || die "--csv: $(head -n 1 "$work/csv.out")"
"$NETPROBE" -H -o layer.counter,layer.value stats --waterfall 2>/dev/null | grep -q "^RcvbufErrors  *$lost\$" || die "-o"
"$NETPROBE" stats --waterfall --prom >"$work/prom.out" 2>/dev/null
grep -q "^netprobe_layer_value_total{.*layer_counter=\"RcvbufErrors\",layer_detail=\"Udp\".*} $lost\$" "$work/prom.out" || die "--prom: $(grep Rcvbuf "$work/prom.out")"
[ "$(tail -n 1 "$work/prom.out")" = '# EOF' ] || die "--prom: no end"
rc=0
"$NETPROBE" stats --waterfall >/dev/full 2>"$work/full.err" || rc=$?
same "to a full disk: status" "$rc" 1
"$NETPROBE" -j stats --waterfall -v 2>/dev/null | head -n 1 | jq -e . >/dev/null || die "| head"

say "another namespace"
until_true 10 quiet there fall -N there -i eth0 -v || die "it is never quiet there"
same "-N" "$(one '.layer.counter == "tx_packets"' '[.network.interface, .layer.value] | @tsv')" "$(printf 'eth0\t%s' "$(jq '.[] | select(.ifname == "eth0") | .stats64.tx.packets' "$work/link.json")")"

say "as nobody"
chmod 755 "$work"
setpriv --reuid 65534 --clear-groups "$NETPROBE" -j stats --waterfall >"$work/fall.out" 2>"$work/nobody.err" || die "as nobody: $(cat "$work/nobody.err")"
same "as nobody" "$(one '.layer.counter == "RcvbufErrors"' "$row")" "$(printf 'udp\tingress\t%s\ttrue' "$lost")"
same "one note" "$(wc -l <"$work/nobody.err")" 1
grep -q 'no programs of XDP and tc' "$work/nobody.err" || die "what is missing: $(cat "$work/nobody.err")"

say "what attach add counts stands beside"
"$NETPROBE" attach add dev here 2>"$work/add.err" || die "attach add"
ping -qc 3 -i 0.05 10.9.0.2 >/dev/null
fall -i here
for way in ingress egress; do
	one ".layer.detail == \"netprobe\" and .layer.counter == \"packets\" and .network.direction == \"$way\"" \
		'[.layer.name, .layer.value >= 3] | @tsv' >"$work/beside.out"
	same "$way" "$(cat "$work/beside.out")" "$(printf 'tc\ttrue')"
done
"$NETPROBE" attach del dev here 2>"$work/del.err" || die "attach del"
