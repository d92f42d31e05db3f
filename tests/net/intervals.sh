#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rows of an interface come when their interval is over, also one shorter than a second.
. "$(dirname "$0")/lib.sh"
need python3
pair

# near NAME: of the rows there, some two that follow each other are less than half a second apart
near() {
	python3 - "$work/$1.out" <<-'END' || die "$1: no rows between two seconds"
		import datetime, json, sys
		text = (json.loads(line)["@timestamp"] for line in open(sys.argv[1]))
		at = sorted({datetime.datetime.fromisoformat(t[:26]) for t in text})
		assert len(at) == 8, f"{len(at)} intervals"
		assert any((b - a).total_seconds() < 0.5 for a, b in zip(at, at[1:])), at
	END
}

say "stats"
for every in 200ms 0.2; do
	start stats -j stats -i here "$every" 8
	wait "$pid" || die "stats $every: status $?"
	near stats
done

say "flows watch"
ping -qi0.1 10.9.0.2 >/dev/null &
pings=$!
start flows -j flows watch -i here 200ms 8
wait "$pid" || die "flows: status $?"
kill "$pings"
near flows
