#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy --kubectl with Kubernetes' own kubectl, against an API server: lists, watches, what is told while it runs, a
# server that ends watches and one that is gone.
. "$(dirname "$0")/lib.sh"
need jq
need ncat
need kubectl
need python3
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

pair
here=10.9.0.1 far=10.9.0.2
there ncat -lk 5432 >/dev/null 2>&1 &
until_true 3 ncat -w 1 -z $far 5432 || die "nobody listens"

mkdir "$work/state"
# object KIND... : as the server has it
pod() { printf '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"%s","namespace":"shop","uid":"u-%s","resourceVersion":"8","labels":{"app":"%s"},"managedFields":[{"manager":"m"}]},"spec":{"nodeName":"n1","containers":[{"name":"c","ports":[{"name":"sql","containerPort":5432}]}]},"status":{"phase":"Running","podIP":"%s","podIPs":[{"ip":"%s"}]}}' "$1" "$1" "$1" "$2" "$2"; }
policy() { printf '{"kind":"NetworkPolicy","apiVersion":"networking.k8s.io/v1","metadata":{"name":"%s","namespace":"shop","resourceVersion":"8"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"%s"}}}],"ports":[{"port":"sql"}]}]}}' "$1" "$2"; }
echo "[$(pod web $here), $(pod db $far)]" >"$work/state/pods"
echo '[{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop","resourceVersion":"2"}}]' >"$work/state/namespaces"
echo '[]' | tee "$work/state/networkpolicies" >"$work/state/services"
tell() { echo "{\"type\":\"$2\",\"object\":$3}" >>"$work/state/$1.news"; }
cat >"$work/kubeconfig" <<'Y'
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:8080"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
current-context: c
Y
export KUBECONFIG=$work/kubeconfig HOME=$work
serve() {
	"$top/tests/tools/apiserver.py" 8080 "$work/state" 2>"$work/server.log" &
	server=$!
	until_true 5 kubectl get namespaces || die "no server"
}
serve

say "once"
"$NETPROBE" policy explain --kubectl "shop/web shop/db sql" >"$work/e.out" || die "policy explain"
grep -q '^Verdict: allow' "$work/e.out" || { cat "$work/e.out"; die "not allowed"; }

# tells FILTER: connections from here are told so within a while
tells() {
	until_true 8 eval "ncat -w 1 -z $far 5432; sleep 0.3; [ \"\$(tail -n 1 '$work/w.out' | jq '$1')\" = true ]" ||
		{ tail -n 2 "$work/w.out"; die "not $1"; }
}
say "what is there, and what comes"
start w -j policy watch --kubectl 'tcp port 5432'
tells '.source.pod.name == "web" and .destination.pod.uid == "u-db" and .policy.expected == "allow" and (.rule.name | not)'
tell networkpolicies ADDED "$(policy only api)"
tells '.policy.expected == "deny" and .policy.mismatch'
tell networkpolicies MODIFIED "$(policy only web)"
tells '.policy.expected == "allow" and .rule.name == "shop/only"'
tell networkpolicies DELETED "$(policy only web)"
tells '.policy.expected == "allow" and (.rule.name | not)'
tell pods DELETED "$(pod web $here)"
tells '(.source.pod | not) and .destination.pod.name == "db"'

say "a server that ends watches, as each does after a while"
echo "[$(pod next $here), $(pod db $far)]" >"$work/state/pods"
echo cut >>"$work/state/pods.news"
tells '.source.pod.name == "next"'
! grep -q 'tried again' "$work/w.err" || die "an end is told as a failure"

say "a server that forgets, is gone, and is there again"
echo "[$(pod third $here), $(pod db $far)]" >"$work/state/pods"
echo '{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}}' >>"$work/state/pods.news"
tells '.source.pod.name == "third"'
kill $server
until_true 10 grep -q 'stays as it is; it is tried again' "$work/w.err" || die "it is not said"
tells '.source.pod.name == "third"'
echo "[$(pod fourth $here), $(pod db $far)]" >"$work/state/pods"
serve
until_true 15 grep -q 'followed again' "$work/w.err" || die "it is not said that it is back"
tells '.source.pod.name == "fourth"'
stop INT
same "exit status" "$status" 0
until_true 3 eval '! pgrep -x "kubectl|netprobe.*"' || { ps axf; die "a process is left"; }
