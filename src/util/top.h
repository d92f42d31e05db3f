/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_TOP_H
#define NETPROBE_UTIL_TOP_H

#include <stdbool.h>
#include <stdint.h>

/* The first `most` of many, in order: each is offered once, then all are sorted.  n log(most). */
struct top_item {
	uint64_t rank;
	const void *p;
};

struct top {
	struct top_item *v;		/* room for `most`; a heap whose root is the last of them */
	uint32_t n, most;
	/* Does x come before y?  No two are equal. */
	bool (*before)(const struct top_item *x, const struct top_item *y);
};

/* 0 or -ENOMEM, said. */
int  top_open(struct top *t, uint32_t most, bool (*before)(const struct top_item *x, const struct top_item *y));
void top_close(struct top *t);
void top_offer(struct top *t, uint64_t rank, const void *p);
/* Nothing is offered any more: v[0] is the first. */
void top_sort(struct top *t);

#endif
