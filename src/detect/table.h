/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DETECT_TABLE_H
#define NETPROBE_DETECT_TABLE_H

#include <stdint.h>
#include <string.h>

#include "record.h"
#include "util/hash.h"

/*
 * Entries of one size by a key, in memory that is taken once.  When it is full the
 * entry longest unused goes.  That is a loss, and counted, when something was heard of
 * it within the last `hot_ns`: before, it had nothing left to tell.
 */
enum { KEY_WORDS = 5 };
#define TABLE_NONE UINT32_MAX

struct table_entry {		/* the first member of every entry */
	uint64_t key[KEY_WORDS];
	uint64_t last_ns;
	uint32_t next, newer, older;
	uint32_t bucket;
};

struct table {
	uint8_t *v;
	uint32_t size, max, n;
	uint32_t zeroed;	/* so much of an entry is cleared when it is new */
	uint32_t *buckets, mask;
	uint32_t newest, oldest;
	uint64_t hot_ns;
	uint64_t evicted;
	struct hash_key seed;
};

/* 0 or -ENOMEM.  Only the first `zeroed` bytes of a new entry are cleared; 0: all. */
int  table_open(struct table *t, uint32_t size, uint32_t zeroed, uint32_t max, uint64_t hot_ns, uint32_t seed);
void table_close(struct table *t);
/* The entry of that key, used now; *fresh: it is new. */
void *table_get(struct table *t, const uint64_t key[KEY_WORDS], uint64_t now_ns, bool *fresh);
/* The same, but none is made. */
void *table_find(struct table *t, const uint64_t key[KEY_WORDS]);

static inline void *table_at(const struct table *t, uint32_t i)
{
	return t->v + (size_t)i * t->size;
}

/* Keys: up to two addresses, and a word of whatever else tells them apart. */
void key_make(uint64_t key[KEY_WORDS], const struct addr *a, const struct addr *b, uint64_t rest);

/*
 * How many different values were seen: exact up to VARIETY_EXACT, then by the bits of a
 * map of 1024 that they set, each worth as many values as it takes to find a clear one
 * (linear counting; Whang and others, 1990).  Some 3 % wrong up to 4,000; ends at 7,700.
 */
enum { VARIETY_EXACT = 32, VARIETY_WORDS = 16 };

struct variety {
	uint16_t n;		/* values in first[], then bits set */
	uint32_t worth;		/* of the bits set, in 256ths */
	bool     full;		/* counts by bits */
	uint32_t first[VARIETY_EXACT];
	uint64_t bits[VARIETY_WORDS];
};

/* `hash`: of the value, all its bits as good as random.  True when it is new. */
bool variety_add(struct variety *d, uint64_t hash);
uint32_t variety_count(const struct variety *d);

static inline void variety_clear(struct variety *d)
{
	d->n = 0;
	d->full = false;
}

/* A faster hash, for what may be wrong now and then: start with a part of the key. */
static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* Of an IPv4 address only its four bytes are read: they have just been written. */
static inline uint64_t hash_mix_addr(uint64_t h, const struct addr *a)
{
	uint64_t w[2];
	uint32_t v4;

	if (a->family == 4) {
		memcpy(&v4, a->b, 4);
		return hash_mix(h, v4);
	}
	memcpy(w, a->b, 16);
	return hash_mix(hash_mix(h, w[0]), w[1]);
}

uint64_t hash_addr(const struct hash_key *k, const struct addr *a);

#endif
