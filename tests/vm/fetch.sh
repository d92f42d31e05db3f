#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch.sh SUITE CACHE: download that suite's newest cloud kernel and unpack it to CACHE/SUITE.
# Nothing is installed and the machine's own package lists stay as they are: apt gets lists,
# cache and state of its own.  The mirror is the one that the machine is set up to use.
# Exit 77 with a reason on standard output when the kernel cannot be had here.
set -eu
suite=$1 cache=$2
tree=$cache/$suite
[ ! -e "$tree/complete" ] || exit 0

skip() { echo "$*"; exit 77; }

command -v apt-get >/dev/null || skip "no apt-get here"
arch=$(dpkg --print-architecture)
case $arch in amd64 | arm64) ;; *) skip "no cloud kernels for $arch" ;; esac

uri=$("$(dirname "$0")/../mirror")
[ -n "$uri" ] || skip "no Debian archive among the apt sources"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keys ] || skip "no $keys"

apt=$cache/apt-$suite
rm -rf "$tree" "$apt"
mkdir -p "$tree" "$apt/lists/partial" "$apt/cache/archives/partial"
apt=$(cd "$apt" && pwd)
echo "deb [signed-by=$keys] $uri $suite main" >"$apt/sources.list"
: >"$apt/status"
cat >"$apt/apt.conf" <<C
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
C
APT_CONFIG=$apt/apt.conf
export APT_CONFIG
apt-get -qq update >"$apt/log" 2>&1 ||
	skip "cannot read $suite from the archive: $(grep -m 1 '^[EW]:' "$apt/log" || tail -n 1 "$apt/log")"

# The metapackage names the kernel; since 7.x that one is a metapackage itself and the
# files are in linux-binary-* and linux-modules-*.
depends() { apt-cache depends "$1" 2>/dev/null | sed -n 's/^ *Depends: *//p'; }
image=$(depends "linux-image-cloud-$arch" | grep '^linux-image-' | head -n 1)
[ -n "$image" ] || skip "$suite has no linux-image-cloud-$arch"
packages=$(depends "$image" | grep -E '^linux-(binary|modules|base)-[0-9]' || true)
# Its own dependencies again: modules may hang below the binary.
for p in $packages; do
	packages="$packages $(depends "$p" | grep -E '^linux-(binary|modules|base)-[0-9]' || true)"
done
# shellcheck disable=SC2086
packages=$(printf '%s\n' "$image" $packages | sort -u)
# shellcheck disable=SC2086
(cd "$tree" && apt-get -qq download $packages >>"$apt/log" 2>&1) ||
	skip "cannot download $image: $(tail -n 1 "$apt/log")"
for deb in "$tree"/*.deb; do
	dpkg -x "$deb" "$tree"
	rm "$deb"
done
rm -rf "$apt"
echo "$image" >"$tree/complete"
