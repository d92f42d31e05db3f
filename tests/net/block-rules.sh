#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block: entries stop what they name and nothing else, at XDP native, XDP generic and tcx; large datagrams of an allowed
# port arrive where all else is denied; fragments of a blocked source do not.  (E6, 3 of the issue.)
. "$(dirname "$0")/lib.sh"
need jq
need python3
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
ok() { ping -qc1 -W1 -I here 10.9.0.2 >/dev/null; }
# From "there" to us
reach() { there ping -qc1 -W1 "$1" >/dev/null; }
# IPv4 fragments and echo requests, by the stack's own count
arrived() {
	awk '$1 == "Ip:" { if (n++) print $15; next } $1 == "Icmp:" { if (m++) print $10 }' /proc/net/snmp | tr '\n' ' '
}
reason() { "$NETPROBE" block status -j dev here | jq ".firewall.packets.by_reason.$1"; }

for mode in native generic tcx; do
	say "$mode: an address"
	reach 10.9.0.1 || die "no way before"
	np add 10.9.0.2 dev here -m $mode reason a test
	! reach 10.9.0.1 || die "$mode: blocked, and arrives"
	reach fd09::1 || die "$mode: IPv6 is not blocked, and does not arrive"
	np add fd09::/64 port 0-65535 dev here
	reach fd09::1 || die "$mode: a port that ICMP does not have"
	np add fd09::2 dev here
	! reach fd09::1 || die "$mode: IPv6 blocked, and arrives"
	[ "$("$NETPROBE" block list -j dev here | jq -s '.[0].block.hits')" -ge 1 ] || die "$mode: no hits"
	same "reason" "$("$NETPROBE" block list -j dev here | jq -sr '.[0].rule.name')" "a test"

	say "$mode: the entry that decides is named"
	"$NETPROBE" block test 10.9.0.2 dev here >"$work/test.log"
	grep -q '^10.9.0.2: drop, dropped, entry 1: 10.9.0.2 src action drop' "$work/test.log" || die "test: $(cat "$work/test.log")"
	"$NETPROBE" block test 10.9.0.3:80/tcp dev here | grep -q 'pass, no_entry' || die "test of another"

	say "$mode: allow wins"
	np allow 10.9.0.0/24 dev here
	reach 10.9.0.1 || die "$mode: allowed, and does not arrive"

	say "$mode: back, one step and all"
	np rollback dev here
	! reach 10.9.0.1 || die "$mode: rolled back, and arrives"
	np del --all dev here
	reach 10.9.0.1 || die "$mode: nothing blocks, and it does not arrive"
	[ ! -e /sys/fs/bpf/netprobe/v1 ] || [ -z "$(find /sys/fs/bpf/netprobe/v1 -type f)" ] || die "$mode: state is left"

	say "$mode: a datagram of 4000 bytes to an allowed port in deny mode"
	np allow any proto udp port 7777 dev here -m $mode --mode deny
	python3 - >"$work/got" 2>"$work/recv.err" <<-'P' &
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("10.9.0.1", 7777))
		s.settimeout(5)
		print(len(s.recv(9000)))
	P
	pid=$!
	until_true 3 sh -c "ss -lun | grep -q 10.9.0.1:7777"
	there python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x" * 4000, ("10.9.0.1", 7777))'
	wait $pid || die "it does not arrive: $(cat "$work/recv.err")"
	same "bytes" "$(cat "$work/got")" 4000
	! reach 10.9.0.1 || die "$mode: deny lets ICMP through"
	[ "$(reason fragment_inherited)" -ge 1 ] || die "$mode: no fragment followed its first"
	np del --all dev here

	say "$mode: of a blocked source no fragment comes through"
	np add 10.9.0.2 dev here -m $mode
	before=$(arrived)
	there ping -qc2 -i 0.2 -W1 -s 4000 10.9.0.1 >/dev/null || true
	same "fragments and echo requests that arrived" "$(arrived)" "$before"
	[ "$(reason dropped)" -ge 2 ] || die "$mode: none was dropped"
	np del --all dev here
done

say "a set that runs is not moved in silence"
np add 192.0.2.1 dev here -m generic
for mode in native tcx; do
	rc=0
	"$NETPROBE" block add 192.0.2.2 dev here -m $mode </dev/null 2>"$work/move.err" || rc=$?
	same "$mode: exit status" $rc 2
	grep -q "the firewall is at xdp generic, and a change does not move it to $mode" "$work/move.err" || die "$(cat "$work/move.err")"
done
np add 192.0.2.2 dev here -m generic
np add 192.0.2.3 dev here -m auto
same "entries" "$("$NETPROBE" block list dev here | wc -l)" 3
np del --all dev here

say "what leaves, at tcx"
np add 10.9.0.2 proto icmp dev here --egress
! ping -qc1 -W1 10.9.0.2 >/dev/null || die "egress: it arrives"
np del --all dev here --egress
ok || die "egress: it does not arrive any more"

say "del --all opens both ways, and says what it opened"
np add 10.9.0.2 dev here
np add 10.9.0.2 proto icmp dev here --egress
np del --all --ingress dev here
grep -q 'no firewall any more, where what arrives is judged' "$work/np.err" || die "$(cat "$work/np.err")"
! ok || die "--ingress opened what leaves too"
np add 10.9.0.2 dev here
np del --all dev here
ok || die "del --all does not open both ways"
np add 10.9.0.2 proto icmp dev here --egress
np del --all dev here
ok || die "del --all does not open what leaves"
rc=0
"$NETPROBE" block del --all id 1 dev here </dev/null 2>"$work/np.err" || rc=$?
same "del --all id 1: exit status" $rc 2

say "an expired entry ends"
for secs in 1 5 25; do		# where the machine is so slow that it ends before it is tried: for longer
	begin=$(date +%s%N)
	np add 10.9.0.2 for ${secs}s dev here
	reach 10.9.0.1 || break
	[ $(($(date +%s%N) - begin)) -gt ${secs}000000000 ] || die "blocked for $secs s, and arrives"
	np del --all dev here
done
until_true $((secs + 2)) reach 10.9.0.1 || die "its time is over, and it blocks"
np del --expired dev here
same "entries" "$("$NETPROBE" block list dev here | wc -l)" 0
np del --all dev here

say "bad lines change nothing"
printf '10.9.0.2\nnonsense!\n' >"$work/list"
! np add file "$work/list" dev here >/dev/null || die "a bad list is taken"
grep -q "list:2: 'nonsense!'" "$work/np.err" || die "the line is not told"
reach 10.9.0.1 || die "half a list works"
