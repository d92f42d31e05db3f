/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_BENCH_RUN_H
#define NETPROBE_TESTS_BENCH_RUN_H

/* What programs in the kernel that count add to one that only returns, given one frame again and again. */
#include <errno.h>
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

enum { SETS = 16384, FIRST = 4096, RUNS = 15, REPEAT = 65536, FRAME = 60 };

struct subject {
	int none, count;		/* programs */
};

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

/* Of a table of SETS sets in which nothing is idle. */
static inline void fill_conf(struct np_count_conf *c)
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

static inline void size_map(struct bpf_object *obj, const char *name, uint32_t n)
{
	bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, name), n);
}

/* With the programs whose names begin so; those of a bench stay where they are.  ours: it has our table. */
static inline void load_count(struct bpf_object *obj, const char *programs, bool ours)
{
	uint32_t places = (uint32_t)libbpf_num_possible_cpus() * NP_COUNT_DIRS;
	struct bpf_program *p;

	size_map(obj, "np_counts", places);
	size_map(obj, "np_transports", places);
	if (ours) {
		size_map(obj, "np_settled", SETS);
		size_map(obj, "np_first", FIRST);
	}
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, !strncmp(bpf_program__name(p), programs, strlen(programs)));
	if (bpf_object__load(obj))
		die("the kernel refuses the programs");
}

static inline double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double run(int prog, const uint8_t frame[FRAME], uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = FRAME, .repeat = (int)repeat);
	double before = cpu_ns();

	if (bpf_prog_test_run_opts(prog, &o))
		die("the kernel does not run the programs");
	return (cpu_ns() - before) / repeat;
}

/* The least of a few, for nothing makes it faster than it is; what they are compared with runs between them. */
static inline void added(const struct subject s[2], const uint8_t frame[FRAME], double to[2])
{
	double least[2][2];

	for (int i = 0; i < RUNS; i++)
		for (int k = 0; k < 4; k++) {
			double ns = run(k & 1 ? s[k / 2].count : s[k / 2].none, frame, REPEAT);

			if (!i || ns < least[k / 2][k & 1])
				least[k / 2][k & 1] = ns;
		}
	for (int k = 0; k < 2; k++)
		to[k] = least[k][1] - least[k][0];
}

#endif
