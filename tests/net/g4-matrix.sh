#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every link type on every rung: ten sent are ten heard, or the refusal names the reason.
. "$(dirname "$0")/lib.sh"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
ip link set lo up

# open_device KIND tun|tap ARPHRD: its name is the kind's
open_device() {
	case $1 in
	veth) ip link add veth type veth peer name peer; ip link set veth up; ip link set peer up ;;
	loopback) ;;
	*)
		mkfifo "$work/$1.in"
		"$TOOLS/tunlink" "$1" "$2" "$3" 10 <"$work/$1.in" >"$work/$1.up" 2>"$work/$1.tun.err" &
		exec {to}>"$work/$1.in"
		until_true 5 grep -q up "$work/$1.up" || skip "no $1: $(cat "$work/$1.tun.err")"
		;;
	esac
}
send_ten() {
	case $1 in
	veth) "$TOOLS/inject" peer "$work/ten.pcap" >/dev/null ;;
	loopback) for _ in 1 2 3 4 5 6 7 8 9 10; do echo -n 'net!' >/dev/udp/127.0.0.1/9; done ;;
	*) echo >&"$to" ;;
	esac
}
close_device() {
	case $1 in
	veth) ip link del veth ;;
	loopback) ;;
	*) exec {to}>&- && until_true 5 eval "! ip link show $1" ;;
	esac
}

# heard NAME: what was sent to port 9; of a link type without a decoder, any packet
heard() { grep "$marks" "$work/$1.out" | grep -c "\"interface\":\"$dev\"" || true; }

# ten KIND NAME ARGS...
ten() {
	local kind=$1 name=$2
	shift 2
	[ "$kind" != loopback ] || set -- "$@" 'not icmp'	# nobody listens on port 9
	start "$name" -j watch --packets "$@"
	send_ten "$kind"
	until_true 5 eval "[ \"\$(heard $name)\" -ge 10 ]" || true
	stop INT
	same "$kind: heard ($*)" "$(heard "$name")" 10
	same "$kind: exit status ($*)" "$status" 0
}

# refused KIND RUNG: with the reason, and nothing says that it listens
refused() {
	local rc=0
	"$NETPROBE" watch -c 1 -i "$1" --rung "$2" >"$work/no.out" 2>"$work/no.err" || rc=$?
	[ $rc != 0 ] || die "$1 on $2: status 0"
	grep -q "^netprobe: $1: cannot capture: $2: link type [0-9]* is neither Ethernet nor bare IP$" "$work/no.err" ||
		die "$1 on $2: $(cat "$work/no.err")"
	same "$1 on $2: lines" "$(wc -l <"$work/no.err")" 1
}

# Ten UDP datagrams in Ethernet, for the pair
for _ in 1 2 3 4 5 6 7 8 9 10; do
	echo 02000000000202000000000108004500002000010000401166ca0a0000010a00000203e80009000c00006e657421
done >"$work/ten.hex"
"$TOOLS/hex2pcap" "$work/ten.hex" "$work/ten.pcap"

while read -r kind mode arphrd ring decoder; do
	dev=$kind
	[ "$kind" != loopback ] || dev=lo
	marks='"destination":{[^}]*"port":9[,}]'
	[ "$decoder" = yes ] || marks='"dataset":"packet"'
	open_device "$kind" "$mode" "$arphrd"
	for rung in tcx socket clsact packet; do
		say "$kind, $rung"
		if [ "$ring" = yes ] || [ $rung = packet ]; then
			ten "$kind" "$kind-$rung" --rung $rung -i "$dev"
		else
			refused "$kind" $rung
		fi
	done
	say "$kind, the first rung that takes it"
	ten "$kind" "$kind-ladder" -i "$dev"
	say "$kind, any"
	ten "$kind" "$kind-any" -i any
	close_device "$kind"
done <<-END
	veth - - yes yes
	loopback - - yes yes
	tun tun 0 yes yes
	tap tap 0 yes yes
	sit tun 776 yes yes
	gre tun 778 no yes
	ip6gre tun 823 no yes
	radiotap tap 803 no yes
	can tun 280 no no
END
