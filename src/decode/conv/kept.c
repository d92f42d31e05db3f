// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/kept.h"

#include <string.h>

/* Octets of a value that is kept as it stands; 0: texts and lists. */
static size_t plain_size(enum field_type type)
{
	switch (type) {
	case FT_BOOL: return sizeof(bool);
	case FT_U8: return 1;
	case FT_U16: return 2;
	case FT_U32:
	case FT_I32: return 4;
	case FT_I64:
	case FT_F64:
	case FT_U64:
	case FT_TIME: return 8;
	case FT_ADDR: return sizeof(struct addr);
	case FT_MAC: return 6;
	case FT_WORD: return sizeof(const char *);
	default: return 0;
	}
}

static bool keep(struct kept *k, const void *p, size_t n)
{
	if (k->n + n > k->limit)
		return false;
	if (n)
		memcpy(k->octets + k->n, p, n);
	k->n += (uint16_t)n;
	return true;
}

/* A length and as many octets as there is room for; false: not all. */
static bool keep_text(struct kept *k, const struct str *s)
{
	uint32_t room = k->limit - k->n;
	uint16_t n;

	if (room < sizeof(n))
		return false;
	room -= sizeof(n);
	n = (uint16_t)(s->n < room ? s->n : room);
	return keep(k, &n, sizeof(n)) && keep(k, s->p, n) && n == s->n;
}

/* A count and the elements, as many as there is room for. */
static bool keep_list(struct kept *k, enum field_type type, const struct list *l)
{
	uint16_t at = k->n, n = 0;
	bool all = keep(k, &n, sizeof(n));

	if (!all)
		return false;
	for (; n < l->n && n < KEPT_TEXTS && all; n++) {
		uint32_t before = k->n;

		if (type == FT_STRS)
			all = keep_text(k, (const struct str *)l->p + n);
		else if (type == FT_WORDS)
			all = keep(k, (const char *const *)l->p + n, sizeof(const char *));
		else
			all = keep(k, (const uint16_t *)l->p + n, sizeof(uint16_t));
		if (k->n == before)
			break;
	}
	memcpy(k->octets + at, &n, sizeof(n));
	return all && n == l->n;
}

static bool keep_field(struct kept *k, const struct record *r, unsigned int f)
{
	enum field_type type = dataset_field(r->set, f)->type;
	size_t size = plain_size(type);
	uint16_t at = k->n, id = (uint16_t)f;
	bool all;

	if (type == FT_ITEMS || type == FT_COUNTS || type == FT_MAP)
		return false;
	if (!keep(k, &id, sizeof(id)))
		return false;
	if (size)
		all = keep(k, record_at(r, f), size);
	else if (type == FT_STR)
		all = keep_text(k, record_at(r, f));
	else
		all = keep_list(k, type, record_at(r, f));
	if (!all && k->n < at + sizeof(id) + sizeof(uint16_t))
		k->n = at;
	return all;
}

static bool keep_fields(struct kept *k, const struct record *r, bool texts)
{
	bool all = true;

	for (unsigned int w = 0; w < FIELD_WORDS; w++) {
		for (uint64_t left = r->present[w]; left; left &= left - 1) {
			unsigned int f = w * 64 + (unsigned int)__builtin_ctzll(left);
			bool is_text = !plain_size(dataset_field(r->set, f)->type);

			if (f != FIELD_TRUNCATED && f != FIELD_DATASET && is_text == texts)
				all &= keep_field(k, r, f);
		}
	}
	return all;
}

void kept_put(struct kept *k, const struct record *r)
{
	bool all = true;

	k->n = 0;
	k->limit = KEPT_OCTETS - sizeof(uint16_t) - sizeof(bool);	/* for `truncated` */
	k->set = r->set;
	/* What is short first, so that a long text costs nothing else. */
	for (int texts = 0; texts < 2; texts++)
		all &= keep_fields(k, r, texts);
	if (!all) {
		struct record cut = { .set = r->set, .truncated = true };

		k->limit = KEPT_OCTETS;
		keep_field(k, &cut, FIELD_TRUNCATED);
	}
}

static const uint8_t *restore_list(struct kept_record *q, struct list *l, enum field_type type,
				   const uint8_t *p)
{
	uint16_t n, len;

	memcpy(&n, p, sizeof(n));
	p += sizeof(n);
	if (type != FT_STRS) {
		size_t size = n * (type == FT_WORDS ? sizeof(const char *) : sizeof(uint16_t));

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

/* Only what keep_field() wrote is read. */
void kept_get(struct kept_record *q, const struct kept *k)
{
	const uint8_t *p = k->octets, *end = p + k->n;
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
		f = dataset_field(k->set, id);
		at = (char *)r + f->off;
		size = plain_size(f->type);
		record_mark(r, id);
		if (size) {
			memcpy(at, p, size);
			p += size;
		} else if (f->type == FT_STR) {
			memcpy(&n, p, sizeof(n));
			*(struct str *)at = (struct str){ (const char *)p + sizeof(n), n };
			p += sizeof(n) + n;
		} else {
			p = restore_list(q, at, f->type, p);
		}
	}
}
