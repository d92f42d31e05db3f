/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FLOWS_TEXT_H
#define NETPROBE_CMD_FLOWS_TEXT_H

#include "record.h"
#include "util/buf.h"
#include "util/time.h"

/* Flows for people: a line each, in columns that fit `width` cells (0: no limit). */
struct flows_text {
	unsigned int width;
	bool header;			/* titles are still to be printed */
	bool rates;			/* bits and packets per second of an interval as well */
	bool tables;			/* one for each interval, below its time and titles */
	uint64_t told_ns;		/* of the table that is being printed */
	struct time_cache time;
};

void flows_line(void *text, const struct record *r, struct buf *b);	/* a line_fn */
void flows_titles(const struct flows_text *t, struct buf *b);
/* On a screen that is so wide. */
void flows_screen_titles(void *text, unsigned int width, struct buf *b);

/* Into `out`, NUL-terminated, at most 7 characters: "350us", "1.2ms", "3.4s", "5m". */
void text_span(char out[8], uint64_t ns);

#endif
