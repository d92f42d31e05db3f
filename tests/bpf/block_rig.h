/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_BLOCK_RIG_H
#define NETPROBE_TESTS_BLOCK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "kern/block.h"
#include "rules/compile.h"
#include "rules/match.h"

/* Entries in the kernel and, beside it, the reference. */
struct block_rig {
	struct rules r;
	struct compiled c;
	struct block_set set;
	int link;
	bool l3;			/* the device has no link header */
	bool counts;			/* frames are counted, and leave traces, like what arrives */
};

static inline void block_rig_load(struct block_rig *b, enum block_hook hook)
{
	struct block_image image = { .seed = 5 };
	uint64_t seed = image.seed;

	assert_int_equal(rules_compile(&b->c, &b->r, 0x5eed5eed5eed5eedull), 0);
	for (int t = 0; t < NP_TABLES; t++)
		image.buckets[t] = b->c.buckets[t];
	image.index = b->c.index;
	image.conds = b->c.conds;
	image.entries = b->c.entries;
	image.rules = b->r.v;
	image.text = b->r.text.p;
	image.steps = b->c.runs.steps;
	image.n_steps = b->c.runs.n_steps;
	image.runs = b->c.runs.v;
	image.n_runs = b->c.runs.n;
	image.n_conds = b->c.n_conds;
	image.n_entries = b->c.n_entries;
	image.conf = b->c.conf;
	image.conf.counts_tests = b->counts;
	image.state_key = rules_next_key(&seed);
	image.conf.l3 = b->l3;
	image.meta = (struct np_set_meta){ .n_rules = b->r.n, .next_id = b->r.next_id,
					   .text_bytes = (uint32_t)b->r.text.n };
	assert_int_equal(block_load(&b->set, &image, hook, NULL, true), 0);
	b->link = -1;
	/* A program that is attached somewhere need not be put in the dispatcher for each run, which takes 20 ms. */
	if (hook == BLOCK_XDP) {
		LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);

		b->link = bpf_link_create(b->set.prog, 1, BPF_XDP, &o);
		assert_true(b->link >= 0);
	}
}

static inline void block_rig_free(struct block_rig *b)
{
	if (b->set.cpus) {
		if (b->link >= 0)
			close(b->link);
		block_close(&b->set);
	}
	compiled_free(&b->c);
	rules_free(&b->r);
}

static inline uint64_t block_rig_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void block_rig_add(struct block_rig *b, const char *target, const char *words)
{
	struct np_rule rule = { .dir = NP_SRC, .action = NP_DROP };
	char text[256], why[160], *v[32], *save = NULL;
	int n = 0;
	bool same;

	assert_true(rule_target(&rule, target, strlen(target)));
	snprintf(text, sizeof(text), "%s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		v[n++] = w;
	if (rule_words(&b->r, &rule, n, v, block_rig_now(), why))
		fail_msg("%s: %s", words, why);
	assert_int_equal(rules_add(&b->r, &rule, &same), 0);
}

#endif
