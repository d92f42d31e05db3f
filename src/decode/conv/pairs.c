// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/pairs.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define NONE UINT32_MAX
/* What is the same of requests that differ in what they ask. */
#define KEY_WORDS (offsetof(struct request_key, what) / 8)
_Static_assert(offsetof(struct request_key, what) == 24, "hashed as whole words, without padding");

struct slot {
	struct request_key key;
	uint64_t asked_ns;		/* its stamp */
	uint64_t put_ns;		/* by the table's clock; never less than an older one's */
	uint32_t hash;
	uint32_t chain;			/* next in its bucket, or in the free list */
	uint32_t older, newer;
	uint32_t again;			/* sent so often once more; of the early: so many answers are due to that */
	uint32_t answers;		/* of the early: how often it came; else not 0: has begun to come */
};

/* What stamps say of the time that passed. */
struct clock {
	uint64_t ns, stamp_ns;		/* stamp_ns: the one that ns goes with */
	uint64_t before_ns, before_stamp_ns;	/* astray: without the last stamp */
	bool heard, astray;
};

struct pairs {
	struct hash_key seed;
	struct clock clock;
	struct slot *slots;
	uint8_t *values;
	uint32_t *buckets;
	uint32_t max, mask, value_size;
	uint32_t free, oldest, newest;
	uint32_t fresh;			/* slots from here on were never used */
	uint32_t count;
	uint64_t evicted;
	struct pairs *early;		/* responses; NULL in their own table */
};

static void table_close(struct pairs *p)
{
	if (!p)
		return;
	free(p->slots);
	free(p->values);
	free(p->buckets);
	free(p);
}

static int table_open(struct pairs **out, uint32_t max, uint32_t value_size, uint32_t seed)
{
	struct pairs *p = calloc(1, sizeof(*p));
	uint32_t n = 16;

	if (!p)
		return -ENOMEM;
	while (n < max)
		n <<= 1;
	p->seed = hash_key_from(seed);
	p->max = max;
	p->mask = n - 1;
	p->value_size = (value_size + 7) & ~7u;
	p->free = p->oldest = p->newest = NONE;
	p->slots = calloc(max, sizeof(*p->slots));
	p->values = calloc(max, p->value_size ? p->value_size : 8);
	p->buckets = malloc(n * sizeof(*p->buckets));
	if (!p->slots || !p->values || !p->buckets) {
		table_close(p);
		return -ENOMEM;
	}
	memset(p->buckets, 0xff, n * sizeof(*p->buckets));
	*out = p;
	return 0;
}

int pairs_open(struct pairs **out, uint32_t max, uint32_t value_size, uint32_t seed)
{
	struct pairs *p;

	if (table_open(&p, max, value_size, seed))
		return -ENOMEM;
	if (table_open(&p->early, PAIRS_EARLY_MAX, 0, seed)) {
		pairs_close(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void pairs_close(struct pairs *p)
{
	if (!p)
		return;
	table_close(p->early);
	table_close(p);
}

/* A key, and its hash in this table and that of the early. */
struct hashed {
	const struct request_key *key;
	uint32_t hash;
};

static struct hashed hashed(const struct pairs *p, const struct request_key *k)
{
	uint64_t w[KEY_WORDS];

	memcpy(w, k, sizeof(w));
	return (struct hashed){ k, (uint32_t)hash_words(&p->seed, w, KEY_WORDS) };
}

static uint32_t *bucket_of(struct pairs *p, uint32_t hash)
{
	return &p->buckets[hash & p->mask];
}

static void *value_of(struct pairs *p, uint32_t i)
{
	return p->values + (size_t)i * p->value_size;
}

/* The links that lead to slots of a key's kind; NULL: there is none. */
struct found {
	uint32_t *exact;
	uint32_t *unknown, *last;	/* the oldest without `what`, of all */
	uint32_t n_unknown, n;
};

static struct found find(struct pairs *p, struct hashed h)
{
	const struct request_key *k = h.key;
	struct found f = { .n = 0 };

	for (uint32_t *link = bucket_of(p, h.hash); *link != NONE; link = &p->slots[*link].chain) {
		const struct request_key *key = &p->slots[*link].key;

		if (key->id != k->id || key->conversation != k->conversation || key->set != k->set)
			continue;
		f.last = link;
		f.n++;
		if (key->what == k->what)
			f.exact = link;
		if (!key->what) {
			f.unknown = link;
			f.n_unknown++;
		}
	}
	return f;
}

/* The link to what goes together with the key, or NULL. */
static uint32_t *match(struct pairs *p, struct hashed h)
{
	const struct request_key *k = h.key;
	struct found f = find(p, h);

	if (f.exact)
		return f.exact;
	if (!k->what)
		return f.n == 1 || k->in_turn ? f.last : NULL;
	return f.n_unknown == 1 || k->in_turn ? f.unknown : NULL;
}

static void age_unlink(struct pairs *p, const struct slot *s)
{
	*(s->older == NONE ? &p->oldest : &p->slots[s->older].newer) = s->newer;
	*(s->newer == NONE ? &p->newest : &p->slots[s->newer].older) = s->older;
}

static void age_append(struct pairs *p, uint32_t i)
{
	p->slots[i].older = p->newest;
	p->slots[i].newer = NONE;
	*(p->newest == NONE ? &p->oldest : &p->slots[p->newest].newer) = i;
	p->newest = i;
}

static uint32_t take_out(struct pairs *p, uint32_t *link)
{
	uint32_t i = *link;
	struct slot *s = &p->slots[i];

	*link = s->chain;
	age_unlink(p, s);
	s->chain = p->free;
	p->free = i;
	p->count--;
	return i;
}

/* The link to a slot in use. */
static uint32_t *link_of(struct pairs *p, uint32_t i)
{
	uint32_t *link = bucket_of(p, p->slots[i].hash);

	while (*link != i)
		link = &p->slots[*link].chain;
	return link;
}

static uint32_t place(struct pairs *p)
{
	uint32_t i;

	if (p->free == NONE && p->fresh < p->max)
		return p->fresh++;
	if (p->free == NONE) {
		take_out(p, link_of(p, p->oldest));
		p->evicted++;
	}
	i = p->free;
	p->free = p->slots[i].chain;
	return i;
}

/* One more with this key, of which there is none; f is what find() finds. */
static struct slot *add(struct pairs *p, struct hashed h, struct found f, uint64_t now_ns)
{
	uint32_t i, *link;
	struct slot *s;

	if (f.last && f.n >= PAIRS_SAME_MAX) {
		take_out(p, f.last);
		p->evicted++;
	}
	i = place(p);
	s = &p->slots[i];
	link = bucket_of(p, h.hash);
	s->key = *h.key;
	s->hash = h.hash;
	s->asked_ns = now_ns;
	s->put_ns = p->clock.ns;
	s->answers = s->again = 0;
	s->chain = *link;
	*link = i;
	age_append(p, i);
	p->count++;
	return s;
}

/* The last stamp was astray: what was put at it was put when the one before came. */
static void step_back(struct pairs *p)
{
	p->clock.ns = p->clock.before_ns;
	p->clock.stamp_ns = p->clock.before_stamp_ns;
	for (uint32_t i = p->newest; i != NONE && p->slots[i].put_ns > p->clock.ns; i = p->slots[i].older)
		p->slots[i].put_ns = p->clock.ns;
}

/* Nearer to where the time was than to where the last stamp would have it. */
static bool is_back(const struct clock *c, uint64_t now_ns)
{
	return now_ns <= c->before_stamp_ns ||
	       (now_ns < c->stamp_ns && now_ns - c->before_stamp_ns < c->stamp_ns - now_ns);
}

uint64_t pairs_pass(struct pairs *p, uint64_t now_ns)
{
	struct clock *c = &p->clock;
	uint64_t step;

	if (!c->heard)
		*c = (struct clock){ .ns = now_ns, .stamp_ns = now_ns, .heard = true };
	if (now_ns == c->stamp_ns)
		return c->astray ? c->before_ns : c->ns;
	if (c->astray && is_back(c, now_ns))
		step_back(p);
	c->astray = false;
	if (now_ns < c->stamp_ns) {
		if (c->stamp_ns - now_ns > PAIRS_DISORDER_NS)
			c->stamp_ns = now_ns;
		return c->ns;
	}
	step = now_ns - c->stamp_ns;
	if (step > PAIRS_STRAY_NS) {
		c->astray = true;
		c->before_ns = c->ns;
		c->before_stamp_ns = c->stamp_ns;
	}
	c->ns += step;
	c->stamp_ns = now_ns;
	return c->astray ? c->before_ns : c->ns;
}

void pairs_end(struct pairs *p)
{
	p->clock.astray = false;
}

void *pairs_put(struct pairs *p, const struct request_key *k, uint64_t now_ns, uint64_t again_ns)
{
	struct hashed h = hashed(p, k);
	struct found f = find(p, h);

	if (!p->clock.heard)
		pairs_pass(p, now_ns);
	if (f.exact) {
		struct slot *s = &p->slots[*f.exact];
		uint64_t age = now_ns >= s->asked_ns ? now_ns - s->asked_ns : p->clock.ns - s->put_ns;

		if (age < again_ns && !s->answers) {
			s->again++;
			return NULL;
		}
		take_out(p, f.exact);
		f = find(p, h);
	}
	return value_of(p, (uint32_t)(add(p, h, f, now_ns) - p->slots));
}

/* A request sent more than once may be answered as often: those answers came late, not early. */
static void expect_more(struct pairs *p, const struct slot *s)
{
	struct hashed h = { &s->key, s->hash };
	uint32_t *link = find(p->early, h).exact, again = s->again;

	if (link)
		again += p->early->slots[take_out(p->early, link)].again;
	add(p->early, h, find(p->early, h), s->asked_ns)->again = again;
}

void *pairs_take(struct pairs *p, const struct request_key *k, uint64_t *asked_ns)
{
	uint32_t *link = match(p, hashed(p, k)), i;

	if (!link)
		return NULL;
	i = take_out(p, link);
	*asked_ns = p->slots[i].asked_ns;
	if (p->slots[i].again)
		expect_more(p, &p->slots[i]);
	return value_of(p, i);
}

void *pairs_see(struct pairs *p, const struct request_key *k, uint64_t *asked_ns)
{
	const uint32_t *link = match(p, hashed(p, k));

	if (!link)
		return NULL;
	p->slots[*link].answers = 1;
	*asked_ns = p->slots[*link].asked_ns;
	return value_of(p, *link);
}

static bool is_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= PAIRS_EARLY_NS;
}

void pairs_early(struct pairs *p, const struct request_key *k, uint64_t now_ns)
{
	struct hashed h = hashed(p, k);
	uint32_t *link = find(p->early, h).exact;

	if (link && is_near(now_ns, p->early->slots[*link].asked_ns)) {
		struct slot *s = &p->early->slots[*link];

		if (s->again)
			s->again--;
		else
			s->answers++;
		return;
	}
	if (link)
		take_out(p->early, link);
	add(p->early, h, find(p->early, h), now_ns)->answers = 1;
}

bool pairs_was_early(struct pairs *p, const struct request_key *k, uint64_t now_ns, uint64_t *answered_ns)
{
	uint32_t *link = p->early->count ? match(p->early, hashed(p, k)) : NULL;
	struct slot *s;
	bool near;

	if (!link)
		return false;
	s = &p->early->slots[*link];
	if (!s->answers)
		return false;
	*answered_ns = s->asked_ns;
	near = is_near(now_ns, s->asked_ns);
	if (!near || (!--s->answers && !s->again))
		take_out(p->early, link);
	return near;
}

void *pairs_expire(struct pairs *p, uint64_t before_ns, struct request_key *k, uint64_t *asked_ns)
{
	/* Ends: each turn takes one out. */
	while (p->oldest != NONE && p->slots[p->oldest].put_ns < before_ns) {
		uint32_t i = p->oldest;

		*k = p->slots[i].key;
		take_out(p, link_of(p, i));
		*asked_ns = p->slots[i].asked_ns;
		if (!p->slots[i].answers)
			return value_of(p, i);
	}
	return NULL;
}

uint64_t pairs_evicted(const struct pairs *p)
{
	return p->evicted;
}

uint32_t pairs_count(const struct pairs *p)
{
	return p->count;
}
