#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is listed (-D, --plan, attach plan and features) comes in every form that records come in.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
np=${NETPROBE:-$top/build/netprobe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "$*" >&2; cat "$work/err" >&2 2>/dev/null || :; exit 1; }
[ -e /sys/class/net/lo ] || { echo "no loopback interface here"; exit 77; }
list() { "$np" "$@" watch -D 2>"$work/err"; }

lo=$(cat /sys/class/net/lo/ifindex) mtu=$(cat /sys/class/net/lo/mtu)
list | grep -q "^$lo\.lo \[.*, Loopback\] mtu $mtu, [0-9]* packets in, [0-9]* out\$" || die "-D"
list -j | jq -es --argjson lo "$lo" --argjson mtu "$mtu" 'map(select(.network.interface == "lo"))[0] |
	.event.dataset == "interface" and .network.ifindex == $lo and .interface.loopback and .interface.mtu == $mtu' >/dev/null || die "-j -D"
list -p | jq -e 'map(.network.interface) | index("lo") != null' >/dev/null || die "-p -D: not one document"
list --csv | sed -n 1p | grep -q '^network.ifindex,network.interface,interface.up,' || die "--csv -D: no titles"
list --csv | grep -q "^$lo,lo,.*,true,$mtu," || die "--csv -D"
list --csv -H | grep -q '^network' && die "--csv -H -D: titles"
list -H -o interface.mtu,network.interface | grep -q "^ *$mtu  *lo\$" || die "-o -D"
[ "$("$np" -j watch -D --where 'interface.loopback == true' | jq -r .network.interface)" = lo ] || die "--where -D"

# The plan has a row for each way in any case; whether one works here is its exit status.
plan() { "$np" "$@" watch --plan 2>"$work/err" || [ $? != 2 ] || die "$* --plan: exit status"; }
plan | grep -q '^lo  *tcx  *[a-z]' || die "--plan"
[ "$(plan | sed -n 1p)" = 'INTERFACE        RUNG     VERDICT    REASON' ] || die "--plan: no titles"
plan -H | grep -q '^INTERFACE' && die "-H --plan: titles"
[ "$(plan -j | jq -rs 'map(.plan.rung) | join(" ")')" = "$(plan --csv -H | cut -d , -f 2 | xargs)" ] || die "-j and --csv differ"
plan -j | jq -es 'all(.event.dataset == "plan" and .network.interface == "lo" and
	(.plan.verdict | IN("chosen", "works", "refused", "not tried")))' >/dev/null || die "-j --plan"

# The kernel's features, and where a program would be put: the same rows whoever asks.
features() { "$np" "$@" attach features 2>"$work/err" || [ $? != 2 ] || die "$* attach features: exit status"; }
hooks() { "$np" "$@" attach plan dev lo 2>"$work/err" || [ $? != 2 ] || die "$* attach plan: exit status"; }
features | grep -q '^bpf  *\(yes\|no\|?\)  *3\.18  watch,' || die "features"
features -H | grep -q '^FEATURE' && die "-H features: titles"
[ "$(features -j | jq -rs 'map(.feature.name) | join(" ")')" = "$(features --csv -H | cut -d , -f 1 | xargs)" ] || die "features: -j and --csv differ"
features -p | jq -e 'map(.feature.name) | index("link_tcx") != null' >/dev/null || die "-p features: not one document"
features -H -o feature.name,feature.since | grep -q '^btf  *5\.4$' || die "-o features"
hooks | grep -q '^lo  *tcx/ingress  *[a-z]' || die "attach plan"
[ "$(hooks -j | jq -rs 'map(.plan.hook) | join(" ")')" = "$(hooks --csv -H | cut -d , -f 2 | xargs)" ] || die "attach plan: -j and --csv differ"
hooks -j | jq -es 'length == 6 and all(.event.dataset == "plan" and .network.interface == "lo" and
	(.plan.verdict | IN("chosen", "works", "refused", "busy", "not tried")))' >/dev/null || die "-j attach plan"

# No field that the schema does not tell of.
for set in interface plan feature; do
	case $set in interface) list -j ;; plan) plan -j; hooks -j ;; feature) features -j ;; esac |
		jq -rs --arg set "$set" 'map(.[$set] | keys[]) | unique[]' >"$work/has"
	"$np" schema "$set" | jq -r --arg set "$set" '.properties[$set].properties | keys[]' | sort >"$work/may"
	[ -s "$work/has" ] || die "$set: no fields"
	[ -z "$(sort "$work/has" | comm -23 - "$work/may")" ] || die "$set: fields that are not in the schema"
done

# Nobody who reads is a quiet end, a full disk a failure.
rc=0
"$np" watch -D >/dev/full 2>"$work/err" || rc=$?
[ $rc = 1 ] || die "-D to a full disk: exit status $rc"
grep -q 'No space left' "$work/err" || die "-D to a full disk: no reason"
