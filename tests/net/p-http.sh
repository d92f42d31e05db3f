#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# curl and wrk ask nginx and python's http.server, by HTTP/1 and HTTP/2, over both families: every exchange is told
# once, with the latency that the client has seen.
. "$(dirname "$0")/lib.sh"
need jq
need nginx
need curl
need python3
pair
mkdir -p "$work/www"
echo hello >"$work/www/index.html"

say "HTTP/1.1 and HTTP/2: curl and nginx"
cat >"$work/nginx.conf" <<-C
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	worker_processes 1;
	user root;
	events { worker_connections 64; }
	http {
		log_format asked '\$request'; access_log off;
		client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fcgi;
		uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
		server {
			listen 80; listen [::]:80; root $work/www; keepalive_requests 100000;
			access_log $work/access asked if=\$args;
		}
		server { listen 81 http2; listen [::]:81 http2; root $work/www; }
	}
C
there nginx -c "$work/nginx.conf" -g 'daemon off;' >"$work/nginx.log" 2>&1 &
for a in $both; do
	until_true 5 curl -sfo /dev/null "http://$(uri "$a")/"
done
start http -j watch --proto http -i here
for a in $both; do
	curl -sfo /dev/null -o /dev/null "http://$(uri "$a")/" "http://$(uri "$a")/index.html"
	curl -so /dev/null "http://$(uri "$a")/missing"
done
answered http http 6
settled http '.http.response.status_code == 404 and .event.outcome == "failure"' 2
stop INT
start http2 -j watch --proto http2 -i here
for a in $both; do
	curl -sfo /dev/null --http2-prior-knowledge "http://$(uri "$a"):81/"
	curl -so /dev/null --http2-prior-knowledge "http://$(uri "$a"):81/missing"
done
answered http2 http2 4
settled http2 '.http.response.status_code == 404' 2
settled http2 '.url.original == "/missing"' 2
stop INT

say "HTTP/1.0 and 1.1: curl and python's http.server, whose answers take 50 ms"
cat >"$work/slow.py" <<-'P'
	import http.server, socket, sys, threading, time
	class Slow(http.server.SimpleHTTPRequestHandler):
	    def do_GET(self):
	        time.sleep(0.05)
	        super().do_GET()
	class Server(http.server.ThreadingHTTPServer):
	    address_family = socket.AF_INET6
	for port, version in (8010, "HTTP/1.0"), (8011, "HTTP/1.1"):
	    handler = type("Slow", (Slow,), {"protocol_version": version})
	    threading.Thread(target=Server(("::", port), handler).serve_forever).start()
P
there env --chdir="$work/www" python3 "$work/slow.py" >"$work/slow.log" 2>&1 &
python=$!
for a in $both; do
	until_true 5 curl -sfo /dev/null "http://$(uri "$a"):8011/"
done
start slow -j watch --proto http -i here
for a in $both; do
	for port in 8010 8011; do
		for path in / /index.html; do
			curl -sfo /dev/null -w '%{local_port} %{time_pretransfer} %{time_starttransfer}\n' \
				"http://$(uri "$a"):$port$path" >>"$work/clients"
		done
	done
done
answered slow http 8
stop INT
kill $python
# Ours lies within a tenth of the client's own figure.
jq -r 'select(.event.duration) | [.destination.port, .event.duration / 1e9] | @tsv' "$work/slow.out" | sort >"$work/ours"
sort "$work/clients" | join "$work/ours" - >"$work/both"
same "latencies of both" "$(wc -l <"$work/both")" 8
awk '{ client = $4 - $3; d = client > $2 ? client - $2 : $2 - client
	if (d > client / 10) { print "ours " $2 ", the client\047s " client; bad = 1 } } END { exit bad }' "$work/both" || die "a latency that the client did not see"

say "5000 requests a second: wrk and nginx"
if command -v wrk >/dev/null; then
	# Each of 50 connections asks every 10 ms, and every request is another.
	cat >"$work/paced.lua" <<-'L'
		local thread, n = 0, 0
		function setup(t) thread = thread + 1; t:set("id", thread) end
		function delay() return 9 end
		function request() n = n + 1; return wrk.format(nil, "/index.html?" .. id .. "." .. n) end
	L
	start load -j watch --proto http -i here
	wrk -t 2 -c 50 -d 4s -s "$work/paced.lua" "http://10.9.0.2/" >"$work/wrk.log"
	until_true 5 sh -c '[ "$(stat -c %Y "$1")" -lt $(($(date +%s) - 1)) ]' sh "$work/load.out"
	stop INT
	served=$(grep -c 'GET /index' "$work/access")
	[ "$served" -gt 2000 ] || die "wrk asked only $served times"
	same "answers" "$(grep -c '"duration":' "$work/load.out")" "$served"
	sed -n 's/.*"original":"\([^"]*\)".*/\1/p' "$work/load.out" | sort >"$work/asked"
	sed 's/^GET \([^ ]*\) .*/\1/' "$work/access" | sort | diff -q - "$work/asked" >&2 || die "not every request was told once"
	eval "$(ledger load)"
	# shellcheck disable=SC2154	# lost
	same "lost" "$lost" 0
fi
kill "$(cat "$work/nginx.pid")"
