#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach features: what the kernel has it has here, what is taken away is missed, and what only permission hides
# is not said to be lacking.
. "$(dirname "$0")/lib.sh"
need jq
need setpriv
mount -t bpf bpf /sys/fs/bpf
cp "$NETPROBE" "$work/np"
as() { # CAPS: features, in $work/f.out; the exit status in $rc
	local caps=$1
	rc=0
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "-all$caps" --ambient-caps "-all$caps" \
		--bounding-set "-all$caps" "$work/np" -j attach features >"$work/f.out" 2>"$work/f.err" || rc=$?
}
# of NAME JQ: what JQ makes of that row
of() { jq -r --arg n "$1" "select(.feature.name == \$n) | .feature | $2" "$work/f.out"; }
# names JQ: of the rows that pass
names() { jq -r "select($1) | .feature.name" "$work/f.out" | xargs; }

say "what netprobe's own programs need here is there"
"$NETPROBE" -j attach features >"$work/f.out" 2>"$work/f.err" || { cat "$work/f.err"; die "features"; }
[ "$(jq -s length "$work/f.out")" -ge 40 ] || die "rows: $(jq -s length "$work/f.out")"
jq -es 'all(.event.dataset == "feature" and (.feature.since | test("^[2-9][.][0-9]+$")) and (.feature.used_by | length > 0))' \
	"$work/f.out" >/dev/null || die "a row without since or used_by"
jq -es '[.[].feature.name] | length == (unique | length)' "$work/f.out" >/dev/null || die "a name twice"
jq -es 'all(.feature.available == true or .feature.reason != null)' "$work/f.out" >/dev/null || die "no reason"
if "$NETPROBE" watch --plan >"$work/watch.out" 2>"$work/watch.err"; then
	for f in bpf map_array map_array_mmap map_percpu_array map_prog_array map_ringbuf prog_tc prog_socket \
		packet_socket ktime_get_boot_ns bounded_loops; do
		same "$f" "$(of $f .available)" true
	done
fi
# rung FEATURE: does the ladder agree?
rung() {
	local works=false
	! grep -Eq "^lo +$1 +(chosen|works)" "$work/watch.out" || works=true
	same "rung $1 and feature $2" "$works" "$(of "$2" .available)"
}
rung tcx link_tcx
rung clsact cls_bpf
rung packet packet_socket
[ ! -r /sys/kernel/btf/vmlinux ] || same "btf" "$(of btf .available)" true
for row in "bpffs $([ "$(stat -fc %T /sys/fs/bpf)" = bpf_fs ] && echo true)" \
	"run_counts $([ -e /proc/sys/kernel/bpf_stats_enabled ] && echo true)"; do
	same "${row% *}" "$(of "${row% *}" .available)" "${row#* }"
done

say "nothing is left"
if command -v bpftool >/dev/null; then
	until_true 5 eval '! bpftool prog show | grep -q "name np_feature" && ! bpftool map show | grep -q "name np_feature"' ||
		die "left: $(bpftool prog show; bpftool map show)"
fi
[ -z "$(ip netns list 2>/dev/null)" ] || die "a namespace is left"

say "a lack is told"
umount /sys/fs/bpf
mount -t tmpfs none /sys/fs/bpf
"$NETPROBE" -j attach features >"$work/f.out"
same "bpffs" "$(of bpffs '[.available, .reason] | @tsv')" "$(printf 'false\tnone is mounted: mount -t bpf bpf /sys/fs/bpf')"
if [ -e /sys/kernel/btf ]; then
	mount -t tmpfs none /sys/kernel/btf
	"$NETPROBE" -j attach features >"$work/f.out"
	for f in btf prog_tp_btf iter_task_file drop_reasons drop_reason_traced; do
		same "$f" "$(of $f '[.available, .reason] | @tsv')" "$(printf 'false\tno BTF: /sys/kernel/btf/vmlinux')"
	done
	same "raw tracepoints need none" "$(of prog_raw_tracepoint .available)" true
	umount /sys/kernel/btf
fi
umount /sys/fs/bpf
mount -t bpf bpf /sys/fs/bpf

if [ -e /sys/kernel/btf/vmlinux ]; then
	touch "$work/hidden"
	chmod 0 "$work/hidden"
	mount --bind "$work/hidden" /sys/kernel/btf/vmlinux
	as ,+bpf,+net_admin,+perfmon
	for f in btf prog_tp_btf drop_reasons; do
		same "$f" "$(of $f '[.available, .reason] | @tsv')" "$(printf '\t/sys/kernel/btf/vmlinux: Permission denied')"
	done
	umount /sys/kernel/btf/vmlinux
fi

say "what is not mounted hides"
without() { # DIRECTORY: features, without what is in it
	unshare --mount sh -c 'mount -t tmpfs none "$1" && exec "$2" -j attach features' sh "$1" "$NETPROBE" >"$work/f.out" ||
		die "without $1: exit status $?"
}
without /proc
same "run_counts without /proc" "$(of run_counts '[.available, .reason] | @tsv')" "$(printf '\t/proc/sys/kernel: No such file or directory')"
without /sys
for f in btf prog_tp_btf iter_task_file drop_reasons drop_reason_traced; do
	same "$f without /sys" "$(of $f '[.available, .reason] | @tsv')" "$(printf '\t/sys/kernel: No such file or directory')"
done
same "bpffs without /sys" "$(of bpffs .available)" false

say "what permission hides is not lacking"
lacking=$("$NETPROBE" -j attach features | jq -r 'select(.feature.available == false) | .feature.name' | xargs)
as ,+bpf,+net_admin,+net_raw
same "bpf, net_admin and net_raw: status" "$rc" 0
same "lacking" "$(names '.feature.available == false')" "$lacking"
same "tp_btf" "$(of prog_tp_btf '[.available, .reason] | @tsv')" "$(printf '\tmissing: CAP_PERFMON')"
same "tc" "$(of prog_tc .available)" true
same "clsact" "$(of clsact .available)" null
of clsact .reason | grep -q '^not tried: .*CAP_SYS_ADMIN' || die "clsact: $(of clsact .reason)"
as ,+bpf
same "bpf alone: status" "$rc" 0
same "tc without net_admin" "$(of prog_tc '[.available, .reason] | @tsv')" "$(printf '\tmissing: CAP_NET_ADMIN')"
same "a map without net_admin" "$(of map_ringbuf .available)" true
as ""
same "the same without any" "$(names '.feature.available == false' | tr ' ' '\n' | grep -vxF "$(echo "$lacking" | tr ' ' '\n')" || :)" ""
if [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled 2>/dev/null || echo 0)" != 0 ]; then
	same "nothing at all: status" "$rc" 5
	grep -q 'missing: CAP_BPF, CAP_NET_ADMIN' "$work/f.err" || die "the capabilities are not named"
	same "bpf" "$(of bpf '[.available, .reason] | @tsv')" "$(printf '\tmissing: CAP_BPF')"
fi

say "root of a user namespace"
if unshare -Urn true 2>/dev/null; then
	rc=0
	chmod 755 "$work"
	unshare -Urn "$work/np" -j attach features >"$work/f.out" 2>"$work/f.err" || rc=$?
	host='of the host, not of this user namespace'
	same "link_ids" "$(of link_ids '[.available, .reason] | @tsv')" "$(printf '\tmissing: CAP_SYS_ADMIN (%s)' "$host")"
	same "prog_raw_tracepoint" "$(of prog_raw_tracepoint .reason)" "missing: CAP_BPF ($host), CAP_PERFMON (of the host)"
	if [ "$rc" != 0 ]; then
		same "bpf: status" "$rc" 5
		same "what helps" "$(cat "$work/f.err")" "netprobe: missing: CAP_BPF ($host) (run it outside this user namespace)"
	fi
	unshare -Urn "$work/np" attach list >/dev/null 2>"$work/f.err" && die "attach list" || same "attach list: status" $? 5
	grep -qF "missing: CAP_SYS_ADMIN ($host)" "$work/f.err" || die "attach list: $(cat "$work/f.err")"
fi

say "for people"
"$NETPROBE" attach features >"$work/table.out"
grep -q '^FEATURE  *THERE SINCE  FOR  *REASON$' "$work/table.out" || die "titles: $(head -n 1 "$work/table.out")"
grep -q '^bpf  *yes  *3.18  watch,drops,attach,block,flows,policy  *-$' "$work/table.out" || die "table: $(cat "$work/table.out")"
