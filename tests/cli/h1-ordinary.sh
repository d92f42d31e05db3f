#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An hour in which nobody does anything wrong raises no alert; at limits that are too low it does.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
NETPROBE=${NETPROBE:-$top/build/netprobe}
command -v python3 >/dev/null || { echo "SKIP: no python3"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packets=$("$top/tests/tools/mkordinary.py" "$work/hour.pcap")
"$NETPROBE" watch -q -r "$work/hour.pcap" --alerts | grep ALERT >"$work/alerts" || true
[ ! -s "$work/alerts" ] || { cat "$work/alerts"; exit 1; }
low='--alert hostscan=2/1h --alert portscan=2/1h --alert synflood=2/1s --alert icmpflood=1/1s --alert arpspoof=1/1h'
# shellcheck disable=SC2086
for rule in host_scan port_scan syn_flood icmp_flood arp_spoof; do
	"$NETPROBE" watch -q -r "$work/hour.pcap" $low --where "rule.name == \"$rule\"" -c 1 | grep -q "ALERT $rule" ||
		{ echo "$rule is not raised at a low limit"; exit 1; }
done
echo "# $packets packets"
