#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# openssl's client greets its server over both families: both hellos are told once, with the latency.
. "$(dirname "$0")/lib.sh"
need jq
need openssl
pair

say "TLS: openssl s_client and s_server"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/cert" -days 1 -subj /CN=x >/dev/null 2>&1
there openssl s_server -accept 443 -key "$work/key" -cert "$work/cert" -www -alpn h2,http/1.1 >"$work/tls.log" 2>&1 &
server=$!
client() { openssl s_client -connect "$(uri "$1"):443" "${@:2}" </dev/null >/dev/null 2>&1; }
until_true 5 client 10.9.0.2
start tls -j watch --proto tls -i here
for a in $both; do
	client "$a" -servername a.example -alpn h2,http/1.1
	client "$a" -servername b.example -tls1_2
done
answered tls tls 4
settled tls '.tls.client.server_name == "a.example" and .tls.client.alpn == ["h2", "http/1.1"]' 2
settled tls '.event.action == "server_hello" and .tls.version == "1.2"' 2
stop INT
kill $server
