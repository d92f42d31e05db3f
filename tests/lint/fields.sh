#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fields.sh: what the manual and the schema promise comes: each common field and each place of losses in
# src/record.h is named by something that fills or tells it.  And each reason of a loss is in the manual.
set -eu
cd "$(dirname "$0")/../.."
bad=0
# named PREFIX MACRO: the ids of the rows of that table
named() {
	# shellcheck disable=SC2013	# a list of words
	for id in $(awk -v table="#define $2(" 'index($0, table) { inside = 1 } inside { print } inside && !/\\$/ { exit }' src/record.h |
		grep -oE '\<X\([A-Z0-9_]+' | cut -c 3-); do
		git ls-files -co --exclude-standard 'src/*.c' | xargs grep -qw "$1$id" ||
			{ echo "src/record.h: nothing fills or tells $1$id"; bad=1; }
	done
}
named FIELD_ RECORD_FIELDS
named LOST_ LOST_STAGES
reasons=$(git ls-files 'src/*.c' | xargs grep -ohE 'LOST_[A-Z]+, "[a-z_]+"' | cut -d '"' -f 2 | sort -u)
[ "$(echo "$reasons" | wc -l)" -ge 20 ] || { echo "fields.sh: where are the reasons of losses?"; bad=1; }
for reason in $reasons; do
	grep -q "^\.It $reason Ta" man/netprobe-output.5 || { echo "netprobe-output(5) does not tell of $reason"; bad=1; }
done
exit $bad
