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
bash_gives bytes netprobe flows --sort b
bash_gives --waterfall netprobe stats --wa
bash_gives memory netprobe stats m
bash_gives inout netprobe watch -Q ino
bash_gives tcx netprobe watch --rung ''
bash_gives dns,kafka netprobe watch --proto dns,ka
bash_gives syn_flood netprobe watch --alert sy
bash_gives utc netprobe --time u
bash_gives deny netprobe block apply x --mode ''
bash_gives rollback netprobe block ro
bash_gives action netprobe block add 192.0.2.1 ac
bash_gives audit netprobe block add 192.0.2.1 action ''
bash_gives --hits netprobe block list --h
bash_gives id netprobe block del i
bash_gives features netprobe attach fe
bash_gives try netprobe attach plan t
bash_gives hook netprobe attach add dev x h
bash_gives egress netprobe attach add dev x hook e
bash_gives generic netprobe attach add dev x -m g
bash_gives stale netprobe attach del st
bash_gives kafka netprobe schema ka
bash_gives drops netprobe help d
bash_gives explain netprobe help policy e
[ ! -e /sys/class/net/lo ] || bash_gives lo netprobe block list dev l
if [ -e /sys/kernel/btf/vmlinux ] && netprobe help drops >/dev/null 2>&1; then
	bash_gives NO_SOCKET netprobe watch --drops = NO_SO
	bash_gives NO_SOCKET,TCP_CSUM netprobe watch --drops = NO_SOCKET,TCP_CS
fi
done_in="$done_in bash"

if command -v zsh >/dev/null; then
	zsh -fc 'fpath=($PWD/completions $fpath); autoload -Uz compinit && compinit -D -u; [[ $_comps[netprobe] == _netprobe ]] && autoload +X _netprobe && functions _netprobe >/dev/null' ||
		die "zsh does not load _netprobe"
	# What it hands to the shell, without a terminal.
	zsh_gives() { # WANTED WORD...
		local wanted=$1
		shift
		# shellcheck disable=SC2016
		zsh -fc 'source completions/_netprobe
			_describe() { print -l -- ${(P)2%%:*} }
			_values() { print -l -- ${@[4,-1]} }
			compadd() { [[ $1 == -a ]] && print -l -- ${(P)2} || print -l -- $@ }
			compset() { : }
			words=("$@") CURRENT=$# PREFIX=${@[-1]}; _netprobe' - "$@" |
			grep -Fqx -- "$wanted" || die "zsh: no $wanted after: $*"
	}
	zsh_gives watch netprobe w
	zsh_gives --proto netprobe watch --pr
	zsh_gives bytes netprobe flows --sort b
	zsh_gives rollback netprobe block ro
	zsh_gives features netprobe attach fe
	zsh_gives audit netprobe block add 192.0.2.1 action ''
	zsh_gives drops netprobe help d
	zsh_gives explain netprobe help policy e
	zsh_gives kafka netprobe watch --proto ''
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
	fish_gives bytes 'netprobe flows --sort b'
	fish_gives rollback 'netprobe block ro'
	fish_gives features 'netprobe attach fe'
	fish_gives audit 'netprobe block add 192.0.2.1 action a'
	fish_gives drops 'netprobe help d'
	fish_gives explain 'netprobe help policy e'
	fish_gives dns,kafka 'netprobe watch --proto dns,ka'
	done_in="$done_in fish"
fi
echo "# in$done_in"
