/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_STATS_TEXT_H
#define NETPROBE_CMD_STATS_TEXT_H

#include "record.h"
#include "util/buf.h"

/* Everything in one row, for people: a line for each thing that was measured, lists over as many as they take. */
struct stats_text {
	unsigned int width;		/* of the terminal; 0: lines have no end */
};

void stats_block(void *text, const struct record *r, struct buf *b);	/* a line_fn */
void stats_width(void *text, unsigned int width, struct buf *b);	/* from now on; it has no titles */

#endif
