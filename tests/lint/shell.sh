#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shell.sh: shellcheck over every script, whatever its name.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || { echo "no shellcheck"; exit 77; }
git ls-files -co --exclude-standard | while read -r f; do
	case $f in *.sh | configure | completions/netprobe.bash) echo "$f" ;;
	*) [ -f "$f" ] && head -n 1 "$f" | grep -qE '^#!.*[/ ](ba|da)?sh( |$)' && echo "$f" ;;
	esac
done | xargs shellcheck -x -P SCRIPTDIR -S warning -e SC2154,SC2034	# these: variables cross from lib.sh to scripts and back
