#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy counters: what it counts adds up to what was sent and dropped, also where something else than the packet filter
# drops it, where it comes in pieces, where many are undecided, where pods come and go, and when it is told often.
. "$(dirname "$0")/lib.sh"
need jq
need nft
need python3
need tc
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

routing_node
mount -t bpf bpf /sys/fs/bpf
routed_pod 2 web
routed_pod 3 db
send() { in_pod web "$udp" send "$@"; }
in_pod db "$udp" sink $(seq 5432 5440) 81 >/dev/null 2>&1 &
until_true 3 in_pod web ping -qc1 -W1 10.244.1.3 || die "no way from web to db"
until_true 3 in_pod db grep -q :1538 /proc/net/udp || die "db does not listen"
nft -f - <<'F'
table inet rules {
	chain forward { type filter hook forward priority 0; ct state established accept; udp dport 81 counter drop; }
}
table ip seen {
	counter sent { }
	counter came { }
	chain pre { type filter hook prerouting priority -300; iifname "to-web" udp dport 1-65535 counter name sent; }
	chain post { type filter hook postrouting priority 0; oifname "to-db" udp dport 1-65535 counter name came; }
}
table ip services {
	chain to { type nat hook prerouting priority -100; ip daddr 10.96.0.10 meta l4proto udp dnat to 10.244.1.3; }
}
F
cat >"$work/objects.yaml" <<Y
kind: Namespace
apiVersion: v1
metadata: {name: shop}
---
kind: List
apiVersion: v1
items:
- {kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n1}, status: {podIP: 10.244.1.2, podIPs: [{ip: 10.244.1.2}, {ip: "fd44::2"}], hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: n1}, status: {podIP: 10.244.1.3, podIPs: [{ip: 10.244.1.3}, {ip: "fd44::3"}], hostIP: 192.0.2.1}}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 81, endPort: 5440, protocol: UDP}, {port: 5001}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: out, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 81, endPort: 5440, protocol: UDP}, {port: 5001}]}]}
Y

# counted NAME WORDS...: it counts
counted() {
	local name=$1
	shift
	"$NETPROBE" -j policy counters --policies "$work/objects.yaml" "$@" >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	until_true 20 grep -q 'counting packets of' "$work/$name.err" || die "$name did not start"
}
ended() { stop INT; same "$step: exit status" "$status" 0; }
# row NAME POD POLICY FIELDS: of the last record of that pod and policy (or basis)
row() { jq -rs "[.[] | select(.pod.name == \"$2\" and (.rule.name // .policy.basis) == \"$3\")] | last | .policy | \"$4\"" <"$work/$1.out"; }
# sum NAME POD DIRECTION: packets, each once, by all policies and by none
sum() {
	jq -s "[.[] | select(.pod.name == \"$2\" and .network.direction == \"$3\")] | group_by([.rule.name, .policy.basis]) |
		map(last.policy | .once_allowed + .once_dropped) | add" <"$work/$1.out"
}
seen() { nft -j reset counter ip seen "$1" | jq '.nftables[] | .counter // empty | .packets'; }

say "fragments that are put together, and dropped"
counted f
send 10.244.1.3 5432 5 1000
send 10.244.1.3 81 5 4000
ended
# What is not the first has no ports and is in no row: 1500 of 4028 bytes are counted where they come in.  Where they are
# dropped they are whole.
same "web's" "$(row f web shop/out '\(.packets_allowed) \(.bytes_allowed) \(.packets_dropped) \(.bytes_dropped)')" "5 5140 5 7500"
same "db's" "$(row f db shop/db '\(.packets_allowed) \(.bytes_allowed) \(.packets_dropped) \(.bytes_dropped)')" "5 5140 5 20140"
same "later fragments" "$(jq 'select(.policy.basis == "fragment" and (.pod | not)) | .policy.uncounted' <"$work/f.out")" 10

say "told often, while pods come and go"
counted o 0.1
in_pod web "$udp" ports 10.96.0.10 5401 5440 5 50 &
sent=$!
for n in 10 11 12 13 14; do
	routed_pod $n p$n
	sleep 0.1
	gone $n p$n
done
wait $sent
ended
same "web's" "$(sum o web egress)" 200
same "db's" "$(sum o db ingress)" 200

say "more new conversations than can be decided"
counted m 1
seen sent >"$work/before"
seen came >>"$work/before"
in_pod web "$udp" flood 10.96.0.10 1024 60000 2
until_true 5 eval 'send 10.96.0.10 5432 10; tail -n 8 "$work/m.out" | grep -q "\"name\":\"shop/db\""' || die "it has stopped to decide"
ended
sent=$(seen sent)
[ "$sent" -gt 5000 ] || die "no flood: $sent packets"
same "web's" "$(sum m web egress)" "$sent"
same "db's" "$(sum m db ingress)" "$(seen came)"

say "super-packets of TCP, of which many are dropped"
cat >"$work/server.py" <<'P'
import socket
c = socket.create_server(("", 5001)).accept()[0]
while c.recv(1 << 20):
    pass
P
# All of a first megabyte gets through; of a second as much is sent as goes unanswered.
cat >"$work/client.py" <<'P'
import socket, struct, sys
c = socket.create_connection(("10.244.1.3", 5001), 3)
c.sendall(bytes(1 << 20))
print("sent", flush=True)
sys.stdin.readline()
c.setblocking(False)
c.send(bytes(1 << 20))
sys.stdin.readline()
# Behind a reset nothing is sent again.
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
segments = sum(struct.unpack_from("II", c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 136))
c.close()
print("segments", segments + 1, flush=True)
P
in_pod db python3 "$work/server.py" &
until_true 3 in_pod db grep -q ":1389 " /proc/net/tcp || die "db does not listen for TCP"
mkfifo "$work/lines"
counted g
in_pod web python3 "$work/client.py" <"$work/lines" >"$work/said" &
client=$!
exec 5>"$work/lines"
until_true 5 grep -q sent "$work/said" || die "no connection"
nft -f - <<'F'
table ip seen {
	counter lost { }
	chain late { type filter hook forward priority 10; tcp dport 5001 counter name lost drop; }
}
F
echo >&5
lost() { nft -j list counter ip seen lost | jq '.nftables[] | .counter // empty | .packets' ; }
until_true 5 eval '[ "$(lost)" -gt 2 ]' || die "nothing is dropped"
echo >&5
exec 5>&-
wait $client
ended
nft -j list counter ip seen lost | jq -r '.nftables[] | .counter // empty | "\(.packets) \(.bytes)"' >"$work/lost"
read -r lost bytes <"$work/lost"
same "once each" "$(sum g web egress)" "$(awk '/segments/ { print $2 }' "$work/said")"
# Each segment of one that was cut up has 52 bytes of headers of its own, which one super-packet has once.
same "bytes" "$(row g web shop/out '\(.bytes_dropped - .packets_dropped * 52)')" $((bytes - lost * 52))
same "db's" "$(row g db shop/db '\(.packets_dropped) \(.bytes_dropped)')" "$(row g web shop/out '\(.packets_dropped) \(.bytes_dropped)')"
nft delete chain ip seen late

say "dropped at the bridge of the pod's interface"
ip link add br0 type bridge
ip link set br0 up
ip link set to-web master br0
ip addr add 169.254.1.1/32 dev br0
ip route replace 10.244.1.2/32 dev br0
ip -n web neigh replace 169.254.1.1 lladdr "$(ip -br link show br0 | awk '{ print $3 }')" dev eth0
ip neigh replace 10.244.1.2 lladdr "$(ip -n web -br link show eth0 | awk '{ print $3 }')" dev br0
until_true 3 in_pod web ping -qc1 -W1 10.244.1.3 || die "no way through the bridge"
tc qdisc add dev br0 clsact
tc filter add dev br0 ingress bpf da bytecode \
	"9,40 0 0 12,21 0 6 2048,48 0 0 23,21 0 4 17,177 0 0 14,72 0 0 16,21 0 1 5440,6 0 0 2,6 0 0 4294967295"
counted t
send 10.244.1.3 5439 3
send 10.244.1.3 5440 10
ended
same "by tc: web's" "$(row t web shop/out '\(.packets_allowed) \(.packets_dropped) \(.once_allowed) \(.once_dropped)')" "3 10 3 10"
same "by tc: db's" "$(row t db shop/db '\(.packets_allowed) \(.packets_dropped) \(.once_allowed) \(.once_dropped)')" "3 10 3 10"
tc qdisc del dev br0 clsact
"$NETPROBE" -q block add 10.244.1.2 dev br0 --commit || die "block"
counted x
send 10.244.1.3 5439 10
ended
"$NETPROBE" -q block del --all dev br0
same "by XDP: web's" "$(row x web shop/out '\(.packets_allowed) \(.packets_dropped) \(.once_allowed) \(.once_dropped)')" "0 10 0 10"
same "by XDP: db's" "$(row x db shop/db '\(.packets_allowed) \(.packets_dropped) \(.once_allowed) \(.once_dropped)')" "0 10 0 10"
