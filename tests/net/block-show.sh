#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# block list, status, poll, test: of one set and of all, in any form; what they tell is what the kernel did, also
# after another set took its place; who may not look is told so.
. "$(dirname "$0")/lib.sh"
need jq
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
ip link add other type veth peer name other1
ip link set other up
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err"; }
# rc STATUS WORDS...: ends with that status
rc() {
	local want=$1 rc=0
	shift
	np "$@" >"$work/rc.log" || rc=$?
	same "status of: $*" $rc "$want"
}
# json FILTER WORDS...: of the records, as an array
json() {
	local filter=$1
	shift
	np "$@" -j | jq -sr "$filter"
}

say "nothing there"
for words in list status poll 'list dev here' 'status dev here' 'poll dev here'; do
	# shellcheck disable=SC2086
	rc 1 $words
	grep -q 'firewall' "$work/np.err" || die "$words: $(cat "$work/np.err")"
done
rc 1 list dev nowhere

say "entries, at three hooks"
evil=$(printf 'x\033[31m\377\302\233y')
np add 10.9.0.2 dev here --commit reason "$evil"
np add 192.0.2.0/24 proto tcp port 80-90 action limit 1mbit/3000 shared for 1h dev here --egress --commit
np add fd09::/16 proto 200 dev other -m generic --commit
same "sets" "$(np status | grep -c ': 1 entry at')" 3
same "places" "$(json 'map(.network.interface + " " + .link.hook) | sort | join(",")' status)" \
	"here tcx/egress,here tcx/ingress,other xdp"
same "by name" "$(json length status dev here)" 2
same "what leaves" "$(json '.[].link.hook' status --egress)" tcx/egress
same "mode at XDP" "$(json '.[].link.mode' status dev other)" generic
same "made by" "$(json '.[].firewall | "\(.made_by) \(.entries) \(.mode) \(.frag) \(.confirmed) \(.expired)"' status dev other)" \
	"add 1 block inherit true false"
[ "$(json '.[] | select(.firewall.memory_bytes > 1000 and .link.id > 0 and (.firewall.made | length) > 20) | 1' status dev other)" ] ||
	die "memory, link, made: $(np status -j dev other)"
same "an entry" "$(json '.[] | "\(.event.action) \(.rule.id) \(.block.target) \(.block.direction) \(.block.proto) \(.block.port_from) \(.block.port_to) \(.block.rate_bps) \(.block.burst) \(.block.shared) \(.block.hits)"' list --egress)" \
	"limit 1 192.0.2.0/24 dst tcp 80 90 1000000 3000 true 0"
[ "$(json '.[] | select(.block.expires_in_s > 3000 and (.block.expires | length) > 20) | 1' list --egress)" ] || die "expires"
# What is no UTF-8 is Latin-1, as everywhere.
same "a reason that is no text" "$(json '.[] | select(.link.hook == "tcx/ingress") | .rule.name | explode | map(tostring) | join(" ")' list dev here)" \
	"120 27 91 51 49 109 255 194 155 121"
same "a reason with escapes, for people" "$(np list dev here | grep -c 'x\\x1b\[31m\\xff')" 1
np list --hits >"$work/all"
! LC_ALL=C grep -aqP '[\x00-\x08\x0b-\x1f\x7f-\xff]' "$work/all" || die "harmful bytes: $(cat -v "$work/all")"
same "of which set" "$(grep -c ' here tcx/\| other xdp generic' "$work/all")" 3

say "other forms"
same "columns" "$(np list -H -o rule.id,block.target dev other | tr -s ' ')" " 1 fd09::/16"
for words in 'list --egress -o block.expires' 'status dev other -o firewall.made'; do
	# shellcheck disable=SC2086
	np $words -H | grep -q '^20[0-9][0-9]-[0-9-]* [0-9:.]*$' || die "a time in a column, $words: $(np $words)"
done
same "CSV" "$(np list --csv -o network.interface,link.hook,block.proto | LC_ALL=C sort | tr "\n" " ")" "here,tcx/egress,tcp here,tcx/ingress, network.interface,link.hook,block.proto other,xdp,200 "
same "CSV without a heading" "$(np list --csv -H | wc -l)" 3
same "heading of CSV" "$(np status --csv | head -n 1 | cut -d, -f 1-2)" network.interface,link.hook
same "one document" "$(np status -p | jq length)" 3
rc 2 list -j --csv
rc 2 status -o no.such
rc 2 list --where 'no.such > 1'
same "entries where" "$(json 'map(.block.proto + " " + .link.hook) | join(",")' list --where 'block.proto == "tcp"')" 'tcp tcx/egress'
same "none where" "$(np list --csv -H --where 'block.hits > 1000000' | wc -l)" 0
same "sets where" "$(json 'map(.link.hook) | join(",")' status --where 'link.hook == "xdp"')" xdp
for words in x 0 '1 0' '1 x' '1 1 1'; do
	# shellcheck disable=SC2086
	rc 2 poll $words
	grep -q "block poll: '${words##* }' is " "$work/np.err" || die "poll $words: $(cat "$work/np.err")"
done
same "protocols have names" "$(np list -o block.proto -H | tr -d ' ' | LC_ALL=C sort | tr '\n' ' ')" "$(json 'map(.block.proto // "") | sort | join(" ")' list) "
np status | grep -q ', [0-9.]* [KM]iB of memory$' || die "memory: $(np status)"
rc=0
"$NETPROBE" block list >/dev/full 2>"$work/np.err" || rc=$?
same "full disk" $rc 1

say "counts are those of the kernel"
there ping -qc3 -i 0.01 -W0.1 10.9.0.1 >/dev/null || true
until_true 5 eval '[ "$(json ".[] | select(.link.hook == \"tcx/ingress\") | .firewall.packets.by_reason.dropped" status dev here)" -ge 3 ]' ||
	die "not counted: $(np status dev here)"
same "hits and dropped" "$(json '.[] | select(.link.hook == "tcx/ingress") | .block.hits' list dev here)" \
	"$(json '.[] | select(.link.hook == "tcx/ingress") | .firewall.packets.by_reason.dropped' status dev here)"
[ "$(json '.[] | select(.block.last_hit > "2020") | .block.bytes' list dev here)" -ge 84 ] || die "no last hit"
np list --hits dev here | head -n 1 | grep -q 'HITS *BYTES *LAST  ENTRY' || die "no heading"

say "poll: rates of the interval, also of a set that took the other's place, until a signal"
"$NETPROBE" block poll 100ms -j dev here >"$work/poll.out" 2>"$work/poll.err" &
pid=$!
# flood FILTER: until a record like that came
flood() {
	local wanted=$1
	# shellcheck disable=SC2317	# called by until_true
	seen() {
		there ping -qc2 -i 0.01 -W0.05 10.9.0.1 >/dev/null || true
		[ "$(jq -c "select($wanted)" <"$work/poll.out" 2>/dev/null | head -n 1)" ]
	}
	until_true 5 seen || { tail -n 3 "$work/poll.out"; cat "$work/poll.err"; die "poll does not tell: $1"; }
}
flood '.firewall.packets_per_second.by_reason.dropped > 0 and .event.end > .event.start'
flood '.event.dataset == "rule" and .block.packets_per_second > 0 and .rule.id == 1'
np add 198.51.100.0/24 dev here --commit
flood '.firewall.entries == 2 and .firewall.packets_per_second.by_reason.dropped > 0'
[ "$(jq -s 'map(.firewall.packets_per_second.by_reason.dropped // 0) | max' <"$work/poll.out")" -lt 5000 ] ||
	die "a rate that was none: counts taken over were counted twice"
kill -INT $pid
status=0
wait $pid || status=$?
same "poll, interrupted" $status 0
same "so often" "$(np poll 50ms 2 dev other | grep -c 'other xdp generic: 1 entry, confirmed')" 2
"$NETPROBE" block poll 50ms -j dev other 2>"$work/poll.err" | head -n 1 >/dev/null
same "a reader who had enough" "${PIPESTATUS[0]}" 0

say "not confirmed"
np add 198.51.100.9 dev here --confirm 50s
same "opens" "$(json '.[] | select(.link.hook == "tcx/ingress") | .firewall | "\(.confirmed) \(.opens_in_s > 20) \(.opens > "2020")"' status dev here)" \
	"false true true"
np status dev here | grep -q 'not confirmed: everything passes in [0-9]* s' || die "$(np status dev here)"

say "test: the kernel is asked, the capture read by who has no privileges"
same "verdicts" "$(np test 10.9.0.2 192.0.2.1 dev here | cut -d, -f 1,2 | tr '\n' ,)" \
	"10.9.0.2: drop, dropped,192.0.2.1: pass, no_entry,"
same "of frames" "$(np test -j -r "$top/tests/golden/tcp.pcap" dev here | jq -sr 'map("\(.frame.number) \(.block.reason) \(.block.hook) \(.source.port)") | .[0:2] | join(",")')" \
	"1 no_entry tcx/ingress 40080,2 no_entry tcx/ingress 80"
"$NETPROBE" block test -r "$top/tests/golden/tcp.pcap" dev here 2>"$work/np.err" >"$work/frames"
grep -q "^$(wc -l <"$work/frames") frames pass, 0 would be dropped" "$work/np.err" || die "$(cat "$work/np.err")"

say "stats: what the firewall does where packets are counted, also once another set took its place"
start stats stats -j -i here 100ms
np add 198.51.100.17 dev here --commit
dropped=$(json '.[] | select(.link.hook == "tcx/ingress") | .firewall.packets.by_reason.dropped' status dev here)
more() {
	there ping -qc2 -i 0.01 -W0.05 10.9.0.1 >/dev/null || true
	[ "$(jq -r 'select(.link.hook == "tcx/ingress") | .firewall.packets.by_reason.dropped' <"$work/stats.out" 2>/dev/null | tail -n 1)" -gt "$dropped" ]
}
until_true 10 more || die "stats does not count on: $(tail -n 2 "$work/stats.out")"
stop INT
same "stats" "$status" 0
same "of which hooks" "$(jq -sr 'map(select(.event.dataset == "firewall") | .network.interface + " " + .link.hook) | unique | join(",")' <"$work/stats.out")" \
	"here tcx/egress,here tcx/ingress"
command -v python3 >/dev/null && {
	"$NETPROBE" stats --prom -i here -i other 100ms 1 >"$work/prom" 2>"$work/prom.err"
	"$top/tests/tools/openmetrics.py" <"$work/prom" >/dev/null || die "no OpenMetrics"
	grep -q '^netprobe_firewall_packets_by_reason_total{interface="other",hook="xdp",reason="dropped"} 0$' "$work/prom" ||
		die "not in: $(grep firewall "$work/prom")"
	[ "$(sed -n 's/^netprobe_firewall_packets_by_reason_total{interface="here",hook="tcx.ingress",reason="dropped"} //p' "$work/prom")" -gt "$dropped" ] ||
		die "metrics of dropped"
}
start lines stats -i here
stop INT
grep -A 1 '^firewall  *here tcx/ingress$' "$work/lines.out" | grep -q '^  *.*dropped [0-9]' || die "$(cat "$work/lines.out")"

say "state that is not taken for ours is named, not passed over"
dir=$(echo /sys/fs/bpf/netprobe/v1/*-"$(json ".[0].network.ifindex" status dev other)"/block)
chmod 755 "$dir"
same "the others" "$(json length list dev here)" "$(json length list)"
np list >"$work/others"
grep -q "^left out: $dir" "$work/np.err" || die "not named: $(cat "$work/np.err")"
rc 1 list dev other
chmod 700 "$dir"

say "who may not look"
if command -v setpriv >/dev/null; then
	for words in list status poll 'list dev here'; do
		rc=0
		# shellcheck disable=SC2086
		setpriv --reuid 65534 --regid 65534 --clear-groups "$NETPROBE" block $words </dev/null 2>"$work/np.err" || rc=$?
		same "status of $words" $rc 5
	done
fi
