#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats --by proto: every packet of a connection counts for what is spoken there, on whatever port, and what
# was printed does not go back.
. "$(dirname "$0")/lib.sh"
need jq
need python3
need curl
pair
mkdir "$work/www"
there python3 -m http.server --directory "$work/www" 8090 >"$work/server.log" 2>&1 &
until_true 5 curl -sfo /dev/null http://10.9.0.2:8090/

# No packet of it is on its way any more
over() { ! { ss -Htan exclude listening exclude time-wait; there ss -Htan exclude listening exclude time-wait; } | grep -q ':8090'; }

say "a connection from its SYN to its last acknowledgment"
until_true 5 over
start all -j stats -i here 'tcp port 8090'
all=$pid
start proto -j stats --by proto -i here 'tcp port 8090'
curl -sfo /dev/null http://10.9.0.2:8090/
until_true 5 over
stop INT
pid=$all
stop INT
packets=$(jq -s '[.[] | .stats.packets // empty] | last' "$work/all.out")
[ "$packets" -ge 8 ] || die "$packets packets are no connection"
same "rows" "$(jq -sc '[.[] | select(.stats) | [.network.protocol, .network.transport, .stats.packets]]' "$work/proto.out")" \
	"[[\"http\",\"tcp\",$packets]]"

say "in the middle of a connection"
start middle -j stats --by proto -i here 250ms 'tcp port 8090'
exec 3<>/dev/tcp/10.9.0.2/8090
until_true 5 eval 'jq -se "any(.[]; .network.transport == \"tcp\" and .network.protocol == null)" "$work/middle.out"' ||
	die "no row of what nobody recognised yet"
printf 'GET / HTTP/1.0\r\n\r\n' >&3
cat <&3 >/dev/null
exec 3<&-
until_true 5 eval 'jq -se "any(.[]; .network.protocol == \"http\")" "$work/middle.out"' || die "no row of http"
stop INT
for row in null '"http"'; do
	jq -se "[.[] | select(.stats and .network.protocol == $row) | .stats.packets] | length > 0 and . == sort" \
		"$work/middle.out" >/dev/null || die "counts of $row went back"
done
