/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_RATES_H
#define NETPROBE_FLOWS_RATES_H

#include "flows/table.h"

/* What each flow of a table had counted when it was looked at last, and what has come since: one place for each of
 * the table's, memory that is touched when that is. */
struct rates {
	struct rate *v;
	uint32_t room;
	uint64_t told_ns, was_ns;	/* the last look; between it and the one before */
	uint64_t was_bytes;		/* of all flows in that time */
};

struct rate {
	struct flow_key key;		/* a place may have become another's */
	uint64_t packets, bytes;	/* then */
	uint64_t was_packets, was_bytes;	/* in was_ns */
};

/* since_ns: the first interval's begin.  0 or -ENOMEM, said. */
int  rates_open(struct rates *r, const struct flow_table *t, uint64_t since_ns);
void rates_close(struct rates *r);
/* An interval is over. */
void rates_tell(struct rates *r, const struct flow_table *t, uint64_t now_ns);
/* Of the interval told last; none of a flow that came later. */
const struct rate *rates_of(const struct rates *r, const struct flow_table *t, const struct flow *f);

#endif
