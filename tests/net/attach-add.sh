#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach add and del: where programs that count are put, that they count each packet once, what they leave (B3: nothing),
# what they leave alone: programs and pins of others (B6, B7), state of other versions (B5), other namespaces (B8).
. "$(dirname "$0")/lib.sh"
need jq
need tc
mount -t bpf bpf /sys/fs/bpf
pair
"$NETPROBE" attach plan dev here 2>"$work/plan.err" | grep -q chosen || skip "neither tcx nor clsact here"
tc=tcx
"$NETPROBE" attach plan dev here | grep -q '^here *tcx/ingress *chosen' || tc=clsact
root=/sys/fs/bpf/netprobe

# ok ARGS...: attach ARGS, which is done; what it says in $said
ok() { "$NETPROBE" attach "$@" >"$work/out" 2>"$work/att.err" || die "attach $*: status $?: $(cat "$work/att.err")"; said=$(cat "$work/att.err"); }
# fails STATUS TEXT ARGS...: one line, with TEXT in it
fails() {
	local rc=0 wanted=$1 text=$2
	shift 2
	"$NETPROBE" attach "$@" >"$work/out" 2>"$work/att.err" || rc=$?
	same "attach $*: status ($(cat "$work/att.err"))" $rc "$wanted"
	grep -q '^netprobe: ' "$work/att.err" && grep -qF -- "$text" "$work/att.err" || die "attach $*: '$text' not in: $(cat "$work/att.err")"
}
says() { case $said in *"$1"*) ;; *) die "'$1' not in: $said" ;; esac; }
# hooks DEV: of netprobe's programs that count, in order
hooks() { "$NETPROBE" -j attach list dev "$1" 2>/dev/null | jq -r 'select(.program.name // "" | startswith("np_count")) | (.link.hook | sub("^tc/"; "clsact/")) + (if .link.mode then " " + .link.mode else "" end)' | sort | paste -sd,; }
# at HOOK [FIELD]: number of the program that counts at it
at() { "$NETPROBE" -j attach list dev here | jq -r --arg h "$1" 'select((.link.hook | sub("^tc/"; "clsact/")) == $h and (.program.name | startswith("np_count"))) | .program.id'; }
listed() { "$NETPROBE" -j attach list dev here | jq -c 'del(."@timestamp")'; }
dir() { echo "$root"/v*/*-"$(ip -j link show dev "${1:-here}" | jq '.[0].ifindex')"/count; }
counted() { "$TOOLS/pinned" counted "$(dir)"; }
pinned() { find $root 2>/dev/null | sort; }
none() { [ ! -e $root ] && [ -z "$(hooks here)" ] && ! tc qdisc show dev here | grep -q clsact; }
# ten: ten frames to UDP port 9 from outside
for _ in 1 2 3 4 5 6 7 8 9 10; do
	echo 02000000000202000000000108004500002000010000401166ca0a0000010a00000203e80009000c00006e657421
done >"$work/ten.hex"
"$TOOLS/hex2pcap" "$work/ten.hex" "$work/ten.pcap"
ten() { there "$TOOLS/inject" eth0 "$work/ten.pcap" >/dev/null; }
# counts_ten WHAT: in by ten more, once each
counts_ten() {
	local before after
	before=$(counted)
	ten
	after=$(counted)
	same "$1: frames in" $((${after%% *} - ${before%% *})) 10
}
mac() { ip -j "$@" | jq -r '.[0].address'; }
# Nobody else talks: neighbours are known, and IPv6 is off.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null || true
there sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null || true
ip neigh replace 10.9.0.2 lladdr "$(mac -n there link show dev eth0)" dev here nud permanent
there ip neigh replace 10.9.0.1 lladdr "$(mac link show dev here)" dev eth0 nud permanent

say "added: where, told in one line"
ok add dev here
same "lines" "$(wc -l <"$work/att.err")" 1
says "here: counts at $tc/ingress, $tc/egress, in "
says "KiB of kernel memory, until: netprobe attach del dev here"
same "hooks" "$(hooks here)" "$tc/egress,$tc/ingress"
[ $tc != tcx ] || "$NETPROBE" -j attach list dev here | jq -se "all(.link.pinned // \"\" | startswith(\"$root/\"))" >/dev/null || die "list does not name the pin"
same "what the plan says" "$("$NETPROBE" attach plan dev here | awk '$3 == "chosen" { print $2 }' | sort | paste -sd,)" "$(hooks here)"
same "modes" "$(stat -c %a "$(dir)" "$(dir)/meta" | paste -sd,)" 700,600
counts_ten "first"

say "again: replaced, and the counters go on"
before=$(counted) maps=$("$TOOLS/pinned" maps "$(dir)" | sort) program=$(at $tc/ingress)
ok add dev here
says "goes on counting at $tc/ingress, $tc/egress"
[ "$(at $tc/ingress)" != "$program" ] || die "the same program"
same "maps" "$("$TOOLS/pinned" maps "$(dir)" | sort | grep -v meta)" "$(echo "$maps" | grep -v meta)"
same "counters" "$(counted | cut -d ' ' -f 1)" "${before%% *}"
counts_ten "again"

say "room for more flows: other maps; for as many: the same"
ok add dev here flows 100k
says "counts at"
[ "$("$TOOLS/pinned" maps "$(dir)" | grep settled)" != "$(echo "$maps" | grep settled)" ] || die "the same maps"
same "counters begin anew" "$(counted)" "0 0 0"
counts_ten "100k"
maps=$("$TOOLS/pinned" maps "$(dir)" | sort)
ok add dev here flows 100k
same "as many" "$("$TOOLS/pinned" maps "$(dir)" | sort)" "$maps"

say "other hooks: what is not wanted any more goes, and no packet is counted twice"
ok add dev here hook ingress
same "ingress" "$(hooks here)" $tc/ingress
counts_ten ingress
if ok_xdp=$("$NETPROBE" attach add dev here -m generic 2>&1); then
	same "generic: $ok_xdp" "$(hooks here)" "$tc/egress,xdp generic"
	counts_ten generic
	ok add dev here hook xdp
	same "native" "$(hooks here)" "xdp native"
	says "xdp native"
	counts_ten native
	ok add dev here hook xdp -m generic
	same "generic again" "$(hooks here)" "xdp generic"
	counts_ten "generic again"
	"$NETPROBE" attach plan dev here | grep -q "^here *xdp generic *works *program .* counts there" || die "plan: $("$NETPROBE" attach plan dev here)"
fi
ok add dev here
same "default" "$(hooks here)" "$tc/egress,$tc/ingress"
counts_ten default
fails 2 "one of them" add dev here hook xdp hook ingress
fails 2 "-m is for hook xdp" add dev here hook egress -m generic
fails 2 "none of xdp, ingress, egress" add dev here hook tcx
fails 2 "at most" add dev here flows 1G
fails 2 "which interface" add
fails 1 nobody add dev nobody
fails 1 'nobod*' add dev 'nobod*'

say "dry runs change nothing"
before=$(pinned) programs=$(listed)
ok add dev here hook egress --dry-run
grep -q "$tc/egress *chosen" "$work/out" || die "$(cat "$work/out")"
! grep -q "ingress *chosen" "$work/out" || die "ingress chosen: $(cat "$work/out")"
says "nothing was changed"
for words in 'dev here' 'dev here hook egress' all "id $(at $tc/egress)" stale; do
	# shellcheck disable=SC2086
	ok del $words --dry-run
done
same "pins" "$(pinned)" "$before"
same "programs" "$(listed)" "$programs"
ok del all --dry-run
says "would remove $(dir) ($tc/ingress, $tc/egress)"

say "taken away, by hook and by number"
ok del dev here hook egress
same "hooks" "$(hooks here)" $tc/ingress
fails 1 "nothing at hook egress" del dev here hook egress
ok del id "$(at $tc/ingress)"
none || die "left: $(pinned) $(hooks here)"
fails 1 "counts nothing there" del dev here
fails 2 "what? one of" del
fails 2 "what? one of" del all stale
fails 2 "hook goes with dev" del all hook xdp
fails 1 "there is no program" del id 4294967295

say "B3: nothing is left"
ok add dev here
ids=$("$TOOLS/pinned" maps "$(dir)" | sed 's/.* /map /'; for h in ingress egress; do echo "prog $(at $tc/$h)"; done
	"$NETPROBE" -j attach list dev here | jq -r 'select(.link.id) | "link \(.link.id)"')
[ "$(echo "$ids" | "$TOOLS/bpfids" left | wc -l)" -ge 10 ] || die "few objects: $ids"
ok del dev here
freed() { [ -z "$(echo "$ids" | "$TOOLS/bpfids" left)" ]; }
until_true 30 freed || die "left: $(echo "$ids" | "$TOOLS/bpfids" left)"
none || die "left: $(pinned) $(hooks here)"

say "several by a glob, and all of them in all namespaces"
ip link add glob0 type veth peer name glob1
ok add dev 'glob*'
same "lines" "$(grep -c 'counts at' "$work/att.err")" 2
there "$NETPROBE" attach add dev eth0 2>"$work/there.err" || die "there: $(cat "$work/there.err")"
ok add dev here
ok del dev 'glob*'
same "of two" "$(grep -c removed "$work/att.err")" 2
ok del all
none || die "left: $(pinned)"
same "there" "$("$NETPROBE" -N there -j attach list dev eth0 2>/dev/null)" ''
ok del all
says "counts nowhere"

say "a bare IP interface: no link header, and no XDP"
if ip tuntap add dev tun0 mode tun 2>/dev/null && ip link set tun0 up; then
	fails 4 "bare IP" add dev tun0 hook xdp
	ok add dev tun0
	same "tun" "$(hooks tun0)" "$tc/egress,$tc/ingress"
	ok del dev tun0
	ip link del tun0
fi

say "B8: the interface goes, and comes again under its name"
ip link add comes0 type veth peer name goes0
ok add dev comes0
first=$(dir comes0)
ip link del comes0
fails 1 "no such interface" del dev comes0
ip link add comes0 type veth peer name goes0
ok add dev comes0
[ "$(dir comes0)" != "$first" ] || die "the same state"
if [ $tc = tcx ]; then
	ok del stale --dry-run
	says "would remove $first (nothing runs it)"
fi
ok del stale
says "removed $first"
[ ! -e "$first" ] && [ -e "$(dir comes0)" ] || die "after del stale: $(pinned)"
same "it still counts" "$(hooks comes0)" "$tc/egress,$tc/ingress"
ok del stale
says "nothing is left over"
ok del all

say "B8: the same name in two namespaces, renamed, and a namespace that is gone"
ip netns add other
ip -n other link add here type veth peer name peer
"$NETPROBE" -N other attach add dev here 2>"$work/other.err" || die "$(cat "$work/other.err")"
ok add dev here
same "states" "$(find $root -name count | wc -l)" 2
ok del dev here
same "states" "$(find $root -name count | wc -l)" 1
ip -n other link set here name renamed
"$NETPROBE" -N other attach del dev renamed 2>"$work/other.err" || die "$(cat "$work/other.err")"
none || die "left: $(pinned)"
if [ $tc = tcx ]; then
	"$NETPROBE" -N other attach add dev renamed 2>"$work/other.err" || die "$(cat "$work/other.err")"
	ok del stale
	says "nothing is left over"
	ip netns del other
	stale_goes() { "$NETPROBE" attach del stale 2>/dev/null; [ ! -e $root ]; }
	until_true 10 stale_goes || die "left of a namespace that is gone: $(pinned)"
fi

if [ $tc = tcx ] && command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	say "a filter, as before Linux 6.6, tells only in its own network namespace whether it runs"
	ip netns add filt
	ip -n filt link add f0 type veth peer name f1
	# filter: at ingress tcx is refused
	filter() { strace -qq -o "$work/filter.trace" -e trace=bpf -e "inject=bpf:error=EINVAL:when=$1" "$NETPROBE" -N filt attach add dev f0 2>"$work/filter.err"; }
	there_hooks() { "$NETPROBE" -N filt -j attach list dev f0 2>/dev/null | jq -r 'select(.program.name | startswith("np_count")).link.hook | sub("^tc/"; "clsact/")' | sort | paste -sd,; }
	filter 10000 || die "$(cat "$work/filter.err")"
	at=$(grep -n BPF_LINK_CREATE "$work/filter.trace" | head -n 1 | cut -d : -f 1)
	"$NETPROBE" -N filt attach del dev f0 2>"$work/filter.err"
	filter "$at" || die "$(cat "$work/filter.err")"
	same "a filter" "$(there_hooks)" clsact/ingress,tcx/egress
	grep -q 'f0: counts at clsact/ingress, tcx/egress' "$work/filter.err" || die "$(cat "$work/filter.err")"
	ok del stale
	says "nothing is left over"
	id=$("$NETPROBE" -N filt -j attach list dev f0 | jq 'select(.link.hook == "tc/ingress").program.id')
	fails 1 "another network namespace" del id "$id"
	same "still" "$(there_hooks)" clsact/ingress,tcx/egress
	"$NETPROBE" -N filt attach add dev f0 2>"$work/filter.err" || die "$(cat "$work/filter.err")"
	grep -q 'goes on counting at tcx/ingress, tcx/egress' "$work/filter.err" || die "$(cat "$work/filter.err")"
	same "tcx again" "$(there_hooks)" tcx/egress,tcx/ingress
	ok del all
	filter "$at" || die "$(cat "$work/filter.err")"
	"$NETPROBE" -N filt attach del id "$("$NETPROBE" -N filt -j attach list dev f0 | jq 'select(.link.hook == "tc/ingress").program.id')" 2>"$work/filter.err" || die "$(cat "$work/filter.err")"
	same "by its number" "$(there_hooks)" tcx/egress
	ok del all
	filter "$at" || die "$(cat "$work/filter.err")"
	ok del all
	says "removed"
	none || die "left: $(pinned)"
	! ip netns exec filt tc qdisc show dev f0 | grep -q clsact || die "left: $(ip netns exec filt tc filter show dev f0 ingress)"
	filter "$at" || die "$(cat "$work/filter.err")"
	ip netns del filt
	gone() { "$NETPROBE" attach del stale >/dev/null 2>"$work/att.err"; [ $? = 2 ] && grep -q 'not to be found: kept' "$work/att.err"; }
	until_true 10 gone || die "of a namespace that is gone: $(cat "$work/att.err")"
	[ -e "$root" ] || die "what cannot be judged went"
	rm -r "$root"
fi

say "B7: beside the firewall, in either order"
for order in 'block count' 'count block'; do
	for who in $order; do
		case $who in
		block) "$NETPROBE" block add 192.0.2.1 dev here --commit </dev/null 2>"$work/block.err" || die "$(cat "$work/block.err")" ;;
		count) ok add dev here ;;
		esac
	done
	counts_ten "$order"
	fw=$("$NETPROBE" -j attach list dev here | jq -r 'select(.program.name | startswith("np_block")).program.id')
	fails 6 "netprobe block del --all dev here" del id "$fw"
	ok del all
	"$NETPROBE" block test 192.0.2.1 dev here | grep -q ': drop' || die "$order: the firewall went as well"
	ok del stale
	"$NETPROBE" block test 192.0.2.1 dev here | grep -q ': drop' || die "$order: stale took the firewall"
	ok add dev here
	"$NETPROBE" block del --all dev here </dev/null 2>"$work/block.err" || die "$(cat "$work/block.err")"
	same "$order: counts on" "$(hooks here)" "$tc/egress,$tc/ingress"
	ok del dev here
done
none || die "left: $(pinned)"
if command -v clang >/dev/null && command -v bpftool >/dev/null; then
	cat >"$work/others.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
SEC("xdp") int others_xdp(void *ctx) { return 2; }
SEC("tc") int others_tc(void *ctx) { return -1; }
char LICENSE[] SEC("license") = "GPL";
C
	clang -g -O2 -target bpf -c "$work/others.c" -o "$work/others.o"
	mkdir /sys/fs/bpf/others
	bpftool prog loadall "$work/others.o" /sys/fs/bpf/others

	say "B7: a program of others at XDP and in the chain"
	bpftool net attach xdpgeneric pinned /sys/fs/bpf/others/others_xdp dev here
	tc qdisc add dev here clsact && tc filter add dev here ingress pref 7 bpf da pinned /sys/fs/bpf/others/others_tc
	theirs() { "$NETPROBE" -j attach list dev here | jq -r 'select(.program.name | startswith("others")) | [.link.hook, .program.id] | @tsv'; }
	before=$(theirs)
	same "theirs" "$(echo "$before" | wc -l)" 2
	id=$(bpftool -j prog show pinned /sys/fs/bpf/others/others_xdp | jq .id)
	fails 6 "program $id (others_xdp) is there and not ours" add dev here hook xdp
	[ ! -e $root ] || die "left: $(pinned)"
	fails 6 "program $id (others_xdp) is there and not ours" add dev here -m generic
	ok add dev here
	same "beside" "$(hooks here)" "$tc/egress,$tc/ingress"
	fails 6 "program $id (others_xdp) is there and not ours" add dev here hook xdp
	same "as it was" "$(hooks here)" "$tc/egress,$tc/ingress"
	counts_ten "beside"
	fails 6 "program $id (others_xdp) is not netprobe's: left alone" del id "$id"
	ok del all
	same "theirs" "$(theirs)" "$before"
	bpftool net detach xdpgeneric dev here
	tc qdisc del dev here clsact
	rm -r /sys/fs/bpf/others
fi

say "B6: pins of others stay, and stop what would need their place"
ok add dev here
"$TOOLS/pinned" foreign "$(dir)/theirs"
fails 2 "is not ours" del dev here
[ -e "$(dir)/theirs" ] || die "their pin went"
same "it still counts" "$(hooks here)" "$tc/egress,$tc/ingress"
rm "$(dir)/theirs"
rm "$(dir)/pieces"
"$TOOLS/pinned" foreign "$(dir)/pieces"
fails 2 "is not ours" add dev here
same "as it was" "$(hooks here)" "$tc/egress,$tc/ingress"
[ -e "$(dir)/pieces" ] || die "their pin went"
rm "$(dir)/pieces"
ok add dev here
counts_ten "without one of the maps, made anew"
ok del dev here
(umask 077 && mkdir -p $root/v1/x)
ok del stale
[ -d $root/v1/x ] || die "their directory went"
rmdir $root/v1/x $root/v1 $root

say "B5: state of a newer netprobe is shown and never touched"
ok add dev here
place=$(basename "$(dirname "$(dir)")") abi=$(basename "$(dirname "$(dirname "$(dir)")")")
abi=${abi#v}
ok del dev here
newer=$root/v$((abi + 1))/$place/count
(umask 077 && mkdir -p "$newer")
"$TOOLS/pinned" meta "$newer" $((abi + 1))
"$TOOLS/pinned" foreign "$newer/counts"
before=$(pinned)
fails 2 "made by netprobe 9.9 (ABI $((abi + 1))" add dev here
fails 2 "made by netprobe 9.9" add dev here --dry-run
fails 2 "made by netprobe 9.9" del dev here
fails 2 "made by netprobe 9.9" del all
fails 2 "made by netprobe 9.9" del stale
same "as it was" "$(pinned)" "$before"
rm -r $root

say "without the right to"
if command -v setpriv >/dev/null; then
	cp "$NETPROBE" "$work/np"
	for words in 'add dev here' 'del dev here' 'del all' 'del stale' 'del id 7'; do
		rc=0
		# shellcheck disable=SC2086
		setpriv --reuid 65534 --clear-groups "$work/np" attach $words >/dev/null 2>"$work/att.err" || rc=$?
		same "$words: status" "$rc" 5
		grep -q 'missing: CAP_' "$work/att.err" || die "$words: $(cat "$work/att.err")"
	done
fi
none || die "left: $(pinned)"
