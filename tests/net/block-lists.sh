#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lists for block are read without privileges, come whole or not at all, and what ran before runs on with its counts.  (D2)
. "$(dirname "$0")/lib.sh"
need jq
export NETPROBE
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION SSH_CLIENT
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
reach() { there ping -qc1 -W1 10.9.0.1 >/dev/null; }
entries() { "$NETPROBE" block list -j dev here; }
set_now() { entries | jq -c 'del(."@timestamp", .block.last_hit, .block.expires, .block.expires_in_s)'; }
# refused WHAT STATUS PATTERN ARGS...: fails like that, and the set and its counts are what they were
refused() {
	local what=$1 status=$2 pattern=$3 before rc=0
	shift 3
	before=$(set_now)
	"$NETPROBE" block "$@" 2>"$work/r.err" || rc=$?
	same "exit status of: $what" $rc "$status"
	grep -q "$pattern" "$work/r.err" || { cat "$work/r.err"; die "$what: not told"; }
	same "$what: the set" "$(set_now)" "$before"
}

np add 10.9.0.2 dev here --commit
! reach || die "not blocked"
[ "$(set_now | jq .block.hits)" -ge 1 ] || die "no hits"

say "from files and from standard input, in one call"
printf '192.0.2.1\n192.0.2.2 for 1h\n' >"$work/one"
printf '192.0.2.2\n192.0.2.3 reason from a file\n' >"$work/two"
echo 192.0.2.4 | "$NETPROBE" block add - 192.0.2.5 file "$work/one" file "$work/two" proto tcp dev here reason of all 2>"$work/np.err"
grep -q 'two: 2 lines, 1 entry, 1 given before' "$work/np.err" || { cat "$work/np.err"; die "not counted"; }
entries | jq -r '[.block.target, .rule.name, .rule.reference, .block.proto, .block.expires_in_s > 3500] | @csv' >"$work/set.log"
cat >"$work/wanted" <<E2
"10.9.0.2",,,,false
"192.0.2.4","of all","standard input:1","tcp",false
"192.0.2.5","of all",,"tcp",false
"192.0.2.1","of all","$work/one:1","tcp",false
"192.0.2.2","of all","$work/one:2","tcp",true
"192.0.2.3","from a file","$work/two:2","tcp",false
E2
diff "$work/wanted" "$work/set.log" || die "entries are not what the lists say"

say "a list without entries is no set"
: >"$work/empty"
refused "an empty file" 2 'empty: no entries: nothing was changed' apply "$work/empty" dev here --commit

say "every bad line is told, and none counts"
printf '192.0.2.9\nnonsense!\n192.0.2.10\n10.0.0.0/33\n' >"$work/bad"
refused "bad lines" 2 "bad: 2 of 4 lines are bad" add file "$work/bad" dev here
grep -q "bad:2: 'nonsense!'" "$work/r.err" && grep -q "bad:4: '10.0.0.0/33'" "$work/r.err" || die "which lines?"
refused "a good list and a bad one" 2 'nothing was changed' add file "$work/one" file "$work/bad" dev here
refused "no such file" 1 'No such file' add file "$work/none" dev here
refused "a directory" 1 'Is a directory' add file "$work" dev here

say "whoever reads has no rights, nothing to write to, and when it dies nothing is changed"
mkfifo "$work/pipe"
# reader: $apart is the process that reads the pipe, for $asks
reader() {
	"$NETPROBE" block add file "$work/pipe" dev here 2>"$work/reader.err" >/dev/null &
	asks=$!
	exec 9>"$work/pipe"
	until_true 5 pgrep -P $asks || die "nobody reads"
	apart=$(pgrep -P $asks)
	until_true 5 grep -q '^Seccomp:.2' "/proc/$apart/status" || die "no system call filter"
}
reader
grep -E '^(Uid|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' "/proc/$apart/status" | tr '\t' ' ' >"$work/rights.log"
cat >"$work/wanted" <<'E2'
Uid: 65534 65534 65534 65534
CapInh: 0000000000000000
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapBnd: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
E2
diff "$work/wanted" "$work/rights.log" || die "it has rights"
for fd in "/proc/$apart/fd"/*; do readlink "$fd" || true; done >"$work/fds.log"
! grep -q 'bpf\|/sys/' "$work/fds.log" || die "it has what is the kernel's"
! grep -q bpf "/proc/$apart/maps" || die "it sees the maps of the set"
say "while it waits, the way back is open"
timeout 10 "$NETPROBE" block confirm dev here 2>/dev/null || die "a slow list holds the lock"
before=$(set_now)
echo 192.0.2.77 >&9
kill -SEGV "$apart"
rc=0
wait $asks || rc=$?
exec 9>&-
same "its exit status" $rc 1
grep -q 'pipe: whoever read it was ended by a signal (Segmentation fault): nothing was changed' "$work/reader.err" || die "not told"
same "the set" "$(set_now)" "$before"

say "when the one who asks dies, so does the other"
reader
kill -KILL $asks
wait $asks 2>/dev/null || true
until_true 5 sh -c "! kill -0 $apart" || die "it goes on"
exec 9>&-

say "the time of a first set, in a time namespace"
for offset in 1000000 -10; do
	unshare --net --time --boottime $offset bash -c '
		ip link add v0 type veth peer name v1
		"$NETPROBE" block add 192.0.2.1 for 1h dev v0 --commit </dev/null 2>/dev/null
		"$NETPROBE" block list -j dev v0' >"$work/time.log" || die "not added"
	jq -e '.block.expires_in_s | . > 3500 and . <= 3600' "$work/time.log" >/dev/null || die "an hour: $(cat "$work/time.log")"
done

say "no memory for it"
seq -f '192.0.2.1 proto udp port %.0f' 60000 >"$work/long"
(ulimit -d 6000; exec "$NETPROBE" block test 192.0.2.1 --list "$work/long") >/dev/null 2>"$work/mem.err" && die "taken all the same"
grep -q 'long: nothing was changed' "$work/mem.err" || { cat "$work/mem.err"; die "not told"; }

say "D2: more entries than a set holds"
awk 'BEGIN { for (i = 0; i <= 4194304; i++) printf "%d.%d.%d.%d\n", 11 + int(i / 16777216), int(i / 65536) % 256, int(i / 256) % 256, i % 256 }' >"$work/huge"
refused "4194305 entries" 1 'more than 4194304 entries' apply "$work/huge" dev here
refused "4194305 entries from standard input" 1 'more than 4194304 entries' add - dev here <"$work/huge"
rm "$work/huge"

say "D2: more conditions on one address than a program looks at"
seq -f '198.51.100.1 port %.0f' 65 >"$work/many"
refused "65 conditions" 1 'more than 64 entries with a protocol, port or expiry cover the address' add file "$work/many" dev here
seq -f '02:00:00:00:00:01 port %.0f' 65 >"$work/many"
refused "65 conditions on a MAC address" 1 'more than 64 entries' apply "$work/many" dev here
! reach || die "what ran before does not run on"

say "--persist: a unit that does the same at each boot"
mkdir "$work/50% of \$HOME \"x\" \\"
cd "$work/50% of \$HOME \"x\" \\"
ln -s "$NETPROBE" np	# the program's own path is told, not how it was called
echo 192.0.2.1 >'a list'
./np block apply 'a list' dev here --commit --frag drop --mode log -m tcx --persist </dev/null >"$work/netprobe-here.service" 2>/dev/null || die "not applied"
grep -F "ExecStart=\"$(readlink -f "$NETPROBE")\" block apply --interface \"here\" --mode \"log\" --frag \"drop\" --xdp-mode \"tcx\" --commit \"$work/50%% of \$\$HOME \\\"x\\\" \\\\/a list\"" \
	"$work/netprobe-here.service" >/dev/null || { cat "$work/netprobe-here.service"; die "another command"; }
cd "$work"
if command -v systemd-analyze >/dev/null; then
	systemd-analyze verify "$work/netprobe-here.service" 2>"$work/verify.log" || die "systemd does not take it"
	! grep -q 'netprobe-here.service:' "$work/verify.log" || die "systemd finds fault with it"
fi
before=$(set_now)
rc=0
echo 192.0.2.2 | "$NETPROBE" block apply - dev here --commit --persist 2>"$work/np.err" || rc=$?
same "standard input at each boot: exit status" $rc 2
grep -q 'standard input is not there at the next boot' "$work/np.err" || die "not told"
same "the set" "$(set_now)" "$before"
