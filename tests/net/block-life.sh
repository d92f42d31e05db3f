#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What becomes of entries and sets in the course of time: an entry with another action is another one; a set goes along
# with its interface, whatever becomes of that, and nothing of it is left when the interface is gone.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
told() { grep -q "$1" "$work/np.err" || { cat "$work/np.err"; die "$step: not told: $1"; }; }

say "an entry keeps number and counts while its action stays"
entry() { "$NETPROBE" block list -j dev here | jq -r 'select(.block.target == "10.9.0.2") | "\(.rule.id) \(.event.action) \(.block.hits > 0)"'; }
pinged() { there ping -qc1 -W0.2 10.9.0.1 >/dev/null || true; }
np add 10.9.0.2 action audit dev here --commit
pinged
same "audit" "$(entry)" "1 audit true"
np add 10.9.0.2 action audit for 1h dev here --commit reason something new
same "another reason and a time" "$(entry)" "1 audit true"
np add 10.9.0.2 dev here --commit
same "drop in place of audit" "$(entry)" "2 drop false"
pinged
same "dropped" "$(entry)" "2 drop true"
np rollback dev here
same "the way back" "$(entry)" "1 audit true"
echo 10.9.0.2 >"$work/list"
np apply "$work/list" dev here --commit
same "drop, of a file" "$(entry)" "3 drop false"
pinged
np apply "$work/list" dev here --commit
same "the same file again" "$(entry)" "3 drop true"
echo '10.9.0.2 action limit 10pps' >"$work/list"
np apply "$work/list" dev here --commit
pinged
same "limit, of a file" "$(entry)" "4 limit true"
np add 10.9.0.2 action limit 20pps dev here --commit
same "another rate" "$(entry)" "5 limit false"
np del --all dev here

say "an interface that has another name, or is a port of a bridge, keeps its set"
bpf=/sys/fs/bpf/netprobe
# blocks NAMESPACE IFACE: how many entries its set has, or what is told
blocks() { nsenter --net="$1" "$NETPROBE" block status -j dev "$2" 2>"$work/st.err" | jq .firewall.entries || true; }
here=/proc/self/ns/net away=/run/netns/away
ip netns add away
fresh() { ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up; }
fresh
np add 192.0.2.1 dev v0 --commit
ip link set v0 down && ip link set v0 name w0 && ip link set w0 up
same "renamed" "$(blocks $here w0)" 1
! np list dev v0 >/dev/null || die "the old name"
told 'v0 is called w0 now'
np add 192.0.2.2 --commit
same "the only one, by no name" "$(blocks $here w0)" 2
if ip link add br0 type bridge 2>/dev/null; then
	ip link set w0 master br0
	np add 192.0.2.3 dev w0 --commit
	same "of a bridge" "$(blocks $here w0)" 3
fi

say "of one that is gone nothing is left but its name, until the next change"
ip link del w0
for verb in list status; do
	! np $verb >/dev/null || die "$verb: a set that is gone"
	told 'v0: its interface is gone, and with it its firewall'
done
! np list dev v0 >/dev/null || die "a set that is gone"
told 'v0: its interface is gone'
fresh
! np status dev v0 >/dev/null || die "another one of that name has its set"
np add 192.0.2.1 dev v0 --commit --dry-run
same "nothing was changed" "$(find $bpf -name meta | wc -l)" 1
np add 192.0.2.1 dev v0 --commit
told 'its interface v0 is gone'
same "one set is left" "$(find $bpf -name block | wc -l)" 1
ip link del v0
! np del --all dev v0 >/dev/null || die "there is none"
[ ! -e $bpf ] || die "left: $(find $bpf)"

say "in another network namespace it is found, changed and opened"
[ "$(uname -r | awk -F. '{ print $1 * 100 + $2 }')" -ge 606 ] && modes='native generic tcx' || modes='native generic'
for mode in $modes; do
	for number in same other; do
		step="$mode, with the $number number"
		fresh
		np add 192.0.2.1 -m "$mode" dev v0 --commit
		index=$(ip -j link show v0 | jq '.[0].ifindex')
		[ $number = same ] || ip -n away link add taken index "$index" type veth peer name taken1
		ip link set v0 netns away
		ip -n away link set v0 up
		same "$step: from here" "$(blocks $here v0)" ""
		! np list >/dev/null || die "$step: list tells of a set that is not here"
		told 'v0 was moved to another network namespace, and its firewall with it'
		same "$step: from there" "$(blocks $away v0)" 1
		same "$step: by no name" "$(nsenter --net=$away "$NETPROBE" block list -j | jq -r .network.interface)" v0
		same "$step: its log" "$(nsenter --net=$away "$NETPROBE" watch --blocks -i v0 -d 100ms 2>&1 | grep -c 'no firewall')" 0
		if [ $number = other ] && ip link add v0 index "$index" type veth peer name v2 2>/dev/null; then
			! np add 192.0.2.9 dev v0 -m generic --commit >/dev/null || die "$step: the one that is here now has its number"
			told 'was moved to another network namespace: change it from there first'
			same "$step: what it was" "$(blocks $away v0)" 1
			ip link del v0
		fi
		# Another change here leaves it alone: it stands.
		np add 192.0.2.7 dev here --commit
		np del --all dev here
		same "$step: not swept" "$(blocks $away v0)" 1
		nsenter --net=$away "$NETPROBE" block add 192.0.2.2 --commit </dev/null 2>"$work/np.err" || die "$step: add: $(cat "$work/np.err")"
		same "$step: after a change" "$(blocks $away v0)" 2
		same "$step: where it is pinned" "$(find $bpf -name block | wc -l) $(find $bpf -path "*-$index/block" | wc -l)" \
			"1 $([ $number = same ] && echo 1 || echo 0)"
		[ $number = same ] || ip -n away link del taken
		nsenter --net=$away "$NETPROBE" block del --all dev v0 2>"$work/np.err" || die "$step: del"
		[ ! -e $bpf ] || die "$step: left: $(find $bpf)"
		same "$step: at XDP" "$(ip -n away -d link show v0 | grep -c 'prog/xdp')" 0
		ip -n away link del v0
	done
done

say "there and back"
fresh
np add 192.0.2.1 -m generic dev v0 --commit
ip link set v0 netns away
nsenter --net=$away "$NETPROBE" block add 192.0.2.2 --commit </dev/null 2>"$work/np.err" || die "add: $(cat "$work/np.err")"
ip -n away link set v0 netns $$
same "back" "$(blocks $here v0)" 2
np add 192.0.2.3 dev v0 --commit
same "changed" "$(blocks $here v0)" 3
ip link set v0 netns away
ip -n away link del v0
np add 192.0.2.7 dev here --commit
told 'its interface v0 is gone'
np del --all
[ ! -e $bpf ] || die "left: $(find $bpf)"

say "what is not ours is told and left alone"
np add 192.0.2.1 dev here --commit
place=$(find $bpf -name '*-*' -type d)
mkdir -m 755 "${place%-*}-777" && mkdir -m 700 "$bpf/hers" "$bpf/v1/hers"
others() { told "left out: $bpf/hers: the name is none"; told "left out: $bpf/v1/hers: the"; told 'left out: .*-777 belongs to uid 0, mode 0755: not ours'; }
np list >/dev/null
others
np add 192.0.2.2 --commit
others
np del --all
others
same "what is left" "$(find $bpf -mindepth 1 -name '[h0-9]*' | wc -l)" 3
rmdir "${place%-*}-777" "$bpf/hers" "$bpf/v1/hers" "$bpf/v1" "$bpf"

say "when an entry ends is the same each time, and how long that is can be read"
np add 192.0.2.1 for 10m dev here --commit
for _ in $(seq 20); do
	"$NETPROBE" block list -j dev here | jq -r .block.expires
done | sort -u >"$work/expires"
same "times" "$(wc -l <"$work/expires")" 1
grep -q '^....-..-..T..:..:..\.000000000Z$' "$work/expires" || die "no whole second: $(cat "$work/expires")"
off=$(($(date -d "$(cat "$work/expires")" +%s) - $(date +%s)))
[ $off -gt 590 ] && [ $off -le 601 ] || die "ends in $off s"
np list dev here | grep -Eq '^1: 192.0.2.1 src for (10m|9m5[0-9]s) action drop$' || die "$(np list dev here)"
np list dev here | sed 's/^1: //' >"$work/list"
np apply "$work/list" dev here --commit
np list dev here | grep -Eq ' for (10m|9m[45][0-9]s) action' || die "read again: $(np list dev here)"
np add 192.0.2.2 dev here --confirm 5m
for _ in $(seq 20); do
	"$NETPROBE" block status -j dev here | jq -r .firewall.opens
done | sort -u >"$work/opens"
same "times of what is not confirmed" "$(wc -l <"$work/opens")" 1
if unshare -T true 2>/dev/null; then
	same "in a time namespace" "$(unshare -T --boottime 100000 --fork "$NETPROBE" block status -j dev here | jq -r .firewall.opens)" "$(cat "$work/opens")"
fi
np del --all dev here
