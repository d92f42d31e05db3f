# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154
# Sourced by guest.sh, behind drops.sh: policy counters counts as many packets as were sent and dropped, by policy.

# cni NUMBER NAME INTERFACE ADDRESS: what the network plugin leaves of the pod shop/NAME
cni() {
	mkdir -p /var/lib/cni/results
	cat >"/var/lib/cni/results/net-000000000000$1-eth0" <<-J
	{"kind":"cniCacheV1","containerId":"000000000000$1","ifName":"eth0","networkName":"net","cniArgs":[
	["K8S_POD_NAME","$2"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_UID","7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a0$1"]],
	"result":{"interfaces":[{"name":"$3"}],"ips":[{"address":"$4/24"}]}}
	J
}
# allowed NAME FIRST LAST: a policy for the pod far, by which the pod there may reach these ports
allowed() {
	cat <<-Y
	---
	kind: NetworkPolicy
	apiVersion: networking.k8s.io/v1
	metadata: {name: $1, namespace: shop}
	spec: {podSelector: {matchLabels: {app: far}}, policyTypes: [Ingress], ingress: [{
	  from: [{podSelector: {matchLabels: {app: there}}}], ports: [{port: $2, endPort: $3, protocol: UDP}]}]}
	Y
}
pod_object() {
	cat <<-Y
	---
	{kind: Pod, apiVersion: v1, metadata: {name: $1, namespace: shop, labels: {app: $1}}, spec: {nodeName: n1},
	  status: {podIP: $2, hostIP: 10.9.0.1}}
	Y
}
# row POLICY ALLOWED DROPPED
row() {
	grep "\"name\":\"$1\"" /tmp/counters.out | grep -q "\"packets_allowed\":$2,\"packets_dropped\":$3," ||
		{ echo "$1: not $2 allowed, $3 dropped"; bad=1; }
}
# Six datagrams to the ports 5302 to 5307, of which the third is dropped.
counters() {
	command -v nft >/dev/null || { echo "no nft"; return 77; }
	beyond && nft 'table inet c { chain f { type filter hook forward priority 0; udp dport 5304 drop; }; }' || return 1
	cni 1 there here 10.9.0.2
	cni 2 far hop 10.8.0.2
	{ pod_object there 10.9.0.2; pod_object far 10.8.0.2; allowed first 5302 5305; allowed last 5306 5307; } >/tmp/objects
	rm -f /tmp/err
	netprobe -j policy counters --policies /tmp/objects >/tmp/counters.out 2>/tmp/err &
	count=$!
	n=0
	until grep -qs 'counting packets of 2 pods by 2 policies' /tmp/err; do
		n=$((n + 1))
		[ $n -lt 300 ] || { cat /tmp/err; kill $count; return 1; }
		usleep 100000
	done
	ip netns exec there traceroute -n -f 2 -m 2 -q 6 -w 1 -p 5301 10.8.0.2
	kill -TERM $count
	ended $count || { echo "exit status $?"; cat /tmp/err; return 1; }
	undo >/dev/null 2>&1
	rm -r /var/lib/cni
	bad=0
	row shop/first 3 1
	row shop/last 2 0
	row there 5 1
	[ $bad = 0 ] || { cat /tmp/counters.out /tmp/err; return 1; }
}
