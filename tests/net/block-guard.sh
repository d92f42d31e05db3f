#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions that a firewall does not cut off, by whatever they are known, whichever way and whatever verb.  (C1, C4)
. "$(dirname "$0")/lib.sh"
need jq
need python3
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
mac() { ip -j link show here | jq -r '.[0].address'; }
peer_mac() { ip -n there -j link show eth0 | jq -r '.[0].address'; }
both_lists() { for way in '' --egress; do "$NETPROBE" block list dev here ${way:+"$way"} 2>/dev/null || echo none; done; }
# refused PATTERN ARGS...: exit status 2, and what ran runs on
refused() {
	local rc=0 pattern=$1 before
	shift
	before=$(both_lists)
	"$NETPROBE" block "$@" dev here --commit </dev/null 2>"$work/r.err" || rc=$?
	same "$step: exit status of $*" $rc 2
	grep -q "refused: it would cut off $pattern" "$work/r.err" || { cat "$work/r.err"; die "$step: $*: not told so"; }
	same "$step: the set" "$(both_lists)" "$before"
}
# taken ARGS...: and away with it
taken() {
	"$NETPROBE" block "$@" dev here --commit </dev/null 2>"$work/t.err" || { cat "$work/t.err"; die "$step: $*: refused"; }
}
clear() { "$NETPROBE" block del --all dev here "$@" 2>/dev/null; }

say "SSH_CLIENT"
export SSH_CLIENT='10.9.0.2 50000 2222'
refused 'the session from 10.9.0.2, known by SSH_CLIENT' add 10.9.0.2
refused 'the session from 10.9.0.2, known by SSH_CLIENT' add any proto tcp port 2222
refused 'the session from 10.9.0.2, known by SSH_CLIENT' add 10.9.0.1 dst
unset SSH_CLIENT

say "a set where no route of the session is: it is told where it is"
ip link add z0 type veth peer name z1
ip link set z0 up
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
for set in 'z0 ' 'z0 --egress'; do
	rc=0
	# shellcheck disable=SC2086
	"$NETPROBE" block add 10.9.0.0/24 dev $set --commit </dev/null 2>"$work/r.err" || rc=$?
	same "$set: exit status" $rc 2
	grep -q 'refused: it would cut off the session from 10.9.0.2, known by SSH_CONNECTION (10.9.0.0/24 .*)\.  Its route is by here now, and it could be by z0 all the same\.  Nothing was changed' \
		"$work/r.err" || die "$set: $(cat "$work/r.err")"
done
refused 'the session from 10.9.0.2' add 10.9.0.0/24
! grep -q 'Its route' "$work/r.err" || die "$(cat "$work/r.err")"
ip link del z0
unset SSH_CONNECTION

say "IPv4-mapped"
export SSH_CONNECTION='::ffff:10.9.0.2 50000 ::ffff:10.9.0.1 22'
refused 'the session from 10.9.0.2, known by SSH_CONNECTION' add 10.9.0.0/24
unset SSH_CONNECTION

say "rates that leave room, and others"
taken add any action limit 100pps
taken add any action limit 1mbit
clear
refused 'DHCP requests' add any action limit 1pps
refused 'DHCP requests' add any action limit 1000pps shared
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
refused 'the session from 10.9.0.2' add 10.9.0.2 action limit 8kbit
unset SSH_CONNECTION

taken add any action limit 1mbit/5000
clear
refused 'DHCP requests' add any action limit 1mbit/2000

say "an entry that ends before the one that cuts off"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
taken allow 10.9.0.2 for 1h
refused 'the session from 10.9.0.2' add 10.9.0.0/24
taken add 10.9.0.0/24 for 30m
clear
unset SSH_CONNECTION

say "the loopback interface"
rc=0
"$NETPROBE" block add 192.0.2.1 dev lo --force-lockout </dev/null 2>"$work/lo.err" || rc=$?
same "lo: exit status" $rc 2
grep -q 'refused: lo is how' "$work/lo.err" || die "$(cat "$work/lo.err")"

say "MAC addresses"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
refused 'the session from 10.9.0.2' add "$(peer_mac)"
refused 'the session from 10.9.0.2' add "$(mac)" dst
ip route add 203.0.113.0/24 via 10.9.0.2
export SSH_CONNECTION='203.0.113.7 50000 10.9.0.1 22'
refused 'the session from 203.0.113.7' add "$(peer_mac)"
export SSH_CONNECTION='fd09::2 50000 fd09::1 22'
until_true 3 ping -qc1 -W1 fd09::2
refused 'the session from fd09::2' add "$(peer_mac)"
taken add 02:00:00:00:00:77
clear
unset SSH_CONNECTION

say "neighbour discovery of a session of IPv6, whose TCP passes"
# Below: the address of either end at the link, from the entry for neighbours, and where they are asked for in.
link_local() { ip ${2:+-n "$2"} -6 -j addr show dev "$1" scope link -tentative | jq -r 'map(.addr_info // [])[][].local // empty'; }
has_link_local() { [ "$(link_local "$@")" ]; }
until_true 5 has_link_local here || die "no link-local address"
until_true 5 has_link_local eth0 there || die "no link-local address there"
ours=$(link_local here) theirs=$(link_local eth0 there)
export SSH_CONNECTION='fd09::2 50000 fd09::1 22'
for egress in '' --egress; do
	taken allow any proto tcp ${egress:+"$egress"}
	for target in fe80::/10 fd09::/64 fd09::2 ::/0; do
		refused 'neighbour discovery of the session from fd09::2' add "$target" ${egress:+"$egress"}
	done
	clear
done
grep -q '(::/0 dst action drop)' "$work/r.err" || die "which entry?"
taken allow any proto tcp
refused 'neighbour discovery of the session from fd09::2' add ff02::1:ff00:0/104 dst
refused 'neighbour discovery of the session from fd09::2' add ff02::1:ff00:1 dst proto icmp6
refused 'neighbour discovery of the session from fd09::2' add fd09::1 dst proto icmp6
refused 'neighbour discovery of the session from fd09::2' add "$ours" dst
refused 'neighbour discovery of the session from fd09::2' add 33:33:ff:00:00:01 dst
refused 'neighbour discovery of the session from fd09::2' add "$(peer_mac)"
refused 'neighbour discovery of the session from fd09::2' add fd09::2 proto icmp6 action limit 1pps
taken allow fd09::/64 proto icmp6
taken allow fe80::/10 proto icmp6
taken add fd09::/64
clear
taken add ff02::1:ff00:77 dst
taken add fe80::77
clear
for target in ff02::1:ff00:0/104 ff02::1:ff00:2 ff02::1; do
	refused 'neighbour discovery of the session from fd09::2' add "$target" --egress
done
taken add ff02::1:ff00:77 --egress
clear --egress

say "a neighbour's link-local address, which it asks from"
ip -6 neigh replace "$theirs" lladdr "$(peer_mac)" dev here
ip -6 neigh replace fe80::99 lladdr "$(peer_mac)" dev here
refused 'neighbour discovery of the session from fd09::2' add fe80::99
refused 'neighbour discovery of the session from fd09::2' add "$theirs"
refused 'neighbour discovery of the session from fd09::2' add "$theirs" --egress
ip -6 neigh del fe80::99 dev here
taken add fe80::99
clear

say "a gateway's, and routers"
ip -6 route add default via fe80::2 dev here proto ra
ip -6 neigh replace fe80::2 lladdr "$(peer_mac)" dev here
export SSH_CONNECTION='2001:db8:7::7 50000 fd09::1 22'
refused 'neighbour discovery of the session from 2001:db8:7::7' add fe80::2 proto icmp6
refused 'neighbour discovery of the session from 2001:db8:7::7' add fe80::2 --egress
taken allow fe80::2 dst
refused 'router discovery of the session from 2001:db8:7::7' add ff02::2 --egress
taken add fd09::2
clear
ip -6 route del default
taken add ff02::2 --egress
clear --egress

say "a session from a link-local address"
export SSH_CONNECTION="$theirs%here 50000 $ours%here 22"
refused "the session from $theirs, known by SSH_CONNECTION" add "$(peer_mac)"
refused "the session from $theirs, known by SSH_CONNECTION" add "$theirs"
taken allow any proto tcp
refused "neighbour discovery of the session from $theirs" add "$theirs"
refused "neighbour discovery of the session from $theirs" add "$(peer_mac)"
clear
unset SSH_CONNECTION

say "ARP of a session of IPv4, whose TCP passes"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
taken allow any proto tcp
refused 'ARP of the session from 10.9.0.2' add "$(peer_mac)"
refused 'ARP of the session from 10.9.0.2' add "$(mac)" dst
refused 'ARP of the session from 10.9.0.2' add ff:ff:ff:ff:ff:ff dst
refused 'ARP of the session from 10.9.0.2' add "$(peer_mac)" action limit 1pps
taken add 10.9.0.2
taken add 33:33:ff:00:00:77 dst
clear
taken allow any proto tcp --egress
refused 'ARP of the session from 10.9.0.2' add "$(peer_mac)" --egress
refused 'ARP of the session from 10.9.0.2' add ff:ff:ff:ff:ff:ff --egress
clear --egress
unset SSH_CONNECTION
refused 'ARP (ff:ff:ff:ff:ff:ff dst action drop)' add ff:ff:ff:ff:ff:ff dst
refused 'neighbour discovery (ff02::1:ff00:1 dst action drop)' add ff02::1:ff00:1 dst

say "what leaves"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
refused 'the session from 10.9.0.2' add 10.9.0.2 --egress
refused 'the session from 10.9.0.2' add 10.9.0.1 src --egress
refused 'the session from 10.9.0.2' add any --egress proto tcp port 50000
unset SSH_CONNECTION
refused 'what answers from port 22' add 10.9.0.1 src --egress
refused 'what answers from port 22' add any --egress proto tcp
taken add 192.0.2.1 --egress
clear --egress

say "our own address, for whomever"
refused 'new connections to port 22' add 10.9.0.1 dst
refused 'new connections to port 22' add fd09::/64 dst
refused 'new connections to port 22' add "$(mac)" dst
taken add 203.0.113.0/24
clear

say "taking an entry away"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
taken add 10.9.0.0/24 --force-lockout
taken allow 10.9.0.2
refused 'the session from 10.9.0.2' del id 2
taken del 10.9.0.0/24
clear
taken allow 192.0.2.0/24 --egress --mode deny
grep -q 'open in any case: what answers from TCP port 22' "$work/t.err" || die "what stays open?"
clear --egress
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 2022'
taken allow 192.0.2.0/24 --egress --mode deny
grep -q 'open in any case: what answers from TCP ports 22 2022' "$work/t.err" || die "is the session's port shut?"
clear --egress
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
taken add 10.9.0.2 --force-lockout
taken del 10.9.0.2
refused 'the session from 10.9.0.2' rollback
unset SSH_CONNECTION
clear

say "utmp"
# logged_in HOST [N]: N logins from there
logged_in() {
	python3 - "$@" <<'P'
import struct, sys
with open("/run/utmp", "wb") as f:
	for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
		f.write(struct.pack("=hxxi32s4s32s256shhiii4I20x", 7, 1, b"pts/0", b"0", b"root", sys.argv[1].encode(), 0, 0, 1, 1, 0, 0, 0, 0, 0))
P
}
logged_in 10.9.0.2
refused 'the session from 10.9.0.2, known by a login (utmp)' add 10.9.0.2
refused 'the session from 10.9.0.2, known by a login (utmp)' add 10.9.0.2 --egress
refused 'the session from 10.9.0.2, known by a login (utmp)' add 10.9.0.1 dst proto tcp port 22

say "mosh, which tells so in utmp"
: >"$work/mosh.log"
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 60007))
print("ready", flush=True)
time.sleep(60)' >"$work/mosh.log" 2>"$work/mosh.err" &
mosh=$!
until_true 5 grep -q ready "$work/mosh.log" || die "no mosh"
logged_in "10.9.0.2 via mosh [$mosh]"
refused 'the session from 10.9.0.2, known by a login (utmp)' add 10.9.0.0/24 proto udp
refused 'the session from 10.9.0.2, known by a login (utmp)' add any proto udp port 60007
refused 'the session from 10.9.0.2, known by a login (utmp)' add 10.9.0.1 src proto udp --egress
taken add any proto udp port 60008
clear
logged_in '10.9.0.2 via mosh [1]'
refused 'the session from 10.9.0.2, known by a login (utmp)' add any proto udp port 60000-61000
kill $mosh
rm /run/utmp

# A process called sshd with a session from there, in which a command runs, with an empty environment as sudo leaves it.
cat >"$work/sshd.py" <<'P'
import os, socket, subprocess, sys
open("/proc/self/comm", "w").write("sshd")
family, port = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET, int(sys.argv[2])
s = socket.socket(family)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", port))
s.listen()
print("ready", flush=True)
c, _ = s.accept()
s.close() if sys.argv[3] == "session" else None
sys.exit(subprocess.call(sys.argv[4:], env={"PATH": os.environ["PATH"]}))
P
# under FAMILY PORT HOW COMMAND...: its exit status, its errors in sshd.err
under() {
	local rc=0
	: >"$work/sshd.log"
	python3 "$work/sshd.py" "$@" >"$work/sshd.log" 2>"$work/sshd.err" </dev/null &
	local p=$!
	until_true 5 grep -q ready "$work/sshd.log" || die "no sshd"
	there python3 -c 'import socket, sys; s = socket.create_connection(("10.9.0.1", int(sys.argv[1])), 5); s.recv(1)' "$2" >/dev/null 2>&1 &
	wait $p || rc=$?
	return $rc
}
for family in 4 6; do
	for how in session listens; do
		say "the sshd that it runs under: family $family, it $how"
		rc=0
		under $family 2222 $how "$NETPROBE" block add 10.9.0.2 dev here --commit || rc=$?
		same "$step: exit status" $rc 2
		grep -q 'the session from 10.9.0.2, known by the sshd that this runs under' "$work/sshd.err" || die "$step: not told"
	done
done
say "our own, among more logins than are looked at"
logged_in 10.9.0.77 300
rc=0
under 4 2222 session "$NETPROBE" block add 10.9.0.2 dev here --commit || rc=$?
same "$step: exit status" $rc 2
grep -q 'the session from 10.9.0.2, known by the sshd that this runs under' "$work/sshd.err" || die "$step: not told"
rm /run/utmp
say "a change from there waits for a confirmation"
under 4 2223 session "$NETPROBE" block add 192.0.2.1 dev here || die "refused"
grep -q 'everything passes again in 60 s unless' "$work/sshd.err" || die "not armed"
clear
say "somebody else's session"
: >"$work/sshd.log"
python3 "$work/sshd.py" 6 2224 listens sleep 60 >"$work/sshd.log" 2>"$work/sshd.err" </dev/null &
sshd=$!
until_true 5 grep -q ready "$work/sshd.log" || die "no sshd"
there python3 -c 'import socket; s = socket.create_connection(("10.9.0.1", 2224), 5); s.recv(1)' >/dev/null 2>&1 &
client=$!
until_true 5 sh -c "ss -tn state established | grep -q ':2224'" || die "no session"
refused 'the session from 10.9.0.2, known by a connection to sshd' add 10.9.0.2
refused 'new connections to port 2224' add 198.51.100.0/1 proto tcp port 2224
kill $sshd $client
