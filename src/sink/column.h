/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_COLUMN_H
#define NETPROBE_SINK_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "sink/sink.h"
#include "util/buf.h"

/*
 * Columns of a table that is printed as it comes.  A column begins as wide as
 * its title or what its type usually needs, and grows with what it is given, to
 * at most COLUMN_MAX cells and only while the row fits the terminal; what is
 * then still wider is cut, with a mark.  Without a terminal's width nothing is
 * cut: a cell that is too wide pushes the others of its row.
 */
enum { COLUMN_GAP = 2, COLUMN_MIN = 4, COLUMN_MAX = 48 };

struct column {
	char title[64];
	unsigned int width;		/* cells */
	bool right;			/* numbers */
	bool whole;			/* for people: not cut, for half a number is another one */
};

struct columns {
	struct column *v;
	unsigned int n, limit;		/* limit: terminal columns, 0: none */
	bool utf8;
	unsigned int at, pad;		/* this row: next column; spaces owed before it */
};

int columns_open(struct columns *c, const struct sink_options *opt);
void columns_close(struct columns *c);
/* The line of titles, with its newline. */
void columns_titles(struct columns *c, struct buf *b);
/* Cells of a whole row. */
unsigned int columns_width(const struct columns *c);
/* A row: begin, then each cell in order.  Spaces are only put before text, so none trail. */
void columns_begin(struct columns *c);
void columns_cell(struct columns *c, struct buf *b, const char *p, size_t n);
/* A row that is one text, across all columns. */
void columns_span(struct columns *c, struct buf *b, const char *p, size_t n);

#endif
