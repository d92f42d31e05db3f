#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh NAME SECONDS: fuzz with build/fuzz/fuzz_NAME from the committed seeds and from what
# earlier runs found.  An input that fails is left in build/fuzz/found, to become a unit test.
set -eu
cd "$(dirname "$0")/../.."
name=$1 seconds=$2
seeds=tests/fuzz/corpus/$name
work=build/fuzz/corpus/$name
mkdir -p "$work" build/fuzz/found
[ -d "$seeds" ] || seeds=
dict=tests/fuzz/$name.dict
[ -e "$dict" ] && dict=-dict=$dict || dict=

log=build/fuzz/$name.log
# shellcheck disable=SC2086
if ! ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	"build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	-artifact_prefix="build/fuzz/found/$name-" $dict "$work" $seeds >"$log" 2>&1; then
	grep -vE '^#[0-9]+' "$log" | tail -n 60
	exit 1
fi
echo "# $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) edges"
