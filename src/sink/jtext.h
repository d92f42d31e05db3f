/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_JTEXT_H
#define NETPROBE_SINK_JTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "util/buf.h"
#include "util/time.h"

/*
 * Values as JSON text (RFC 8259), written without looking at room for each
 * byte.  Whoever sets up a writer gives what has no bound of its own (texts,
 * lists) room up to `limit`, and everything else JSON_FIXED_MAX bytes a value
 * beyond it: what passes `limit` is left out and sets `cut`.
 */
struct json_writer {
	char *o;		/* where the next byte goes */
	const char *limit;
	struct time_cache *time;
	bool cut;
};

enum {
	JSON_FIXED_MAX = 64,		/* a number, time, address or word, with its quotes */
	JSON_ITEM_MAX = 512,		/* what an item may write past `limit`: keys, fixed values */
	JSON_LINE_MAX = 64 * 1024,	/* with the newline */
};

void json_value(struct json_writer *w, enum field_type type, const void *at,
		const struct item_table *items);

/*
 * Text as a string, with its quotes.  Valid UTF-8 stays; otherwise every byte is
 * read as Latin-1.  Escaped are, beyond what RFC 8259 asks for, the characters of
 * escape_harmful(), so that a line shown raw does a terminal no harm.
 */
void json_text(struct json_writer *w, const char *p, size_t n);

/* Valid JSON on one line, appended as lines that are indented, below `depth` levels. */
void json_indent(struct buf *b, const char *p, size_t n, unsigned int depth);
void json_line_break(struct buf *b, unsigned int depth);

#endif
