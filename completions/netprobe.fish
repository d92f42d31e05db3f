# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for netprobe(8): the words come from `netprobe help --words [COMMAND [VERB]]`,
# rows of kind, word, class of the argument, help; of "word" and "item": of what, and which.

function __netprobe_pick --description 'KIND OF ROW...: the words of that kind with their help, or those that OF takes'
    for row in $argv[3..-1]
        set -l column (string split \t -- $row)
        test "$column[1]" = "$argv[1]"; or continue
        if test -z "$argv[2]"
            printf '%s\t%s\n' $column[2] $column[4]
        else if test "$column[2]" = "$argv[2]"
            printf '%s\n' $column[3]
        end
    end
end

function __netprobe_argument --description 'OF CLASS ROW...: what the argument may be'
    set -l values (__netprobe_pick word $argv[1] $argv[3..-1])
    set -l items (__netprobe_pick item $argv[1] $argv[3..-1])
    set -l program (commandline -opc)[1]
    test "$argv[2]" = FIELDS; and set items ($program help --fields 2>/dev/null | string replace -r '\t.*' '')
    if set -q values[1]
        printf '%s\n' $values
    else if set -q items[1]
        __fish_append , $items
    else
        switch $argv[2]
            case IFACE
                printf '%s\n' any (command ls /sys/class/net 2>/dev/null)
            case FILE CAPTURE
                __fish_complete_path (commandline -ct)
            case NETNS
                printf '%s\n' any (command ls /run/netns 2>/dev/null)
            case USER
                __fish_complete_users
        end
    end
end

function __netprobe_complete
    set -l line (commandline -opc)
    set -l command
    set -l verb
    set -l class
    set -l rows ($line[1] help --words 2>/dev/null)
    set -l names (__netprobe_pick command '' $rows | string replace -r '\t.*' '')
    for word in $line[2..-1]
        contains -- $word $names; or continue
        if test -z "$command"; or test "$command" = help
            test "$command" = help; and set verb help
            set command $word
            set rows ($line[1] help --words $word 2>/dev/null)
            set names (__netprobe_pick verb '' $rows | string replace -r '\t.*' '')
            test "$command" = help; and set -a names (__netprobe_pick word - $rows)
        else
            set verb $word
            set rows ($line[1] help --words $command $word 2>/dev/null)
            break
        end
    end
    for row in $rows
        set -l column (string split \t -- $row)
        contains -- $column[1] option keyword; and test "$column[2]" = "$line[-1]"; and set class $column[3]
    end
    if test -n "$class"; and not string match -q '[*' -- $class
        __netprobe_argument $line[-1] $class $rows
        return
    end
    if test "$verb" != help
        __netprobe_pick option '' $rows
        __netprobe_pick command '' $rows
        __netprobe_pick keyword '' $rows
        for row in (string match -r '^operand\t.*' $rows)
            __netprobe_argument - (string split \t -- $row)[3] $rows
        end
    end
    __netprobe_pick verb '' $rows
end

complete -c netprobe -f -a '(__netprobe_complete)'
