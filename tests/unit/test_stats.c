// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/distinct.h"
#include "stats/tally.h"
#include "stats/totals.h"
#include "util/hash.h"

static void distinct_exact(void **state)
{
	struct distinct *d;
	bool estimated;

	assert_int_equal(distinct_open(&d), 0);
	for (uint64_t i = 0; i < 300000; i++)
		distinct_add(d, hash_spread(i % 100000));
	assert_int_equal(distinct_n(d, &estimated), 100000);
	assert_false(estimated);
	distinct_close(d);
}

static void distinct_many(void **state)
{
	struct distinct *d;
	bool estimated;
	uint64_t n;

	assert_int_equal(distinct_open(&d), 0);
	for (uint64_t i = 0; i < 6000000; i++)
		distinct_add(d, hash_spread(i));
	n = distinct_n(d, &estimated);
	assert_true(estimated);
	assert_true(n >= 5880000 && n <= 6120000);
	distinct_close(d);
}

static uint64_t rows, packets, bytes, first_bytes, since;

static int add(void *ctx, struct tally_row *r, uint64_t ns)
{
	if (!rows++)
		first_bytes = r->bytes;
	packets += r->packets;
	bytes += r->bytes;
	since += r->since_bytes;
	return 0;
}

static void tally(void **state)
{
	struct tally *t;

	assert_int_equal(tally_open(&t, 300, 1), 0);
	for (uint32_t i = 0; i < 100000; i++) {
		struct tally_key k = { .proto = (uint8_t)(i & 15) };

		memcpy(k.host.b, &(uint32_t){ i * 2654435761u % 1000 }, 4);
		tally_take(t, &k, 1, i, 1000 + i);
	}
	assert_int_equal(tally_each(t, 0, add, NULL, 200000), 0);
	assert_int_equal(rows, 300);
	/* What went and what is there is all. */
	assert_int_equal(packets + t->evicted_packets, 100000);
	assert_int_equal(bytes + t->evicted_bytes, 100000ull * 99999 / 2);
	rows = 0;
	assert_int_equal(tally_each(t, 7, add, NULL, 200000), 0);
	assert_int_equal(rows, 7);
	tally_close(t);
	/* Since they were told, also of those that were not among the first. */
	assert_int_equal(tally_open(&t, 300, 1), 0);
	for (uint32_t i = 1; i <= 3; i++)
		tally_take(t, &(struct tally_key){ .port = (uint16_t)i }, 1, 100 * i, 1000);
	assert_int_equal(tally_each(t, 1, add, NULL, 2000), 0);
	tally_take(t, &(struct tally_key){ .port = 1 }, 1, 10, 3000);
	since = 0;
	assert_int_equal(tally_each(t, 0, add, NULL, 4000), 0);
	assert_int_equal(since, 10);
	tally_close(t);
}

static struct told {
	uint16_t port[4];
	uint64_t packets[4], rate[4], ns;
	unsigned int n;
} told;

static int tell(void *ctx, struct tally_row *r, uint64_t ns)
{
	told.port[told.n] = r->key.port;
	told.packets[told.n] = r->packets;
	told.rate[told.n++] = r->was_bytes;
	told.ns = ns;
	return 0;
}

static void tell_ports(struct tally *t, enum tally_sort sort, uint16_t first, uint16_t second)
{
	t->sort = sort;
	told.n = 0;
	assert_int_equal(tally_each(t, 2, tell, NULL, 3000), 0);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.port[0], first);
	assert_int_equal(told.port[1], second);
}

/* Told once more rows have another order, the counts of now, and the rates of the interval that was over. */
static void rows_are_told_again_in_another_order(void **state)
{
	struct tally *t;

	assert_int_equal(tally_open(&t, 300, 1), 0);
	tally_take(t, &(struct tally_key){ .port = 1 }, 1, 1000, 1000);
	tally_take(t, &(struct tally_key){ .port = 2 }, 9, 500, 1001);
	told.n = 0;
	assert_int_equal(tally_each(t, 0, tell, NULL, 2000), 0);
	tally_take(t, &(struct tally_key){ .port = 2 }, 1, 100, 2500);
	tell_ports(t, TALLY_BYTES, 1, 2);
	assert_int_equal(t->was_bytes, 100);
	t->again = true;
	tell_ports(t, TALLY_PACKETS, 2, 1);
	tell_ports(t, TALLY_RATE, 2, 1);
	tell_ports(t, TALLY_START, 1, 2);
	tally_take(t, &(struct tally_key){ .port = 2 }, 5, 50, 3500);
	tell_ports(t, TALLY_RATE, 2, 1);
	assert_int_equal(told.packets[0], 15);
	assert_int_equal(told.rate[0], 100);
	assert_int_equal(told.ns, 1000);
	t->again = false;
	told.n = 0;
	assert_int_equal(tally_each(t, 2, tell, NULL, 4000), 0);
	assert_int_equal(t->was_bytes, 50);
	tally_close(t);
}

static void classes(void **state)
{
	assert_int_equal(size_class(64), SIZE_64);
	assert_int_equal(size_class(65), SIZE_127);
	assert_int_equal(size_class(1518), SIZE_1518);
	assert_int_equal(size_class(65536), SIZE_MORE);
	assert_int_equal(flag_class(2, 0), FLAGS_SYN);
	assert_int_equal(flag_class(18, 0), FLAGS_SYN_ACK);
	assert_int_equal(flag_class(20, 0), FLAGS_RST);
	assert_int_equal(flag_class(17, 5), FLAGS_FIN);
	assert_int_equal(flag_class(24, 5), FLAGS_DATA);
	assert_int_equal(flag_class(16, 0), FLAGS_ACK);
	assert_int_equal(flag_class(0, 0), FLAGS_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distinct_exact), cmocka_unit_test(distinct_many), cmocka_unit_test(tally),
		cmocka_unit_test(rows_are_told_again_in_another_order),
		cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
