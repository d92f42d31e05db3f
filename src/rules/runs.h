/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RULES_RUNS_H
#define NETPROBE_RULES_RUNS_H

#include <stdint.h>

#include <linux/types.h>

#include "block_abi.h"

/* What decides for each /24 of IPv4, as block_abi.h says, of one table after the other. */
struct runs {
	struct np_step *steps;
	uint32_t *v, *at;		/* values, and from which /24 on they hold */
	uint32_t n_steps, n;
	uint32_t steps_cap, cap, first;	/* first: run of the table that is being made */
};

int  runs_begin(struct runs *r);
/* From the /24 `at` on.  The last word on a place holds; one on a place before it, or behind all, says nothing. */
int  runs_put(struct runs *r, uint32_t at, uint32_t value);
/* *steps: where those of the table begin. */
int  runs_end(struct runs *r, uint32_t *steps);
void runs_free(struct runs *r);

#endif
