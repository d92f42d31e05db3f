// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/fmt.h"

#include "util/addr.h"
#include "util/escape.h"
#include "util/real.h"
#include "util/utf8.h"

enum { DEFAULT_MAX = 1 << 20, LONGEST_ESCAPE = 10 };

void fmt_text(struct buf *b, const char *p, size_t n)
{
	size_t left = (b->max ? b->max : DEFAULT_MAX) - b->n, want = ESCAPE_MAX * n + 1, got;

	if (!n || !buf_room(b, want < left ? want : left) || !left)
		return;
	/* escape_text() ends with a NUL, which is not kept. */
	got = escape_text(b->p + b->n, b->cap - b->n, p, n, ESCAPE_FIELD);
	b->n += got;
	b->full |= want > left && got + LONGEST_ESCAPE >= left;
}

void fmt_seal(struct buf *cell)
{
	static const char mark[] = " truncated";

	if (!cell->full)
		return;
	cell->full = false;
	cell->max += sizeof(mark);
	buf_str(cell, mark);
	cell->max -= sizeof(mark);
}

static void put_list(struct buf *b, struct time_cache *time, enum field_type element, size_t size,
		     const struct list *l)
{
	const char *at = l->p;
	uint32_t i;

	for (i = 0; i < l->n; i++, at += size) {
		if (i)
			buf_chr(b, ' ');
		fmt_value(b, time, element, at, NULL);
	}
}

/* Values, of which there may be some only.  What is true or false says its name, or nothing. */
static void put_item(struct buf *b, struct time_cache *time, const struct item_table *t,
		     const char *item)
{
	uint32_t present;
	bool any = false;
	unsigned int i;

	memcpy(&present, item, sizeof(present));
	for (i = 0; i < t->n; i++) {
		bool named = t->rows[i].type == FT_BOOL;

		if (!(present >> i & 1) || (named && !*(const bool *)(item + t->rows[i].off)))
			continue;
		if (any)
			buf_chr(b, ' ');
		any = true;
		if (named)
			buf_str(b, t->rows[i].name);
		else
			fmt_value(b, time, t->rows[i].type, item + t->rows[i].off, NULL);
	}
}

static void put_items(struct buf *b, struct time_cache *time, const struct item_table *t,
		      const struct list *l)
{
	const char *at = l->p;
	uint32_t i;

	for (i = 0; i < l->n; i++, at += t->size) {
		if (i)
			buf_lit(b, ", ");
		put_item(b, time, t, at);
	}
}

static void put_counts(struct buf *b, const struct list *l)
{
	const struct named_count *c = l->p;

	for (uint32_t i = 0; i < l->n; i++, c++) {
		if (i)
			buf_chr(b, ' ');
		buf_str(b, c->name);
		buf_chr(b, '=');
		buf_u64(b, c->n);
	}
}

static void put_time(struct buf *b, struct time_cache *time, uint64_t ns)
{
	if (buf_room(b, TIME_TEXT_MAX))
		b->n += time_utc(time, b->p + b->n, ns);
}

static void put_signed(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_chr(b, '-');
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_real(struct buf *b, double v)
{
	if (buf_room(b, REAL_TEXT_MAX))
		b->n += real_text(b->p + b->n, v);
}

static void put_map(struct buf *b, const struct list *l)
{
	const struct pair *p = l->p;

	for (uint32_t i = 0; i < l->n; i++, p++) {
		if (i)
			buf_chr(b, ' ');
		fmt_text(b, p->key.p, p->key.n);
		buf_chr(b, '=');
		fmt_text(b, p->value.p, p->value.n);
	}
}

/* What is a list. */
static void put_many(struct buf *b, struct time_cache *time, enum field_type type, const struct list *l,
		     const struct item_table *items)
{
	switch (type) {
	case FT_U16S:
		put_list(b, time, FT_U16, sizeof(uint16_t), l);
		return;
	case FT_U32S:
		put_list(b, time, FT_U32, sizeof(uint32_t), l);
		return;
	case FT_WORDS:
		put_list(b, time, FT_WORD, sizeof(const char *), l);
		return;
	case FT_STRS:
		put_list(b, time, FT_STR, sizeof(struct str), l);
		return;
	case FT_ITEMS:
		put_items(b, time, items, l);
		return;
	case FT_COUNTS:
		put_counts(b, l);
		return;
	case FT_MAP:
		put_map(b, l);
		return;
	default:
		return;
	}
}

void fmt_value(struct buf *b, struct time_cache *time, enum field_type type, const void *at,
	       const struct item_table *items)
{
	const struct str *s = at;

	switch (type) {
	case FT_BOOL:
		buf_str(b, *(const bool *)at ? "true" : "false");
		return;
	case FT_U8:
		buf_u64(b, *(const uint8_t *)at);
		return;
	case FT_U16:
		buf_u64(b, *(const uint16_t *)at);
		return;
	case FT_U32:
		buf_u64(b, *(const uint32_t *)at);
		return;
	case FT_U64:
	case FT_DURATION:
		buf_u64(b, *(const uint64_t *)at);
		return;
	case FT_I32:
		put_signed(b, *(const int32_t *)at);
		return;
	case FT_I64:
		put_signed(b, *(const int64_t *)at);
		return;
	case FT_F64:
		put_real(b, *(const double *)at);
		return;
	case FT_TIME:
		put_time(b, time, *(const uint64_t *)at);
		return;
	case FT_ADDR:
		addr_print(b, at);
		return;
	case FT_MAC:
		mac_print(b, at);
		return;
	case FT_WORD:
		buf_str(b, *(const char *const *)at);
		return;
	case FT_STR:
		fmt_text(b, s->p, s->n);
		return;
	default:
		put_many(b, time, type, at, items);
		return;
	}
}

bool fmt_field(struct buf *b, struct time_cache *time, const struct record *r, unsigned int number)
{
	const struct field *f = field_get(number);
	const void *at = record_value(r, number);

	if (!at)
		return false;
	fmt_value(b, time, f->type, at, f->items);
	return true;
}

static bool is_ascii(const char *p, size_t n)
{
	while (n--)
		if ((uint8_t)*p++ >= 0x80)
			return false;
	return true;
}

void fmt_ascii(struct buf *b, size_t start)
{
	size_t end = b->n, i = start, len;
	uint32_t c;

	if (start == end || is_ascii(b->p + start, end - start))
		return;
	/* Written behind the text, then moved over it. */
	for (; i < end && !b->full; i += len ? len : 1) {
		c = (uint8_t)b->p[i];
		len = utf8_decode((const uint8_t *)b->p + i, end - i, &c);
		if (len == 1) {
			buf_chr(b, (char)c);
			continue;
		}
		buf_str(b, len ? "\\u{" : "\\x");
		buf_hex(b, c, len ? 4 : 2);
		if (len)
			buf_chr(b, '}');
	}
	memmove(b->p + start, b->p + end, b->n - end);
	b->n -= end - start;
}

bool fmt_is_number(enum field_type type)
{
	return type >= FT_U8 && type <= FT_F64;
}
