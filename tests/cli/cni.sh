#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# policy cni: what a copy of a node's files tells of its network, and what it does not.
set -eu
cd "$(dirname "$0")/../.."
np=$PWD/${NETPROBE:-build/netprobe}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rc=0
bad() { echo "$*"; rc=1; }
# node DIR PLUGIN PATH ENFORCER: what is told, "-" where nothing is
node() {
	dir=$1
	shift
	"$np" -j policy cni --root "$dir" >"$tmp/out" 2>"$tmp/err" || bad "$dir: exit status $?"
	got=$(jq -r '.cni | [.plugin, .path, .enforcer] | map(. // "-") | join(" ")' "$tmp/out")
	[ "$got" = "$*" ] || { bad "$dir: $got, not $*"; cat "$tmp/out"; }
}
# conf NAME FILE TEXT
conf() { mkdir -p "$tmp/$1/etc/cni/net.d" && echo "$3" >"$tmp/$1/etc/cni/net.d/$2"; }

node tests/node cni-plugin bridge -
jq -e '.cni.type == "bridge" and .cni.network == "pods" and (.cni | has("bridge_filtered") | not)' "$tmp/out" >/dev/null ||
	bad "the configuration's words"
"$np" policy cni --root tests/node >"$tmp/out"
grep -q 'not known: not all that could tell was looked at' "$tmp/out" || bad "no rules are told as no enforcer"

conf calico 10-calico.conflist '{"name":"k8s-pod-network","plugins":[{"type":"calico"},{"type":"portmap"}]}'
node "$tmp/calico" calico routed calico
jq -e '.cni.enforcer_by == "configuration"' "$tmp/out" >/dev/null || bad "how that is known"
mkdir -p "$tmp/calico/sys/fs/bpf/tc/globals/cali_counters6"
node "$tmp/calico" calico ebpf calico
jq -e '.cni.enforcer_by == "pin" and (.cni.evidence | index("/sys/fs/bpf/tc/globals/cali_counters6"))' "$tmp/out" >/dev/null ||
	{ bad "the pin"; cat "$tmp/out"; }

conf cilium 05-cilium.conflist '{"name":"cilium","plugins":[{"type":"cilium-cni"}]}'
conf cilium 10-flannel.conflist '{"name":"cbr0","plugins":[{"type":"flannel"}]}'
mkdir -p "$tmp/cilium/sys/fs/bpf/tc/globals/cilium_ipcache_v2" "$tmp/cilium/run/cilium/cilium.sock"
node "$tmp/cilium" cilium ebpf cilium
conf flannel 10-flannel.conflist '{"name":"cbr0","plugins":[{"type":"flannel"}]}'
mkdir -p "$tmp/flannel/run/flannel/subnet.env"
node "$tmp/flannel" flannel bridge -
conf broken 10-a.conflist '{"plugins":'
conf broken 20-b.conf '{"type":"ptp","name":"b"}'
node "$tmp/broken" cni-plugin routed -
grep -q '1 not understood' "$tmp/err" || bad "a broken configuration is not counted"
mkdir "$tmp/empty"
node "$tmp/empty" none - -

# Text of a stranger's.
conf evil 10-e.conf "$(printf '{"type":"x\\u001b[31m","name":"n\\u202e"}')"
"$np" policy cni --root "$tmp/evil" >"$tmp/out" 2>&1
! LC_ALL=C grep -q "$(printf '\033')" "$tmp/out" || bad "an escape sequence is printed"
! grep -q "$(printf '\342\200\256')" "$tmp/out" || bad "a text is turned round"

# Policies that nobody enforces are counted, where they could be read.
"$np" policy cni --root "$tmp/calico" --policies tests/policy/shop.yaml >"$tmp/out" 2>&1 || bad "with objects: exit status $?"
: >"$tmp/none.json"
for objects in tests/policy/mistakes.yaml "$tmp/none.json"; do
	got=0
	"$np" policy cni --root "$tmp/calico" --policies "$objects" >"$tmp/out" 2>&1 || got=$?
	[ $got = 1 ] || bad "$objects: exit status $got"
	grep -q '^Policy engine' "$tmp/out" || bad "$objects: no answer"
done
got=0
"$np" policy rules --policies tests/policy/shop.yaml >"$tmp/out" 2>&1 || got=$?
[ $got = 2 ] || bad "rules with objects: exit status $got"
got=0
"$np" policy cni word >"$tmp/out" 2>&1 || got=$?
[ $got = 2 ] || bad "cni with a word: exit status $got"
exit $rc
