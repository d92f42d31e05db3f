// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/top.h"

enum { MANY = 1000 };

static uint64_t value[MANY];

static bool is_before(const struct top_item *x, const struct top_item *y)
{
	return x->rank != y->rank ? x->rank > y->rank : (const uint64_t *)x->p < (const uint64_t *)y->p;
}

static int descending(const void *a, const void *b)
{
	const uint64_t *const *x = a, *const *y = b;

	return **x != **y ? **x < **y ? 1 : -1 : *x < *y ? -1 : 1;
}

/* As qsort(3) has them, however few are wanted; equal ranks are told apart. */
static void the_first_in_order(void **state)
{
	static const uint32_t most[] = { 0, 1, 2, 7, 64, MANY - 1, MANY, MANY + 1 };
	const uint64_t *sorted[MANY];
	uint32_t x = 1;

	for (unsigned int i = 0; i < MANY; i++) {
		x = x * 1664525 + 1013904223;
		value[i] = x >> 24;
		sorted[i] = &value[i];
	}
	qsort(sorted, MANY, sizeof(sorted[0]), descending);
	for (unsigned int k = 0; k < sizeof(most) / sizeof(most[0]); k++) {
		struct top t;

		assert_int_equal(top_open(&t, most[k], is_before), 0);
		for (unsigned int i = 0; i < MANY; i++)
			top_offer(&t, value[i], &value[i]);
		top_sort(&t);
		assert_int_equal(t.n, most[k] < MANY ? most[k] : MANY);
		for (uint32_t i = 0; i < t.n; i++)
			assert_ptr_equal(t.v[i].p, sorted[i]);
		top_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_first_in_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
