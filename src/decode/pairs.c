// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define NONE UINT32_MAX
#define KEY_WORDS (sizeof(struct pairs_key) / 8)
_Static_assert(sizeof(struct pairs_key) == 48, "hashed as whole words, without padding");

struct slot {
	struct pairs_key key;
	uint64_t asked_ns;
	uint32_t chain;			/* next in its bucket, or in the free list */
	uint32_t older, newer;
};

struct pairs {
	struct hash_key seed;
	struct slot *slots;
	uint8_t *values;
	uint32_t *buckets;
	uint32_t max, mask, value_size;
	uint32_t free, oldest, newest;
	uint32_t fresh;			/* slots from here on were never used */
	uint32_t count;
	uint64_t evicted;
};

int pairs_open(struct pairs **out, uint32_t max, uint32_t value_size, uint32_t seed)
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
		pairs_close(p);
		return -ENOMEM;
	}
	memset(p->buckets, 0xff, n * sizeof(*p->buckets));
	*out = p;
	return 0;
}

void pairs_close(struct pairs *p)
{
	if (!p)
		return;
	free(p->slots);
	free(p->values);
	free(p->buckets);
	free(p);
}

static uint32_t *bucket_of(struct pairs *p, const struct pairs_key *k)
{
	uint64_t w[KEY_WORDS];

	memcpy(w, k, sizeof(w));
	return &p->buckets[hash_words(&p->seed, w, KEY_WORDS) & p->mask];
}

static void *value_of(struct pairs *p, uint32_t i)
{
	return p->values + (size_t)i * p->value_size;
}

/* The link that leads to the key's slot, or the last one of its chain (*link == NONE). */
static uint32_t *find(struct pairs *p, const struct pairs_key *k)
{
	uint32_t *link = bucket_of(p, k);

	while (*link != NONE && memcmp(&p->slots[*link].key, k, sizeof(*k)))
		link = &p->slots[*link].chain;
	return link;
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

static uint32_t place(struct pairs *p)
{
	uint32_t i;

	if (p->free == NONE && p->fresh < p->max)
		return p->fresh++;
	if (p->free == NONE) {
		take_out(p, find(p, &p->slots[p->oldest].key));
		p->evicted++;
	}
	i = p->free;
	p->free = p->slots[i].chain;
	return i;
}

void *pairs_put(struct pairs *p, const struct pairs_key *k, uint64_t now_ns, uint64_t again_ns)
{
	uint32_t *link = find(p, k), i;

	if (*link != NONE) {
		uint64_t asked_ns = p->slots[*link].asked_ns;

		if (now_ns < asked_ns || now_ns - asked_ns < again_ns)
			return NULL;
		take_out(p, link);
	}
	i = place(p);
	link = bucket_of(p, k);
	p->slots[i].key = *k;
	p->slots[i].asked_ns = now_ns;
	p->slots[i].chain = *link;
	*link = i;
	age_append(p, i);
	p->count++;
	return value_of(p, i);
}

void *pairs_take(struct pairs *p, const struct pairs_key *k, uint64_t *asked_ns)
{
	uint32_t *link = find(p, k), i;

	if (*link == NONE)
		return NULL;
	i = take_out(p, link);
	*asked_ns = p->slots[i].asked_ns;
	return value_of(p, i);
}

void *pairs_expire(struct pairs *p, uint64_t before_ns, struct pairs_key *k, uint64_t *asked_ns)
{
	uint32_t i = p->oldest;

	if (i == NONE || p->slots[i].asked_ns >= before_ns)
		return NULL;
	*k = p->slots[i].key;
	take_out(p, find(p, k));
	*asked_ns = p->slots[i].asked_ns;
	return value_of(p, i);
}

uint64_t pairs_evicted(const struct pairs *p)
{
	return p->evicted;
}

uint32_t pairs_count(const struct pairs *p)
{
	return p->count;
}
