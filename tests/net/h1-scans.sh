#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nmap's scans, each kind at four speeds against an address of its own, all at once: found within ten
# seconds of their first packet, the slowest but that of a probe each half second.
. "$(dirname "$0")/lib.sh"
need jq
need nmap
need nft
pair

kinds='sS sT sF sN sX sU'
speeds='T3 T4 T5 T2'
n=10
for kind in $kinds; do
	for speed in $speeds; do
		there ip addr add "10.9.0.$n/32" dev eth0
		n=$((n + 1))
	done
done
# One that drops what it gets, and a scan over IPv6.
there ip addr add 10.9.0.200/32 dev eth0
there nft add table ip t
there nft add chain ip t c '{ type filter hook input priority 0; }'
there nft add rule ip t c ip daddr 10.9.0.200 drop
there ncat -lk 22 >/dev/null 2>&1 &
ip neigh flush all

start scan -j watch --alerts -i here -w "$work/scan.pcap" --print
ports=1-400
scan() { # ADDRESS OPTION...
	local to=$1
	shift
	timeout 25 nmap -n -Pn --max-retries 1 -p $ports "$@" "$to" >>"$work/nmap.log" 2>&1 || true
}
say "scans at all speeds"
n=10
for kind in $kinds; do
	for speed in $speeds; do
		[ $speed = T2 ] && slow='--scan-delay 500ms' || slow=
		# shellcheck disable=SC2086
		scan 10.9.0.$n -$kind -$speed $slow &
		n=$((n + 1))
	done
done
scan 10.9.0.200 -sS -T4 &
scan fd09::2 -6 -sS -T4 &
wanted=$((n - 10 + 2))
found() { jq -r 'select(.rule.name == "port_scan") | .destination.ip' "$work/scan.out" | sort -u | wc -l; }
all_found() { [ "$(found)" -ge $wanted ]; }
for _ in $(seq 20); do
	all_found && break
	sleep 1
done
stop INT

say "found in time"
times='[.destination.ip, (."@timestamp" | sub("\\..*"; "Z") | fromdate), (."@timestamp" | capture("\\.(?<f>[0-9]+)Z").f)]'
jq -r "select(.rule.name == \"port_scan\") | $times + [.message] | @tsv" "$work/scan.out" >"$work/found"
"$NETPROBE" watch -q -j -r "$work/scan.pcap" --packets 'src host (10.9.0.1 or fd09::1) and (tcp or udp)' |
	jq -r "$times | @tsv" | awk '!seen[$1]++' >"$work/begun"
same "hosts scanned" "$(wc -l <"$work/begun")" $wanted
late=$(awk 'NR == FNR { begun[$1] = $2 + ("0." $3); next }
	!($1 in took) { took[$1] = $2 + ("0." $3) - begun[$1] }
	END { for (a in begun) { split(a, q, "."); slow = q[4] < 200 && (q[4] - 10) % 4 == 3
		if (!(a in took)) { if (!slow) print a, "not found" }
		else if (took[a] > 10 && !slow) print a, took[a] } }' "$work/begun" "$work/found")
[ -z "$late" ] || { cat "$work/found"; die "not within 10 s: $late"; }
echo "# $(awk '{ print $1 }' "$work/found" | sort -u | wc -l) of $wanted scans found"
