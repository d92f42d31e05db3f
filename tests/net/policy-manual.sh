#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "A pod cannot reach another: what to type" of netprobe-policy(8), typed on a node where that is so.
. "$(dirname "$0")/lib.sh"
need jq
need ncat
need iptables-nft-restore
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

routing_node
routed_pod 2 web
routed_pod 7 db
in_pod db ncat -lk 5432 >/dev/null 2>&1 &
until_true 3 in_pod web ncat -w 1 -z 10.244.1.7 5432 || die "no way from web to db"

# A cluster's kubectl, where it is looked for, and what it has.
mount -t tmpfs none /usr/local/bin
cat >"$work/objects" <<J
[{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop"}},
{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","uid":"$(pod_uid 2)","labels":{"app":"web"}},"spec":{"nodeName":"n1","containers":[{"name":"c"}]},"status":{"podIP":"10.244.1.2","hostIP":"192.0.2.1"}},
{"kind":"Pod","apiVersion":"v1","metadata":{"name":"db","namespace":"shop","uid":"$(pod_uid 7)","labels":{"app":"db"}},"spec":{"nodeName":"n1","containers":[{"name":"c"}]},"status":{"podIP":"10.244.1.7","hostIP":"192.0.2.1"}},
{"kind":"NetworkPolicy","apiVersion":"networking.k8s.io/v1","metadata":{"name":"db","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"api"}}}],"ports":[{"port":5432}]}]}}]
J
cat >/usr/local/bin/kubectl <<S
#!/bin/sh
cd "$work" || exit 9
case \$* in
*--watch*)
	case \$2 in pods) kind=Pod ;; namespaces) kind=Namespace ;; networkpolicies) kind=NetworkPolicy ;; esac
	jq --arg kind "\$kind" '.[] | select(.kind == \$kind) | { type: "ADDED", object: . }' objects
	exec sleep 1000
	;;
*)	jq '{ apiVersion: "v1", kind: "List", items: ., metadata: { resourceVersion: "" } }' objects ;;
esac
S
chmod +x /usr/local/bin/kubectl
# And who enforces it, in the way of kube-router.
iptables-nft-restore <<'R'
*filter
:KUBE-ROUTER-FORWARD - [0:0]
:KUBE-POD-FW-DDDD - [0:0]
:KUBE-NWPLCY-DDDD - [0:0]
-A FORWARD -m comment --comment "kube-router netpol - TEMC" -j KUBE-ROUTER-FORWARD
-A KUBE-ROUTER-FORWARD -d 10.244.1.7 -m comment --comment "rule to jump traffic destined to POD name:db namespace: shop to chain KUBE-POD-FW-DDDD" -j KUBE-POD-FW-DDDD
-A KUBE-POD-FW-DDDD -m comment --comment "run through nw policy db" -j KUBE-NWPLCY-DDDD
-A KUBE-POD-FW-DDDD -m comment --comment "rule to REJECT traffic destined for POD name:db namespace: shop" -m mark ! --mark 0x10000/0x10000 -j REJECT
-A KUBE-NWPLCY-DDDD -s 10.244.1.9 -p tcp --dport 5432 -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name db namespace shop" -j MARK --set-xmark 0x10000/0x10000
COMMIT
R

# The five lines, as they stand there
awk '/^\.Bd/ && asked { shown = 1; next } /^\.Ed/ { if (shown) exit } shown; /what to type/ { asked = 1 }' "$top/man/netprobe-policy.8" >"$work/lines"
same "lines in the manual" "$(grep -c '^netprobe policy ' "$work/lines")" "$(wc -l <"$work/lines")"
# typed WORD: the line of that subcommand
typed() {
	local line
	line=$(grep "^netprobe policy $1\b" "$work/lines") || die "no policy $1 in the manual"
	eval "\"\$NETPROBE\"${line#netprobe}" >"$work/$1.out" 2>"$work/$1.err"
}
# shows WORD TEXT: in what it prints, a line has that
shows() { grep -Eq -- "$2" "$work/$1.out" || { cat "$work/$1.out"; die "policy $1 does not show: $2"; }; }

say "whose address is it?"
typed pods || die "policy pods"
shows pods '^shop/db +10\.244\.1\.7\b'
say "does anybody enforce policies?"
typed cni || die "policy cni"
shows cni kube-router
say "what do they say?"
typed explain || die "policy explain"
shows explain '^Verdict: deny\.$'
shows explain 'ingress\[0\]\.from\[0\], pods with app=api in namespace shop: it has app=web$'
say "which rules?"
! in_pod web ncat -w 1 -z 10.244.1.7 5432 2>/dev/null || die "it is not refused"
typed rules || die "policy rules"
shows rules '^ *1 reject +ip filter KUBE-POD-FW-DDDD .* pod shop/db$'
shows rules '^ *0 target +ip filter KUBE-NWPLCY-DDDD .* policy shop/db '
say "what becomes of each?"
(typed watch) &
until_true 20 grep -q 'listening on' "$work/watch.err" || die "policy watch does not start"
! in_pod web ncat -w 1 -z 10.244.1.7 5432 2>/dev/null || die "it is not refused"
until_true 10 grep -q . "$work/watch.out" || die "policy watch tells nothing"
shows watch ' DROP  shop/web 10\.244\.1\.2\.[0-9]+ > shop/db 10\.244\.1\.7\.5432 tcp: '
shows watch ', by ip filter KUBE-POD-FW-DDDD .rule to REJECT traffic destined for POD name:db namespace: shop. '
shows watch '; policies deny \(shop/db\)$'
