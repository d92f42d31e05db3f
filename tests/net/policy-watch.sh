#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy watch: who speaks to whom, what the policies say of it, which rule it was; pods that come, go, and get an
# address that another had; and that nothing of it is left, however it ends.
. "$(dirname "$0")/lib.sh"
need jq
need nft
need ncat
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

node
ip link add cni0 type bridge
ip addr add 10.244.1.1/24 dev cni0
ip link set cni0 up
# pod NUMBER NAME ADDRESS
pod() {
	ip netns add "$2"
	ip link add "to-$2" type veth peer name eth0 netns "$2"
	ip link set "to-$2" master cni0 up
	ip -n "$2" link set lo up
	ip -n "$2" addr add "$3/24" dev eth0
	ip -n "$2" link set eth0 up
	ip -n "$2" route add default via 10.244.1.1
	cni_told "$1" "$2" "to-$2" "$3/24"
}
connect() { in_pod "$1" ncat -w 1 -z "$2" "$3" 2>/dev/null || :; }

pod 2 web 10.244.1.2
pod 3 db 10.244.1.3
until_true 3 in_pod web ping -qc1 -W1 10.244.1.3 || die "no way from web to db"
in_pod db ncat -lk 5432 >/dev/null 2>&1 &
in_pod db ncat -lk 80 >/dev/null 2>&1 &
until_true 3 in_pod web ncat -w 1 -z 10.244.1.3 80 || die "db does not listen"
cat >"$work/objects.yaml" <<Y
kind: Namespace
apiVersion: v1
metadata: {name: shop}
---
kind: List
apiVersion: v1
items:
- {kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, uid: $(pod_uid 2), labels: {app: web, pod-template-hash: f00}, ownerReferences: [{kind: ReplicaSet, name: web-f00, controller: true, apiVersion: apps/v1, uid: u}]}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.244.1.2, hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: db, namespace: shop, uid: $(pod_uid 3), labels: {app: db}}, spec: {nodeName: n1, containers: [{name: c}, {name: istio-proxy}]}, status: {podIP: 10.244.1.3, hostIP: 192.0.2.1}}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}
Y

# one NAME FILTER CHECK: in the end one record of NAME.out fits FILTER, and CHECK holds of it
one() {
	settled "$1" "$2" 1
	jq -se "[.[] | select($2)] | .[0] | $3" <"$work/$1.out" >/dev/null || { jq -c "select($2)" "$work/$1.out"; die "not $3"; }
}

say "who, and what the policies say"
start w -j policy watch --seed-names --policies "$work/objects.yaml"
connect web 10.244.1.3 5432
connect web 10.244.1.3 80
ncat -w 1 -z 10.244.1.3 81 2>/dev/null || :
one w '.destination.port == 5432' '.event.action == "allow" and .policy.answer == "answered" and .policy.expected == "allow"
	and .policy.mismatch == false and .policy.evidence == "spec" and .rule.name == "shop/db" and .network.direction == "ingress"
	and .source.pod == {"namespace": "shop", "name": "web", "uid": "'"$(pod_uid 2)"'", "workload": "Deployment/web", "labels": {"app": "web", "pod-template-hash": "f00"}}
	and .destination.pod.name == "db" and .destination.pod.sidecar == "istio" and .network.interface == "to-web"
	and .network.out_interface == "to-db" and .observer.product == "none"'
one w '.destination.port == 5432' '.timestamp == ."@timestamp" and .source_ip == "10.244.1.2" and .dest_ip == "10.244.1.3"
	and .source_port == .source.port and .dest_port == 5432 and .protocol == "TCP" and .action == "allow" and .direction == "ingress"
	and .pod_name == "db" and .namespace == "shop" and .policy_name == "shop/db" and .cni_plugin == "cni-plugin"'
one w '.destination.port == 80' '.event.action == "allow" and .policy.expected == "deny" and .policy.mismatch and .policy.evidence == "none"'
one w '.destination.port == 81' '.event.action == "allow" and .policy.answer == "refused" and .policy.expected == "allow"
	and (.source.pod | not) and (.network.interface | not)'
# What the plugin tells anew a moment later: perhaps it was another pod's, and then it is not judged as nobody's.
connect web 10.244.1.3 5432
cni_told 2 web to-web 10.244.1.2/24
settled w '.destination.port == 5432' 2
same "mismatches" "$(count w '.destination.port == 5432 and .policy.mismatch')" 0
# By an address that the host got while we look.
ip addr add 10.244.1.9/24 dev cni0
ncat -s 10.244.1.9 -w 1 -z 10.244.1.3 85 2>/dev/null || :
one w '.destination.port == 85' '.source.ip == "10.244.1.9" and .policy.answer == "refused" and .policy.expected == "allow"'

say "which rule"
nft -f - <<'N'
table bridge pol {
	chain f { type filter hook forward priority 0; tcp dport 5432 counter drop comment "shop/none"; tcp dport 80 counter jump more
		tcp dport 82 counter drop
	}
	chain more { counter drop comment "shop/db"
	}
}
N
connect web 10.244.1.3 80
one w '.destination.port == 80 and .event.action == "drop"' '.policy.expected == "deny" and .policy.mismatch == false
	and .rule.ruleset == "bridge pol more" and .rule.description == "shop/db" and .policy.evidence == "both" and .drop.reason == "NETFILTER_DROP"'
connect web 10.244.1.3 5432
one w '.destination.port == 5432 and .event.action == "drop"' '.policy.expected == "allow" and .policy.mismatch
	and .rule.ruleset == "bridge pol f" and .rule.description == "shop/none" and .policy.evidence == "dataplane"'
nft add rule bridge pol f tcp dport 83 drop	# which counts nothing
connect web 10.244.1.3 82
one w '.destination.port == 82' '.event.action == "drop" and (.rule.ruleset | not) and .policy.evidence == "spec"'

say "a pod that comes, and one that has the address of another"
pod 4 late 10.244.1.4
in_pod late ping -qc1 -W1 10.244.1.2 >/dev/null || :
one w '.network.transport == "icmp" and .source.ip == "10.244.1.4"' '.source.pod.name == "late" and .destination.pod.name == "web"'
last=late
for n in 1 2 3; do
	# The old one is gone, and the next speaks at once.
	gone $((3 + n)) $last
	last=next$n
	pod $((4 + n)) $last 10.244.1.4
	connect $last 10.244.1.2 $((9000 + n))
	one w ".destination.port == $((9000 + n))" ".source.pod.name == \"$last\" and .destination.pod.name == \"web\""
done
# Faster than anybody can read it: the right name, or none.
for n in 4 5 6 7 8; do
	gone $((3 + n)) $last
	last=next$n
	pod $((4 + n)) $last 10.244.1.4
	connect $last 10.244.1.2 $((9000 + n))
done
for n in 4 5 6 7 8; do
	one w ".destination.port == $((9000 + n))" ".source.pod.name == \"next$n\" or (.source.pod | not)"
done
stop INT
same "exit status" "$status" 0

say "only what is asked for"
"$NETPROBE" -j policy watch --policies "$work/objects.yaml" --verdict mismatch -c 1 >"$work/m.out" 2>"$work/m.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/m.err" || die "it does not start"
connect web 10.244.1.3 80
connect web 10.244.1.3 5432
rc=0
wait $pid || rc=$?
same "exit status" $rc 0
same "a mismatch" "$(jq -r '"\(.destination.port) \(.policy.expected) \(.event.action)"' "$work/m.out" | sort -u)" "5432 allow drop"
start p policy watch --pod shop/next8 --pod shop --pod nobody --verdict allow,unanswered --where 'network.transport = "tcp"'
connect web 10.244.1.3 81
in_pod next8 ping -qc1 -W1 10.244.1.2 >/dev/null
connect next8 10.244.1.2 7001
until_true 5 grep -q 7001 "$work/p.out" || die "what --pod wants is not told"
grep -q 'shop: no pod .*NAMESPACE/$' "$work/p.err" && grep -q 'nobody: no pod .*when there is one$' "$work/p.err" || die "that nobody is called so is not said"
! grep -q 'next8: no pod' "$work/p.err" || die "next8 is there"
stop INT
same "lines" "$(wc -l <"$work/p.out")" 1
grep -q 'ALLOW shop/next8 10\.244\.1\.4\.[0-9]* > shop/web 10\.244\.1\.2\.7001 tcp: refused' "$work/p.out" || { cat "$work/p.out"; die "not that line"; }

say "the way that packets take"
start t policy watch --trace-rules --policies "$work/objects.yaml"
nft list tables | grep -q netprobe-trace || die "no table of ours"
sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || :
nft add table inet host '{ chain o { type filter hook output priority 0; tcp dport 84 counter jump deep; }; chain deep { drop; }; }'
ncat -w 1 -z 10.244.1.3 84 2>/dev/null || :
until_true 5 grep -q '\.84 ' "$work/t.out" || die "what is dropped is not told"
grep -q '\.84 tcp: NETFILTER_DROP .*by inet host deep "rule [0-9]*"; .*passed .*inet host o [0-9]* jump deep > inet host deep [0-9]* drop' "$work/t.out" ||
	{ cat "$work/t.out"; die "not that way"; }

say "kill -9 leaves nothing"
children=$(pgrep -P "$pid" | wc -l)
[ "$children" -ge 2 ] || die "$children children"
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
until_true 3 eval '! nft list tables | grep -q netprobe-trace' || die "the table is left"
until_true 3 eval '! pgrep netprobe' || { ps ax; die "a process is left"; }
"$NETPROBE" attach list >"$work/links" 2>/dev/null
! grep -q 'np_' "$work/links" || die "programs are left"

say "who reads what this node has is gone"
start r policy watch
kill -9 "$(pgrep -x netprobe-node)"
until_true 5 grep -q 'stays as it is' "$work/r.err" || die "it is not said"
stop INT
same "exit status" "$status" 1

say "what cannot be is told"
rc=0
"$NETPROBE" policy watch --verdict maybe 2>"$work/no.err" || rc=$?
same "an unknown verdict" $rc 2
rc=0
"$NETPROBE" policy watch --verdict mismatch 2>"$work/no.err" || rc=$?
same "a mismatch with nothing" $rc 2
rc=0
"$NETPROBE" policy watch --pod 'a/b/c' 2>"$work/no.err" || rc=$?
same "no pod's name" $rc 2
rc=0
"$NETPROBE" policy watch -i nowhere 2>"$work/no.err" || rc=$?
same "no interface" $rc 1
mkfifo "$work/typed"
exec 6<>"$work/typed"
rc=0
timeout -k 10 -s INT 1 "$NETPROBE" policy watch --policies - <&6 2>"$work/no.err" || rc=$?
exec 6>&-
same "ended while objects are typed" $rc 124
