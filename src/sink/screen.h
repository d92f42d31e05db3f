/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_SCREEN_H
#define NETPROBE_SINK_SCREEN_H

#include "sink/sink.h"

/*
 * Tables that are drawn over one another on a terminal: the rows that were told together, below their titles, and at
 * the bottom a line of when, how often, in which order and what was lost.  What of a row is beyond the terminal's
 * edge, and what rows are below its last line, is not shown.  Without a terminal in front nothing is drawn.
 */
struct screen_view {
	unsigned int width, height;	/* cells, lines */
	uint64_t every_ns;		/* rows are told */
	const char *sort;		/* by what; NULL: they are in no order that could be another */
	const char *const *keys;	/* what there is to press, a line each; ended by NULL */
	uint64_t *bps;			/* of all rows */
	bool paused, help;		/* `help`: the keys in place of the table */
	bool shown;			/* the screen is ours */
	bool utc;			/* the clock */
};

/* What leaves it, for a terminal that took nothing more when it was to be told. */
#define SCREEN_RESTORE "\033[0m\033[?25h\033[?1049l"

enum { SCREEN_WIDTH_MIN = 20, SCREEN_HEIGHT_MIN = 4 };

/* Rows of text that a table has room for. */
unsigned int screen_rows(const struct screen_view *v);
/* The terminal's other screen, and back; `keep`: with the last table left on the first one.  As sink_record(). */
int screen_enter(struct sink *s);
int screen_leave(struct sink *s, bool keep);
/* What was told last, for what `view` says now. */
int screen_draw(struct sink *s);
/* n bytes of text into b, at most `cells` of it and whole characters only; the cells they take. */
unsigned int screen_cut(struct buf *b, const char *p, size_t n, unsigned int cells);
/* A bar of `cells`, as long as n is of all. */
void screen_bar(struct buf *b, uint64_t n, uint64_t all, unsigned int cells, bool utf8);

#endif
