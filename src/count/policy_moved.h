/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_POLICY_MOVED_H
#define NETPROBE_COUNT_POLICY_MOVED_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy_abi.h"

/*
 * Packets that the kernel counted while it had no decision, and to which rows they belong since there is one: what is
 * to be added to what the kernel says of these rows.  The kernel's own rows are each CPU's, and nobody else can write
 * to them without losing what is counted meanwhile.
 */
struct moved {
	struct np_policy_row row;	/* pod NP_POD_NONE: a free place */
	struct np_policy_counts n;
};

struct policy_moved {
	struct moved *v;		/* open addressing, a power of two; free() */
	uint32_t n, room, max;		/* max: rows; what is more stays undecided */
};

void counts_add(struct np_policy_counts *to, const struct np_policy_counts *n);
/* One end of what waited is decided now: as add_decided() of bpf/policy.bpf.c would have counted it.  as: which end of
 * the decision's that is; dir: as which it was counted. */
void moved_end(struct policy_moved *m, const struct np_decision *d, unsigned int as, unsigned int dir,
	       const struct np_policy_waiting *waiting);
/* NULL: nothing. */
const struct np_policy_counts *moved_find(const struct policy_moved *m, const struct np_policy_row *row);
void moved_forget(struct policy_moved *m, uint32_t pod);
void moved_clear(struct policy_moved *m);
/* What waits still. */
void moved_add(struct policy_moved *m, const struct np_policy_row *row, const struct np_policy_waiting *waiting);

#endif
