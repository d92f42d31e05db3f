#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stats memory: the maps and programs of a netprobe that runs and of a state that is pinned, with their bytes, who
# holds them and what keeps them; nothing of others.
. "$(dirname "$0")/lib.sh"
need jq
need bpftool
mount -t bpf bpf /sys/fs/bpf
pair
memory() { "$NETPROBE" -j stats memory >"$work/memory.out" 2>"$work/memory.err" || { cat "$work/memory.err"; die "stats memory"; }; }
has() { jq -se "any($1)" "$work/memory.out" >/dev/null || die "$2: $(cat "$work/memory.out")"; }

say "what is not ours"
bpftool map create /sys/fs/bpf/others type array key 4 value 4 entries 1 name others_map
memory
jq -se 'all(.memory.name != "others_map")' "$work/memory.out" >/dev/null || die "a map of others is there"
has '.memory.what == "bound" and .memory.name == "flows" and .memory.entries > 1000 and .memory.bytes > 1000' "the bound of flows"

say "what runs"
start w watch -i here -w /dev/null
memory
has ".memory.what == \"process\" and .memory.id == $pid and .memory.bytes > 65536 and (.memory.name | startswith(\"$NETPROBE watch\"))" "the process"
rss=$(awk '$1 == "VmRSS:" { print $2 * 1024 }' "/proc/$pid/status")
has ".memory.id == $pid and .memory.bytes <= 2 * $rss and 2 * .memory.bytes >= $rss" "its memory ($rss)"
holders=$(echo "$pid $(pgrep -P "$pid")" | tr -s ' \n' ' ')
of_it() { jq -s --arg pids "$holders" --arg what "$1" '($pids | split(" ") | map(tonumber? // empty)) as $p |
	[.[] | select(.memory.what == $what and any(.memory.pids // [] | .[]; IN($p[])))]' "$work/memory.out"; }
[ "$(of_it map | jq length)" -ge 2 ] || die "its maps: $(cat "$work/memory.out")"
[ "$(of_it program | jq length)" -ge 1 ] || die "its programs: $(cat "$work/memory.out")"

say "bytes are the kernel's"
of_it map | jq -r '.[] | [.memory.id, .memory.bytes, .memory.entries] | @tsv' >"$work/maps"
while read -r id bytes entries; do
	bpftool -j map show id "$id" >"$work/map.json"
	same "map $id" "$bytes $entries" "$(jq -r '"\(.bytes_memlock) \(.max_entries)"' "$work/map.json")"
done <"$work/maps"
[ -s "$work/maps" ] || die "no map was compared"
stop INT
memory
same "after it ended" "$(of_it map | jq length) $(of_it program | jq length)" "0 0"
same "its process" "$(jq -s "[.[] | select(.memory.id == $pid and .memory.what == \"process\")] | length" "$work/memory.out")" 0

say "what is pinned"
"$NETPROBE" block add 192.0.2.1 dev here -m generic --commit </dev/null 2>"$work/block.err" || die "block: $(cat "$work/block.err")"
memory
has '.memory.what == "state" and .memory.name == "block" and .network.interface == "here" and .memory.bytes > 0' "the state"
path=$(jq -rs '[.[] | select(.memory.what == "state")] | if length == 1 then .[0].memory.pinned else "\(length) states" end' "$work/memory.out")
[ -d "$path" ] || die "no such state: $path"
program=$(jq -s '[.[] | select(.memory.name == "np_block_xdp" and .memory.pinned)][0].memory' "$work/memory.out")
maps=$(bpftool -j prog show id "$(jq .id <<<"$program")" | jq -c .map_ids)
same "its maps and its program" "$(jq -s '[.[] | select(.memory.what == "state")][0].memory.bytes' "$work/memory.out")" \
	"$(jq -s --argjson maps "$maps" --arg p "$path/" '[.[] | select((.memory.what == "map" and
		(.memory.id | IN($maps[]))) or (.memory.what != "state" and (.memory.pinned // "" | startswith($p)))) | .memory.bytes] | add' "$work/memory.out")"
has ".memory.what == \"program\" and .memory.name == \"np_block_xdp\" and (.memory.pinned // \"\" | startswith(\"$path/\"))" "its program"
if sysctl -qw kernel.bpf_stats_enabled=1 2>/dev/null; then
	ping -qc3 -i 0.1 10.9.0.2 >/dev/null
	memory
	sysctl -qw kernel.bpf_stats_enabled=0
	has '.memory.name == "np_block_xdp" and .memory.run_count >= 3 and .memory.run_time_ns > 0' "its runs"
fi

say "without /proc"
blind() { unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "$NETPROBE" "$@"; }
blind -j stats memory >"$work/memory.out" 2>"$work/blind.err" || die "without /proc: $(cat "$work/blind.err")"
has '.memory.name == "np_block_xdp"' "the program"
jq -se 'all(.memory.what == "bound" or .memory.bytes == null)' "$work/memory.out" >/dev/null || die "bytes from nowhere: $(cat "$work/memory.out")"
same "what is missing" "$(cat "$work/blind.err")" "no bytes, holders, pinned state and processes: /proc: No such file or directory"
blind attach list >/dev/null 2>"$work/blind.err" || die "attach list without /proc: $(cat "$work/blind.err")"
same "attach list" "$(cat "$work/blind.err")" "no holders and pinned names: /proc: No such file or directory"

say "each form"
"$NETPROBE" stats memory >"$work/people.out" 2>"$work/people.err"
grep -q "^program  *[0-9]*  *[0-9]* .* np_block_xdp  *$path/" "$work/people.out" || die "for people: $(cat "$work/people.out")"
grep -qE '^[1-9][0-9]* KiB in [0-9]+ maps and [0-9]+ programs?, 0 KiB resident in 0 processes$' "$work/people.err" || die "the sum: $(cat "$work/people.err")"
"$NETPROBE" --csv stats memory 2>/dev/null | head -n 1 | grep -q '^memory.what,memory.id,memory.name,' || die "--csv"
rc=0
"$NETPROBE" stats memory --by host >/dev/null 2>&1 || rc=$?
same "--by: status" "$rc" 2

say "as nobody"
setpriv --reuid 65534 --clear-groups "$NETPROBE" -j stats memory >"$work/memory.out" 2>"$work/nobody.err" || die "as nobody: $(cat "$work/nobody.err")"
has '.memory.what == "bound"' "as nobody"
grep -q 'no maps, programs and pinned state' "$work/nobody.err" || die "what is missing: $(cat "$work/nobody.err")"
