// SPDX-License-Identifier: GPL-2.0-or-later
#include "k8s/intern.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const struct intern *in, const char *s, size_t n)
{
	uint64_t w[8], h = n;

	/* Chunks of 56 bytes, each hashed with what came before. */
	do {
		size_t k = n < 56 ? n : 56;

		memset(w, 0, sizeof(w));
		w[0] = h;
		memcpy(w + 1, s, k);
		h = hash_words(&in->key, w, 8);
		s += k;
		n -= k;
	} while (n);
	return h;
}

static bool same(const struct intern *in, uint32_t id, const char *s, size_t n)
{
	const char *t = in->text + in->at[id];

	return !memcmp(t, s, n) && !t[n];
}

/* Where it is, or the free slot where it would be. */
static uint32_t slot_of(const struct intern *in, const char *s, size_t n)
{
	uint32_t i = (uint32_t)hash_text(in, s, n) & (in->n_slots - 1);

	/* At least a quarter of the slots is free. */
	while (in->slots[i]) {
		size_t left = in->n_text - in->at[in->slots[i]];

		if (n < left && same(in, in->slots[i], s, n))
			break;
		i = (i + 1) & (in->n_slots - 1);
	}
	return i;
}

static bool more_slots(struct intern *in)
{
	uint32_t n = in->n_slots ? in->n_slots * 2 : 1024, *old = in->slots;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	in->slots = slots;
	in->n_slots = n;
	for (uint32_t i = 1; i < in->n; i++) {
		const char *s = in->text + in->at[i];

		in->slots[slot_of(in, s, strlen(s))] = i;
	}
	free(old);
	return true;
}

static bool more_room(struct intern *in, size_t n)
{
	if (in->n_text + n + 1 > INTERN_TEXT_MAX)
		return false;
	if (in->n_text + n + 1 > in->room_text) {
		size_t room = (in->n_text + n + 1) * 2 + 4096;
		char *p = realloc(in->text, room);

		if (!p)
			return false;
		in->text = p;
		in->room_text = room;
	}
	if (in->n == in->room) {
		uint32_t room = in->room ? in->room * 2 : 512;
		size_t *p = realloc(in->at, room * sizeof(*p));

		if (!p)
			return false;
		in->at = p;
		in->room = room;
		if (!in->n)
			in->at[in->n++] = 0;
	}
	return in->n * 4 < in->n_slots * 3 || more_slots(in);
}

uint32_t intern(struct intern *in, const char *s, size_t n)
{
	uint32_t slot;

	/* A NUL would make two texts one. */
	n = strnlen(s, n);
	if (!more_room(in, n))
		return 0;
	slot = slot_of(in, s, n);
	if (in->slots[slot])
		return in->slots[slot];
	in->at[in->n] = in->n_text;
	memcpy(in->text + in->n_text, s, n);
	in->text[in->n_text + n] = 0;
	in->n_text += n + 1;
	in->slots[slot] = in->n;
	return in->n++;
}

uint32_t intern_find(const struct intern *in, const char *s, size_t n)
{
	n = strnlen(s, n);
	return in->n_slots ? in->slots[slot_of(in, s, n)] : 0;
}

void intern_free(struct intern *in)
{
	free(in->text);
	free(in->at);
	free(in->slots);
	memset(in, 0, sizeof(*in));
}

static uint32_t number_slot(const struct numbers *m, uint64_t key)
{
	uint32_t i = (uint32_t)hash_words(&m->key, &key, 1) & (m->n_slots - 1);

	while (m->values[i] && m->keys[i] != key)
		i = (i + 1) & (m->n_slots - 1);
	return i;
}

uint32_t numbers_get(const struct numbers *m, uint64_t key)
{
	return m->n_slots ? m->values[number_slot(m, key)] : 0;
}

static bool more_numbers(struct numbers *m)
{
	struct numbers old = *m;

	m->n_slots = old.n_slots ? old.n_slots * 2 : 256;
	m->keys = calloc(m->n_slots, sizeof(*m->keys));
	m->values = calloc(m->n_slots, sizeof(*m->values));
	if (!m->keys || !m->values) {
		free(m->keys);
		free(m->values);
		*m = old;
		return false;
	}
	for (uint32_t i = 0; i < old.n_slots; i++) {
		uint32_t at;

		if (!old.values[i])
			continue;
		at = number_slot(m, old.keys[i]);
		m->keys[at] = old.keys[i];
		m->values[at] = old.values[i];
	}
	free(old.keys);
	free(old.values);
	return true;
}

bool numbers_set(struct numbers *m, uint64_t key, uint32_t value)
{
	uint32_t i;

	if (m->n * 4 >= m->n_slots * 3 && !more_numbers(m))
		return false;
	i = number_slot(m, key);
	m->n += !m->values[i];
	m->keys[i] = key;
	m->values[i] = value;
	return true;
}

void numbers_free(struct numbers *m)
{
	free(m->keys);
	free(m->values);
	memset(m, 0, sizeof(*m));
}

enum { BLOCK = 2048 - 64 };

struct arena_block {
	struct arena_block *before;
	size_t used, size;
	_Alignas(16) char p[];
};

void *arena_get(struct arena *a, size_t n)
{
	struct arena_block *b = a->last;

	n = (n + 15) & ~(size_t)15;
	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK ? n : BLOCK;

		if (n > SIZE_MAX / 2)
			return NULL;
		b = calloc(1, sizeof(*b) + size);
		if (!b)
			return NULL;
		b->size = size;
		b->before = a->last;
		a->last = b;
	}
	b->used += n;
	return b->p + b->used - n;
}

void arena_free(struct arena *a)
{
	while (a->last) {
		struct arena_block *b = a->last;

		a->last = b->before;
		free(b);
	}
}
