// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	BUCKETS = 8192,
	NONE = 0xffff,
	DATAGRAM_MAX = 65535,
	BLOCK = 8,			/* offsets count in these (RFC 791) */
	MAP_SIZE = (DATAGRAM_MAX + BLOCK) / BLOCK / 8,
	ROOM_FIRST = 2048,
	WHOLE_MAX = 16,			/* a frame may hold fragments inside fragments */
};

/* The octets of a datagram; have[] has a bit for each block of eight. */
struct pieces {
	uint8_t *data;
	uint32_t room;
	uint32_t blocks;		/* bits set */
	uint8_t  have[MAP_SIZE];
};

struct fragment {
	struct fragment_key key;
	uint64_t time_ns;		/* of the piece that came first */
	struct pieces *pieces;		/* NULL: none, or given up */
	uint32_t total;			/* octets, once the last piece came; 0 before */
	uint16_t sport, dport;
	bool     has_ports, is_refused;
	uint16_t chain;			/* next in its bucket, or in the free list */
	uint16_t older, newer;
};

struct fragments {
	struct fragment d[FRAGMENT_DATAGRAMS];
	uint16_t bucket[BUCKETS];
	uint16_t oldest, newest, unused;
	uint64_t seed;
	size_t   memory;
	uint64_t evicted;
	struct pieces *whole[WHOLE_MAX];
	unsigned int wholes;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static unsigned int bucket_of(const struct fragments *t, const struct fragment_key *k)
{
	uint64_t v[5], h = t->seed;
	int i;

	_Static_assert(sizeof(*k) == sizeof(v), "the key has no holes");
	memcpy(v, k, sizeof(v));
	for (i = 0; i < 5; i++)
		h = mix(h, v[i] + t->seed);
	return h & (BUCKETS - 1);
}

int fragments_open(struct fragments **out)
{
	struct fragments *t = calloc(1, sizeof(*t));
	unsigned int i;

	if (!t)
		return -ENOMEM;
	/* Without entropy the table still works; only its order can be foretold. */
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uintptr_t)t;
	memset(t->bucket, 0xff, sizeof(t->bucket));
	for (i = 0; i < FRAGMENT_DATAGRAMS; i++)
		t->d[i].chain = (uint16_t)(i + 1 < FRAGMENT_DATAGRAMS ? i + 1 : NONE);
	t->oldest = t->newest = NONE;
	*out = t;
	return 0;
}

static void free_pieces(struct fragments *t, struct pieces *p)
{
	if (!p)
		return;
	t->memory -= p->room + sizeof(*p);
	free(p->data);
	free(p);
}

void fragments_release(struct fragments *t)
{
	while (t->wholes)
		free_pieces(t, t->whole[--t->wholes]);
}

void fragments_close(struct fragments *t)
{
	unsigned int i;

	if (!t)
		return;
	fragments_release(t);
	for (i = 0; i < FRAGMENT_DATAGRAMS; i++)
		free_pieces(t, t->d[i].pieces);
	free(t);
}

static void remove_datagram(struct fragments *t, struct fragment *d)
{
	uint16_t at = (uint16_t)(d - t->d);
	uint16_t *link = &t->bucket[bucket_of(t, &d->key)];

	while (*link != at)
		link = &t->d[*link].chain;
	*link = d->chain;
	*(d->older == NONE ? &t->oldest : &t->d[d->older].newer) = d->newer;
	*(d->newer == NONE ? &t->newest : &t->d[d->newer].older) = d->older;
	free_pieces(t, d->pieces);
	d->pieces = NULL;
	d->chain = t->unused;
	t->unused = at;
}

static void evict_oldest(struct fragments *t)
{
	t->evicted++;
	remove_datagram(t, &t->d[t->oldest]);
}

static void expire(struct fragments *t, uint64_t now_ns)
{
	while (t->oldest != NONE) {
		uint64_t then = t->d[t->oldest].time_ns;

		if (now_ns < then || now_ns - then <= FRAGMENT_AGE_NS)
			return;
		evict_oldest(t);
	}
}

static struct fragment *find_or_add(struct fragments *t, const struct fragment_key *key,
				    uint64_t time_ns)
{
	uint16_t *head = &t->bucket[bucket_of(t, key)];
	struct fragment *d;
	uint16_t i;

	for (i = *head; i != NONE; i = t->d[i].chain)
		if (!memcmp(&t->d[i].key, key, sizeof(*key)))
			return &t->d[i];
	if (t->unused == NONE)
		evict_oldest(t);
	i = t->unused;
	d = &t->d[i];
	t->unused = d->chain;
	*d = (struct fragment){ .key = *key, .time_ns = time_ns, .chain = *head,
				.older = t->newest, .newer = NONE };
	*head = i;
	*(t->newest == NONE ? &t->oldest : &t->d[t->newest].newer) = i;
	t->newest = i;
	return d;
}

/* Room for `end` octets, at the cost of the oldest others. */
static bool make_room(struct fragments *t, struct fragment *d, uint32_t end)
{
	struct pieces *p = d->pieces;
	uint32_t room = p ? p->room : ROOM_FIRST;
	uint8_t *data;
	size_t more;

	if (p && p->room >= end)
		return true;
	while (room < end)
		room *= 2;
	more = p ? room - p->room : room + sizeof(*p);
	while (t->memory + more > FRAGMENT_MEMORY && t->oldest != (uint16_t)(d - t->d))
		evict_oldest(t);
	if (t->memory + more > FRAGMENT_MEMORY)
		return false;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return false;
		t->memory += sizeof(*p);
		d->pieces = p;
	}
	data = realloc(p->data, room);
	if (!data)
		return false;
	t->memory += room - p->room;
	p->data = data;
	p->room = room;
	return true;
}

static bool have_block(const struct pieces *p, uint32_t i)
{
	return p->have[i / 8] >> (i % 8) & 1;
}

/* No octet of the piece is there yet; or all of them are, with the same value. */
static bool is_clean(const struct pieces *p, const struct fragment_piece *x)
{
	uint32_t first = x->offset / BLOCK, end = (x->offset + x->len + BLOCK - 1) / BLOCK, i, n = 0;

	for (i = first; i < end; i++)
		n += have_block(p, i);
	if (!n)
		return true;
	return n == end - first && !memcmp(p->data + x->offset, x->p, x->len);
}

static void copy_new(struct pieces *p, const struct fragment_piece *x)
{
	uint32_t at, n, i;

	for (at = 0; at < x->len; at += BLOCK) {
		i = (x->offset + at) / BLOCK;
		if (have_block(p, i))
			continue;
		n = x->len - at < BLOCK ? x->len - at : BLOCK;
		memcpy(p->data + x->offset + at, x->p + at, n);
		p->have[i / 8] |= (uint8_t)(1u << i % 8);
		p->blocks++;
	}
}

static void refuse(struct fragments *t, struct fragment *d)
{
	free_pieces(t, d->pieces);
	d->pieces = NULL;
	d->is_refused = true;
}

struct fragment *fragments_add(struct fragments *t, const struct fragment_key *key,
			       const struct fragment_piece *x)
{
	struct fragment *d;
	uint32_t end = x->offset + x->len;

	expire(t, x->time_ns);
	d = find_or_add(t, key, x->time_ns);
	if (d->is_refused || !x->len)
		return d;
	/* Ping of death; a middle piece that is no multiple of eight; octets not captured. */
	if (end > DATAGRAM_MAX || (x->more && x->len % BLOCK) || x->cap < x->len) {
		refuse(t, d);
		return d;
	}
	if (!make_room(t, d, end)) {
		refuse(t, d);
		return d;
	}
	if (key->version == 6 && !is_clean(d->pieces, x)) {
		refuse(t, d);
		return d;
	}
	copy_new(d->pieces, x);
	if (!x->more && !d->total)
		d->total = end;
	return d;
}

/* Every block up to the end is there; there may be others after it. */
static bool is_whole(const struct fragment *d)
{
	uint32_t i, n = (d->total + BLOCK - 1) / BLOCK;

	if (!d->pieces || !d->total || d->pieces->blocks < n)
		return false;
	for (i = 0; i < n / 8; i++)
		if (d->pieces->have[i] != 0xff)
			return false;
	for (i = n & ~7u; i < n; i++)
		if (!have_block(d->pieces, i))
			return false;
	return true;
}

const uint8_t *fragments_whole(struct fragments *t, struct fragment *d, uint32_t *n)
{
	struct pieces *p = d->pieces;

	if (!is_whole(d) || t->wholes == WHOLE_MAX)
		return NULL;
	*n = d->total;
	t->whole[t->wholes++] = p;
	d->pieces = NULL;
	remove_datagram(t, d);
	return p->data;
}

void fragment_set_ports(struct fragment *d, uint16_t sport, uint16_t dport)
{
	if (d->has_ports)
		return;
	d->sport = sport;
	d->dport = dport;
	d->has_ports = true;
}

bool fragment_ports(const struct fragment *d, uint16_t *sport, uint16_t *dport)
{
	if (!d->has_ports)
		return false;
	*sport = d->sport;
	*dport = d->dport;
	return true;
}

uint64_t fragments_evicted(const struct fragments *t)
{
	return t->evicted;
}
