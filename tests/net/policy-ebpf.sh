#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy rules, policy cni: maps as agents of Cilium and Calico pin them, made by bpftool: whose they are,
# in words, with counts.
. "$(dirname "$0")/lib.sh"
need bpftool
need jq
need ncat
pair
mount -t bpf bpf /sys/fs/bpf
mkdir -p /sys/fs/bpf/tc/globals
mount -t tmpfs none /var/lib
mkdir -p /var/lib/cni/results
pins=/sys/fs/bpf/tc/globals
id=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >/var/lib/cni/results/net-$id-eth0 <<J
{"kind":"cniCacheV1","containerId":"$id","ifName":"eth0","networkName":"net","cniArgs":[["K8S_POD_NAME","db"],
 ["K8S_POD_NAMESPACE","shop"],["K8S_POD_UID","7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01"]],
 "result":{"interfaces":[{"name":"lxc1cea4782700"}],"ips":[{"address":"10.9.0.7/32"}]}}
J
[ "$(printf '\1\0' | od -An -tu2 | tr -d ' ')" = 1 ] || skip "entries are written for a machine of little endian"

# map NAME TYPE KEY VALUE [FLAGS]; entry NAME KEY VALUE: bytes in hexadecimal
map() { bpftool map create "$pins/$1" type "$2" key "$3" value "$4" entries 1024 name test flags "${5:-0}"; }
# shellcheck disable=SC2086
entry() { bpftool map update pinned "$pins/$1" key hex $2 value hex $3; }
rules() { "$NETPROBE" -j policy rules "$@" >"$work/out" 2>"$work/rules.err"; }
# has DESCRIPTION FILTER: one record of those fits
has() { jq -se "[.[].filter | select($2)] | length == 1" <"$work/out" >/dev/null || { jq -c .filter "$work/out"; die "$1"; }; }
ifindex() { printf '%02x 00 00 00' "$(ip -j link show "$1" | jq ".[0].ifindex")"; }
zeros() { printf '00 %.0s' $(seq "$1"); }

say "an endpoint's rules, 1.17: shop/db lets 5678 to its port 443, and all out but for one"
map cilium_policy_v2_01234 lpm_trie 12 8 1
entry cilium_policy_v2_01234 "40 00 00 00  2e 16 00 00  00 06 01 bb" "00 00 c0 00  00 00 00 00"
entry cilium_policy_v2_01234 "28 00 00 00  01 00 00 00  00 00 00 00" "$(zeros 8)"
entry cilium_policy_v2_01234 "28 00 00 00  00 00 00 00  01 00 00 00" "$(zeros 8)"
entry cilium_policy_v2_01234 "3c 00 00 00  02 00 00 00  01 06 1f 90" "00 00 a1 00  00 00 00 00"
entry cilium_policy_v2_01234 "40 00 00 00  00 00 00 00  01 11 00 35" "27 11 c0 00  00 00 00 00"
map cilium_policystats lru_percpu_hash 12 16
entry cilium_policystats "d2 04 00 18  2e 16 00 00  00 06 01 bb" "07 00 00 00 00 00 00 00  bc 02 00 00 00 00 00 00"
cpus=$(bpftool -j map dump pinned $pins/cilium_policystats | jq '.[0].values | length')
ip link add lxc1cea4782700 type veth peer name its
map cilium_lxc hash 20 48
entry cilium_lxc "0a 09 00 07 $(zeros 12) 01 00 00 00" "$(ifindex lxc1cea4782700) 00 00 d2 04 $(zeros 24) 57 30 00 00 $(zeros 12)"
map cilium_ipcache_v2 lpm_trie 24 24 1
entry cilium_ipcache_v2 "40 00 00 00  00 00 00 01  0a 09 00 08 $(zeros 12)" "2e 16 00 00 $(zeros 20)"
entry cilium_ipcache_v2 "60 00 00 00  00 00 00 02  fd 09 $(zeros 14)" "2e 16 00 00 $(zeros 20)"
map cilium_metrics percpu_hash 8 16
entry cilium_metrics "85 01 10 00 01 00 00 00" "02 00 00 00 00 00 00 00  78 00 00 00 00 00 00 00"
entry cilium_metrics "85 01 20 00 01 00 00 00" "01 00 00 00 00 00 00 00  3c 00 00 00 00 00 00 00"
entry cilium_metrics "00 01 00 00 00 00 00 00" "09 00 00 00 00 00 00 00  09 00 00 00 00 00 00 00"
rules || die "policy rules: exit status $?"
mine='.via == "ebpf" and .owner == "cilium" and .table == "cilium_policy_v2_01234" and .chain == "endpoint 1234" and
	.pod == "shop/db" and .interface == "lxc1cea4782700"'
has "who is let in" "$mine and .verdict == \"accept\" and .meaning == \"policy\" and .direction == \"ingress\" and
	.match == \"from identity 5678 (10.9.0.8, fd09::/64), tcp port 443\" and .packets == 7 * $cpus and .bytes == 700 * $cpus"
has "the host" "$mine and .match == \"from the host\" and (has(\"packets\") | not)"
has "what is denied" "$mine and .verdict == \"drop\" and .direction == \"egress\" and .match == \"to the world, tcp ports 8080-8095\""
has "what goes to the proxy" "$mine and .verdict == \"redirect\" and .to_port == 10001 and .match == \"to anybody, udp port 53\""
has "the end" "$mine and .verdict == \"drop\" and .meaning == \"default-deny\" and .direction == \"ingress\""
has "what was dropped" ".table == \"cilium_metrics\" and .verdict == \"drop\" and .meaning == \"default-deny\" and
	.direction == \"ingress\" and .match == \"Policy denied\" and .packets == 3 * $cpus and .bytes == 180 * $cpus"
jq -se 'length == 6' <"$work/out" >/dev/null || { cat "$work/out"; die "others are told"; }
rules --all
has "that all may go out" "$mine and .match == \"to anybody\" and (has(\"meaning\") | not)"

say "names and addresses choose; people read the same"
rules shop/db || die "the pod has no rules"
jq -se 'length == 6 and all(.[].filter; .pod == "shop/db")' <"$work/out" >/dev/null || die "not the pod's"
rules 10.9.0.7 && rules lxc1cea4782700 || die "its address, or interface, finds none"
rules 10.9.0.8 && die "the peer's address finds the pod"
"$NETPROBE" policy rules >"$work/lines" 2>"$work/lines.err"
grep -Eq "^ +$((7 * cpus)) accept +ebpf cilium_policy_v2_01234 endpoint 1234 +cilium .*pod shop/db ingress from identity 5678" "$work/lines" ||
	{ cat "$work/lines"; die "the line"; }
grep -q 'drop .*what no rule decided' "$work/lines" || { cat "$work/lines"; die "the line of the end"; }

say "where they are evidence"
"$NETPROBE" -j policy cni >"$work/cni" 2>"$work/cni.err" || die "policy cni: exit status $?"
jq -e '.cni | .enforcer == "cilium" and any(.evidence[]; . == "maps of 1 endpoints, 5 rules, 2 addresses of peers")' "$work/cni" >/dev/null ||
	{ cat "$work/cni"; die "no evidence"; }

say "an earlier version's, beside it, which counts itself"
map cilium_policy_00042 hash 8 24
entry cilium_policy_00042 "2e 16 00 00  00 50 06 00" "00 00 01 00 00 00 00 00  05 00 00 00 00 00 00 00  2c 01 00 00 00 00 00 00"
rules || die "policy rules: exit status $?"
has "its rule" '.table == "cilium_policy_00042" and .verdict == "drop" and .packets == 5 and .bytes == 300 and
	.match == "from identity 5678 (10.9.0.8, fd09::/64), tcp port 80" and (has("pod") | not)'

say "its agent has names: of a pod that the node does not know, and of labels"
mkdir /run/cilium
cat >"$work/agent" <<'A'
#!/bin/sh
read -r _ path _
printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n'
case $path in
/v1/endpoint) echo '[{"id":42,"status":{"external-identifiers":{"k8s-namespace":"shop","k8s-pod-name":"cache"}}}]' ;;
/v1/identity) echo '[{"id":5678,"labels":["k8s:app=web","k8s:io.kubernetes.pod.namespace=shop"]}]' ;;
esac
A
chmod 755 "$work/agent"
# listen [COMMAND...]: who listens
listen() {
	"$@" ncat -lkU /run/cilium/cilium.sock -c "${answer:-$work/agent}" 2>"$work/ncat.log" &
	server=$!
	until_true 5 test -S /run/cilium/cilium.sock
}
silence() { kill "$server" && wait "$server" 2>/dev/null || :; rm -f /run/cilium/cilium.sock; }
listen
rules || die "policy rules: exit status $?"
has "the labels" '.table == "cilium_policy_00042" and .pod == "shop/cache" and
	.match == "from identity 5678 {app=web, namespace=shop} (10.9.0.8, fd09::/64), tcp port 80"'
rules shop/cache && jq -se 'length == 1' <"$work/out" >/dev/null || { cat "$work/out"; die "the pod of that name"; }
silence
chmod 777 /run/cilium
listen setpriv --reuid 65534 --clear-groups
rules || die "policy rules: exit status $?"
has "nobody is believed" '.table == "cilium_policy_00042" and (has("pod") | not)'
grep -q 'cilium.sock: .*not permitted' "$work/rules.err" || { cat "$work/rules.err"; die "and that is not said"; }
silence
answer='echo nonsense' listen
rules || die "policy rules: exit status $?"
grep -q 'cilium.sock: an answer that is not HTTP' "$work/rules.err" || { cat "$work/rules.err"; die "nonsense is not said"; }
silence
answer='sleep 60' listen
rules || die "policy rules: exit status $?"
grep -q 'cilium.sock: .*timed out' "$work/rules.err" || { cat "$work/rules.err"; die "silence is not said"; }
silence

say "another network namespace has none of them"
rules -N there || die "policy rules -N: exit status $?"
[ ! -s "$work/out" ] || die "maps of the node in a network namespace"

say "a form that is not known is named, and not read; the rest is"
map cilium_policy_v2_00077 lpm_trie 12 40 1
rules && die "exit status 0 without a map"
grep -q 'cilium_policy_v2_00077: not read: its values have 40 bytes' "$work/rules.err" || { cat "$work/rules.err"; die "it is not named"; }
has "the rest" "$mine and .match == \"from the host\""
rm $pins/cilium_policy_v2_00077

say "Calico: rules as its agent writes them down, counted by their ids"
rm $pins/*
ip link add cali1cea4782700 type veth peer name itsown
mkdir -p /run/calico/bpf/policy
cat >/run/calico/bpf/policy/cali1cea4782700_ingress_v4.json <<'J'
{"ifacename":"cali1cea4782700","hook":"tc egress","policyInfo":[{"inst":[183,1,0,0,0,0,0,0],"comments":["Start of tier default",
"Start of policy shop/knp.default.allow-web","Start of rule action:\"allow\"  protocol:{name:\"tcp\"}  rule_id:\"r1\"",
"Rule MatchID: 4660"]},{"inst":[149,0,0,0,0,0,0,0],"labels":["x"],"comments":["End of rule r1",
"End of policy shop/knp.default.allow-web","End of tier default: deny"]}],"error":""}
J
sed -i 's/lxc1cea4782700/cali1cea4782700/' /var/lib/cni/results/net-*
map cali_rule_ctrs2 percpu_hash 8 8
entry cali_rule_ctrs2 "34 12 00 00 00 00 00 00" "03 00 00 00 00 00 00 00"
entry cali_rule_ctrs2 "19 86 56 00 95 76 07 34" "02 00 00 00 00 00 00 00"
map cali_counters6 percpu_hash 8 216
entry cali_counters6 "$(ifindex cali1cea4782700) 01 00 00 00" "$(zeros 32) 02 00 00 00 00 00 00 00 $(zeros 176)"
rules || { cat "$work/rules.err"; die "policy rules: exit status $?"; }
mine='.via == "ebpf" and .owner == "calico" and .chain == "cali1cea4782700" and .interface == "cali1cea4782700" and
	.pod == "shop/db" and .direction == "ingress"'
has "the policy" "$mine and .table == \"cali1cea4782700_ingress_v4\" and .family == \"ip\" and .verdict == \"accept\" and
	.meaning == \"policy\" and .policy == \"shop/allow-web\" and .kind == \"NetworkPolicy\" and .handle == 4660 and
	.packets == 3 * $cpus and (has(\"bytes\") | not)"
has "the end of the tier" "$mine and .verdict == \"drop\" and .meaning == \"default-deny\" and .policy == \"default\" and
	.kind == \"Tier\" and .packets == 2 * $cpus"
has "what the interface dropped" "$mine and .table == \"cali_counters6\" and .verdict == \"drop\" and
	.match == \"dropped by policy\" and .packets == 2 * $cpus"
jq -se 'length == 3' <"$work/out" >/dev/null || { cat "$work/out"; die "others are told"; }
rules shop/allow-web && jq -se 'length == 1' <"$work/out" >/dev/null || { cat "$work/out"; die "the policy's name"; }
"$NETPROBE" -j policy cni >"$work/cni" 2>"$work/cni.err" || die "policy cni: exit status $?"
jq -e '.cni | .enforcer == "calico" and any(.evidence[]; . == "1 programs, 2 rules, 2 counters of rules")' "$work/cni" >/dev/null ||
	{ cat "$work/cni"; die "no evidence"; }
echo '{"policyInfo":[' >/run/calico/bpf/policy/cali1cea4782700_egress_v4.json
rules && die "exit status 0 with half a file"
grep -q '1 entries not understood' "$work/rules.err" || { cat "$work/rules.err"; die "half a file is not said"; }
rm /run/calico/bpf/policy/*

say "maps of another user, without the right to read those"
chown 1 $pins/*
setpriv --bounding-set=-dac_override,-dac_read_search "$NETPROBE" -j policy rules >"$work/out" 2>"$work/rules.err" &&
	die "exit status 0 without a right to read"
grep -q 'cali_.*Permission denied' "$work/rules.err" && grep -q 'run with sudo' "$work/rules.err" ||
	{ cat "$work/rules.err"; die "what helps is not said"; }
