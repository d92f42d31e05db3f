#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# -i N is the interface of that number; an interface that is named is heard whole, unless -p.
. "$(dirname "$0")/lib.sh"
need jq
pair

promiscuity() { ip -j -d link show "$1" | jq .[0].promiscuity; }

# heard PROMISCUITY ARGS...: while it runs, and nothing of it afterwards
heard() {
	local wanted=$1
	shift
	say "watch $*"
	start w watch "$@"
	until_true 5 eval "[ \"\$(promiscuity here)\" = $wanted ]" || die "promiscuity $(promiscuity here), wanted $wanted"
	stop INT
	same "exit status" "$status" 0
	until_true 5 eval '[ "$(promiscuity here)" = 0 ]' || die "still promiscuous afterwards"
	! grep -q 'here is up' "$work/w.err" || die "our own doing is told as news"
}
heard 1 -i here
heard 1 -i here --rung socket
heard 1 -i here --rung packet
heard 1 -i here -i lo
heard 0 -p -i here
heard 0 -p -i here --rung packet
heard 0 -i any
heard 0 -i 'her*'

say "the number of -D"
n=$("$NETPROBE" watch -D | sed -n 's/^\([0-9]*\)\.here .*/\1/p')
same "number" "$n" "$(ip -j link show here | jq .[0].ifindex)"
heard 1 -i "$n"
grep -q 'listening on here,' "$work/w.err" || die "not by its name"
"$NETPROBE" watch --plan -i "$n" | grep -q '^here .*chosen' || die "--plan does not take numbers"

say "a name that looks like a number is a name"
ip link add name "$n" type veth peer name other
ip link set dev "$n" up
start w watch -i "$n"
grep -q "listening on $n," "$work/w.err" || die "the number went before the name"
stop INT

say "no such number"
rc=0
"$NETPROBE" -q watch -i 4711 2>"$work/no.err" || rc=$?
same "exit status" "$rc" 1
grep -q '4711: no such interface' "$work/no.err" || die "not told"
