// SPDX-License-Identifier: GPL-2.0-or-later
#include "record_keep.h"

#include <string.h>

/* Bytes of a value that is kept as it stands; 0: texts and lists. */
static const uint8_t plain_size[] = {
	[FT_BOOL] = sizeof(bool), [FT_U8] = 1,	[FT_U16] = 2,
	[FT_U32] = 4,		  [FT_I32] = 4,	[FT_I64] = 8,
	[FT_U64] = 8,		  [FT_F64] = 8,	[FT_TIME] = 8,
	[FT_DURATION] = 8,
	[FT_MAC] = 6,		  [FT_ADDR] = sizeof(struct addr),
	[FT_WORD] = sizeof(const char *), [FT_MAP] = 0,
};

/* Bytes of an element of a list that is no text. */
static size_t element_size(enum field_type type)
{
	return type == FT_WORDS ? sizeof(const char *) : type == FT_U32S ? sizeof(uint32_t) : sizeof(uint16_t);
}

/* As dataset_field(), of an id that is marked: a request is kept at each query. */
static inline const struct field *field_of(const struct dataset *set, unsigned int f)
{
	return f < FIELD_OWN ? &record_fields[f] : &set->own->rows[f - FIELD_OWN];
}

static bool keep(struct record_kept *k, const void *p, size_t n)
{
	if (k->n + n > k->limit)
		return false;
	if (n)
		memcpy(k->bytes + k->n, p, n);
	k->n += (uint16_t)n;
	return true;
}

/* A length and as many bytes as there is room for; false: not all. */
static bool keep_text(struct record_kept *k, const struct str *s)
{
	uint32_t room = k->limit - k->n;
	uint16_t n;

	if (room < sizeof(n))
		return false;
	room -= sizeof(n);
	n = (uint16_t)(s->n < room ? s->n : room);
	memcpy(k->bytes + k->n, &n, sizeof(n));
	if (n)
		memcpy(k->bytes + k->n + sizeof(n), s->p, n);
	k->n += (uint16_t)(sizeof(n) + n);
	return n == s->n;
}

/* A count and the elements, as many as there is room for. */
static bool keep_list(struct record_kept *k, enum field_type type, const struct list *l)
{
	uint16_t at = k->n, n = 0;
	bool all = keep(k, &n, sizeof(n));

	if (!all)
		return false;
	for (; n < l->n && n < KEPT_TEXTS && all; n++) {
		uint32_t before = k->n;

		if (type == FT_STRS)
			all = keep_text(k, (const struct str *)l->p + n);
		else
			all = keep(k, (const char *)l->p + n * element_size(type), element_size(type));
		if (k->n == before)
			break;
	}
	memcpy(k->bytes + at, &n, sizeof(n));
	return all && n == l->n;
}

static bool keep_value(struct record_kept *k, enum field_type type, uint16_t id, const void *value)
{
	uint16_t at = k->n;
	bool all;

	if (type == FT_ITEMS || type == FT_COUNTS || type == FT_MAP)
		return false;
	if (!keep(k, &id, sizeof(id)))
		return false;
	all = type == FT_STR ? keep_text(k, value) : keep_list(k, type, value);
	if (!all && k->n < at + sizeof(id) + sizeof(uint16_t))
		k->n = at;
	return all;
}

/* Most are of these sizes. */
static inline void copy(void *to, const void *from, size_t n)
{
	switch (n) {
	case 1: memcpy(to, from, 1); break;
	case 2: memcpy(to, from, 2); break;
	case 4: memcpy(to, from, 4); break;
	case 8: memcpy(to, from, 8); break;
	case sizeof(struct addr): memcpy(to, from, sizeof(struct addr)); break;
	default: memcpy(to, from, n);
	}
}

static inline bool keep_plain(struct record_kept *k, uint16_t id, const void *value, size_t size)
{
	uint8_t *to = k->bytes + k->n;

	if (k->n + sizeof(id) + size > k->limit)
		return false;
	memcpy(to, &id, sizeof(id));
	copy(to + sizeof(id), value, size);
	k->n += (uint16_t)(sizeof(id) + size);
	return true;
}

/* Fields of word w that hold no texts; returns the others.  Unless *all is made false there was room. */
static uint64_t keep_word(struct record_kept *k, const struct record *r, unsigned int w, uint64_t wanted, bool *all)
{
	uint64_t texts = 0;

	for (uint64_t left = wanted; left; left &= left - 1) {
		unsigned int id = w * 64 + (unsigned int)__builtin_ctzll(left);
		const struct field *f = field_of(r->set, id);
		size_t size = plain_size[f->type];

		if (!size)
			texts |= left & -left;
		else if (!keep_plain(k, (uint16_t)id, (const char *)r + f->off, size))
			*all = false;
	}
	return texts;
}

/* A text that is no longer costs the others little. */
static bool is_short(const struct field *f, const struct record *r)
{
	enum { SHORT_MAX = 64 };
	const struct str *s = (const struct str *)(const void *)((const char *)r + f->off);

	return f->type == FT_STR && s->n <= SHORT_MAX;
}

static bool keep_texts(struct record_kept *k, const struct record *r, const uint64_t *texts, bool are_short)
{
	bool all = true;

	for (unsigned int w = 0; w < FIELD_WORDS; w++) {
		for (uint64_t left = texts[w]; left; left &= left - 1) {
			unsigned int id = w * 64 + (unsigned int)__builtin_ctzll(left);
			const struct field *f = field_of(r->set, id);

			if (is_short(f, r) == are_short)
				all &= keep_value(k, f->type, (uint16_t)id, (const char *)r + f->off);
		}
	}
	return all;
}

void record_keep(struct record_kept *k, const struct record *r, const uint64_t fields[FIELD_WORDS])
{
	uint64_t texts[FIELD_WORDS];
	bool all = true;

	k->n = 0;
	k->limit = KEPT_BYTES - sizeof(uint16_t) - sizeof(bool);	/* for `truncated` */
	k->set = r->set;
	/* What is short first, so that a long text costs nothing else. */
	for (unsigned int w = 0; w < FIELD_WORDS; w++) {
		uint64_t wanted = r->present[w] & (fields ? fields[w] : UINT64_MAX);

		if (w == FIELD_TRUNCATED / 64)
			wanted &= ~(1ull << FIELD_TRUNCATED % 64);
		if (w == FIELD_DATASET / 64)
			wanted &= ~(1ull << FIELD_DATASET % 64);
		texts[w] = keep_word(k, r, w, wanted, &all);
	}
	all &= keep_texts(k, r, texts, true);
	all &= keep_texts(k, r, texts, false);
	if (!all || (record_has(r, FIELD_TRUNCATED) && r->truncated)) {
		bool truncated = true;

		k->limit = KEPT_BYTES;
		keep_plain(k, FIELD_TRUNCATED, &truncated, sizeof(truncated));
	}
}

static const uint8_t *restore_list(struct record_again *q, struct list *l, enum field_type type,
				   const uint8_t *p)
{
	uint16_t n, len;

	memcpy(&n, p, sizeof(n));
	p += sizeof(n);
	if (type != FT_STRS) {
		size_t size = n * element_size(type);

		*l = (struct list){ memcpy(q->words + q->n_words, p, size), n };
		q->n_words += (uint32_t)((size + 7) / 8);
		return p + size;
	}
	*l = (struct list){ q->texts + q->n_texts, 0 };
	for (; n; n--) {
		memcpy(&len, p, sizeof(len));
		p += sizeof(len);
		if (q->n_texts < KEPT_TEXTS) {
			q->texts[q->n_texts++] = (struct str){ (const char *)p, len };
			l->n++;
		}
		p += len;
	}
	return p;
}

/* Only what record_keep() wrote is read. */
const struct record *record_again(struct record_again *q, const struct record_kept *k)
{
	const uint8_t *p = k->bytes, *end = p + k->n;
	struct record *r = &q->r;

	record_start(r, k->set);
	q->n_texts = q->n_words = 0;
	while (p < end) {
		uint16_t id, n;
		const struct field *f;
		void *at;
		size_t size;

		memcpy(&id, p, sizeof(id));
		p += sizeof(id);
		f = field_of(k->set, id);
		at = (char *)r + f->off;
		size = plain_size[f->type];
		record_mark(r, id);
		if (size) {
			copy(at, p, size);
			p += size;
		} else if (f->type == FT_STR) {
			memcpy(&n, p, sizeof(n));
			*(struct str *)at = (struct str){ (const char *)p + sizeof(n), n };
			p += sizeof(n) + n;
		} else {
			p = restore_list(q, at, f->type, p);
		}
	}
	return r;
}
