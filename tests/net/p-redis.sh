#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# redis-cli asks redis-server over both families: every exchange is told once, with its latency, and no password.
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
kill $server
