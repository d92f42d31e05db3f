#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1 to C6: a firewall does not cut its user off.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
reach() { there ping -qc1 -W1 10.9.0.1 >/dev/null; }
# refused WHAT ARGS...: exit status 2, and nothing attached
refused() {
	local what=$1 rc=0
	shift
	"$NETPROBE" block "$@" </dev/null 2>"$work/r.err" || rc=$?
	same "exit status of: $what" $rc 2
	grep -q 'refused' "$work/r.err" || { cat "$work/r.err"; die "$what: not told"; }
	! "$NETPROBE" block status dev here >/dev/null 2>&1 || die "$what: attached all the same"
}

say "C1: one's own session"
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
refused "its address" add 10.9.0.2 dev here
grep -q 'session from 10.9.0.2' "$work/r.err" || die "the session is not named"
refused "its prefix" add 10.9.0.0/16 dev here
refused "everything" add any dev here
refused "its port" add any proto tcp port 20-30 dev here
export SSH_CONNECTION='fd09::2 50000 fd09::1 2222'
refused "IPv6" add fd09::/48 dev here
unset SSH_CONNECTION
refused "new sessions" add any proto tcp dev here
refused "DHCP" add any proto udp port 67-68 dev here
refused "neighbour discovery" add any proto icmp6 dev here
"$NETPROBE" block add 192.0.2.0/24 dev here --commit </dev/null 2>/dev/null
same "others are blocked" $? 0

say "C5: a dry run changes nothing"
"$NETPROBE" block add 10.9.0.2 dev here --dry-run --commit </dev/null 2>/dev/null
same "entries" "$("$NETPROBE" block list dev here | wc -l)" 1

say "C4: what stays open where all is denied"
"$NETPROBE" block allow 192.0.2.0/24 dev here --mode deny --commit </dev/null 2>"$work/deny.err"
grep -q 'open in any case: TCP port 22, DHCP, ARP, neighbour discovery, multicast listener reports$' "$work/deny.err" || die "$(cat "$work/deny.err")"
! reach || die "deny lets through"
"$NETPROBE" block test 10.9.0.2:22/tcp dev here | grep -q 'pass, failsafe' || die "port 22 is shut"

say "C6: each of the exits"
"$NETPROBE" block del --all dev here 2>/dev/null
reach || die "del --all does not open"
"$NETPROBE" block add 10.9.0.2 dev here --commit </dev/null 2>/dev/null
! reach || die "not blocked"
rm -r /sys/fs/bpf/netprobe
until_true 1 reach || die "rm does not open"

say "the deadline, confirmed"
"$NETPROBE" block add 10.9.0.2 dev here --confirm 1s </dev/null 2>/dev/null
"$NETPROBE" block confirm dev here 2>/dev/null
sleep 1.2
! reach || die "confirmed, and passes"
"$NETPROBE" block del --all dev here 2>/dev/null

say "C2: the deadline, not confirmed, whatever becomes of the command"
n=0
mkdir "$work/c2"
one() { # NUMBER SIGNAL: in a network namespace and with a state of its own
	set +e
	ip link add v0 type veth peer name v1
	ip link set v0 up
	ip link set v1 up
	"$NETPROBE" block add 192.0.2.0/24 dev v0 --confirm 1s </dev/null 2>/dev/null &
	p=$!
	if [ "$2" = none ]; then wait $p; else
		until [ "$("$NETPROBE" block test 192.0.2.1 dev v0 2>/dev/null)" ]; do kill -0 $p 2>/dev/null || break; done
		kill -"$2" $p 2>/dev/null
	fi
	start=$(date +%s%N)
	while "$NETPROBE" block test 192.0.2.1 dev v0 2>/dev/null | grep -q ': drop'; do sleep 0.05; done
	ms=$((($(date +%s%N) - start) / 1000000))
	"$NETPROBE" block test 192.0.2.1 dev v0 | grep -q 'pass, expired_pass' && [ $ms -lt 2000 ] && echo "$ms" >"$work/c2/$1"
	kill -KILL $p 2>/dev/null
	true
}
export -f one
export NETPROBE work
for sig in HUP TERM KILL STOP none; do
	for i in $(seq "${C2_EACH:-4}"); do
		clock=
		[ $((i % 2)) = 0 ] || clock='--time --boottime 1000000'
		# shellcheck disable=SC2086
		unshare --net $clock bash -c "one $sig-$i $sig" &
		n=$((n + 1))
		[ $((n % 10)) != 0 ] || wait
	done
done
wait
same "restored" "$(find "$work/c2" -type f | wc -l)" $n
echo "# $n of $n restored, at the latest $(cat "$work"/c2/* | sort -n | tail -1) ms after the command ended (deadline 1 s)"
