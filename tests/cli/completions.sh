#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The completions load in each shell that is here, and give what the binary says.
set -eu
cd "$(dirname "$0")/../.."
export PATH="$PWD/build:$PATH"
die() { echo "$*" >&2; exit 1; }
done_in=

# bash: _netprobe fills COMPREPLY.
bash_gives() { # WANTED WORD...
	local wanted=$1
	shift
	# shellcheck disable=SC2016
	bash -c '. completions/netprobe.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _netprobe; printf "%s\n" "${COMPREPLY[@]}"' - "$@" |
		grep -Fqx -- "$wanted" || die "bash: no $wanted after: $*"
}
bash_gives watch netprobe w
bash_gives --proto netprobe watch --pr
[ ! -e /sys/class/net/lo ] || bash_gives lo netprobe watch -i l
bash_gives dns.question.name netprobe -o dns.q
bash_gives source.ip,dns.id netprobe watch -o source.ip,dns.i
done_in="$done_in bash"

if command -v zsh >/dev/null; then
	zsh -fc 'fpath=($PWD/completions $fpath); autoload -Uz compinit && compinit -D -u; [[ $_comps[netprobe] == _netprobe ]] && autoload +X _netprobe && functions _netprobe >/dev/null' ||
		die "zsh does not load _netprobe"
	zsh -n completions/_netprobe || die "zsh: syntax"
	done_in="$done_in zsh"
fi
if command -v fish >/dev/null; then
	fish -n completions/netprobe.fish || die "fish: syntax"
	fish_gives() { # WANTED LINE
		HOME=/nonexistent fish --no-config -c "source completions/netprobe.fish; complete -C '$2'" 2>/dev/null | cut -f 1 | grep -Fqx -- "$1" ||
			die "fish: no $1 after: $2"
	}
	fish_gives watch 'netprobe w'
	fish_gives --proto 'netprobe watch --pr'
	[ ! -e /sys/class/net/lo ] || fish_gives lo 'netprobe watch -i l'
	done_in="$done_in fish"
fi
echo "# in$done_in"
