#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2013
# init of the guest: checks that say "ok NAME" or "not ok NAME", judged by run.sh outside.
export PATH=/bin
/bin/busybox --install -s /bin 2>/dev/null	# sh and ip are there
# The shell prefers busybox's own, which know neither veth nor namespaces nor clsact.
ip() { /bin/ip "$@"; }
tc() { /bin/tc "$@"; }
mount -t devtmpfs d /dev
exec >/dev/console 2>&1 </dev/null
mount -t proc p /proc
mount -t sysfs s /sys
mount -t tmpfs t /tmp
mount -t tmpfs r /run
mount -t bpf b /sys/fs/bpf
read -r up _ </proc/uptime
echo "BOOTED $(uname -r) after $up s"

check() { # NAME COMMAND...
	name=$1
	shift
	read -r from _ </proc/uptime
	result=0
	"$@" >/tmp/log 2>&1 || result=$?
	read -r up _ </proc/uptime
	if [ $result = 0 ]; then
		echo "ok $name ($((${up%.*} - ${from%.*})) s)"
	elif [ $result = 77 ]; then
		echo "ok $name # SKIP $(tail -n 1 /tmp/log)"
	else
		echo "not ok $name: exit status $result"
		tail -n 20 /tmp/log | sed 's/^/    /'
	fi
}
insert() { insmod "/mod/$1.ko" 2>/dev/null || [ ! -e "/mod/$1.ko" ] || echo "cannot load $1"; }

network() {
	ip netns add there &&
		ip link add here type veth peer name eth0 netns there &&
		ip addr add 10.9.0.1/24 dev here &&
		ip link set here up &&
		ip link set lo up &&
		ip -n there addr add 10.9.0.2/24 dev eth0 &&
		ip -n there link set eth0 up &&
		ping -c 1 -W 5 10.9.0.2
}
# started FILE: netprobe says on standard error that it listens
started() {
	n=0
	until grep -qs 'listening on' "$1"; do
		n=$((n + 1))
		[ $n -lt 100 ] || { cat "$1"; return 1; }
		usleep 100000
	done
}
# ended PID: its exit status; what does not end in 10 s is killed
ended() {
	n=0
	while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do
		n=$((n + 1))
		usleep 100000
	done
	[ $n -lt 100 ] || { echo "it does not end"; kill -KILL "$1"; }
	wait "$1"
}
# pings ARGUMENTS...: three echoes and their replies are seen, and the ledger balances
pings() {
	# "2>/tmp/err &" truncates in the child: without this, "listening" could be the last run's.
	rm -f /tmp/out /tmp/err
	netprobe -j watch -i here "$@" --proto icmp icmp >/tmp/out 2>/tmp/err &
	pid=$!
	started /tmp/err || { kill $pid; return 1; }
	ping -q -c 3 -i 0.2 -W 5 10.9.0.2 || return 1
	usleep 500000
	kill -TERM $pid	# INT is ignored in the background of a script
	ended $pid || { echo "exit status $?"; cat /tmp/err; return 1; }
	cat /tmp/err
	! grep -q 'DOES NOT BALANCE' /tmp/err || return 1
	n=$(grep -c '"type":[08],' /tmp/out)
	[ "$n" = 6 ] || { echo "$n echoes and replies, wanted 6"; cat /tmp/out; return 1; }
}
# Written as a capture and read back: as many.
writes() {
	rm -f /tmp/w.pcap /tmp/err
	netprobe watch -i here -c 4 -w /tmp/w.pcap icmp 2>/tmp/err &
	pid=$!
	started /tmp/err || return 1
	ping -q -c 3 -i 0.2 10.9.0.2
	ended $pid || { cat /tmp/err; return 1; }
	[ "$(netprobe watch -q -r /tmp/w.pcap | wc -l)" = 4 ]
}
# An address is blocked at the interface, and no more.
blocks() {
	netprobe block add 10.9.0.2 dev here --commit || return 1
	! ping -q -c 1 -W 1 10.9.0.2 || return 1
	netprobe block list dev here
	netprobe block del --all dev here && ping -q -c 1 -W 5 10.9.0.2
}
opened() {
	n=0
	until ping -q -c 1 -W 1 10.9.0.2; do
		n=$((n + 1))
		[ $n -lt 5 ] || return 1
	done
}
# rm -r of the directory lets everything pass, also where a filter is left at the interface.
exits() {
	netprobe block add 10.9.0.2 dev here --commit || return 1
	! ping -q -c 1 -W 1 10.9.0.2 || return 1
	rm -r /sys/fs/bpf/netprobe
	opened || return 1
	netprobe block add 10.9.0.2 dev here --commit && netprobe block del --all dev here
}
# Programs that stay count at the interface, are replaced, and go.
counts() {
	netprobe attach add dev here || return 1
	netprobe attach list dev here | grep -q np_count || return 1
	netprobe attach add dev here flows 1k || return 1
	ping -q -c 1 -W 5 10.9.0.2 || return 1
	netprobe attach del dev here && ! netprobe attach list dev here | grep -q np_count
}
# there FEATURE: yes, no or ?
there() { awk -v f="$1" '$1 == f { print $2 }' /tmp/features; }
# agree FEATURE RUNG: what is said of the kernel is what the ladder finds
agree() {
	works=$(awk -v r="$2" '$1 == "here" && $2 == r { print ($3 == "chosen" || $3 == "works") ? "yes" : "no" }' /tmp/ladder)
	[ "$(there "$1")" = "$works" ] || { echo "$1: $(there "$1"), but rung $2 works: $works"; return 1; }
}
features() {
	netprobe attach features >/tmp/features || return 1
	netprobe watch --plan -i here >/tmp/ladder
	cat /tmp/ladder
	agree link_tcx tcx || return 1
	agree cls_bpf clsact || return 1
	agree packet_socket packet
}
# What is chosen for the interface is what the kernel has, or nothing: 4.
hooks() {
	netprobe attach plan dev here >/tmp/hooks
	status=$?
	cat /tmp/hooks
	way=clsact
	[ "$(there link_tcx)" != yes ] || way=tcx
	[ "$way$(there cls_bpf)" != clsactno ] || { [ $status = 4 ]; return; }
	[ $status = 0 ] || return 1
	grep -q "^here *$way/ingress *chosen" /tmp/hooks && grep -q "^here *$way/egress *chosen" /tmp/hooks
}
# Nothing that was attached stays.
leftovers() {
	[ -e /bin/bpftool ] || return 0
	bpftool net show dev here
	bpftool link show
	[ -z "$(bpftool link show)" ] && ! bpftool net show dev here | grep -q np_
}

. /drops.sh
. /counters.sh
for m in $(cat /mod/order); do
	case $m in sch_ingress | cls_bpf) ;; *) insert "$m" ;; esac
done
check network network
check version netprobe version
# Without sch_ingress there is no clsact: before 6.6 the ladder must come down to the sockets.
check 'capture without clsact' pings
check 'features without clsact' features
check 'hooks without clsact' hooks
insert sch_ingress
insert cls_bpf

netprobe watch --plan -i here -i lo >/tmp/plan 2>&1
echo "plan: exit status $?"
sed 's/^/    /' /tmp/plan
grep -q chosen /tmp/plan && echo "ok plan" || echo "not ok plan: no rung is chosen"
check features features
check hooks hooks
sed 's/^/    /' /tmp/features
check capture pings
for rung in $(awk '$1 == "here" && ($3 == "chosen" || $3 == "works") { print $2 }' /tmp/plan); do
	check "rung $rung" pings --rung "$rung"
done
check 'write and read' writes
check block blocks
check 'block, and rm' exits
check count counts
check drops drops
grep '^ports' /tmp/log
check counters counters
check 'nothing left' leftovers
# word NAME: what the command line of the kernel says of it
word() { sed -n "s/.*netprobe\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
case $(word tests) in
smoke)
	tests='hooks budget tuple count'
	export BRIEF=1
	;;
all) tests=$(cd /t && echo test_* | sed 's/test_//g') ;;
*) tests=$(word tests | tr , ' ') ;;
esac
for t in $tests; do
	case $t in
	tuple) export PACKETS=20000 ;;
	count | count_flood) export PACKETS=3000 ;;
	block) PACKETS=$(word packets) && export PACKETS ;;	# ten sets, at each hook
	*) unset PACKETS ;;
	esac
	check "bpf $t" "/t/test_$t"
done
read -r up _ </proc/uptime
echo "DONE after $up s"
poweroff -f
