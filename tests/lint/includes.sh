#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# includes.sh: who may include whom (HACKING, "Direction").  Ours are included as "folder/file.h"
# from src/, so the direction of each dependency can be read off the line.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2016
git ls-files -co --exclude-standard 'src/*.[ch]' 'bpf/*.[ch]' 'tests/*.[ch]' | xargs awk '
BEGIN {
	# What each folder may include besides itself; "." is the root of src/.
	allow["util"] = ""
	allow["."] = "util"
	allow["numbers"] = "abi"
	# What the programs of the kernel read of headers, said again: below all stages.
	allow["tuple"] = "util . abi numbers"
	allow["source"] = allow["sink"] = allow["flows"] = allow["rules"] = "util . abi numbers"
	allow["filter"] = "util . abi numbers"
	allow["kern"] = "util . abi numbers filter"
	allow["count"] = "util . abi kern flows"
	allow["pin"] = allow["inventory"] = "util . abi kern"
	# Who reads records of a dataset knows its fields, and nothing else of whoever fills them.
	allow["decode"] = allow["stats"] = allow["detect"] = "util . abi numbers fields"
	# Lines are made of records: those of a protocol stand in its folder, decode/NAME/text.c.
	allow["text"] = "util . numbers fields"
	allow["protocols"] = ". fields decode"
	allow["k8s"] = allow["dataplane"] = "util numbers"
	allow["ebpf"] = "util numbers dataplane"
	allow["verdict"] = "util . abi numbers"
	allow["policy"] = "util numbers k8s"
	allow["node"] = "util k8s"
	allow["priv"] = "util . abi kern"
	allow["compat"] = ""
	allow["bpf"] = "abi"
	# pipeline.c joins the stages; the commands and main are above everything.
	pipeline = "util numbers . fields source filter decode text detect stats flows count sink pipeline abi"
	allow["cmd"] = pipeline " k8s policy node dataplane ebpf verdict rules kern count pin inventory priv abi"
	allow["main"] = "cmd"
	floor["opt"] = floor["fields"] = floor["kept"] = 1; floor["cmd"] = floor["firewall"] = 2; floor["output"] = floor["beside"] = 3; floor["session"] = floor["listing"] = 4
}
function folder(path) {
	if (path ~ /^bpf\//) return "bpf"
	if (path ~ /^src\/(pipeline|account|account_by|account_counted|account_rows|account_parts)\./) return "pipeline"
	if (path ~ /^src\/main\./) return "main"
	if (path ~ /^src\/tuple_read\./) return "tuple"
	if (path ~ /^src\/protocols\./) return "protocols"
	if (path ~ /^src\/decode\/[^\/]*\/text\.c$/) return "text"
	if (path ~ /^src\/[^\/]*$/) return "."
	sub(/^src\//, "", path); sub(/\/.*/, "", path)
	return path
}
function target(name, from) {
	if (name ~ /^((block_|flow_|count_|policy_)?abi|tags|tuple|flow_step)\.h$/) return "abi"
	if (name ~ /\.skel\.h$/) return from == "kern" || from == "count" ? from : "a skeleton"
	if (from == "bpf") return "bpf"
	if (name ~ /^(pipeline|account|account_parts)\.h$/) return "pipeline"
	if (name ~ /\/fields\.h$/ && index(name, from "/")) return from
	if (name ~ /\/fields\.h$/) return "fields"
	if (name !~ /\//) return "."
	sub(/\/.*/, "", name)
	return name
}
/^#[ \t]*include "/ && FILENAME !~ /^tests\// {
	name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
	from = folder(FILENAME); to = target(name, from)
	may = from == "pipeline" ? pipeline : allow[from]
	if (to != from && index(" " may " ", " " to " ") == 0) {
		print FILENAME ":" FNR ": " from " must not include " (to == "." ? "src/" : to "/") "  (" name ")"
		bad = 1
	}
}
# Within cmd/ a command knows the rooms that all commands share, and no other command; a room those below it.
function room(name) { sub(/^.*\//, "", name); sub(/[_.].*/, "", name); return name }
FILENAME ~ /^src\/cmd\// && /^#[ \t]*include "cmd\// {
	name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
	from = room(FILENAME); to = room(name)
	if (to == from) next
	if (!(to in floor) || name ~ /_/ || (from in floor && floor[from] <= floor[to])) {
		print FILENAME ":" FNR ": " from " must not include " to "  (" name ")"
		bad = 1
	}
}
/^#[ \t]*include "\.\.?\// { print FILENAME ":" FNR ": include from src/, not by a relative path"; bad = 1 }
END { exit bad }'
