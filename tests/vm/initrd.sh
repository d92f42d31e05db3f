#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# initrd.sh KERNELTREE NETPROBE INITRD: pack an initial RAM disk.  No privilege is needed: device
# nodes come from devtmpfs, owners are set by cpio.
set -eu
tree=$1 netprobe=$2 initrd=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run" "$root/mod" "$root/t"

# program FILE DIRECTORY: the file and the libraries it is linked with
program() {
	cp -L "$1" "$root/$2/"
	ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -L "$lib" "$root$lib"
	done
}
program "$(command -v busybox)" bin
program "$netprobe" bin
mv "$root/bin/$(basename "$netprobe")" "$root/bin/np.tmp" && mv "$root/bin/np.tmp" "$root/bin/netprobe"
program "$(command -v ip)" bin
program "$(command -v tc)" bin
# A shell that takes the programs of PATH, for system(3): busybox's takes its own ip.
program "$(command -v dash)" bin
mv "$root/bin/dash" "$root/bin/sh"
bpftool=$(command -v bpftool || ls /usr/sbin/bpftool 2>/dev/null || true)
[ -z "$bpftool" ] || program "$bpftool" bin
for t in build/tests/bpf/test_*; do
	case $t in *.o | *.d | *'*') ;; *) program "$t" t ;; esac
done
# Who drops packets, for drops.sh; an extension of iptables is opened when a rule asks for it.
for p in nft xtables-legacy-multi xtables-nft-multi; do
	p=$(command -v $p || true)
	[ -z "$p" ] || program "$p" bin
done
for lib in /usr/lib/*/xtables/libxt_standard.so /usr/lib/*/xtables/libxt_tcp.so /usr/lib/*/xtables/libxt_comment.so; do
	[ ! -e "$lib" ] || { mkdir -p "$root${lib%/*}" && cp "$lib" "$root${lib%/*}"; }
done
cp build/tests/bpf/drop.bpf.o "$root/t/"
cp "$here/drops.sh" "$here/counters.sh" "$root/"
cp "$here/guest.sh" "$root/init"
chmod 755 "$root/init"

# Modules in the order to load them.  The packages hold no modules.dep (depmod makes it when they
# are installed), so each module's own "depends=" is followed.
# shellcheck disable=SC2012
modules=$(ls -d "$tree"/lib/modules/* "$tree"/usr/lib/modules/* 2>/dev/null | head -n 1)
: >"$root/mod/order"
module() {
	! grep -qx "$1" "$root/mod/order" || return 0
	file=$(find "$modules/kernel" -name "$1.ko*" -o -name "$(echo "$1" | tr _ -).ko*" | head -n 1)
	[ -n "$file" ] || return 0	# built in
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$root/mod/$1.ko"
	for d in $(tr '\0' '\n' <"$root/mod/$1.ko" | LC_ALL=C sed -n 's/^depends=//p' | head -n 1 | tr , ' '); do
		module "$d"
	done
	echo "$1" >>"$root/mod/order"
}
for m in veth 8021q dummy tun af_packet sch_ingress cls_bpf; do
	module $m
done
# Those of drops.sh are loaded only there.
cp "$root/mod/order" "$root/mod/before"
for m in iptable_filter nf_tables nft_compat nft_counter nft_reject_inet xt_tcpudp xt_comment; do
	module $m
done
grep -vxFf "$root/mod/before" "$root/mod/order" >"$root/mod/drops" || true
mv "$root/mod/before" "$root/mod/order"
(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0) >"$initrd"
