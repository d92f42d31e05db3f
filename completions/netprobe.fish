# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for netprobe(8): the words come from `netprobe help --words [COMMAND]`,
# rows of kind, word, class of the argument, help.

function __netprobe_rows --description 'rows of help --words for the command on the line'
    set -l line (commandline -opc)
    set -l program $line[1]
    set -l commands ($program help --words 2>/dev/null | string match -r '^command\t[^\t]*' | string replace -r '.*\t' '')
    for word in $line[2..-1]
        if contains -- $word $commands
            $program help --words $word 2>/dev/null
            return
        end
    end
    $program help --words 2>/dev/null
end

function __netprobe_class --description 'what the argument of the option before the cursor is'
    set -l line (commandline -opc)
    for row in (__netprobe_rows)
        set -l column (string split \t -- $row)
        test "$column[2]" = "$line[-1]"; and test "$column[1]" = option; and echo $column[3]; and return
    end
end

function __netprobe_complete
    switch (__netprobe_class)
        case IFACE
            printf '%s\n' any (command ls /sys/class/net 2>/dev/null)
        case FILE
            __fish_complete_path (commandline -ct)
        case FIELDS
            set -l line (commandline -opc)
            __fish_append , ($line[1] help --fields 2>/dev/null | string replace -r '\t.*' '')
        case DIRECTION
            printf '%s\n' in out inout
        case PROTO
            printf '%s\n' all arp icmp dns http http2 tls redis kafka dhcp
        case BY
            printf '%s\n' iface proto host port device
        case SORT
            printf '%s\n' bytes packets rtt age
        case RUNG
            printf '%s\n' tcx clsact socket packet
        case WHEN
            printf '%s\n' auto always never
        case STYLE
            printf '%s\n' local utc rel epoch
        case NETNS
            printf '%s\n' any (command ls /run/netns 2>/dev/null)
        case USER
            __fish_complete_users
        case ''
            # kind, word, class, help: fish wants word and help
            for row in (__netprobe_rows)
                set -l column (string split \t -- $row)
                printf '%s\t%s\n' $column[2] $column[4]
            end
    end
end

complete -c netprobe -f -a '(__netprobe_complete)'
