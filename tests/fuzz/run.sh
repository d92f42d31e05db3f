#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh NAME SECONDS | fixed: fuzz with build/san/fuzz_NAME for so long from the committed seeds and
# from what earlier runs found; or feed it the seeds, and then a number of inputs made from them that
# are the same each time.  An input that fails is left in build/fuzz/found, to become a seed and a unit test.
set -eu
cd "$(dirname "$0")/../.."
name=$1 seconds=$2
RUNS=${FUZZ_RUNS:-10000}
seeds=tests/fuzz/corpus/$name
mkdir -p build/fuzz/found
[ -d "$seeds" ] || seeds=
dict=tests/fuzz/$name.dict
[ -e "$dict" ] && dict=-dict=$dict || dict=

if [ "$seconds" = fixed ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	bound="-runs=$RUNS -seed=1"
else
	work=build/fuzz/corpus/$name
	mkdir -p "$work"
	bound=-max_total_time=$seconds
fi
log=build/fuzz/$name.log
# shellcheck disable=SC2086
if ! ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	"build/san/fuzz_$name" $bound -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 \
	-artifact_prefix="build/fuzz/found/$name-" $dict "$work" $seeds >"$log" 2>&1; then
	grep -vE '^#[0-9]+' "$log" | tail -n 60
	exit 1
fi
echo "# $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) edges"
