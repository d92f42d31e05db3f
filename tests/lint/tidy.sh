#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tidy.sh: clang-tidy with .clang-tidy's checks over the program's own sources.  A file that was
# clean is looked at again when it, or a header that it includes (build/*.d), has changed since.
#
# The analyzer takes nearly all of the time, most of it for the last few paths of a function.  So it
# walks all of them in a file that was changed since it was clean, and a tenth of them in one that
# is new to this tree or of which only a header changed; with tests/run --all, all of them in each.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || { echo "no clang-tidy"; exit 77; }
make -s compile_commands.json
mkdir -p build/tidy

# one whole|quick FILE.  On standard error clang-tidy only counts what it suppressed.  The notes that
# lead to a finding are many: `clang-tidy -p . FILE` shows them.
cat >build/tidy/one <<'E2'
#!/bin/sh
stamp=build/tidy/$(echo "${2%.c}" | tr / -)
echo "$1" >"$stamp.began"
set -- "$@" --quiet -p .
case $1 in quick)
	for w in -Xclang -analyzer-config -Xclang max-nodes=20000; do set -- "$@" "--extra-arg=$w"; done ;;
esac
shift
if clang-tidy "$@" >"$stamp.log" 2>/dev/null; then
	mv "$stamp.began" "$stamp.clean"
else
	rm -f "$stamp.clean"
fi
E2
chmod +x build/tidy/one

# depth FILE: how it is to be looked at: whole, quick, or not at all
depth() {
	stamp=build/tidy/$(echo "${1%.c}" | tr / -) dep=build/${1%.c}.d
	if [ ! -e "$stamp.log" ]; then
		echo "$new"
	elif [ ! -e "$stamp.clean" ] || [ -n "$(find "$1" .clang-tidy -newer "$stamp.clean")" ]; then
		echo whole
	elif [ ! -e "$dep" ] || newer "$dep" "$stamp.clean" ||
		[ "$(cat "$stamp.clean") $new" = "quick whole" ]; then
		echo "$new"
	fi
}
# newer DEPENDENCIES STAMP: has one of our files in this list changed since the stamp?
newer() {
	# shellcheck disable=SC2046	# a list of names
	[ -n "$(find $(sed 's/^[^:]*://' "$1" | tr ' ' '\n' | grep -E '^(src|bpf|build)/') -newer "$2" 2>/dev/null)" ]
}
new=quick
[ "${NETPROBE_TEST_TIER-}" != all ] || new=whole
files=$(git ls-files -co --exclude-standard 'src/*.c')
for f in $files; do
	how=$(depth "$f")
	[ -z "$how" ] || echo "$how $f"
done | xargs -r -P "$(nproc)" -L 1 build/tidy/one

for f in $files; do
	stamp=build/tidy/$(echo "${f%.c}" | tr / -)
	[ -e "$stamp.clean" ] || grep -hE '(error|warning): ' "$stamp.log" || echo "$f: clang-tidy did not finish"
done | sort -u >build/tidy/found
cat build/tidy/found
[ ! -s build/tidy/found ]
