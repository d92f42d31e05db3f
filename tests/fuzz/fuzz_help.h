/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_HELP_H
#define FUZZ_HELP_H

#include <stdlib.h>

#include "decode/decode.h"
#include "util/unwritten.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches all that a record points to, so that a sanitizer sees where it lies, and that it was written. */

static inline uint64_t touch(const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint64_t sum = 0;

	check_written(p, n);
	for (size_t i = 0; i < n; i++)
		sum += bytes[i];
	return sum;
}

static inline uint64_t touch_value(enum field_type type, const void *v, const struct item_table *items)
{
	const struct list *l = v;
	uint64_t sum = 0;

	switch (type) {
	case FT_WORD:
		return touch(*(const char *const *)v, strlen(*(const char *const *)v));
	case FT_STR:
		return touch(((const struct str *)v)->p, ((const struct str *)v)->n);
	case FT_WORDS:
		for (uint32_t i = 0; i < l->n; i++)
			sum += touch_value(FT_WORD, (const char *const *)l->p + i, NULL);
		return sum;
	case FT_STRS:
		for (uint32_t i = 0; i < l->n; i++)
			sum += touch_value(FT_STR, (const struct str *)l->p + i, NULL);
		return sum;
	case FT_ITEMS:
		for (uint32_t i = 0; i < l->n; i++) {
			const char *item = (const char *)l->p + (size_t)i * items->size;
			uint32_t present;

			memcpy(&present, item, sizeof(present));
			for (unsigned int k = 0; k < items->n; k++)
				if (present >> k & 1)
					sum += touch_value(items->rows[k].type,
							   item + items->rows[k].off, NULL);
		}
		return sum;
	case FT_U16S:
		return touch(l->p, l->n * sizeof(uint16_t));
	case FT_U32S:
		return touch(l->p, l->n * sizeof(uint32_t));
	default:
		return 0;
	}
}

static inline int touch_record(void *ctx, const struct record *r)
{
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);

	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (record_has(r, order[i]))
			*(uint64_t *)ctx += touch_value(f->type, record_at(r, order[i]), f->items);
	}
	return 0;
}

/* A copy without slack behind it; n may be 0. */
static inline uint8_t *exact(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	if (n)
		memcpy(copy, p, n);
	return copy;
}

#endif
