#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B4: a set takes the place of another one between two packets.  While sets are replaced that all have X and differ
# elsewhere, no packet of X comes through and every one of an address in none of them does; and the hits of X are what
# was sent from there, to the packet.  REPLACE=1000: so many replacements at each hook.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
ip -n there addr add 10.9.0.3/24 dev eth0
np() { "$NETPROBE" block "$@" dev here </dev/null >/dev/null 2>"$work/np.err" || die "block $*: $(cat "$work/np.err")"; }
hits() { "$NETPROBE" block list -j dev here | jq 'select(.block.target == "10.9.0.3") | .block.hits'; }

# X behind few entries in one, among many in the other: other tables, and another place in them
{ seq -f '192.0.2.%g' 1 50; echo 10.9.0.3; } >"$work/one"
{ echo 10.9.0.3; seq -f '198.51.100.%g/32' 1 200; echo 198.18.0.0/15; } >"$work/two"

times=${REPLACE:-12}
replaced=0
for mode in ${MODES:-tcx generic native}; do
	say "$mode"
	np apply "$work/one" -m "$mode" --commit
	"$TOOLS/judged" flood there eth0 10.9.0.1 10.9.0.3 10.9.0.2 >"$work/flood.log" 2>"$work/flood.err" &
	pid=$!
	until_true 5 eval '[ "$(hits)" -gt 0 ]' || die "$mode: no packets"
	for i in $(seq "$times"); do
		case $((i % 4)) in
		0) np apply "$work/one" --commit ;;
		1) np add 100.64.0.0/10 --commit ;;
		2) np apply "$work/two" --commit ;;
		3) np del 198.51.100.7 --commit ;;
		esac
		replaced=$((replaced + 1))
	done
	kill -TERM $pid
	wait $pid || die "$mode: the sender: $(cat "$work/flood.err")"
	read -r _ sent_x arrived_x _ sent_y arrived_y <"$work/flood.log"
	[ "$sent_x" -gt $((times * 100)) ] || die "$mode: $sent_x packets are too few to tell"
	same "$mode: packets of an address in both sets that came through" "$arrived_x" 0
	same "$mode: packets of an address in neither that came through" "$arrived_y" "$sent_y"
	same "$mode: hits of the address in both sets" "$(hits)" "$sent_x"
	[ -z "${SHOW-}" ] || echo "$(date +%T) $mode: $times replacements, $sent_x packets each" >&2
	np del --all
done
echo "# $replaced replacements"
