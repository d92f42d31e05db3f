// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/hello_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = HELLO_TALKS / HELLO_WAYS };

struct hello_table {
	struct hello_talk talks[HELLO_TALKS];
	uint64_t clock, evicted;
	uint32_t memory, hand;		/* hand: who gives up pieces next */
};

uint8_t hello_direction(const struct packet *pk)
{
	int order = memcmp(pk->ip.src.b, pk->ip.dst.b, pk->ip.src.family == 6 ? 16 : 4);

	return order ? order > 0 : pk->ip.sport > pk->ip.dport;
}

int hello_table_open(struct hello_table **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void hello_drop(struct hello_table *t, struct hello_talk *talk, int way)
{
	if (!talk->pieces[way])
		return;
	free(talk->pieces[way]);
	talk->pieces[way] = NULL;
	t->memory -= (uint32_t)sizeof(struct hello_pieces);
}

void hello_table_close(struct hello_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < HELLO_TALKS; i++) {
		hello_drop(t, &t->talks[i], 0);
		hello_drop(t, &t->talks[i], 1);
	}
	free(t);
}

struct hello_talk *hello_talk(struct hello_table *t, uint64_t key, bool make)
{
	struct hello_talk *set = &t->talks[key % SETS * HELLO_WAYS], *oldest = set;

	for (int i = 0; i < HELLO_WAYS; i++) {
		if (set[i].used && set[i].key == key) {
			set[i].used = ++t->clock;
			return &set[i];
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	if (!make)
		return NULL;
	t->evicted += oldest->pieces[0] || oldest->pieces[1];
	hello_drop(t, oldest, 0);
	hello_drop(t, oldest, 1);
	memset(oldest, 0, sizeof(*oldest));
	oldest->key = key;
	oldest->used = ++t->clock;
	return oldest;
}

/* Ends: a turn of the hand frees what is held. */
static bool make_room(struct hello_table *t, const struct hello_talk *not_this)
{
	for (int i = 0; i < HELLO_TALKS && t->memory + sizeof(struct hello_pieces) > HELLO_MEMORY; i++) {
		struct hello_talk *talk = &t->talks[t->hand++ % HELLO_TALKS];

		if (talk == not_this || (!talk->pieces[0] && !talk->pieces[1]))
			continue;
		hello_drop(t, talk, 0);
		hello_drop(t, talk, 1);
		t->evicted++;
	}
	return t->memory + sizeof(struct hello_pieces) <= HELLO_MEMORY;
}

bool hello_put(struct hello_table *t, struct hello_talk *talk, int way, uint32_t at, const uint8_t *p, uint32_t n)
{
	struct hello_pieces *h = talk->pieces[way];

	if (at > HELLO_BYTES || n > HELLO_BYTES - at)
		return false;
	if (!h) {
		if (!make_room(t, talk))
			return false;
		h = talk->pieces[way] = calloc(1, sizeof(*h));
		if (!h)
			return false;
		t->memory += (uint32_t)sizeof(*h);
	}
	for (uint32_t i = at; i < at + n; i++) {
		if (h->there[i / 8] >> i % 8 & 1)
			continue;	/* of bytes sent twice the first stay */
		h->p[i] = p[i - at];
		h->there[i / 8] |= (uint8_t)(1u << i % 8);
	}
	while (h->have < HELLO_BYTES && h->there[h->have / 8] >> h->have % 8 & 1)
		h->have++;
	return true;
}

uint64_t hello_table_evicted(const struct hello_table *t)
{
	return t->evicted;
}
