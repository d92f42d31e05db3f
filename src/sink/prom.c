// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/fmt.h"
#include "sink/name.h"
#include "sink/out.h"

/*
 * OpenMetrics 1.0, for whoever collects metrics.  Samples of a family must stand together, and a set of labels
 * once, so a set of rows is kept until it is whole and then written as one exposition.  The tables of dataset.h
 * tell what is a counter, a gauge or a label.  What was lost is told in parts, and is added up from the beginning.
 */
enum {
	FAMILIES = 64,
	TEXT_MAX = 256 << 20,		/* labels of a set of rows */
	CHUNK = 32 << 10,		/* committed at once */
};

struct family {
	const struct dataset *set;
	const struct field *field;	/* NULL: rows without numbers, each worth 1 */
	char name[64];
};

struct sample {
	uint32_t at, len;		/* labels, in store.text */
	uint16_t family;
	uint64_t n;
};

struct store {
	struct buf text;
	struct sample *v;
	size_t n, room;
};

struct prom {
	struct sink s;
	struct time_cache time;
	struct buf cell;
	struct family families[FAMILIES];
	unsigned int n_families;
	struct store rows, losses;
	bool written;			/* an exposition is, and nothing came since */
	bool told;			/* something came, were it that there are no rows */
	bool begins;			/* the next row is the first of a set */
};

/* Of its own, or of all: what a row is about.  Not when it was, what it is called, and what is measured. */
static bool is_label(const struct field *f)
{
	return f->metric == METRIC_LABEL && f->type != FT_TIME && f->type != FT_ITEMS && f->type != FT_MAP &&
	       f->type != FT_COUNTS && strncmp(f->name, "event.", 6) && strncmp(f->name, "frame.", 6) &&
	       strcmp(f->name, "truncated");
}

/* \, " and line ends have a backslash, in label values and in help. */
static void put_escaped(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\' || p[i] == '"' || p[i] == '\n')
			buf_chr(b, '\\');
		buf_chr(b, p[i] == '\n' ? 'n' : p[i]);
	}
}

static void put_label(struct prom *m, struct buf *b, const char *name, const struct field *f, const void *at)
{
	m->cell.n = 0;
	fmt_value(&m->cell, &m->time, f->type, at, f->items);
	fmt_seal(&m->cell);
	if (!m->cell.n)
		return;
	buf_str(b, name);
	buf_lit(b, "=\"");
	put_escaped(b, m->cell.p, m->cell.n);
	buf_lit(b, "\",");
}

/* name="value",name="value", of all that the record is about. */
static void put_labels(struct prom *m, struct buf *b, const struct record *r)
{
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);
	char name[64];

	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (!record_has(r, order[i]) || !is_label(f))
			continue;
		name_label(name, sizeof(name), f->name);
		put_label(m, b, name, f, record_at(r, order[i]));
	}
}

/* Its number; negative: there are too many. */
static int family_of(struct prom *m, const struct dataset *set, const struct field *field)
{
	struct family *f = m->families;
	unsigned int i = 0;

	while (i < m->n_families && (f[i].set != set || f[i].field != field))
		i++;
	if (i < m->n_families)
		return (int)i;
	if (i == FAMILIES)
		return -1;
	f[i].set = set;
	f[i].field = field;
	if (field)
		name_metric(f[i].name, sizeof(f[i].name), field->name);
	else
		snprintf(f[i].name, sizeof(f[i].name), "%s_info", set->name);
	m->n_families++;
	return (int)i;
}

static bool add_sample(struct store *s, int family, size_t at, size_t len, uint64_t n)
{
	if (family < 0 || s->text.full || at + len > UINT32_MAX)
		return false;
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct sample *v = realloc(s->v, room * sizeof(*v));

		if (!v)
			return false;
		s->v = v;
		s->room = room;
	}
	s->v[s->n++] = (struct sample){ (uint32_t)at, (uint32_t)len, (uint16_t)family, n };
	return true;
}

/* A counter for each name: stats.by_transport has the label transport. */
static bool add_counts(struct prom *m, struct store *s, const struct record *r, const struct field *f, size_t at,
		       size_t len, const struct list *l)
{
	const char *by = strstr(f->name, ".by_");
	const struct named_count *c = l->p;
	bool added = true;

	for (uint32_t i = 0; i < l->n && added; i++, c++) {
		size_t from = s->text.n;

		if (!buf_room(&s->text, len))
			return false;
		buf_add(&s->text, s->text.p + at, len);
		buf_str(&s->text, by ? by + 4 : "name");
		buf_lit(&s->text, "=\"");
		put_escaped(&s->text, c->name, strlen(c->name));
		buf_lit(&s->text, "\",");
		added = add_sample(s, family_of(m, r->set, f), from, s->text.n - from, c->n);
	}
	return added;
}

static uint64_t number_at(const struct field *f, const void *at)
{
	switch (f->type) {
	case FT_BOOL:
		return *(const bool *)at;
	case FT_U8:
		return *(const uint8_t *)at;
	case FT_U16:
		return *(const uint16_t *)at;
	case FT_U32:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

/* All that the record measures. */
static bool add_record(struct prom *m, struct store *s, const struct record *r)
{
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);
	size_t at = s->text.n, len;
	bool added = true, any = false;

	put_labels(m, &s->text, r);
	len = s->text.n - at;
	for (unsigned int i = 0; i < n && added; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (f->metric == METRIC_LABEL || !record_has(r, order[i]))
			continue;
		any = true;
		if (f->type == FT_COUNTS)
			added = add_counts(m, s, r, f, at, len, record_at(r, order[i]));
		else
			added = add_sample(s, family_of(m, r->set, f), at, len, number_at(f, record_at(r, order[i])));
	}
	return any || !added ? added : add_sample(s, family_of(m, r->set, NULL), at, len, 1);
}

static void clear(struct store *s)
{
	s->n = s->text.n = 0;
	s->text.full = false;
}

static int by_family(const void *a, const void *b, void *text)
{
	const struct sample *x = a, *y = b;
	const char *p = text;
	uint32_t least = x->len < y->len ? x->len : y->len;
	int order;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	order = least ? memcmp(p + x->at, p + y->at, least) : 0;
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* In order, and what is the same to whoever reads it once: two interfaces may have one name. */
static void sort(const struct prom *m, struct store *s)
{
	size_t n = 0;

	if (!s->n)
		return;
	qsort_r(s->v, s->n, sizeof(*s->v), by_family, s->text.p);
	for (size_t i = 1; i < s->n; i++) {
		const struct family *f = &m->families[s->v[i].family];

		if (by_family(&s->v[n], &s->v[i], s->text.p))
			s->v[++n] = s->v[i];
		else if (f->field && f->field->type != FT_BOOL)
			s->v[n].n += s->v[i].n;
	}
	s->n = n + 1;
}

/* The last one, which has one number, to what is there of it. */
static void add_up(struct store *s)
{
	const struct sample *last = &s->v[s->n - 1];

	for (size_t i = 0; i + 1 < s->n; i++) {
		if (by_family(&s->v[i], last, s->text.p))
			continue;
		s->v[i].n += last->n;
		s->text.n = last->at;
		s->n--;
		return;
	}
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void put_head(struct buf *b, const struct family *f)
{
	const char *help = f->field ? f->field->help : "what is known of each is in the labels";

	buf_fmt(b, "# TYPE netprobe_%s %s\n", f->name,
		f->field && f->field->metric == METRIC_COUNTER ? "counter" : "gauge");
	if (ends_with(f->name, "bytes"))
		buf_fmt(b, "# UNIT netprobe_%s bytes\n", f->name);
	buf_fmt(b, "# HELP netprobe_%s ", f->name);
	put_escaped(b, help, strlen(help));
	buf_chr(b, '\n');
}

static void put_sample(struct buf *b, const struct family *f, const struct store *s, const struct sample *v)
{
	buf_lit(b, "netprobe_");
	buf_str(b, f->name);
	if (f->field && f->field->metric == METRIC_COUNTER)
		buf_lit(b, "_total");
	if (v->len) {
		buf_chr(b, '{');
		buf_add(b, s->text.p + v->at, v->len - 1);	/* but the last comma */
		buf_chr(b, '}');
	}
	buf_chr(b, ' ');
	buf_u64(b, v->n);
	buf_chr(b, '\n');
}

static int put_store(struct prom *m, struct store *s)
{
	struct out *o = m->s.out;
	int last = -1, err = 0;

	sort(m, s);
	for (size_t i = 0; i < s->n && !err; i++) {
		if (s->v[i].family != last)
			put_head(&o->buf, &m->families[s->v[i].family]);
		last = s->v[i].family;
		put_sample(&o->buf, &m->families[last], s, &s->v[i]);
		if (o->buf.n - o->committed >= CHUNK)
			err = out_commit(o);
	}
	return err;
}

/* Rows stay until the next come: what is lost after them is told together with them. */
static int put_exposition(struct prom *m)
{
	int err = put_store(m, &m->rows);

	if (!err)
		err = put_store(m, &m->losses);
	if (err)
		return err;
	m->written = m->begins = true;
	buf_lit(&m->s.out->buf, "# EOF\n");
	return out_commit(m->s.out);
}

static int prom_open(struct sink *s)
{
	struct prom *m = (struct prom *)s;

	m->cell.max = FMT_CELL_MAX;
	m->rows.text.max = m->losses.text.max = TEXT_MAX;
	return 0;
}

static int prom_record(struct sink *s, const struct record *r)
{
	struct prom *m = (struct prom *)s;
	bool is_loss = r->set == &lost_dataset, added;

	if (!is_loss && m->begins) {
		clear(&m->rows);
		m->begins = false;
	}
	m->written = false;
	m->told = true;
	added = add_record(m, is_loss ? &m->losses : &m->rows, r);
	if (added && is_loss)
		add_up(&m->losses);
	if (added)
		return 0;
	s->out->buf.full = true;	/* no room: out_commit() says so */
	return out_commit(s->out);
}

static int prom_rows_end(struct sink *s)
{
	struct prom *m = (struct prom *)s;

	/* None came: those of before are no more. */
	if (m->begins)
		clear(&m->rows);
	m->begins = m->told = true;
	return s->opt.series ? put_exposition(m) : 0;
}

static int prom_finish(struct sink *s)
{
	struct prom *m = (struct prom *)s;

	return m->written || !m->told ? 0 : put_exposition(m);	/* not "no metrics" where nothing could be read */
}

static void prom_free(struct sink *s)
{
	struct prom *m = (struct prom *)s;

	buf_free(&m->cell);
	buf_free(&m->rows.text);
	buf_free(&m->losses.text);
	free(m->rows.v);
	free(m->losses.v);
}

const struct sink_ops sink_prom = {
	.name = "prom",
	.size = sizeof(struct prom),
	.open = prom_open,
	.record = prom_record,
	.rows_end = prom_rows_end,
	.finish = prom_finish,
	.free = prom_free,
};
