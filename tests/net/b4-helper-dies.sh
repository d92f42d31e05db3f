#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The helper is killed: it is said once, the exit status is 1, and every output is whole.
. "$(dirname "$0")/lib.sh"
pair
mkdir "$work/d"
whole() { "$NETPROBE" watch --packets -r "$1" >"$work/whole.out" 2>"$work/whole.err" && ! grep -q 'netprobe:' "$work/whole.err"; }
end_helper() { pkill -9 -x netprobe-helper || pkill -9 -P "$pid"; }
# said NAME: the end of that run
said() {
	status=0
	wait "$pid" || status=$?
	same "exit status" "$status" 1
	same "lines that say it" "$(grep -c '^netprobe: the helper process died, and every hook with it$' "$work/$1.err")" 1
	same "other complaints" "$(grep '^netprobe:' "$work/$1.err" | grep -vc 'the helper process died' || true)" 0
}

for form in 'json -j watch -i here' 'text watch -i here' 'packet watch --rung packet -i here' 'any watch -i any'; do
	say "$form"
	# shellcheck disable=SC2086	# words
	set -- $form
	start "$@"
	ping -qc2 -i 0.1 10.9.0.2 >/dev/null
	end_helper
	said "$1"
	[ "$1" != json ] || jq -e . "$work/json.out" >/dev/null || die "a line of JSON is torn"
done

say "in the middle of a rotation: nobody makes the next file"
for name in c.pcap c.pcapng; do
	start rotation watch -i here -C 0.01 -w "$work/d/$name" icmp
	ping -qc20 -i 0.01 -s 1000 10.9.0.2 >/dev/null
	kill -STOP "$pid"
	end_helper
	ping -qc20 -i 0.01 -s 1000 10.9.0.2 >/dev/null
	kill -CONT "$pid"
	said rotation
	for f in "$work/d/"*; do whole "$f" || die "$f is torn: $(cat "$work/whole.err")"; done
	rm "$work/d/"*
done
