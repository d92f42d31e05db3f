#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the reader and the helper may still do, in the worlds they are started in.
# privtest has a pretended capture: nothing is attached anywhere.
set -u
: "${B=build}" "${CC=cc}" "${KILLS=50}"
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 77; }
command -v setpriv >/dev/null || { echo "1..0 # SKIP needs setpriv"; exit 77; }

T=$(mktemp -d /tmp/priv.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM
if [ ! -x "$B/tests/tools/privtest" ]; then
	make -s B="$B" "$B/libnetprobe.a" "$B/tests/tools/privtest.o" "$B/tests/tools/privprobe.o" >&2 &&
		$CC -static-pie "$B/tests/tools/privtest.o" "$B/tests/tools/privprobe.o" "$B/libnetprobe.a" \
			-lseccomp -o "$B/tests/tools/privtest" || exit 1
fi
chmod 755 "$T"
cp "$B/tests/tools/privtest" "$T/privtest"
mkdir "$T/out" && chmod 777 "$T/out"

n=0 failed=0
# ok NAME COMMAND...: the command is the test; what it printed is shown when it fails
ok() {
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$T/log" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$T/log"
		failed=$((failed + 1))
	fi
}

# confined UID ARGS...: everything denied, all sets empty, and the work goes on
confined() {
	uid=$1
	shift
	"$@" >"$T/result"
	rc=$?
	cat "$T/result"
	[ $rc = 0 ] && grep -qx 'allowed: 0' "$T/result" && grep -qx 'work: ok' "$T/result" &&
		grep -qx "Uid:	$uid	$uid	$uid	$uid" "$T/result" &&
		[ "$(grep -cE '^Cap(Inh|Prm|Eff|Amb):	0+$' "$T/result")" = 4 ] &&
		grep -qx 'NoNewPrivs:	1' "$T/result" && grep -qx 'Seccomp:	2' "$T/result"
}

# says TEXT ARGS...: a whole line of the output
says() {
	text=$1
	shift
	"$@" >"$T/result"
	cat "$T/result"
	grep -qxF -- "$text" "$T/result"
}

as() {
	caps=$1
	shift
	setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps "$caps" --ambient-caps "$caps" "$@"
}

# Wait, at most a second, until the process is gone (a zombie is).
gone() {
	i=0
	while [ -d "/proc/$1" ] && ! grep -qs '^State:	Z' "/proc/$1/status"; do
		i=$((i + 1))
		[ $i -lt 100 ] || return 1
		sleep 0.01
	done
}

# Wait until privtest has said it.
until_said() {
	i=0
	until grep -q "$1" "$T/said"; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		sleep 0.01
	done
}

# The whole state of reader and helper as others see it.
seen_from_outside() {
	: >"$T/said"
	"$T/privtest" -w 20 >"$T/said" &
	reader=$!
	until_said ready || return 1
	helper=$(sed -n 's/^helper //p' "$T/said")
	rc=0
	cat "/proc/$reader/status" "/proc/$helper/status"
	for line in 'Uid:	65534	65534	65534	65534' 'Groups:	 ' 'CapEff:	0000000000000000' \
		'CapPrm:	0000000000000000' 'CapBnd:	0000000000000000' 'NoNewPrivs:	1' 'Seccomp:	2'; do
		grep -qx "$line" "/proc/$reader/status" || { echo "reader lacks $line"; rc=1; }
	done
	# perfmon, bpf, net_raw, net_admin, sys_resource and no more
	caps=$(sed -n 's/^CapEff:	//p' "/proc/$helper/status")
	[ $((0x$caps & ~0xc001003000)) = 0 ] || { echo "helper keeps $caps"; rc=1; }
	for line in 'Name:	netprobe-helper' 'NoNewPrivs:	1' 'Seccomp:	2'; do
		grep -qx "$line" "/proc/$helper/status" || { echo "helper lacks $line"; rc=1; }
	done
	[ "$(readlink "/proc/$helper/fd/0")" = /dev/null ] || { echo "helper holds stdin"; rc=1; }
	[ "$(readlink "/proc/$helper/fd/1")" = /dev/null ] || { echo "helper holds stdout"; rc=1; }
	kill -9 $reader
	wait $reader 2>/dev/null
	gone "$helper" || { echo "helper lives on"; rc=1; }
	return $rc
}

# killed SIGNALS: the helper goes with the reader, whatever it was doing just then
killed() {
	round=0
	while [ $round -lt "$KILLS" ]; do
		round=$((round + 1))
		: >"$T/said"
		"$T/privtest" -w 20 >"$T/said" 2>&1 &
		reader=$!
		case $((round % 3)) in
		0) until_said ready ;;
		1) until_said 'helper [0-9]' ;;
		2) until_said Uid ;;
		esac
		helpers=$(cat "/proc/$reader/task/$reader/children" 2>/dev/null)
		for sig in "$@"; do
			kill "-$sig" $reader
		done
		wait $reader 2>/dev/null
		for helper in $helpers; do
			gone "$helper" || { echo "helper $helper lives on after kill $round"; return 1; }
		done
	done
}

# The terminal sends its signals to the whole group; only the reader may act on them.
group_signals() {
	: >"$T/said"
	setsid "$T/privtest" -w 2 >"$T/said" 2>&1 &
	wait_for=$!
	until_said ready || return 1
	helper=$(sed -n 's/^helper //p' "$T/said")
	kill -INT "$helper"
	kill -TERM "$helper"
	kill -HUP "$helper"
	kill -TSTP "$helper"
	rc=0
	[ -d "/proc/$helper" ] && grep -q '^State:	S' "/proc/$helper/status" || rc=1
	wait $wait_for || rc=1
	grep -q 'the helper is gone' "$T/said" && rc=1
	return $rc
}

# The helper may write where root without CAP_DAC_OVERRIDE may not.
rotates_in_a_foreign_dir() {
	mkdir "$T/foreign" && chown 1000:1000 "$T/foreign" && chmod 755 "$T/foreign"
	confined 65534 "$T/privtest" -f "$T/foreign/cap" -n 2 && [ -f "$T/foreign/cap2" ]
}

ok "root: everything is dropped and denied" confined 65534 "$T/privtest" -f "$T/out/a" -n 2
ok "root, -Z UID" confined 4242 "$T/privtest" -u 4242
ok "root, no helper (a file is read)" confined 65534 "$T/privtest" -z
ok "root with only bpf and net_admin keeps its uid and nothing else" \
	confined 0 setpriv --bounding-set -all,+bpf,+net_admin "$T/privtest" -f "$T/out/b" -n 1
ok "root with only bpf and net_admin, -Z: refused" \
	sh -c "! setpriv --bounding-set -all,+bpf,+net_admin '$T/privtest' -u 4242"
ok "a user with capabilities" confined 1000 as +bpf,+net_admin "$T/privtest" -f "$T/out/c" -n 2
ok "a user without any" confined 1000 as -all "$T/privtest" -z -f "$T/out/d"
ok "a user without any, rotation" confined 1000 as -all "$T/privtest" -f "$T/out/e" -n 3
ok "files of the rotation are the user's, for the user alone" \
	says "1000 600" stat -c '%u %a' "$T/out/e3"
ok "root rotates in a directory of somebody else" rotates_in_a_foreign_dir
if unshare --user --map-root-user true 2>/dev/null; then
	ok "root of a user namespace where nobody is not mapped" \
		confined 0 unshare --user --map-root-user "$T/privtest"
	ok "root of a user namespace is told what it lacks" \
		says "missing 1: CAP_BPF (of the host, not of this user namespace)" \
		unshare --user --map-root-user "$T/privtest" -m
fi

ok "bpf and net_admin are enough" says "missing 0: " as +bpf,+net_admin "$T/privtest" -m
ok "bpf and net_raw are enough" says "missing 0: " as +bpf,+net_raw "$T/privtest" -m
ok "tracing needs perfmon" \
	says "missing for tracing 1: CAP_PERFMON" as +bpf,+net_admin "$T/privtest" -m
ok "tracing with perfmon" \
	says "missing for tracing 0: " as +bpf,+net_admin,+perfmon "$T/privtest" -m
ok "a user lacks two" says "missing 2: CAP_BPF, CAP_NET_ADMIN" as -all "$T/privtest" -m
ok "net_admin alone lacks one" says "missing 1: CAP_BPF" as +net_admin "$T/privtest" -m
ok "sys_admin stands in for bpf" says "missing 0: " as +sys_admin,+net_admin "$T/privtest" -m

ok "reader and helper as /proc shows them" seen_from_outside
ok "kill -9 of the reader ends the helper, $KILLS times" killed KILL
ok "so does kill -9 of a stopped one" killed STOP KILL
ok "the terminal's signals do not end the helper" group_signals

echo "1..$n"
[ $failed = 0 ]
