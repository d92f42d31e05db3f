#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# policy pods: a node's files, those that are broken, hostile or out of reach, the words that choose, and kubectl.
set -eu
cd "$(dirname "$0")/../.."
np=$PWD/${NETPROBE:-build/netprobe}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rc=0
bad() { echo "$*"; rc=1; }
# status WANTED ARGUMENTS...: of policy pods
status() {
	wanted=$1 got=0
	shift
	"$np" policy pods "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ "$got" = "$wanted" ] || { bad "policy pods $*: exit status $got, not $wanted"; cat "$tmp/err"; }
}
has() { grep -qF -- "$1" "$tmp/out" || { bad "no '$1' in:"; cat "$tmp/out"; }; }

cp -r tests/node "$tmp/node"
results=$tmp/node/var/lib/cni/results
status 0 --root "$tmp/node"
[ "$(wc -l <"$tmp/out")" = 5 ] || { bad "not four pods:"; cat "$tmp/out"; }
has 'shop/web-0      10.244.1.2,fd00:1::2,192.168.7.2 veth0a1'
has 'system/proxy-x7 of-node'
grep -q '2 pods that ended' "$tmp/err" || bad "who ended is not counted"
status 0 --root "$tmp/node" --all
[ "$(grep -c '(ended)' "$tmp/out")" = 2 ] || bad "who ended is not told"

# Words.
for word in 10.244.1.2 fd00:1:0::2 192.168.7.2 veth0a1 7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01 a1a1a1a1a1a1; do
	status 0 --root "$tmp/node" "$word"
	[ "$(wc -l <"$tmp/out")" = 2 ] || bad "$word is not one pod"
	has shop/web-0
done
# An earlier pod of the name has ended.
for word in shop/web-0 web-0; do
	status 0 --root "$tmp/node" "$word"
	[ "$(grep -c '^shop/web-0' "$tmp/out")$(grep -c ended "$tmp/out")" = 21 ] || bad "$word is not two pods, of which one has ended"
done
status 0 --root "$tmp/node" system/
[ "$(wc -l <"$tmp/out")" = 3 ] || bad "system/ is not two pods"
status 1 --root "$tmp/node" web-0 192.0.2.7 shop/none
grep -q '192.0.2.7: no pod' "$tmp/err" || bad "an address of nobody passes"
grep -q 'shop/none: no pod' "$tmp/err" || bad "a name of nobody passes"
has shop/web-0
status 1 --root "$tmp/node" system
grep -q 'system/ is all of that namespace' "$tmp/err" || bad "a namespace is not told from a name"
for word in / '10.244.1.*' '[fd00::1]' a/b/c; do
	status 2 --root "$tmp/node" "$word"
done
status 1 --root "$tmp/nowhere"
grep -q "$tmp/nowhere" "$tmp/err" || bad "the directory is not named"
status 0 --root "$tmp"
grep -q 'no pods: is this a node' "$tmp/err" || bad "nothing is said where there is nothing"

# Objects: what they know of a pod of the node, others, and those of another uid, which are not it.
cat >"$tmp/pods.yaml" <<'Y'
kind: PodList
items:
- metadata: {name: web-0, namespace: shop, uid: 7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01, labels: {app: web}}
  spec: {nodeName: n1}
  status: {podIPs: [{ip: 10.244.1.2}]}
- metadata: {name: db-0, namespace: shop, uid: 00000000-3a55-4f1c-9c0e-5d0a8f5b1a01}
  status: {podIP: 10.244.7.7}
- metadata: {name: far, namespace: shop}
  spec: {nodeName: n2}
  status: {podIP: 10.244.2.2}
- {metadata: {name: done, namespace: shop}, status: {phase: Succeeded, podIP: 10.244.2.2}}
Y
status 0 --root "$tmp/node" --policies "$tmp/pods.yaml"
! grep -q shop/far "$tmp/out" || bad "a pod of another node is told unasked"
grep -q '1 pod of other nodes' "$tmp/err" || bad "and not counted"
has NODE
"$np" -j policy pods --all --root "$tmp/node" --policies "$tmp/pods.yaml" >"$tmp/out" 2>/dev/null || bad "with objects: exit status $?"
jq -se '[.[].pod | select(.name == "web-0" and .running)] | length == 1 and .[0].labels.app == "web" and .[0].node == "n1" and
	.[0].sources == ["cni", "runtime", "cgroup", "logs", "file"] and .[0].ip == ["10.244.1.2", "fd00:1::2", "192.168.7.2"]' \
	<"$tmp/out" >/dev/null || bad "a pod and its object are not one"
jq -se '[.[].pod | select(.name == "db-0") | .ip[0]] | sort == ["10.244.1.3", "10.244.7.7"]' <"$tmp/out" >/dev/null ||
	bad "two uids are one pod"
jq -se '[.[].pod | select(.name == "far")] | .[0].ip == ["10.244.2.2"]' <"$tmp/out" >/dev/null || bad "no pod of another node"
jq -se '[.[].pod | select(.name == "done")] | .[0].running == false' <"$tmp/out" >/dev/null || bad "who has ended runs"

# Files that are broken, too large, endless, of another kind, or lead out of the copy.
echo '{' >"$results/pods-broken-eth0"
head -c 1100000 /dev/zero >"$results/large"
mkfifo "$results/pipe"
ln -s /etc/passwd "$results/link"
ln -s loop "$results/loop"
mkdir "$results/directory"
status 0 --root "$tmp/node"
has shop/db-0
grep -q '1 not understood' "$tmp/err" || bad "a broken file is not counted"
grep -q 'left out' "$tmp/err" || bad "a large file is not counted"
! grep -q root: "$tmp/out" "$tmp/err" || bad "a link leads out of the copy"

# Text that would move a cursor, in each place that a stranger can write to.
evil=$(printf 'a\033]0;x\007b')
mkdir -p "$tmp/evil/var/log/pods/${evil}_p_7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01"
status 0 --root "$tmp/evil"
has 'a\x1b]0;x\x07b/p'
! LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]')" "$tmp/out" "$tmp/err" || bad "a control character is printed"

# kubectl, one of our own: what it is asked for; when it fails what it printed is not taken for all.
cat >"$tmp/kubectl" <<S
#!/bin/sh
echo "\$*" >"$tmp/asked"
cat "$tmp/pods.yaml"
[ ! -e "$tmp/fails" ]
S
chmod +x "$tmp/kubectl"
status 0 --root "$tmp/node" --kubectl="$tmp/kubectl" far
has shop/far
has kubectl
[ "$(cat "$tmp/asked")" = 'get pods --all-namespaces --output=json --request-timeout=60s' ] || bad "kubectl is asked for: $(cat "$tmp/asked")"
"$np" policy test --kubectl="$tmp/kubectl" 'shop/web-0 shop/far 80' >"$tmp/out" || bad "test by kubectl: exit status $?"
has allow
grep -q 'pods,namespaces,networkpolicies,services ' "$tmp/asked" || bad "policies are not asked for: $(cat "$tmp/asked")"
touch "$tmp/fails"
status 1 --root "$tmp/node" --kubectl="$tmp/kubectl"
grep -q 'status 1' "$tmp/err" || bad "that kubectl failed is not said"
"$np" policy test --kubectl="$tmp/kubectl" 'shop/web-0 shop/far 80' >"$tmp/out" 2>/dev/null && bad "half of the objects give a verdict"
[ ! -s "$tmp/out" ] || bad "half of the objects give an answer"
# What is no answer is none: an empty one, a refusal, one that is cut off; a kubectl that does not end is not waited for.
for text in '' '{"kind":"Status","status":"Failure","message":"pods is forbidden"}' '{"kind":"List","items":[{' '<html>'; do
	printf '#!/bin/sh\nprintf %%s %s\n' "'$text'" >"$tmp/kubectl"
	status 1 --root "$tmp/node" --kubectl="$tmp/kubectl"
	"$np" policy test --kubectl="$tmp/kubectl" '10.0.0.1 10.0.0.2 80' >"$tmp/out" 2>/dev/null && bad "'$text' gives a verdict"
	[ ! -s "$tmp/out" ] || bad "'$text' gives an answer"
done
printf '#!/bin/sh\necho "{\\"kind\\":\\"PodList\\",\\"items\\":[]}"\nls -l /proc/self/fd >%s\nexec >&-\nsleep 20\n' "$tmp/fds" >"$tmp/kubectl"
status 1 --root "$tmp/node" --kubectl="$tmp/kubectl"
grep -q 'does not end' "$tmp/err" || bad "a kubectl that does not end is waited for"
[ "$(grep -c -- '->' "$tmp/fds")" -le 4 ] || { bad "descriptors reach kubectl:"; cat "$tmp/fds"; }
status 1 --kubectl="$tmp/none"
grep -q "$tmp/none" "$tmp/err" || bad "a kubectl that is not there is not named"

# Without the right to read the files that is said, and by what it can be had.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp" "$tmp/node" && chmod 700 "$results"
	got=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$np" policy pods --root "$tmp/node" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ $got = 5 ] || bad "as nobody: exit status $got"
	grep -q 'results: .*Permission denied' "$tmp/err" || bad "what nobody may not read is not named"
	grep -q sudo "$tmp/err" || bad "and not how it can be had"
	has system/etcd-n1
fi
exit $rc
