#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# debian.sh SUITE TREE SCRIPT: a small system of that Debian suite in the directory TREE, made by debootstrap unless
# it is there and whole; in it, at /netprobe, a new copy of these sources as they are now; and there, as root in
# that system, SCRIPT --inside.  The kernel stays this one; every mount lies in a namespace of its own.  Exit
# status 77, with the reason, where such a system cannot be made.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset MAKEFLAGS MAKELEVEL MFLAGS TMPDIR
suite=$1 tree=$PWD/$2 script=$3

skip() { echo "skip ${tree#"$PWD/build/"}: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
command -v debootstrap >/dev/null || skip "no debootstrap (apt-get install debootstrap)"
if [ ! -e "$tree.complete" ]; then
	uri=$(tests/mirror)
	[ -n "$uri" ] || skip "no Debian archive among the apt sources; name one in NETPROBE_MIRROR"
	mkdir -p "${tree%/*}"
	rm -rf --one-file-system "$tree"
	debootstrap --variant=minbase "$suite" "$tree" "$uri" >"$tree.log" 2>&1 ||
		{ tail -n 20 "$tree.log"; echo "debootstrap fails"; exit 1; }
	touch "$tree.complete"
fi

# The files that git knows or would take; of an unpacked archive those that make has not made.
sources() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard | while read -r f; do [ ! -e "$f" ] || echo "$f"; done | tar -c -T -
	else
		tar -c --exclude=./build --exclude=./config.mk --exclude=./config.log --exclude=./compile_commands.json .
	fi
}
rm -rf --one-file-system "$tree/netprobe"
mkdir "$tree/netprobe"
sources | tar -x --no-same-owner -C "$tree/netprobe"
cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
# The archive may be a snapshot of some day.
echo 'Acquire::Check-Valid-Until "false";' >"$tree/etc/apt/apt.conf.d/90snapshot"

# A root that is no mount point cannot make mount namespaces: the tree is mounted on itself.
# shellcheck disable=SC2016
exec unshare --mount --propagation private --pid --fork --kill-child sh -euc '
	mount --bind "$1" "$1"
	mount --rbind /dev "$1/dev"
	exec chroot "$1" "/netprobe/$2" --inside
' sh "$tree" "$script"
