#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of netprobe-block(8) that need a kernel, one after the other, with a list as long as a country's.
. "$(dirname "$0")/lib.sh"
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
mkdir "$work/cwd"
cd "$work/cwd"
{
	echo "# a country"
	for a in $(seq 1 200); do for b in $(seq 0 255); do echo "23.$a.$b.0/24"; done; done
	echo 192.0.2.0/24
	echo 10.9.0.1
} >country.netset
printf '203.0.113.0/24\n10.9.0.1\n' >bad.netset
reach() { ping -qc1 -W1 10.9.0.2 >/dev/null; }
one() { # COMMAND: by itself, or until it has told a packet
	local rc=0
	case $1 in
	*' watch '*)
		# shellcheck disable=SC2086
		there "$NETPROBE" ${1#netprobe } -c 1 >"$work/one.log" 2>"$work/one.err" </dev/null &
		pid=$!
		until_true 10 grep -q 'listening on' "$work/one.err" || die "$1: $(cat "$work/one.err")"
		reach || true
		wait "$pid" || rc=$?
		grep -q ' IP 10.9.0.1 > 10.9.0.2' "$work/one.log" || die "$1: nothing is told" ;;
	*)
		# shellcheck disable=SC2086
		there "$NETPROBE" ${1#netprobe } >"$work/one.log" 2>"$work/one.err" </dev/null || rc=$? ;;
	esac
	same "exit status of $1" $rc 0
}

awk '/^\.Bd -literal/ { d = 1 } /^\.Ed/ { d = 0 } d && /^# netprobe / { print substr($0, 3) }' \
	"$top/man/netprobe-block.8" | sed 's/\\&//g; s/\\-/-/g' >"$work/commands"
n=0
while IFS= read -r command; do
	say "$command"
	one "$command"
	n=$((n + 1))
	case $command in
	*'country.netset dev eth0 for 1d'*) ! reach || die "blocked, and arrives" ;;
	*--dry-run* | *'del --all'*) reach || die "nothing is blocked, and nothing arrives" ;;
	*'block test 192.0.2.7'*) grep -q 'drop.*country.netset:51202' "$work/one.log" || die "$(cat "$work/one.log")" ;;
	*'list --hits'*) sed -n 2p "$work/one.log" | grep -q '10\.9\.0\.1' || die "who was hit? $(head -n 3 "$work/one.log")" ;;
	*'--mode deny'*) ! reach || die "denied, and arrives" ;;
	esac
done <"$work/commands"
[ $n -ge 10 ] || die "only $n examples"
echo "# $n examples"
