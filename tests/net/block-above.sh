#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions of what is above an interface: a bridge whose port it is, a macvlan on it, a bridge on that.  (C1)
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs none /run && mkdir -p /run/netns
ip netns add there
ip link set lo up
unset SSH_CONNECTION SSH_CLIENT
mac_of() { ip ${2:+-n "$2"} -j link show "$1" | jq -r '.[0].address'; }
# refused PATTERN IFACE ARGS...
refused() {
	local rc=0 pattern=$1 iface=$2
	shift 2
	"$NETPROBE" block "$@" dev "$iface" --commit </dev/null 2>"$work/r.err" || rc=$?
	same "$step: exit status of $* at $iface" $rc 2
	grep -q "refused: it would cut off $pattern" "$work/r.err" || { cat "$work/r.err"; die "$step: $* at $iface: not told so"; }
	! grep -q 'Its route is by' "$work/r.err" || die "$step: $* at $iface: it comes by there: $(cat "$work/r.err")"
}
taken() {
	local iface=$1
	shift
	"$NETPROBE" block "$@" dev "$iface" --commit </dev/null 2>"$work/t.err" || { cat "$work/t.err"; die "$step: $*: refused"; }
}
clear() { "$NETPROBE" block del --all dev "$1" 2>/dev/null; }
# reach NETWORK IFACE: addresses .1 and ::1 at IFACE here, .2 and ::2 at eth0 there
reach() {
	ip addr add "10.$1.0.1/24" dev "$2"
	ip addr add "fd$1::1/64" dev "$2" nodad
	ip -n there addr add "10.$1.0.2/24" dev eth0
	ip -n there addr add "fd$1::2/64" dev eth0 nodad
	until_true 5 ping -qc1 -W1 "10.$1.0.2" || die "$step: not reached"
	until_true 5 ping -qc1 -W1 "fd$1::2" || die "$step: not reached by IPv6"
}
# judged NETWORK IFACE OWNER: a set at IFACE, sessions through OWNER
judged() {
	local peer
	peer=$(mac_of eth0 there)
	for session in "10.$1.0.2 50000 10.$1.0.1 22" "fd$1::2 50000 fd$1::1 22"; do
		export SSH_CONNECTION=$session
		refused "the session from ${session%% *}, known by SSH_CONNECTION" "$2" add "$peer"
		refused "the session from ${session%% *}, known by SSH_CONNECTION" "$2" add "$(mac_of "$3")" dst
		refused "the session from ${session%% *}, known by SSH_CONNECTION" "$2" add "$peer" --egress
		taken "$2" allow any proto tcp
		refused '\(ARP\|neighbour discovery\) of the session from' "$2" add "$peer"
		case $session in fd*) refused 'neighbour discovery of the session' "$2" add "fd$1::/64" ;; esac
		clear "$2"
	done
	unset SSH_CONNECTION
	refused 'new connections to port 22' "$2" add "$(mac_of "$3")" dst
	taken "$2" add 02:00:00:00:00:77
	clear "$2"
}

ip link add p0 type veth peer name eth0 netns there
ip link set p0 up
ip -n there link set eth0 up
ip link add other type veth peer name other1
ip link set other up
ip link set other1 up

say "a port of a bridge"
ip link add br0 type bridge 2>"$work/bridge.err" || skip "no bridge in this kernel"
ip link set br0 address 02:00:00:00:00:b0 up
ip link set p0 master br0
reach 11 br0
judged 11 p0 br0

say "no port of it"
export SSH_CONNECTION='fd11::2 50000 fd11::1 22'
taken other allow any proto tcp
taken other add fd11::/64
taken other add "$(mac_of eth0 there)"
clear other
unset SSH_CONNECTION
ip link del br0

say "a macvlan on it, and a bridge on that"
ip link add mv0 link p0 type macvlan mode bridge 2>"$work/macvlan.err" || skip "no macvlan in this kernel"
ip link set mv0 up
reach 12 mv0
judged 12 p0 mv0
ip addr flush dev mv0
ip link add br1 type bridge
ip link set br1 address 02:00:00:00:00:b1 up
ip link set mv0 promisc on master br1
ip link set p0 promisc on
ip link del mv0
ip link add mv1 link p0 type macvlan mode passthru
ip link set mv1 up master br1
reach 13 br1
judged 13 p0 br1
judged 13 mv1 br1
