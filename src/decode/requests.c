// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/pairs.h"

enum { TEXTS_MAX = 64 };
#define TIMEOUT_NS 30000000000ull

/* A record's marked fields, one after the other: number of the field, then its value. */
struct kept {
	uint16_t n, limit;
	uint32_t kind;
	uint8_t octets[REQUEST_OCTETS];
};

struct requests {
	struct pairs *pairs;		/* NULL: no pairing */
	uint64_t timeout_ns;
	bool no_answer;
	struct record request;		/* the last one taken out */
	struct str texts[TEXTS_MAX];	/* lists of it */
	uint32_t n_texts;
	uint64_t words[REQUEST_OCTETS];	/* likewise */
	uint32_t n_words;
};

int requests_open(struct requests **out, const struct decode_options *opt)
{
	struct requests *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->timeout_ns = opt->answer_timeout_ns ? opt->answer_timeout_ns : TIMEOUT_NS;
	q->no_answer = opt->no_answer;
	if (!opt->no_pairing && pairs_open(&q->pairs, REQUESTS_MAX, sizeof(struct kept), opt->seed)) {
		free(q);
		return -ENOMEM;
	}
	*out = q;
	return 0;
}

void requests_close(struct requests *q)
{
	if (!q)
		return;
	pairs_close(q->pairs);
	free(q);
}

static struct pairs_key key_of(const struct request_key *k)
{
	struct pairs_key p;

	memset(&p, 0, sizeof(p));
	memcpy(p.client, &k->conversation, sizeof(k->conversation));
	memcpy(p.server, &k->id, sizeof(k->id));
	p.kind = (uint8_t)k->kind;
	return p;
}

/* Octets of a value that is kept as it stands; 0: texts and lists. */
static size_t plain_size(enum field_type type)
{
	switch (type) {
	case FT_BOOL: return sizeof(bool);
	case FT_U8: return 1;
	case FT_U16: return 2;
	case FT_U32:
	case FT_I32: return 4;
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
	for (; n < l->n && n < TEXTS_MAX && all; n++) {
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

static bool keep_field(struct kept *k, const struct record *r, enum field_id f)
{
	enum field_type type = record_fields[f].type;
	size_t size = plain_size(type);
	uint16_t at = k->n;
	uint8_t id = (uint8_t)f;
	bool all;

	if (type == FT_ITEMS)
		return false;
	if (!keep(k, &id, sizeof(id)))
		return false;
	if (size)
		all = keep(k, record_at(r, f), size);
	else if (type == FT_STR)
		all = keep_text(k, record_at(r, f));
	else
		all = keep_list(k, type, record_at(r, f));
	if (!all && k->n < at + 1 + sizeof(uint16_t))
		k->n = at;
	return all;
}

static bool keep_fields(struct kept *k, const struct record *r, bool texts)
{
	bool all = true;

	for (enum field_id f = 0; f < FIELDS; f++) {
		bool is_text = !plain_size(record_fields[f].type);

		if (record_has(r, f) && f != FIELD_TRUNCATED && f != FIELD_DATASET && is_text == texts)
			all &= keep_field(k, r, f);
	}
	return all;
}

_Static_assert(FIELDS <= UINT8_MAX, "a field's number is kept in an octet");

static void keep_record(struct kept *k, const struct record *r)
{
	bool all = true;

	k->n = 0;
	k->limit = REQUEST_OCTETS - 1 - sizeof(bool);	/* for `truncated` */
	k->kind = r->kind;
	/* What is short first, so that a long text costs nothing else. */
	for (int texts = 0; texts < 2; texts++)
		all &= keep_fields(k, r, texts);
	if (!all) {
		struct record cut = { .truncated = true };

		k->limit = REQUEST_OCTETS;
		keep_field(k, &cut, FIELD_TRUNCATED);
	}
}

bool requests_ask(struct requests *q, const struct request_key *key, struct record *r)
{
	struct pairs_key p = key_of(key);
	uint64_t answered_ns;
	struct kept *k;

	if (!q->pairs)
		return false;
	if (pairs_was_early(q->pairs, &p, r->time_ns, &answered_ns)) {
		pairs_took(r, r->time_ns, answered_ns);
		return true;
	}
	k = pairs_put(q->pairs, &p, r->time_ns, q->timeout_ns);
	if (k)
		keep_record(k, r);
	return false;
}

static const uint8_t *restore_list(struct requests *q, struct list *l, enum field_type type,
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
		if (q->n_texts < TEXTS_MAX) {
			q->texts[q->n_texts++] = (struct str){ (const char *)p, len };
			l->n++;
		}
		p += len;
	}
	return p;
}

/* Only what keep_field() wrote is read. */
static void restore(struct requests *q, const struct kept *k)
{
	const uint8_t *p = k->octets, *end = p + k->n;
	struct record *r = &q->request;

	record_start(r, (enum record_kind)k->kind);
	q->n_texts = q->n_words = 0;
	while (p < end) {
		uint8_t f = *p++;
		enum field_type type = record_fields[f].type;
		void *at = (char *)r + record_fields[f].off;
		size_t size = plain_size(type);
		uint16_t n;

		record_mark(r, f);
		if (size) {
			memcpy(at, p, size);
			p += size;
		} else if (type == FT_STR) {
			memcpy(&n, p, sizeof(n));
			*(struct str *)at = (struct str){ (const char *)p + sizeof(n), n };
			p += sizeof(n) + n;
		} else {
			p = restore_list(q, at, type, p);
		}
	}
}

const struct record *requests_answer(struct requests *q, const struct request_key *key, struct record *r)
{
	struct pairs_key p = key_of(key);
	const struct kept *k;
	uint64_t asked_ns;

	if (!q->pairs)
		return NULL;
	k = pairs_take(q->pairs, &p, &asked_ns);
	if (!k) {
		pairs_early(q->pairs, &p, r->time_ns);
		return NULL;
	}
	restore(q, k);
	pairs_took(r, asked_ns, r->time_ns);
	return &q->request;
}

uint64_t requests_move(struct requests *q, const struct request_key *from, const struct request_key *to)
{
	struct pairs_key p = key_of(from);
	struct kept copy, *k;
	uint64_t asked_ns;

	if (!q->pairs)
		return 0;
	k = pairs_take(q->pairs, &p, &asked_ns);
	if (!k)
		return 0;
	copy = *k;
	p = key_of(to);
	k = pairs_put(q->pairs, &p, asked_ns, q->timeout_ns);
	if (k)
		*k = copy;
	return asked_ns;
}

void requests_drop(struct requests *q, const struct request_key *key)
{
	struct pairs_key p = key_of(key);
	uint64_t asked_ns;

	if (q->pairs)
		pairs_take(q->pairs, &p, &asked_ns);
}

void requests_tick(struct requests *q, uint64_t now_ns, struct emit *e)
{
	struct pairs_key p;
	const struct kept *k;
	uint64_t asked_ns, clock_ns;

	if (!q->pairs)
		return;
	clock_ns = pairs_pass(q->pairs, now_ns);
	if (!q->no_answer || clock_ns < q->timeout_ns)
		return;
	while (!e->rc && (k = pairs_expire(q->pairs, clock_ns - q->timeout_ns, &p, &asked_ns))) {
		restore(q, k);
		q->request.action = "no_answer";
		q->request.outcome = "unknown";
		record_mark(&q->request, FIELD_ACTION);
		record_mark(&q->request, FIELD_OUTCOME);
		emit_record(e, &q->request);
	}
}

void requests_end(struct requests *q)
{
	if (q->pairs)
		pairs_end(q->pairs);
}

uint64_t requests_evicted(const struct requests *q)
{
	return q->pairs ? pairs_evicted(q->pairs) : 0;
}
