// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"
#include "json_check.h"
#include "sink_text.h"

static const struct sink_options plain = { 0 };

static void expect(const struct sink_options *opt, const struct record *r, const char *want)
{
	char *text = one_text(&sink_json, opt, r);

	assert_string_equal(text, want);
	free(text);
}

static void a_record_is_one_nested_object_a_line(void **state)
{
	struct record r;

	make_dns(&r);
	expect(&plain, &r,
	       "{\"@timestamp\":\"2014-06-14T00:35:19.542940001Z\",\"event\":{\"dataset\":\"dns\","
	       "\"action\":\"response\"},\"source\":{\"ip\":\"192.0.2.53\",\"port\":53},"
	       "\"destination\":{\"ip\":\"2001:db8::1\",\"port\":40000},\"dns\":{\"id\":7,"
	       "\"question\":{\"name\":\"example.com\",\"type\":\"A\"}}}\n");
}

static void parents_are_opened_and_closed_once(void **state)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &icmp_dataset);
	record_unmark(&r, FIELD_DATASET);
	icmp_of(&r)->nd_target.family = 4;
	icmp_of(&r)->orig_src.family = 4;
	record_mark(&r, FIELD_OUTER_SRC_PORT);
	record_mark(&r, FIELD_OUTER_DST_PORT);
	record_mark(&r, FIELD_ICMP_CODE);
	record_mark(&r, FIELD_ICMP_ND_TARGET);
	record_mark(&r, FIELD_ICMP_ORIG_SRC_IP);
	record_mark(&r, FIELD_ICMP_ORIG_SRC_PORT);
	record_mark(&r, FIELD_ICMP_ORIG_DST_PORT);
	expect(&plain, &r,
	       "{\"outer\":{\"source\":{\"port\":0},\"destination\":{\"port\":0}},\"icmp\":{\"code\":0,"
	       "\"nd\":{\"target\":\"0.0.0.0\"},\"original\":{\"source\":{\"ip\":\"0.0.0.0\",\"port\":0},"
	       "\"destination\":{\"port\":0}}}}\n");
}

static void fields_with_one_parent_are_neighbours(void **state)
{
	const uint16_t *order = fields_order();
	unsigned int i, j, k;

	for (i = 0; i < fields_count(); i++) {
		const char *name = field_get(order[i])->name, *dot = name;

		while ((dot = strchr(dot, '.'))) {
			size_t n = (size_t)(++dot - name);

			for (j = i + 1; j < fields_count(); j++) {
				if (strncmp(field_get(order[j])->name, name, n))
					continue;
				for (k = i; k < j; k++)
					assert_memory_equal(field_get(order[k])->name, name, n);
			}
		}
	}
}

static void an_empty_record_is_an_empty_object(void **state)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.set = &packet_dataset;
	expect(&plain, &r, "{}\n");
	r.truncated = true;
	record_mark(&r, FIELD_TRUNCATED);
	expect(&plain, &r, "{\"truncated\":true}\n");
}

static void chosen_fields_keep_their_nesting(void **state)
{
	const uint16_t fields[] = { DNS(QUESTION_NAME), FIELD_ACTION };
	const struct sink_options opt = { .fields = fields, .n_fields = 2 };
	struct record r;

	make_dns(&r);
	expect(&opt, &r, "{\"event\":{\"action\":\"response\"},\"dns\":{\"question\":{\"name\":"
	       "\"example.com\"}}}\n");
}

static void an_address_without_a_family_is_absent(void **state)
{
	struct record r;

	make_dns(&r);
	memset(r.present, 0, sizeof(r.present));
	record_mark(&r, FIELD_SRC_IP);
	r.src.family = 0;
	expect(&plain, &r, "{}\n");
	record_mark(&r, FIELD_DNS_ID);
	expect(&plain, &r, "{\"dns\":{\"id\":7}}\n");
}

static void lists_and_items_are_arrays(void **state)
{
	static const uint16_t vlans[] = { 5, 4095 };
	static const char *const flags[] = { "RD", "RA" };
	static const struct str txt[] = { { "v=1", 3 }, { "", 0 } };
	struct dns_answer a[2] = {
		{ .present = 1 | 8 | 16, .name = STR("x"), .ttl = 4294967295u, .data = STR("1.2.3.4") },
		{ .present = 32, .data_list = { txt, 2 } },
	};
	struct record r;

	memset(&r, 0, sizeof(r));
	r.set = &dns_dataset;
	r.vlan = (struct list){ vlans, 2 };
	dns_of(&r)->header_flags = (struct list){ flags, 2 };
	dns_of(&r)->answers = (struct list){ a, 2 };
	dns_of(&r)->edns_do = true;
	record_mark(&r, FIELD_VLAN);
	record_mark(&r, FIELD_TUNNEL);
	record_mark(&r, FIELD_DNS_HEADER_FLAGS);
	record_mark(&r, FIELD_DNS_ANSWERS);
	record_mark(&r, FIELD_DNS_EDNS_DO);
	expect(&plain, &r,
	       "{\"network\":{\"vlan\":[5,4095],\"tunnel\":[]},\"dns\":{\"header_flags\":[\"RD\",\"RA\"],"
	       "\"answers\":[{\"name\":\"x\",\"ttl\":4294967295,\"data\":\"1.2.3.4\"},"
	       "{\"data\":[\"v=1\",\"\"]}],\"edns\":{\"do\":true}}}\n");
}

static void expect_name(struct str name, const char *want)
{
	const uint16_t fields[] = { DNS(QUESTION_NAME) };
	const struct sink_options opt = { .fields = fields, .n_fields = 1 };
	char line[256] = "{\"dns\":{\"question\":{\"name\":\"";
	struct record r;

	make_dns(&r);
	dns_of(&r)->question_name = name;
	snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s\"}}}\n", want);
	expect(&opt, &r, line);
}

static void text_is_escaped_as_documented(void **state)
{
	expect_name(STR("\"\\\b\f\n\r\t\x01\x7f/"), "\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f/");
	expect_name(STR("\x1b]52;c;ZXZpbA==\x07"), "\\u001b]52;c;ZXZpbA==\\u0007");
	expect_name(STR("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf"), "\\u009b\\u202e\\u2028\\ufeff");
	expect_name(STR("\xf3\xa0\x81\x81"), "\\udb40\\udc41");
	expect_name(STR("\xe4\xb8\xad\xf0\x9f\x98\x80\xc3\xa9"), "\xe4\xb8\xad\xf0\x9f\x98\x80\xc3\xa9");
}

static void bytes_that_are_not_utf8_are_latin1(void **state)
{
	expect_name(STR("caf\xe9"), "caf\xc3\xa9");
	/* One bad byte makes all of the text Latin-1, the well-formed part too. */
	expect_name(STR("\xc3\xa9\xff"), "\xc3\x83\xc2\xa9\xc3\xbf");
	expect_name(STR("\x9b\x80\xad"), "\\u009b\\u0080\\u00ad");
}

/* Every string length and every place of a special byte in it: words of eight, tails. */
static void special_is_found(char special, const char *escaped)
{
	char text[40], want[64];
	size_t len = strlen(escaped);
	unsigned int n, at;

	for (n = 1; n < 33; n++) {
		for (at = 0; at < n; at++) {
			memset(text, 'a', n);
			text[at] = special;
			memset(want, 'a', n + len - 1);
			memcpy(want + at, escaped, len);
			want[n + len - 1] = '\0';
			expect_name((struct str){ text, n }, want);
		}
	}
}

static void specials_are_found_at_every_place(void **state)
{
	special_is_found('"', "\\\"");
	special_is_found('\\', "\\\\");
	special_is_found('\x01', "\\u0001");
	special_is_found('\x1f', "\\u001f");
	special_is_found('\x7f', "\\u007f");
	special_is_found('\x80', "\\u0080");
	special_is_found('\xff', "\xc3\xbf");
}

static void mark_with(struct record *r, const struct field *f, const struct str *text)
{
	static struct dns_answer answer;
	static struct dns_question question;
	char *at = (char *)r + f->off;

	if (f->type == FT_STR)
		memcpy(at, text, sizeof(*text));
	answer = (struct dns_answer){ .present = 0x2f, .name = *text, .type = *text, .class = *text,
				      .data_list = { text, 1 } };
	question = (struct dns_question){ .present = 7, .name = *text, .type = *text, .class = *text };
	if (f->type == FT_STRS)
		*(struct list *)(void *)at = (struct list){ text, 1 };
	if (f->items == &dns_answer_items)
		*(struct list *)(void *)at = (struct list){ &answer, 1 };
	if (f->items == &dns_question_items)
		*(struct list *)(void *)at = (struct list){ &question, 1 };
}

static void hostile_bytes_in_every_field_stay_valid_json(void **state)
{
	struct sink_options pretty = { .pretty = true };
	const struct record *one;
	struct record r;
	unsigned int i, n, k;
	const uint16_t *order;
	size_t len;
	char *text;

	for (unsigned int set = 0; set < n_datasets; set++) {
		order = dataset_order(datasets[set], &n);
		for (i = 0; i < n; i++) {
			const struct field *f = dataset_field(datasets[set], order[i]);

			if (f->type < FT_STR || f->type == FT_WORDS)
				continue;
			for (k = 0; k < HOSTILE_TEXTS; k++) {
				memset(&r, 0, sizeof(r));
				r.set = datasets[set];
				record_mark(&r, order[i]);
				mark_with(&r, f, &hostile_texts[k]);
				one = &r;
				text = sink_text_of(&sink_json, &plain, &one, 1, &len);
				assert_int_equal(memchr(text, '\n', len) - (void *)text, len - 1);
				assert_true(json_is_valid(text, len - 1, false));
				assert_harmless(text, len);
				free(text);
				text = sink_text_of(&sink_json, &pretty, &one, 1, &len);
				assert_true(json_is_valid(text, len, true));
				assert_harmless(text, len);
				free(text);
			}
		}
	}
}

static void long_lines_are_cut_and_say_so(void **state)
{
	static char big[100000];
	static struct dns_answer answers[DNS_ANSWERS_MAX];
	static const char fills[] = { 'a', '"', 1, '\x9b', '\xe9' };
	struct record r;
	const struct record *one = &r;
	size_t len, n;
	unsigned int i, k;
	char *text;

	for (k = 0; k < sizeof(fills); k++) {
		memset(big, fills[k], sizeof(big));
		for (n = 100; n <= sizeof(big); n *= 10) {
			make_dns(&r);
			for (i = 0; i < DNS_ANSWERS_MAX; i++)
				answers[i] = (struct dns_answer){
					.present = 0x1f, .name = { big, (uint32_t)n }, .type = { big, 3 },
					.class = { big, 2 }, .ttl = 1, .data = { big, (uint32_t)n } };
			dns_of(&r)->answers = (struct list){ answers, DNS_ANSWERS_MAX };
			record_mark(&r, FIELD_DNS_ANSWERS);
			record_mark(&r, FIELD_DNS_ARCOUNT);
			text = sink_text_of(&sink_json, &plain, &one, 1, &len);
			assert_true(len <= 64 * 1024);
			assert_true(json_is_valid(text, len - 1, false));
			assert_non_null(strstr(text, "\"additionals_count\":0"));
			assert_true(n == 100 || strstr(text, ",\"truncated\":true}\n"));
			assert_true(!(n == 100 && fills[k] == 'a') || !strstr(text, "truncated"));
			free(text);
		}
	}
}

static void a_text_after_a_full_line_is_left_out(void **state)
{
	static char big[70000];
	struct record r;
	const struct record *one = &r;
	size_t len;
	char *text;

	memset(big, 'x', sizeof(big));
	make_dns(&r);
	r.interface = (struct str){ big, sizeof(big) };
	record_mark(&r, FIELD_INTERFACE);
	text = sink_text_of(&sink_json, &plain, &one, 1, &len);
	assert_true(json_is_valid(text, len - 1, false));
	assert_null(strstr(text, "question"));
	assert_non_null(strstr(text, "\"dns\":{\"id\":7},\"truncated\":true}\n"));
	free(text);
}

static void more_field_sets_than_are_kept_still_come_out_right(void **state)
{
	struct record r;
	unsigned int i, bits;
	char *text;

	for (i = 0; i < 2; i++) {
		for (bits = 0; bits < 128; bits++) {
			make_dns(&r);
			r.present[0] = (uint64_t)bits << FIELD_FRAME_NUMBER;
			memset(r.present + 1, 0, sizeof(r.present) - sizeof(r.present[0]));
			text = one_text(&sink_json, &plain, &r);
			assert_true(json_is_valid(text, strlen(text) - 1, false));
			free(text);
		}
	}
}

static void pretty_is_one_document_with_any_number_of_records(void **state)
{
	const uint16_t fields[] = { FIELD_ACTION, FIELD_VLAN, DNS(ID) };
	const struct sink_options opt = { .pretty = true, .fields = fields, .n_fields = 3 };
	struct record r;
	const struct record *two[] = { &r, &r };
	size_t len;
	char *text;

	make_dns(&r);
	record_mark(&r, FIELD_VLAN);
	text = sink_text_of(&sink_json, &opt, two, 0, &len);
	assert_string_equal(text, "[]\n");
	free(text);
	text = sink_text_of(&sink_json, &opt, two, 2, &len);
	assert_string_equal(text,
			    "[\n  {\n    \"event\": {\n      \"action\": \"response\"\n    },\n"
			    "    \"network\": {\n      \"vlan\": []\n    },\n"
			    "    \"dns\": {\n      \"id\": 7\n    }\n  },\n"
			    "  {\n    \"event\": {\n      \"action\": \"response\"\n    },\n"
			    "    \"network\": {\n      \"vlan\": []\n    },\n"
			    "    \"dns\": {\n      \"id\": 7\n    }\n  }\n]\n");
	free(text);
}

static void losses_are_lines_too(void **state)
{
	struct record r;

	make_lost(&r);
	expect(&plain, &r,
	       "{\"@timestamp\":\"2014-06-14T00:35:20.000000000Z\",\"event\":{\"dataset\":\"lost\","
	       "\"action\":\"lost\",\"start\":\"2014-06-14T00:35:19.000000000Z\","
	       "\"end\":\"2014-06-14T00:35:20.000000000Z\"},\"lost\":{\"stage\":\"ring\","
	       "\"reason\":\"ring_full\",\"count\":812}}\n");
}

static void chosen_fields_do_not_hide_a_loss(void **state)
{
	const uint16_t fields[] = { DNS(ID) };
	const struct sink_options opt = { .fields = fields, .n_fields = 1 };
	struct record r;
	char *text;

	make_lost(&r);
	text = one_text(&sink_json, &opt, &r);
	assert_non_null(strstr(text, "\"lost\":{\"stage\":\"ring\",\"reason\":\"ring_full\",\"count\":812}"));
	free(text);
}

static void numbers_of_every_size_are_exact(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 65535, 65536,
					   4294967295u, 10000000000, UINT64_MAX };
	char want[96];
	struct record r;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memset(&r, 0, sizeof(r));
		r.set = &lost_dataset;
		record_mark(&r, FIELD_LOST_COUNT);
		record_mark(&r, FIELD_FRAME_LEN);
		lost_of(&r)->count = values[i];
		r.frame_len = (uint32_t)values[i];
		snprintf(want, sizeof(want), "{\"frame\":{\"len\":%u},\"lost\":{\"count\":%lu}}\n",
			 r.frame_len, values[i]);
		expect(&plain, &r, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_one_nested_object_a_line),
		cmocka_unit_test(parents_are_opened_and_closed_once),
		cmocka_unit_test(fields_with_one_parent_are_neighbours),
		cmocka_unit_test(an_empty_record_is_an_empty_object),
		cmocka_unit_test(chosen_fields_keep_their_nesting),
		cmocka_unit_test(an_address_without_a_family_is_absent),
		cmocka_unit_test(lists_and_items_are_arrays),
		cmocka_unit_test(text_is_escaped_as_documented),
		cmocka_unit_test(bytes_that_are_not_utf8_are_latin1),
		cmocka_unit_test(specials_are_found_at_every_place),
		cmocka_unit_test(hostile_bytes_in_every_field_stay_valid_json),
		cmocka_unit_test(long_lines_are_cut_and_say_so),
		cmocka_unit_test(a_text_after_a_full_line_is_left_out),
		cmocka_unit_test(more_field_sets_than_are_kept_still_come_out_right),
		cmocka_unit_test(pretty_is_one_document_with_any_number_of_records),
		cmocka_unit_test(losses_are_lines_too),
		cmocka_unit_test(chosen_fields_do_not_hide_a_loss),
		cmocka_unit_test(numbers_of_every_size_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
