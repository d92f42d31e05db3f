#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy counters: of each pod, policy and direction as many packets as were sent, whatever became of them; services;
# pods that come and go; and that nothing of it is left, however it ends.
. "$(dirname "$0")/lib.sh"
need jq
need nft
need python3
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

routing_node
send() { in_pod "$1" "$udp" send "${@:2}"; }
routed_pod 2 web
routed_pod 3 db
in_pod db "$udp" sink 53 54 80 81 5432 &
until_true 3 in_pod web ping -qc1 -W1 10.244.1.3 || die "no way from web to db"
until_true 3 in_pod web ping -qc1 -W1 fd44::3 || die "no way from web to db by IPv6"
until_true 3 in_pod db grep -q :1538 /proc/net/udp || die "db does not listen"
nft -f - <<'F'
table inet rules {
	chain forward {
		type filter hook forward priority 0
		udp dport { 80, 81 } counter drop
	}
}
table ip services {
	chain to {
		type nat hook prerouting priority -100
		ip daddr 10.96.0.10 udp dport 5300 dnat to 10.244.1.3:53
		ip daddr 10.96.0.10 tcp dport 50052 dnat to 10.244.1.3:50051
		ip daddr { 10.96.0.10, 10.97.0.1 } udp dport 8100 dnat to 10.244.1.3:81
	}
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
- {kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, uid: $(pod_uid 2), labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.244.1.2, podIPs: [{ip: 10.244.1.2}, {ip: "fd44::2"}], hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: db, namespace: shop, uid: $(pod_uid 3), labels: {app: db}}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.244.1.3, podIPs: [{ip: 10.244.1.3}, {ip: "fd44::3"}], hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: next, namespace: shop, uid: $(pod_uid 4), labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.244.1.2, hostIP: 192.0.2.1}}
- {kind: Service, apiVersion: v1, metadata: {name: dns, namespace: shop}, spec: {clusterIP: 10.96.0.10}}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432, protocol: UDP}, {port: 81, protocol: UDP}, {port: 50051}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: dns, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress, Ingress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 53, protocol: UDP}]}], ingress: [{from: [{podSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: out, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 5432, protocol: UDP}, {port: 80, protocol: UDP}, {port: 81, protocol: UDP}, {port: 50051}]}]}
Y
# A server whose port is above its callers', and a connection to a service that lasts: a line is answered by a line.
cat >"$work/server.py" <<'P'
import socket
s = socket.create_server(("", 50051))
c = s.accept()[0]
while c.recv(1):
    c.sendall(b"y")
P
cat >"$work/client.py" <<'P'
import socket, sys
c = socket.create_connection(("10.96.0.10", 50052), source_address=("", 33000))
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for line in sys.stdin:
    c.sendall(b"x")
    c.recv(1)
    print("had", flush=True)
P

# started NAME ARGS...
started() {
	local name=$1
	shift
	: >"$work/$name.err"	# what it said before, under this name, does not count
	"$NETPROBE" "$@" --policies "$work/objects.yaml" >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	until_true 20 grep -q 'counting packets of' "$work/$name.err" || { cat "$work/$name.err"; die "$name did not start"; }
}
# rows NAME POD DIRECTION: policy or basis, allowed, dropped, bytes of both
rows() {
	jq -r "select(.pod.name == \"$2\" and .network.direction == \"$3\") | [.rule.name // .policy.basis, .policy.packets_allowed,
		.policy.packets_dropped, .policy.bytes_allowed + .policy.bytes_dropped] | join(\" \")" <"$work/$1.out" | sort
}

say "as many as were sent"
started c -j policy counters --seed-names
send web 10.244.1.3 5432 1000	# out and db allow it
send web fd44::3 5432 500
send web 10.244.1.3 53 200	# dns allows it, at both ends
send web 10.244.1.3 81 30	# allowed by out and db, and dropped
send web 10.244.1.3 80 40	# out allows it, db and dns deny it; it is dropped
send web 10.244.1.3 54 7	# denied, and nobody drops it
send web 10.244.1.3 5432 1 2000	# in two fragments, of which the second has no ports
send web 10.96.0.10 5300 60	# a service, which is db's 53
in_pod web ping -qc3 -i0.2 10.244.1.3 >/dev/null
"$udp" send 10.244.1.3 54 9	# the node itself: policies do not apply
stop INT
same "exit status" "$status" 0
same "web's" "$(rows c web egress)" "other-end 0 40 5120
shop/dns 267 0 34176
shop/out 1508 30 208236
undecided 6 0 504"
same "db's" "$(rows c db ingress)" "none 9 0 1152
shop/db 1508 70 213356
shop/dns 267 40 39296
undecided 6 0 504"
jq -se 'all(.[] | select(.pod and .rule.name == "shop/out"); .PolicyMatches == 1578 and .PolicyMisses == 0 and
	.PacketsAllowed == 1508 and .PacketsDropped == 30 and .pod_name == "web" and .namespace == "shop" and
	.policy_name == "shop/out" and .direction == "egress")' <"$work/c.out" >/dev/null || { cat "$work/c.out"; die "not by seed names"; }
# Counted once each, these are all that web has sent and got: 1,501 + 200 + 30 + 40 + 7 + 60, and six of ping.
same "once each" "$(jq -s '[.[] | select(.pod.name == "web") | .policy.once_allowed + .policy.once_dropped] | add' <"$work/c.out")" 1844
same "second fragments" "$(jq 'select(.policy.basis == "fragment" and (.pod | not)) | .policy.uncounted' <"$work/c.out")" 2
grep -q '2 packets are in no row: later fragments' "$work/c.err" || die "what is in no row is not said"

say "what is dropped behind translation, forged, or older"
in_pod db python3 "$work/server.py" &
until_true 3 in_pod db grep -q ":C383 " /proc/net/tcp || die "db does not listen for TCP"
mkfifo "$work/lines"
in_pod web python3 "$work/client.py" <"$work/lines" >"$work/had" &
exec 5>"$work/lines"
echo >&5
until_true 5 eval '[ "$(wc -l <"$work/had")" = 1 ]' || die "no connection"
routed_pod 5 evil
ip -n evil addr add 10.244.1.2/32 dev lo
started d -j policy counters
for i in 2 3 4 5 6; do
	echo >&5
	until_true 5 eval '[ "$(wc -l <"$work/had")" = '$i' ]' || die "no answer"
done
send web 10.96.0.10 8100 20	# a service's address; which is dropped behind its translation to db's 81
send web 10.97.0.1 8100 10	# the same, of whose address no object tells
nft delete chain inet rules forward
send web 10.97.0.1 8100 5
in_pod evil python3 - <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.244.1.2", 0))
for i in range(40):
    s.sendto(b"x", ("10.244.1.3", 5432))
P
stop INT
exec 5>&-
same "exit status" "$status" 0
rows d web egress | sed 's/ [0-9]*$//' >"$work/web"
grep -Eqx 'shop/out (1[5-9]|2[0-9]) 30' "$work/web" || { cat "$work/web"; die "web's"; }
same "web's rows" "$(wc -l <"$work/web")" 1
rows d db ingress | sed 's/ [0-9]*$//' >"$work/db"
grep -Eqx 'shop/db (5[5-9]|6[0-9]) 30' "$work/db" || { cat "$work/db"; die "db's"; }
gone 5 evil
nft -f - <<'F'
table inet rules {
	chain forward {
		type filter hook forward priority 0
		udp dport { 80, 81 } counter drop
	}
}
F

say "who comes, who goes, and who gets another's address"
started i -j policy counters --pod shop/ 0.5
send web 10.244.1.3 5432 20
until_true 5 grep -q '"name":"web".*"packets_allowed":20' "$work/i.out" || die "web's are not told"
gone 2 web
routed_pod 4 next 2
sees_next() { send next 10.244.1.3 5432 10; sleep 0.2; jq -se 'any(.[]; .pod.name == "next" and .rule.name == "shop/out")' <"$work/i.out"; }
until_true 5 sees_next || { tail -n 8 "$work/i.out"; die "next is not told"; }
last=$(tail -n 1 "$work/i.out" | jq -r '."@timestamp"')
jq -se --arg t "$last" 'map(select(."@timestamp" == $t)) | all(.[]; .pod.name != "web")' <"$work/i.out" >/dev/null || die "web is told still"
# Of web not one more than it sent, whoever has its address now.
same "web's" "$(jq -s '[.[] | select(.pod.name == "web" and .rule.name == "shop/out") | .policy.packets_allowed] | max' <"$work/i.out")" 20
stop INT
same "exit status" "$status" 0

say "a sandbox that is made anew, and a program of tc before ours"
mount -t bpf bpf /sys/fs/bpf
started r -j policy counters --pod shop/next 0.5
send next 10.244.1.3 5432 10
until_true 5 grep -q '"packets_allowed":10' "$work/r.out" || die "next is not told"
ip link del to-next
ip netns del next
routed_pod 4 next 2
sees() { send next 10.244.1.3 5432 1; sleep 0.2; tail -n 1 "$work/r.out" | jq -e '.policy.packets_allowed > 10' >/dev/null; }
until_true 5 sees || { tail -n 3 "$work/r.out"; die "next is counted no more"; }
"$NETPROBE" -q block add 10.244.1.2 dev to-next || die "block"
sleep 2		# longer than a second, in which the order is looked at
send next 10.244.1.3 5432 20
until_true 5 eval 'tail -n 1 "$work/r.out" | jq -e ".policy.packets_dropped == 20" >/dev/null' || { tail -n 1 "$work/r.out"; die "not dropped"; }
stop INT
"$NETPROBE" -q block del 10.244.1.2 dev to-next
"$NETPROBE" -q attach del dev to-next 2>/dev/null || :
umount /sys/fs/bpf

say "for whoever collects metrics"
started p policy counters --prom 1 1
send next 10.244.1.3 5432 5
rc=0
wait $pid || rc=$?
same "exit status" $rc 0
"$top/tests/tools/openmetrics.py" <"$work/p.out" >/dev/null || die "no OpenMetrics"
grep -q '^netprobe_policy_packets_allowed_total{direction="egress",rule_name="shop/out",pod_namespace="shop",pod_name="next",.*} 5$' "$work/p.out" ||
	{ cat "$work/p.out"; die "not those counters"; }

"$NETPROBE" stats -i lo --prom --policies "$work/objects.yaml" >"$work/s.out" 2>"$work/s.err" &
pid=$!
until_true 20 eval 'grep -q "counting packets of" "$work/s.err" && grep -q "counting until" "$work/s.err"' || { cat "$work/s.err"; die "stats did not start"; }
send next 10.244.1.3 5432 5
stop INT
same "exit status" "$status" 0
"$top/tests/tools/openmetrics.py" <"$work/s.out" >/dev/null || die "stats: no OpenMetrics"
grep -q '^netprobe_policy_matches_total{direction="ingress",rule_name="shop/db",.*pod_name="db",.*} 5$' "$work/s.out" ||
	{ cat "$work/s.out"; die "stats: not those counters"; }
grep -q '^netprobe_packets_total' "$work/s.out" || die "stats: none of its own"
rc=0
"$NETPROBE" stats -i lo --policies "$work/objects.yaml" 1 1 2>"$work/no.err" || rc=$?
same "stats --policies for people" $rc 2

say "for people"
started t policy counters --pod next --where 'policy.packets_allowed > 0 and pod.name = next'
send next 10.244.1.3 5432 5
stop INT
grep -Eq '^shop +next +egress +shop/out +policy +5 +0 +5 +0 +640 +0$' "$work/t.out" || { cat "$work/t.out"; die "not that line"; }
same "lines" "$(wc -l <"$work/t.out")" 2

say "objects that change while it counts"
mkdir "$work/state"
cat >"$work/kubectl" <<S
#!/bin/sh
cd "$work/state" || exit 9
case \$* in
*--watch*)
	: >>\$2.news
	jq '.[] | { type: "ADDED", object: . }' \$2
	exec tail -n +1 -s 0.1 -f \$2.news
	;;
*)	jq '{ apiVersion: "v1", kind: "List", items: . }' \$2 ;;
esac
S
chmod +x "$work/kubectl"
object() { printf '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"%s","namespace":"shop","uid":"%s","labels":{"app":"%s"}},"spec":{"nodeName":"n1","containers":[{"name":"c"}]},"status":{"podIP":"%s","hostIP":"192.0.2.1"}}' "$@"; }
policy() { printf '{"kind":"NetworkPolicy","apiVersion":"networking.k8s.io/v1","metadata":{"name":"%s","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"ingress":[{}]}}' "$1"; }
echo "[$(object next "$(pod_uid 4)" web 10.244.1.2), $(object db "$(pod_uid 3)" db 10.244.1.3)]" >"$work/state/pods"
echo '[{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop"}}]' >"$work/state/namespaces"
echo '[]' | tee "$work/state/networkpolicies" >"$work/state/services"
"$NETPROBE" -j policy counters --kubectl="$work/kubectl" >"$work/o.out" 2>"$work/o.err" &
pid=$!
until_true 20 grep -q 'counting packets of 2 pods by 0 policies' "$work/o.err" || { cat "$work/o.err"; die "it does not start"; }
send next 10.244.1.3 5432 5
echo "[$(policy late)]" >"$work/state/networkpolicies"
jq -n --argjson o "$(policy late)" '{ type: "ADDED", object: $o }' >>"$work/state/networkpolicies.news"
# As many as are sent until the policy is known belong to none; then each is its own.
sleep 2
send next 10.244.1.3 5432 7
stop INT
same "exit status" "$status" 0
same "db's" "$(rows o db ingress)" "none 5 0 640
shop/late 7 0 896"

say "who reads what this node has is gone"
started g policy counters
kill -9 "$(pgrep -x netprobe-node)"
until_true 5 grep -q 'stays as it is' "$work/g.err" || die "it is not said"
send next 10.244.1.3 5432 5
stop INT
same "exit status" "$status" 1
grep -q 'shop/out.* 5 ' "$work/g.out" || { cat "$work/g.out"; die "it counts no more"; }

say "kill -9 leaves nothing"
at_next() { "$NETPROBE" -j attach list dev to-next 2>/dev/null | grep -c np_policy || :; }
none_left() {
	local p
	for p in $children; do
		! kill -0 "$p" 2>/dev/null || return 1
	done
	[ "$(at_next)" = 0 ]
}
started k policy counters
children=$(pgrep -P "$pid")
[ "$(wc -w <<<"$children")" -ge 2 ] || die "children: $children"
[ "$(at_next)" != 0 ] || die "no programs at to-next"
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
until_true 5 none_left || { ps ax; die "something is left"; }
started k policy counters
children=$(pgrep -P "$pid")
# Who is gone already, for its parent is, need not be killed.
# shellcheck disable=SC2086
kill -9 "$pid" $children 2>/dev/null || :
wait "$pid" 2>/dev/null || :
until_true 5 none_left || { ps ax; die "something is left of all of them"; }

say "the process that counts is gone"
started g policy counters
kill -9 "$(pgrep -P "$pid" netprobe-count)"
until_true 5 eval '! kill -0 "$pid" 2>/dev/null' || die "it goes on as if it counted"
rc=0
wait "$pid" || rc=$?
same "exit status" $rc 1
grep -q 'nothing is counted any more' "$work/g.err" || die "it is not said"

say "what cannot be is told"
rc=0
"$NETPROBE" policy counters 2>"$work/no.err" || rc=$?
same "nothing to count by" $rc 2
rc=0
"$NETPROBE" policy counters --policies "$work/objects.yaml" tcp 2>"$work/no.err" || rc=$?
same "a filter" $rc 2
rc=0
"$NETPROBE" policy counters --policies "$work/nothing.yaml" 2>"$work/no.err" || rc=$?
same "no file" $rc 1
rc=0
setpriv --bounding-set=-all --inh-caps=-all --reuid=65534 --clear-groups "$NETPROBE" policy counters --policies "$work/objects.yaml" 2>"$work/no.err" || rc=$?
[ $rc -ne 0 ] || die "without privileges it counts"
grep -q CAP_ "$work/no.err" || die "the capability is not named"
