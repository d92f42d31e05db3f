// SPDX-License-Identifier: GPL-2.0-or-later
/* Both tables chain in arenas; their hashes are keyed, so that nobody outside makes a chain long. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"
#include "verdict/parts.h"

#define RECENT_NS 30000000000ull
enum { RECENTS_EACH = 4, BUCKETS_EACH = 4, RECENTS_MIN = 1024 };	/* EACH: connection that may wait */

static uint32_t power_above(uint64_t n)
{
	uint64_t p = 64;

	while (p < n && p < 1u << 30)
		p *= 2;
	return (uint32_t)p;
}

int waiting_open(struct verdicts *v)
{
	uint64_t room = v->opt.room;

	v->max_recents = (uint32_t)(room * RECENTS_EACH);
	if (v->max_recents < RECENTS_MIN)
		v->max_recents = RECENTS_MIN;
	v->mask = power_above(room * BUCKETS_EACH) - 1;
	v->recent_mask = power_above(v->max_recents) - 1;
	v->v = calloc(room, sizeof(*v->v));
	v->nodes = calloc(room, KEYS * sizeof(*v->nodes));
	v->buckets = calloc((size_t)v->mask + 1, sizeof(*v->buckets));
	v->recents = calloc(v->max_recents, sizeof(*v->recents));
	v->recent_buckets = calloc((size_t)v->recent_mask + 1, sizeof(*v->recent_buckets));
	if (!v->v || !v->nodes || !v->buckets || !v->recents || !v->recent_buckets)
		return fail(ENOMEM, "connections that wait for a verdict");
	for (unsigned int i = 0; i < LISTS; i++)
		v->newest[i] = v->oldest[i] = NONE;
	v->free = v->recent_newest = v->recent_oldest = NONE;
	return 0;
}

void waiting_close(struct verdicts *v)
{
	free(v->v);
	free(v->nodes);
	free(v->buckets);
	free(v->recents);
	free(v->recent_buckets);
}

/* ── keys ─────────────────────────────────────────────────────────────────── */

uint64_t key_exact(const struct verdicts *v, enum key_kind kind, const struct ends *e)
{
	uint64_t w[6] = { (uint64_t)kind << 56 | (uint64_t)e->family << 48 | (uint64_t)e->proto << 32 |
			  (uint32_t)e->sport << 16 | e->dport,
			  e->src[0], e->src[1], e->dst[0], e->dst[1], e->serial };

	return hash_words(&v->key, w, 6);
}

uint64_t key_end(const struct verdicts *v, enum key_kind kind, const struct sight *s)
{
	const struct ends *e = &s->ends;
	const uint64_t *a = kind == KEY_SRC ? e->src : e->dst;
	uint64_t w[5] = { (uint64_t)kind << 56 | (uint64_t)e->family << 48 | (uint64_t)e->proto << 32 |
			  (kind == KEY_SRC ? e->sport : e->dport),
			  a[0], a[1], e->serial, s->mark };

	return hash_words(&v->key, w, 5);
}

/* ── connections ──────────────────────────────────────────────────────────── */

/* Buckets and chains hold numbers from 1: fresh memory is empty. */
static struct node *node_of(const struct verdicts *v, uint64_t hash)
{
	uint32_t i = v->buckets[hash & v->mask];

	while (i && v->nodes[i - 1].hash != hash)
		i = v->nodes[i - 1].next;
	return i ? &v->nodes[i - 1] : NULL;
}

struct entry *waiting_find(const struct verdicts *v, uint64_t hash)
{
	const struct node *n = node_of(v, hash);

	return n && !n->shared ? &v->v[(n - v->nodes) / KEYS] : NULL;
}

const struct node *waiting_nodes(const struct verdicts *v, const struct entry *e)
{
	return &v->nodes[(size_t)(e - v->v) * KEYS];
}

static void remove_node(struct verdicts *v, struct node *n)
{
	uint32_t *at = &v->buckets[n->hash & v->mask], self = (uint32_t)(n - v->nodes) + 1;

	while (*at != self)
		at = &v->nodes[*at - 1].next;
	*at = n->next;
	memset(n, 0, sizeof(*n));
}

static uint8_t key_after(uint8_t i)
{
	return i + 1 < KEYS ? i + 1 : 1;
}

void waiting_key(struct verdicts *v, struct entry *e, uint64_t hash, bool exact)
{
	uint32_t of = (uint32_t)(e - v->v);
	struct node *n = node_of(v, hash);

	if (n) {
		if ((n - v->nodes) / KEYS != of && !exact)
			n->shared = 1;
		return;
	}
	n = &v->nodes[(size_t)of * KEYS];
	for (unsigned int i = 0; i < KEYS && n[e->next_key].exact; i++)
		e->next_key = key_after(e->next_key);
	n += e->next_key;
	if (n->used)
		remove_node(v, n);
	*n = (struct node){ .hash = hash, .next = v->buckets[hash & v->mask], .used = 1, .exact = exact };
	v->buckets[hash & v->mask] = (uint32_t)(n - v->nodes) + 1;
	e->next_key = key_after(e->next_key);
}

void waiting_drop_keys(struct verdicts *v, struct entry *e)
{
	struct node *n = &v->nodes[(size_t)(e - v->v) * KEYS];

	for (unsigned int i = 0; i < KEYS; i++)
		if (n[i].used)
			remove_node(v, &n[i]);
	e->next_key = 0;
}

struct entry *waiting_new(struct verdicts *v)
{
	struct entry *e;

	if (v->free != NONE) {
		e = &v->v[v->free];
		v->free = e->older;
	} else {
		e = &v->v[v->top++];
	}
	v->n.waiting++;
	return e;
}

void waiting_free(struct verdicts *v, struct entry *e)
{
	waiting_drop_keys(v, e);
	waiting_unlink(v, e);
	e->older = v->free;
	v->free = (uint32_t)(e - v->v);
	v->n.waiting--;
}

void waiting_link(struct verdicts *v, struct entry *e, enum list list)
{
	uint32_t at = (uint32_t)(e - v->v);

	e->list = (uint8_t)list;
	e->newer = NONE;
	e->older = v->newest[list];
	if (e->older != NONE)
		v->v[e->older].newer = at;
	else
		v->oldest[list] = at;
	v->newest[list] = at;
}

void waiting_unlink(struct verdicts *v, struct entry *e)
{
	if (e->newer != NONE)
		v->v[e->newer].older = e->older;
	else
		v->newest[e->list] = e->older;
	if (e->older != NONE)
		v->v[e->older].newer = e->newer;
	else
		v->oldest[e->list] = e->newer;
}

/* ── who was seen lately ──────────────────────────────────────────────────── */

static void recent_unlink(struct verdicts *v, const struct recent *r)
{
	if (r->newer != NONE)
		v->recents[r->newer].older = r->older;
	else
		v->recent_newest = r->older;
	if (r->older != NONE)
		v->recents[r->older].newer = r->newer;
	else
		v->recent_oldest = r->newer;
}

static void recent_link(struct verdicts *v, struct recent *r)
{
	uint32_t at = (uint32_t)(r - v->recents);

	r->newer = NONE;
	r->older = v->recent_newest;
	if (r->older != NONE)
		v->recents[r->older].newer = at;
	else
		v->recent_oldest = at;
	v->recent_newest = at;
	r->last_ns = v->now_ns;
}

static struct recent *recent_any(const struct verdicts *v, uint64_t hash)
{
	uint32_t i = v->recent_buckets[hash & v->recent_mask];

	while (i && v->recents[i - 1].hash != hash)
		i = v->recents[i - 1].next;
	return i ? &v->recents[i - 1] : NULL;
}

struct recent *recent_find(struct verdicts *v, uint64_t hash)
{
	struct recent *r = recent_any(v, hash);

	return r && time_since(v->now_ns, r->last_ns) <= RECENT_NS ? r : NULL;
}

void recent_touch(struct verdicts *v, struct recent *r)
{
	recent_unlink(v, r);
	recent_link(v, r);
}

/* The place of the one that was silent longest. */
static struct recent *recent_oldest(struct verdicts *v)
{
	struct recent *r = &v->recents[v->recent_oldest];
	uint32_t *at = &v->recent_buckets[r->hash & v->recent_mask], self = v->recent_oldest + 1;

	while (*at != self)
		at = &v->recents[*at - 1].next;
	*at = r->next;
	recent_unlink(v, r);
	return r;
}

struct recent *recent_put(struct verdicts *v, uint64_t hash)
{
	struct recent *r = recent_any(v, hash);
	uint32_t *bucket = &v->recent_buckets[hash & v->recent_mask];

	if (r) {
		r->again = 0;
		recent_touch(v, r);
		return r;
	}
	r = v->n_recents < v->max_recents ? &v->recents[v->n_recents++] : recent_oldest(v);
	*r = (struct recent){ .hash = hash, .next = *bucket };
	*bucket = (uint32_t)(r - v->recents) + 1;
	recent_link(v, r);
	return r;
}

void recent_clear(struct verdicts *v)
{
	memset(v->recent_buckets, 0, ((size_t)v->recent_mask + 1) * sizeof(*v->recent_buckets));
	v->n_recents = 0;
	v->recent_newest = v->recent_oldest = NONE;
}
