#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64.sh: build netprobe for arm64 with Debian 12's cross compiler and run it under qemu-user: a small system below
# build/arm64 (debian.sh), brought up to date each time; in it a build for this machine and one for arm64, where
# warnings are errors.  Then `version` and the records of every capture as JSON are the same from both, every line
# of tests/golden comes out as written there, and so do the unit tests.  What runs here is no arm64 kernel:
# nothing is captured, and no filter of system calls is in force.  As root.  `rm -r build/arm64` takes it all away.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1 DEBIAN_FRONTEND=noninteractive

die() { echo "arm64: $*" >&2; exit 1; }

# ── in the other system, from the copy of the tree ──

# built COMPILER MAKE-ARGUMENTS...
built() {
	./configure CC="$1" >build.log 2>&1 || { cat build.log config.log; die "configure for $1 fails"; }
	shift
	make -k -j"$(nproc)" WERROR=-Werror "$@" >build.log 2>&1 ||
		{ grep -vE '^  [A-Z]+ ' build.log; die "make $* fails"; }
}

# same ARGUMENTS...: do both say the same, and end in the same way?
same() {
	build/native/netprobe "$@" >native.out 2>/dev/null && a=0 || a=$?
	"$NETPROBE" "$@" >arm64.out 2>/dev/null && b=0 || b=$?
	[ "$a" = "$b" ] && cmp native.out arm64.out && return
	echo "not ok arm64/same: netprobe $*: exit status $a here and $b there"
	bad=1
}

# A line for each test, as tests/one takes it.
list() {
	for n in $(tests/golden.sh --list); do echo "arm64/golden/$n 120 tests/golden.sh $n"; done
	for f in tests/unit/test_*.c; do
		n=${f##*/test_} n=${n%.c}
		case $n in
		# These want the filter of system calls and Landlock in force, which qemu-user refuses the programs it runs.
		priv | helper_end) echo "skip arm64/unit/$n: no seccomp and no Landlock under qemu-user" >&2 ;;
		*) echo "arm64/unit/$n 300 qemu-aarch64-static build/${f%.c}" ;;
		esac
	done
}

inside() {
	mount -t proc none /proc
	dpkg --configure -a >/dev/null		# after a run that was ended
	dpkg --add-architecture arm64
	apt-get -qq update
	apt-get -qq -y dist-upgrade >/dev/null
	tests/deps build arm64
	built cc B=build/native all
	built aarch64-linux-gnu-gcc all unit-programs
	aarch64-linux-gnu-readelf -h build/netprobe | grep -q 'Machine: *AArch64' || die "build/netprobe is not for arm64"
	echo "# $(aarch64-linux-gnu-gcc --version | head -n 1), $(qemu-aarch64-static --version | head -n 1)"

	export NETPROBE="$PWD/build/netprobe-arm64" LOGS="$PWD/build/logs" RESULTS="$PWD/build/logs/results"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nexec qemu-aarch64-static "%s/build/netprobe" "$@"\n' "$PWD" >"$NETPROBE"
	chmod +x "$NETPROBE"
	bad=0
	same version
	same -j version
	n=0
	for f in tests/golden/*.pcap*; do
		same -j watch -r "$f"
		n=$((n + 1))
	done
	[ $bad != 0 ] || echo "ok arm64/same: version, and the JSON of $n captures"
	# qemu-user refuses seccomp as a kernel without it does: it goes on, and says so.
	if "$NETPROBE" watch -r tests/golden/arp-icmp.pcap 2>&1 >/dev/null | grep -q 'warning: no system call filter here'; then
		echo "ok arm64/no-seccomp"
	else
		echo "not ok arm64/no-seccomp: nobody is told that there is no system call filter"
		bad=1
	fi
	mkdir "$LOGS"
	NETPROBE_TEST_SCALE=$(tests/calibrate)
	export NETPROBE_TEST_SCALE
	list | xargs -r -P "$(nproc)" -d '\n' -n 1 tests/one || bad=1
	! grep -q '^bad' "$RESULTS" || bad=1
	exit $bad
}

case ${1-} in
--inside) inside ;;
'') ;;
*) echo "usage: tests/arm64.sh" >&2; exit 2 ;;
esac

# ── out here ──
rc=0
tests/debian.sh bookworm build/arm64/bookworm tests/arm64.sh || rc=$?
case $rc in
0) echo "ok arm64" ;;
77) ;;	# debian.sh said why
*) echo "not ok arm64" ;;
esac
exit $rc
