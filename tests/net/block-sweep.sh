#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block goes wrong at each system call.  B1: killed there, packets are judged by the set before or the one after, the
# next add and the next del --all work, and that leaves nothing.  B2: what fails is told in a line and with a status, and
# the set before works on, with its counts.  Each STRIDEth place (1: all, which takes half an hour).
. "$(dirname "$0")/lib.sh"
need strace
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
for n in 3 4 5; do ip -n there addr add 10.9.0.$n/24 dev eth0; done
root=/sys/fs/bpf/netprobe
printf '10.9.0.4\n10.9.0.3 # as before\n' >"$work/both"
echo 10.9.0.4 >"$work/other"
: >"$work/ids"

# Of 10.9.0.3 to 10.9.0.5, the last digits of those from which a datagram arrives
arrives() {
	"$TOOLS/judged" once there eth0 10.9.0.1 10.9.0.2 10.9.0.{3,4,5} >"$work/arrived" 2>"$work/judged.err" ||
		die "$when: an address that nothing names does not arrive"
	sed 's/10\.9\.0\.//g; s/ //g' "$work/arrived"
}
block() { "$NETPROBE" block "$@" dev here </dev/null 2>"$work/np.err" || die "$when, then block $*: status $?: $(cat "$work/np.err")"; }
hits() { "$NETPROBE" block list -j dev here 2>/dev/null | jq -r 'select(.block.target == "10.9.0.3") | .block.hits' || :; }
none() {
	[ ! -e $root ] || die "$when: left: $(find $root)"
	same "$when: what arrives" "$(arrives)" 345
}
# Whatever there is goes; when there is nothing but a directory, that is what it says.
clear() {
	local rc=0
	[ ! -e $root ] || "$NETPROBE" block del --all dev here </dev/null 2>"$work/np.err" || rc=$?
	[ $rc = 0 ] || { [ $rc = 1 ] && grep -q 'has no firewall' "$work/np.err"; } || die "$when, then del --all: status $rc: $(cat "$work/np.err")"
	none
}
# Programs go some RCU grace periods after their last user.
nothing_held() {
	sort -u "$work/ids" >"$work/ids.all"
	until_true 10 eval '[ -z "$("$TOOLS/bpfids" left <"$work/ids.all")" ]' || die "$when: left: $("$TOOLS/bpfids" left <"$work/ids.all")"
}
# ── what there is before, and what may be there afterwards ──

there_is_none() { clear; }
there_is_one() { clear; block add 10.9.0.3 -m "$mode" --commit; }
there_are_two() { there_is_one; block add 10.9.0.4 --commit; }
there_is_one_unconfirmed() { clear; block add 10.9.0.3 -m "$mode" --confirm 1h; }

# traced_run CALLS ACTION WORDS...: its exit status in $status
traced_run() {
	local calls=$1 action=$2
	shift 2
	status=0
	# shellcheck disable=SC2086
	{ strace -qq -f -o "$work/run.trace" -e trace="$calls" $action \
		"$NETPROBE" block "$@" dev here </dev/null >"$work/run.out" 2>"$work/run.err" || status=$?; } 2>/dev/null
	sed -n 's/.*\(prog\|map\|link\)_id=\([1-9][0-9]*\).*/\1 \2/p' "$work/run.trace" >>"$work/ids"	# all are of this set
}
traced() { grep -q 'INJECTED\|killed by SIGKILL' "$work/run.trace"; }
one_of() { case " $2 " in *" $3 "*) ;; *) die "$1: got '$3', wanted one of '$2'" ;; esac; }

# fails CALL ERRNO N BEFORE OLD NEW WORDS...
fails() {
	local call=$1 errno=$2 n=$3 old=$5 new=$6 counted now
	when="block ${*:7}, $4: $call $n, $errno"
	same "$when: before" "$(arrives)" "$old"
	counted=$(hits)
	traced_run "$call,bpf" "-e inject=$call:error=$errno:when=$n" "${@:7}"
	traced || return 0
	[ $status -lt 128 ] || die "$when: status $status: $(cat "$work/run.err")"
	now=$(hits)
	if [ $status != 0 ]; then
		same "$when: lines that say why ($(cat "$work/run.err"))" "$(grep -c '^netprobe: ' "$work/run.err")" 1
		# What opens everything goes on where it can.
		if [ "$7 ${8-}" = 'del --all' ]; then
			one_of "$when: what arrives" "$old $new" "$(arrives)"
			clear
			return
		fi
		same "$when: status $status ($(cat "$work/run.err")): what arrives" "$(arrives)" "$old"
		same "$when: hits" "$now" "$counted"
		untouched=yes
		[ "$old" != 345 ] || none
		[ "$old" = 345 ] || same "$when: left" "$(find $root -name '*-new' -o -name '*next*')" ""
	else
		same "$when: status 0: what arrives" "$(arrives)" "$new"
		[ -z "$now" ] || [ -z "$counted" ] || [ "$7" = rollback ] || same "$when: status 0: hits" "$now" "$counted"
	fi
}
# killed CALL - N BEFORE OLD NEW WORDS...
killed() {
	local call=$1 n=$3 old=$5 new=$6 now
	when="block ${*:7}, $4: killed at $call $n"
	traced_run "$call,bpf" "-e inject=$call:signal=KILL:when=$n" "${@:7}"
	traced || return 0
	now=$(arrives)
	one_of "$when: what arrives" "$old $new" "$now"
	# By turns, for either must do by itself.
	if [ $((runs % 2)) = 0 ]; then
		block add 10.9.0.5 -m "$mode" --commit
		same "$when, then add: what arrives" "$(arrives)" "$(echo "$now" | tr -d 5 | sed 's/^$/-/')"
	fi
	clear
}

# sweep WHAT CALLS ERRNO BEFORE OLD NEW WORDS...: at each STRIDEth of these calls
sweep() {
	local what=$1 calls=$2 errno=$3 call n untouched=
	say "$what: $mode, $errno, block ${*:7}, $4"
	when="before: $step"
	"$4"
	traced_run "$calls" "" "${@:7}"
	same "$step: status" $status 0
	same "$step: what arrives in the end" "$(arrives)" "$6"
	awk '$2 ~ /^[a-z_0-9]+[(]/ { way = /BPF_OBJ_GET,.*link_/ ? "always" : "-"; sub(/\(.*/, "", $2); print $2, ++n[$2], way }' "$work/run.trace" >"$work/places"
	[ -s "$work/places" ] || die "$step: no such call"
	# Where it begins goes round, so that all that is swept does not meet the same calls.  Whoever asks for the link
	# and gets no answer must not take that for none.
	awk -v by="$stride" -v from=$((runs % stride)) '$3 == "always" || NR % by == from % by' "$work/places" >"$work/chosen"
	while read -r call n _ <&3; do
		when="before $call $n of $step"
		[ "$untouched" ] || "$4"
		untouched=
		"$what" "$call" "$errno" "$n" "${@:4}"
		runs=$((runs + 1))
	done 3<"$work/chosen"
	[ -z "${SHOW-}" ] || echo "$(date +%T) $step: $(wc -l <"$work/chosen") of $(wc -l <"$work/places") places" >&2
}
# all WHAT CALLS ERRNO: at each of the verbs
all() {
	sweep "$@" there_is_none 345 45 add 10.9.0.3 -m "$mode" --commit
	sweep "$@" there_is_one 45 5 add 10.9.0.4 --commit
	sweep "$@" there_is_one 45 35 apply "$work/other" --commit
	sweep "$@" there_are_two 5 45 del 10.9.0.4 --commit
	sweep "$@" there_is_one 45 345 del --all
	sweep "$@" there_is_one_unconfirmed 45 45 confirm
	sweep "$@" there_are_two 5 45 rollback
	when="after $step"
	clear
	nothing_held
}

runs=0 stride=${STRIDE:-100}
[ "${NETPROBE_TEST_TIER:-}" != all ] || stride=${STRIDE:-29}
modes=${MODES:-tcx generic}
for mode in $modes; do
	for errno in ${ERRORS:-KILL ENOMEM}; do
		if [ "$errno" = KILL ]; then
			all killed bpf,mkdir,rename,unlink,rmdir,sendto,flock,membarrier KILL
		else
			all fails bpf,mkdir,rename,unlink,sendto,flock,openat,mmap,write "$errno"
		fi
	done
done
echo "# $runs runs went wrong in as many places"
