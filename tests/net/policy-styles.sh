#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy watch: which rule dropped a connection, and whose it is, where the rules are as Calico makes them (by iptables
# of both kinds, by nf_tables), as kube-router does, or plain ones with comments; rather none than a wrong one.
. "$(dirname "$0")/lib.sh"
need jq
need nft
need ncat
need iptables-nft-restore
[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

# Three pods behind the routing host, each at the interface that Calico calls after it.
node
sysctl -qw net.ipv4.ip_forward=1
iface() { printf 'cali%.11s' "$(printf 'shop.%s' "$1" | sha1sum)"; }
# pod NUMBER NAME: of address 10.61.7.NUMBER
pod() {
	ip netns add "$2"
	ip link add "$(iface "$2")" type veth peer name eth0 netns "$2"
	ip link set "$(iface "$2")" up
	ip route add "10.61.7.$1" dev "$(iface "$2")"
	sysctl -qw "net.ipv4.conf.$(iface "$2").proxy_arp=1"
	ip -n "$2" link set lo up
	ip -n "$2" addr add "10.61.7.$1/32" dev eth0
	ip -n "$2" link set eth0 up
	ip -n "$2" route add 10.61.7.1 dev eth0
	ip -n "$2" route add default via 10.61.7.1 dev eth0
	cni_told "$1" "$2" "$(iface "$2")" "10.61.7.$1/32"
}
ip addr add 10.61.7.1/32 dev lo
pod 2 web
pod 3 db
pod 4 api
web=$(iface web) db=$(iface db)
until_true 3 in_pod web ping -qc1 -W1 10.61.7.3 || die "no way from web to db"
for port in 5432 9100; do in_pod db ncat -lk $port >/dev/null 2>&1 & done
ncat -lk 9000 >/dev/null 2>&1 &
until_true 3 in_pod web ncat -w 1 -z 10.61.7.3 9100 || die "db does not listen"

# What is allowed: web to db's 5432; anybody to db's 9100; of web to db alone.
cat >"$work/objects.yaml" <<'Y'
kind: Namespace
apiVersion: v1
metadata: {name: shop}
---
kind: List
apiVersion: v1
items:
- {kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n1}, status: {podIP: 10.61.7.2, hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: n1}, status: {podIP: 10.61.7.3, hostIP: 192.0.2.1}}
- {kind: Pod, apiVersion: v1, metadata: {name: api, namespace: shop, labels: {app: api}}, spec: {nodeName: n1}, status: {podIP: 10.61.7.4, hostIP: 192.0.2.1}}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db-metrics, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{ports: [{port: 9100}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: web-out, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}
Y

# ── rules as the engines make them ───────────────────────────────────────────

# id PREFIX POLICY: Calico's chain for it; what does not fit into 28 bytes has a hash
id() {
	local id=shop/knp.default.$2
	[ $((${#1} + ${#id})) -gt 28 ] && id=_$(printf '%b' "$(printf %s "$id" | sha256sum | cut -c1-64 | sed 's/../\\x&/g')" | base64 -w0 | tr +/ -_)
	printf '%.28s' "$1$id"
}
pi_db=$(id cali-pi- db) pi_metrics=$(id cali-pi- db-metrics) po_web=$(id cali-po- web-out)

n=0
# c CHAIN WORDS...: one of Calico's rules, of the comment TEXT ("-": none but its hash)
c() {
	n=$((n + 1))
	local text=()
	[ "$2" = - ] || text=(-m comment --comment "\"$2\"")
	echo "-A $1 -m comment --comment \"cali:$(printf 'x%015d' $n)\" ${text[*]} ${*:3}"
}
# endpoint CHAIN POLICIES...: an interface's chain
endpoint() {
	c "$1" - -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	c "$1" - -m conntrack --ctstate INVALID -j DROP
	c "$1" - -j MARK --set-xmark 0x0/0x10000
	if [ $# -gt 1 ]; then
		c "$1" "Start of tier default" -j MARK --set-xmark 0x0/0x20000
		for policy in "${@:2}"; do
			c "$1" - -m mark --mark 0x0/0x20000 -j "$policy"
			c "$1" "Return if policy accepted" -m mark --mark 0x10000/0x10000 -j RETURN
		done
		c "$1" "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP
	fi
	c "$1" - -j MARK --set-xmark 0x10000/0x10000
	c "$1" "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
	c "$1" "Drop if no profiles matched" -j DROP
}
# allows CHAIN TEXT WHAT...: a policy's chain
allows() {
	c "$1" "$2" "${@:3}" -j MARK --set-xmark 0x10000/0x10000
	c "$1" - -m mark --mark 0x10000/0x10000 -j RETURN
}
calico() {
	local i
	echo '*filter'
	for i in cali-INPUT cali-FORWARD cali-OUTPUT cali-wl-to-host cali-from-wl-dispatch cali-to-wl-dispatch cali-th-lo \
		cali-{fw,tw}-{"$web","$db","$(iface api)"} "$pi_db" "$pi_metrics" "$po_web"; do
		echo ":$i - [0:0]"
	done
	c INPUT - -j cali-INPUT
	c FORWARD - -j cali-FORWARD
	c FORWARD "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
	c OUTPUT - -j cali-OUTPUT
	c cali-INPUT - -i cali+ -g cali-wl-to-host
	c cali-wl-to-host - -j cali-from-wl-dispatch
	c cali-wl-to-host "Configured DefaultEndpointToHostAction" -j ACCEPT
	c cali-FORWARD - -j MARK --set-xmark 0x0/0xe0000
	c cali-FORWARD - -i cali+ -j cali-from-wl-dispatch
	c cali-FORWARD - -o cali+ -j cali-to-wl-dispatch
	# of an interface of the host; Calico itself lets the host reach its pods
	c cali-OUTPUT - -p tcp --dport 84 -j cali-th-lo
	c cali-th-lo "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP
	for i in web db api; do
		c cali-from-wl-dispatch - -i "$(iface $i)" -g "cali-fw-$(iface $i)"
		c cali-to-wl-dispatch - -o "$(iface $i)" -g "cali-tw-$(iface $i)"
	done
	c cali-from-wl-dispatch "Unknown interface" -j DROP
	c cali-to-wl-dispatch "Unknown interface" -j DROP
	endpoint "cali-fw-$web" "$po_web"
	endpoint "cali-tw-$web"
	endpoint "cali-fw-$db"
	endpoint "cali-tw-$db" "$pi_db" "$pi_metrics"
	endpoint "cali-fw-$(iface api)"
	endpoint "cali-tw-$(iface api)"
	allows "$pi_db" "Policy shop/knp.default.db ingress" -p tcp -s 10.61.7.2 --dport 5432
	allows "$pi_metrics" "Policy shop/knp.default.db-metrics ingress" -p tcp --dport 9100
	allows "$po_web" "Policy shop/knp.default.web-out egress" -d 10.61.7.3
	echo COMMIT
}

# of NUMBER NAME POLICY...: kube-router's chain of a pod; policies without a name are the default's
of_pod() {
	local fw=KUBE-POD-FW-$2 comment='-m comment --comment' p
	echo "-A $fw $comment \"rule for stateful firewall for pod\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
	echo "-A $fw $comment \"rule to drop invalid state for pod\" -m conntrack --ctstate INVALID -j DROP"
	for p in "${@:4}"; do
		case $p in
		DEFAULT-in) echo "-A $fw -d 10.61.7.$1 $comment \"run through default ingress network policy chain\" -j KUBE-NWPLCY-DEFAULT" ;;
		DEFAULT-out) echo "-A $fw -s 10.61.7.$1 $comment \"run through default egress network policy chain\" -j KUBE-NWPLCY-DEFAULT" ;;
		*) echo "-A $fw $comment \"run through nw policy $p\" -j KUBE-NWPLCY-$(printf %s "$p" | tr a-z- A-Z2)" ;;
		esac
	done
	echo "-A $fw $comment \"rule to log dropped traffic POD name:$3 namespace: shop\" -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min --limit-burst 10 -j NFLOG --nflog-group 100"
	echo "-A $fw $comment \"rule to REJECT traffic destined for POD name:$3 namespace: shop\" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable"
	echo "-A $fw -j MARK --set-xmark 0x0/0x10000"
}
accepts() {
	local comment="-m comment --comment \"rule to ACCEPT traffic from source pods to dest pods selected by policy name $2 namespace shop\""
	echo "-A KUBE-NWPLCY-$1 ${*:3} $comment -j MARK --set-xmark 0x10000/0x10000"
	echo "-A KUBE-NWPLCY-$1 ${*:3} $comment -m mark --mark 0x10000/0x10000 -j RETURN"
}
router() {
	local hook
	echo '*filter'
	for hook in KUBE-ROUTER-{INPUT,FORWARD,OUTPUT} KUBE-POD-FW-{AAAA,BBBB} KUBE-NWPLCY-{DEFAULT,DB,DB2METRICS,WEB2OUT}; do
		echo ":$hook - [0:0]"
	done
	for hook in INPUT FORWARD OUTPUT; do
		echo "-A $hook -m comment --comment \"kube-router netpol - TEMC\" -j KUBE-ROUTER-$hook"
		echo "-A KUBE-ROUTER-$hook -d 10.61.7.3 -m comment --comment \"rule to jump traffic destined to POD name:db namespace: shop to chain KUBE-POD-FW-BBBB\" -j KUBE-POD-FW-BBBB"
		echo "-A KUBE-ROUTER-$hook -s 10.61.7.2 -m comment --comment \"rule to jump traffic from POD name:web namespace: shop to chain KUBE-POD-FW-AAAA\" -j KUBE-POD-FW-AAAA"
	done
	of_pod 2 AAAA web web-out DEFAULT-in
	of_pod 3 BBBB db db db-metrics DEFAULT-out
	echo '-A KUBE-NWPLCY-DEFAULT -m comment --comment "rule to mark traffic matching a network policy" -j MARK --set-xmark 0x10000/0x10000'
	accepts DB db -p tcp -s 10.61.7.2 -d 10.61.7.3 --dport 5432
	accepts DB2METRICS db-metrics -p tcp -d 10.61.7.3 --dport 9100
	accepts WEB2OUT web-out -s 10.61.7.2 -d 10.61.7.3
	echo COMMIT
}

# The same by nf_tables: chains of a table of its own, and maps of verdicts in place of a rule an interface.
t() {
	n=$((n + 1))
	echo "add rule ip calico $1 ${*:3} comment \"cali:$(printf 'x%015d' $n)${2:+; $2}\""
}
t_endpoint() {
	echo "add chain ip calico $1"
	t "$1" "" ct state established,related counter accept
	t "$1" "" ct state invalid counter drop
	t "$1" "" counter meta mark set mark and 0xfffeffff
	if [ $# -gt 1 ]; then
		t "$1" "Start of tier default" counter meta mark set mark and 0xfffdffff
		for policy in "${@:2}"; do
			t "$1" "" "meta mark & 0x20000 == 0" counter jump "$policy"
			t "$1" "Return if policy accepted" "meta mark & 0x10000 == 0x10000" counter return
		done
		t "$1" "End of tier default. Drop if no policies passed packet" "meta mark & 0x20000 == 0" counter drop
	fi
	t "$1" "" counter meta mark set mark or 0x10000
	t "$1" "Return if profile accepted" "meta mark & 0x10000 == 0x10000" counter return
	t "$1" "Drop if no profiles matched" counter drop
}
t_allows() {
	echo "add chain ip calico $1"
	t "$1" "$2" "${@:3}" counter meta mark set mark or 0x10000
	t "$1" "" "meta mark & 0x10000 == 0x10000" counter return
}
tables() {
	local pi=filter-cali-pi-shop/knp.default po=filter-cali-po-shop/knp.default i
	echo 'add table ip calico'
	echo 'add chain ip calico filter-INPUT { type filter hook input priority 0; policy accept; }'
	echo 'add chain ip calico filter-FORWARD { type filter hook forward priority 0; policy accept; }'
	echo 'add chain ip calico filter-OUTPUT { type filter hook output priority 0; policy accept; }'
	for i in INPUT FORWARD OUTPUT wl-to-host from-wl-dispatch to-wl-dispatch th-lo; do echo "add chain ip calico filter-cali-$i"; done
	t_allows $pi.db "Policy shop/knp.default.db ingress" ip saddr 10.61.7.2 tcp dport 5432
	t_allows $pi.db-metrics "Policy shop/knp.default.db-metrics ingress" tcp dport 9100
	t_allows $po.web-out "Policy shop/knp.default.web-out egress" ip daddr 10.61.7.3
	t_endpoint "filter-cali-fw-$web" $po.web-out
	t_endpoint "filter-cali-tw-$web"
	t_endpoint "filter-cali-fw-$db"
	t_endpoint "filter-cali-tw-$db" $pi.db $pi.db-metrics
	t_endpoint "filter-cali-fw-$(iface api)"
	t_endpoint "filter-cali-tw-$(iface api)"
	for i in fw tw; do
		echo "add map ip calico filter-cali-$i-dispatch { type ifname : verdict; elements = {" \
			"\"$web\" : goto filter-cali-$i-$web, \"$db\" : goto filter-cali-$i-$db, \"$(iface api)\" : goto filter-cali-$i-$(iface api) }; }"
	done
	t filter-INPUT "" counter jump filter-cali-INPUT
	t filter-FORWARD "" counter jump filter-cali-FORWARD
	t filter-FORWARD "Policy explicitly accepted packet." "meta mark & 0x10000 == 0x10000" counter accept
	t filter-OUTPUT "" counter jump filter-cali-OUTPUT
	t filter-cali-INPUT "" 'iifname "cali*"' counter goto filter-cali-wl-to-host
	t filter-cali-wl-to-host "" counter jump filter-cali-from-wl-dispatch
	t filter-cali-wl-to-host "Configured DefaultEndpointToHostAction" counter accept
	t filter-cali-FORWARD "" counter meta mark set mark and 0xfff1ffff
	t filter-cali-FORWARD "" 'iifname "cali*"' counter jump filter-cali-from-wl-dispatch
	t filter-cali-FORWARD "" 'oifname "cali*"' counter jump filter-cali-to-wl-dispatch
	t filter-cali-OUTPUT "" tcp dport 84 counter jump filter-cali-th-lo
	t filter-cali-th-lo "End of tier default. Drop if no policies passed packet" "meta mark & 0x20000 == 0" counter drop
	t filter-cali-from-wl-dispatch "" counter iifname vmap @filter-cali-fw-dispatch
	t filter-cali-to-wl-dispatch "" counter oifname vmap @filter-cali-tw-dispatch
	t filter-cali-from-wl-dispatch "Unknown interface" counter drop
	t filter-cali-to-wl-dispatch "Unknown interface" counter drop
}

# Ones by hand, whose comments say all.
plain() {
	cat <<'N'
table inet by_hand {
	chain to_db { ct state established,related accept; ip saddr 10.61.7.2 tcp dport 5432 accept; tcp dport 9100 accept
		counter drop comment "to shop/db"
	}
	chain from_web { ct state established,related accept; ip daddr 10.61.7.3 return; counter drop comment "from shop/web"
	}
	chain both { ip saddr 10.61.7.2 jump from_web; ip daddr 10.61.7.3 jump to_db; }
	chain i { type filter hook input priority 0; jump both; }
	chain f { type filter hook forward priority 0; jump both; }
	chain o { type filter hook output priority 0; tcp dport 84 counter drop comment "no 84"
	}
}
N
}

# ── what is told ─────────────────────────────────────────────────────────────

# connect FROM ADDRESS PORT: one attempt, of one packet
connect() {
	local in=(in_pod "$1")
	[ "$1" != host ] || in=()
	"${in[@]}" timeout 0.5 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null || :
}
# dropped NAME FROM ADDRESS PORT: one that is dropped, and told before another may be: counters tell them apart
dropped() {
	local drops
	drops=$(grep -c '"action":"drop"' "$work/$1.out" || :)
	connect "${@:2}" & tried+=($!)
	until_true 5 eval "[ \"\$(grep -c '\"action\":\"drop\"' '$work/$1.out')\" -gt $drops ]" || :
}
# is_told NAME FILTER CHECK: 0, or in $got "yes" or "no", or that it is not one
is_told() {
	got=$(jq -rs "[.[] | select($2)] | if length == 1 then .[0] | ($3) | if . then \"yes\" else \"no\" end else length end" <"$work/$1.out") &&
		[ "$got" != 0 ]
}
# one NAME FROM PORT CHECK: in the end one record of NAME.out is of that connection, and CHECK holds of it
one() {
	local f=".network.transport == \"tcp\" and (.source.pod.name // \"host\") == \"$2\" and .destination.port == $3" got=0
	until_true 5 is_told "$1" "$f" "$4" || { jq -c "[.source.pod.name, .destination.port, .event.action]" "$work/$1.out"; die "$2 to port $3: not told"; }
	[ "$got" = yes ] ||
		{ jq -c "select($f) | {event, source, network, policy, rule, drop}" "$work/$1.out"; die "$2 to port $3: $got, wanted $4"; }
}

# What the rules of the style that is tried (`family`, `style`) are told as: a filter each for the three that drop
rules_are() {
	local chain='' end='End of tier default. Drop if no policies passed packet'
	case $style in
	calico*)
		[ "$style" = calico ] && chain="$family filter cali-" || chain="ip calico filter-cali-"
		why='.rule.author == "calico" and .rule.category == "the end of the policies: none allowed it"'
		to_db="$why and .rule.ruleset == \"${chain}tw-$db\" and (.rule.description | endswith(\"$end\")) and .rule.name == \"shop/db,shop/db-metrics\""
		from_web="$why and .rule.ruleset == \"${chain}fw-$web\" and (.rule.description | endswith(\"$end\")) and .rule.name == \"shop/web-out\""
		# of no policy: a tier is none
		from_host="$why and .rule.ruleset == \"${chain}th-lo\" and (.rule.description | endswith(\"$end\")) and .rule.name != \"default\""
		;;
	router)
		why='.rule.author == "kube-router" and .rule.category == "the end of the policies: none allowed it"'
		end='rule to REJECT traffic destined for POD name:'
		to_db="$why and .rule.ruleset == \"$family filter KUBE-POD-FW-BBBB\" and .rule.description == \"${end}db namespace: shop\""
		from_web="$why and .rule.ruleset == \"$family filter KUBE-POD-FW-AAAA\" and .rule.description == \"${end}web namespace: shop\""
		from_host=$to_db
		;;
	plain)
		why='(.rule.author | not) and (.rule.category | not)'
		to_db="$why and .rule.ruleset == \"inet by_hand to_db\" and .rule.description == \"to shop/db\""
		from_web="$why and .rule.ruleset == \"inet by_hand from_web\" and .rule.description == \"from shop/web\""
		from_host="$why and .rule.ruleset == \"inet by_hand o\" and .rule.description == \"no 84\""
		;;
	esac
}

# told NAME EVIDENCE: each by the rule that dropped it, and nothing else as dropped; `more` holds of each drop
told() {
	local drop=".event.action == \"drop\" and .drop.reason == \"NETFILTER_DROP\" and $more"
	one "$1" web 5432 '.event.action == "allow" and .policy.answer == "answered" and (.rule.ruleset | not)'
	one "$1" api 9100 '.event.action == "allow" and .policy.answer == "answered" and (.rule.ruleset | not)'
	one "$1" db 9000 '.event.action == "allow" and .policy.answer == "answered" and (.rule.ruleset | not)'
	one "$1" api 5432 "$drop and .policy.evidence == \"$2\" and $to_db"
	one "$1" web 81 "$drop and .policy.evidence == \"$2\" and $to_db"
	one "$1" web 82 "$drop and .policy.evidence == \"$2\" and $from_web"
	# The kernel's number for a packet that it traces is another behind a bridge, and that one nobody asked for.
	[ "$style" != router ] || drop=".event.action == \"drop\""
	one "$1" web 83 "$drop and .policy.evidence == \"$2\" and $from_web"
	drop=".event.action == \"drop\" and $more"
	# The policies allow what is from the pod's own node, where its addresses are known.
	one "$1" host 84 "$drop and (.policy.evidence == \"dataplane\" or .policy.evidence == \"$2\") and $from_host"
}
each() {
	local tried=()
	connect web 10.61.7.3 5432
	connect api 10.61.7.3 9100
	connect db 10.61.7.1 9000
	dropped "$1" api 10.61.7.3 5432
	dropped "$1" web 10.61.7.3 81
	dropped "$1" web 10.61.7.4 82
	dropped "$1" web 10.61.7.1 83	# INPUT
	dropped "$1" host 10.61.7.3 84	# OUTPUT
	wait "${tried[@]}"
}
# Several chains drop at the same time, and other connections get through.
at_once() {
	local port jobs=()
	for port in 91 92 93 94 95 96; do
		connect api 10.61.7.3 $port & jobs+=($!)
		connect web 10.61.7.4 $port & jobs+=($!)
		connect db 10.61.7.1 9000 & jobs+=($!)
	done
	wait "${jobs[@]}"
}
# right_or_open NAME: a drop has its own rule or none
right_or_open() {
	settled "$1" '.destination.port > 90 and .destination.port < 97' 12
	jq -se "[.[] | select(.destination.port > 90 and .destination.port < 97)] | all(.event.action == \"drop\" and
		((.rule.ruleset | not) or (if .source.pod.name == \"api\" then $to_db else $from_web end)))" <"$work/$1.out" >/dev/null ||
		{ jq -c 'select(.destination.port > 90 and .destination.port < 97) | [.source.pod.name, .destination.port, .event.action, .rule]' "$work/$1.out"; die "a wrong rule"; }
	settled "$1" '.destination.port == 9000 and .event.action == "allow"' 7
}

# named NAME: it has read whose addresses are; behind changes of interfaces nobody has a name until then
probe() {
	connect web 10.61.7.3 9100
	jq -se 'any(.destination.port == 9100 and .source.pod.name == "web")' <"$work/$1.out"
}
named() { until_true 10 probe "$1" || die "nobody has a name"; }

# watched TRACES: without the policies, then with them (and, where rules are traced, by their trace)
watched() {
	rules_are
	say "$style $family: by the rules alone"
	more=true
	start w -j policy watch
	named w
	each w
	told w dataplane
	at_once
	right_or_open w
	stop INT
	same "exit status" "$status" 0
	say "$style $family: with the policies${1:+, traced}"
	start p -j policy watch --policies "$work/objects.yaml" ${1:+--trace-rules}
	named p
	[ -z "$1" ] || more='((.rule.ruleset + " ") as $chain | .rule.trace | length > 1 and (.[-1] | startswith($chain) and endswith(" drop")))'
	[ "$style" = plain ] && more="${more/length > 1/length > 0}"
	each p
	told p both
	one p api 5432 '.policy.expected == "deny" and .policy.mismatch == false and .rule.name == "shop/db,shop/db-metrics"'
	one p web 82 '.policy.expected == "deny" and .policy.mismatch == false and .rule.name == "shop/web-out"'
	one p web 5432 '.policy.expected == "allow" and .policy.evidence == "spec" and .rule.name == "shop/web-out,shop/db"'
	at_once
	right_or_open p
	stop INT
	same "exit status" "$status" 0
}

family=ip style=calico
calico | iptables-nft-restore || die "no rules"
watched traced
iptables-nft -F; iptables-nft -X
style=calico-tables
tables | nft -f - || die "no rules"
watched traced
nft delete table ip calico
style=plain
plain | nft -f - || die "no rules"
watched traced
nft delete table inet by_hand
style=calico family='ip(legacy)'
if calico | iptables-legacy-restore; then
	watched ''
	iptables-legacy -F; iptables-legacy -X
fi

# kube-router's pods are at a bridge.
ip link add kube-bridge type bridge
ip addr del 10.61.7.1/32 dev lo
ip addr add 10.61.7.1/24 dev kube-bridge
ip link set kube-bridge up
for pod in web db api; do
	ip link set "$(iface $pod)" master kube-bridge
	ip -n $pod route add 10.61.7.0/24 dev eth0
	ip -n $pod neigh flush all
done
for n in 2 3 4; do ip route del 10.61.7.$n; done
sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || skip "no br_netfilter: of kube-router's rules nothing is tried"
until_true 3 in_pod web ping -qc1 -W1 10.61.7.3 || die "no way from web to db"
style=router family=ip
router | iptables-nft-restore || die "no rules"
watched traced
iptables-nft -F; iptables-nft -X
family='ip(legacy)'
if router | iptables-legacy-restore; then
	watched ''
fi
