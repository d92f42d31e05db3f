#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is sent is what is seen: both families, both directions, VLAN, filter, any, globs, another namespace.
. "$(dirname "$0")/lib.sh"
need jq
pair
J() { jq -e "$@" >/dev/null; }

for rung in tcx clsact socket packet; do
	say "ping on rung $rung"
	start "ping-$rung" -j watch --rung $rung --packets -i here 'icmp or icmp6'
	ping -qc3 -i 0.2 10.9.0.2 >/dev/null
	ping -6 -qc3 -i 0.2 fd09::2 >/dev/null
	stop INT
	same "exit status" "$status" 0
	jq -s '[.[] | select(.event.dataset == "icmp")]' "$work/ping-$rung.out" >"$work/p.json"
	same "IPv4 echoes" "$(jq '[.[] | select(.icmp.type == 8 or (.icmp.type == 0 and .network.transport == "icmp"))] | length' "$work/p.json")" 6
	same "IPv6 echoes" "$(jq '[.[] | select(.icmp.type == 128 or .icmp.type == 129)] | length' "$work/p.json")" 6
	J '[.[] | select(.icmp.type == 0 or .icmp.type == 129)] | all(.event.duration > 0)' "$work/p.json" || die "a reply without latency"
	J 'all(.network.interface == "here")' "$work/p.json" || die "a packet without its interface"
	# libpcap does not tell a frame's direction
	[ $rung = packet ] || J '[.[] | select(.icmp.type == 8)] | all(.network.direction == "egress")' "$work/p.json" || die "wrong direction"
done

say "VLAN: seen with its tag, and not hidden from the filter"
"$TOOLS/mktraffic" "$work/vlan.pcap" 40 7
start vlan -j watch --packets -i here 'ip and net 10.1.0.0/16'
"$TOOLS/inject" here "$work/vlan.pcap" >/dev/null
stop INT
tagged=$(jq -s '[.[] | select(.event.dataset == "packet")] | length' "$work/vlan.out")
[ "$tagged" -gt 10 ] || die "$tagged tagged packets"
J -s '[.[] | select(.event.dataset == "packet")] | all(.network.vlan == [7])' "$work/vlan.out" || die "a tag is missing"
there "$NETPROBE" -j watch --packets -i eth0 -Q in 'ip and net 10.1.0.0/16' >"$work/in.out" 2>"$work/in.err" &
until_true 5 grep -q 'listening on' "$work/in.err"
"$TOOLS/inject" here "$work/vlan.pcap" >/dev/null
pkill -INT -x netprobe
wait
same "tagged packets received" "$(jq -s '[.[] | select(.event.dataset == "packet" and .network.vlan == [7])] | length' "$work/in.out")" "$tagged"
start strict -j watch --strict-pcap --packets -i here 'ip and net 10.1.0.0/16'
"$TOOLS/inject" here "$work/vlan.pcap" >/dev/null
stop INT
same "with libpcap's own semantics" "$(grep -c '"dataset":"packet"' "$work/strict.out" || true)" 0

say "any, with names, and an interface that appears"
start any -j watch --packets -i any 'icmp'
ip link add late type veth peer name late2
ip link set late up && ip link set late2 up
ip addr add 10.6.0.1/24 dev late
ip neigh add 10.6.0.9 lladdr 02:00:00:00:00:09 dev late
noticed() { ping -qc1 -W1 10.6.0.9 || grep -q '"interface":"late2"' "$work/any.out"; }
until_true 5 noticed || die "the interface that appeared is not noticed"
ping -qc1 10.9.0.2 >/dev/null
stop INT
for i in here late late2; do
	grep -q "\"interface\":\"$i\"" "$work/any.out" || die "nothing seen on $i"
done

say "a glob"
start glob -j watch --packets -i 'lat*' icmp
ping -qc1 -W1 10.6.0.9 >/dev/null || true
ping -qc1 10.9.0.2 >/dev/null
stop INT
grep -q '"interface":"late"' "$work/glob.out" || die "the glob matched nothing"
! grep -q '"interface":"here"' "$work/glob.out" || die "the glob matched too much"

say "one in three, and each record says so"
start sample -j watch --packets --sample 3 -i here icmp
ping -qc30 -i 0.01 10.9.0.2 >/dev/null
stop INT
# Each CPU keeps the first and then every third of its own.
kept=$(jq -s '[.[] | select(.event.dataset == "packet")] | length' "$work/sample.out")
{ [ "$kept" -ge 20 ] && [ "$kept" -lt $((20 + $(nproc))) ]; } || die "$kept of 60 packets kept"
eval "$(ledger sample)"
same "the rest is counted as sampled" "$sampled" $((60 - kept))
J -s 'all(.event.sampled == 3)' "$work/sample.out" || die "a sampled record does not say so"

say "-w with --print counts a packet once"
"$NETPROBE" watch -q -r "$work/vlan.pcap" -w "$work/two.pcap" --print -c 10 >"$work/two.out" 2>"$work/two.err"
same "packets written" "$("$NETPROBE" -q -j watch --packets -r "$work/two.pcap" | grep -c '"dataset":"packet"')" 10

say "another namespace"
start netns -N there -j watch --packets -i eth0 icmp
ping -qc1 10.9.0.2 >/dev/null
stop INT
grep -q '"interface":"eth0"' "$work/netns.out" || die "nothing seen in the other namespace"

say "super-packets are kept whole and labelled"
if command -v ncat >/dev/null; then
	there timeout 20 ncat -l 5001 >/dev/null &
	until_true 5 eval 'there ss -Hltn sport = 5001 | grep -q .'
	start gso -j watch --packets -s 0 -i here 'tcp port 5001'
	head -c 3000000 /dev/zero | timeout 10 ncat --send-only 10.9.0.2 5001
	stop INT
	J -s '[.[] | select(.frame.segments > 1)] | length > 0 and all(.frame.cap_len == .frame.len)' "$work/gso.out" ||
		die "no whole super-packet"
fi
