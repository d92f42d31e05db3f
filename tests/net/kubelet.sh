#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy pods and the kubelet's read-only port: what it answers is believed where root listens there, below what the
# node's files say, and not for longer than some seconds.
. "$(dirname "$0")/lib.sh"
need ncat
need setpriv
ip link set lo up
mount -t tmpfs none /var/lib
mkdir -p /var/lib/cni/results
id=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >/var/lib/cni/results/net-$id-eth0 <<J
{"containerId":"$id","ifName":"eth0","cniArgs":[["K8S_POD_NAME","web"],["K8S_POD_NAMESPACE","shop"],
 ["K8S_POD_UID","7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01"]],"ips":[{"address":"10.9.0.7/32"}]}
J
{
	printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n'
	cat <<'J'
{"kind":"PodList","apiVersion":"v1","items":[
 {"metadata":{"name":"web","namespace":"shop","uid":"7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01","labels":{"app":"web"}},
  "spec":{"nodeName":"n1","hostNetwork":true},"status":{"phase":"Running","podIP":"10.9.0.66"}},
 {"metadata":{"name":"other","namespace":"shop"},"spec":{"nodeName":"n1"},"status":{"phase":"Running","podIP":"10.9.0.8"}},
 {"metadata":{"name":"thief","namespace":"shop"},"spec":{"nodeName":"n1"},"status":{"phase":"Running","podIP":"10.9.0.7"}}]}
J
} >"$work/answer"
chmod 644 "$work/answer"
listen() { # [COMMAND...]: who listens, and answers once
	"$@" ncat -l 127.0.0.1 10255 -c "head -n 1 >/dev/null; cat $work/answer" 2>"$work/ncat.log" &
	server=$!
	until_true 5 sh -c "ss -Hltn 'sport = :10255' | grep -q LISTEN"
}
pods() { "$NETPROBE" -j policy pods >"$work/out" 2>"$work/pods.err" || die "policy pods: exit status $?"; }
ips() { jq -sc "[.[].pod | select(.name == \"$1\") | .ip // []] | add" "$work/out"; }

say "nobody listens"
pods
[ "$(ips web)" = '["10.9.0.7"]' ] || die "the node's own pod"
[ ! -s "$work/pods.err" ] || die "a port that is off is complained of"

say "the kubelet: labels and further pods; no address that the node itself knows to be another's"
listen
pods
wait "$server" || :
[ "$(ips web)" = '["10.9.0.7"]' ] || die "an object overrules the plugin: $(ips web)"
[ "$(ips other)" = '["10.9.0.8"]' ] || die "no pod of the kubelet's"
[ "$(ips thief)" = '[]' ] || die "an address is told of two pods"
jq -se '[.[].pod | select(.name == "web")] | .[0].labels.app == "web" and .[0].host_network == false' "$work/out" >/dev/null ||
	die "the object's labels"

say "somebody else on that port"
listen setpriv --reuid 65534 --clear-groups
pods
kill "$server" && wait "$server" 2>/dev/null || :
[ "$(ips other)" = 'null' ] || die "nobody is believed"
grep -q 'not root' "$work/pods.err" || die "and that is not said"

say "one that says a byte now and then"
ncat -lk 127.0.0.1 10255 -c 'while printf x; do sleep 0.5; done' 2>"$work/ncat.log" &
server=$!
until_true 5 sh -c "ss -Hltn 'sport = :10255' | grep -q LISTEN"
timeout 20 "$NETPROBE" -j policy pods >"$work/out" 2>"$work/pods.err" || die "it is waited for"
kill "$server"
[ "$(ips web)" = '["10.9.0.7"]' ] || die "nothing is told beside it"
grep -q '10255.*timed out' "$work/pods.err" || die "that it took too long is not said"
