#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B3: watch leaves nothing behind, whoever is killed.
#
# What holds something must be gone within 3 s: processes, links, filters at the interface.  What nothing holds
# any more is freed by the kernel when it comes to it (work queues, grace periods), which no program can hasten:
# programs and maps have 30 s after the last kill; one that a pin holds, say, does not go in that time either.
# Other runs on the same host make objects of the same names, so only those are judged that a descriptor of ours
# was seen to name, and what those name in turn.  An id is never given twice.
. "$(dirname "$0")/lib.sh"
pair
KILLS=${KILLS:-200}
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
[ -x "$bpftool" ] || skip "bpftool is not installed"
: >"$work/ids"
: >"$work/all.ids"

ours() { pgrep -x 'netprobe.*' || true; }
# note_ids WHEN: what our processes hold
note_ids() {
	# shellcheck disable=SC2046	# words
	"$TOOLS/bpfids" held $(ours) | sort -u | sed "s/\$/ $1/" >"$work/ids"
	cat "$work/ids" >>"$work/all.ids"
}
stopped() { case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in [RSD]*) return 1 ;; esac; }
# freeze PID WHEN: it and its helper stand still wherever they are, and what they hold is noted
freeze() {
	local p
	kill -STOP "$1" 2>/dev/null || true
	until_true 3 stopped "$1" || die "process $1 does not stop"
	for p in $(pgrep -P "$1"); do
		kill -STOP "$p" 2>/dev/null || continue
		until_true 3 stopped "$p" || die "process $p does not stop"
	done
	note_ids "$2"
}

filters() {
	"$bpftool" net show 2>/dev/null | sed -n '/^tc:/,/^$/p'
	tc filter show dev here ingress
	tc filter show dev here egress
}
before=$(filters)
released() { [ -z "$(ours)" ] && [ -z "$(links)" ] && [ "$(filters)" = "$before" ]; }
links() { grep ^link "$work/ids" | "$TOOLS/bpfids" left; }
left() { "$TOOLS/bpfids" left <"$work/all.ids"; }
freed() { [ -z "$(left)" ]; }

# Who or what keeps it: names, the processes and pins that bpftool knows, descriptors
report() {
	local kind id rest
	echo "processes: $(ours | tr '\n' ' ')"
	filters
	left | while read -r kind id rest; do
		echo "$kind $id $rest"
		"$bpftool" -f "$kind" show id "$id" || true
		grep -lE "^${kind}_id:[[:space:]]*$id\$" /proc/[0-9]*/fdinfo/* 2>/dev/null |
			sed 's/^/	held by /' || true
	done
}
count() { grep -c "^$1 " "$work/$2" || true; }
# nothing_held WHEN
nothing_held() { until_true 3 released || { report; die "$1: something is still held"; }; }

for rung in tcx clsact socket packet; do
	say "kill -9 on rung $rung"
	"$NETPROBE" watch --rung $rung -i here >/dev/null 2>"$work/$rung.err" &
	pid=$!
	until_true 5 grep -q 'listening on' "$work/$rung.err" || { cat "$work/$rung.err"; die "rung $rung did not start"; }
	note_ids "of rung $rung"
	if [ $rung != packet ]; then
		for kind in prog map $([ $rung != tcx ] || echo link); do
			[ "$(count "$kind" ids)" -gt 0 ] || die "rung $rung: found no $kind of ours"
		done
	fi
	kill -9 $pid
	wait $pid 2>/dev/null || true
	nothing_held "rung $rung"
done

say "$KILLS kills at random moments"
for i in $(seq "$KILLS"); do
	"$NETPROBE" watch -i here >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	freeze $pid "of kill $i"
	if [ $((i % 4)) = 0 ]; then	# also both processes at once
		pkill -9 -x 'netprobe.*' || true
		kill -9 $pid 2>/dev/null || true
	else
		kill -9 $pid 2>/dev/null || true
		pkill -CONT -x 'netprobe.*' || true
	fi
	wait $pid 2>/dev/null || true
	nothing_held "kill $i"
done
[ "$(count map all.ids)" -ge "$KILLS" ] || die "the kills came before there was anything to leave"

say "the helper alone"
start helper watch -i here
note_ids "of the run whose helper died"
pkill -9 -x netprobe-helper || pkill -9 -P "$pid"
status=0
wait "$pid" || status=$?
same "exit status when the helper dies" "$status" 1
nothing_held "the helper's death"

say "the helper alone, on rung clsact: the next netprobe tells, --plan removes"
start clsact-helper watch --rung clsact -i here
pkill -9 -x netprobe-helper || pkill -9 -P "$pid"
wait "$pid" || true
[ "$(filters)" != "$before" ] || die "nothing was left to tell of"
start next watch -i here
until_true 3 grep -q 'here: 2 clsact filters of a netprobe that was killed are still there' "$work/next.err" ||
	die "what was left is not told"
stop INT
"$NETPROBE" watch --plan -i here >"$work/plan.out" 2>"$work/plan.err"
grep -q 'here: removed 2 clsact filters' "$work/plan.err" || die "--plan did not remove them"
nothing_held "--plan"

say "what the kernel frees later"
until_true 30 freed || { report; die "something that was not seen to be held is still there"; }
echo "$KILLS kills, nothing left of $(count link all.ids) links, $(count prog all.ids) programs, $(count map all.ids) maps"
