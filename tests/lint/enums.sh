#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# enums.sh: no enumerator beyond int.  Since gcc 13 one such makes every other of its enum unsigned, and
# `off < -LIMIT` means something else than before.  Only ours are looked at, for a constant like UINT32_MAX stands
# in a system's header and -Wpedantic alone is silent about it.
set -eu
cd "$(dirname "$0")/../.."
[ -d build/gen ] || { echo "nothing is built"; exit 77; }
make -s skeletons
bad=$(git ls-files -co --exclude-standard 'src/*.c' 'tests/*.c' | grep -v '^tests/fuzz/' |
	xargs -P 2 -n 16 "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -DNETPROBE_VERSION='""' -Isrc -Ibpf -Ibuild/gen -Ibuild/tests/bpf \
		-Itests -Itests/tools -fsyntax-only -Wpedantic -Wsystem-headers 2>&1 |
	grep -E '^(src|bpf|tests)/.*(restricts enumerator|error:)' | sort -u || true)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
