/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_FMT_H
#define NETPROBE_SINK_FMT_H

#include "record.h"
#include "util/buf.h"
#include "util/time.h"

/*
 * One value as text for people: untrusted text escaped (util/escape.h), times in
 * RFC 3339 UTC, lists joined by spaces, items by ", " with their values joined
 * by spaces, as dig prints records.
 */
void fmt_value(struct buf *b, struct time_cache *time, enum field_type type, const void *at,
	       const struct item_table *items);

/* The same of the field with that number; false when the record does not have it. */
bool fmt_field(struct buf *b, struct time_cache *time, const struct record *r, unsigned int number);

/*
 * Untrusted text, escaped.  What does not fit b->max is cut at a character and sets
 * b->full.
 */
void fmt_text(struct buf *b, const char *p, size_t n);

/* A cell's text is at most so long; fmt_seal() then says that it was cut: " truncated". */
enum { FMT_CELL_MAX = 66 * 1024 };
void fmt_seal(struct buf *cell);

/*
 * Bytes of b from `start` on: characters other than ASCII become \u{NNNN}, for a
 * terminal that may read their bytes as something else: 0x80-0x9f are controls
 * in 8-bit sets.
 */
void fmt_ascii(struct buf *b, size_t start);

/* Numbers go to the right. */
bool fmt_is_number(enum field_type type);

#endif
