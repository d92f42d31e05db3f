// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "util/time.h"

#define SEC 1000000000ull

static char text[TIME_TEXT_MAX + 1];

static const char *ended(unsigned int n)
{
	assert_true(n <= TIME_TEXT_MAX);
	text[n] = '\0';
	return text;
}

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void utc_has_nanoseconds_and_a_z(void **state)
{
	struct time_cache c = { 0 };

	zone("America/New_York");
	assert_string_equal(ended(time_utc(&c, text, 0)), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(ended(time_utc(&c, text, 1402706119542940001)),
			    "2014-06-14T00:35:19.542940001Z");
	/* The same second again comes from the cache. */
	assert_string_equal(ended(time_utc(&c, text, 1402706119999999999)),
			    "2014-06-14T00:35:19.999999999Z");
	assert_string_equal(ended(time_utc(&c, text, 1709210096 * SEC + 1)),
			    "2024-02-29T12:34:56.000000001Z");
	assert_string_equal(ended(time_utc(&c, text, UINT64_MAX)), "2554-07-21T23:34:33.709551615Z");
}

static void local_time_follows_the_zone(void **state)
{
	static const struct { const char *tz, *want; } rows[] = {
		{ "UTC", "2014-06-14 00:35:19.542940" },
		{ "Asia/Kolkata", "2014-06-14 06:05:19.542940" },
		{ "America/New_York", "2014-06-13 20:35:19.542940" },
		{ "America/St_Johns", "2014-06-13 22:05:19.542940" },
		{ "NPT+11:30", "2014-06-13 13:05:19.542940" },
		{ "Europe/Berlin", "2014-06-14 02:35:19.542940" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct time_cache c = { 0 };

		zone(rows[i].tz);
		assert_string_equal(ended(time_date(&c, text, 1402706119542940999)), rows[i].want);
		assert_string_equal(ended(time_local(&c, text, 1402706119542940999)),
				    rows[i].want + 11);
	}
}

static void daylight_saving_is_followed_within_a_run(void **state)
{
	struct time_cache c = { 0 };

	zone("Europe/Berlin");
	/* 2024-03-31: 02:00 becomes 03:00; 2024-10-27: 03:00 becomes 02:00. */
	assert_string_equal(ended(time_local(&c, text, 1711846799 * SEC)), "01:59:59.000000");
	assert_string_equal(ended(time_local(&c, text, 1711846800 * SEC)), "03:00:00.000000");
	assert_string_equal(ended(time_local(&c, text, 1729990799 * SEC)), "02:59:59.000000");
	assert_string_equal(ended(time_local(&c, text, 1729990800 * SEC)), "02:00:00.000000");
}

static void the_cache_never_answers_for_another_second(void **state)
{
	struct time_cache warm = { 0 }, cold;
	char want[TIME_TEXT_MAX];
	uint64_t ns = 1711846700 * SEC;
	unsigned int i, n;

	zone("Europe/Berlin");
	for (i = 0; i < 5000; i++) {
		ns += i % 7 ? 333333333ull * (i % 5) : -(uint64_t)(SEC / 3);
		memset(&cold, 0, sizeof(cold));
		n = time_utc(&cold, want, ns);
		assert_int_equal(time_utc(&warm, text, ns), n);
		assert_memory_equal(text, want, n);
		n = time_date(&cold, want, ns);
		assert_int_equal(time_date(&warm, text, ns), n);
		assert_memory_equal(text, want, n);
	}
}

static void epochs_have_six_digits(void **state)
{
	assert_string_equal(ended(time_epoch(text, 0)), "0.000000");
	assert_string_equal(ended(time_epoch(text, 1402706119 * SEC + 999999999)), "1402706119.999999");
	assert_string_equal(ended(time_epoch(text, UINT64_MAX)), "18446744073.709551");
}

/* As tcpdump -ttt prints them, hours past 24 apart. */
static void spans_are_signed(void **state)
{
	assert_string_equal(ended(time_span(text, 0, 0)), " 00:00:00.000000");
	assert_string_equal(ended(time_span(text, 5000, 8630674999)), " 00:00:08.630669");
	assert_string_equal(ended(time_span(text, 1000000 * SEC + 5000, 999997 * SEC + 999999000)),
			    "-00:00:02.000006");
	/* Both are cut to microseconds before they are compared. */
	assert_string_equal(ended(time_span(text, 1999, 1001)), " 00:00:00.000000");
	assert_string_equal(ended(time_span(text, 1999, 2000)), " 00:00:00.000001");
	assert_string_equal(ended(time_span(text, 0, 36000 * SEC)), " 10:00:00.000000");
	assert_string_equal(ended(time_span(text, 0, 90061 * SEC)), " 25:01:01.000000");
	assert_string_equal(ended(time_span(text, UINT64_MAX, 0)), "-5124095:34:33.709551");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_has_nanoseconds_and_a_z),
		cmocka_unit_test(local_time_follows_the_zone),
		cmocka_unit_test(daylight_saving_is_followed_within_a_run),
		cmocka_unit_test(the_cache_never_answers_for_another_second),
		cmocka_unit_test(epochs_have_six_digits),
		cmocka_unit_test(spans_are_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
