/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_TABLE_H
#define NETPROBE_SINK_TABLE_H

#include "sink/column.h"
#include "sink/sink.h"
#include "util/time.h"

/*
 * For people.  Without -o a record is a line as tcpdump prints it; with -o it is a row of columns.  Colors come from
 * here and from nowhere else.
 */
struct table {
	struct sink s;
	struct time_cache time;
	uint64_t first_ns, prev_ns;	/* -ttttt, -ttt */
	bool any;
	struct columns columns;
	struct buf cell;
};

/* A record as lines, each with its newline, or its row. */
void table_put(struct table *t, struct buf *b, const struct record *r);
/* What open made. */
void table_free(struct sink *s);

#endif
