#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tidy.sh: clang-tidy with .clang-tidy's checks over the program's own sources.  A file that was
# clean is looked at again when it, or a header that it includes (build/*.d), has changed since.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || { echo "no clang-tidy"; exit 77; }
make -s compile_commands.json
mkdir -p build/tidy

# On standard error it only counts what it suppressed.  The notes that lead to a finding are many:
# `clang-tidy -p . FILE` shows them.
cat >build/tidy/one <<'E2'
#!/bin/sh
for f; do
	stamp=build/tidy/$(echo "${f%.c}" | tr / -)
	: >"$stamp.began"
	if clang-tidy --quiet -p . "$f" >"$stamp.log" 2>/dev/null; then
		mv "$stamp.began" "$stamp.clean"
	else
		rm -f "$stamp.clean"
	fi
done
E2
chmod +x build/tidy/one

stale() {
	stamp=build/tidy/$(echo "${1%.c}" | tr / -).clean dep=build/${1%.c}.d
	[ -e "$stamp" ] && [ -e "$dep" ] || return 0
	# shellcheck disable=SC2046	# a list of names
	[ -n "$(find .clang-tidy $(sed 's/^[^:]*://' "$dep" | tr ' ' '\n' | grep -E '^(src|bpf|build)/') -newer "$stamp" 2>/dev/null)" ]
}
files=$(git ls-files -co --exclude-standard 'src/*.c')
for f in $files; do
	if stale "$f"; then echo "$f"; fi
done | xargs -r -P "$(nproc)" -n 4 build/tidy/one

for f in $files; do
	stamp=build/tidy/$(echo "${f%.c}" | tr / -)
	[ -e "$stamp.clean" ] || grep -hE '(error|warning): ' "$stamp.log" || echo "$f: clang-tidy did not finish"
done | sort -u >build/tidy/found
cat build/tidy/found
[ ! -s build/tidy/found ]
