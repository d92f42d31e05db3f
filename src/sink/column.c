// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/column.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink/fmt.h"
#include "sink/people.h"
#include "util/err.h"
#include "util/width.h"

static unsigned int time_width(enum time_style time)
{
	static const uint8_t cells[] = {
		[TIME_LOCAL] = 15, [TIME_RFC3339] = 30, [TIME_EPOCH] = 17, [TIME_DELTA] = 16,
		[TIME_DATE] = 26, [TIME_REL] = 16, [TIME_NONE] = 0,
	};

	return cells[time];
}

/* What a value of the type usually takes. */
static unsigned int usual_width(enum field_type type, enum time_style time)
{
	switch (type) {
	case FT_TIME:
		return time_width(time);
	case FT_ADDR:
		return 15;
	case FT_MAC:
		return 17;
	case FT_STR:
	case FT_STRS:
		return 16;
	case FT_ITEMS:
	case FT_COUNTS:
	case FT_MAP:
		return 24;
	case FT_U64:
	case FT_DURATION:
	case FT_I64:
	case FT_F64:
		return 10;
	case FT_BOOL:
	case FT_U8:
	case FT_U16:
	case FT_U32:
	case FT_I32:
	case FT_WORD:
	case FT_U16S:
	case FT_U32S:
	case FT_WORDS:
		break;
	}
	return COLUMN_MIN;
}

unsigned int columns_width(const struct columns *c)
{
	unsigned int i, sum = (c->n - 1) * COLUMN_GAP;

	for (i = 0; i < c->n; i++)
		sum += c->v[i].width;
	return sum;
}

/* Take cells from the widest column until the row fits, or all are at their least. */
static void shrink_to_fit(struct columns *c)
{
	unsigned int i, widest;

	while (columns_width(c) > c->limit) {
		for (i = 0, widest = c->n; i < c->n; i++)
			if (!c->v[i].whole && (widest == c->n || c->v[i].width > c->v[widest].width))
				widest = i;
		if (widest == c->n || c->v[widest].width <= COLUMN_MIN)
			return;
		c->v[widest].width--;
	}
}

/* Numbers that are written short for people. */
static bool is_large(enum field_type type)
{
	return type == FT_U64 || type == FT_DURATION;
}

int columns_open(struct columns *c, const struct sink_options *opt)
{
	unsigned int i, usual;

	c->v = calloc(opt->n_fields, sizeof(*c->v));
	if (!c->v)
		return fail(ENOMEM, "table");
	c->n = opt->n_fields;
	c->limit = opt->width;
	c->utf8 = opt->utf8;
	for (i = 0; i < c->n; i++) {
		const struct field *f = field_get(opt->fields[i]);
		struct column *col = &c->v[i];

		col->whole = opt->people && (f->type == FT_TIME || (is_large(f->type) && f->metric != METRIC_LABEL));
		usual = col->whole && f->type != FT_TIME ? people_width(f) : usual_width(f->type, opt->time);
		if (opt->people)
			people_title(col->title, sizeof(col->title), f);
		else
			snprintf(col->title, sizeof(col->title), "%s", f->name);
		col->right = fmt_is_number(f->type);
		col->width = (unsigned int)strlen(col->title);
		if (col->width < usual)
			col->width = usual;
	}
	if (c->limit)
		shrink_to_fit(c);
	return 0;
}

void columns_close(struct columns *c)
{
	free(c->v);
	c->v = NULL;
	c->n = 0;
}

void columns_begin(struct columns *c)
{
	c->at = c->pad = 0;
}

static unsigned int grow(const struct columns *c, unsigned int width, unsigned int wanted)
{
	unsigned int total, room;

	if (wanted > COLUMN_MAX)
		wanted = COLUMN_MAX;
	if (wanted <= width || !c->limit)
		return wanted > width ? wanted : width;
	total = columns_width(c);
	room = c->limit > total ? c->limit - total : 0;
	return wanted - width < room ? wanted : width + room;
}

/* Cells left on the line for the column that comes next, when even the least do not fit. */
static unsigned int cells_left(const struct columns *c, unsigned int at, unsigned int width)
{
	unsigned int i, before = 0;

	if (!c->limit)
		return width;
	for (i = 0; i < at; i++)
		before += c->v[i].width + COLUMN_GAP;
	if (before >= c->limit)
		return 0;
	return c->limit - before < width ? c->limit - before : width;
}

static void put_spaces(struct buf *b, unsigned int n)
{
	if (!n || !buf_room(b, n))
		return;
	memset(b->p + b->n, ' ', n);
	b->n += n;
}

/* At most `cells` of the text, the last of them a mark when some is missing. */
static unsigned int put_cut(const struct columns *c, struct buf *b, const char *p, size_t n,
			    unsigned int cells)
{
	unsigned int used;
	size_t fits = width_fit(p, n, cells - 1, &used);

	buf_add(b, p, fits);
	buf_str(b, c->utf8 ? "\xe2\x80\xa6" : "~");
	return used + 1;
}

void columns_cell(struct columns *c, struct buf *b, const char *p, size_t n)
{
	struct column *col = &c->v[c->at];
	unsigned int cells, used = width_text(p, n);

	col->width = grow(c, col->width, used);
	cells = cells_left(c, c->at, col->width);
	if (c->at++)
		c->pad += COLUMN_GAP;
	if (!n || !cells || (col->whole && c->limit && used > cells)) {
		c->pad += cells;
		return;
	}
	if (col->right && used < cells) {
		c->pad += cells - used;
		cells = used;
	}
	put_spaces(b, c->pad);
	if (c->limit && used > cells)
		used = put_cut(c, b, p, n, cells);
	else
		buf_add(b, p, n);
	c->pad = used < cells ? cells - used : 0;
}

void columns_span(struct columns *c, struct buf *b, const char *p, size_t n)
{
	if (c->limit && width_text(p, n) > c->limit)
		put_cut(c, b, p, n, c->limit);
	else
		buf_add(b, p, n);
}

void columns_titles(struct columns *c, struct buf *b)
{
	unsigned int i;

	columns_begin(c);
	for (i = 0; i < c->n; i++)
		columns_cell(c, b, c->v[i].title, strlen(c->v[i].title));
	buf_chr(b, '\n');
}
