#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D2: entries for which there is no memory are refused as a whole, and the set before works on with its counts.  (What the
# kernel itself refuses: block-sweep.sh, ENOMEM.)
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
ip -n there addr add 10.9.0.3/24 dev eth0
ip -n there addr add 10.9.0.4/24 dev eth0
arrives() { "$TOOLS/judged" once there eth0 10.9.0.1 10.9.0.2 10.9.0.3 10.9.0.4; }
hits() { "$NETPROBE" block list -j dev here | jq 'select(.block.target == "10.9.0.3") | .block.hits'; }
awk 'BEGIN { for (i = 0; i < 400000; i++) printf "%d.%d.%d.%d\n", 11 + i / 65536, i / 256 % 256, i % 256, i % 7 }' >"$work/many"
echo 10.9.0.4 >>"$work/many"
# refused WHAT COMMAND...: it ends with a status of failure and a line, and nothing has changed
refused() {
	local what=$1 rc=0
	shift
	"$@" </dev/null >"$work/out" 2>"$work/r.err" || rc=$?
	[ $rc != 0 ] && [ $rc -lt 126 ] || die "$what: status $rc: $(cat "$work/r.err")"
	same "$what: lines that say why ($(cat "$work/r.err"))" "$(grep '^netprobe: ' "$work/r.err" | grep -vc 'nothing was changed$')" 1
	[ -z "${SHOW-}" ] || cat "$work/r.err" >&2
	counted=$((counted + 1))
	same "$what: what arrives" "$(arrives)" 10.9.0.4
	same "$what: hits" "$(hits)" $counted
}

"$NETPROBE" block add 10.9.0.3 dev here --commit </dev/null 2>"$work/np.err"
same "what arrives" "$(arrives)" 10.9.0.4
counted=$(hits)
same "hits" "$counted" 1

say "memory of the command: for the list, for the tables, for what is mapped"
for kb in 20000 40000 80000 120000; do
	refused "$kb KiB of address space" bash -c 'ulimit -v "$1"; shift; exec "$@"' - $kb "$NETPROBE" block apply "$work/many" dev here --commit
done

say "memory of the kernel for locked pages"
# Before 5.11 maps count against it; since then what is mapped does, of those who are not root.  Nothing may be refused by halves.
rc=0
bash -c 'ulimit -l 64; exec "$@"' - "$NETPROBE" block add 10.9.0.3 proto tcp dev here --commit </dev/null 2>"$work/lock.err" || rc=$?
same "what arrives" "$(arrives)" 10.9.0.4
[ $rc = 0 ] || same "lines that say why" "$(grep -c '^netprobe: ' "$work/lock.err")" 1

say "what cannot be read can be taken away"
rc=0
bash -c 'ulimit -v 7000; exec "$@"' - "$NETPROBE" block list dev here </dev/null >"$work/out" 2>"$work/r.err" || rc=$?
same "list, without room for its maps" $rc 1
bash -c 'ulimit -v 7000; exec "$@"' - "$NETPROBE" block del --all dev here </dev/null >"$work/out" 2>"$work/r.err" || die "$(cat "$work/r.err")"
grep -q 'no firewall any more' "$work/r.err" || die "$(cat "$work/r.err")"
! "$NETPROBE" block status dev here 2>/dev/null || die "it is still there"
"$NETPROBE" block add 10.9.0.4 dev here --commit </dev/null 2>"$work/np.err"

say "and with memory"
"$NETPROBE" block apply "$work/many" dev here --commit </dev/null 2>"$work/np.err"
same "what arrives in the end" "$(arrives)" 10.9.0.3
"$NETPROBE" block del --all dev here </dev/null 2>"$work/np.err"
