#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ngtcp2's client asks its server by HTTP/3, over both families and in both versions of QUIC: each hello is told once,
# and the retry and the versions that a server offers.
. "$(dirname "$0")/lib.sh"
need jq
need openssl
need gtlsclient
need gtlsserver
pair
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/cert" -days 1 \
	-subj /CN=x.example >/dev/null 2>&1
mkdir -p "$work/www"
echo hello >"$work/www/index.html"
# The client names whom it asks only if that is a name.
printf '10.9.0.2 x4.example\nfd09::2 x6.example\n' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
# serve ARGS...: the server, in $server
serve() {
	there gtlsserver -q -d "$work/www" "$@" '*' 443 "$work/key" "$work/cert" >"$work/server.log" 2>&1 &
	server=$!
	until_true 5 there sh -c 'ss -lun | grep -q :443'
}
ask() {
	timeout 10 gtlsclient -q --exit-on-all-streams-close "${@:2}" "$1" 443 "https://$1/index.html" \
		>"$work/client.log" 2>&1
}

say "HTTP/3 in version 1, and in version 2 as the drafts had it"
serve
start quic -j watch --proto all -i here
for a in x4.example x6.example; do
	ask "$a" --version=v1
	ask "$a" --version=v2draft --other-versions=v2draft
done
answered quic tls 4
settled quic '.network.protocol == "quic" and .tls.version == "1.3"' 8
settled quic '.tls.client.server_name == "x4.example" and .destination.ip == "10.9.0.2"' 2
settled quic '.tls.client.server_name == "x6.example" and .destination.ip == "fd09::2"' 2
settled quic '(.tls.client.alpn // [])[0] == "h3"' 4
for v in 1 0x709a50c4; do
	settled quic ".event.action == \"client_hello\" and .quic.version == \"$v\" and (.quic.destination_cid | length) >= 16" 2
done
stop INT

say "a version that the server does not have"
start version -j watch --proto all -i here
ask x4.example --version=0x1a2a3a4a --preferred-versions=v1 || true
settled version '.event.action == "version_negotiation" and (.quic.versions | index("1"))' 1
stop INT
kill $server
wait $server || true

say "a retry"
serve -V
start retry -j watch --proto all -i here
ask x4.example
answered retry tls 1
settled retry '.event.action == "retry" and .source.port == 443' 1
stop INT
kill $server
wait $server || true

say "a hello that the server refuses"
serve --groups=-GROUP-ALL:+GROUP-SECP521R1
start refused -j watch --proto all -i here
ask x4.example --groups=-GROUP-ALL:+GROUP-X25519 || true
settled refused '.event.action == "alert" and .network.protocol == "quic" and .source.port == 443 and .event.duration > 0' 1
stop INT
kill $server
