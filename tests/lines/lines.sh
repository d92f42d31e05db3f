#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Our lines against the installed tcpdump's, on frames that frames.py makes.
#   lines.sh 'COMMAND'     COMMAND FILE prints lines without time stamps; default: netprobe
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=${1:-"$here/../../build/netprobe watch -n -t -r"}
command -v tcpdump > /dev/null || { echo "lines.sh: no tcpdump here"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
python3 "$here/frames.py" "$dir/frames.pcap"
# tcpdump says more of some protocols (": HTTP: GET …"); of these frames it does not.
tcpdump -n -t -r "$dir/frames.pcap" 2> /dev/null > "$dir/want"
$command "$dir/frames.pcap" 2> /dev/null > "$dir/got"
diff -u "$dir/want" "$dir/got" && echo "ok: $(wc -l < "$dir/want") lines as tcpdump's"
