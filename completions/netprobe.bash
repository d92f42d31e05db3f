# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for netprobe(8): the words come from `netprobe help --words [COMMAND]`,
# rows of kind, word, class of the argument, help.

_netprobe_words() { # COMMAND KIND: the words of that kind
	"${COMP_WORDS[0]}" help --words ${1:+"$1"} 2>/dev/null | awk -F '\t' -v k="$2" '$1 == k { print $2 }'
}

_netprobe_class() { # COMMAND OPTION: what its argument is
	"${COMP_WORDS[0]}" help --words ${1:+"$1"} 2>/dev/null | awk -F '\t' -v o="$2" '$2 == o { print $3; exit }'
}

_netprobe() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' word commands class
	COMPREPLY=()
	commands=$(_netprobe_words '' command)
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case " ${commands//$'\n'/ } " in *" $word "*) command=$word && break ;; esac
	done
	# -o a,b,<TAB>: the last of a list
	local list=${cur%"${cur##*,}"}
	case $prev in -*) class=$(_netprobe_class "$command" "$prev") ;; esac
	case ${class-} in
	'') ;;
	IFACE) mapfile -t COMPREPLY < <(compgen -W "any $(command ls /sys/class/net 2>/dev/null)" -- "$cur") && return ;;
	FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null; return ;;
	FIELDS) mapfile -t COMPREPLY < <(compgen -P "$list" -W "$("${COMP_WORDS[0]}" help --fields 2>/dev/null | cut -f 1)" -- "${cur##*,}") &&
		compopt -o nospace 2>/dev/null; return ;;
	DIRECTION) mapfile -t COMPREPLY < <(compgen -W 'in out inout' -- "$cur"); return ;;
	PROTO) mapfile -t COMPREPLY < <(compgen -P "$list" -W 'all arp icmp dns http http2 tls redis kafka dhcp' -- "${cur##*,}"); return ;;
	BY) mapfile -t COMPREPLY < <(compgen -W 'iface proto host port device' -- "$cur"); return ;;
	SORT) mapfile -t COMPREPLY < <(compgen -W 'bytes packets rtt age' -- "$cur"); return ;;
	RUNG) mapfile -t COMPREPLY < <(compgen -W 'tcx clsact socket packet' -- "$cur"); return ;;
	WHEN) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur"); return ;;
	STYLE) mapfile -t COMPREPLY < <(compgen -W 'local utc rel epoch' -- "$cur"); return ;;
	NETNS) mapfile -t COMPREPLY < <(compgen -W "any $(command ls /run/netns 2>/dev/null)" -- "$cur"); return ;;
	USER) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
	*) return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(_netprobe_words "$command" option)" -- "$cur") ;;
	*) [[ -n $command && $command != help ]] || mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
	esac
}
complete -F _netprobe netprobe
