# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for netprobe(8): the words come from `netprobe help --words [COMMAND [VERB]]`,
# rows of kind, word, class of the argument, help; of "word" and "item": of what, and which.

_netprobe_rows() { "${COMP_WORDS[0]}" help --words "$@" 2>/dev/null; }

_netprobe_pick() { # ROWS KIND [OF]: the words of that kind, or those that OF takes
	awk -F '\t' -v k="$2" -v o="${3-}" '$1 == k && (o == "" || $2 == o) { print o == "" ? $2 : $3 }' <<<"$1"
}

_netprobe_class() { # ROWS WORD: what the argument of an option or keyword is
	awk -F '\t' -v o="$2" '($1 == "option" || $1 == "keyword") && $2 == o { print $3; exit }' <<<"$1"
}

# ROWS OF CLASS CURRENT LIST: what the argument may be
_netprobe_argument() {
	local words items
	words=$(_netprobe_pick "$1" word "$2") items=$(_netprobe_pick "$1" item "$2")
	[ "$3" != FIELDS ] || items=$("${COMP_WORDS[0]}" help --fields 2>/dev/null | cut -f 1)
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$4")
	elif [ -n "$items" ]; then
		mapfile -t COMPREPLY < <(compgen -P "$5" -W "$items" -- "${4##*,}")
		compopt -o nospace 2>/dev/null
	else
		case $3 in
		IFACE) mapfile -t COMPREPLY < <(compgen -W "any $(command ls /sys/class/net 2>/dev/null)" -- "$4") ;;
		FILE | CAPTURE) mapfile -t COMPREPLY < <(compgen -f -- "$4") && compopt -o filenames 2>/dev/null ;;
		NETNS) mapfile -t COMPREPLY < <(compgen -W "any $(command ls /run/netns 2>/dev/null)" -- "$4") ;;
		USER) mapfile -t COMPREPLY < <(compgen -u -- "$4") ;;
		esac
	fi
}

_netprobe() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' verb='' rows names class word
	COMPREPLY=()
	rows=$(_netprobe_rows)
	names=$(_netprobe_pick "$rows" command)
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $'\n'$names$'\n' in *$'\n'"$word"$'\n'*) ;; *) continue ;; esac
		if [ -z "$command" ] || [ "$command" = help ]; then
			[ "$command" != help ] || verb=help
			command=$word rows=$(_netprobe_rows "$word")
			names=$(_netprobe_pick "$rows" verb)
			[ "$command" != help ] || names+=$'\n'$(_netprobe_pick "$rows" word -)
		else
			verb=$word rows=$(_netprobe_rows "$command" "$word") && break
		fi
	done
	# --drops=<TAB>: "=" is a word of its own there
	[ "$cur" != = ] || { cur='' && COMP_CWORD=$((COMP_CWORD + 1)); }
	[ "${COMP_WORDS[COMP_CWORD - 1]}" != = ] || prev="${COMP_WORDS[COMP_CWORD - 2]}="
	class=$(_netprobe_class "$rows" "${prev%=}")
	case $class in
	'' | '['*']') [[ $class && $prev == *= ]] || class='' ;;
	esac
	if [ -n "$class" ]; then
		# -o a,b,<TAB>: the last of a list
		_netprobe_argument "$rows" "${prev%=}" "$class" "$cur" "${cur%"${cur##*,}"}"
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_netprobe_pick "$rows" option)" -- "$cur")
	elif [ "$verb" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_netprobe_pick "$rows" verb)" -- "$cur")
	else
		class=$(awk -F '\t' '$1 == "operand" { print $3 }' <<<"$rows")
		[ -z "$class" ] || _netprobe_argument "$rows" - "$class" "$cur" ''
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$(_netprobe_pick "$rows" command
			_netprobe_pick "$rows" verb
			_netprobe_pick "$rows" keyword)" -- "$cur")
	fi
}
complete -F _netprobe netprobe
