#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy watch: what each filter of a node drops is told once, by its reason, place and interface; what gets through is
# told as such.
. "$(dirname "$0")/lib.sh"
need jq
need nft
need iptables-nft-restore
need iptables-legacy-restore
need tcpdump
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

# Two pods, web and db, behind the routing host.
mount -t tmpfs none /run && mkdir -p /run/netns
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
n=0
for pod in web db; do
	n=$((n + 1))
	ip netns add $pod
	ip link add to-$pod type veth peer name eth0 netns $pod
	ip addr add 10.9.$n.1/24 dev to-$pod
	ip addr add fd09:$n::1/64 dev to-$pod nodad
	ip link set to-$pod up
	ip -n $pod link set lo up
	ip -n $pod addr add 10.9.$n.2/24 dev eth0
	ip -n $pod addr add fd09:$n::2/64 dev eth0 nodad
	ip -n $pod link set eth0 up
	ip -n $pod route add default via 10.9.$n.1
	ip -n $pod -6 route add default via fd09:$n::1
done
web() { nsenter --net=/run/netns/web "$@"; }
db() { nsenter --net=/run/netns/db "$@"; }
until_true 3 web ping -qc1 -W1 10.9.2.2 || die "no way from web to db"
until_true 3 web ping -qc1 -W1 fd09:2::2 || die "no way from web to db by IPv6"

# One port each: who drops it.
iptables-legacy-restore <<'R' || skip "no iptables-legacy here"
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -p tcp --dport 1001 -j DROP
COMMIT
R
iptables-nft-restore <<'R' || skip "no iptables-nft here"
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -p tcp --dport 1002 -j DROP
COMMIT
R
nft -f - <<'N'
table inet t {
	chain f { type filter hook forward priority 5; tcp dport 1003 drop; tcp dport 1007 reject with tcp reset; }
	chain o { type filter hook output priority 0; tcp dport 1008 drop; }
}
N
# shot PORT: classic BPF that tells tc to drop what goes to it
shot() {
	tcpdump -y EN10MB -ddd "tcp dst port $1" |
		sed '/^6 0 0 0$/ { s/0$/4294967295/; b; }; s/^6 0 0 [1-9][0-9]*$/6 0 0 2/' | paste -sd,
}
tc qdisc add dev to-web clsact
tc filter add dev to-web ingress bpf da bytecode "$(shot 1004)" || skip "no cls_bpf here"
tc qdisc add dev to-db clsact
tc filter add dev to-db egress bpf da bytecode "$(shot 1005)"
xdp=
if command -v xdp-filter >/dev/null && mount -t bpf none /sys/fs/bpf && xdp-filter load -m skb -f tcp to-web 2>/dev/null &&
	xdp-filter port -m dst -p tcp 1006 >/dev/null; then
	xdp=1006
fi

# connect FROM ADDRESS PORT: one attempt
connect() { "$1" timeout 0.4 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null || :; }
here() { "$@"; }
db ncat -lk 80 >/dev/null 2>&1 &
until_true 3 web ncat -w 1 -z 10.9.2.2 80 || die "db does not listen"

# told PORT FAMILY FILTER: the one record of a connection there
told() {
	local f=".event.dataset == \"policy\" and .destination.port == $1 and (.destination.ip | contains(\":\")) == $2"
	settled w "$f" 1
	jq -se "[.[] | select($f)] | .[0] | $3" <"$work/w.out" >/dev/null ||
		{ jq -c "select($f)" "$work/w.out"; die "port $1: not $3"; }
}

start w -j policy watch
for to in 10.9.2.2 fd09:2::2; do
	say "$to"
	connect web $to 80
	connect web $to 81
	connect web $to 1003
	connect web $to 1004
	connect web $to 1005
	connect web $to 1007
	connect here $to 1008
	connect here $to 80
	[ -z "$xdp" ] || connect web $to 1006
	case $to in *:*) continue ;; esac
	connect web $to 1001
	connect web $to 1002
done
echo -n x | web ncat -u -w1 10.9.2.2 53 >/dev/null 2>&1 || :
web ping -qc3 -i 0.01 10.9.2.2 >/dev/null

for v6 in false true; do
	say "IPv6: $v6"
	jq -se "[.[] | select(.event.dataset == \"policy\" and .destination.port == 80 and (.destination.ip | contains(\":\")) == $v6)]
		| length == 2 and all(.event.action == \"allow\" and .policy.answer == \"answered\")
		and ([.[] | .network.interface // \"-\"] | sort) == [\"-\", \"to-web\"] and all(.network.out_interface == \"to-db\")" \
		<"$work/w.out" >/dev/null || { jq -c 'select(.destination.port == 80)' "$work/w.out"; die "what is allowed"; }
	told 81 $v6 '.event.action == "allow" and .policy.answer == "refused"'
	drop='.event.action == "drop" and .policy.drops >= 1 and .drop.location != null'
	told 1003 $v6 "$drop and .drop.reason == \"NETFILTER_DROP\" and .drop.hook == \"nft\""
	told 1004 $v6 "$drop and .drop.reason == \"TC_INGRESS\" and .drop.hook == \"tc\" and .drop.interface == \"to-web\""
	told 1005 $v6 "$drop and .drop.reason == \"TC_EGRESS\" and .drop.hook == \"tc\" and .drop.interface == \"to-db\""
	told 1007 $v6 "$drop and .policy.answer == \"prohibited\""
	told 1008 $v6 "$drop and .drop.reason == \"NETFILTER_DROP\" and (.network.interface | not)"
	[ -z "$xdp" ] || told 1006 $v6 "$drop and .drop.hook == \"xdp\" and .drop.interface == \"to-web\""
done
told 1001 false "$drop and .drop.reason == \"NETFILTER_DROP\" and .drop.hook == \"iptables\" and .drop.location == \"nf_hook_slow\"
	and .rule.ruleset == \"ip(legacy) filter FORWARD\" and .rule.description == \"rule 1\""
told 1002 false "$drop and .drop.reason == \"NETFILTER_DROP\" and (.drop.hook == \"nft\" or .drop.hook == \"iptables\")"
told 53 false '.event.action == "allow" and .network.transport == "udp" and .policy.answer == "refused"'
settled w '.network.transport == "icmp"' 1
stop INT
same "exit status" "$status" 0
# Other namespaces' netlink messages that the kernel lets go, beside us, come as drops of no interface.
same "lost" "$(count w '.event.dataset == "lost" and .lost.reason != "drop_without_interface"')" 0
