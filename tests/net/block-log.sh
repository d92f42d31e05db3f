#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# watch --blocks: what firewalls stop or take note of is told, once to each reader, with the entry that decided; what a
# reader was too slow for is counted; a reader that is killed leaves nothing.
. "$(dirname "$0")/lib.sh"
need jq
need python3
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
np() { "$NETPROBE" block "$@" </dev/null 2>"$work/np.err" || { cat "$work/np.err"; return 1; }; }
pings() { there ping -qc"$1" -i0.05 -W1 "$2" >/dev/null || true; }
# frames N [VLAN]: so many IPv4 frames from 10.9.0.2, of 200 bytes
frames() {
	there python3 - "$@" <<-'P'
		import socket, struct, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("eth0", 0))
		mac = bytes.fromhex("ffffffffffff020000000002")
		tag = struct.pack("!HH", 0x8100, int(sys.argv[2])) if len(sys.argv) > 2 else b""
		ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 186, 1, 0, 64, 17, 0, socket.inet_aton("10.9.0.2"), socket.inet_aton("10.9.0.1"))
		for i in range(int(sys.argv[1])):
		    s.send(mac + tag + b"\x08\x00" + ip + struct.pack("!HHHH", 1000 + i % 50000, 7, 166, 0) + b"x" * 158)
	P
}
lines() { wc -l <"$work/$1.out"; }
has() { [ "$(lines "$1")" -ge "$2" ]; }

say "without a firewall"
rc=0
timeout 10 "$NETPROBE" watch --blocks -i here </dev/null 2>"$work/none.err" || rc=$?
same "exit status" $rc 1
grep -q 'no firewall at here' "$work/none.err" || die "$(cat "$work/none.err")"

for mode in native generic tcx; do
	say "$mode: text and JSON, two readers at once"
	printf '10.9.0.2 # scanner\n' >"$work/bad.netset"
	np add file "$work/bad.netset" dev here -m $mode
	np add fd09::2 action audit dev here
	start text watch --blocks -i here
	text=$pid
	start json -j watch --blocks -i here
	pings 2 10.9.0.1
	pings 1 fd09::1
	until_true 5 has json 3 || die "$mode: $(lines json) records: $(cat "$work/json.err")"
	until_true 5 has text 3 || die "$mode: $(lines text) lines"
	stop TERM
	pid=$text
	stop TERM
	same "$mode: records" "$(jq -r 'select(.event.dataset == "block") | [.event.action, .block.reason, .rule.id, .source.ip] | @csv' \
		"$work/json.out" | sort -u | tr '\n' ';')" \
		'"audit","audited",2,"fd09::2";"drop","dropped",1,"10.9.0.2";'
	same "$mode: echo requests" "$(jq -s 'map(select(.rule.id == 1)) | length' "$work/json.out")" 2
	same "$mode: lines" "$(lines text)" "$(lines json)"
	same "$mode: entry" "$(jq -r 'select(.rule.id == 1) | .rule.name + " " + .rule.reference' "$work/json.out" | uniq)" \
		"scanner $work/bad.netset:1"
	grep -q "BLOCK entry 1 scanner ($work/bad.netset:1) IP 10.9.0.2 > 10.9.0.1" "$work/text.out" || die "$mode: $(cat "$work/text.out")"
	grep -q 'AUDIT entry 2 IP6 fd09::2' "$work/text.out" || die "$mode: $(cat "$work/text.out")"
	np del --all dev here
done

say "CSV: what it is about, a row a packet"
np add 10.9.0.2 dev here reason 'a "test", =cmd()'
start csv --csv watch --blocks -i here -c 1
pings 1 10.9.0.1
wait "$pid"
same "columns" "$(sed -n 1p "$work/csv.out")" "@timestamp,event.action,network.interface,network.direction,source.ip,source.port,destination.ip,destination.port,network.transport,frame.len,block.reason,rule.id,rule.name,rule.reference,lost.count"
same "row" "$(sed -n 2p "$work/csv.out" | cut -d, -f 2-)" 'drop,here,ingress,10.9.0.2,,10.9.0.1,,icmp,98,dropped,1,"a ""test"", =cmd()",,'
np del --all dev here

say "what no entry decides, in log mode; the filter"
np allow 192.0.2.0/24 dev here --mode log
start json -j watch --blocks -i here 'icmp6 or vlan 7'
pings 1 10.9.0.1
pings 1 fd09::1
frames 1 7
until_true 5 has json 2 || die "$(cat "$work/json.out")"
stop TERM
same "records" "$(jq -r '[.event.action, .block.reason, .network.type, (.network.vlan // [0])[0]] | @csv' "$work/json.out" | sort -u |
	tr '\n' ';')" '"audit","not_permitted","ipv4",7;"audit","not_permitted","ipv6",0;'
np del --all dev here

say "what leaves"
np add 10.9.0.2 dev here --egress
start json -j watch --blocks -i any
ping -qc1 -W1 10.9.0.2 >/dev/null || true
until_true 5 has json 1 || die "$(cat "$work/json.err")"
stop TERM
same "direction" "$(jq -r .network.direction "$work/json.out" | sort -u)" egress
np del --all dev here --egress

say "a reader that is stopped loses, and tells how much"
np add 10.9.0.2 dev here
start json -j watch --blocks -i here
kill -STOP $pid
frames 5000
kill -CONT $pid
told() { jq -s 'map(if .event.dataset == "lost" then .lost.count else 1 end) | add' "$work/json.out"; }
all() { [ "$(told)" -ge 5000 ]; }
until_true 5 all || die "$(told) of 5000"
stop TERM
same "told and lost" "$(told)" 5000
[ "$(jq -s 'map(select(.event.dataset == "lost")) | length' "$work/json.out")" -ge 1 ] || die "nothing is lost?"
same "the ledger balances" "$(grep -c 'DOES NOT BALANCE' "$work/json.err")" 0
same "a cut frame" "$(jq -s 'map(select(.frame.len == 200 and .frame.cap_len == 136)) | length > 0' "$work/json.out")" true

say "the set changes, and goes"
start json -j watch --blocks -i here
np add 10.9.0.3 dev here
until_true 5 grep -q 'entries have changed' "$work/json.err" || die "not told: $(cat "$work/json.err")"
pings 1 10.9.0.1
until_true 5 has json 1 || die "nothing is told after a change"
np del --all dev here
rc=0
wait "$pid" || rc=$?
same "exit status" $rc 1
grep -q 'its firewall was taken away' "$work/json.err" || die "$(cat "$work/json.err")"

say "killed"
np add 10.9.0.2 dev here
start json -j watch --blocks -i here
same "programs, maps and links that the reader holds" "$("$TOOLS/bpfids" held "$pid")" ""
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
start json -j watch --blocks -i here
pings 1 10.9.0.1
until_true 5 has json 1 || die "the next reader is told nothing"
stop TERM
np del --all dev here
