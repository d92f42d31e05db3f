/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_COUNT_RIG_H
#define NETPROBE_TESTS_COUNT_RIG_H

#include <errno.h>
#include <linux/if_link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "count/load.h"

/* The programs that count, given frames by test runs: made once, and emptied for each round. */
struct count_rig {
	struct counting kernel;
	struct count_view view;
	void *at[COUNT_READ];		/* the maps, writable */
	int link;			/* of the program at XDP; -1 */
};

static inline void count_rig_open(struct count_rig *r, const struct count_options *o)
{
	memset(r, 0, sizeof(*r));
	r->link = -1;
	assert_int_equal(count_make(&r->kernel, o), 0);
	assert_int_equal(count_map(&r->view, r->kernel.maps), 0);
	for (enum count_map m = 0; m < COUNT_READ; m++) {
		r->at[m] = mmap(NULL, r->view.size[m], PROT_READ | PROT_WRITE, MAP_SHARED, r->kernel.maps[m], 0);
		assert_ptr_not_equal(r->at[m], MAP_FAILED);
	}
}

static inline void count_rig_empty(struct count_rig *r)
{
	for (enum count_map m = 0; m < COUNT_READ; m++)
		memset(r->at[m], 0, r->view.size[m]);
}

static inline void count_rig_close(struct count_rig *r)
{
	if (r->link >= 0)
		close(r->link);
	for (enum count_map m = 0; m < COUNT_READ; m++)
		munmap(r->at[m], r->view.size[m]);
	count_unmap(&r->view);
	count_close(&r->kernel);
}

/* A program at XDP that is attached somewhere need not be put in the dispatcher for each run, which takes 20 ms. */
static inline int count_rig_program(struct count_rig *r, enum count_hook hook, bool l3)
{
	int prog = count_program(&r->kernel, hook, l3);

	assert_true(prog >= 0);
	if (hook == COUNT_XDP && r->link < 0) {
		LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);

		r->link = bpf_link_create(prog, 1, BPF_XDP, &o);
		assert_true(r->link >= 0);
	}
	return prog;
}

/* skb: what the stack says of the frame; NULL: nothing. */
static inline void count_rig_run(int prog, const void *frame, uint32_t n, struct __sk_buff *skb)
{
	LIBBPF_OPTS(bpf_test_run_opts, t, .repeat = 1, .data_in = frame, .data_size_in = n, .ctx_in = skb,
		    .ctx_size_in = skb ? sizeof(*skb) : 0);

	assert_int_equal(bpf_prog_test_run_opts(prog, &t), 0);
}

/* Both directions of each interface. */
static inline void count_rig_sum(const struct count_rig *r, struct np_counts *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < r->view.ifaces; i++)
		for (enum np_count_dir d = 0; d < NP_COUNT_DIRS; d++)
			count_sum(&r->view, i, d, sum);
}

/* PACKETS=n runs n in place of so many. */
static inline uint32_t count_rig_packets(uint32_t usual)
{
	const char *n = getenv("PACKETS");

	return n ? (uint32_t)strtoul(n, NULL, 10) : usual;
}

#endif
