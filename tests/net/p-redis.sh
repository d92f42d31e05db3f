#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# redis-cli and redis-benchmark ask redis-server: every exchange is told once, with its latency, and no password.
. "$(dirname "$0")/lib.sh"
need jq
need redis-server
need redis-cli
pair

say "Redis: redis-cli and redis-server"
there redis-server --port 6379 --bind 10.9.0.2 fd09::2 --save '' --protected-mode no --dir "$work" >"$work/redis.log" 2>&1 &
server=$!
until_true 5 redis-cli -h 10.9.0.2 PING
start redis -j watch --proto redis -i here
for a in $both; do
	redis-cli -h "$a" SET key value >/dev/null
	redis-cli -h "$a" GET key >/dev/null
	redis-cli -h "$a" LPUSH key x >/dev/null || true
	redis-cli -h "$a" --no-auth-warning -a secret PING >/dev/null 2>&1 || true
done
answered redis redis 10
settled redis '.redis.command == "GET"' 2
settled redis '.redis.reply.value == "value"' 2
settled redis '.redis.reply.type == "error"' 4
! grep -q secret "$work/redis.out" || die "a password was shown"
stop INT

# All that it sends fits into the buffer, for it is quicker than a busy machine reads.
say "redis-benchmark, single commands and pipelines of 16"
for pipeline in 1 16; do
	redis-cli -h 10.9.0.2 CONFIG RESETSTAT >/dev/null
	start load -j watch --proto redis -i here -B 65536
	redis-benchmark -h 10.9.0.2 -c 20 -n 20000 -P $pipeline -t set,get,lpush,hset -q >"$work/benchmark.log"
	redis-cli -h 10.9.0.2 INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_\(set\|get\|lpush\|hset\):calls=\([0-9]*\),.*/\1 \2/p' |
		sort >"$work/served"
	same "kinds of commands" "$(wc -l <"$work/served")" 4
	until_true 5 sh -c '[ "$(stat -c %Y "$1")" -lt $(($(date +%s) - 1)) ]' sh "$work/load.out"
	stop INT
	jq -r 'select(.event.action == "request") | .redis.command | ascii_downcase' "$work/load.out" | sort | uniq -c |
		awk '$2 ~ /^(set|get|lpush|hset)$/ { print $2, $1 }' >"$work/seen"
	diff -u "$work/served" "$work/seen" || die "pipelines of $pipeline: not every command was told once"
	same "answers" "$(grep -c '"duration":' "$work/load.out")" "$(grep -c '"action":"request"' "$work/load.out")"
	eval "$(ledger load)"
	# shellcheck disable=SC2154	# lost
	same "lost" "$lost" 0
done
kill $server
