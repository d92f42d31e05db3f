#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# man-fields.sh [--renew]: the list of fields in netprobe-output(5) is what the program says.
set -eu
cd "$(dirname "$0")/.."
NETPROBE=${NETPROBE:-build/netprobe}
page=man/netprobe-output.5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$NETPROBE" help --fields | awk -F '\t' '
	{ printf ".It Va %s\n%s; in %s.\n%s.\n", $1, $2, $3 == "all" ? "all datasets" : $3, toupper(substr($4, 1, 1)) substr($4, 2) }
' >"$tmp/list"
awk -v list="$tmp/list" '
	/^\.\\" end of fields/ { inside = 0 }
	!inside { print }
	/^\.\\" fields/ { inside = 1; while ((getline line < list) > 0) print line }
' "$page" >"$tmp/page"
[ "${1-}" != --renew ] || { cp "$tmp/page" "$page"; exit 0; }
diff -u "$page" "$tmp/page" || { echo "$page is not what the program says: tests/man-fields.sh --renew"; exit 1; }
