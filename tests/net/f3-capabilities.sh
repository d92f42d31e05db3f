#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F3: capabilities instead of root suffice; a missing one is named.
. "$(dirname "$0")/lib.sh"
need setpriv
pair
chmod 755 "$work"
cp "$NETPROBE" "$work/np"

as() { # CAPS COMMAND...: in a process of its own
	local caps=$1
	shift
	exec setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps "-all$caps" --ambient-caps "-all$caps" \
		--bounding-set "-all$caps" "$@"
}

say "bpf, net_admin and net_raw suffice"
as ,+bpf,+net_admin,+net_raw "$work/np" watch -i here -c 2 icmp >"$work/caps.out" 2>"$work/caps.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/caps.err" || { cat "$work/caps.err"; die "capabilities do not suffice"; }
same "CapEff of the reader" "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$pid/status")" 0000000000000000
ping -qc2 -i 0.2 10.9.0.2 >/dev/null
wait "$pid"
same "lines" "$(wc -l <"$work/caps.out")" 2

say "net_raw alone: packet sockets, and what more would bring"
as ,+net_raw "$work/np" watch -i here -c 2 icmp >"$work/raw.out" 2>"$work/raw.err" &
pid=$!
until_true 5 grep -q 'listening on here, packet' "$work/raw.err" || { cat "$work/raw.err"; die "net_raw does not suffice"; }
grep -q 'packet sockets only, for .*CAP_BPF, CAP_NET_ADMIN missing' "$work/raw.err" || die "what is missing is not told"
ping -qc2 -i 0.2 10.9.0.2 >/dev/null
wait "$pid"
same "lines" "$(wc -l <"$work/raw.out")" 2

say "perfmon for drops"
as ,+bpf,+net_admin,+net_raw,+perfmon "$work/np" watch --drops -i here >"$work/drops.out" 2>"$work/drops.err" &
pid=$!
until_true 5 grep -q 'listening on' "$work/drops.err" || { cat "$work/drops.err"; die "drops do not start with CAP_PERFMON"; }
stop INT

missing() { # CAPS NAMED...
	local caps=$1 rc=0 c
	shift
	(as "$caps" "$work/np" watch -i here -c 1) >/dev/null 2>"$work/missing.err" || rc=$?
	same "exit status with $caps" "$rc" 5
	for c; do
		grep -q "$c" "$work/missing.err" || { cat "$work/missing.err"; die "$c is not named"; }
	done
}
say "nothing at all"
missing "" CAP_BPF CAP_NET_ADMIN
say "without CAP_NET_ADMIN and CAP_NET_RAW"
missing ,+bpf CAP_NET_ADMIN
