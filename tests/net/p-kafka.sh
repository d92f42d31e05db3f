#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# librdkafka asks its mock cluster: every exchange is told once, with its latency.
. "$(dirname "$0")/lib.sh"
need jq
need ncat

talk=$work/kafka_talk
cc -o "$talk" "$top/tests/net/kafka_talk.c" -lrdkafka 2>/dev/null || skip "librdkafka is not installed"
ip link set lo up
say "Kafka: librdkafka and its mock cluster"
start kafka -j watch --proto kafka --decode-as tcp:19999=kafka -i lo
mkfifo "$work/hold"
"$talk" <"$work/hold" >"$work/talk.out" 2>"$work/talk.log" &
exec 9>"$work/hold"
until_true 20 grep -q : "$work/talk.out"
port=$(sed -n '1s/.*://p' "$work/talk.out")
for api in Produce Fetch Metadata ApiVersions; do
	[ "$(count kafka ".event.action == \"request\" and .kafka.api_name == \"$api\"")" -gt 0 ] || die "no $api"
done
settled kafka '.kafka.api_name == "Produce" and .event.action == "request" and .kafka.client_id == "cook" and .kafka.topics == ["probe"]' 3
settled kafka '.kafka.api_name == "Produce" and .event.action == "response" and .event.duration > 0' 3
ncat -6 -k -l ::1 19999 --sh-exec "ncat 127.0.0.1 $port" &
until_true 5 sh -c 'ncat -z ::1 19999'
"$talk" '[::1]:19999' >>"$work/talk.log" 2>&1
until_true 5 eval "[ \"\$(count kafka '.network.transport == \"tcp\" and .destination.ip == \"::1\" and .kafka.api_name == \"Metadata\"')\" -gt 0 ]" ||
	die "nothing over IPv6"
exec 9>&-
stop INT
same "requests with a response" \
	"$(count kafka '.event.action == "response" and .event.duration > 0')" \
	"$(count kafka '.event.action == "response"')"
