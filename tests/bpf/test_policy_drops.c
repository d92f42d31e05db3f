// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of pods that the kernel drops (bpf/policy.bpf.c): each counts as dropped once and no longer as allowed, with
 * the policies that deny it.  By nft, by tc behind us, by XDP before us.  Needs root, ip, nsenter, nft, and BTF.
 */
#include <bpf/btf.h>

#include "policy_rig.h"

static void need(const struct policy_rig *r, bool there, const char *what)
{
	if (policy_count_sees_drops(r->c) && there)
		return;
	print_message("no drops are told here, or there is no %s\n", what);
	policy_count_close(r->c);
	skip();
}

static bool has_nft(void)
{
	return !sh("nft list tables >/dev/null 2>&1");
}

static void drop_by_nft(const char *rule)
{
	assert_int_equal(sh("nft add table inet np_test && nft add chain inet np_test forward"
			    " '{ type filter hook forward priority 0; }' && nft add rule inet np_test forward %s", rule), 0);
}

static void drop_no_more(void)
{
	assert_int_equal(sh("nft delete table inet np_test"), 0);
}

static void send_only(uint16_t port, unsigned int n)
{
	int fd = bound(&pods[0], SOCK_DGRAM, false, 0);

	send_to(fd, &pods[1].v4, port, n);
	close(fd);
}

/* Of 100 packets that are dropped for the receiver's policy */
static void what_is_dropped_is_dropped_once_and_not_allowed(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7002);
	struct policy_rig r;

	rig_open(&r, &usual);
	need(&r, has_nft(), "nft");
	decide(&r, &k, NONE, 0, DENIES, 6);
	drop_by_nft("udp dport 7002 drop");
	send_only(7002, 100);
	await_drops(&r, B, 6, INGRESS, 100);
	usleep(50000);
	drop_no_more();
	row_is(&r, B, 6, INGRESS, 0, 100);
	assert_int_equal(row_of(&r, B, 6, INGRESS).policy_matches, 100);
	assert_int_equal(row_of(&r, B, 6, INGRESS).bytes_dropped, 100 * (28 + PAYLOAD));
	row_is(&r, A, NP_POLICY_NONE, EGRESS, 0, 0);
	assert_int_equal(row_of(&r, A, NP_POLICY_NONE, EGRESS).policy_misses, 100);
	assert_int_equal(row_of(&r, A, NP_POLICY_NONE, EGRESS).bytes_allowed, 0);
	row_is(&r, A, NP_POLICY_OTHER_END, EGRESS, 0, 100);
	assert_int_equal(row_of(&r, A, NP_POLICY_OTHER_END, EGRESS).first_dropped, 100);
	assert_int_equal(other_of(&r, NP_OTHER_MISSED), 0);

	/* No decision denies it, so what was dropped stands at both. */
	decide(&r, &k, ALLOWS, 3, ALLOWS, 6);
	drop_by_nft("udp dport 7002 reject");
	send_only(7002, 20);
	await_drops(&r, B, 6, INGRESS, 120);
	drop_no_more();
	row_is(&r, B, 6, INGRESS, 0, 120);
	row_is(&r, A, 3, EGRESS, 0, 20);
	assert_int_equal(row_of(&r, A, 3, EGRESS).policy_matches, 20);
	policy_count_close(r.c);
}

static void an_undecided_packet_that_is_dropped_is_counted_so(void **state)
{
	struct policy_rig r;

	rig_open(&r, &usual);
	need(&r, has_nft(), "nft");
	drop_by_nft("udp dport 7003 drop");
	send_only(7003, 30);
	await_drops(&r, B, NP_POLICY_UNDECIDED, INGRESS, 30);
	drop_no_more();
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, 0, 30);
	row_is(&r, B, NP_POLICY_UNDECIDED, INGRESS, 0, 30);
	assert_int_equal(asks(&r), 1);
	policy_count_close(r.c);
}


/* ── by programs ──────────────────────────────────────────────────────────── */

/* One that answers with `verdict` to every packet. */
static int refuser(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = verdict }, { .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "refuser", "GPL", insns, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* Linux 5.17; before it nobody tells what tc dropped. */
static bool has_reasons(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) > 0;

	btf__free(btf);
	return has;
}

/* A clsact filter of priority 1, as networks of pods have them: behind tcx, before a clsact filter of ours. */
static struct bpf_tc_hook refuse_at_tc(const struct pod *p, enum bpf_tc_attach_point point)
{
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = (int)p->ifindex, .attach_point = point };
	LIBBPF_OPTS(bpf_tc_opts, o, .priority = 1, .handle = 1);
	int err = bpf_tc_hook_create(&hook);

	assert_true(!err || err == -EEXIST);
	o.prog_fd = refuser(BPF_PROG_TYPE_SCHED_CLS, 2);
	assert_int_equal(bpf_tc_attach(&hook, &o), 0);
	close(o.prog_fd);
	return hook;
}

static void pass_at_tc(const struct bpf_tc_hook *hook)
{
	LIBBPF_OPTS(bpf_tc_opts, o, .priority = 1, .handle = 1);

	assert_int_equal(bpf_tc_detach(hook, &o), 0);
}

/* At the receiver's interface: it was counted as allowed at both ends, where we stand before. */
static void what_tc_drops_is_taken_back(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7004);
	struct bpf_tc_hook hook;
	struct policy_rig r;

	rig_open(&r, &usual);
	need(&r, has_reasons(), "reason");
	decide(&r, &k, ALLOWS, 1, DENIES, 2);
	hook = refuse_at_tc(&pods[1], BPF_TC_EGRESS);
	send_only(7004, 40);
	await_drops(&r, B, 2, INGRESS, 40);
	pass_at_tc(&hook);
	row_is(&r, B, 2, INGRESS, 0, 40);
	row_is(&r, A, 1, EGRESS, 0, 0);
	row_is(&r, A, NP_POLICY_OTHER_END, EGRESS, 0, 40);
	assert_int_equal(row_of(&r, B, 2, INGRESS).policy_matches, 40);
	assert_int_equal(row_of(&r, A, 1, EGRESS).policy_matches, 40);

	/* At the sender's, before it is forwarded. */
	decide(&r, &k, DENIES, 1, ALLOWS, 2);
	hook = refuse_at_tc(&pods[0], BPF_TC_INGRESS);
	send_only(7004, 7);
	await_drops(&r, A, 1, EGRESS, 7);
	pass_at_tc(&hook);
	row_is(&r, A, 1, EGRESS, 0, 7);
	row_is(&r, B, 2, INGRESS, 0, 40);
	row_is(&r, B, NP_POLICY_OTHER_END, INGRESS, 0, 7);
	assert_int_equal(row_of(&r, A, 1, EGRESS).policy_matches, 47);
	policy_count_close(r.c);
}

static void drop_at_xdp(uint32_t flags, unsigned int n)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = flags);
	struct np_policy_key k = key_of(false, UDP, 7005);
	int prog = refuser(BPF_PROG_TYPE_XDP, XDP_DROP), link;
	struct policy_rig r;

	rig_open(&r, &usual);
	need(&r, true, "XDP");
	decide(&r, &k, DENIES, 1, ALLOWS, 2);
	link = bpf_link_create(prog, (int)pods[0].ifindex, BPF_XDP, &o);
	assert_true(link >= 0);
	send_only(7005, n);
	await_drops(&r, A, 1, EGRESS, n);
	close(link);
	close(prog);
	row_is(&r, A, 1, EGRESS, 0, n);
	assert_int_equal(row_of(&r, A, 1, EGRESS).policy_matches, n);
	row_is(&r, B, NP_POLICY_OTHER_END, INGRESS, 0, n);
	policy_count_close(r.c);
}

/* Before us, so that it was not counted yet. */
static void what_xdp_drops_is_counted(void **state)
{
	drop_at_xdp(1 << 1 /* XDP_FLAGS_SKB_MODE */, 30);
	drop_at_xdp(1 << 2 /* XDP_FLAGS_DRV_MODE */, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_dropped_is_dropped_once_and_not_allowed),
		cmocka_unit_test(an_undecided_packet_that_is_dropped_is_counted_so),
		cmocka_unit_test(what_tc_drops_is_taken_back),
		cmocka_unit_test(what_xdp_drops_is_counted),
	};

	if (geteuid()) {
		fprintf(stderr, "needs root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("policy_drops", tests, build_node, raze_node);
}
