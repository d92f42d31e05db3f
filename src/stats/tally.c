// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"
#include "util/hash.h"
#include "util/top.h"

enum { GROWTH = 256 };
#define NONE UINT32_MAX

_Static_assert(TALLY_LIST_MAX * sizeof(uint16_t) == sizeof(((struct tally_key *)0)->host.b), "a list fits");
_Static_assert(sizeof(struct tally_key) == 32 || sizeof(void *) != 8, "a hole in the key would not compare");

int tally_open(struct tally **out, uint32_t max, uint32_t seed)
{
	struct tally *t = calloc(1, sizeof(*t));
	struct hash_key k = hash_key_from(seed);
	uint32_t buckets = 256;

	while (buckets < max)
		buckets *= 2;
	if (t)
		t->buckets = malloc(buckets * sizeof(*t->buckets));
	if (!t || !t->buckets) {
		free(t);
		return fail(ENOMEM, "stats");
	}
	memset(t->buckets, 0xff, buckets * sizeof(*t->buckets));
	t->mask = buckets - 1;
	t->max = max;
	t->k0 = k.k0;
	t->k1 = k.k1;
	t->newest = t->oldest = NONE;
	*out = t;
	return 0;
}

void tally_close(struct tally *t)
{
	if (!t)
		return;
	free(t->v);
	free(t->buckets);
	free(t);
}

static uint32_t bucket_of(const struct tally *t, const struct tally_key *k)
{
	const struct hash_key seed = { t->k0, t->k1 };
	uint64_t w[sizeof(*k) / 8];

	memcpy(w, k, sizeof(w));
	return (uint32_t)hash_words(&seed, w, sizeof(w) / 8) & t->mask;
}

static void unlink_age(struct tally *t, const struct tally_row *r)
{
	if (r->newer != NONE)
		t->v[r->newer].older = r->older;
	else
		t->newest = r->older;
	if (r->older != NONE)
		t->v[r->older].newer = r->newer;
	else
		t->oldest = r->newer;
}

static void link_newest(struct tally *t, struct tally_row *r)
{
	uint32_t at = (uint32_t)(r - t->v);

	r->newer = NONE;
	r->older = t->newest;
	if (r->older != NONE)
		t->v[r->older].newer = at;
	else
		t->oldest = at;
	t->newest = at;
}

static struct tally_row *evict(struct tally *t)
{
	struct tally_row *r = &t->v[t->oldest];
	uint32_t *at = &t->buckets[bucket_of(t, &r->key)];

	while (*at != t->oldest)
		at = &t->v[*at].next;
	*at = r->next;
	unlink_age(t, r);
	t->evicted++;
	t->evicted_packets += r->packets;
	t->evicted_bytes += r->bytes;
	return r;
}

/* Room that is there, more room, or that of the one not seen for longest. */
static struct tally_row *place(struct tally *t)
{
	if (t->n == t->room && t->room < t->max) {
		uint32_t room = t->room ? t->room * 2 : GROWTH;
		struct tally_row *v = realloc(t->v, (room < t->max ? room : t->max) * sizeof(*v));

		if (v) {
			t->v = v;
			t->room = room < t->max ? room : t->max;
		}
	}
	if (t->n < t->room)
		return &t->v[t->n++];
	return t->n ? evict(t) : NULL;
}

static struct tally_row *add(struct tally *t, const struct tally_key *k, uint64_t now_ns)
{
	struct tally_row *r = place(t);
	uint32_t *bucket = &t->buckets[bucket_of(t, k)];

	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->key = *k;
	r->first_ns = now_ns;
	r->next = *bucket;
	*bucket = (uint32_t)(r - t->v);
	link_newest(t, r);
	return r;
}

/* What it had when rows were told is no part of the next. */
static void since_told(const struct tally *t, struct tally_row *r)
{
	if (r->told == t->told)
		return;
	r->told = t->told;
	r->since_packets = r->since_bytes = 0;
}

void tally_add(struct tally *t, const struct tally_key *k, uint64_t packets, uint64_t bytes, uint64_t first_ns,
	       uint64_t last_ns)
{
	struct tally_row *r = NULL;

	if (!t->first_ns || first_ns < t->first_ns)
		t->first_ns = first_ns;
	t->packets += packets;
	for (uint32_t i = t->buckets[bucket_of(t, k)]; i != NONE && !r; i = t->v[i].next)
		if (!memcmp(&t->v[i].key, k, sizeof(*k)))
			r = &t->v[i];
	if (!r)
		r = add(t, k, first_ns);
	if (!r)
		return;
	if (t->newest != (uint32_t)(r - t->v)) {
		unlink_age(t, r);
		link_newest(t, r);
	}
	since_told(t, r);
	r->packets += packets;
	r->bytes += bytes;
	r->since_packets += packets;
	r->since_bytes += bytes;
	if (first_ns < r->first_ns)
		r->first_ns = first_ns;
	if (last_ns > r->last_ns)
		r->last_ns = last_ns;
}

void tally_take(struct tally *t, const struct tally_key *k, uint64_t packets, uint64_t bytes, uint64_t now_ns)
{
	tally_add(t, k, packets, bytes, now_ns, now_ns);
}

static bool has_more(const struct top_item *a, const struct top_item *b)
{
	const struct tally_row *x = a->p, *y = b->p;
	int order;

	if (a->rank != b->rank)
		return a->rank > b->rank;
	order = memcmp(&x->key, &y->key, offsetof(struct tally_key, name));
	return order ? order < 0 : x < y;	/* alike but for their names: the one that was there first */
}

static uint64_t rank_of(const struct tally *t, const struct tally_row *r)
{
	switch (t->sort) {
	case TALLY_PACKETS:
		return r->packets;
	case TALLY_RATE:
		return r->was_bytes;
	case TALLY_START:
		return UINT64_MAX - r->first_ns;
	case TALLY_BYTES:
		break;
	}
	return r->bytes;
}

/* An interval is over: what came in it, of each row and of all. */
static void end_interval(struct tally *t, uint64_t now_ns)
{
	uint64_t since = t->told_ns ? t->told_ns : t->first_ns;

	t->was_ns = now_ns > since ? now_ns - since : 0;
	t->was_bytes = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		since_told(t, &t->v[i]);
		t->v[i].was_packets = t->v[i].since_packets;
		t->v[i].was_bytes = t->v[i].since_bytes;
		t->was_bytes += t->v[i].since_bytes;
	}
	t->told++;
	t->told_ns = now_ns;
}

int tally_each(struct tally *t, uint32_t top, int (*fn)(void *ctx, struct tally_row *row, uint64_t ns), void *ctx,
	       uint64_t now_ns)
{
	struct top order;
	int rc = top_open(&order, top && top < t->n ? top : t->n, has_more);

	if (rc)
		return rc;
	if (!t->again)
		end_interval(t, now_ns);
	for (uint32_t i = 0; i < t->n; i++)
		top_offer(&order, rank_of(t, &t->v[i]), &t->v[i]);
	top_sort(&order);
	for (uint32_t i = 0; i < order.n && !rc; i++)
		rc = fn(ctx, &t->v[(const struct tally_row *)order.v[i].p - t->v], t->was_ns);
	top_close(&order);
	return rc;
}
