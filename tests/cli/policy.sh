#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# netprobe policy: exit statuses, the order and form of answers, what is refused.
set -eu
cd "$(dirname "$0")/../.."
np=$PWD/${NETPROBE:-build/netprobe}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rc=0
bad() { echo "$*"; rc=1; }
# status WANTED COMMAND...
status() {
	wanted=$1 got=0
	shift
	"$np" policy "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ "$got" = "$wanted" ] || { bad "policy $*: exit status $got, not $wanted"; cat "$tmp/err"; }
}
shop=tests/policy/shop.yaml
allow='shop/web shop/db 5432/TCP' deny='shop/web shop/db 22/TCP'

status 0 check $shop
[ ! -s "$tmp/out" ] || bad "a mistake in $shop"
status 1 check tests/policy/mistakes.yaml
status 1 check tests/policy/mistakes.json
status 2 check
status 1 check /nonexistent
grep -q /nonexistent "$tmp/err" || bad "the file is not named"
status 0 test --policies $shop "$allow" "$deny"
status 0 test --policies $shop --exit-code "$allow"
status 1 test --policies $shop --exit-code "$allow" "$deny"
status 2 test "$allow"
status 2 test --policies $shop
status 2 test --policies $shop 'shop/web shop/db 80/ICMP'
status 2 test --policies $shop 'shop/web shop/db 0/TCP'
status 2 test --policies $shop nothing
status 1 test --policies tests/policy/mistakes.yaml "$allow"
[ ! -s "$tmp/out" ] || bad "a verdict without all of the objects"
status 2 bogus
status 0 test --policies $shop shop/web shop/db sql
status 0 explain "$deny" --policies $shop
grep -q '^Verdict: deny\.$' "$tmp/out" || bad "explain ends without a verdict"

# Answers come in the order of the questions, each with what was asked.
printf '%s\n' "$deny" '# a comment' '' "$allow" '10.244.2.2 shop/db 5432' 'shop/nobody shop/db 5432/tcp' |
	"$np" -j policy test --policies $shop - >"$tmp/out" || bad "flows from standard input: exit status $?"
jq -r '[.from, .to, .port, .protocol, .verdict, (.policies | join(",")), .egress.verdict, .ingress.verdict] | join(" ")' \
	"$tmp/out" >"$tmp/got"
cat >"$tmp/wanted" <<'W'
shop/web shop/db 22 TCP deny shop/db,shop/default-deny allow deny
shop/web shop/db 5432 TCP allow shop/db allow allow
10.244.2.2 shop/db 5432 TCP allow shop/db allow allow
shop/nobody shop/db 5432 TCP unknown shop/db,shop/default-deny unknown unknown
W
diff -u "$tmp/wanted" "$tmp/got" || rc=1
printf '%s\n' "$allow" 'what?' | "$np" policy test --policies $shop - >"$tmp/out" 2>"$tmp/err" && bad "a line that is no flow passes"
grep -q 'line 2' "$tmp/err" || bad "the line is not named"
# Objects from standard input; JSON and YAML and several files are the same.
"$np" policy test --policies - "$allow" <$shop | grep -q '^allow' || bad "objects from standard input"
python3 tests/bench/mkcluster.py 40 20 >"$tmp/c.json"
"$np" -j policy test --policies "$tmp/c.json" --matrix 8080/TCP >"$tmp/a"
jq -c '.items[] | select(.kind == "NetworkPolicy")' "$tmp/c.json" >"$tmp/p.jsonl"
jq '{kind: "PodList", items: [.items[] | select(.kind == "Pod") | del(.kind, .apiVersion)]}' "$tmp/c.json" >"$tmp/pods.json"
jq '[.items[] | select(.kind == "Namespace")]' "$tmp/c.json" >"$tmp/ns.json"
"$np" -j policy test --policies "$tmp/ns.json" --policies "$tmp/pods.json" "$tmp/p.jsonl" --matrix 8080/TCP >"$tmp/b"
[ "$(wc -l <"$tmp/a")" = 1560 ] || bad "the matrix has $(wc -l <"$tmp/a") pairs"
cmp "$tmp/a" "$tmp/b" || bad "the same objects in other forms give other verdicts"
# A name that would move the cursor does not.
printf 'kind: Pod\nmetadata: {name: "a\\e[31mb", namespace: x}\nspec: {containers: []}\n' >"$tmp/esc.yaml"
"$np" policy explain 'x/c x/d 80' --policies "$tmp/esc.yaml" >"$tmp/out"
"$np" policy test --matrix 80 --policies "$tmp/esc.yaml" >>"$tmp/out"
! grep -q "$(printf '\033')" "$tmp/out" || bad "an escape sequence comes out"
# What -j and -p print is what the schema says: each member is one of its, and of its type.
# shellcheck disable=SC2016
as_schema='def ok($s): if $s.enum then . as $v | $s.enum | index([$v]) != null
	elif $s.type == "string" then type == "string"
	elif $s.type == "integer" then type == "number"
	elif $s.type == "array" then type == "array" and all(.[]; ok($s.items))
	else . as $o | type == "object" and all($s.required[]; . as $r | $o | has($r)) and
		all(to_entries[]; .key as $k | $s.properties[$k] as $p | $p != null and (.value | ok($p))) end;
	ok($schema[0])'
"$np" schema policy.test >"$tmp/test.schema"
"$np" schema policy.check >"$tmp/check.schema"
office='--policies tests/policy/office.yaml --policies tests/policy/shop.yaml'
# shellcheck disable=SC2086
"$np" -j policy explain $office "$allow" "$deny" '10.244.9.9 shop/db 80' 'monitoring/prometheus system/dns 53/UDP' >"$tmp/out"
for what in test check; do
	[ $what = test ] || "$np" -j policy check tests/policy/mistakes.yaml >"$tmp/out" 2>/dev/null || :
	jq -e --slurpfile schema "$tmp/$what.schema" "$as_schema" "$tmp/out" >"$tmp/verdicts" || :
	[ -s "$tmp/verdicts" ] && ! grep -qv true "$tmp/verdicts" || bad "$what: not all as the schema says"
done
jq -e 'select(.verdict == "unknown") | .missing | contains("10.244.9.9")' >/dev/null <<J || bad "what is missing is not told"
$("$np" -j policy test --policies $shop '10.244.9.9 shop/db sql' --policies tests/policy/office.yaml)
J
# One document of the same objects.
"$np" -p policy test --policies $shop "$allow" "$deny" >"$tmp/pretty"
"$np" -j policy test --policies $shop "$allow" "$deny" >"$tmp/lines"
jq -c '.[]' "$tmp/pretty" | cmp - "$tmp/lines" || bad "-p prints something else than -j"
[ "$(wc -l <"$tmp/pretty")" -gt 40 ] || bad "-p is not indented"
status 0 -p check $shop
[ "$(cat "$tmp/out")" = '[]' ] || bad "-p of no mistake is no document"
for option in '--csv' '-o verdict' '-4' '-H' '--time utc'; do
	# shellcheck disable=SC2086
	status 2 $option test --policies $shop "$allow"
done
# What fits nothing, at its place.
cat >"$tmp/idle.yaml" <<'Y'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: idle, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: gone}}
    ports:
    - port: sequel
    - port: 3306
Y
status 0 check $shop "$tmp/idle.yaml"
sed 's/^[^:]*://' "$tmp/out" >"$tmp/got"
cat >"$tmp/wanted" <<'W'
8:7: note: NetworkPolicy shop/idle: spec.ingress[0].from[0] selects no pod
10:7: note: NetworkPolicy shop/idle: spec.ingress[0].ports[0] the pod that may be called has no port sequel/TCP
11:7: note: NetworkPolicy shop/idle: spec.ingress[0].ports[1] the pod that may be called has no port 3306/TCP among those that its containers declare
W
diff -u "$tmp/wanted" "$tmp/got" || rc=1
# Behind a rule of an admin policy that surely decides nobody asked the NetworkPolicies, also where an earlier rule may
# fit; and that rule is told however many stand before it.
cat >"$tmp/admin.yaml" <<'Y'
kind: List
apiVersion: v1
items:
- {kind: Namespace, metadata: {name: a}}
- {kind: Pod, metadata: {name: p, namespace: a}, spec: {containers: []}, status: {podIP: 10.0.0.1}}
- {kind: Pod, metadata: {name: q, namespace: b}, spec: {containers: []}, status: {podIP: 10.0.0.2}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: a}
spec: {podSelector: {}, policyTypes: [Egress]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: many}
spec:
  priority: 1
  subject: {namespaces: {}}
  egress:
Y
for n in $(seq 40); do echo "  - {action: Allow, to: [{networks: [192.0.2.$n/32]}]}"; done >>"$tmp/admin.yaml"
cat >>"$tmp/admin.yaml" <<'Y'
  - {action: Allow, to: [{namespaces: {matchLabels: {team: x}}}]}
  - {action: Deny, to: [{namespaces: {}}]}
Y
status 0 explain 'a/p b/q 80' --policies "$tmp/admin.yaml"
grep -q '^      egress\[40\].to\[0\] may fit, and then allows it' "$tmp/out" || bad "a rule that may fit is not told"
grep -q '^      egress\[41\].to\[0\] denies it' "$tmp/out" || bad "the rule that decides is not told"
grep -q '^      and 8 more rules that do not fit' "$tmp/out" || bad "rules are left out in silence"
! grep -q 'a/all' "$tmp/out" || bad "a policy that was not asked is told of"
grep -q '^Verdict: unknown: namespace b' "$tmp/out" || bad "what is not known is not told"
# In a terminal that is too narrow the matrix comes in parts, which together are the whole.
python3 tests/bench/mkcluster.py 30 20 >"$tmp/c.json"
"$np" policy test --policies "$tmp/c.json" --matrix 8080 >"$tmp/whole"
if command -v script >/dev/null; then
	script -qec "stty cols 50; $np policy test --policies $tmp/c.json --matrix 8080" /dev/null </dev/null |
		tr -d '\r' >"$tmp/parts"
	! grep -qE '^.{51}' "$tmp/parts" || [ "$(awk 'length > 50' "$tmp/parts" | wc -l)" = 1 ] || bad "wider than the terminal"
	awk '$1 ~ /^[0-9]+$/ && NF == 3 { row[$1] = row[$1] $2; name[$1] = $3 }
		END { for (i = 1; i in row; i++) printf "%4d %s %s\n", i, row[i], name[i] }' "$tmp/parts" >"$tmp/joined"
	grep -E '^ *[0-9]+ [-.X?]+ ' "$tmp/whole" | cmp - "$tmp/joined" || bad "the parts are not the whole"
fi
# What waits for more of a capture sleeps.
asleep() { # PID: for a while without a break
	n=0 i=0
	while [ $n -lt 3000 ] && [ $i -lt 30000 ]; do
		i=$((i + 1))
		read -r stat <"/proc/$1/stat" || return
		case ${stat##*) } in S*) n=$((n + 1)) ;; *) n=0 ;; esac
	done
	[ $n = 3000 ]
}
capture=tests/golden/arp-icmp.pcap
mkfifo "$tmp/pipe"
"$np" policy test --policies $shop -r - <"$tmp/pipe" >"$tmp/out" 2>"$tmp/piped" &
exec 9>"$tmp/pipe"
head -c 200 $capture >&9
asleep $! || bad "waiting for a capture takes processor time"
tail -c +201 $capture >&9
exec 9>&-
wait $! || bad "a capture that comes in pieces: exit status $?"
"$np" policy test --policies $shop -r - <$capture >"$tmp/out" 2>"$tmp/whole" || bad "a capture from standard input"
"$np" policy explain --policies $shop -r $capture >"$tmp/out" 2>/dev/null || bad "explain of a capture"
diff -u "$tmp/whole" "$tmp/piped" || bad "a capture that comes in pieces reads differently"

exit $rc
