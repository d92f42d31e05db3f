/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FLOWS_TEXT_H
#define NETPROBE_CMD_FLOWS_TEXT_H

#include "record.h"
#include "util/buf.h"

/* Flows for people: a line each, in columns that fit `width` cells (0: no limit). */
struct flows_text {
	unsigned int width;
	bool header;			/* titles are still to be printed */
};

void flows_line(void *text, const struct record *r, struct buf *b);	/* a line_fn */
void flows_titles(const struct flows_text *t, struct buf *b);

/* Into `out`, NUL-terminated, at most 7 characters: "350us", "1.2ms", "3.4s", "5m". */
void text_span(char out[8], uint64_t ns);

#endif
