// SPDX-License-Identifier: GPL-2.0-or-later
#include <time.h>

#include "decode/dns/fields.h"
#include "sink_text.h"
#include "util/width.h"

static void line(void *state, const struct record *r, struct buf *b)
{
	buf_str(b, state ? state : "the line");
}

static void expect(const struct sink_options *opt, const struct record *r, const char *want)
{
	char *text = one_text(&sink_table, opt, r);

	assert_string_equal(text, want);
	free(text);
}

static void a_line_is_time_and_text(void **state)
{
	struct sink_options opt = { .line = line };
	struct record r;

	setenv("TZ", "UTC", 1);
	make_dns(&r);
	expect(&opt, &r, "00:35:19.542940 the line\n");
	opt.time = TIME_RFC3339;
	expect(&opt, &r, "2014-06-14T00:35:19.542940001Z the line\n");
	opt.time = TIME_EPOCH;
	expect(&opt, &r, "1402706119.542940 the line\n");
	opt.time = TIME_DATE;
	expect(&opt, &r, "2014-06-14 00:35:19.542940 the line\n");
	opt.time = TIME_DELTA;
	expect(&opt, &r, " 00:00:00.000000 the line\n");
	opt.time = TIME_NONE;
	expect(&opt, &r, "the line\n");
	opt.line_state = "trailing spaces  ";
	expect(&opt, &r, "trailing spaces\n");
}

static void spans_are_from_the_record_before_or_the_first(void **state)
{
	struct sink_options opt = { .line = line, .time = TIME_DELTA };
	struct record r[3];
	const struct record *all[] = { r, r + 1, r + 2 };
	size_t len;
	char *text;

	for (int i = 0; i < 3; i++)
		make_dns(&r[i]);
	r[1].time_ns -= 1000000;
	r[2].time_ns += 2000000;
	text = sink_text_of(&sink_table, &opt, all, 3, &len);
	assert_string_equal(text,
			    " 00:00:00.000000 the line\n-00:00:00.001000 the line\n"
			    " 00:00:00.003000 the line\n");
	free(text);
	opt.time = TIME_REL;
	text = sink_text_of(&sink_table, &opt, all, 3, &len);
	assert_string_equal(text,
			    " 00:00:00.000000 the line\n-00:00:00.001000 the line\n"
			    " 00:00:00.002000 the line\n");
	free(text);
}

static void numbers_come_first(void **state)
{
	const struct sink_options opt = { .line = line, .time = TIME_NONE, .number = true };
	struct record r;

	make_dns(&r);
	record_mark(&r, FIELD_FRAME_NUMBER);
	r.frame_number = 1;
	expect(&opt, &r, "    1  the line\n");
	r.frame_number = 12345;
	expect(&opt, &r, "12345  the line\n");
	r.frame_number = 1234567;
	expect(&opt, &r, "1234567  the line\n");
}

static void a_loss_is_a_line_of_its_own(void **state)
{
	struct sink_options opt = { .line = line, .time = TIME_NONE };
	struct record r;

	make_lost(&r);
	expect(&opt, &r, "!lost 812 ring_full\n");
	lost_of(&r)->reason = "no_memory";
	expect(&opt, &r, "!lost 812 ring no_memory\n");
	opt.color = true;
	expect(&opt, &r, "\033[1;33m!lost 812 ring no_memory\033[0m\n");
}

static void without_a_line_printer_fields_are_named(void **state)
{
	const struct sink_options opt = { .time = TIME_NONE };
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = STR("a\nb");
	expect(&opt, &r, "dns event.action=response source.ip=192.0.2.53 source.port=53 "
	       "destination.ip=2001:db8::1 destination.port=40000 dns.id=7 dns.question.name=a\\x0ab "
	       "dns.question.type=A\n");
}

static void an_ascii_terminal_gets_ascii(void **state)
{
	struct sink_options opt = { .line = line, .time = TIME_NONE,
				    .line_state = "a\xe4\xb8\xad\xf0\x9f\x98\x80\xff" "b" };
	struct record r;

	make_dns(&r);
	expect(&opt, &r, "a\\u{4e2d}\\u{1f600}\\xffb\n");
	opt.utf8 = true;
	opt.line_state = "a\xe4\xb8\xad";
	expect(&opt, &r, "a\xe4\xb8\xad\n");
}

/* What tcpdump 4.99 prints for the same bytes. */
static void dumps_are_those_of_tcpdump(void **state)
{
	static const uint8_t data[] =
		"\xff\xff\xff\xff\xff\xff\x00\xb0\x4a\x2e\x1c\x38\x88\xb5"
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
		"hello\r\nworld\r\rx\tq \x7f\x80\r";
	struct frame f = { .data = data, .cap_len = sizeof(data) - 1, .len = sizeof(data) - 1, .link = 1 };
	struct sink_options opt = { .line = line, .time = TIME_NONE, .hex = true };
	struct record r;

	make_dns(&r);
	r.frame = &f;
	expect(&opt, &r, "the line\n"
	       "\t0x0000:  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n"
	       "\t0x0010:  6865 6c6c 6f0d 0a77 6f72 6c64 0d0d 7809\n"
	       "\t0x0020:  7120 7f80 0d\n");
	opt.ascii_hex = true;
	expect(&opt, &r, "the line\n"
	       "\t0x0000:  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f  ................\n"
	       "\t0x0010:  6865 6c6c 6f0d 0a77 6f72 6c64 0d0d 7809  hello..world..x.\n"
	       "\t0x0020:  7120 7f80 0d                             q....\n");
	opt.hex_link = true;
	f.cap_len = 15;
	expect(&opt, &r, "the line\n"
	       "\t0x0000:  ffff ffff ffff 00b0 4a2e 1c38 88b5 00    ........J..8...\n");
	f.cap_len = sizeof(data) - 1;
	opt = (struct sink_options){ .line = line, .time = TIME_NONE, .ascii = true };
	expect(&opt, &r, "the line\n.........\t\n.....hello\nworld..x\tq ..\n");
	f.cap_len = 14;
	expect(&opt, &r, "the line\n");
}

static void offsets_past_64k_keep_their_digits(void **state)
{
	static uint8_t data[65536 + 2];
	struct frame f = { .data = data, .cap_len = sizeof(data), .len = sizeof(data), .link = 101 };
	const struct sink_options opt = { .line = line, .time = TIME_NONE, .hex = true };
	struct record r;
	char *text;

	make_dns(&r);
	r.frame = &f;
	text = one_text(&sink_table, &opt, &r);
	assert_non_null(strstr(text, "\n\t0xfff0:  0000"));
	assert_non_null(strstr(text, "\n\t0x10000:  0000\n"));
	free(text);
}

#define THREE (const uint16_t[]){ DNS(ID), DNS(QUESTION_NAME), DNS(QUESTION_TYPE) }

static void columns_have_titles_and_no_trailing_spaces(void **state)
{
	const struct sink_options opt = { .fields = THREE, .n_fields = 3, .header = true, .utf8 = true };
	struct record r, lost;
	const struct record *both[] = { &r, &lost };
	size_t len;
	char *text;

	make_dns(&r);
	make_lost(&lost);
	expect(&opt, &r, "dns.id  dns.question.name  dns.question.type\n"
			 "     7  example.com        A\n");
	text = sink_text_of(&sink_table, &opt, both, 2, &len);
	assert_string_equal(text, "dns.id  dns.question.name  dns.question.type\n"
				  "     7  example.com        A\n"
				  "!lost 812 ring_full\n");
	free(text);
}

static void a_loss_shows_whatever_the_columns(void **state)
{
	const uint16_t with[] = { DNS(ID), field_number(&lost_dataset, FIELD_LOST_COUNT) };
	struct sink_options opt = { .fields = THREE, .n_fields = 3, .width = 9 };
	struct record r;

	make_lost(&r);
	expect(&opt, &r, "!lost 81~\n");
	opt.width = 0;
	expect(&opt, &r, "!lost 812 ring_full\n");
	opt.fields = with;
	opt.n_fields = 2;
	expect(&opt, &r, "               812\n");
}

static void wide_characters_keep_columns_in_line(void **state)
{
	static const struct { struct str name; const char *want; } rows[] = {
		{ { "\xe4\xb8\xad\xe6\x96\x87", 6 }, "     7  \xe4\xb8\xad\xe6\x96\x87               A\n" },
		{ { "e\xcc\x81", 3 }, "     7  e\xcc\x81                  A\n" },
		{ { "ascii", 5 }, "     7  ascii              A\n" },
	};
	const struct sink_options opt = { .fields = THREE, .n_fields = 3, .utf8 = true };
	struct record r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_dns(&r);
		dns_of(&r)->question_name = rows[i].name;
		expect(&opt, &r, rows[i].want);
	}
}

static void a_terminal_of_any_width_is_not_overrun(void **state)
{
	const uint16_t fields[] = { FIELD_TIME, FIELD_SRC_IP, DNS(QUESTION_NAME),
					   FIELD_DST_IP, DNS(ID), DNS(QUESTION_TYPE) };
	struct sink_options opt = { .fields = fields, .n_fields = 6, .header = true, .utf8 = true };
	struct record r[HOSTILE_TEXTS];
	const struct record *all[HOSTILE_TEXTS];
	unsigned int i;
	size_t len;

	for (i = 0; i < HOSTILE_TEXTS; i++) {
		make_dns(&r[i]);
		dns_of(&r[i])->question_name = dns_of(&r[i])->question_type = hostile_texts[i];
		all[i] = &r[i];
	}
	for (opt.width = 1; opt.width < 200; opt.width++) {
		char *text, *p, *end;

		opt.utf8 = opt.width & 1;
		text = sink_text_of(&sink_table, &opt, all, HOSTILE_TEXTS, &len);
		assert_harmless(text, len);
		for (p = text, i = 0; (end = strchr(p, '\n')); p = end + 1, i++) {
			assert_true(width_text(p, (size_t)(end - p)) <= opt.width);
			assert_true(end == p || end[-1] != ' ');
		}
		assert_int_equal(i, HOSTILE_TEXTS + 1);
		free(text);
	}
}

static void what_is_cut_is_marked(void **state)
{
	struct sink_options opt = { .fields = THREE, .n_fields = 3, .utf8 = true, .width = 26 };
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = STR("a-long-name.example.com");
	expect(&opt, &r, "     7  a-long-\xe2\x80\xa6  A\n");
	opt.utf8 = false;
	expect(&opt, &r, "     7  a-long-~  A\n");
	/* A wide character that would be halved goes as a whole. */
	opt.utf8 = true;
	dns_of(&r)->question_name = STR("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad");
	expect(&opt, &r, "     7  \xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe2\x80\xa6   A\n");
}

static void columns_grow_while_there_is_room(void **state)
{
	const struct sink_options opt = { .fields = THREE, .n_fields = 3, .utf8 = true, .width = 50 };
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = STR("a-somewhat-long-name.example.com");
	expect(&opt, &r, "     7  a-somewhat-long-name.e\xe2\x80\xa6  A\n");
}

static void colors_frame_lines_and_never_come_from_data(void **state)
{
	const struct sink_options opt = { .fields = THREE, .n_fields = 3, .color = true };
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = STR("\x1b[31mred");
	expect(&opt, &r, "\033[36m     7  \\x1b[31mred        A\033[0m\n");
}

static void a_cut_cell_says_so_in_its_own_column_only(void **state)
{
	const struct sink_options opt = { .fields = THREE, .n_fields = 3 };
	static char big[65535];
	struct record r;
	char *text;

	make_dns(&r);
	memset(big, 0xe9, sizeof(big));
	dns_of(&r)->question_name = (struct str){ big, sizeof(big) };
	text = one_text(&sink_table, &opt, &r);
	assert_non_null(strstr(text, "\\xe9 truncated  A\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_time_and_text),
		cmocka_unit_test(spans_are_from_the_record_before_or_the_first),
		cmocka_unit_test(numbers_come_first),
		cmocka_unit_test(a_loss_is_a_line_of_its_own),
		cmocka_unit_test(without_a_line_printer_fields_are_named),
		cmocka_unit_test(an_ascii_terminal_gets_ascii),
		cmocka_unit_test(dumps_are_those_of_tcpdump),
		cmocka_unit_test(offsets_past_64k_keep_their_digits),
		cmocka_unit_test(columns_have_titles_and_no_trailing_spaces),
		cmocka_unit_test(a_loss_shows_whatever_the_columns),
		cmocka_unit_test(wide_characters_keep_columns_in_line),
		cmocka_unit_test(a_terminal_of_any_width_is_not_overrun),
		cmocka_unit_test(what_is_cut_is_marked),
		cmocka_unit_test(columns_grow_while_there_is_room),
		cmocka_unit_test(a_cut_cell_says_so_in_its_own_column_only),
		cmocka_unit_test(colors_frame_lines_and_never_come_from_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
