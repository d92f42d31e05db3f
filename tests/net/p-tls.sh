#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# openssl's client greets its server over both families, in each version of TLS and DTLS, and curl greets nginx:
# both hellos are told once, with the latency, up to 1.2 with the server's certificate; and behind STARTTLS as well.
. "$(dirname "$0")/lib.sh"
need jq
need openssl
pair

say "TLS: openssl s_client and s_server"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/cert" -days 1 -subj "/O=a, b/CN=x.example" \
	-addext subjectAltName=DNS:x.example,IP:10.9.0.2 >/dev/null 2>&1
digest=$(openssl x509 -in "$work/cert" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')
there openssl s_server -accept 443 -key "$work/key" -cert "$work/cert" -www -alpn h2,http/1.1 \
	-cipher DEFAULT:@SECLEVEL=0 -groups X25519 >"$work/tls.log" 2>&1 &
server=$!
# To the end of the answer: the tickets of TLS 1.3 come before it.
client() { printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -ign_eof -connect "$(uri "$1"):443" "${@:2}" >/dev/null 2>&1; }
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

say "each version, a session that goes on, a hello that is refused"
start versions -j watch --proto tls,handshake -i here
for v in tls1 tls1_1 tls1_2 tls1_3; do
	client 10.9.0.2 -$v -cipher DEFAULT:@SECLEVEL=0 -sess_out "$work/session-$v"
	client 10.9.0.2 -$v -cipher DEFAULT:@SECLEVEL=0 -sess_in "$work/session-$v"
done
client 10.9.0.2 -groups P-521:X25519 -tls1_3 -servername many.example
client 10.9.0.2 -tls1_2 -cipher PSK-AES128-GCM-SHA256 -psk 00 || true
settled versions '.event.action == "client_hello"' 11
for v in 1.0 1.1 1.2; do
	settled versions ".event.action == \"server_hello\" and .tls.version == \"$v\" and .event.duration > 0" 2
done
settled versions '.event.action == "server_hello" and .tls.version == "1.3" and .event.duration > 0' 4
settled versions '.tls.server.retry' 1
settled versions '.tls.resumed' 4
settled versions '.tls.client.psks == 1' 1
settled versions ".tls.server.hash.sha256 == \"$digest\" and .tls.server.subject == \"CN=x.example,O=a\\\\, b\" and
	.tls.server.x509.alternative_names == [\"x.example\", \"10.9.0.2\"]" 3
settled versions '.tls.alert.description == "handshake_failure" and .source.port == 443 and .event.duration > 0' 1
same "all that is told" "$(count versions true)" 25
stop INT
kill $server

say "DTLS: openssl s_client and s_server"
for v in dtls1 dtls1_2; do
	there openssl s_server -$v -accept 4433 -key "$work/key" -cert "$work/cert" -cipher DEFAULT:@SECLEVEL=0 \
		< <(sleep 100) >"$work/dtls.log" 2>&1 &
	server=$!
	until_true 5 there sh -c 'ss -lun | grep -q :4433'
	start $v -j watch --proto tls,handshake -i here
	(sleep 2) | openssl s_client -$v -connect 10.9.0.2:4433 -cipher DEFAULT:@SECLEVEL=0 >/dev/null 2>&1 || true
	settled $v '.event.action == "server_hello" and .network.protocol == "dtls" and .event.duration > 0' 1
	settled $v ".event.action == \"certificate\" and .tls.server.hash.sha256 == \"$digest\"" 1
	stop INT
	kill $server
done

say "STARTTLS: openssl s_client and servers that know nothing else"
need python3
there python3 "$top/tests/tools/starttls.py" "$work/cert" "$work/key" >"$work/starttls.log" 2>&1 &
server=$!
until_true 5 there sh -c 'ss -ltn | grep -q :5432'
start starttls -j watch --proto all -i here
for way in smtp:25 imap:143 pop3:110 ldap:389 postgres:5432; do
	openssl s_client -starttls "${way%:*}" -connect "10.9.0.2:${way#*:}" -servername "${way%:*}.example" \
		</dev/null >/dev/null 2>&1 || true
done
settled starttls '.event.action == "client_hello"' 5
settled starttls '.event.action == "server_hello" and .event.duration > 0' 5
for name in smtp imap pop3 ldap postgres; do
	settled starttls ".tls.client.server_name == \"$name.example\"" 1
done
stop INT
kill $server

say "HTTP/2: curl and nginx"
need nginx
need curl
mkdir -p "$work/www"
echo hello >"$work/www/index.html"
cat >"$work/nginx.conf" <<-C
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	worker_processes 1;
	user root;
	events { worker_connections 64; }
	http {
		access_log off;
		client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fcgi;
		uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
		ssl_certificate $work/cert; ssl_certificate_key $work/key; ssl_protocols TLSv1.2 TLSv1.3;
		server { listen 8443 ssl http2; listen [::]:8443 ssl http2; root $work/www; }
	}
C
there nginx -c "$work/nginx.conf" -g 'daemon off;' >"$work/nginx.log" 2>&1 &
until_true 5 curl -skfo /dev/null https://10.9.0.2:8443/
start curl -j watch --proto tls -i here
for a in $both; do
	curl -skfo /dev/null --http2 --connect-to "x.example:8443:$(uri "$a"):8443" https://x.example:8443/
	curl -skfo /dev/null --http2 --tls-max 1.2 --connect-to "x.example:8443:$(uri "$a"):8443" https://x.example:8443/
done
answered curl tls 4
settled curl '.tls.client.server_name == "x.example" and .tls.client.alpn == ["h2", "http/1.1"]' 4
# From 1.3 on what the server chose is encrypted.
settled curl '.tls.next_protocol == "h2" and .tls.version == "1.2"' 2
stop INT
kill "$(cat "$work/nginx.pid")"
