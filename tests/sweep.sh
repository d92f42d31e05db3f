#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sweep.sh [RUN]: take away what runs of the tests left that were killed, and what is left of RUN:
# processes that carry the name of one, mounts below its directory, the directory, and cgroups.  What belongs
# to another run that goes on, or to anything else, stays.
set -u
ended=${1-}
going_on() { [ "$1" != "$ended" ] && [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -q 'tests/run'; }

for environ in /proc/[0-9]*/environ; do
	pid=${environ#/proc/}
	pid=${pid%/environ}
	of=$(tr '\0' '\n' 2>/dev/null <"$environ" | sed -n 's/^NETPROBE_TEST_RUN=\([0-9]\{1,\}\)$/\1/p')
	[ -n "$of" ] && [ "$pid" != $$ ] && ! going_on "$of" || continue
	kill -KILL "$pid" 2>/dev/null && echo "ended process $pid of the tests' run $of"
done
for dir in "${TMPDIR:-/tmp}"/netprobe-test.*; do
	[ -d "$dir" ] || continue
	of=${dir##*.}
	! going_on "$of" || continue
	awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
		umount -l "$mount" 2>/dev/null
	done
	# Those that were just ended may not all be gone.
	rm -rf "$dir" 2>/dev/null || { sleep 1; rm -rf "$dir"; }
	[ -e "$dir" ] || echo "removed $dir"
done
for dir in /sys/fs/cgroup/netprobe-test.* /sys/fs/cgroup/unified/netprobe-test.*; do
	of=${dir##*/netprobe-test.}
	of=${of%%.*}
	[ -d "$dir" ] && ! going_on "$of" && rmdir "$dir" && echo "removed $dir"
done
exit 0
