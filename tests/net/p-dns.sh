#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dig asks dnsmasq over both families, UDP and TCP: every exchange is told once, with its latency.
. "$(dirname "$0")/lib.sh"
need jq
need dnsmasq
need dig
pair

say "DNS: dig and dnsmasq, over UDP and TCP"
there dnsmasq --keep-in-foreground --no-resolv --no-hosts --no-daemon --user=root --pid-file="$work/dnsmasq.pid" \
	--address=/example.test/192.0.2.1 --local=/test/ >"$work/dnsmasq.log" 2>&1 &
server=$!
until_true 5 dig +time=1 +tries=1 @10.9.0.2 example.test
start dns -j watch --proto dns -i here
for a in $both; do
	dig "@$a" example.test >/dev/null
	dig +tcp "@$a" example.test >/dev/null
	dig "@$a" nothing.test >/dev/null
done
answered dns dns 6
settled dns '.dns.response_code == "NXDOMAIN"' 2
settled dns '.dns.answers[0].data == "192.0.2.1"' 4
stop INT
kill $server
