/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_PEOPLE_H
#define NETPROBE_SINK_PEOPLE_H

#include "record.h"
#include "util/buf.h"

/* What is measured, short: 1.5k, 302kbit/s; counts with their share of all, two blanks between: "tcp 18 (86 %)". */
void people_value(struct buf *b, const struct field *f, const void *at);
/* One of them. */
void people_count(struct buf *b, const struct named_count *c, uint64_t all);
uint64_t people_sum(const struct list *counts);
/* Columns that it usually takes. */
unsigned int people_width(const struct field *f);
/* Its column's title: PACKETS, INTERFACE, BIT/S. */
void people_title(char *out, size_t size, const struct field *f);

#endif
