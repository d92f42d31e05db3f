#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# words.sh: spelling, and words that do not belong in this tree.
set -eu
cd "$(dirname "$0")/../.."
bad=0
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
git ls-files -co --exclude-standard | grep -vE '^(COPYING|tests/(golden|fuzz/corpus)/)|\.pcap(ng)?(\.gz)?$' >"$tmp"

# forbid REGEX REASON [PATHSPEC-REGEX]
forbid() {
	# shellcheck disable=SC2046
	if grep -nIE -- "$1" $(grep -E "${3:-.}" "$tmp" | grep -vx 'tests/lint/words.sh'); then
		echo "  ^ $2"
		bad=1
	fi
}
forbid '(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z+]|$)' 'do it, or write down why not'
forbid '(^|[^a-z.])/(work|home|farm)/' 'a path of one machine'
forbid 'https?://[a-z.]*(mirror|snapshot|deb\.debian|npmjs)' 'take the archive from the apt sources'
forbid '(^|[^_a-z])(whitelist|blacklist)' 'allow list, block list'
# What has one home is not said again elsewhere.
forbid '\] *<< *8 *\||bswap(16|32|64)|(^|[^a-z_])(hton|ntoh)l\(|^static.* (be|le)(16|24|32|64)\(' \
	'src/util/bytes.h reads and writes integers' '^src/([^u]|util/([^b]|b[^y])).*\.[ch]$'
forbid '(^|[^A-Z0-9_])(IP|PROTO|IPPROTO)_(TCP|UDP|SCTP|ICMP|ICMPV6|GRE|AH|ESP)( = [0-9]|\b.*enum)' \
	'src/numbers/ipproto.h has the numbers of IP protocols' '^src/([^n]|numbers/[^i]).*\.[ch]$'
forbid '(^|[^A-Z_])(LINK|LINKTYPE)_[A-Z0-9_]+ = [0-9]|[^A-Z_]DLT_[A-Z0-9_]+ = |(->|[.])link (=|[!=]=) [0-9]' \
	'src/numbers/linktype.h has the numbers of link types' '^src/([^n]|numbers/[^l]).*\.[ch]$'
forbid '([.>]proto|iana_number) [!=]= [1-9]' 'src/numbers/ipproto.h has a name for it' '^src/.*\.[ch]$'
# A protocol is known to its folder and its row.
forbid '(^|[^A-Za-z0-9_])(dns|kafka|tls)([^A-Za-z0-9_]|$)' 'ask the dataset (src/dataset.h, src/identity.h)' \
	'^src/((cmd|dataplane|detect|ebpf|filter|flows|k8s|kern|node|numbers|policy|priv|rules|sink|source|stats|util|verdict)/.*|[^p/][^/]*|pi[^/]*)\.[ch]$'
# shellcheck disable=SC2046
if grep -nE '^[[:space:]]*//|[;{}][[:space:]]*// ' $(grep -E '\.[ch]$' "$tmp") | grep -v 'SPDX-License-Identifier'; then
	echo '  ^ comments are /* */ (the licence line apart)'
	bad=1
fi
# Every source says its licence in its first two lines.
while read -r f; do
	case $f in
	*.[ch] | *.sh | configure | Makefile | tests/run | .ci/run)
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
			{ echo "$f: no SPDX line"; bad=1; } ;;
	esac
done <"$tmp"

if command -v codespell >/dev/null; then
	# Words that are right here: protocol and kernel names.
	xargs codespell -q 3 -L 'ot,te,nd,ans,fo,datas,ser,hist,ro,ue,trun,cmo,inout,inh,caf' <"$tmp" || bad=1
else
	echo "no codespell: spelling not checked"
fi
exit $bad
