#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which set is the way back: one that nobody confirmed never is.  (C2, C3)
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
a=10.9.0.2 b=192.0.2.2 c=192.0.2.3
np() { "$NETPROBE" block "$@" dev here </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
reach() { there ping -qc1 -W1 10.9.0.1 >/dev/null; }
targets() { "$NETPROBE" block list -j dev here 2>"$work/list.err" | jq -r .block.target | tr '\n' ' '; }
is() { "$NETPROBE" block status -j dev here 2>/dev/null | jq -e ".firewall.$1" >/dev/null; }
# set_is STATE TARGETS: confirmed, armed, expired
set_is() {
	same "$step: entries" "$(targets)" "$2"
	case $1 in
	confirmed) is confirmed ;;
	armed) is 'confirmed == false' && is 'expired == false' ;;
	expired) is expired ;;
	esac || die "$step: it is not $1"
}
gone() { [ ! -e /sys/fs/bpf/netprobe ] || die "$step: something is left"; }
told() { grep -q "$1" "$work/np.err" || { cat "$work/np.err"; die "$step: not told: $1"; }; }
over() { until_true 5 is expired || die "$step: it does not expire"; }
# fails STATUS PATTERN ARGS...
fails() {
	local rc=0 want=$1 pattern=$2
	shift 2
	"$NETPROBE" block "$@" dev here </dev/null 2>"$work/np.err" || rc=$?
	same "$step: exit status" $rc "$want"
	told "$pattern"
}
clear() { np del --all; gone; }

say "from where a change waits for a confirmation"
need script
# at_terminal COMMAND: run by a shell with a controlling terminal, of which nothing is left to netprobe but what it takes
at_terminal() { script -qec "$1" /dev/null </dev/null >"$work/script.log"; }
one="'$NETPROBE' block add $a dev here"
at_terminal "$one </dev/null >/dev/null 2>'$work/np.err'"
told 'everything passes again in 60 s unless'
set_is armed "$a "
clear
at_terminal "echo $a | '$NETPROBE' block add - dev here 2>'$work/np.err' | cat"
set_is armed "$a "
clear
for fd in '<&3 >/dev/null 2>&1' '</dev/null 2>/dev/null' '</dev/null >/dev/null'; do
	at_terminal "exec 3<&0; setsid -w $one $fd"
	set_is armed "$a "
	clear
done
at_terminal "$one --commit </dev/null >/dev/null 2>'$work/np.err'"
set_is confirmed "$a "
clear
at_terminal "setsid -w $one </dev/null >/dev/null 2>'$work/np.err'"
set_is confirmed "$a "
clear
SSH_CLIENT='10.9.0.3 50000 22' setsid -w "$NETPROBE" block add $a dev here </dev/null >"$work/out" 2>"$work/np.err"
set_is armed "$a "
clear

say "none, armed, armed: nothing to go back to"
np add $b --confirm 60s
np add $c --confirm 60s
set_is armed "$b $c "
np rollback
told 'there was none before: everything passes'
gone

say "confirmed, armed, armed: back to the confirmed one, and no further"
np add $a --commit
np add $b --confirm 60s
np del $a --confirm 60s
np add $c --confirm 60s
set_is armed "$b $c "
np rollback
set_is confirmed "$a "
! reach || die "it does not block"
fails 1 'no set before this one is kept' rollback
set_is confirmed "$a "

say "confirmed, and back, and forth"
np add $b --commit
np rollback
set_is confirmed "$a "
np rollback
set_is confirmed "$a $b "
np rollback
np add $b --confirm 60s
np confirm
told 'here: confirmed$'
np confirm
told 'confirmed already'
np rollback
set_is confirmed "$a "

say "expired: it is told, and the next change begins from the set before it"
np add $b --mode deny --confirm 1s
over
reach || die "it drops"
set_is expired "$a $b "
grep -q 'not confirmed in time: it drops nothing' "$work/list.err" || die "list does not tell"
fails 2 'too late' confirm
np add $c --commit
told 'not confirmed in time and is dropped: going on from the set before it'
set_is confirmed "$a $c "
is 'mode == "block"' || die "the mode of what was not confirmed"
np rollback
set_is confirmed "$a "
np add $b --confirm 1s
over
np del $a --commit
set_is confirmed ""
np rollback
set_is confirmed "$a "
np add $b --confirm 1s
over
np rollback
set_is confirmed "$a "
fails 1 'no set before this one is kept' rollback
clear

say "expired, and none before it"
np add $b --confirm 1s
over
np add $c --commit
told 'going on from nothing, for there was no set before it'
set_is confirmed "$c "
np rollback
gone
np add $b --confirm 1s
over
np rollback
gone
np add $b --confirm 1s
over
clear

say "what others left open is not confirmed by adding to it"
np add $a --commit
np add $b --confirm 60s
np add $c --commit
told 'the change before this one is not confirmed yet, and this one is not either'
told 'everything passes again in [1-6][0-9]* s unless'
set_is armed "$a $b $c "
np del $b
set_is armed "$a $c "
echo $c >"$work/list"
np apply "$work/list" --commit
set_is confirmed "$c "
np rollback
set_is confirmed "$a "

say "going back is a change"
np del $a --commit
export SSH_CONNECTION='10.9.0.2 50000 10.9.0.1 22'
fails 2 'refused: it would cut off the session from 10.9.0.2' rollback --commit
set_is confirmed ""
np rollback --force-lockout
told 'everything passes again in 60 s unless'
set_is armed "$a "
fails 2 'refused: it would cut off the session from 10.9.0.2' confirm
set_is armed "$a "
unset SSH_CONNECTION
np rollback
set_is confirmed ""
np add $a --commit
np add $b --commit
np rollback --confirm 1s
over
np add $c --commit
set_is confirmed "$a $b $c "
clear

say "what was counted comes along on the way back"
hits() { "$NETPROBE" block list -j dev here | jq 'select(.block.target == "10.9.0.2").block.hits'; }
np add $a --commit
! reach || die "it does not block"
np add $b --confirm 60s
there ping -qc3 -i 0.2 -W1 10.9.0.1 >/dev/null || true
n=$(hits)
[ "$n" -ge 4 ] || die "$n hits"
np rollback
[ "$(hits)" -ge "$n" ] || die "of $n hits $(hits) are left"
n=$(hits)
np add $b --confirm 1s
there ping -qc1 -W1 10.9.0.1 >/dev/null || true
over
n=$(hits)
np add $c --commit
[ "$(hits)" -ge "$n" ] || die "of $n hits $(hits) are left after the expiry"
clear

say "killed at any step: as before or armed, and back in any case"
np add $a for 1h --commit
np add $a --commit
for verb in 'add 192.0.2.2 --confirm 60s' rollback; do
	for i in $(seq 0 6 60); do
		# shellcheck disable=SC2086
		"$NETPROBE" block $verb dev here </dev/null 2>/dev/null &
		sleep "0.0$(printf %02d "$i")"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		case $(targets) in
		"$a ") set_is confirmed "$a " ;;
		"$a $b ") set_is armed "$a $b "; np rollback; set_is confirmed "$a " ;;
		*) die "after $i ms of $verb: $(targets)" ;;
		esac
	done
done
