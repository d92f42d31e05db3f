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
