// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_policy_count ROUNDS: nanoseconds that counting by policy adds to a program at tc that only returns, where the
 * decision is there and names one policy, and those that counting conversations adds (np_count_in of count.bpf.c):
 * "ours peer", a line a round; the last of both on standard error.  The frame is an acknowledgement of TCP from a pod,
 * 60 bytes, and that packet is in the row that it belongs into as often as it was given, or the bench has failed.
 */
#include <sched.h>
#include <unistd.h>

#include "bench_run.h"

#include "count/policy_count.h"

#include "count_sets.skel.h"

enum { POD = 1, POLICY = 7, TCP = 6, PORT = 443, FROM_POD = 0 };

static const uint8_t frame[FRAME] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0x9c, 0x40, PORT >> 8, PORT & 255, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0,
};

/* A program that returns TC_ACT_UNSPEC, as both do. */
static int load_none(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "bench_none", "GPL", insns, 2, NULL);

	if (fd < 0)
		die("the kernel refuses a program that only returns");
	return fd;
}

/* Test runs have their packets from the loopback interface, which no pod has: it is made the pod's here. */
static void give_loopback(const struct policy_count *c)
{
	const struct np_policy_iface iface = { .pod = POD };
	const uint32_t lo = 1;
	uint32_t ids[64], size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info prog = { .nr_map_ids = 64, .map_ids = (uintptr_t)ids };

	if (bpf_obj_get_info_by_fd(policy_count_program(c, FROM_POD), &prog, &size))
		die("the program's maps");
	for (uint32_t i = 0; i < prog.nr_map_ids; i++) {
		struct bpf_map_info map = { 0 };
		int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(map);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &size))
			die("the program's maps");
		if (!strcmp(map.name, "policy_ifaces") && bpf_map_update_elem(fd, &lo, &iface, BPF_ANY))
			die("policy_ifaces");
		close(fd);
	}
}

/* One end is a pod, the other is elsewhere. */
static struct policy_count *open_ours(void)
{
	const struct np_pod_key pod = { .addr = { 10, 0, 0, 1 }, .family = 4 };
	const struct np_policy_key key = { .src = { 10, 0, 0, 1 }, .dst = { 10, 0, 0, 2 }, .dport = PORT, .proto = TCP,
					   .family = 4 };
	const struct np_decision d = { .side = { { .verdict = NP_POLICY_ALLOWS, .n = 1, .policy = { POLICY } } } };
	const struct policy_count_options usual = { 0 };
	struct policy_count *c;

	if (policy_count_open(&c, &usual) || policy_count_pod(c, &pod, POD) || policy_count_decide(c, &key, &d, NULL))
		die("the policy counters");
	give_loopback(c);
	return c;
}

static struct count_sets *open_peer(void)
{
	struct count_sets *peer = count_sets__open();

	if (!peer)
		die("the BPF object");
	fill_conf((struct np_count_conf *)(uintptr_t)&peer->rodata->conf);
	load_count(peer->obj, "np_count_in", true);
	return peer;
}

/* The one row that there may be. */
static int packets(void *ctx, const struct np_policy_row *row, const struct np_policy_counts *n)
{
	if (row->pod != POD || row->policy != POLICY || row->dir != NP_POLICY_EGRESS)
		die("a packet is in another row");
	*(uint64_t *)ctx = n->packets_allowed;
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5;
	struct policy_count *ours;
	struct count_sets *peer;
	double ns[2] = { 0 };
	struct subject s[2];
	uint64_t n = 0;

	/* What the host drops meanwhile is none of ours. */
	if (unshare(CLONE_NEWNET))
		die("no network namespace");
	ours = open_ours();
	peer = open_peer();
	s[0].none = s[1].none = load_none();
	s[0].count = policy_count_program(ours, FROM_POD);
	s[1].count = bpf_program__fd(peer->progs.np_count_in);
	/* It is a conversation then, and no first packet. */
	run(s[1].count, frame, 32);
	for (uint32_t i = 0; i < rounds; i++) {
		added(s, frame, ns);
		printf("%.2f %.2f\n", ns[0], ns[1]);
	}
	if (policy_count_read(ours, packets, &n) || n != (uint64_t)rounds * RUNS * REPEAT)
		die("packets are missing");
	fprintf(stderr, "%.0f ns a packet, conversations %.0f\n", ns[0], ns[1]);
	policy_count_close(ours);
	count_sets__destroy(peer);
	return 0;
}
