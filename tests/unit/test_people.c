// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/stats_text.h"
#include "sink/people.h"
#include "sink_text.h"
#include "stats/fields.h"
#include "util/units.h"

static void counts_have_units(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} rows[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1.0k" }, { 1949, "1.9k" }, { 9960, "10k" }, { 302400, "302k" },
		{ 999499, "999k" }, { 999500, "1.0M" }, { 1200000, "1.2M" }, { 43000000000, "43G" },
		{ 5600000000000, "5.6T" }, { UINT64_MAX, "18E" },
	};
	char text[8];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_count(text, rows[i].n);
		assert_string_equal(text, rows[i].text);
	}
}

/* What is there is never nothing, what is not all never all. */
static void shares_do_not_lie(void **state)
{
	static const struct {
		uint64_t n, m;
		const char *text;
	} rows[] = {
		{ 0, 0, "0 %" }, { 0, 5, "0 %" }, { 1, 1000000, "<1 %" }, { 1, 200, "<1 %" }, { 1, 100, "1 %" },
		{ 18, 21, "86 %" }, { 999, 1000, ">99 %" }, { 5, 5, "100 %" }, { UINT64_MAX, UINT64_MAX, "100 %" },
	};
	char text[8];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_share(text, rows[i].n, rows[i].m);
		assert_string_equal(text, rows[i].text);
	}
}

static const struct named_count transports[] = { { "tcp", 1200000 }, { "udp", 80000 }, { "icmp", 3 } };
static const struct named_count sizes[] = { { "64", 7 }, { "more", 1 } };

static void make_row(struct record *r)
{
	memset(r, 0, sizeof(*r));
	record_start(r, &stats_dataset);
	r->time_ns = 1402706120000000000;
	r->interface = STR("eth0");
	stats_of(r)->packets = 1280003;
	stats_of(r)->bytes = 999;
	stats_of(r)->bps = 43000000;
	stats_of(r)->by_transport = (struct list){ transports, 3 };
	stats_of(r)->by_size = (struct list){ sizes, 2 };
	record_mark(r, FIELD_TIME);
	record_mark(r, FIELD_INTERFACE);
	record_mark(r, FIELD_STATS_PACKETS);
	record_mark(r, FIELD_STATS_BYTES);
	record_mark(r, FIELD_STATS_BPS);
	record_mark(r, FIELD_STATS_TRANSPORT);
	record_mark(r, FIELD_STATS_SIZE);
	record_mark(r, FIELD_STATS_TCP_FLAGS);
}

#define STATS(id) field_number(&stats_dataset, FIELD_STATS_##id)

static void expect(bool people, unsigned int width, const char *want)
{
	const uint16_t fields[] = { FIELD_TIME, FIELD_INTERFACE, STATS(PACKETS), STATS(BYTES), STATS(PPS), STATS(BPS) };
	const struct sink_options opt = { .fields = fields, .n_fields = 6, .header = true, .people = people,
					  .width = width };
	struct record r;
	char *text;

	setenv("TZ", "UTC", 1);
	make_row(&r);
	text = one_text(&sink_table, &opt, &r);
	assert_string_equal(text, want);
	free(text);
}

static void tables_for_people_have_short_titles_and_units(void **state)
{
	expect(true, 0, "TIME             INTERFACE         PACKETS  BYTES   PPS      BIT/S\n"
			"00:35:20.000000  eth0                 1.3M    999     -   43Mbit/s\n");
}

static void tables_of_chosen_columns_have_plain_numbers(void **state)
{
	expect(false, 0,
	       "@timestamp       network.interface  stats.packets  stats.bytes  stats.packets_per_second  stats.bits_per_second\n"
	       "00:35:20.000000  eth0                     1280003          999                                         43000000\n");
}

/* Names give way; a number that has no room is not there, rather than cut to another one. */
static void a_narrow_terminal_cuts_no_number(void **state)
{
	expect(true, 60, "TIME             INTERFACE   PACKETS  BYTES   PPS      BIT/S\n"
			 "00:35:20.000000  eth0           1.3M    999     -   43Mbit/s\n");
	expect(true, 50, "TIME             INT~  PACKETS  BYTES   PPS  BIT/S\n"
			 "00:35:20.000000  eth0     1.3M    999     -\n");
	expect(true, 30, "TIME             INT~  PACKETS\n"
			 "00:35:20.000000  eth0     1.3M\n");
	expect(true, 27, "TIME             INT~\n"
			 "00:35:20.000000  eth0  1.3M\n");
}

static void expect_block(unsigned int width, const char *want)
{
	struct stats_text t = { .width = width };
	struct buf b = { 0 };
	struct record r;

	make_row(&r);
	buf_str(&b, "before\n");
	stats_block(&t, &r, &b);
	buf_chr(&b, 0);
	assert_string_equal(b.p + 7, want);
	buf_free(&b);
}

static void everything_is_a_block(void **state)
{
	expect_block(0, "packets             1.3M\n"
			"bytes               999\n"
			"by transport        tcp 1.2M (94 %)  udp 80k (6 %)  icmp 3 (<1 %)\n"
			"by size             <=64 7 (88 %)  more 1 (12 %)\n"
			"bits per second     43Mbit/s");
}

static void a_block_fits_the_terminal(void **state)
{
	expect_block(50, "packets             1.3M\n"
			 "bytes               999\n"
			 "by transport        tcp 1.2M (94 %)  udp 80k (6 %)\n"
			 "                    icmp 3 (<1 %)\n"
			 "by size             <=64 7 (88 %)  more 1 (12 %)\n"
			 "bits per second     43Mbit/s");
	expect_block(10, "packets             1.3M\n"
			 "bytes               999\n"
			 "by transport        tcp 1.2M (94 %)\n"
			 "                    udp 80k (6 %)\n"
			 "                    icmp 3 (<1 %)\n"
			 "by size             <=64 7 (88 %)\n"
			 "                    more 1 (12 %)\n"
			 "bits per second     43Mbit/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_have_units),
		cmocka_unit_test(shares_do_not_lie),
		cmocka_unit_test(tables_for_people_have_short_titles_and_units),
		cmocka_unit_test(tables_of_chosen_columns_have_plain_numbers),
		cmocka_unit_test(a_narrow_terminal_cuts_no_number),
		cmocka_unit_test(everything_is_a_block),
		cmocka_unit_test(a_block_fits_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
