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
enum { CELL_LIMIT = FMT_CELL_MAX - JSON_ITEM_MAX };	/* of JSON text in a cell */

struct csv {
	struct sink s;
	struct time_cache time;
	struct buf cell;
};

/* What any record can be told apart by, and what each kind is about. */
static const uint16_t default_fields[] = {
	FIELD_TIME, FIELD_DATASET, FIELD_ACTION, FIELD_INTERFACE, FIELD_DIRECTION,
	FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT,
	FIELD_FRAME_NUMBER, FIELD_FRAME_LEN, FIELD_TCP_FLAGS,
	FIELD_DNS_QUESTION_NAME, FIELD_DNS_QUESTION_TYPE, FIELD_DNS_RESPONSE_CODE,
	FIELD_ICMP_TYPE, FIELD_ICMP_CODE, FIELD_ARP_OPCODE,
	FIELD_DROP_REASON, FIELD_DROP_LOCATION,
	FIELD_LOST_STAGE, FIELD_LOST_REASON, FIELD_LOST_COUNT,
};

static unsigned int columns(const struct sink *s, const uint16_t **fields)
{
	*fields = s->opt.n_fields ? s->opt.fields : default_fields;
	return s->opt.n_fields ? s->opt.n_fields : sizeof(default_fields) / sizeof(default_fields[0]);
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

static void put_cell(struct csv *c, struct buf *b, const struct record *r, enum field_id f)
{
	const struct field *field = &record_fields[f];

	if (!record_has(r, f))
		return;
	if (field->type < FT_STR) {
		fmt_field(b, &c->time, r, f);
		return;
	}
	c->cell.n = 0;
	if (field->type == FT_ITEMS)
		put_json(c, record_at(r, f), field->items);
	else
		fmt_field(&c->cell, &c->time, r, f);
	fmt_seal(&c->cell);
	put_text(b, c->cell.p, c->cell.n);
}

static int csv_open(struct sink *s)
{
	struct buf *b = &s->out->buf;
	const uint16_t *fields;
	unsigned int n = columns(s, &fields), i;

	((struct csv *)s)->cell.max = FMT_CELL_MAX;
	if (!s->opt.header)
		return 0;
	for (i = 0; i < n; i++) {
		if (i)
			buf_chr(b, ',');
		buf_str(b, record_fields[fields[i]].name);
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
