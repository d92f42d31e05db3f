#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh KERNEL SUITE [smoke|all|TEST,...]: boot SUITE's kernel under QEMU with an initrd that holds netprobe,
# busybox, ip, iptables, nft and the tests of tests/bpf; guest.sh runs the few of them that tell whether all is loaded,
# attached, and gone in the end, or all, or those of these names; what it prints is judged here.
# PACKETS: how many frames test_block sends at each hook (10000)
set -eu
cd "$(dirname "$0")/../.."
kernel=$1 suite=$2 extent=${3-all}
scale=${NETPROBE_TEST_SCALE:-1}
vm=build/vm
NETPROBE=${NETPROBE:-build/netprobe}

for tool in qemu-system-x86_64 busybox dash tc cpio ip xz; do
	command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
[ "$(uname -m)" = x86_64 ] || { echo "the matrix is for x86_64"; exit 77; }
mkdir -p $vm
tests/vm/fetch.sh "$suite" $vm
tree=$vm/$suite
initrd=$vm/initrd-$kernel
[ "$extent" = smoke ] && limit=$((450 * scale)) || limit=$((900 * scale))
tests/vm/initrd.sh "$tree" "$NETPROBE" "$initrd"
# shellcheck disable=SC2012
modules=$(ls -d "$tree"/lib/modules/* "$tree"/usr/lib/modules/* 2>/dev/null | head -n 1)
version=${modules##*/}
image=$tree/boot/vmlinuz-$version
[ -e "$image" ] || image=$modules/vmlinuz

# -cx16 and -M pc: with QEMU 7.2's emulation 6.12 crashes at random with cmpxchg16b, microvm hangs.
# Emulated, what is done against a processor's guesses costs as much as loading the programs.
words='console=ttyS0 panic=-1 oops=panic quiet mitigations=off lsm=lockdown,yama,bpf'
log=$vm/$kernel.log
boot() {
	timeout $limit qemu-system-x86_64 -accel tcg -M pc -cpu max,-cx16 -smp 2 -m 768 -nodefaults -no-reboot \
		-display none -serial stdio -monitor none -kernel "$image" -initrd "$initrd" \
		-append "$words netprobe.tests=$extent netprobe.packets=${PACKETS-10000}" </dev/null 2>&1 |
		tr -d '\r' >"$log" || true
	grep -q '^BOOTED' "$log"
}
# The emulator can fail before anything of ours has run: then once more.
boot || { echo "no boot, once more"; boot; } || { tail -n 30 "$log"; exit 1; }
rm -f "$initrd"
sed -n '/^BOOTED/,$p' "$log"

fail=0
die() { echo "FAILED: $*"; fail=1; }
has() { grep -q "^$1" "$log"; }
grep -qE 'Kernel panic|Oops|BUG:|WARNING: CPU' "$log" && die "the kernel complained"
has 'DONE' || die "the guest did not come to its end"
! has 'not ok' || die "$(grep -c '^not ok' "$log") checks failed in the guest"
has 'ok capture' || die "nothing was captured at all"
# What this kernel must be able to do.
case $kernel in
5.10 | 6.1) has 'ok rung clsact' || die "clsact must work on $kernel" ;;
*) has 'ok rung tcx' || die "tcx must work on $kernel" ;;
esac
[ $fail = 0 ] || exit 1
echo "# Linux $version: $(sed -n 's/^ok rung \([a-z]*\).*/\1/p' "$log" | tr '\n' ' ')captured; $(grep -c '^ok' "$log") checks"
