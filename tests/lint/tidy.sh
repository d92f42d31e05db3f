#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tidy.sh: clang-tidy with .clang-tidy's checks over the program's own sources.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || { echo "no clang-tidy"; exit 77; }
make -s compile_commands.json
# On standard error it only counts what it suppressed.  The notes that lead to a finding are many:
# `clang-tidy -p . FILE` shows them.
rc=0
git ls-files -co --exclude-standard 'src/*.c' |
	xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p . >build/tidy.log 2>/dev/null || rc=1
grep -E '(error|warning): ' build/tidy.log | sort -u
exit $rc
