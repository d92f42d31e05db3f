#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach list: programs of others and of ours, at each hook this kernel has, with who holds them and where they are
# pinned; what bpftool net knows is there too.
. "$(dirname "$0")/lib.sh"
need jq
need bpftool
need tc
need clang
mount -t bpf bpf /sys/fs/bpf
pair
list() { "$NETPROBE" -j attach list "$@" 2>"$work/list.err" >"$work/list.out" || { cat "$work/list.err"; die "attach list $*"; }; }
# one FILTER JQ: what JQ makes of the one record that passes
one() { jq -rs "[.[] | select($1)] | if length == 1 then .[0] | $2 else \"\(length) records\" end" "$work/list.out"; }

cat >"$work/others.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
SEC("xdp") int others_long_name_of_xdp(void *ctx) { return 2; }
SEC("tc") int others_tc(void *ctx) { return -1; }
SEC("cgroup_skb/egress") int others_cgroup(void *ctx) { return 1; }
char LICENSE[] SEC("license") = "GPL";
C
clang -g -O2 -target bpf -c "$work/others.c" -o "$work/others.o"
bpftool prog loadall "$work/others.o" /sys/fs/bpf/others
id() { bpftool -j prog show pinned "/sys/fs/bpf/others/$1" | jq .id; }

say "nothing"
list
[ -z "$(jq -c 'select(.network.interface)' "$work/list.out")" ] || die "before: $(cat "$work/list.out")"

say "XDP"
bpftool net attach xdpgeneric pinned /sys/fs/bpf/others/others_long_name_of_xdp dev here
list
same "XDP" "$(one '.link.hook == "xdp"' '[.network.interface, .link.mode, .program.id, .program.name, .link.pinned, .link.ours] | @tsv')" \
	"$(printf 'here\tgeneric\t%s\tothers_long_name_of_xdp\t/sys/fs/bpf/others/others_long_name_of_xdp\tfalse' "$(id others_long_name_of_xdp)")"
same "its tag" "$(one '.link.hook == "xdp"' .program.tag)" \
	"$(bpftool -j prog show pinned /sys/fs/bpf/others/others_long_name_of_xdp | jq -r .tag)"

say "tc, here and there"
tc qdisc add dev here clsact
tc filter add dev here ingress prio 7 handle 3 bpf da obj "$work/others.o" sec tc 2>"$work/tc.err" ||
	skip "tc cannot load programs: $(tail -n 1 "$work/tc.err")"
there tc qdisc add dev eth0 clsact
there tc filter add dev eth0 egress bpf da obj "$work/others.o" sec tc
list
same "tc" "$(one '.link.hook == "tc/ingress"' '[.network.interface, .link.order, .link.priority, .link.handle, .program.name] | @tsv')" \
	"$(printf 'here\t1\t7\t3\tothers_tc')"
same "of another namespace" "$(one '.network.interface == "eth0"' .link.hook)" "0 records"
for dev in nobody 'nobod*'; do
	for netns in '' '-N any'; do
		rc=0
		# shellcheck disable=SC2086
		"$NETPROBE" -j $netns attach list dev "$dev" >"$work/list.out" 2>"$work/list.err" || rc=$?
		same "$netns $dev: status" "$rc" 1
		[ ! -s "$work/list.out" ] || die "dev: $(cat "$work/list.out")"
		same "$netns $dev" "$(cat "$work/list.err")" "netprobe: $dev: No such device"
	done
done
list dev any
same "any of here" "$(jq -rs '[.[].network.interface] | unique | join(",")' "$work/list.out")" here
list -N any
same "of all namespaces" "$(one '.link.netns_name == "there"' '[.network.interface, .link.hook, .program.name] | @tsv')" \
	"$(printf 'eth0\ttc/egress\tothers_tc')"
same "ours, in all" "$(one '.link.hook == "xdp"' .network.interface)" here

say "what bpftool sees"
list
bpftool -j net show | jq -c '.[0] | (.xdp[], .tc[]) | .id' | sort >"$work/bpftool"
jq 'select(.network.interface) | .program.id' "$work/list.out" | sort >"$work/ours"
[ -z "$(comm -23 "$work/bpftool" "$work/ours")" ] || die "bpftool knows more: $(paste -s "$work/bpftool"), $(paste -s "$work/ours")"

say "ours: who holds it"
start w watch -i here -w /dev/null
list dev here
helper=$(pgrep -P "$pid") || die "it has no helper"
jq -se --argjson pid "$helper" 'any(.link.ours and (.process.pids // [] | any(. == $pid)))' "$work/list.out" >/dev/null ||
	die "watch is not there: $(cat "$work/list.out")"
stop INT
list dev here
same "ours, after it ended" "$(jq -s '[.[] | select(.link.ours)] | length' "$work/list.out")" 0

say "ours: where it is pinned"
"$NETPROBE" block add 192.0.2.1 dev here -m generic --commit </dev/null 2>"$work/block.err" && die "XDP was busy" || true
bpftool net detach xdpgeneric dev here
"$NETPROBE" block add 192.0.2.1 dev here -m generic --commit </dev/null 2>"$work/block.err" || die "block: $(cat "$work/block.err")"
list dev here
same "block" "$(one '.link.hook == "xdp"' '[.link.mode, .link.ours, .link.pinned[0:20], .link.id > 0] | @tsv')" \
	"$(printf 'generic\ttrue\t/sys/fs/bpf/netprobe\ttrue')"

say "runs"
if sysctl -qw kernel.bpf_stats_enabled=1 2>/dev/null; then
	ping -qc3 -i 0.1 10.9.0.2 >/dev/null
	list dev here
	sysctl -qw kernel.bpf_stats_enabled=0
	[ "$(one '.link.hook == "xdp"' '.program.run_count')" -ge 3 ] || die "runs: $(cat "$work/list.out")"
fi

say "cgroups"
for cgroups in /sys/fs/cgroup /sys/fs/cgroup/unified; do
	[ "$(stat -fc %T "$cgroups" 2>/dev/null)" != cgroup2fs ] || break
done
name=netprobe-test.${NETPROBE_TEST_RUN:-0}.attach	# tests/sweep.sh knows it by this
if [ "$(stat -fc %T "$cgroups" 2>/dev/null)" = cgroup2fs ] && mkdir "$cgroups/$name" 2>/dev/null; then
	bpftool cgroup attach "$cgroups/$name" egress pinned /sys/fs/bpf/others/others_cgroup multi || attached=no
	list
	rmdir "$cgroups/$name"
	[ "${attached-}" = no ] || same "cgroup" \
		"$(one ".link.cgroup == \"/$name\"" '[.link.hook, .program.name] | @tsv')" "$(printf 'cgroup/egress\tothers_cgroup')"
fi

say "for people, and without the right to ask"
"$NETPROBE" attach list dev here >"$work/table.out"
grep -q '^here  *xdp generic  *1  *[0-9]* np_block_xdp ' "$work/table.out" || die "table: $(cat "$work/table.out")"
rc=0
setpriv --reuid 65534 --clear-groups "$NETPROBE" attach list >"$work/user.out" 2>"$work/user.err" || rc=$?
same "as nobody: status" "$rc" 5
grep -q 'missing: ' "$work/user.err" || die "as nobody: $(cat "$work/user.err")"
