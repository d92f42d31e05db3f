// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left on an interface by those who leave in order, and by those who are killed.  Needs root. */
#include "world.h"

/* In a process of its own; no assertion may jump out of it. */
static void hold(int rung, int ready)
{
	struct box *b = box_new(rung);
	bool packets_only = rung == RUNG_PACKET;

	b->opt.drops = !packets_only;
	b->opt.promisc = true;
	b->iface = (struct iface){ .ifindex = if_nametoindex(near_name), .link = 1 };
	snprintf(b->iface.name, sizeof(b->iface.name), "%s", near_name);
	if (capture_open(&b->c, &b->opt))
		_exit(1);
	if (packets_only && (open_live(b) || capture_packet_opened(b->c, b->iface.ifindex)))
		_exit(1);
	if (capture_attach(b->c, b->iface.ifindex, near_name, &b->rung))
		_exit(1);
	if (write(ready, "r", 1) == 1)
		pause();
	_exit(1);
}

/* What it held is added to `held`. */
static void kill_a_holder(int rung, struct programs *held)
{
	int p[2], status;
	char ready;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0)
		hold(rung, p[1]);
	close(p[1]);
	assert_int_equal(read(p[0], &ready, 1), 1);
	close(p[0]);
	programs_of(held, pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void nothing_outlives_kill_9(void **state)
{
	const int rungs[] = { first_rung == RUNG_TCX ? RUNG_TCX : -1, RUNG_SOCKET, RUNG_PACKET, -1 };
	uint32_t links = tcx_programs();

	for (int i = 0; i < 4; i++) {
		struct programs held = { .n = 0 };

		kill_a_holder(rungs[i], &held);
		assert_true(held.n > 0 || rungs[i] == RUNG_PACKET);
		nothing_is_left(&held);
		assert_int_equal(tcx_programs(), links);
	}
}

/* The one rung that cannot keep that promise keeps the next best. */
static void what_clsact_leaves_goes_with_the_next(void **state)
{
	struct programs held = { .n = 0 };
	struct box *b;

	kill_a_holder(RUNG_CLSACT, &held);
	assert_int_equal(tc_filters(), 2);
	ping(2);
	b = box_new(RUNG_CLSACT);
	box_open(b, near_name);
	assert_int_equal(tc_filters(), 2);
	box_settle(b);
	programs_of(&held, getpid());
	box_free(b);
	nothing_is_left(&held);
}

static void attach_foreign(uint32_t ifindex)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1 }, { .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, o, .priority = 7, .handle = 1);

	o.prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "foreign", "GPL", pass, 2, NULL);
	assert_true(o.prog_fd >= 0);
	assert_int_equal(bpf_tc_attach(&hook, &o), 0);
	close(o.prog_fd);
}

static void a_foreign_filter_and_its_qdisc_stay(void **state)
{
	struct box *b = box_new(RUNG_CLSACT);

	box_open(b, near_name);
	attach_foreign(b->iface.ifindex);
	box_settle(b);
	box_free(b);
	assert_int_equal(clsact_qdiscs(), 1);
	assert_int_equal(tc_filters(), 1);
	sh("tc qdisc del dev %s clsact", near_name);
}

static void two_of_us_get_along(void **state)
{
	struct programs held = { .n = 0 };

	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *a = box_new(rung), *b = box_new(rung);

		box_open(a, near_name);
		box_open(b, near_name);
		ping(5);
		box_settle(a);
		ping(5);
		box_settle(b);
		assert_int_equal(a->echo, 10);
		assert_int_equal(b->echo, 20);
		programs_of(&held, getpid());
		box_free(a);
		box_free(b);
	}
	nothing_is_left(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outlives_kill_9),
		cmocka_unit_test(what_clsact_leaves_goes_with_the_next),
		cmocka_unit_test(a_foreign_filter_and_its_qdisc_stay),
		cmocka_unit_test(two_of_us_get_along),
	};

	if (geteuid())
		return 77;
	return cmocka_run_group_tests_name("leavings", tests, build_world, raze_world);
}
