// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink.h"

#include <string.h>

#include "sink/fmt.h"
#include "sink/jtext.h"
#include "sink/out.h"

/*
 * RFC 4180, with lines that end in LF alone, as text does here.  An absent field
 * is an empty cell.  Lists are joined by spaces; lists of structs are JSON text.
 * Text is escaped as in tables, so a row is a line.
 */
enum {
	CELL_LIMIT = FMT_CELL_MAX - JSON_ITEM_MAX,	/* of JSON text in a cell */
	COLUMNS_MAX = 64,
};

struct csv {
	struct sink s;
	struct time_cache time;
	struct buf cell;
	uint16_t columns[COLUMNS_MAX];	/* unless -o chooses */
	unsigned int n;
};

/* What any record can be told apart by; what each kind is about follows, by its dataset's columns. */
static const uint16_t common_columns[] = {
	FIELD_TIME, FIELD_DATASET, FIELD_ACTION, FIELD_INTERFACE, FIELD_DIRECTION,
	FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT,
	FIELD_FRAME_NUMBER, FIELD_FRAME_LEN, FIELD_TCP_FLAGS,
};

static void add_columns(struct csv *c, const struct dataset *set)
{
	for (const uint16_t *p = set->columns; p && *p && c->n < COLUMNS_MAX; p++)
		c->columns[c->n++] = field_number(set, *p);
}

/* Protocols, the highest layer first, and then what is ours. */
static void choose_columns(struct csv *c)
{
	for (c->n = 0; c->n < sizeof(common_columns) / sizeof(common_columns[0]); c->n++)
		c->columns[c->n] = common_columns[c->n];
	for (unsigned int i = n_datasets; i-- > 0;)
		if (datasets[i]->is_protocol)
			add_columns(c, datasets[i]);
	for (unsigned int i = 0; i < n_datasets; i++)
		if (!datasets[i]->is_protocol)
			add_columns(c, datasets[i]);
}

static unsigned int columns(const struct sink *s, const uint16_t **fields)
{
	const struct csv *c = (const struct csv *)s;

	*fields = s->opt.n_fields ? s->opt.fields : c->columns;
	return s->opt.n_fields ? s->opt.n_fields : c->n;
}

/*
 * Spreadsheets run a cell that begins like a formula, some with the full-width
 * forms (U+FF1D, FF0B, FF0D, FF20) too.  Tab and CR never get here: escaped.
 */
static bool looks_like_formula(const char *p, size_t n)
{
	if (!n)
		return false;
	if (memchr("=+-@", p[0], 4))
		return true;
	return n >= 3 && (!memcmp(p, "\xef\xbc\x9d", 3) || !memcmp(p, "\xef\xbc\x8b", 3) ||
			  !memcmp(p, "\xef\xbc\x8d", 3) || !memcmp(p, "\xef\xbc\xa0", 3));
}

static void put_quoted(struct buf *b, const char *p, size_t n)
{
	size_t i;

	buf_chr(b, '"');
	if (looks_like_formula(p, n))
		buf_chr(b, '\'');
	for (i = 0; i < n; i++) {
		if (p[i] == '"')
			buf_chr(b, '"');
		buf_chr(b, p[i]);
	}
	buf_chr(b, '"');
}

/* Text that may be anything: quoted where RFC 4180 or a careless reader wants it. */
static void put_text(struct buf *b, const char *p, size_t n)
{
	if (!n)
		return;
	if (memchr(p, '"', n) || memchr(p, ',', n) || p[0] == ' ' || p[n - 1] == ' ') {
		put_quoted(b, p, n);
		return;
	}
	if (looks_like_formula(p, n))
		buf_chr(b, '\'');
	buf_add(b, p, n);
}

static void put_json(struct csv *c, const void *at, const struct item_table *items)
{
	struct json_writer w = { .time = &c->time };

	if (!buf_room(&c->cell, CELL_LIMIT + JSON_ITEM_MAX))
		return;
	w.o = c->cell.p;
	w.limit = w.o + CELL_LIMIT;
	json_value(&w, FT_ITEMS, at, items);
	c->cell.n = (size_t)(w.o - c->cell.p);
	c->cell.full = w.cut;
}

static void put_cell(struct csv *c, struct buf *b, const struct record *r, unsigned int number)
{
	const struct field *field = field_get(number);
	const void *at = record_value(r, number);

	if (!at)
		return;
	if (field->type < FT_STR) {
		fmt_value(b, &c->time, field->type, at, NULL);
		return;
	}
	c->cell.n = 0;
	if (field->type == FT_ITEMS)
		put_json(c, at, field->items);
	else
		fmt_value(&c->cell, &c->time, field->type, at, NULL);
	fmt_seal(&c->cell);
	put_text(b, c->cell.p, c->cell.n);
}

static int csv_open(struct sink *s)
{
	struct buf *b = &s->out->buf;
	const uint16_t *fields;
	unsigned int n, i;

	choose_columns((struct csv *)s);
	n = columns(s, &fields);
	((struct csv *)s)->cell.max = FMT_CELL_MAX;
	if (!s->opt.header)
		return 0;
	for (i = 0; i < n; i++) {
		if (i)
			buf_chr(b, ',');
		buf_str(b, field_get(fields[i])->name);
	}
	buf_chr(b, '\n');
	return out_commit(s->out);
}

static int csv_record(struct sink *s, const struct record *r)
{
	struct buf *b = &s->out->buf;
	const uint16_t *fields;
	unsigned int n = columns(s, &fields), i;
	size_t start = b->n;

	for (i = 0; i < n; i++) {
		if (i)
			buf_chr(b, ',');
		put_cell((struct csv *)s, b, r, fields[i]);
	}
	/* Readers take an empty line for no row at all. */
	if (b->n == start)
		buf_lit(b, "\"\"");
	buf_chr(b, '\n');
	return out_commit(s->out);
}

static void csv_free(struct sink *s)
{
	buf_free(&((struct csv *)s)->cell);
}

const struct sink_ops sink_csv = {
	.name = "csv",
	.size = sizeof(struct csv),
	.open = csv_open,
	.record = csv_record,
	.free = csv_free,
};
