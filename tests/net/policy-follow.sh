#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy watch --kubectl: objects that are made, changed and deleted while it runs; a kubectl that ends, fails, and
# is there again; one that never was; and that nothing of it is left, however it ends.
. "$(dirname "$0")/lib.sh"
need jq
need ncat
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

# A kubectl of our own: state/KIND is what there is, an array; state/KIND.news what a watch tells behind that.
mkdir "$work/state"
cat >"$work/kubectl" <<S
#!/bin/sh
cd "$work/state" || exit 9
echo "\$*" >>asked
[ ! -e down ] || { echo "kubectl: no server" >&2; exit 1; }
case \$* in
*--watch*)
	: >\$2.news
	# Whoever ends it: not its child, which would wait for it to be waited for.
	(sleep 1000 >/dev/null & echo \$! >\$2.pid)
	jq '.[] | { type: "ADDED", object: . }' \$2
	exec tail -n +1 -s 0.1 -f --pid="\$(cat \$2.pid)" \$2.news
	;;
*)	jq '{ apiVersion: "v1", kind: "List", items: ., metadata: { resourceVersion: "" } }' \$2 ;;
esac
S
chmod +x "$work/kubectl"
for kind in pods namespaces networkpolicies; do echo '[]' >"$work/state/$kind"; done
# is KIND JSON: it is there from now on, and nobody is told; was KIND NAME: it is there no more
is() {
	jq --argjson o "$2" 'map(select(.metadata.name != $o.metadata.name)) + [$o]' "$work/state/$1" >"$work/state/.new"
	mv "$work/state/.new" "$work/state/$1"
}
was() {
	jq --arg n "$2" 'map(select(.metadata.name != $n))' "$work/state/$1" >"$work/state/.new"
	mv "$work/state/.new" "$work/state/$1"
}
event() { jq -n --arg t "$2" --argjson o "$3" '{ type: $t, object: $o }' >>"$work/state/$1.news"; }
made() { is "$1" "$2"; event "$1" ADDED "$2"; }
changed() { is "$1" "$2"; event "$1" MODIFIED "$2"; }
deleted() { was "$1" "$(jq -r .metadata.name <<<"$2")"; event "$1" DELETED "$2"; }
pod() { printf '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"%s","namespace":"shop","labels":{"app":"%s"}},"spec":{"containers":[{"name":"c"}]},"status":{"podIP":"%s"}}' "$1" "$2" "$3"; }
policy() { printf '{"kind":"NetworkPolicy","apiVersion":"networking.k8s.io/v1","metadata":{"name":"%s","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"team":"%s"}}}]}]}}' "$1" "$2"; }
ns() { printf '{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop","labels":{"team":"%s"}}}' "$1"; }

pair
here=10.9.0.1 far=10.9.0.2
there ncat -lk 5432 >/dev/null 2>&1 &
until_true 3 ncat -w 1 -z $far 5432 || die "nobody listens"
# tells FILTER: connections from here are told so within a while
tells() {
	until_true 8 eval "ncat -w 1 -z $far 5432; sleep 0.3; [ \"\$(tail -n 1 '$work/w.out' | jq '$1')\" = true ]" ||
		{ tail -n 2 "$work/w.out"; die "not $1"; }
}

say "what is there at the start"
is namespaces "$(ns red)"
is pods "$(pod web web $here)"
is pods "$(pod db db $far)"
start w -j policy watch --kubectl="$work/kubectl" 'tcp port 5432'
tells '.source.pod.name == "web" and .destination.pod.name == "db" and .policy.expected == "allow"'

say "a policy that is made, its namespace changed, and deleted"
made networkpolicies "$(policy only blue)"
tells '.policy.expected == "deny" and .policy.mismatch'
changed namespaces "$(ns blue)"
tells '.policy.expected == "allow" and .rule.name == "shop/only"'
deleted namespaces "$(ns blue)"
tells '.policy.expected == "unknown"'
made namespaces "$(ns red)"
tells '.policy.expected == "deny"'
deleted networkpolicies "$(policy only blue)"
tells '.policy.expected == "allow" and (.rule.name | not)'

say "a pod that goes, and one that has its address"
made pods "$(pod next web $here)"
deleted pods "$(pod web web $here)"
tells '.source.pod.name == "next"'
changed pods "$(pod next other $here)"
tells '.source.pod.labels.app == "other"'
deleted pods "$(pod next other $here)"
tells '(.source.pod | not) and .destination.pod.name == "db"'

say "what nobody told: the watch has ended"
was pods db
is pods "$(pod db2 db $far)"
is networkpolicies "$(policy late blue)"
for kind in pods networkpolicies; do kill "$(cat "$work/state/$kind.pid")"; done
tells '.destination.pod.name == "db2" and .policy.expected == "deny"'
! grep -q 'tried again' "$work/w.err" || die "an end is told as a failure"

say "a kubectl that fails, and is there again"
touch "$work/state/down"
kill "$(cat "$work/state/pods.pid")"
until_true 8 grep -q 'stays as it is; it is tried again' "$work/w.err" || die "it is not said"
tells '.destination.pod.name == "db2"'
is pods "$(pod web web $here)"
asked=$(wc -l <"$work/state/asked")
until_true 8 eval "[ \$(wc -l <'$work/state/asked') -gt $((asked + 1)) ]" || die "it is not tried again"
rm "$work/state/down"
tells '.source.pod.name == "web"'
until_true 8 grep -q 'followed again' "$work/w.err" || die "it is not said that it is back"
same "how often it is said" "$(grep -c 'tried again' "$work/w.err")" 1
[ "$(grep -c 'no server' "$work/w.err")" -le 1 ] || die "kubectl says each time why"

say "an end leaves nothing"
pgrep tail >/dev/null || die "no watch runs"
stop INT
same "exit status" "$status" 0
until_true 3 eval '! pgrep -f "^tail|^sleep 1000|netprobe.*policy.watch"' || { ps axf; die "a process is left"; }
start w -j policy watch --kubectl="$work/kubectl" 'tcp port 5432'
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
until_true 3 eval '! pgrep -f "^tail|^sleep 1000|netprobe.*policy.watch"' || { ps axf; die "a process is left after kill -9"; }
start w -j policy watch --kubectl="$work/kubectl" 'tcp port 5432'
kill -9 "$(pgrep -x netprobe-kube)"
until_true 3 eval '! pgrep tail' || { ps axf; die "what it ran is left"; }
until_true 3 grep -q 'the process that runs kubectl ended' "$work/w.err" || die "that it ended is not said"
tells '.source.pod.name == "web"'
stop INT
same "exit status" "$status" 1

say "a kubectl that never was, or says what is no list"
touch "$work/state/down"
rc=0
"$NETPROBE" policy watch --kubectl="$work/kubectl" >/dev/null 2>"$work/no.err" || rc=$?
same "exit status" $rc 1
grep -q 'failed with status 1' "$work/no.err" || die "not why"
rc=0
"$NETPROBE" policy watch --kubectl="$work/nowhere" >/dev/null 2>"$work/no.err" || rc=$?
same "exit status" $rc 1
for text in '' '{"kind":"List","items":[' '{}]' 'kubectl: hello'; do
	printf '#!/bin/sh\nprintf %%s %s\n' "'$text'" >"$work/kubectl"
	rc=0
	"$NETPROBE" policy watch --kubectl="$work/kubectl" >/dev/null 2>"$work/no.err" || rc=$?
	same "'$text'" $rc 1
done
until_true 3 eval '! pgrep netprobe' || { ps axf; die "a process is left"; }
