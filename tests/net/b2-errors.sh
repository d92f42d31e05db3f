#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B2: each system call of the start fails once, with each of several errors, and is killed once, in reader and helper.
# Every run hears what was sent, or ends with one line that says why and a status that is not 0; nothing is left.
# By default each fifth place in the long sequences is tried; all of them, and all errors, with check-all.
. "$(dirname "$0")/lib.sh"
need strace
ip link add near type veth peer name far
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null || true
ip link set lo up && ip link set near up && ip link set far up
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	echo 02000000000202000000000108004500002000010000401166ca0a0000010a00000203e80009000c00006e657421
done >"$work/ten.hex"
"$TOOLS/hex2pcap" "$work/ten.hex" "$work/ten.pcap"

filters() { tc filter show dev near ingress; tc filter show dev near egress; tc qdisc show dev near; }
before=$(filters)
ours() { pgrep -x 'netprobe.*' >/dev/null; }
heard() { grep -c '"port":9[,}]' "$work/run.out" || true; }
ended() { ! kill -0 "$pid" 2>/dev/null; }
traced() { grep -q INJECTED "$work/run.trace" || grep -q 'killed by SIGKILL' "$work/run.trace"; }

# traced_run CALL ACTION: its exit status in $status
traced_run() {
	: >"$work/run.err"
	strace -qq -f -o "$work/run.trace" -e "trace=$1" -e "inject=$1:$2" \
		"$NETPROBE" -j watch --packets -i near >"$work/run.out" 2>"$work/run.err" &
	pid=$!
	# The line that says so may be what is not written: then it says a little later that nothing comes.
	until_true 10 eval "grep -qE 'listening on|no traffic' '$work/run.err' || ended" || die "$1 $2: neither listens nor ends"
	if ! ended; then
		"$TOOLS/inject" far "$work/ten.pcap" >/dev/null
		until_true 3 eval "[ \"\$(heard)\" -ge 10 ] || ended" || true
		pkill -INT -x netprobe || true
	fi
	status=0
	wait "$pid" || status=$?
	until_true 3 eval '! ours' || die "$1 $2: a process is left"
	[ "$(filters)" = "$before" ] || die "$1 $2: left at the interface: $(filters)"
}

# fails CALL ERRNO N
fails() {
	traced_run "$1" "error=$2:when=$3"
	if [ $status = 0 ]; then
		[ "$(heard)" -ge 10 ] || die "$1 fails with $2 at $3: status 0, and $(heard) of 10 heard"
		return
	fi
	[ $status -lt 128 ] || die "$1 fails with $2 at $3: status $status"
	same "$1 fails with $2 at $3: lines that say why ($(cat "$work/run.err"))" "$(grep -c '^netprobe: ' "$work/run.err")" 1
}
killed() { traced_run "$1" "signal=KILL:when=$3"; }

# sweep WHAT CALL ERRNO STEP
sweep() {
	local n=1 tried=0
	say "$1: $2 $3"
	while [ $n -lt 200 ]; do
		"$1" "$2" "$3" $n
		traced || break
		tried=$((tried + 1))
		n=$((n + $4))
	done
	[ $tried -gt 0 ] || [ "$2" = memfd_create ] || die "$2: was not called"
	runs=$((runs + tried))
}

runs=0
errors='EPERM ENOMEM EINVAL EBUSY' stride=1
[ "${NETPROBE_TEST_TIER:-}" = all ] || { errors=EPERM; stride=5; }
for e in $errors; do
	for call in bpf mmap; do sweep fails $call "$e" $stride; done
	for call in openat socket bind write clone setresuid memfd_create; do sweep fails $call "$e" 1; done
done
for call in bpf mmap; do sweep killed $call KILL $stride; done
sweep killed socket KILL 1
echo "$runs starts went wrong in as many places"
