/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_GATHER_H
#define NETPROBE_STATS_GATHER_H

#include "record.h"

/*
 * What takes records in and gives fewer out: an inventory, a table of counters.  In
 * a pipeline it stands between the decoders and the sinks.
 */
struct gather {
	void (*take)(struct gather *g, const struct record *r);
	/* What is known now, a record a row; stops at fn's first non-zero value, which is returned. */
	int  (*rows)(struct gather *g, record_fn fn, void *ctx);
	void (*close)(struct gather *g);
	uint64_t evicted;		/* rows given up for want of room; monotonic */
};

#endif
