#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F1: the process that parses has no capability, no way to get one, a system call filter and another uid.
. "$(dirname "$0")/lib.sh"
pair

check() { # PID UID
	local f=/proc/$1/status
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		same "$set" "$(awk -v k="$set:" '$1 == k { print $2 }' "$f")" 0000000000000000
	done
	same NoNewPrivs "$(awk '$1 == "NoNewPrivs:" { print $2 }' "$f")" 1
	same Seccomp "$(awk '$1 == "Seccomp:" { print $2 }' "$f")" 2
	same Uid "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' "$f")" "$2 $2 $2 $2"
	same Gid "$(awk '$1 == "Gid:" { print $2 }' "$f")" "$2"
	[ -z "$(awk '$1 == "Groups:" { print $2 }' "$f")" ] || die "supplementary groups are left"
}

say "live"
start live watch -i here
until_true 2 grep -q '^Seccomp:.*2' "/proc/$pid/status"
check "$pid" 65534
say "no link, program or socket descriptor in the reader"
ls -l "/proc/$pid/fd" >"$work/fds.log"
! grep -qE 'bpf-(link|prog)|netlink' "$work/fds.log" || die "the reader holds what it must not"
stop INT

say "live, another user"
start user watch -Z 4242 -i here
until_true 2 grep -q '^Seccomp:.*2' "/proc/$pid/status"
check "$pid" 4242
stop INT

say "reading a file"
"$TOOLS/mktraffic" "$work/in.pcap" 10
mkfifo "$work/fifo"
"$NETPROBE" watch -r "$work/fifo" >/dev/null 2>"$work/file.err" &
pid=$!
exec 9>"$work/fifo"
head -c 24 "$work/in.pcap" >&9
until_true 3 grep -q '^Seccomp:.*2' "/proc/$pid/status" || die "no sandbox around a file"
check "$pid" 65534
exec 9>&-
wait "$pid" || true
