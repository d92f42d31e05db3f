#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flows watch --ended: a row for each flow when it is over, once, and none for those that go on.
. "$(dirname "$0")/lib.sh"
need jq
need curl
need python3
pair
mount -t bpf none /sys/fs/bpf

ended() { jq -r 'select(.event.dataset == "flow") | [.network.transport, .flow.end_reason] | join(" ")' "$work/$1.out" | sort | uniq -c; }
tcps() { [ "$(ended "$1" | awk '$2 == "tcp" { print $1 }')" = "$2" ]; }
there python3 -m http.server 8000 >"$work/http.log" 2>&1 &
http=$!
until_true 10 curl -s http://10.9.0.2:8000/ || die "no server"
curl_twice() { for _ in 1 2; do curl -sS http://10.9.0.2:8000/ -o /dev/null; done; }

say "in this run"
start run -j flows watch --ended -i here
in_kernel run || say "without tcx, in this run"
curl_twice
ping -qc 2 -i 0.1 10.9.0.2 >/dev/null
until_true 20 tcps run 2 || die "$(ended run)"
curl_twice
until_true 20 tcps run 4 || die "$(ended run)"
stop INT
same status "$status" 0
same "what ended" "$(ended run | tr -s ' ')" " 4 tcp closed"

say "by what attach add left: what ended before is not told"
"$NETPROBE" attach add dev here 2>"$work/add.err" || die "attach add"
curl_twice
start kept -j flows watch --ended -i here
grep -q 'counted since' "$work/kept.err" || die "it does not read what attach add left"
curl_twice
until_true 20 tcps kept 2 || die "$(ended kept)"
stop INT
same "what ended" "$(ended kept | tr -s ' ')" " 2 tcp closed"
same "connections that the list has" \
	"$("$NETPROBE" -j flows -i here --closed 2>"$work/list.err" | jq -s 'map(select(.destination.port == 8000)) | length')" 4
"$NETPROBE" attach del dev here 2>"$work/del.err" || die "attach del"

say "what has no ends of its own"
for words in "watch --ended --top 3" "watch --ended 5" "list --ended"; do
	# shellcheck disable=SC2086
	! "$NETPROBE" flows $words -i here 2>"$work/usage.err" || die "$words: taken"
done

say "packets counted here, not in the kernel"
start filter -j flows watch --ended -i here tcp
curl_twice
until_true 20 tcps filter 2 || die "$(ended filter)"
stop INT
same "what ended" "$(ended filter | tr -s ' ')" " 2 tcp closed"
kill $http
