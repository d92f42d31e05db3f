#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# golden.sh NAME | --list | --renew [NAME]: one line of tests/golden/TESTLIST, whose columns are
# name, capture, arguments (of watch, unless another command stands first; block is block test), expected file; they are separated by tabs or by " | ".
set -eu
cd "$(dirname "$0")/golden"
NETPROBE=${NETPROBE:-../../build/netprobe}
export TZ=UTC NO_COLOR=1 LC_ALL=C.UTF-8

rows() { awk -F '[ \t]*(\t|[|])[ \t]*' -v OFS='\t' '/^[ \t]*(#|$)/ { next } { $1 = $1; print }' TESTLIST; }
[ -e TESTLIST ] || exit 0
[ "$1" != --list ] || { rows | cut -f 1; exit 0; }
if [ "$1" = --renew ] && [ -z "${2-}" ]; then
	rows | cut -f 1 | while read -r n; do ../golden.sh --renew "$n"; done
	exit 0
fi
renew=no
[ "$1" != --renew ] || { renew=yes; shift; }
row=$(rows | awk -F '\t' -v n="$1" '$1 == n')
[ -n "$row" ] || { echo "TESTLIST has no test '$1'"; exit 1; }
capture=$(echo "$row" | cut -f 2)
arguments=$(echo "$row" | cut -f 3)
expected=$(echo "$row" | cut -f 4)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Arguments are quoted as for the shell: a filter is one word or several.
eval "set -- $arguments"
command=watch
case ${1-} in
stats | flows) command=$1; shift ;;
block) command="block test"; shift ;;
esac
rc=0
# shellcheck disable=SC2086	# block test is two words
"$NETPROBE" $command -r "$capture" "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
if [ $renew = yes ]; then
	cp "$tmp/out" "$expected"
	git diff --stat -- "$expected" 2>/dev/null || true
	exit 0
fi
diff -u "$expected" "$tmp/out" && [ $rc = 0 ] && exit 0
cat "$tmp/err"
echo "netprobe $command -r tests/golden/$capture $arguments: exit status $rc"
exit 1
