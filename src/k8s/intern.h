/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_K8S_INTERN_H
#define NETPROBE_K8S_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/hash.h"

/* Texts as numbers: equal texts have equal numbers, so labels are compared by one instruction.  0 is no text. */
struct intern {
	char *text;			/* one after the other, each with a NUL */
	size_t n_text, room_text;
	size_t *at;			/* of number i */
	uint32_t n, room;
	uint32_t *slots, n_slots;	/* open addressing, a power of two */
	struct hash_key key;
};

enum { INTERN_TEXT_MAX = 256 << 20 };

/* The number of a text; 0 when there is no memory or more than INTERN_TEXT_MAX bytes. */
uint32_t intern(struct intern *in, const char *s, size_t n);
/* The same without adding it: 0 when it is not there. */
uint32_t intern_find(const struct intern *in, const char *s, size_t n);
void intern_free(struct intern *in);

static inline const char *intern_text(const struct intern *in, uint32_t id)
{
	return id && id < in->n ? in->text + in->at[id] : "";
}

/* Numbers by 64-bit keys; 0 is never a value. */
struct numbers {
	uint64_t *keys;
	uint32_t *values;
	uint32_t n, n_slots;
	struct hash_key key;
};

uint32_t numbers_get(const struct numbers *m, uint64_t key);
bool numbers_set(struct numbers *m, uint64_t key, uint32_t value);
void numbers_free(struct numbers *m);

/* Memory that is given back all at once. */
struct arena_block;
struct arena {
	struct arena_block *last;
};

/* Zeroed; NULL when there is none. */
void *arena_get(struct arena *a, size_t n);
void arena_free(struct arena *a);

#endif
