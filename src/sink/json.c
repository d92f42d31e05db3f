// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/jtext.h"
#include "sink/out.h"

/*
 * JSON Lines: one object a line, at most JSON_LINE_MAX bytes, dots in names
 * being levels.  Records with the same fields have the same text between their
 * values: braces that close, a comma, parents that open, the key.  It is worked
 * out once for a set of fields and kept, a few sets at a time.
 */
enum {
	GLUE_MAX = 64,		/* `}},"icmp":{"original":{"source":{"port":` and the like */
	DEPTH_MAX = 4,		/* levels of parents */
	PLANS = 64,		/* a new set takes the place of the one with the same hash */
	SPARE = 2 * JSON_ITEM_MAX + 64,	/* what a last item, braces and `truncated` take */
};

_Static_assert(FIELD_WORDS * 64 * (GLUE_MAX + JSON_FIXED_MAX) + SPARE < JSON_LINE_MAX,
	       "a line of every field may not fit");

struct step {
	char glue[GLUE_MAX];		/* what stands before the value */
	const struct item_table *items;
	uint8_t len;
	uint8_t type;			/* enum field_type */
	uint16_t field;			/* its id */
	uint16_t off;
};

struct plan {
	const struct dataset *set;	/* NULL: an empty place */
	uint64_t present[FIELD_WORDS];
	unsigned int n, depth;		/* depth: braces to close at the end */
	uint32_t reserve;		/* of a line, for all but texts and lists */
	struct step *steps;
};

struct json {
	struct sink s;
	struct time_cache time;
	bool any;			/* a record is in this document: pretty */
	struct buf line;		/* pretty: the record on one line */
	struct plan plans[PLANS];
};

static inline bool has_bit(const uint64_t *set, unsigned int i)
{
	return set[i >> 6] >> (i & 63) & 1;
}

static unsigned int count_dots(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == '.';
	return n;
}

/* From field `prev` (a name; "" at the start) to the value of `name`. */
static bool make_glue(struct step *st, const char *prev, const char *name)
{
	struct buf b = { .p = st->glue, .cap = GLUE_MAX, .max = GLUE_MAX };
	size_t common = field_parents(prev, name);
	unsigned int close = count_dots(prev + common);
	const char *from = name + common, *dot;

	while (close--)
		buf_chr(&b, '}');
	buf_chr(&b, *prev ? ',' : '{');
	for (; (dot = strchr(from, '.')); from = dot + 1) {
		buf_chr(&b, '"');
		buf_add(&b, from, (size_t)(dot - from));
		buf_lit(&b, "\":{");
	}
	buf_chr(&b, '"');
	buf_str(&b, from);
	buf_lit(&b, "\":");
	st->len = (uint8_t)b.n;
	return !b.full;
}

/* -o chooses what to see; it does not hide a loss. */
static bool is_wanted(const struct json *j, const struct dataset *set, unsigned int id)
{
	const struct sink_options *o = &j->s.opt;
	uint16_t number;

	if (!o->n_fields || set == &lost_dataset)
		return id != FIELD_TRUNCATED;
	number = field_number(set, id);
	for (unsigned int i = 0; i < o->n_fields; i++)
		if (o->fields[i] == number)
			return id != FIELD_TRUNCATED;
	return false;
}

static unsigned int count_bits(const uint64_t *set)
{
	unsigned int n = 0;

	for (int i = 0; i < FIELD_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(set[i]);
	return n;
}

/* -ENOMEM. */
static int make_plan(const struct json *j, struct plan *p, const struct dataset *set, const uint64_t *present)
{
	const char *prev = "";
	unsigned int n;
	const uint16_t *order = dataset_order(set, &n);

	free(p->steps);
	*p = (struct plan){ .set = NULL, .steps = malloc((count_bits(present) + 1) * sizeof(struct step)) };
	if (!p->steps)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(set, order[i]);
		struct step *st = &p->steps[p->n];

		if (!has_bit(present, order[i]) || !is_wanted(j, set, order[i]) || !make_glue(st, prev, f->name))
			continue;
		st->type = (uint8_t)f->type;
		st->field = order[i];
		st->off = f->off;
		st->items = f->items;
		p->reserve += st->len + JSON_FIXED_MAX;
		prev = f->name;
		p->n++;
	}
	p->reserve += SPARE;
	p->depth = count_dots(prev);
	memcpy(p->present, present, sizeof(p->present));
	p->set = set;
	return 0;
}

/* NULL: no memory. */
static const struct plan *find_plan(struct json *j, const struct dataset *set, const uint64_t *present)
{
	uint64_t hash = set->id, other = 0;
	struct plan *p;

	/* No product waits for another. */
	for (int i = 0; i < FIELD_WORDS; i++)
		hash += (present[i] ^ present[i] >> 29) * (0x9e3779b97f4a7c15 + 2u * (unsigned int)i);
	p = &j->plans[hash >> 32 & (PLANS - 1)];
	for (int i = 0; i < FIELD_WORDS; i++)
		other |= p->present[i] ^ present[i];
	if ((other || p->set != set) && make_plan(j, p, set, present))
		return NULL;
	return p;
}

static int json_open(struct sink *s)
{
	struct json *j = (struct json *)s;

	if (!s->opt.pretty)
		return 0;
	j->any = false;
	buf_chr(&s->out->buf, '[');
	return out_commit(s->out);
}

static inline char *put_glue(char *o, const struct step *st)
{
	memcpy(o, st->glue, GLUE_MAX / 2);
	if (st->len > GLUE_MAX / 2)
		memcpy(o + GLUE_MAX / 2, st->glue + GLUE_MAX / 2, GLUE_MAX / 2);
	return o + st->len;
}

/*
 * Writes the object.  Returns -1, or the field that must be left out of it: an
 * address without a family, a text or list when the line is full.
 */
static int put_fields(struct json_writer *w, const struct plan *p, const struct record *r)
{
	const struct step *st = p->steps, *end = st + p->n;

	for (; st < end; st++) {
		const void *at = (const char *)r + st->off;

		if (st->type == FT_ADDR && !((const struct addr *)at)->family)
			return st->field;
		if (st->type >= FT_STR && w->o >= w->limit) {
			w->cut = true;
			return st->field;
		}
		w->o = put_glue(w->o, st);
		json_value(w, st->type, at, st->items);
	}
	memcpy(w->o, "}}}}", DEPTH_MAX);
	w->o += p->depth;
	return -1;
}

/* Appends the record as one object, without a newline. */
static void put_record(struct json *j, struct buf *b, const struct record *r)
{
	struct json_writer w = { .time = &j->time };
	uint64_t present[FIELD_WORDS];
	const struct plan *p;
	int without;
	char *start;

	if (!buf_room(b, JSON_LINE_MAX + 2 * GLUE_MAX))
		return;
	start = b->p + b->n;
	memcpy(present, r->present, sizeof(present));
	/* Rare, and once a field at most: begin again with less. */
	do {
		p = find_plan(j, r->set, present);
		if (!p) {
			b->full = true;
			return;
		}
		w.limit = start + JSON_LINE_MAX - p->reserve;
		w.o = start;
		without = put_fields(&w, p, r);
		if (without >= 0)
			present[without >> 6] &= ~(1ull << (without & 63));
	} while (without >= 0);
	if (w.cut || (record_has(r, FIELD_TRUNCATED) && r->truncated)) {
		static const char key[] = "\"truncated\":true";

		*w.o++ = p->n ? ',' : '{';
		memcpy(w.o, key, sizeof(key) - 1);
		w.o += sizeof(key) - 1;
	} else if (!p->n) {
		*w.o++ = '{';
	}
	*w.o++ = '}';
	b->n += (size_t)(w.o - start);
}

static int json_record(struct sink *s, const struct record *r)
{
	struct json *j = (struct json *)s;
	struct buf *b = &s->out->buf;

	if (!s->opt.pretty) {
		put_record(j, b, r);
		buf_chr(b, '\n');
		return out_commit(s->out);
	}
	j->line.n = 0;
	put_record(j, &j->line, r);
	b->full |= j->line.full;
	if (j->any)
		buf_chr(b, ',');
	json_line_break(b, 1);
	json_indent(b, j->line.p, j->line.n, 1);
	j->any |= !b->full;
	return out_commit(s->out);
}

static int json_finish(struct sink *s)
{
	struct json *j = (struct json *)s;

	if (!s->opt.pretty)
		return 0;
	if (j->any)
		buf_chr(&s->out->buf, '\n');
	buf_lit(&s->out->buf, "]\n");
	return out_commit(s->out);
}

static void json_free(struct sink *s)
{
	struct json *j = (struct json *)s;

	for (int i = 0; i < PLANS; i++)
		free(j->plans[i].steps);
	buf_free(&j->line);
}

const struct sink_ops sink_json = {
	.name = "json",
	.size = sizeof(struct json),
	.open = json_open,
	.record = json_record,
	.finish = json_finish,
	.free = json_free,
};
