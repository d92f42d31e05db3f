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

say "only of the interfaces that -i names, which the line names too"
start lo watch --drops=skb_drop_reason_No_Socket -i lo
there bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null || true
bash -c 'echo x >/dev/udp/127.0.0.1/9' 2>/dev/null || true
until_true 5 grep -q ' lo  .*DROP NO_SOCKET .*127\.0\.0\.1\.9' "$work/lo.out" || { cat "$work/lo.out"; die "a drop on lo was not told"; }
stop INT
! grep -q '10\.9\.0\.1\.9' "$work/lo.out" || die "a drop of another interface was told"
[ "$(sed -n 's/.* = \([0-9]*\) refused here .*/\1/p' "$work/lo.err")" -ge 1 ] || die "what was left out is not counted"
ip link property add dev here altname what-stands-here
start alt watch --drops=no_socket -i what-stands-here
there bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null || true
until_true 5 grep -q ' here .*DROP NO_SOCKET .*10\.9\.0\.1\.9' "$work/alt.out" || { cat "$work/alt.out"; die "a drop on here, by another of its names, was not told"; }
stop INT
start glob watch --drops=no_socket -i 'her*'
there bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null || true
until_true 5 grep -q ' here .*DROP NO_SOCKET .*10\.9\.0\.1\.9' "$work/glob.out" || { cat "$work/glob.out"; die "a drop on here was not told"; }
stop INT

say "what cannot be is told"
refused() { # STATUS TEXT ARGS...
	local rc=0 wanted=$1 text=$2
	shift 2
	"$NETPROBE" -q watch "$@" >"$work/no.out" 2>"$work/no.err" || rc=$?
	same "exit status: $*" "$rc" "$wanted"
	grep -qF -- "$text" "$work/no.err" || { cat "$work/no.err"; die "not told: $text"; }
}
refused 2 'did you mean NO_SOCKET ' --drops=NO_SOCKT
refused 2 'did you mean NO_SOCKET ' --drops=tcp_csum,skb_drop_reason_no-socket
refused 2 'netprobe help drops' --drops=entirely_made_up_by_us
refused 2 'the kernel does not tell the direction' --drops -Q in
"$NETPROBE" help drops >"$work/reasons"
grep -qx NO_SOCKET "$work/reasons" || die "help drops does not list NO_SOCKET"
! grep -q 'SKB_\|UNKNOWN' "$work/reasons" || die "help drops lists what --drops does not take"

say "--plan tells of drops, and its status whether anything works"
"$NETPROBE" watch --plan --drops -i here >"$work/plan"
grep -q '^any  *drops  *chosen' "$work/plan" || die "--plan --drops does not tell of drops"
same "rows" "$(grep -c '^here ' "$work/plan")" 4
"$NETPROBE" -j watch --plan --drops | jq -es '.[-1].plan.rung == "drops" and .[-1].plan.verdict == "chosen"' >/dev/null || die "not as JSON"
chmod 755 "$work"
cp "$NETPROBE" "$work/np"
rc=0
setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps -all --ambient-caps -all --bounding-set -all \
	"$work/np" watch --plan --drops -i here >"$work/plan" 2>"$work/plan.err" || rc=$?
same "exit status without capabilities" "$rc" 5
same "rows" "$(grep -c '^here .* refused  *missing: CAP_BPF' "$work/plan")" 4
grep -q '^any  *drops  *refused  *missing: .*CAP_PERFMON' "$work/plan" || { cat "$work/plan"; die "why there are no drops is not told"; }

say "-N any: of every network namespace, with its name or number"
start all -j -N any watch --drops=NO_SOCKET
there bash -c 'echo x >/dev/udp/127.0.0.1/11' 2>/dev/null || true
bash -c 'echo x >/dev/udp/127.0.0.1/12' 2>/dev/null || true
unshare --net bash -c 'ip link set lo up; echo x >/dev/udp/127.0.0.1/13' 2>/dev/null || true
told() { jq -es "[.[] | select(.event.dataset == \"drop\" and .destination.port == $1 and ($2))] | length > 0" "$work/all.out" >/dev/null; }
until_true 5 told 11 '.drop.netns == "there" and .network.interface == null' || { cat "$work/all.out"; die "not of the namespace with a name"; }
here_inode=$(stat -Lc %i /proc/self/ns/net)
until_true 5 told 12 ".drop.netns == \"net:[$here_inode]\" and .network.interface == \"lo\"" || { cat "$work/all.out"; die "not of our own"; }
until_true 5 told 13 '.drop.netns | startswith("net:[")' || { cat "$work/all.out"; die "not of one that came later"; }
stop INT
start text -N any watch --drops=NO_SOCKET
there bash -c 'echo x >/dev/udp/127.0.0.1/11' 2>/dev/null || true
until_true 5 grep -q 'DROP NO_SOCKET .* in there .*127\.0\.0\.1\.11' "$work/text.out" || { cat "$work/text.out"; die "the line does not tell the namespace"; }
stop INT
start ours -j watch --drops=NO_SOCKET
there bash -c 'echo x >/dev/udp/127.0.0.1/11' 2>/dev/null || true
bash -c 'echo x >/dev/udp/127.0.0.1/12' 2>/dev/null || true
until_true 5 jq -es 'any(.destination.port == 12 and .drop.netns == null)' "$work/ours.out" || die "not without -N"
stop INT
! grep -q '"port":11\b' "$work/ours.out" || die "a drop of another namespace was told"
rc=0
"$NETPROBE" -N any watch --drops -i here 2>"$work/no.err" || rc=$?
same "exit status of -N any -i" "$rc" 2
rc=0
"$NETPROBE" -N any watch -i here 2>"$work/no.err" || rc=$?
[ $rc != 0 ] || die "-N any was taken without --drops"
