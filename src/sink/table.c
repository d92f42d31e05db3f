// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/table.h"

#include <string.h>

#include "sink/dump.h"
#include "sink/fmt.h"
#include "sink/out.h"
#include "sink/people.h"
#include "util/time.h"

static const char color_off[] = "\033[0m";

/* Few, and only what wants to be seen. */
static const char *const colors[] = {
	[TONE_PLAIN] = NULL,
	[TONE_NAME] = "\033[36m",
	[TONE_DROP] = "\033[31m",
	[TONE_LOSS] = "\033[1;33m",
};

static unsigned int put_stamp(struct table *t, char *o, uint64_t ns)
{
	switch (t->s.opt.time) {
	case TIME_LOCAL:
		return time_local(&t->time, o, ns);
	case TIME_RFC3339:
		return time_utc(&t->time, o, ns);
	case TIME_EPOCH:
		return time_epoch(o, ns);
	case TIME_DATE:
		return time_date(&t->time, o, ns);
	case TIME_DELTA:
		return time_span(o, t->prev_ns, ns);
	case TIME_REL:
		return time_span(o, t->first_ns, ns);
	case TIME_NONE:
		break;
	}
	return 0;
}

/* tcpdump's "%5u  ". */
static void put_number(struct buf *b, uint64_t number)
{
	uint64_t least;

	for (least = 10000; number < least && least > 1; least /= 10)
		buf_chr(b, ' ');
	buf_u64(b, number);
	buf_lit(b, "  ");
}

/* Without a line printer: every field by name. */
static void put_plain(struct table *t, struct buf *b, const struct record *r)
{
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);

	buf_str(b, r->dataset);
	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (order[i] == FIELD_TIME || order[i] == FIELD_DATASET || !record_has(r, order[i]))
			continue;
		buf_chr(b, ' ');
		buf_str(b, f->name);
		buf_chr(b, '=');
		fmt_value(b, &t->time, f->type, record_at(r, order[i]), f->items);
	}
}

static void put_line(struct table *t, struct buf *b, const struct record *r)
{
	if (r->set == &lost_dataset)
		r->set->line(NULL, r, b);
	else if (t->s.opt.line)
		t->s.opt.line(t->s.opt.line_state, r, b);
	else
		put_plain(t, b, r);
}

static void put_dump(struct table *t, struct buf *b, const struct record *r)
{
	const struct frame *f = r->frame;
	const struct sink_options *opt = &t->s.opt;
	uint32_t skip;

	if (!f || !(opt->hex || opt->ascii || opt->ascii_hex))
		return;
	skip = opt->hex_link ? 0 : dump_link_len(f, r->net_off);
	if (opt->ascii_hex || opt->hex)
		dump_hex(b, f->data + skip, f->cap_len - skip, opt->ascii_hex);
	else
		dump_ascii(b, f->data + skip, f->cap_len - skip);
}

static void trim_spaces(struct buf *b, size_t start)
{
	while (b->n > start && b->p[b->n - 1] == ' ')
		b->n--;
}

static void print_line(struct table *t, struct buf *b, const struct record *r)
{
	const char *color = t->s.opt.color ? colors[r->set->tone] : NULL;
	size_t start;

	if (t->s.opt.number)
		put_number(b, record_has(r, FIELD_FRAME_NUMBER) ? r->frame_number : t->s.written + 1);
	if (t->s.opt.time != TIME_NONE && buf_room(b, TIME_TEXT_MAX + 1)) {
		b->n += put_stamp(t, b->p + b->n, r->time_ns);
		b->p[b->n++] = ' ';
	}
	if (color)
		buf_str(b, color);
	start = b->n;
	put_line(t, b, r);
	trim_spaces(b, start);
	if (!t->s.opt.utf8)
		fmt_ascii(b, start);
	if (color)
		buf_str(b, color_off);
	buf_chr(b, '\n');
	put_dump(t, b, r);
}

static void put_cell(struct table *t, struct buf *b, const struct record *r, uint16_t f)
{
	const struct field *field = field_get(f);
	const void *at = record_value(r, f);
	const uint64_t *ns = field->type == FT_TIME ? at : NULL;

	t->cell.n = 0;
	if (t->s.opt.people && !at)
		buf_chr(&t->cell, '-');
	else if (t->s.opt.people && field->metric != METRIC_LABEL)
		people_value(&t->cell, field, at);
	else if (field->type != FT_TIME)
		fmt_field(&t->cell, &t->time, r, f);
	else if (ns && buf_room(&t->cell, TIME_TEXT_MAX))
		t->cell.n = put_stamp(t, t->cell.p, *ns);
	if (!t->s.opt.utf8)
		fmt_ascii(&t->cell, 0);
	fmt_seal(&t->cell);
	columns_cell(&t->columns, b, t->cell.p, t->cell.n);
}

/* -o chooses what to see; it does not hide a loss. */
static bool shows_loss(const struct table *t)
{
	unsigned int i;

	for (i = 0; i < t->s.opt.n_fields; i++)
		if (t->s.opt.fields[i] == field_number(&lost_dataset, FIELD_LOST_COUNT))
			return true;
	return false;
}

static void print_row(struct table *t, struct buf *b, const struct record *r)
{
	const char *color = t->s.opt.color ? colors[r->set->tone] : NULL;
	unsigned int i;
	size_t start;

	if (color)
		buf_str(b, color);
	start = b->n;
	columns_begin(&t->columns);
	if (r->set == &lost_dataset && !shows_loss(t)) {
		t->cell.n = 0;
		r->set->line(NULL, r, &t->cell);
		columns_span(&t->columns, b, t->cell.p, t->cell.n);
	} else {
		for (i = 0; i < t->s.opt.n_fields; i++)
			put_cell(t, b, r, t->s.opt.fields[i]);
	}
	trim_spaces(b, start);
	if (color)
		buf_str(b, color_off);
	buf_chr(b, '\n');
}

static int table_open(struct sink *s)
{
	struct table *t = (struct table *)s;
	int rc;

	t->cell.max = FMT_CELL_MAX;
	if (!s->opt.n_fields)
		return 0;
	if (!t->columns.n) {
		rc = columns_open(&t->columns, &s->opt);
		if (rc)
			return rc;
	}
	if (!s->opt.header)
		return 0;
	columns_titles(&t->columns, &s->out->buf);
	return out_commit(s->out);
}

void table_put(struct table *t, struct buf *b, const struct record *r)
{
	if (!t->any)
		t->first_ns = t->prev_ns = r->time_ns;
	t->any = true;
	if (t->s.opt.n_fields)
		print_row(t, b, r);
	else
		print_line(t, b, r);
	t->prev_ns = r->time_ns;
}

static int table_record(struct sink *s, const struct record *r)
{
	table_put((struct table *)s, &s->out->buf, r);
	return out_commit(s->out);
}

void table_free(struct sink *s)
{
	struct table *t = (struct table *)s;

	columns_close(&t->columns);
	buf_free(&t->cell);
}

const struct sink_ops sink_table = {
	.name = "table",
	.size = sizeof(struct table),
	.open = table_open,
	.record = table_record,
	.free = table_free,
};
