#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach plan: what it says of each kind of interface, of places that others have, and without the right to try;
# it leaves the interface as it was, also when it is killed.
. "$(dirname "$0")/lib.sh"
need jq
need bpftool
need tc
need setpriv
mount -t bpf bpf /sys/fs/bpf
pair
cp "$NETPROBE" "$work/np"

plan() { "$NETPROBE" -j attach plan "$@" 2>"$work/plan.err" >"$work/plan.out" || { cat "$work/plan.err"; die "attach plan $*"; }; }
# row INTERFACE HOOK [MODE]: its verdict and reason
row() {
	jq -r --arg i "$1" --arg h "$2" --arg m "${3-}" 'select(.network.interface == $i and .plan.hook == $h and
		(.plan.mode // "") == $m) | .plan.verdict + ": " + (.plan.reason // "-")' "$work/plan.out"
}
# has WHAT GOT PATTERN
# shellcheck disable=SC2053	# it is a pattern
has() { [[ $2 == $3 ]] || die "$1: got '$2', wanted '$3'"; }
# What could be left: programs and filters at the interface, programs that are nowhere.
bare() {
	[ -z "$("$NETPROBE" -j attach list dev here)" ] && ! tc qdisc show dev here | grep -q 'clsact\|ingress' &&
		! bpftool prog show | grep -q 'name np_\(try\|feature\)'
}
ended() { ! pgrep -f 'attach (plan|features)' >/dev/null; }
shape() { ip -d link show dev here; }
unchanged() { [ "$(shape)" = "$before" ]; }
# rung NAME: does the ladder of watch find that it works?
"$NETPROBE" watch --plan -i here >"$work/ladder.out" 2>"$work/ladder.err" || :
rung() { grep -Eq "^here +$1 +(chosen|works)" "$work/ladder.out"; }
chosen=tcx
rung tcx || chosen=clsact
rung $chosen || skip "neither tcx nor clsact here"

say "veth, loopback, bridge and tun: tcx both ways"
ip link add down0 type veth peer name down1
plan dev here
same "rows" "$(jq -s length "$work/plan.out")" 6
has "native" "$(row here xdp native)" 'not tried: default on veth*costs TSO and GRO'
has "generic" "$(row here xdp generic)" 'not tried: generic is only taken when asked for: -m generic'
has "ingress" "$(row here $chosen/ingress)" 'chosen: *'
has "egress" "$(row here $chosen/egress)" 'chosen: *'
if [ $chosen = tcx ]; then
	same "clsact" "$(row here clsact/egress)" 'not tried: not needed: tcx works'
else
	has "tcx" "$(row here tcx/ingress)" 'refused: *tcx*'
fi
plan
same "those that are up" "$(jq -r .network.interface "$work/plan.out" | sort -u | xargs)" "here lo"
has "loopback" "$(row lo $chosen/ingress)" 'chosen: *'
has "loopback, native" "$(row lo xdp native)" 'not tried: default on virtual interfaces is tcx'
plan dev 'down*'
same "by a glob" "$(jq -r .network.interface "$work/plan.out" | sort -u | xargs)" "down0 down1"
ip link del down0
if ip link add name bridge0 type bridge 2>/dev/null; then
	plan dev bridge0
	has "bridge" "$(row bridge0 xdp native)" 'not tried: default on virtual*'
	has "bridge, ingress" "$(row bridge0 $chosen/ingress)" 'chosen: *'
fi
if ip tuntap add dev tun0 mode tun 2>/dev/null; then
	plan dev tun0
	has "tun" "$(row tun0 xdp native)" 'not tried: *bare IP'
	has "tun, egress" "$(row tun0 $chosen/egress)" 'chosen: *'
fi
if mkfifo "$work/gre.in" && exec 5<>"$work/gre.in"; then
	"$TOOLS/tunlink" gre9 tun 778 1 <"$work/gre.in" >"$work/gre.up" 2>"$work/gre.err" 5>&- &
	if until_true 5 grep -q up "$work/gre.up"; then
		rc=0
		"$NETPROBE" -j attach plan dev gre9 >"$work/plan.out" 2>"$work/plan.err" || rc=$?
		same "another link type: status" "$rc" 4
		same "another link type" "$(row gre9 tcx/ingress)" 'refused: link type 778 is neither Ethernet nor bare IP'
	fi
	exec 5>&-
fi

say "nothing is left"
until_true 5 bare || die "something is left: $("$NETPROBE" attach list dev here; bpftool prog show)"

say "in another namespace"
plan -N there
same "there" "$(jq -r .network.interface "$work/plan.out" | sort -u | xargs)" "eth0 lo"

say "try: XDP too"
plan dev lo try
has "loopback" "$(row lo xdp native)" 'refused: the driver has no XDP of its own'
has "loopback, generic" "$(row lo xdp generic)" 'works: generic is only taken when asked for: -m generic'
plan dev here try
has "veth" "$(row here xdp native)" 'works: default on veth*'
has "veth, all the same" "$(row here $chosen/ingress)" 'chosen: *'

say "the place of XDP is taken"
"$NETPROBE" block add 192.0.2.1 dev here -m generic --commit </dev/null 2>"$work/block.err" || die "block: $(cat "$work/block.err")"
plan dev here try
has "ours" "$(row here xdp native)" "busy: program * (np_block_xdp) is there and netprobe's own"
"$NETPROBE" block del --all dev here </dev/null 2>"$work/block.err" || die "block del: $(cat "$work/block.err")"
if command -v clang >/dev/null; then
	cat >"$work/others.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
SEC("xdp") int others_xdp(void *ctx) { return 2; }
char LICENSE[] SEC("license") = "GPL";
C
	clang -g -O2 -target bpf -c "$work/others.c" -o "$work/others.o"
	bpftool prog load "$work/others.o" /sys/fs/bpf/others
	bpftool net attach xdpgeneric pinned /sys/fs/bpf/others dev here
	id=$(bpftool -j prog show pinned /sys/fs/bpf/others | jq .id)
	plan dev here try
	same "native" "$(row here xdp native)" "busy: program $id (others_xdp) is there and not ours"
	same "generic" "$(row here xdp generic)" "busy: program $id (others_xdp) is there and not ours"
	has "tcx" "$(row here $chosen/ingress)" 'chosen: *'
	same "it is still there" "$("$NETPROBE" -j attach list dev here | jq -r '[.link.mode, .program.id] | @tsv')" \
		"$(printf 'generic\t%s' "$id")"
	bpftool net detach xdpgeneric dev here
	rm /sys/fs/bpf/others
fi

say "killed"
until_true 5 bare || die "before: $("$NETPROBE" attach list dev here)"
before=$(shape)
for ms in 001 002 003 005 007 010 015 020 030 040 050 060 080 100 150; do
	for words in 'plan dev here try' 'features'; do
		# shellcheck disable=SC2086
		{ timeout -s KILL 0.$ms "$NETPROBE" attach $words >/dev/null 2>&1 || :; } 2>/dev/null
	done
done
until_true 5 ended || die "a process is left"
until_true 5 unchanged || die "the interface is another: $(shape)"
until_true 5 bare || die "something is left: $("$NETPROBE" attach list dev here; bpftool prog show)"

say "without the right to try"
rc=0
setpriv --reuid 65534 --clear-groups "$work/np" -j attach plan dev here >"$work/plan.out" 2>"$work/plan.err" || rc=$?
same "as nobody: status" "$rc" 5
same "as nobody" "$(row here tcx/ingress)" 'refused: missing: CAP_BPF, CAP_NET_ADMIN'
grep -q 'missing: CAP_BPF, CAP_NET_ADMIN' "$work/plan.err" || die "as nobody: $(cat "$work/plan.err")"
rc=0
setpriv --reuid 65534 --clear-groups --inh-caps -all,+bpf --ambient-caps -all,+bpf --bounding-set -all,+bpf \
	"$work/np" -j attach plan dev here >"$work/plan.out" 2>"$work/plan.err" || rc=$?
same "without CAP_NET_ADMIN: status" "$rc" 5
same "without CAP_NET_ADMIN" "$(row here tcx/egress)" 'refused: missing: CAP_NET_ADMIN'

say "no such interface"
for dev in nobody 'nobod*'; do
	rc=0
	"$NETPROBE" attach plan dev "$dev" >"$work/plan.out" 2>"$work/plan.err" || rc=$?
	same "$dev: status" "$rc" 1
	grep -q 'nobod' "$work/plan.err" || die "$dev: not named"
done
