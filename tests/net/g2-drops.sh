#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --drops names the reason, the place and the class of what the kernel throws away.
. "$(dirname "$0")/lib.sh"
need jq
pair
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

start drops -j watch --drops -i here
say "no socket"
there bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null || true
if command -v nft >/dev/null && nft add table inet t 2>/dev/null; then
	nft add chain inet t in '{ type filter hook input priority 0; }'
	nft add rule inet t in udp dport 7 drop
	there bash -c 'echo x >/dev/udp/10.9.0.1/7' 2>/dev/null || true
	nftables=1
fi
# drop NAME REASON: does NAME.out tell it?
drop() { jq -es --arg r "$2" '[.[] | select(.event.dataset == "drop" and .drop.reason == $r)] | length > 0' "$work/$1.out" >/dev/null; }
until_true 5 drop drops NO_SOCKET || { cat "$work/drops.out"; die "NO_SOCKET was not told"; }
[ -z "${nftables:-}" ] || until_true 5 drop drops NETFILTER_DROP || die "NETFILTER_DROP was not told"
stop INT
same "exit status" "$status" 0
jq -es '[.[] | select(.drop.reason == "NO_SOCKET" and .destination.port == 9)] | length > 0 and all(.drop.location and .drop.hook and .source.ip)' \
	"$work/drops.out" >/dev/null || die "a drop without place, class or packet"

say "only one reason, chosen in the kernel"
start one -j watch --drops=NETFILTER_DROP -i here
there bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null || true
if [ -n "${nftables:-}" ]; then
	there bash -c 'echo x >/dev/udp/10.9.0.1/7' 2>/dev/null || true
	until_true 5 drop one NETFILTER_DROP || die "the reason that was asked for is not told"
fi
stop INT
! grep -q NO_SOCKET "$work/one.out" || die "the reason was not filtered"
