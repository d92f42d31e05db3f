#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# F2: traffic made to hurt costs bounded memory and linear time, and what is lost is told.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
command -v python3 >/dev/null || { echo "SKIP: python3 is not installed"; exit 77; }
exec python3 "$top/tests/tools/bombs.py" "$@"
