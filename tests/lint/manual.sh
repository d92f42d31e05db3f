#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# manual.sh: the manual pages are correct mdoc, up to mandoc's warnings.
set -eu
cd "$(dirname "$0")/../.."
command -v mandoc >/dev/null || { echo "no mandoc"; exit 77; }
# Cross references to pages of other packages are no mistakes of ours.
mandoc -T lint -W warning man/*.[58]
