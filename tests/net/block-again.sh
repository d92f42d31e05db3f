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
