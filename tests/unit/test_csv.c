// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/fields.h"
#include "sink/fmt.h"
#include "sink_text.h"

static void expect(const uint16_t *fields, unsigned int n, const struct record *r, const char *want)
{
	const struct sink_options opt = { .fields = fields, .n_fields = n };
	char *text = one_text(&sink_csv, &opt, r);

	assert_string_equal(text, want);
	free(text);
}

static void expect_name(struct str name, const char *want)
{
	const uint16_t fields[] = { DNS(ID), DNS(QUESTION_NAME), DNS(ID) };
	char line[256] = "7,";
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = name;
	snprintf(line + 2, sizeof(line) - 2, "%s,7\n", want);
	expect(fields, 3, &r, line);
}

static void titles_are_the_names_of_the_schema(void **state)
{
	static const uint16_t fields[] = { FIELD_TIME, FIELD_SRC_IP };
	const struct sink_options opt = { .fields = fields, .n_fields = 2, .header = true };
	struct record r;
	char *text;

	make_dns(&r);
	text = one_text(&sink_csv, &opt, &r);
	assert_string_equal(text, "@timestamp,source.ip\n2014-06-14T00:35:19.542940001Z,192.0.2.53\n");
	free(text);
}

static unsigned int count(const char *s, const char *end, char c)
{
	unsigned int n = 0;

	for (; s < end; s++)
		n += *s == c;
	return n;
}

static void every_kind_has_a_row_of_the_same_columns(void **state)
{
	const struct sink_options opt = { .header = true };
	struct record dns, lost;
	const struct record *both[] = { &dns, &lost };
	const char *second, *third, *end;
	size_t len;
	char *text;

	make_dns(&dns);
	make_lost(&lost);
	text = sink_text_of(&sink_csv, &opt, both, 2, &len);
	second = strchr(text, '\n') + 1;
	third = strchr(second, '\n') + 1;
	end = strchr(third, '\n') + 1;
	assert_ptr_equal(end, text + len);
	assert_int_equal(count(text, second, ','), count(second, third, ','));
	assert_int_equal(count(text, second, ','), count(third, end, ','));
	assert_non_null(strstr(third, ",lost,"));
	assert_non_null(strstr(third, ",ring,ring_full,812\n"));
	free(text);
}

static void cells_are_quoted_where_rfc_4180_wants_it(void **state)
{
	expect_name(STR("plain"), "plain");
	expect_name(STR(""), "");
	expect_name(STR("a,b"), "\"a,b\"");
	expect_name(STR("a\"b"), "\"a\"\"b\"");
	expect_name(STR("\""), "\"\"\"\"");
	expect_name(STR(" a"), "\" a\"");
	expect_name(STR("a\r\nb"), "a\\x0d\\x0ab");
	expect_name(STR("\xe4\xb8\xad"), "\xe4\xb8\xad");
	expect_name(STR("\xff"), "\\xff");
}

static void a_cell_is_never_a_formula(void **state)
{
	expect_name(STR("=1+1"), "'=1+1");
	expect_name(STR("+1"), "'+1");
	expect_name(STR("-1"), "'-1");
	expect_name(STR("@SUM(A1)"), "'@SUM(A1)");
	expect_name(STR("=cmd|'/c calc'!A1,\"x\""), "\"'=cmd|'/c calc'!A1,\"\"x\"\"\"");
	expect_name(STR("\t=1"), "\\x09=1");
	expect_name(STR("\r=1"), "\\x0d=1");
	expect_name(STR("\357\274\2351"), "'\357\274\2351");
	expect_name(STR("a=1"), "a=1");
}

static void lists_are_joined_and_items_are_json(void **state)
{
	const uint16_t fields[] = { FIELD_VLAN, DNS(HEADER_FLAGS), DNS(ANSWERS) };
	static const uint16_t vlans[] = { 5, 6 };
	static const char *const flags[] = { "RD", "RA" };
	struct dns_answer a = { .present = 1 | 16, .name = STR("x\xff"), .data = STR("\"=") };
	struct record r;

	make_dns(&r);
	r.vlan = (struct list){ vlans, 2 };
	dns_of(&r)->header_flags = (struct list){ flags, 2 };
	dns_of(&r)->answers = (struct list){ &a, 1 };
	record_mark(&r, FIELD_VLAN);
	record_mark(&r, FIELD_DNS_HEADER_FLAGS);
	record_mark(&r, FIELD_DNS_ANSWERS);
	expect(fields, 3, &r,
	       "5 6,RD RA,\"[{\"\"name\"\":\"\"x\xc3\xbf\"\",\"\"data\"\":\"\"\\\"\"=\"\"}]\"\n");
}

static void absent_is_empty_but_a_row_is_a_line(void **state)
{
	static const uint16_t fields[] = { FIELD_VLAN, FIELD_IFINDEX };
	struct record r;

	make_dns(&r);
	expect(fields, 2, &r, ",\n");
	expect(fields, 1, &r, "\"\"\n");
}

static void hostile_bytes_stay_in_their_cell(void **state)
{
	const uint16_t fields[] = { DNS(ID), FIELD_INTERFACE, DNS(ID) };
	const struct sink_options opt = { .fields = fields, .n_fields = 3 };
	struct record r;
	unsigned int i;
	char *text;
	size_t n;

	for (i = 0; i < HOSTILE_TEXTS; i++) {
		make_dns(&r);
		r.interface = hostile_texts[i];
		record_mark(&r, FIELD_INTERFACE);
		text = one_text(&sink_csv, &opt, &r);
		n = strlen(text);
		assert_harmless(text, n);
		assert_ptr_equal(strchr(text, '\n'), text + n - 1);
		assert_memory_equal(text, "7,", 2);
		assert_string_equal(text + n - 3, ",7\n");
		assert_int_equal(count(text, text + n, '"') % 2, 0);
		free(text);
	}
}

/* Each byte becomes four when it is escaped. */
static void long_cells_are_cut_and_say_so(void **state)
{
	const uint16_t fields[] = { DNS(QUESTION_NAME), DNS(ANSWERS), DNS(ID) };
	const struct sink_options opt = { .fields = fields, .n_fields = 3 };
	static char big[65535];
	struct dns_answer a = { .present = 1, .name = { big, sizeof(big) } };
	struct record r;
	char *text;

	make_dns(&r);
	memset(big, 1, sizeof(big));
	dns_of(&r)->question_name = (struct str){ big, sizeof(big) };
	dns_of(&r)->answers = (struct list){ &a, 1 };
	record_mark(&r, FIELD_DNS_ANSWERS);
	text = one_text(&sink_csv, &opt, &r);
	assert_true(strlen(text) < 3 * FMT_CELL_MAX);
	assert_non_null(strstr(text, "\\x01 truncated,\""));
	assert_non_null(strstr(text, "\\u0001\"\"}] truncated\",7\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles_are_the_names_of_the_schema),
		cmocka_unit_test(every_kind_has_a_row_of_the_same_columns),
		cmocka_unit_test(cells_are_quoted_where_rfc_4180_wants_it),
		cmocka_unit_test(a_cell_is_never_a_formula),
		cmocka_unit_test(lists_are_joined_and_items_are_json),
		cmocka_unit_test(absent_is_empty_but_a_row_is_a_line),
		cmocka_unit_test(long_cells_are_cut_and_say_so),
		cmocka_unit_test(hostile_bytes_stay_in_their_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
