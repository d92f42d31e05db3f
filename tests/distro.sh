#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# distro.sh SUITE: build and try netprobe with the compilers and libraries of another Debian suite (bookworm,
# trixie, sid): a small system below build/distro/SUITE, made by debootstrap and brought up to date the next
# time; in it a build where warnings are errors, the groups unit, golden and cli of tests/run, and ten packets
# from a veth pair.  The kernel stays this one.  As root; every mount lies in a namespace of its own.
# `rm -r build/distro` takes it all away.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
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
[ "$(id -u)" = 0 ] || die "needs root"
command -v debootstrap >/dev/null || die "no debootstrap (apt-get install debootstrap)"
tree=$top/build/distro/$suite
if [ ! -e "$tree.complete" ]; then
	uri=$(tests/mirror)
	[ -n "$uri" ] || die "no Debian archive among the apt sources; name one in NETPROBE_MIRROR"
	mkdir -p "$top/build/distro"
	rm -rf --one-file-system "$tree"
	debootstrap --variant=minbase "$suite" "$tree" "$uri" >"$tree.log" 2>&1 ||
		{ tail -n 20 "$tree.log"; die "debootstrap fails"; }
	touch "$tree.complete"
fi

# The files that git knows or would take, as they are now.
rm -rf --one-file-system "$tree/netprobe"
mkdir "$tree/netprobe"
git ls-files -co --exclude-standard | while read -r f; do [ ! -e "$f" ] || echo "$f"; done |
	tar -c -T - | tar -x --no-same-owner -C "$tree/netprobe"
cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
# The archive may be a snapshot of some day.
echo 'Acquire::Check-Valid-Until "false";' >"$tree/etc/apt/apt.conf.d/90snapshot"

# A root that is no mount point cannot make mount namespaces: the tree is mounted on itself.
# shellcheck disable=SC2016
unshare --mount --propagation private --pid --fork --kill-child sh -euc '
	mount --bind "$1" "$1"
	mount --rbind /dev "$1/dev"
	exec chroot "$1" /netprobe/tests/distro.sh --inside
' sh "$tree" && rc=0 || rc=$?
[ $rc = 0 ] && echo "ok distro/$suite" || echo "not ok distro/$suite"
exit $rc
