// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_count ROUNDS FLOWS: nanoseconds that counting adds to a program at XDP that only returns, with our table of
 * conversations and, in its place, an LRU hash (tests/bpf/count_lru.bpf.c): "ours peer", a line a round.  The frame is
 * an acknowledgement of TCP, 60 bytes; each of FLOWS (a power of two) conversations has its turn.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "flow_abi.h"
#include "tuple.h"

#include "count_abi.h"

#include "count_lru.skel.h"
#include "count_sets.skel.h"

enum { SETS = 16384, FIRST = 4096, RUNS = 15, REPEAT = 65536, FRAME = 60 };

struct subject {
	int none, count;		/* programs */
};

static void die(const char *what)
{
	fprintf(stderr, "bench_count: %s\n", what);
	exit(1);
}

static void fill_conf(struct np_count_conf *c)
{
	struct timespec tick = { 0 };

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	memset(c, 0, sizeof(*c));
	c->settled_mask = SETS - 1;
	c->first_mask = FIRST - 1;
	c->cpus = (uint32_t)libbpf_num_possible_cpus();
	c->tick_ns = (uint64_t)tick.tv_nsec;
	c->ticks_s = 1000000000 / c->tick_ns;
	c->idle_first_ns = c->idle_settled_ns = c->idle_tcp_ns = 600000000000ull;
	if (getrandom(c->hash, sizeof(c->hash), 0) != sizeof(c->hash))
		die("no random numbers");
}

static void size_map(struct bpf_object *obj, const char *name, uint32_t n)
{
	bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, name), n);
}

/* All but the two programs of the bench stay where they are. */
static struct subject load(struct bpf_object *obj, bool ours)
{
	uint32_t places = (uint32_t)libbpf_num_possible_cpus() * NP_COUNT_DIRS;
	struct subject s = { .none = -1 };
	struct bpf_program *p;

	size_map(obj, "np_counts", places);
	size_map(obj, "np_transports", places);
	if (ours) {
		size_map(obj, "np_settled", SETS);
		size_map(obj, "np_first", FIRST);
	}
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, !strncmp(bpf_program__name(p), "bench_", 6));
	if (bpf_object__load(obj))
		die("the kernel refuses the programs");
	s.none = bpf_program__fd(bpf_object__find_program_by_name(obj, "bench_none"));
	s.count = bpf_program__fd(bpf_object__find_program_by_name(obj, "bench_count"));
	return s;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run(int prog, uint32_t repeat)
{
	static const uint8_t frame[FRAME] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
		0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = FRAME, .repeat = (int)repeat);
	double before = cpu_ns();

	if (bpf_prog_test_run_opts(prog, &o))
		die("the kernel does not run the programs");
	return (cpu_ns() - before) / repeat;
}

/* The least of a few, for nothing makes it faster than it is; what they are compared with runs between them. */
static void added(const struct subject *s, double *to)
{
	double least[2][2];

	for (int i = 0; i < RUNS; i++)
		for (int k = 0; k < 4; k++) {
			double ns = run(k & 1 ? s[k / 2].count : s[k / 2].none, REPEAT);

			if (!i || ns < least[k / 2][k & 1])
				least[k / 2][k & 1] = ns;
		}
	for (int k = 0; k < 2; k++)
		to[k] = least[k][1] - least[k][0];
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5;
	uint32_t flows = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
	struct count_sets *ours;
	struct count_lru *peer;
	struct subject s[2];
	double ns[2];

	ours = count_sets__open();
	peer = count_lru__open();
	if (!ours || !peer)
		die("the BPF objects");
	fill_conf((struct np_count_conf *)(uintptr_t)&ours->rodata->conf);
	memcpy((void *)(uintptr_t)&peer->rodata->conf, (const void *)(uintptr_t)&ours->rodata->conf,
	       sizeof(struct np_count_conf));
	ours->bss->bench_mask = peer->bss->bench_mask = flows - 1;
	s[0] = load(ours->obj, true);
	s[1] = load(peer->obj, false);
	/* All are conversations then, and not first packets. */
	for (int k = 0; k < 2; k++)
		run(s[k].count, flows * 32);
	for (uint32_t i = 0; i < rounds; i++) {
		added(s, ns);
		printf("%.2f %.2f\n", ns[0], ns[1]);
	}
	count_sets__destroy(ours);
	count_lru__destroy(peer);
	return 0;
}
