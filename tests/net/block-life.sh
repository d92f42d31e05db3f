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
same "limit, of a file" "$(entry)" "5 limit true"
np add 10.9.0.2 action limit 20pps dev here --commit
same "another rate" "$(entry)" "6 limit false"
np del --all dev here
