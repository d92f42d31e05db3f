#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dhclient asks dnsmasq, by DHCPv4 and DHCPv6: every message is told once, with its latency.
. "$(dirname "$0")/lib.sh"
need jq
need dhclient
need dnsmasq
pair

say "DHCP: dhclient and dnsmasq"
ip netns add guest
ip link add lan type veth peer name eth0 netns guest
ip addr add 10.8.0.1/24 dev lan
ip addr add fd08::1/64 dev lan nodad
ip link set lan up
ip -n guest link set lo up
ip -n guest link set eth0 up
guest() { nsenter --net=/run/netns/guest "$@"; }
dnsmasq --keep-in-foreground --no-daemon --port=0 --user=root --interface=lan --bind-interfaces --dhcp-authoritative --no-ping \
	--dhcp-range=10.8.0.10,10.8.0.20,1h --dhcp-range=fd08::10,fd08::20,64,1h --pid-file="$work/dhcp.pid" \
	--dhcp-leasefile="$work/leases" >"$work/dhcp.log" 2>&1 &
server=$!
printf '#!/bin/sh\nexit 0\n' >"$work/script"
chmod +x "$work/script"
until_true 5 grep -q 'DHCPv6, IP range' "$work/dhcp.log"
until_true 5 guest sh -c "ip -6 addr show dev eth0 scope link | grep -v tentative | grep -q fe80"
start dhcp -j watch --proto dhcp -i lan
guest timeout 20 dhclient -4 -1 -sf "$work/script" -lf "$work/l4" -pf "$work/p4" eth0 >"$work/dhclient4.log" 2>&1
guest timeout 20 dhclient -6 -1 -sf "$work/script" -lf "$work/l6" -pf "$work/p6" eth0 >"$work/dhclient6.log" 2>&1
# A client that waits asks again: how often each was said the server knows.
for action in discover offer request ack solicit advertise reply; do
	settled dhcp ".event.action == \"$action\"" "$(grep -ic "DHCP$action(lan)" "$work/dhcp.log")"
done
settled dhcp '.event.duration > 0' 4
settled dhcp '.event.action == "ack" and .dhcpv4.assigned_ip != null' 1
stop INT
kill $server "$(cat "$work/p4")" "$(cat "$work/p6")" 2>/dev/null || true
