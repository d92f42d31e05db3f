#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# man.sh [--renew] PAGE: run the examples of a manual page.  In its literal displays, a line
# "$ netprobe ..." is a command (other commands are not run) and the lines up to the next "$"
# or the end of the display are what it prints.
set -eu
cd "$(dirname "$0")/.."
renew=no
[ "$1" != --renew ] || { renew=yes; shift; }
page=$1
export PATH="$PWD/build:$PATH" TZ=UTC NO_COLOR=1 LC_ALL=C.UTF-8
command -v jq >/dev/null || { echo "jq is not installed"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

plain() { sed 's/\\&//g; s/\\-/-/g; s/\\e/\\/g'; }
mdoc() { sed "s/\\\\/\\\\e/g; s/^[.']/\\\\\\&&/"; }
run() { timeout 20 sh -c "$1" </dev/null; }

# One line a command: number of its line, the command.
awk '/^\.Bd -literal/ { d = 1 } /^\.Ed/ { d = 0 } d && /^[$] netprobe / { print NR "\t" substr($0, 3) }' "$page" >"$tmp/commands"
rc=0 n=0
cp "$page" "$tmp/page"
while IFS='	' read -r at command; do
	n=$((n + 1))
	command=$(printf '%s\n' "$command" | plain)
	sed -n "$((at + 1)),\$p" "$page" | awk '/^\.Ed/ || /^[$] / { exit } { print }' | plain >"$tmp/wanted"
	run "$command" >"$tmp/got" 2>"$tmp/err" || { echo "$page:$at: exit status $?: $command"; cat "$tmp/err"; rc=1; }
	diff -u "$tmp/wanted" "$tmp/got" || { echo "$page:$at: $command"; rc=1; }
done <"$tmp/commands"
if [ $renew = yes ]; then
	# The output of each command anew.
	: >"$tmp/new"
	skip=no
	while IFS= read -r line; do
		case $line in
		'$ netprobe '*)
			printf '%s\n' "$line" >>"$tmp/new"
			run "$(printf '%s\n' "${line#??}" | plain)" 2>/dev/null | mdoc >>"$tmp/new"
			skip=yes
			continue ;;
		.Ed | '$ '*) skip=no ;;
		esac
		[ $skip = yes ] || printf '%s\n' "$line" >>"$tmp/new"
	done <"$page"
	cp "$tmp/new" "$page"
	exit 0
fi
echo "# $n examples"
exit $rc
