#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may not look at firewalls, or change them, hears which capability is missing and not that there is none: of every
# verb and of what reads along; of an interface that is not there, that it is not.
. "$(dirname "$0")/lib.sh"
need setpriv
mount -t bpf bpf /sys/fs/bpf
pair
unset SSH_CONNECTION
echo 192.0.2.9 >"$work/list"
install -m 755 "$NETPROBE" "$work/np"	# where everybody may go
nobody() { timeout 20 setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
without() { local cap=$1; shift; timeout 20 setpriv --inh-caps "-$cap" --bounding-set "-$cap" "$@"; }
# says STATUS TEXT COMMAND...
says() {
	local want=$1 text=$2 rc=0
	shift 2
	"$@" </dev/null >"$work/out" 2>"$work/np.err" || rc=$?
	[ $rc = "$want" ] || die "exit status $rc, not $want: $*"
	grep -qF -- "$text" "$work/np.err" || die "not told '$text': $*"
	! grep -Eq 'no firewall|none has a firewall' "$work/np.err" || [[ $text == *'no firewall'* ]] || die "there is one: $*"
}
changes=('add 192.0.2.1 dev here' 'add 192.0.2.1' 'allow 192.0.2.1 dev here' "apply $work/list dev here" 'del 192.0.2.1 dev here'
	'del --all dev here' 'del --all' 'confirm dev here' confirm 'rollback dev here')

for state in without with; do
	say "$state a firewall"
	[ $state = without ] || "$NETPROBE" block add 192.0.2.1 dev here --commit </dev/null 2>"$work/np.err"
	for words in "${changes[@]}"; do
		# shellcheck disable=SC2086
		says 5 'missing: CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN' nobody "$work/np" block $words
		# shellcheck disable=SC2086
		says 5 'missing: CAP_NET_ADMIN' without net_admin "$work/np" block $words
		# shellcheck disable=SC2086
		says 5 'missing: CAP_SYS_ADMIN' without sys_admin "$work/np" block $words
	done
	for words in list status 'status dev here' poll 'test 192.0.2.1 dev here' 'test 192.0.2.1'; do
		# shellcheck disable=SC2086
		says 5 'missing: CAP_SYS_ADMIN' nobody "$work/np" block $words
		# shellcheck disable=SC2086
		says 5 'missing: CAP_SYS_ADMIN' without sys_admin "$work/np" block $words
	done
	for iface in here any 'h*'; do
		says 5 'missing: CAP_SYS_ADMIN' nobody "$work/np" watch --blocks -i "$iface"
		says 5 'missing: CAP_SYS_ADMIN' without sys_admin "$work/np" watch --blocks -i "$iface"
	done
	says 1 'nosuch: no such interface' nobody "$work/np" watch --blocks -i nosuch
	says 1 'nosuch: no such interface' timeout 20 "$work/np" watch --blocks -i nosuch
done
says 1 'no firewall at lo' timeout 20 "$work/np" watch --blocks -i lo

say "stats beside a firewall"
says 0 'what a firewall does, where there is one, is left out: missing: CAP_SYS_ADMIN' without sys_admin "$work/np" -j stats -i here 1 1
says 0 '' timeout 20 "$work/np" -j stats -i here 1 1
! grep -q 'left out' "$work/np.err" || die "nothing is left out"

say "where the way to the state is shut"
"$NETPROBE" block del --all dev here </dev/null 2>"$work/np.err"
chmod 700 /sys/fs/bpf
says 5 '/sys/fs/bpf/netprobe: Permission denied: missing: CAP_DAC_OVERRIDE' \
	timeout 20 setpriv --reuid 65534 --clear-groups --inh-caps -all,+bpf,+net_admin,+sys_admin --ambient-caps -all,+bpf,+net_admin,+sys_admin \
	"$work/np" block add 192.0.2.1 dev here
