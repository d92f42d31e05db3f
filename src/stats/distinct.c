// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/distinct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

enum { FIRST = 1024, LIMIT = 4 << 20, REGISTERS = 1 << 16 };

struct distinct {
	uint64_t *slots;		/* 0 is empty; NULL: estimating */
	uint32_t mask, n;
	uint8_t *registers;		/* NULL: exact */
};

int distinct_open(struct distinct **out)
{
	struct distinct *d = calloc(1, sizeof(*d));

	if (d)
		d->slots = calloc(FIRST, sizeof(*d->slots));
	if (!d || !d->slots) {
		free(d);
		return fail(ENOMEM, "flow counter");
	}
	d->mask = FIRST - 1;
	*out = d;
	return 0;
}

void distinct_close(struct distinct *d)
{
	if (!d)
		return;
	free(d->slots);
	free(d->registers);
	free(d);
}

/* The rank is that of the first set bit behind the register's number. */
static void estimate(struct distinct *d, uint64_t hash)
{
	uint8_t *r = &d->registers[hash >> 48], rank = (uint8_t)(__builtin_clzll(hash << 16 | 1u << 15) + 1);

	if (rank > *r)
		*r = rank;
}

static void insert(uint64_t *slots, uint32_t mask, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & mask;

	while (slots[i])
		i = (i + 1) & mask;
	slots[i] = hash;
}

/* Twice the room; at the limit, or without memory, an estimate from here on. */
static void grow(struct distinct *d)
{
	uint32_t room = (d->mask + 1) * 2;
	uint64_t *slots = room <= LIMIT ? calloc(room, sizeof(*slots)) : NULL;

	if (!slots)
		d->registers = calloc(REGISTERS, 1);
	if (!slots && !d->registers)
		return;			/* tried again with the next */
	for (uint32_t i = 0; i <= d->mask; i++) {
		if (!d->slots[i])
			continue;
		if (slots)
			insert(slots, room - 1, d->slots[i]);
		else
			estimate(d, d->slots[i]);
	}
	free(d->slots);
	d->slots = slots;
	d->mask = room - 1;
}

void distinct_add(struct distinct *d, uint64_t hash)
{
	uint32_t i;

	if (!hash)
		hash = 1;
	if (d->registers) {
		estimate(d, hash);
		return;
	}
	for (i = (uint32_t)hash & d->mask; d->slots[i]; i = (i + 1) & d->mask)
		if (d->slots[i] == hash)
			return;
	if (d->n == d->mask)		/* no memory, and full but for the place that ends each search */
		return;
	d->slots[i] = hash;
	d->n++;
	if (d->n > d->mask / 8 * 7)
		grow(d);
}

uint64_t distinct_n(const struct distinct *d, bool *estimated)
{
	double sum = 0;

	*estimated = d->registers != NULL;
	if (!d->registers)
		return d->n;
	/* So many that no correction for small or large numbers applies. */
	for (unsigned int i = 0; i < REGISTERS; i++)
		sum += 1.0 / (double)(1ull << d->registers[i]);
	return (uint64_t)(0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * (double)REGISTERS / sum);
}
