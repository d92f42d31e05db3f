# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by every tests/net/*.sh.  The whole script runs in namespaces of its own;
# when it ends, however it ends, the kernel takes everything away.
#   NETPROBE   the binary under test (default build/netprobe)
#   INSPECT=1  open a shell inside the namespaces when a check fails

set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NETPROBE=${NETPROBE:-$top/build/netprobe}
TOOLS=${TOOLS:-$top/build/tests/tools}

skip() { echo "SKIP: $*"; trap - EXIT; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
if [ -z "${IN_NS:-}" ]; then
	exec env IN_NS=1 unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

work=$(mktemp -d)
chmod 755 "$work"
step="start"
on_exit() {
	local rc=$?
	if [ $rc -ne 0 ] && [ $rc -ne 77 ]; then
		echo "FAILED at: $step"
		for f in "$work"/*.err "$work"/*.log; do
			[ -s "$f" ] && { echo "── ${f##*/}"; tail -n 30 "$f"; }
		done
		[ -z "${INSPECT:-}" ] || bash -i
	fi
	umount -l "$work"/* 2>/dev/null || true
	rm -rf "$work"
	exit $rc
}
trap on_exit EXIT

say() { step=$*; }
die() { echo "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# pair: here (10.9.0.1, fd09::1) <-> eth0 in namespace "there" (10.9.0.2, fd09::2)
pair() {
	mount -t tmpfs none /run && mkdir -p /run/netns
	ip netns add there
	ip link add here type veth peer name eth0 netns there
	ip link set lo up
	ip addr add 10.9.0.1/24 dev here
	ip addr add fd09::1/64 dev here nodad
	ip link set here up
	ip -n there link set lo up
	ip -n there addr add 10.9.0.2/24 dev eth0
	ip -n there addr add fd09::2/64 dev eth0 nodad
	ip -n there link set eth0 up
	sysctl -qw net.ipv6.conf.here.router_solicitations=0 2>/dev/null || true
	until_true 3 ping -qc1 -W1 10.9.0.2 >/dev/null
}
there() { nsenter --net=/run/netns/there "$@"; }

# until_true SECONDS COMMAND...: poll, never just sleep.  The limit is a guard, not a measurement: it is
# stretched as far as this machine is slow (tests/calibrate).
until_true() {
	local n=$(($1 * 40 * ${NETPROBE_TEST_SCALE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.05
	done
}

# start NAME ARGS...: netprobe in the background; its output in NAME.out and NAME.err, its pid in $pid
start() {
	local name=$1
	shift
	: >"$work/$name.err"	# what it said before, under this name, does not count
	# Whoever runs the tests under nohup(1) must not have SIGHUP ignored in there.
	env --default-signal=HUP "$NETPROBE" "$@" >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	until_true 5 grep -q 'listening on\|counting on\|: count' "$work/$name.err" || { cat "$work/$name.err"; die "$name did not start"; }
}
# in_kernel NAME: what NAME counts is counted in the kernel, where that has tcx; 1: it has none
in_kernel() {
	: "${tcx:=$("$NETPROBE" attach features 2>"$work/features.err" | awk '$1 == "link_tcx" { print $2 }')}"
	[ "$tcx" = yes ] || return 1
	grep -q 'until this ends\|counted since' "$work/$1.err" || die "$1 does not count in the kernel"
}
# stop SIGNAL: end it; its exit status in $status
stop() {
	kill "-$1" "$pid"
	status=0
	# shellcheck disable=SC2034	# for the caller
	wait "$pid" || status=$?
}
# same WHAT GOT WANTED
same() { [ "$2" = "$3" ] || die "$1: got '$2', wanted '$3'"; }

# The ledger of NAME.err as shell words: seen= filtered= sampled= emitted= lost= read=
ledger() {
	sed -n 's/.*ledger: \([0-9]*\) seen = \([0-9]*\) filtered + \([0-9]*\) sampled + \([0-9]*\) emitted + \([0-9]*\) lost.*/seen=\1 filtered=\2 sampled=\3 emitted=\4 lost=\5/p' "$work/$1.err" | tail -1
	sed -n 's/.* emitted = \([0-9]*\) read + \([0-9]*\) waiting.*/read=\1 waiting=\2/p' "$work/$1.err" | tail -1
}

# ── conversations of real clients and servers, told by watch -j ─────────────

# Both families' addresses of "there", and one as it stands in a URI
both='10.9.0.2 fd09::2'
uri() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
# count NAME FILTER: how many records of NAME.out pass
count() { jq -s "[.[] | select($2)] | length" "$work/$1.out"; }
# settled NAME FILTER N: so many in the end, and no more
settled() {
	until_true 5 eval "[ \"\$(count '$1' '$2')\" -ge $3 ]" || true
	same "$1: $2" "$(count "$1" "$2")" "$3"
}
# answered NAME DATASET N: N requests, each with a response that says how long it took
answered() {
	settled "$1" ".event.dataset == \"$2\" and (.event.action == \"request\" or .event.action == \"query\" or .event.action == \"client_hello\")" "$3"
	settled "$1" ".event.dataset == \"$2\" and .event.duration > 0" "$3"
	same "$1: without an answer" "$(count "$1" '.event.action == "no_answer"')" 0
}

# ── a node, whose pods are namespaces ────────────────────────────────────────

node() {
	mount -t tmpfs none /run && mkdir -p /run/netns
	mount -t tmpfs none /var/lib && mkdir -p /var/lib/cni/results
	# This machine's would tell, a minute after they were made, that these pods have ended.
	mount -t tmpfs none /sys/fs/cgroup
	ip link set lo up
}
pod_uid() { printf '7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a%02d' "$1"; }
cni_result() { printf '/var/lib/cni/results/net-%064d-eth0' "$1"; }
# cni_told NUMBER NAME INTERFACE ADDRESS...: what the network plugin leaves of the pod shop/NAME
cni_told() {
	local ips
	ips=$(printf '{"address":"%s"},' "${@:4}")
	printf '{"kind":"cniCacheV1","containerId":"%064d","ifName":"eth0","networkName":"net","cniArgs":[["K8S_POD_NAME","%s"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_UID","%s"]],"result":{"interfaces":[{"name":"%s"}],"ips":[%s]}}' \
		"$1" "$2" "$(pod_uid "$1")" "$3" "${ips%,}" >/var/lib/cni/results/.new
	mv /var/lib/cni/results/.new "$(cni_result "$1")"
}
in_pod() { nsenter --net="/run/netns/$1" "${@:2}"; }

# The host routes, and is 192.0.2.1.
routing_node() {
	node
	ip addr add 192.0.2.1/32 dev lo
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0
}
# routed_pod NUMBER NAME [N]: at the interface to-NAME, of 10.244.1.N and fd44::N (NUMBER)
routed_pod() {
	local n=${3:-$1} mac
	ip netns add "$2"
	ip link add "to-$2" type veth peer name eth0 netns "$2"
	sysctl -qw "net.ipv4.conf.to-$2.send_redirects=0"
	ip link set "to-$2" up
	mac=$(ip -br link show "to-$2" | awk '{ print $3 }')
	ip -n "$2" link set lo up
	ip -n "$2" addr add "10.244.1.$n/32" dev eth0
	ip -n "$2" addr add "fd44::$n/128" dev eth0 nodad
	ip -n "$2" link set eth0 up
	ip -n "$2" neigh add 169.254.1.1 lladdr "$mac" dev eth0
	ip -n "$2" neigh add fe80::1 lladdr "$mac" dev eth0
	ip -n "$2" route add 169.254.1.1 dev eth0 scope link
	ip -n "$2" route add default via 169.254.1.1
	ip -n "$2" -6 route add default via fe80::1 dev eth0
	ip route add "10.244.1.$n/32" dev "to-$2"
	ip -6 route add "fd44::$n/128" dev "to-$2"
	cni_told "$1" "$2" "to-$2" "10.244.1.$n/32" "fd44::$n/128"
}
# gone NUMBER NAME: the pod at to-NAME
gone() { rm "$(cni_result "$1")"; ip link del "to-$2"; ip netns del "$2"; }
udp=$top/tests/tools/udp.py
