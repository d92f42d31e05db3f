#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C6: each of the exits alone lets everything pass at once, wherever the set is: rm -r of its directory, and del --all.
# A kernel without tcx is one that answers EINVAL where a link is made.
. "$(dirname "$0")/lib.sh"
need strace
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
for n in 3 4; do ip -n there addr add 10.9.0.$n/24 dev eth0; done
root=/sys/fs/bpf/netprobe
: >"$work/ids"
arrives() { "$TOOLS/judged" once there eth0 10.9.0.1 10.9.0.2 10.9.0.3 10.9.0.4; }
# traced N WORDS...: the Nth call of bpf(2) answers as that of a kernel without tcx; 0: none
traced() {
	local inject=
	[ "$1" = 0 ] || inject="-e inject=bpf:error=EINVAL:when=$1"
	shift
	# shellcheck disable=SC2086
	strace -qq -f -o "$work/trace" -e trace=bpf $inject "$NETPROBE" block "$@" dev here </dev/null >"$work/out" 2>"$work/np.err" ||
		die "$way: block $*: $(cat "$work/np.err")"
	! grep -q libbpf: "$work/np.err" || die "$way: block $*: $(cat "$work/np.err")"
	sed -n 's/.*\(prog\|map\|link\)_id=\([1-9][0-9]*\).*/\1 \2/p' "$work/trace" >>"$work/ids"
}
nth() { awk '/bpf\(/ { n++ } /BPF_LINK_CREATE/ { print n; exit }' "$work/trace"; }
nothing_held() {
	sort -u "$work/ids" >"$work/ids.all"
	until_true 10 eval '[ -z "$("$TOOLS/bpfids" left <"$work/ids.all")" ]' || die "$way: left: $("$TOOLS/bpfids" left <"$work/ids.all")"
}

at() {
	"$NETPROBE" block status dev here >"$work/status.log"
	grep -q " at $1[ /,]" "$work/status.log" || die "$way: not at $1"
}

say "which call makes a link, where nothing is and behind a filter"
way=tcx
traced 0 add 10.9.0.3 -m tcx --commit
creates=$(nth)
[ "$creates" ] || skip "no links here"
traced 0 del --all
way=clsact
traced "$creates" add 10.9.0.3 -m tcx --commit
at clsact
traced 0 add 10.9.0.4 --commit
replaces=$(nth)
at tcx
same "from clsact to tcx: what arrives" "$(arrives)" -
! tc filter show dev here ingress | grep -q np_ || die "the filter is left"
traced 0 del --all

for way in tcx clsact generic native; do
	mode=$way n=0 m=0
	[ $way != clsact ] || { mode=tcx n=$creates m=$replaces; }
	case $way in generic | native) hook=xdp ;; *) hook=$way ;; esac
	for out in 'rm -r' 'del --all'; do
		say "$way, $out"
		traced $n add 10.9.0.3 -m $mode --commit
		same "$way: what arrives" "$(arrives)" 10.9.0.4
		at $hook
		traced $m add 10.9.0.4 --commit
		same "$way, replaced: what arrives" "$(arrives)" -
		at $hook
		traced 0 list
		same "$way: entries" "$(wc -l <"$work/out")" 2
		if [ "$out" = 'del --all' ]; then
			traced 0 del --all
			[ ! -e $root ] || die "$way: left: $(find $root)"
		else
			rm -r $root
		fi
		until_true 1 eval '[ "$(arrives)" = "10.9.0.3 10.9.0.4" ]' || die "$way: after $out: $(arrives)"
		# The next one begins anew.
		traced $n add 10.9.0.4 -m $mode --commit
		same "$way: after $out and add: what arrives" "$(arrives)" 10.9.0.3
		traced 0 del --all
		same "$way: in the end: what arrives" "$(arrives)" "10.9.0.3 10.9.0.4"
		! tc filter show dev here ingress | grep -q np_ || die "$way: a filter is left"
	done
done
nothing_held

say "what is left of a filter whose directory was removed by hand goes with del, and with the next add"
way=clsact
left() { tc filter show dev here ingress | grep -q np_; }
for words in 'del --all' 'add 10.9.0.3 -m tcx --commit'; do
	traced "$creates" add 10.9.0.3 -m tcx --commit
	rm -r $root
	left || die "$words: there is no filter"
	# shellcheck disable=SC2086
	"$NETPROBE" block $words dev here </dev/null >"$work/out" 2>"$work/np.err" || [ "$words" = 'del --all' ] || die "$words"
	! left || die "$words: the filter is left"
done
traced 0 del --all

say "egress"
way=egress
"$NETPROBE" block add 10.9.0.2 dev here --egress --commit </dev/null 2>"$work/np.err"
! ping -qc1 -W1 10.9.0.2 >/dev/null || die "egress: it arrives"
rm -r $root
until_true 1 ping -qc1 -W1 10.9.0.2 || die "egress: rm does not open"
