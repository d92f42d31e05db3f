// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/apart.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64, WORDS = APART_CHUNK / WORD };

struct chunk {
	uint32_t n;			/* bytes held */
	uint64_t held[WORDS];		/* a bit for each byte */
	uint8_t  bytes[APART_CHUNK];
};

/* A chunk stands where the number of its first byte says: the numbers wrap and the places with them. */
struct apart {
	uint64_t used[APART_CHUNKS / WORD];
	struct chunk *chunk[APART_CHUNKS];
};

static unsigned int place_of(uint32_t seq)
{
	return seq / APART_CHUNK % APART_CHUNKS;
}

/* Bytes from seq to the end of its chunk, but no more than n. */
static uint32_t in_chunk(uint32_t seq, uint32_t n)
{
	uint32_t left = APART_CHUNK - seq % APART_CHUNK;

	return n < left ? n : left;
}

/* Likewise of the word of bits. */
static uint32_t in_word(uint32_t at, uint32_t n)
{
	uint32_t left = WORD - at % WORD;

	return n < left ? n : left;
}

static uint64_t mask_of(uint32_t at, uint32_t n)
{
	return n ? UINT64_MAX >> (WORD - n) << at % WORD : 0;
}

uint32_t apart_cost(const struct apart *a, uint32_t seq, uint32_t n)
{
	uint32_t cost = a ? 0 : sizeof(*a);

	for (uint32_t part; n; n -= part, seq += part) {
		part = in_chunk(seq, n);
		if (!a || !a->chunk[place_of(seq)])
			cost += sizeof(struct chunk);
	}
	return cost;
}

static bool make_chunk(struct apart *a, uint32_t seq, uint32_t *memory)
{
	unsigned int i = place_of(seq);
	struct chunk *c = a->chunk[i];

	if (c)
		return true;
	c = malloc(sizeof(*c));
	if (!c)
		return false;
	c->n = 0;
	memset(c->held, 0, sizeof(c->held));
	a->chunk[i] = c;
	a->used[i / WORD] |= 1ull << i % WORD;
	*memory += (uint32_t)sizeof(*c);
	return true;
}

/* n bytes within one word of bits. */
static bool word_differs(const struct chunk *c, uint32_t at, const uint8_t *p, uint32_t n)
{
	uint64_t mask = mask_of(at, n), both = c->held[at / WORD] & mask;

	if (!both)
		return false;
	if (both == mask)
		return memcmp(c->bytes + at, p, n) != 0;
	for (uint32_t i = 0; i < n; i++)
		if (both >> (at + i) % WORD & 1 && c->bytes[at + i] != p[i])
			return true;
	return false;
}

static void put_word(struct chunk *c, uint32_t at, const uint8_t *p, uint32_t n)
{
	uint64_t mask = mask_of(at, n), held = c->held[at / WORD];

	if (!(held & mask))
		memcpy(c->bytes + at, p, n);
	for (uint32_t i = 0; held & mask && i < n; i++)
		if (!(held >> (at + i) % WORD & 1))
			c->bytes[at + i] = p[i];
	c->held[at / WORD] = held | mask;
	c->n += (uint32_t)__builtin_popcountll(mask & ~held);
}

bool apart_differs(const struct apart *a, uint32_t seq, const uint8_t *p, uint32_t n)
{
	bool differ = false;

	for (uint32_t part; n && a && !differ; n -= part, seq += part, p += part) {
		const struct chunk *c = a->chunk[place_of(seq)];

		part = c ? in_word(seq, n) : in_chunk(seq, n);
		differ = c && word_differs(c, seq % APART_CHUNK, p, part);
	}
	return differ;
}

bool apart_put(struct apart **a, uint32_t seq, const uint8_t *p, uint32_t n, uint32_t *memory)
{
	if (!*a) {
		*a = calloc(1, sizeof(**a));
		if (!*a)
			return false;
		*memory += (uint32_t)sizeof(**a);
	}
	for (uint32_t done = 0; done < n; done += in_chunk(seq + done, n - done))
		if (!make_chunk(*a, seq + done, memory))
			return false;
	for (uint32_t part; n; n -= part, seq += part, p += part) {
		struct chunk *c = (*a)->chunk[place_of(seq)];

		part = in_word(seq, n);
		put_word(c, seq % APART_CHUNK, p, part);
	}
	return true;
}

/* From here to the first chunk in use at or after seq, in bytes; n when there is none before. */
static uint32_t unused(const struct apart *a, uint32_t seq, uint32_t n)
{
	uint32_t gone = 0;

	while (gone < n) {
		unsigned int i = place_of(seq + gone);
		uint64_t rest = a->used[i / WORD] >> i % WORD;

		if (rest & 1)
			return gone;
		/* To the chunk's end, then over whole chunks. */
		gone += in_chunk(seq + gone, APART_CHUNK);
		gone += APART_CHUNK * ((rest ? (uint32_t)__builtin_ctzll(rest) : WORD - i % WORD) - 1);
	}
	return n;
}

uint32_t apart_next(const struct apart *a, uint32_t seq, uint32_t n)
{
	uint32_t gone = 0;

	while (gone < n) {
		const struct chunk *c = a->chunk[place_of(seq + gone)];
		uint32_t at = (seq + gone) % APART_CHUNK;
		uint64_t rest;

		if (!c) {
			gone += unused(a, seq + gone, n - gone);
			continue;
		}
		rest = c->held[at / WORD] >> at % WORD;
		if (rest) {
			gone += (uint32_t)__builtin_ctzll(rest);
			break;
		}
		gone += WORD - at % WORD;
	}
	return seq + (gone < n ? gone : n);
}

uint32_t apart_run(const struct apart *a, uint32_t seq, const uint8_t **p)
{
	const struct chunk *c = a->chunk[place_of(seq)];
	uint32_t at = seq % APART_CHUNK, n = 0;

	if (!c)
		return 0;
	*p = c->bytes + at;
	while (at < APART_CHUNK) {
		uint64_t holes = ~(c->held[at / WORD] >> at % WORD);
		uint32_t part = WORD - at % WORD;

		if (holes && (uint32_t)__builtin_ctzll(holes) < part)
			return n + (uint32_t)__builtin_ctzll(holes);
		n += part;
		at += part;
	}
	return n;
}

void apart_forget(struct apart *a, uint32_t seq, uint32_t n, uint32_t *memory)
{
	for (uint32_t part; n; n -= part, seq += part) {
		unsigned int i = place_of(seq);
		struct chunk *c = a->chunk[i];

		part = in_chunk(seq, n);
		if (!c)
			continue;
		for (uint32_t done = 0, more; done < part; done += more) {
			uint32_t at = (seq + done) % APART_CHUNK;

			more = in_word(at, part - done);
			c->n -= (uint32_t)__builtin_popcountll(c->held[at / WORD] & mask_of(at, more));
			c->held[at / WORD] &= ~mask_of(at, more);
		}
		if (c->n)
			continue;
		free(c);
		a->chunk[i] = NULL;
		a->used[i / WORD] &= ~(1ull << i % WORD);
		*memory -= (uint32_t)sizeof(*c);
	}
}

void apart_free(struct apart **a, uint32_t *memory)
{
	if (!*a)
		return;
	for (int i = 0; i < APART_CHUNKS; i++) {
		if ((*a)->chunk[i])
			*memory -= (uint32_t)sizeof(struct chunk);
		free((*a)->chunk[i]);
	}
	*memory -= (uint32_t)sizeof(**a);
	free(*a);
	*a = NULL;
}
