#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tables that refresh in place: drawn over one another, ordered by keys, cut to the terminal, and the terminal is
# as it was afterwards, however it ends.
. "$(dirname "$0")/lib.sh"
need python3
pair
ip -n there addr add 10.9.0.3/24 dev eth0
export TERM=xterm TZ=UTC LC_ALL=C.UTF-8
unset NO_COLOR
on() { # NAME STEP... -- ARGS...
	local name=$1 steps=()
	shift
	while [ "$1" != -- ]; do steps+=("$1"); shift; done
	shift
	"$top/tests/tools/screen.py" "${steps[@]}" -- "$NETPROBE" "$@" >"$work/$name.log" 2>&1 || die "$name"
}
# Few large packets of one, more small ones of the other.
few='ping -qc3 -i0.02 -s1400 10.9.0.2'
many='ping -qc15 -i0.02 -s10 10.9.0.3'

say "stats: drawn again in place, ordered by a key; q ends with 0, and leaves the last table"
on stats see 'every 1s' see '0 lost' again run "$few" run "$many" again \
	above 10.9.0.2 10.9.0.3 key p above 10.9.0.3 10.9.0.2 see 'by packets' key b above 10.9.0.2 10.9.0.3 \
	key '?' see 'order by bytes' key '?' gone 'order by bytes' \
	key ' ' see paused key ' ' gone paused key + see 'every 2s' key - see 'every 1s' again \
	key q end 0 left 10.9.0.2 left HOST -- stats --by host -i here 1

say "flows watch: the rate of the interval, then by packets"
on flows see 'by rate' run "$few" run "$many" again see 10.9.0.3 key p above 10.9.0.3 10.9.0.2 \
	key b above 10.9.0.2 10.9.0.3 key q end 0 left BIT/S -- flows watch -i here icmp

say "flows watch: the last column is whole in 80 cells, and in 81"
for size in 80x24 81x24; do
	on whole see 'every 1s' size $size again see '  RTT' key q end 0 -- flows watch -i here
done

say "signals"
for sig in TERM INT QUIT; do
	on $sig see 'every 1s' again signal $sig end 0 -- stats --by host -i here 1
done
on quit see 'every 1s' again key $'\034' end 0 -- flows watch -i here
on count see 'every 1s' end 0 left packets -- stats -i here 1 2

say "killed: who is left puts the terminal back"
on killed see 'every 1s' again signal KILL killed -- stats --by host -i here 1

say "the counts that SIGUSR1 asks for are told afterwards, whole, and not in the last line"
on counts see 'every 1s' again signal USR1 again again never 'records written' never 'ledger' key q end 0 left 'ledger: ' -- \
	stats --by host -i here 1

say "a terminal that takes nothing more"
on deaf see 'every 1s' again deaf signal TERM end 1 -- stats --by host -i here 1

say "stopped and continued"
on stop see 'every 1s' key $'\032' stopped cont again key q end 0 -- flows watch -i here

say "in the background it leaves the screen alone, and has it again when it is in front, without a signal as well"
behind="key $(printf '\032') stopped bg unseen fg"
# shellcheck disable=SC2086
on behind see 'every 1s' $behind again key p see 'by packets' $behind again key q end 0 -- \
	flows watch -i here
NOKEYS=1 on nokeys see 'every 1s' signal TSTP stopped bg unseen fg again signal TERM end 0 -- \
	stats --by host -i here 1
on held see 'every 1s' signal STOP halted bg unseen fg again see 'every 1s' again key q end 0 -- flows watch -i here

say "40 cells, 10 lines"
ping -qc2 -i0.02 fd09::2 >/dev/null
on size see 'every 1s' run "$few" run 'ping -qc3 -i0.02 fd09::2' again size 40x10 see 'every 1s' see '10.9.0.2' again \
	key q end 0 -- flows watch -i here
on block see 'every 1s' size 40x10 see bytes again key q end 0 -- stats -i here 1

say "names that would move the cursor"
# hostile NAME N: an interface of that name, where somebody is asked for
hostile() {
	ip link add "$1" type veth peer name "other$2"
	ip addr add "10.8.$2.1/24" dev "$1"
	ip link set "$1" up
	ip link set "other$2" up
}
hostile "$(printf 'a\033[2Jb')" 1
hostile "$(printf '\302\233\346\226\207\200')" 2
ask='ping -qc1 -W1 10.8.1.9 || ping -qc1 -W1 10.8.2.9 || true'
on names see 'every 1s' run "$ask" see 'a\x1b[2Jb' see $'\u6587' again key q end 0 -- stats --by iface -i any 1

say "no screen where there is none, or it is not wanted"
start pipe stats --by host -i here 1 2
wait "$pid"
! grep -q $'\033' "$work/pipe.out" || die "escape sequences in a pipe"
for how in "TERM=dumb" "TERM=xterm"; do
	args=
	[ $how = TERM=dumb ] || args=--no-refresh
	# shellcheck disable=SC2086
	env $how "$top/tests/tools/screen.py" see HOST end 0 left HOST -- "$NETPROBE" stats $args --by host -i here 1 1 \
		>"$work/plain.log" 2>&1 || die "$how $args"
done
