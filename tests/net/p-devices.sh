#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats --by device: who is on the link, told by ARP, neighbour discovery and a DHCP lease.
. "$(dirname "$0")/lib.sh"
need jq
need dhclient
need dnsmasq
pair

say "devices of a link"
mac=$(ip -n there -j link show eth0 | jq -r ".[0].address")
dnsmasq --keep-in-foreground --no-daemon --port=0 --user=root --interface=here --bind-interfaces \
	--dhcp-range=10.9.0.50,10.9.0.50,1h --pid-file="$work/dhcp.pid" --dhcp-leasefile="$work/leases" \
	>"$work/dhcp.log" 2>&1 &
server=$!
printf '#!/bin/sh\nexit 0\n' >"$work/script"
chmod +x "$work/script"
echo 'send host-name "fox";' >"$work/dhclient.conf"
until_true 5 grep -q 'DHCP, IP range' "$work/dhcp.log"
start devices -j stats --by device -i here 1
ip neigh flush dev here || true
ping -qc1 -W1 10.9.0.2 >/dev/null
ping -qc1 -W1 fd09::2 >/dev/null
there timeout 20 dhclient -4 -1 -cf "$work/dhclient.conf" -sf "$work/script" -lf "$work/l4" -pf "$work/p4" eth0 >"$work/dhclient.log" 2>&1
fox() { jq -se --arg mac "$mac" '[.[] | select(.device.mac == $mac)] | last | '"$1" "$work/devices.out"; }
until_true 5 fox '.device.ip | contains(["10.9.0.2", "10.9.0.50", "fd09::2"])' || die "addresses: $(fox .device.ip)"
fox '.device.hostname == "fox"' >/dev/null || die "name: $(fox .device.hostname)"
fox '.device.fingerprint | test("^1,")' >/dev/null || die "fingerprint: $(fox .device.fingerprint)"
fox '.device.told_by == ["arp", "nd", "dhcp"]' >/dev/null || die "told by: $(fox .device.told_by)"
stop INT
same "exit status" "$status" 0
same "both ends" "$(jq -s '[.[].device.mac] | unique | length' "$work/devices.out")" 2

say "so many times and no more"
timeout 10 "$NETPROBE" -j stats --by device -i here 1 2 >"$work/twice.out" 2>"$work/twice.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/twice.err"
ip neigh flush dev here || true
ping -qc1 -W1 10.9.0.2 >/dev/null
status=0
wait $pid || status=$?
same "exit status" "$status" 0
count=$(jq -s --arg mac "$mac" '[.[] | select(.device.mac == $mac)] | length' "$work/twice.out")
[ "$count" -ge 1 ] && [ "$count" -le 2 ] || die "$count rows of one device in two tables"
kill $server "$(cat "$work/p4")" 2>/dev/null || true
