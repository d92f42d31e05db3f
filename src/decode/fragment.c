// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/steady.h"
#include "util/unwritten.h"

enum {
	BUCKETS = 8192,
	NONE = 0xffff,
	DATAGRAM_MAX = 65535,
	BLOCK = 8,			/* offsets count in these (RFC 791) */
	CHUNK = 64 * BLOCK,
	CHUNKS = (DATAGRAM_MAX + CHUNK) / CHUNK,	/* of a datagram */
	WHOLE_MAX = 16,			/* a frame may hold fragments inside fragments */
};

/* CHUNK bytes of a datagram. */
struct chunk {
	uint64_t have;			/* a bit for each block that is held; unused: the next unused */
	uint8_t  bytes[CHUNK];
};
enum { POOL = FRAGMENT_MEMORY / sizeof(struct chunk) };
_Static_assert(POOL <= UINT16_MAX, "chunk numbers");

/*
 * A block is held when all of its bytes are; of the block at the datagram's end, those up to
 * the end.  No piece goes beyond `total` once that is known, so no other block is cut short.
 */
struct fragment {
	struct fragment_key key;
	uint64_t time_ns;		/* of the piece that came first; DONE: of when it was whole */
	uint64_t last_ns;		/* of the latest piece */
	uint32_t blocks;		/* held */
	uint32_t total;			/* bytes, once the last piece came; 0 before */
	uint32_t top;			/* behind the last byte held */
	uint16_t sport, dport;
	bool     has_ports, is_refused;
	bool     was_whole;		/* it was handed on: what came since are copies */
	uint8_t  list;
	uint16_t chain;			/* next in its bucket, or in the free list */
	uint16_t older, newer;
	uint16_t chunks[CHUNKS];	/* 1 + the chunk's place in the pool; 0: nothing is held */
};

/* By age: those handed on, of which nothing is held; IPv4; IPv6.  The first go first for want of a place. */
enum list { DONE, OPEN, OPEN6, LISTS };

struct fragments {
	struct fragment d[FRAGMENT_DATAGRAMS];
	uint16_t bucket[BUCKETS];
	uint16_t oldest[LISTS], newest[LISTS], unused;
	uint16_t never;			/* entries from here on were never used */
	uint64_t seed;
	uint64_t latest_ns;		/* no datagram here has a later time */
	struct chunk *pool;
	uint32_t fresh, left;		/* pool: from here on never used; not in use */
	uint16_t spare;			/* 1 + the first of those that were, and are no more */
	uint64_t lost[FRAGMENT_LOSSES];
	uint8_t *whole[WHOLE_MAX];
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

	if (!t)
		return -ENOMEM;
	t->pool = malloc(POOL * sizeof(*t->pool));
	if (!t->pool) {
		free(t);
		return -ENOMEM;
	}
	t->left = POOL;
	/* Without entropy the table still works; only its order can be foretold. */
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uintptr_t)t;
	memset(t->bucket, 0xff, sizeof(t->bucket));
	t->unused = NONE;
	for (unsigned int i = 0; i < LISTS; i++)
		t->oldest[i] = t->newest[i] = NONE;
	*out = t;
	return 0;
}

void fragments_release(struct fragments *t)
{
	while (t->wholes)
		free(t->whole[--t->wholes]);
}

void fragments_close(struct fragments *t)
{
	if (!t)
		return;
	fragments_release(t);
	free(t->pool);
	free(t);
}

/* There is one left: see make_room(). */
static uint16_t take_chunk(struct fragments *t)
{
	uint16_t at = t->spare ? t->spare : (uint16_t)++t->fresh;
	struct chunk *c = &t->pool[at - 1];

	if (t->spare)
		t->spare = (uint16_t)c->have;
	t->left--;
	c->have = 0;
	unwritten(c->bytes, CHUNK);
	return at;
}

static void drop_pieces(struct fragments *t, struct fragment *d)
{
	for (uint32_t i = 0; d->blocks && i < CHUNKS; i++) {
		uint16_t at = d->chunks[i];

		if (!at)
			continue;
		d->chunks[i] = 0;
		t->pool[at - 1].have = t->spare;
		t->spare = at;
		t->left++;
	}
	d->blocks = 0;
}

static void unlist(struct fragments *t, const struct fragment *d)
{
	*(d->older == NONE ? &t->oldest[d->list] : &t->d[d->older].newer) = d->newer;
	*(d->newer == NONE ? &t->newest[d->list] : &t->d[d->newer].older) = d->older;
}

static void enlist(struct fragments *t, struct fragment *d, enum list list, uint64_t time_ns)
{
	uint16_t at = (uint16_t)(d - t->d);

	d->list = (uint8_t)list;
	d->time_ns = time_ns;
	t->latest_ns = time_ns > t->latest_ns ? time_ns : t->latest_ns;
	d->older = t->newest[list];
	d->newer = NONE;
	*(d->older == NONE ? &t->oldest[list] : &t->d[d->older].newer) = at;
	t->newest[list] = at;
}

static void remove_datagram(struct fragments *t, struct fragment *d)
{
	uint16_t at = (uint16_t)(d - t->d);
	uint16_t *link = &t->bucket[bucket_of(t, &d->key)];

	while (*link != at)
		link = &t->d[*link].chain;
	*link = d->chain;
	unlist(t, d);
	drop_pieces(t, d);
	d->chain = t->unused;
	t->unused = at;
}

/* Why one was refused is known already, and of one that was handed on nothing is missing. */
static void evict(struct fragments *t, struct fragment *d, enum fragment_loss why)
{
	t->lost[why] += d->blocks > 0 && !d->was_whole;
	remove_datagram(t, d);
}

/* Of those that hold something, the one that came first; NULL: there is none. */
static const uint64_t ages[LISTS] = { FRAGMENT_COPY_NS, FRAGMENT_AGE_NS, FRAGMENT_AGE6_NS };

static struct fragment *oldest_open(struct fragments *t)
{
	struct fragment *a = t->oldest[OPEN] == NONE ? NULL : &t->d[t->oldest[OPEN]];
	struct fragment *b = t->oldest[OPEN6] == NONE ? NULL : &t->d[t->oldest[OPEN6]];

	return !a || (b && b->time_ns < a->time_ns) ? b : a;
}

/* The clock was set, or a stamp was wrong: what began ahead ages from here on. */
static void go_back(struct fragments *t, uint64_t now_ns)
{
	for (unsigned int i = 0; i < LISTS; i++)
		for (uint16_t at = t->newest[i]; at != NONE; at = t->d[at].older)
			if (t->d[at].time_ns > now_ns)
				t->d[at].time_ns = now_ns;
	t->latest_ns = now_ns;
}

void fragments_expire(struct fragments *t, uint64_t now_ns)
{
	if (now_ns < t->latest_ns)
		go_back(t, now_ns);
	for (unsigned int i = 0; i < LISTS; i++) {
		while (t->oldest[i] != NONE) {
			struct fragment *d = &t->d[t->oldest[i]];

			if (now_ns - d->time_ns <= ages[i])
				break;
			evict(t, d, FRAGMENT_EXPIRED);
		}
	}
}

/* Pieces of a datagram that was handed on: they begin it anew, and so do those that come much later. */
static void begin_copy(struct fragments *t, struct fragment *d, uint64_t now_ns)
{
	if (d->list != DONE && time_since(now_ns, d->time_ns) <= FRAGMENT_COPY_NS)
		return;
	drop_pieces(t, d);
	unlist(t, d);
	d->total = d->top = 0;
	d->is_refused = d->has_ports = false;
	d->was_whole = time_since(now_ns, d->time_ns) <= FRAGMENT_COPY_NS;
	enlist(t, d, d->key.version == 6 ? OPEN6 : OPEN, now_ns);
}

static uint16_t place(struct fragments *t)
{
	uint16_t i;

	if (t->unused == NONE && t->never < FRAGMENT_DATAGRAMS)
		return t->never++;
	if (t->unused == NONE)
		evict(t, t->oldest[DONE] == NONE ? oldest_open(t) : &t->d[t->oldest[DONE]], FRAGMENT_TABLE_FULL);
	i = t->unused;
	t->unused = t->d[i].chain;
	return i;
}

static struct fragment *find_or_add(struct fragments *t, const struct fragment_key *key, uint64_t now_ns)
{
	uint16_t *head = &t->bucket[bucket_of(t, key)];
	struct fragment *d;
	uint16_t i;

	for (i = *head; i != NONE; i = t->d[i].chain) {
		d = &t->d[i];
		if (memcmp(&d->key, key, sizeof(*key)))
			continue;
		/* By the stamps of its own pieces, whatever others say of the time. */
		if (d->list != DONE && time_since(now_ns, d->time_ns) > ages[d->list]) {
			evict(t, d, FRAGMENT_EXPIRED);
			break;
		}
		if (d->was_whole)
			begin_copy(t, d, now_ns);
		return d;
	}
	i = place(t);
	d = &t->d[i];
	*d = (struct fragment){ .key = *key, .chain = *head };
	*head = i;
	enlist(t, d, key->version == 6 ? OPEN6 : OPEN, now_ns);
	return d;
}

/* Chunks for [from, end), at the cost of the oldest others. */
static bool make_room(struct fragments *t, struct fragment *d, uint32_t from, uint32_t end)
{
	uint32_t need = 0, i;

	for (i = from / CHUNK; i * CHUNK < end; i++)
		need += !d->chunks[i];
	while (t->left < need && oldest_open(t) != d)
		evict(t, oldest_open(t), FRAGMENT_MEMORY_FULL);
	if (t->left < need)
		return false;
	for (i = from / CHUNK; i * CHUNK < end; i++)
		if (!d->chunks[i])
			d->chunks[i] = take_chunk(t);
	return true;
}

/* The part of a piece that lies in one chunk. */
struct part {
	struct chunk *c;		/* NULL: nothing of it is held */
	const uint8_t *p;
	uint32_t at, n;			/* in the chunk */
	uint64_t blocks;
};

/* The part from the piece's byte `from` on; ends the piece when from + n is its length. */
static struct part part_of(struct fragments *t, const struct fragment *d, const struct fragment_piece *x, uint32_t from)
{
	uint32_t at = x->offset + from, place = d->chunks[at / CHUNK], blocks;
	struct part r = { .c = place ? &t->pool[place - 1] : NULL, .p = x->p + from, .at = at % CHUNK };

	r.n = x->len - from < CHUNK - r.at ? x->len - from : CHUNK - r.at;
	blocks = (r.n + BLOCK - 1) / BLOCK;
	r.blocks = blocks ? UINT64_MAX >> (64 - blocks) << r.at / BLOCK : 0;
	return r;
}

/* How many of the piece's blocks are held already; differ: with other bytes. */
static uint32_t held_of(struct fragments *t, const struct fragment *d, const struct fragment_piece *x, bool *differ)
{
	uint32_t from = 0, held = 0;

	while (from < x->len) {
		struct part r = part_of(t, d, x, from);
		uint64_t both = r.c ? r.c->have & r.blocks : 0;

		held += (uint32_t)__builtin_popcountll(both);
		if (r.c && both == r.blocks)
			*differ |= memcmp(r.c->bytes + r.at, r.p, r.n) != 0;
		for (uint32_t at = 0; r.c && both && both != r.blocks && at < r.n; at += BLOCK)
			if (both >> (r.at + at) / BLOCK & 1)
				*differ |= memcmp(r.c->bytes + r.at + at, r.p + at,
						  r.n - at < BLOCK ? r.n - at : BLOCK) != 0;
		from += r.n;
	}
	return held;
}

static void copy_new(struct fragments *t, struct fragment *d, const struct fragment_piece *x)
{
	uint32_t from = 0;

	while (from < x->len) {
		struct part r = part_of(t, d, x, from);
		uint64_t have = r.c ? r.c->have : 0;

		if (!r.c)		/* not so: make_room() */
			return;
		if (!(have & r.blocks))
			memcpy(r.c->bytes + r.at, r.p, r.n);
		for (uint32_t at = 0; have & r.blocks && at < r.n; at += BLOCK)
			if (!(have >> (r.at + at) / BLOCK & 1))
				memcpy(r.c->bytes + r.at + at, r.p + at, r.n - at < BLOCK ? r.n - at : BLOCK);
		r.c->have |= r.blocks;
		d->blocks += (uint32_t)__builtin_popcountll(r.blocks & ~have);
		from += r.n;
	}
}

static void refuse(struct fragments *t, struct fragment *d, enum fragment_loss why)
{
	drop_pieces(t, d);
	d->is_refused = true;
	t->lost[why]++;
}

/* The piece by itself, and the end that it says the datagram has; FRAGMENT_LOSSES: it is sound. */
static enum fragment_loss unsound(const struct fragment *d, const struct fragment_piece *x, uint32_t end)
{
	/* Ping of death; a middle piece that is no multiple of eight. */
	if (x->len > DATAGRAM_MAX || end > DATAGRAM_MAX || (x->more && x->len % BLOCK))
		return FRAGMENT_MALFORMED;
	if (x->more ? d->total && end > d->total : (d->total && end != d->total) || end < d->top)
		return FRAGMENT_TWO_ENDS;
	return x->cap < x->len ? FRAGMENT_CUT : FRAGMENT_LOSSES;
}

struct fragment *fragments_add(struct fragments *t, const struct fragment_key *key,
			       const struct fragment_piece *x)
{
	uint32_t end = x->offset + x->len, held;
	enum fragment_loss why;
	struct fragment *d;
	bool differ = false;

	if (!x->is_doubted)
		fragments_expire(t, x->time_ns);
	d = find_or_add(t, key, x->time_ns);
	d->last_ns = x->time_ns;
	if (d->is_refused || !x->len)
		return d;
	why = unsound(d, x, end);
	if (why != FRAGMENT_LOSSES) {
		refuse(t, d, why);
		return d;
	}
	held = held_of(t, d, x, &differ);
	t->lost[FRAGMENT_DIFFERS] += differ && key->version != 6;
	if (key->version == 6 && held && (differ || held != (x->len + BLOCK - 1) / BLOCK)) {
		refuse(t, d, FRAGMENT_OVERLAP);
		return d;
	}
	if (!make_room(t, d, x->offset, end)) {
		refuse(t, d, FRAGMENT_MEMORY_FULL);
		return d;
	}
	copy_new(t, d, x);
	d->top = end > d->top ? end : d->top;
	if (!x->more)
		d->total = end;
	return d;
}

const uint8_t *fragments_whole(struct fragments *t, struct fragment *d, uint32_t *n)
{
	uint8_t *whole;

	if (d->list == DONE || !d->total || d->blocks != (d->total + BLOCK - 1) / BLOCK || t->wholes == WHOLE_MAX)
		return NULL;
	whole = malloc(d->total);
	if (!whole)
		return NULL;
	for (uint32_t at = 0; at < d->total; at += CHUNK)
		memcpy(whole + at, t->pool[d->chunks[at / CHUNK] - 1].bytes,
		       d->total - at < CHUNK ? d->total - at : CHUNK);
	*n = d->total;
	t->whole[t->wholes++] = whole;
	drop_pieces(t, d);
	unlist(t, d);
	d->was_whole = true;
	enlist(t, d, DONE, d->last_ns);
	return whole;
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

const uint64_t *fragments_lost(const struct fragments *t)
{
	return t->lost;
}

uint32_t fragments_memory(const struct fragments *t)
{
	return (POOL - t->left) * (uint32_t)sizeof(struct chunk);
}
