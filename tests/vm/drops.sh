# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2013,SC2154
# Sourced by guest.sh: one connection for each that may drop it, and what policy watch tells of them.  A port stands
# for who drops it: 1001 iptables-legacy, 1002 iptables-nft, 1003 nft, 1004 tc where it comes in, 1005 where it goes
# out, 1006 XDP, 1007 nft with an answer, 1008 nft where it goes out; on the way through here to 10.8.0.2: 1011, 1012
# and 1013 as 1001 to 1003; 80 answers, and at 81 nobody listens.
# /mod/drops: modules to load.  A program that the initrd has not is left out, and said; the kernel must have all.

# packed PROGRAM: it is there, or left out
packed() { command -v "$1" >/dev/null || { without="$without $1"; return 1; }; }
table() {
	nft -f - <<-'N'
	table inet t {
		chain i {
			type filter hook input priority 5
			tcp dport 1003 counter drop comment "c1003"
			tcp dport 1007 counter reject with tcp reset comment "c1007"
		}
		chain o { type filter hook output priority 0; tcp dport 1008 counter drop comment "c1008"; }
		chain f { type filter hook forward priority 5; tcp dport 1013 counter drop comment "c1013"; }
	}
	N
}
# rule VARIANT CHAIN PORT
rule() { "xtables-$1-multi" iptables -A "$2" -p tcp --dport "$3" -m comment --comment "c$3" -j DROP; }
# beyond: there comes through here to 10.8.0.2
beyond() {
	ip netns add far &&
		ip link add hop type veth peer name eth0 netns far &&
		ip addr add 10.8.0.1/24 dev hop &&
		ip link set hop up &&
		ip -n far addr add 10.8.0.2/24 dev eth0 &&
		ip -n far link set eth0 up &&
		ip -n far route add default via 10.8.0.1 &&
		ip -n there route add default via 10.9.0.1 &&
		echo 1 >/proc/sys/net/ipv4/ip_forward &&
		ping -c 1 -W 5 10.8.0.2
}
# shot HOOK PORT: classic BPF at the interface, which drops what goes to that port by TCP and IPv4
shot() {
	tc filter add dev here "$1" bpf da bytecode \
		"9,40 0 0 12,21 0 6 2048,48 0 0 23,21 0 4 6,177 0 0 14,72 0 0 16,21 0 1 $2,6 0 0 2,6 0 0 4294967295"
}
# dropping: each that drops; its ports in $in and $out, $ruled_in, $ruled_out and $through
dropping() {
	for m in $(cat /mod/drops); do insert "$m"; done
	in='80 81 1004 1006' out=1005 ruled_in='' ruled_out='' through='' without=''
	beyond || return 1
	if packed xtables-legacy-multi; then
		rule legacy INPUT 1001 && rule legacy FORWARD 1011 || return 1
		ruled_in="$ruled_in 1001" through="$through 1011"
	fi
	if packed xtables-nft-multi; then
		rule nft INPUT 1002 && rule nft FORWARD 1012 || return 1
		ruled_in="$ruled_in 1002" through="$through 1012"
	fi
	if packed nft; then
		table || return 1
		ruled_in="$ruled_in 1003 1007" ruled_out=1008 through="$through 1013"
	fi
	tc qdisc add dev here clsact && shot ingress 1004 && shot egress 1005 &&
		ip link set dev here xdpgeneric object /t/drop.bpf.o section xdp
}
undo() {
	ip link set dev here xdpgeneric off
	tc qdisc del dev here clsact
	nft flush ruleset
	xtables-legacy-multi iptables -F INPUT
	xtables-legacy-multi iptables -F FORWARD
	ip link del hop
	ip netns del far
	ip -n there route del default
}
# ask ADDRESS PORT...: a connection each
ask() {
	to=$1
	shift
	for p; do nc -w 1 "$to" "$p" </dev/null >/dev/null 2>&1 & done
	wait
}
# asked COMMAND ADDRESS PORT...: one after the other, each when the one before was told: counters tell whose they are
asked() {
	as=$1 at=$2
	shift 2
	for p; do
		n=0
		before=$(records)
		$as sh -c ". /drops.sh; ask $at $p"
		while [ "$(records)" = "$before" ] && [ $n -lt 100 ]; do
			n=$((n + 1))
			usleep 100000
		done
	done
}
records() { grep -c '"dataset":"policy"' /tmp/drops.out; }
# told PORT [EXPRESSION...]: one record of it, in which all of them are found
told() {
	one=$(grep "\"port\":$1}" /tmp/drops.out)
	port=$1
	shift
	[ "$(echo "$one" | grep -c '"dataset":"policy"')" = 1 ] || { echo "port $port: not told once"; bad=1; return; }
	for e; do echo "$one" | grep -qE "$e" || { echo "port $port: not $e"; bad=1; }; done
}
# Before 5.17 there are no reasons, and what drops in __netif_receive_skb_core() need not be tc; before 6.7 nft and
# iptables drop in one place.
expected() {
	drop='"action":"drop"' place='"location":"' filter='"hook":"(nft|iptables)"'
	nf='"reason":"NETFILTER_DROP"' ingress='"reason":"TC_INGRESS".*"hook":"tc"' egress='"reason":"TC_EGRESS"'
	case $(uname -r) in 5.*) nf='' ingress='"location":"__netif_receive_skb_core","hook":"(tc|other)"' egress='' ;; esac
	for port in $in $out $ruled_in $ruled_out $through; do
		case $port in
		1001) chain='ip\(legacy\) filter INPUT' ;;
		1011) chain='ip\(legacy\) filter FORWARD' ;;
		1002) chain='ip filter INPUT' ;;
		1012) chain='ip filter FORWARD' ;;
		1008) chain='inet t o' ;;
		1013) chain='inet t f' ;;
		*) chain='inet t i' ;;
		esac
		rule="\"rule\":{\"ruleset\":\"$chain\",\"description\":\"c$port\"}"
		case $port in
		80) told 80 '"action":"allow"' '"answer":"answered"' ;;
		81) told 81 '"action":"allow"' '"answer":"refused"' ;;
		1004) told 1004 "$drop" "$place" "$ingress" '"drop".*"interface":"here"' ;;
		1005) told 1005 "$drop" "$place" "$egress" '"hook":"tc"' '"drop".*"interface":"here"' ;;
		1006) told 1006 "$drop" "$place" '"hook":"xdp"' '"drop".*"interface":"here"' ;;
		1007) told 1007 "$drop" "$place" "$nf" "$filter" '"answer":"prohibited"' "$rule" ;;
		*) told "$port" "$drop" "$place" "$nf" "$filter" "$rule" ;;
		esac
	done
}
# Each is told once, by who dropped it, and nothing that got through is told as dropped.
drops() {
	dropping || { undo; return 1; }
	rm -f /tmp/drops.out /tmp/err
	netprobe -j policy watch >/tmp/drops.out 2>/tmp/err &
	watch=$!
	started /tmp/err || { kill $watch; return 1; }
	nc -l -p 80 </dev/null >/dev/null 2>&1 &
	# shellcheck disable=SC2086
	ip netns exec there sh -c ". /drops.sh; ask 10.9.0.1 $in" &
	# shellcheck disable=SC2086
	(ask 10.9.0.2 $out)
	# shellcheck disable=SC2086
	set -- $in $out
	n=0
	while [ "$(records)" -lt $# ] && [ $n -lt 50 ]; do
		n=$((n + 1))
		usleep 100000
	done
	# shellcheck disable=SC2086
	asked 'ip netns exec there' 10.9.0.1 $ruled_in
	# shellcheck disable=SC2086
	asked env 10.9.0.2 $ruled_out
	# shellcheck disable=SC2086
	asked 'ip netns exec there' 10.8.0.2 $through
	# shellcheck disable=SC2086
	set -- $in $out $ruled_in $ruled_out $through
	kill -TERM $watch
	ended $watch || { echo "exit status $?"; cat /tmp/err; return 1; }
	undo >/dev/null 2>&1
	bad=0
	expected
	[ "$(records)" = $# ] || { echo "$(records) records of $# connections"; bad=1; }
	[ $bad = 0 ] || { cat /tmp/drops.out /tmp/err; return 1; }
	echo "ports $in $out$ruled_in $ruled_out$through; left out:${without:- none}"
}
