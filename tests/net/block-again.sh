#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is there already, named again: by list and apply, by files, by words.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
cd "$work"
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
told() { grep -qxF "$1" "$work/np.err" || { cat "$work/np.err"; die "not told: $1"; }; }
listed() { "$NETPROBE" block list dev here; }

say "what is listed makes the same set"
cat >l <<'E2'
192.0.2.1 # scanner
192.0.2.2 action audit
allow 192.0.2.3 # #1; "ours"
2001:db8::/32 both proto udp port 53-54 action limit 1234567pps shared # for 1s, dev here
198.51.100.0/24 action limit 0.29pps
any proto icmp action limit 1mbit/5000
02:00:00:00:00:01 reason action drop port x
E2
np apply l dev here --commit
np add 203.0.113.1 dev here --commit reason ' for 1s, (f:1) '
listed | sed 's/^[0-9]*: //' >back
grep -qx '192.0.2.1 src action drop # scanner  (l:1)' back || { cat back; die "not as it would be written"; }
grep -qx '203.0.113.1 src action drop # for 1s, (f:1)' back || { cat back; die "not as it would be written"; }
np apply back dev here --commit
listed | sed 's/  (back:[0-9]*)$//' >again.log
sed 's/  (l:[0-9]*)$//' back | nl -w1 -s': ' >wanted
diff wanted again.log || die "another set"
listed >before.log
listed | sed 's/^[0-9]*: //' >back
np apply back dev here --commit
listed | diff before.log - || die "another set, of what was listed twice"

say "modes stay as they are unless they are said, and one that becomes weaker is told"
modes() { "$NETPROBE" block status -j dev here | jq -r '"\(.firewall.mode) \(.firewall.frag)"'; }
silent() { ! grep -q 'no entry decides pass\|(was dropped)' "$work/np.err" || { cat "$work/np.err"; die "told"; }; }
weaker='what no entry decides passes now (was dropped)'
echo 'allow 192.0.2.9' >m
echo '{"permitted_cidrs": ["192.0.2.9"]}' >p
np del --all dev here
np allow 192.0.2.8 dev here --mode deny --frag drop --commit
np apply m dev here --commit
same "after apply" "$(modes)" "deny drop"
silent
np apply p dev here --commit
same "after apply of what is permitted" "$(modes)" "deny drop"
silent
np apply m dev here --mode log --dry-run
told 'what no entry decides would pass (is dropped)'
np apply m dev here --mode log --commit
told "$weaker"
same "after --mode log" "$(modes)" "log drop"
np rollback dev here --commit
silent
same "after rollback" "$(modes)" "deny drop"
np rollback dev here --commit
told "$weaker"
np apply m dev here --mode block --frag pass --commit
silent
np add file p dev here --mode block --commit
same "said" "$(modes)" "block pass"
np apply p dev here --commit
told 'p: what is permitted: the mode is log now, what no entry decides is counted'
same "not said" "$(modes)" "log pass"

say "a list renews what is there, as words do"
entry() { "$NETPROBE" block list -j dev here | jq -r "select(.block.target == \"$1\") | [.rule.id, .event.action, .rule.name, .block.expires_in_s > 60] | @csv"; }
seq -f 192.0.2.%g 3 >f
np del --all dev here
np add file f for 10s dev here --commit
told 'f: 3 lines, 3 entries'
np add file f for 1h dev here reason again --commit
told 'f: 3 lines, 3 entries: 3 renewed'
same "for an hour" "$(entry 192.0.2.2)" '2,"drop","again",true'
np add file f dev here --commit
same "for good" "$(entry 192.0.2.2)" '2,"drop",,false'
np add 192.0.2.1 action audit dev here --commit
printf '192.0.2.1\n192.0.2.2\n192.0.2.4\n192.0.2.2\n192.0.2.3\n' >f
np add file f dev here reason "the second" --commit
told 'f: 5 lines, 4 entries: 1 new, 2 renewed, 1 with another action now, 1 given before'
same "its action" "$(entry 192.0.2.1)" '5,"drop","the second",false'
"$NETPROBE" block add - dev here reason "of a pipe" --commit <f 2>"$work/np.err" || die "not added"
told 'standard input: 5 lines, 4 entries: 4 renewed, 1 given before'

say "two actions for the same are refused, whichever files they stand in"
printf '192.0.2.7 action audit\n192.0.2.8\n192.0.2.7\n' >two
echo 192.0.2.9 action audit >a
echo 192.0.2.9 >b
listed >before.log
refused() {
	local wanted=$1 rc=0
	shift
	"$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || rc=$?
	same "status of block $*" $rc 2
	told "netprobe: $wanted: which of the two?"
	listed | diff before.log - || die "block $*: another set"
}
refused "two:3: '192.0.2.7 src' has action drop here and action audit in line 1" add file two dev here --commit
refused "two:3: '192.0.2.7 src' has action drop here and action audit in line 1" apply two dev here --commit
refused "b:1: '192.0.2.9 src' has action drop here and action audit at a:1" add file a file b dev here --commit
refused "a:1: '192.0.2.9 src' has action audit here and action drop among the words" add 192.0.2.9 file a dev here --commit

say "what changes nothing leaves the way back"
nothing() {
	np "$1" dev here --commit "${@:2}"
	told "here: nothing to change: $("$NETPROBE" block list dev here | wc -l) entries"
	same "$*: the program" "$(program)" "$was"
}
program() { "$NETPROBE" block status -j dev here | jq -r .firewall.made; }
np del --all dev here
np add 192.0.2.1 dev here --commit
np add 192.0.2.2 dev here --commit --frag drop reason b
was=$(program)
nothing add 192.0.2.2 reason b
nothing add 192.0.2.1
nothing del --expired
nothing add 192.0.2.1 --mode block --frag drop
np add 192.0.2.1 dev here --dry-run
told 'here: nothing to change: 2 entries'
np rollback dev here --commit
same "rolled back" "$(listed)" '1: 192.0.2.1 src action drop'

say "lists, and what is not confirmed yet"
np apply f dev here --commit
was=$(program)
nothing apply f
np add 192.0.2.77 dev here --confirm 1h
was=$(program)
nothing add 192.0.2.77
told 'here: the change before this one is not confirmed yet'
grep -q '^everything passes again in 3[0-9]* s unless' "$work/np.err" || { cat "$work/np.err"; die "no timer"; }
np apply f dev here --commit
! grep -q 'nothing to change' "$work/np.err" || die "apply is another set"
np add 192.0.2.1 dev here --confirm 1h
np add 192.0.2.1 dev here --confirm 1h
! grep -q 'nothing to change' "$work/np.err" || die "a timer was asked for"
