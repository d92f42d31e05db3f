#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy rules, policy cni: rules as Calico and kube-router write them, by nf_tables and by iptables-legacy, and plain
# ones: whose they are, what they mean, and as many packets as were sent.
. "$(dirname "$0")/lib.sh"
need nft
need iptables-nft-restore
need iptables-legacy-restore
need jq
pair
mount -t tmpfs none /var/lib
mkdir -p /var/lib/cni/results
id=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >/var/lib/cni/results/net-$id-eth0 <<J
{"kind":"cniCacheV1","containerId":"$id","ifName":"eth0","networkName":"net","cniArgs":[["K8S_POD_NAME","backend"],
 ["K8S_POD_NAMESPACE","shop"],["K8S_POD_UID","7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01"]],
 "result":{"interfaces":[{"name":"cali1cea4782700"}],"ips":[{"address":"10.9.0.7/32"}]}}
J

# rules WORDS...: JSON lines
rules() { "$NETPROBE" -j policy rules "$@" 2>"$work/rules.err"; }
# has DESCRIPTION FILTER: one record of all rules fits
has() {
	rules --all >"$work/all" || die "policy rules: exit status $?"
	jq -se "[.[].filter | select($2)] | length == 1" <"$work/all" >/dev/null || { jq -c .filter "$work/all"; die "$1"; }
}
engine() {
	"$NETPROBE" -j policy cni >"$work/cni" 2>"$work/cni.err" || die "policy cni: exit status $?"
	[ "$(jq -r '.cni | "\(.enforcer) \(.filters // [] | join(","))"' "$work/cni")" = "$1" ] || { cat "$work/cni"; die "not $1"; }
}
# Packets that are dropped or refused: all of them get no answer.
send() { there ping -qnc "$1" -i 0.01 -W 0.1 "$2" >/dev/null 2>&1 && die "$2 answers" || :; }

say "nothing"
rules >"$work/out"
[ ! -s "$work/out" ] || die "rules where there are none"
grep -q 'has none' "$work/rules.err" || die "that there are none is not said"
engine 'none '

say "plain rules of nft: nobody's, by their comment"
nft -f - <<'N'
table inet by_hand {
	chain in { type filter hook input priority filter; policy accept;
		ip saddr 10.9.0.2 icmp type echo-request counter drop comment "no pings\x1b[31m"
		tcp dport 81 counter reject
		iifname "here" udp dport 9 counter jump more
	}
	chain more { counter return; }
	chain end { type filter hook forward priority 10; policy drop; }
}
N
send 7 10.9.0.1
has "the drop is not told" '.table == "by_hand" and .verdict == "drop" and .packets == 7 and .owner == "none" and .handle > 0'
has "nor the reject" '.verdict == "reject" and .packets == 0'
has "nor what a chain does in the end" '.chain == "end" and .hook == "forward" and .priority == 10 and .verdict == "drop" and (has("handle") | not)'
has "nor a jump" '.verdict == "jump" and .target == "more"'
"$NETPROBE" policy rules >"$work/lines" 2>"$work/lines.err"
LC_ALL=C grep -q "$(printf '\033')" "$work/lines" && die "an escape sequence of a comment is printed"
grep -q 'no pings' "$work/lines" || die "the comment is not shown"
engine 'none '
nft delete table inet by_hand

# What Calico writes (names and comments; what is compared is ours): end of a tier, a policy, a profile.
calico() {
	cat <<I
*filter
:cali-INPUT - [0:0]
:cali-tw-cali1cea4782700 - [0:0]
:cali-pi-_nKybf3g3Gytg_61FH5N - [0:0]
-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -i here -p $1 -j cali-INPUT
-A cali-INPUT -m comment --comment "cali:aaaaaaaaaaaaaaaa" -g cali-tw-cali1cea4782700
-A cali-tw-cali1cea4782700 -m comment --comment "cali:bbbbbbbbbbbbbbbb" -m comment --comment "Start of tier default" -j MARK --set-xmark 0x0/0x20000
-A cali-tw-cali1cea4782700 -m comment --comment "cali:cccccccccccccccc" -j cali-pi-_nKybf3g3Gytg_61FH5N
-A cali-tw-cali1cea4782700 -m comment --comment "cali:dddddddddddddddd" -m comment --comment "End of tier default. Drop if no policies passed packet" -j DROP
-A cali-pi-_nKybf3g3Gytg_61FH5N -m comment --comment "cali:eeeeeeeeeeeeeeee" -m comment --comment "Policy default/knp.default.allow-frontend-to-backend ingress" -p tcp -j ACCEPT
COMMIT
I
}
deny='.owner == "calico" and .meaning == "default-deny" and .direction == "ingress" and .verdict == "drop" and
	.pod == "shop/backend" and .interface == "cali1cea4782700"'
policy='.owner == "calico" and .meaning == "policy" and .policy == "default/allow-frontend-to-backend" and .direction == "ingress" and .verdict == "accept"'
for via in nft legacy; do
	say "Calico's rules by iptables-$via"
	[ $via = nft ] && name=nf_tables || name=legacy
	calico icmp | iptables-$via-restore
	calico ipv6-icmp | sed 's/cali-pi-_nKybf3g3Gytg_61FH5N/cali-pi-six/' | ip6tables-$via-restore
	send 5 10.9.0.1
	has "the end of the tier, IPv4" "$deny and .via == \"$name\" and .family == \"ip\" and .packets == 5"
	has "the policy" "$policy and .via == \"$name\" and .family == \"ip\""
	has "the end of the tier, IPv6" "$deny and .via == \"$name\" and .family == \"ip6\""
	engine "calico $name"
	rules 10.9.0.7 | jq -se 'length > 1 and all(.[].filter; .pod == "shop/backend")' >/dev/null || die "an address finds no rules"
	rules default/allow-frontend-to-backend >"$work/out" || die "a policy finds no rules"
	rules nobody/here >"$work/out" && die "a name of nobody passes"
	grep -q 'nobody/here: no rule' "$work/rules.err" || die "a name of nobody is not said"
	for x in iptables ip6tables; do $x-$via -F; $x-$via -X; done
done

say "kube-router's, which refuses"
iptables-nft-restore <<'I'
*filter
:KUBE-ROUTER-INPUT - [0:0]
:KUBE-POD-FW-AAAABBBBCCCCDDDD - [0:0]
:KUBE-NWPLCY-EEEEFFFFGGGGHHHH - [0:0]
-A INPUT -i here -m comment --comment "kube-router netpol - AAAA" -j KUBE-ROUTER-INPUT
-A KUBE-ROUTER-INPUT -p icmp -j KUBE-POD-FW-AAAABBBBCCCCDDDD
-A KUBE-POD-FW-AAAABBBBCCCCDDDD -j KUBE-NWPLCY-EEEEFFFFGGGGHHHH
-A KUBE-POD-FW-AAAABBBBCCCCDDDD -m comment --comment "rule to REJECT traffic destined for POD name:backend namespace: shop" -m mark ! --mark 0x10000/0x10000 -j REJECT
-A KUBE-NWPLCY-EEEEFFFFGGGGHHHH -p tcp -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name web namespace shop" -j MARK --set-xmark 0x10000/0x10000
COMMIT
I
send 4 10.9.0.1
has "the pod's end" '.owner == "kube-router" and .meaning == "default-deny" and .verdict == "reject" and .pod == "shop/backend" and .packets == 4'
has "the policy" '.owner == "kube-router" and .meaning == "policy" and .policy == "shop/web"'
engine "kube-router nf_tables"
"$NETPROBE" policy rules shop/web >"$work/lines"
grep -q 'kube-router policy shop/web' "$work/lines" || { cat "$work/lines"; die "the line"; }

say "what no hook comes to, or what is switched off, enforces nothing; nor what only has a name or a text"
iptables-nft -F INPUT
engine 'none '
has "the end that is left over" '.meaning == "default-deny" and .owner == "kube-router" and .reached == false'
iptables-nft -A INPUT -j KUBE-ROUTER-INPUT
engine 'kube-router nf_tables'
nft 'add table ip filter { flags dormant; }'
engine 'none '
nft 'add table ip filter { flags ; }' 2>/dev/null || nft delete table ip filter
nft flush ruleset
nft -f - <<'N'
table inet filter {
	chain CILIUM_mine { type filter hook input priority 0; counter; }
	chain KUBE-POD-FW-X { type filter hook forward priority 0; counter drop comment "rule to REJECT traffic destined for POD name:backend namespace: shop"; }
}
table inet calico {
	chain cali-INPUT { type filter hook input priority 0; counter; }
}
N
iptables-nft -N USER
iptables-nft -A INPUT -j USER
iptables-nft -A USER -m comment --comment "cali:x" -m comment --comment "Policy shop/knp.default.web ingress" -p udp --dport 9 -j DROP
iptables-nft -A USER -m comment --comment "rule to REJECT traffic destined for POD name:backend namespace: shop" -p udp --dport 10 -j ACCEPT
engine 'none '
rules --all | jq -se 'all(.[].filter; has("policy") or has("pod") | not)' >/dev/null || { rules --all | jq -c .filter; die "a text by hand names a policy or pod"; }
iptables-nft -F

say "a conversation of ebtables, ports by a map and of a range, verdicts behind others"
nft flush ruleset
ebtables-nft -A FORWARD -p ip --log -j DROP 2>/dev/null && has "a drop behind a log" '.family == "bridge" and .verdict == "drop"'
nft flush ruleset
nft -f - <<'N'
table ip nat {
	map ports { type inet_service : inet_service; elements = { 80 : 9090 }; }
	chain a { ip protocol tcp meta mark set 0x00009e3a redirect to :tcp dport map @ports; }
	chain b { ip protocol tcp redirect to :8000-8010; }
	chain c { tcp dport 81 redirect to :9091; }
}
N
rules --all | jq -se '[.[].filter | select(.verdict == "redirect") | .to_port] == [null, null, 9091]' >/dev/null ||
	{ rules --all | jq -c .filter; die "ports that are not known"; }

say "read alone: nothing is changed, and without the privilege that is said"
nft list ruleset >"$work/before"
rules --all >/dev/null
"$NETPROBE" policy cni >/dev/null 2>&1
nft list ruleset | cmp -s - "$work/before" || die "the rules are others"
rc=0
setpriv --bounding-set -net_admin --inh-caps -net_admin "$NETPROBE" policy rules >"$work/out" 2>"$work/caps.err" || rc=$?
[ $rc = 5 ] || die "without CAP_NET_ADMIN: exit status $rc"
grep -q CAP_NET_ADMIN "$work/caps.err" || die "the capability is not named"
rc=0
setpriv --bounding-set -net_admin --inh-caps -net_admin "$NETPROBE" policy cni >"$work/out" 2>"$work/caps.err" || rc=$?
[ $rc = 5 ] || die "cni without it: exit status $rc"
grep -q 'Policy engine   not known' "$work/out" || { cat "$work/out"; die "what was not looked at is told as none"; }

say "another network namespace, a sidecar's rules in it"
there nft -f - <<'N'
table ip nat {
	chain PREROUTING { type nat hook prerouting priority dstnat; tcp dport != 22 counter jump ISTIO_INBOUND; }
	chain ISTIO_INBOUND { counter jump ISTIO_IN_REDIRECT; }
	chain ISTIO_IN_REDIRECT { meta l4proto tcp counter redirect to :15006; }
	chain OUTPUT { type nat hook output priority -100; counter jump ISTIO_OUTPUT; }
	chain ISTIO_OUTPUT { meta skuid 1337 counter return; }
}
N
"$NETPROBE" -N there -j policy rules --all >"$work/all" || die "in another namespace: exit status $?"
jq -se '[.[].filter | select(.owner == "istio" and .meaning == "mesh" and .verdict == "redirect" and .to_port == 15006 and .direction == "ingress")] | length == 1' "$work/all" >/dev/null ||
	{ jq -c .filter "$work/all"; die "the redirect to a sidecar"; }
jq -se '[.[].filter | select(.uid == 1337)] | length == 1' "$work/all" >/dev/null || die "the sidecar's user"
