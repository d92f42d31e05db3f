#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# distro.sh SUITE: build and try netprobe with the compilers and libraries of another Debian suite (bookworm,
# trixie, sid): a small system below build/distro/SUITE (debian.sh), brought up to date each time; in it a build
# where warnings are errors, the groups unit, golden and cli of tests/run, and ten packets from a veth pair.
# As root.  `rm -r build/distro` takes it all away.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset MAKEFLAGS MAKELEVEL MFLAGS TMPDIR

die() { echo "distro: $*" >&2; exit 1; }

# ── in the other system, from the copy of the tree ──
live() {
	mount -t tmpfs none /run
	mkdir /run/netns
	ip netns add there
	ip link add here type veth peer name eth0 netns there
	ip addr add 10.9.0.1/24 dev here
	ip link set here up
	ip -n there addr add 10.9.0.2/24 dev eth0
	ip -n there link set eth0 up
	: >/run/err
	timeout 60 build/netprobe watch -i here -c 10 icmp >/run/out 2>/run/err &
	pid=$!
	n=100
	until grep -q 'listening on' /run/err; do
		n=$((n - 1))
		[ $n -gt 0 ] || { cat /run/err; die "live capture does not start"; }
		sleep 0.1
	done
	ip netns exec there ping -q -c 5 -i 0.2 10.9.0.1 >/dev/null || die "no ping over the veth pair"
	rc=0
	wait $pid || rc=$?
	[ $rc = 0 ] && [ "$(grep -c ICMP /run/out)" = 10 ] && [ "$(wc -l </run/out)" = 10 ] && return
	cat /run/out /run/err
	die "live capture: exit status $rc and $(wc -l </run/out) lines; wanted 0 and 10"
}

inside() {
	mount -t proc none /proc
	mount -t sysfs none /sys
	mount -t bpf none /sys/fs/bpf
	apt-get -qq update
	apt-get -qq -y dist-upgrade >/dev/null
	tests/deps build check
	./configure >build.log 2>&1 || { cat build.log config.log; die "configure fails"; }
	bpf=$(sed -n 's/^checking version of libbpf[. ]*v*//p' build.log)
	echo "# gcc $(gcc -dumpfullversion), clang $(clang -dumpversion), libbpf $bpf"
	make -k -j"$(nproc)" WERROR=-Werror all unit-programs tools >build.log 2>&1 ||
		{ grep -vE '^  [A-Z]+ ' build.log; die "the build fails"; }
	bad=0
	tests/run unit golden cli || bad=1
	if unshare --net --mount "$0" --live; then
		echo "ok live: ten packets"
	else
		echo "not ok live"
		bad=1
	fi
	exit $bad
}

case ${1-} in
--live) live; exit ;;
--inside) inside ;;
bookworm | trixie | sid) suite=$1 ;;
*) echo "usage: tests/distro.sh bookworm|trixie|sid" >&2; exit 2 ;;
esac

# ── out here ──
rc=0
tests/debian.sh "$suite" "build/distro/$suite" tests/distro.sh || rc=$?
case $rc in
0) echo "ok distro/$suite" ;;
77) ;;	# debian.sh said why
*) echo "not ok distro/$suite" ;;
esac
exit $rc
