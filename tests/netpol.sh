#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# netpol.sh cases|anp|sweep: judge the truth tables of a collection that lies beside the tree (NETPOL,
# ../shared/netpol), one JSON file a case: namespaces, pods, policies, and probes with the verdict and the
# policies that decide it.  Every probe must be right.  sweep: read the objects of a real node
# (K8S_FIXTURES, ../shared/kubernetes/fixtures) whole, then cut at every STEPth byte (7).
set -eu
cd "$(dirname "$0")/.."
NETPOL=${NETPOL:-../shared/netpol}
NETPROBE=${NETPROBE:-build/netprobe}
case ${1-} in
cases | anp) ;;
sweep)
	dir=${K8S_FIXTURES:-../shared/kubernetes/fixtures}
	[ -d "$dir" ] || { echo "no files of a node at $dir"; exit 77; }
	make -s build/tests/tools/k8ssweep
	exec build/tests/tools/k8ssweep "${STEP:-7}" "$dir"/api-*.json "$dir"/kubelet-pods.json "$dir"/watch-pods.jsonl ;;
*) echo "usage: tests/netpol.sh cases|anp|sweep" >&2; exit 2 ;;
esac
[ -d "$NETPOL/$1" ] || { echo "no truth tables at $NETPOL/$1"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
begin=$(date +%s)
rc=0
python3 tests/tools/netpol.py "$NETPROBE" "$NETPOL/$1"/*.json >build/netpol-"$1" || rc=$?
took=$(($(date +%s) - begin))
tail -40 build/netpol-"$1"
[ $took -le "${NETPOL_SECONDS:-30}" ] || { echo "took $took s"; rc=1; }
exit $rc
