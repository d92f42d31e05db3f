#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# memory.sh [NAME]...: each fuzzer, or those, of build/msan over its committed corpus; MemorySanitizer
# tells when something depends on bytes that nobody wrote, or hands them on.  The libraries are not
# built with it: what they wrote for us is said to be written (src/util/unwritten.h), and parsers that
# stand on one altogether are left out.
set -eu
cd "$(dirname "$0")/../.."
left_out=' filter k8s list cni node '	# libpcap; jansson and libyaml; and of the others jansson
bad=0 n=0
[ $# -gt 0 ] || set -- tests/fuzz/fuzz_*.c
mkdir -p build/msan/found
for name; do
	name=${name##*/fuzz_}
	name=${name%.c}
	case $left_out in *" $name "*) continue ;; esac
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || { echo "fuzz-memory: $name has no corpus" >&2; bad=1; continue; }
	n=$((n + 1))
	"build/msan/fuzz_$name" -runs=0 -timeout=60 -rss_limit_mb=2048 \
		-artifact_prefix="build/msan/found/$name-" "$seeds" >"build/msan/$name.log" 2>&1 && continue
	echo "fuzz-memory: $name"
	grep -vE '^#[0-9]+' "build/msan/$name.log" | tail -n 60
	bad=1
done
echo "# $n parsers"
exit $bad
