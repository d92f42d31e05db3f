/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RULES_COMPILE_H
#define NETPROBE_RULES_COMPILE_H

#include "rules/rule.h"
#include "rules/runs.h"

/* A set as the programs want it: the contents of their maps. */
struct compiled {
	struct np_bucket *buckets[NP_TABLES];	/* index[t].mask + 1 of them; NULL: the table is empty */
	struct np_index index[NP_TABLES];
	struct np_cond *conds;
	struct np_entry *entries;
	struct runs runs;			/* conf.use tells whose */
	uint32_t n_conds, n_entries;
	struct np_block_conf conf;		/* but for ifindex, meter_mask and frag_jiffies */
};

/* The key after *seed, which goes on: secret as the seed is. */
struct np_hash_key rules_next_key(uint64_t *seed);
/* Exact for every set, or refused (said): too many conditions on one address, no memory. */
int  rules_compile(struct compiled *c, const struct rules *r, uint64_t seed);
void compiled_free(struct compiled *c);

#endif
