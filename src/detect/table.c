// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int table_open(struct table *t, uint32_t size, uint32_t zeroed, uint32_t max, uint64_t hot_ns, uint32_t seed)
{
	uint32_t buckets = 1;

	while (buckets < max)
		buckets *= 2;
	*t = (struct table){ .size = (size + 7) & ~7u,
			     .zeroed = zeroed ? zeroed : size,
			     .max = max,
			     .mask = buckets - 1,
			     .hot_ns = hot_ns,
			     .newest = TABLE_NONE,
			     .oldest = TABLE_NONE,
			     .seed = hash_key_from(seed) };
	t->v = calloc(max, t->size);
	t->buckets = malloc(buckets * sizeof(*t->buckets));
	if (!t->v || !t->buckets) {
		table_close(t);
		return -ENOMEM;
	}
	memset(t->buckets, 0xff, buckets * sizeof(*t->buckets));
	return 0;
}

void table_close(struct table *t)
{
	free(t->v);
	free(t->buckets);
	t->v = NULL;
	t->buckets = NULL;
}

static void unlink_age(struct table *t, const struct table_entry *e)
{
	if (e->newer != TABLE_NONE)
		((struct table_entry *)table_at(t, e->newer))->older = e->older;
	else
		t->newest = e->older;
	if (e->older != TABLE_NONE)
		((struct table_entry *)table_at(t, e->older))->newer = e->newer;
	else
		t->oldest = e->newer;
}

static void link_newest(struct table *t, struct table_entry *e, uint32_t i)
{
	e->newer = TABLE_NONE;
	e->older = t->newest;
	if (t->newest != TABLE_NONE)
		((struct table_entry *)table_at(t, t->newest))->newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static uint32_t look(const struct table *t, const uint64_t key[KEY_WORDS], uint32_t bucket)
{
	uint32_t i = t->buckets[bucket];

	while (i != TABLE_NONE) {
		const struct table_entry *e = table_at(t, i);

		if (!memcmp(e->key, key, sizeof(e->key)))
			break;
		i = e->next;
	}
	return i;
}

/* A place for one more: that of the one longest unused, when all are taken. */
static uint32_t place(struct table *t, uint64_t now_ns)
{
	struct table_entry *e;
	uint32_t i, *at;

	if (t->n < t->max)
		return t->n++;
	i = t->oldest;
	e = table_at(t, i);
	for (at = &t->buckets[e->bucket]; *at != i; at = &((struct table_entry *)table_at(t, *at))->next)
		;
	*at = e->next;
	unlink_age(t, e);
	if (now_ns - e->last_ns < t->hot_ns)
		t->evicted++;
	return i;
}

void *table_find(struct table *t, const uint64_t key[KEY_WORDS])
{
	uint32_t i = look(t, key, (uint32_t)hash_words(&t->seed, key, KEY_WORDS) & t->mask);

	return i == TABLE_NONE ? NULL : table_at(t, i);
}

void *table_get(struct table *t, const uint64_t key[KEY_WORDS], uint64_t now_ns, bool *fresh)
{
	uint32_t bucket = (uint32_t)hash_words(&t->seed, key, KEY_WORDS) & t->mask;
	uint32_t i = look(t, key, bucket);
	struct table_entry *e;

	*fresh = i == TABLE_NONE;
	if (*fresh) {
		i = place(t, now_ns);
		e = table_at(t, i);
		memset(e, 0, t->zeroed);
		memcpy(e->key, key, sizeof(e->key));
		e->bucket = bucket;
		e->next = t->buckets[bucket];
		t->buckets[bucket] = i;
		link_newest(t, e, i);
	} else {
		e = table_at(t, i);
		if (t->newest != i) {
			unlink_age(t, e);
			link_newest(t, e, i);
		}
	}
	e->last_ns = now_ns;
	return e;
}

void key_make(uint64_t key[KEY_WORDS], const struct addr *a, const struct addr *b, uint64_t rest)
{
	memset(key, 0, KEY_WORDS * sizeof(*key));
	if (a)
		memcpy(&key[0], a->b, sizeof(a->b));
	if (b)
		memcpy(&key[2], b->b, sizeof(b->b));
	key[4] = rest << 8 | (uint64_t)(a ? a->family : 0) << 4 | (b ? b->family : 0);
}

uint64_t hash_addr(const struct hash_key *k, const struct addr *a)
{
	uint64_t w[3] = { 0, 0, a->family };

	memcpy(w, a->b, sizeof(a->b));
	return hash_words(k, w, 3);
}

static bool set_bit(struct variety *d, uint32_t hash)
{
	const uint32_t bits = VARIETY_WORDS * 64;
	uint64_t bit = 1ull << (hash & 63), *word = &d->bits[hash >> 6 & (VARIETY_WORDS - 1)];

	if (*word & bit)
		return false;
	*word |= bit;
	d->worth += bits * 256 / (bits - d->n);
	d->n++;
	return true;
}

bool variety_add(struct variety *d, uint64_t hash)
{
	uint32_t h = (uint32_t)(hash >> 32 ^ hash);

	if (!d->full) {
		for (unsigned int i = 0; i < d->n; i++)
			if (d->first[i] == h)
				return false;
		if (d->n < VARIETY_EXACT) {
			d->first[d->n++] = h;
			return true;
		}
		memset(d->bits, 0, sizeof(d->bits));
		d->n = 0;
		d->worth = 0;
		for (unsigned int i = 0; i < VARIETY_EXACT; i++)
			set_bit(d, d->first[i]);
		d->full = true;
	}
	return set_bit(d, h);
}

uint32_t variety_count(const struct variety *d)
{
	return d->full ? (d->worth + 128) / 256 : d->n;
}
