#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# curl asks nginx, by HTTP/1.1 and HTTP/2, over both families: every exchange is told once, with its latency.
. "$(dirname "$0")/lib.sh"
need jq
need nginx
need curl
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
		access_log off;
		client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fcgi;
		uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
		server { listen 80; listen [::]:80; root $work/www; }
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
kill "$(cat "$work/nginx.pid")"
