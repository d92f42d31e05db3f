#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each packet of a capture is in one row, whatever rows stand for: their sum is what there is, and those
# of transports, sizes, flags, tags and tunnels say what the row for everything says.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
command -v jq >/dev/null || { echo "SKIP: jq is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; exit 1; }

# rows ARGUMENTS...: the statistics of $f; some captures are cut, which is told
rows() { "$np" -q -j stats "$@" -r "$f" 2>"$work/err" || [ $? = 1 ] || die "$f: $* failed"; }

kinds='iface transport proto size flags vlan tunnel'
cat >"$work/check.jq" <<'J'
def of($by): [.[] | select(.by == $by) | .row | select(.event.dataset == "stats")];
# Rows as the row for everything has them, those without that name left out.
def counts($by; name): of($by) | map({key: name, value: .stats.packets} | select(.key)) | from_entries;
def words: if . then map(tostring) | join(",") else null end;
def check($what; $got; $want): if $got == $want then empty else "\($what): \($got), wanted \($want)" end;
of("all")[0].stats as $all |
(if ($all.packets // 0) > 0 then empty else "no packets" end),
(($kinds | split(" "))[] as $by | check("packets by \($by)"; [of($by)[].stats.packets] | add; $all.packets)),
check("transport"; counts("transport"; .network.transport); $all.by_transport),
check("size"; counts("size"; .stats.size); $all.by_size),
check("flags"; counts("flags"; .stats.tcp_flags) | del(.none); $all.by_tcp_flags),
check("vlan"; counts("vlan"; .network.vlan | words); $all.by_vlan // {}),
check("tunnel"; counts("tunnel"; .network.tunnel | words); $all.by_tunnel // {}),
check("malformed"; [$all.by_malformed // {} | .[]] | add // 0; $all.undecoded)
J
n=0
for f in "$top"/tests/golden/*.pcap "$top"/tests/golden/*.pcapng; do
	{
		rows | sed 's/.*/{"by":"all","row":&}/'
		for by in $kinds; do rows --by "$by" | sed "s/.*/{\"by\":\"$by\",\"row\":&}/"; done
	} >"$work/all"
	jq -rs --arg kinds "$kinds" -f "$work/check.jq" "$work/all" >"$work/wrong" || die "$f: not JSON"
	[ ! -s "$work/wrong" ] || die "$f: $(cat "$work/wrong")"
	n=$((n + 1))
done
[ $n -ge 20 ] || die "$n captures: where are the others?"

# What a decoder tells in records it tells in rows: of datagrams each message is a packet.
f=$top/tests/golden/dhcp.pcap
got=$(rows --by proto | jq -Ssc 'map({key: .network.protocol, value: .stats.packets}) | from_entries')
want=$("$np" -q -j watch --proto dhcp -r "$f" | jq -Ssc 'group_by(.network.protocol) |
	map({key: .[0].network.protocol, value: length}) | from_entries')
[ "$got" = "$want" ] || die "$f: by proto $got, of records $want"
[ "$(rows --by proto --top 1 | wc -l)" = 1 ] || die "--top 1 is not one row"
echo "# $n captures"
