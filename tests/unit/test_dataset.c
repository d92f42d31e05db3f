// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "decode/http/fields.h"
#include "record_keep.h"
#include "json_check.h"
#include "sink_text.h"
#include "util/real.h"

/* A dataset of our own, with a field of each type that no other has, and one below a common parent. */
struct toy_body {
	int64_t big;
	double real;
	struct list labels;		/* struct pair */
	uint32_t packets;
	struct str name;
};

#define TOY_FIELDS(X) \
	X(TOY_BIG, "toy.big", FT_I64, big, "signed") \
	X(TOY_REAL, "toy.real", FT_F64, real, "real") \
	X(TOY_LABELS, "toy.labels", FT_MAP, labels, "texts by name") \
	X(TOY_PACKETS, "source.toy", FT_U32, packets, "beside source.ip") \
	X(TOY_AFTER, "network.toy", FT_U32, packets, "not the last of network", .after = FIELD_TRANSPORT) \
	X(TOY_AFTER_2, "network.toy_too", FT_U32, packets, "behind it", .after = FIELD_TRANSPORT) \
	X(TOY_NAME, "toy_name", FT_STR, name, "a text")

enum toy_field { FIELD_TOY_BEFORE_ = FIELD_OWN - 1, TOY_FIELDS(FIELD_ID) };

#define OWN_BODY toy_body
OWN_TABLE(toy, TOY_FIELDS);
#undef OWN_BODY

static struct dataset toy_dataset = { .name = "toy", .own = &toy_table, .is_protocol = true };

/* Another with a field of the same name, and one whose type is another. */
struct twin_body {
	uint32_t packets;
	struct str name;
};

#define TWIN_FIELDS(X) \
	X(TWIN_PACKETS, "twin.packets", FT_U32, packets, "first here") \
	X(TWIN_NAME, "toy_name", FT_STR, name, "a text") \
	X(TWIN_BIG, "toy.big", FT_U32, packets, "no namesake")

enum twin_field { FIELD_TWIN_BEFORE_ = FIELD_OWN - 1, TWIN_FIELDS(FIELD_ID) };

#define OWN_BODY twin_body
OWN_TABLE(twin, TWIN_FIELDS);
#undef OWN_BODY

static struct dataset twin_dataset = { .name = "twin", .own = &twin_table };

static struct toy_body *toy_of(const struct record *r)
{
	return record_own(r);
}

static void make_toy(struct record *r)
{
	static const struct pair labels[] = { { STR("app"), STR("web") }, { STR("a\"b\x1b"), STR("\xff") } };

	memset(r, 0, sizeof(*r));
	record_start(r, &toy_dataset);
	r->src = (struct addr){ 4, { 192, 0, 2, 1 } };
	r->transport = "tcp";
	r->net_type = "ipv4";
	toy_of(r)->big = INT64_MIN;
	toy_of(r)->real = 0.1;
	toy_of(r)->labels = (struct list){ labels, 2 };
	toy_of(r)->packets = 7;
	toy_of(r)->name = STR("n");
	record_mark(r, FIELD_SRC_IP);
	record_mark(r, FIELD_TRANSPORT);
	record_mark(r, FIELD_IFINDEX);
	for (unsigned int i = 0; i < toy_table.n; i++)
		record_mark(r, FIELD_OWN + i);
}

/* Registered in main(): every later test sees it. */
static void a_dataset_describes_itself(void **state)
{
	struct record r;
	char *text;

	assert_ptr_equal(dataset_find("toy", 3), &toy_dataset);
	assert_null(dataset_find("to", 2));
	make_toy(&r);
	text = one_text(&sink_json, &(struct sink_options){ 0 }, &r);
	assert_string_equal(text,
			    "{\"event\":{\"dataset\":\"toy\"},\"source\":{\"ip\":\"192.0.2.1\",\"toy\":7},"
			    "\"network\":{\"transport\":\"tcp\",\"toy\":7,\"toy_too\":7,\"ifindex\":0},"
			    "\"toy\":{\"big\":-9223372036854775808,\"real\":0.1,"
			    "\"labels\":{\"app\":\"web\",\"a\\\"b\\u001b\":\"\xc3\xbf\"}},\"toy_name\":\"n\"}\n");
	free(text);
	text = one_text(&sink_table, &(struct sink_options){ .utf8 = true }, &r);
	assert_non_null(strstr(text, "toy.big=-9223372036854775808 toy.real=0.1 "
				     "toy.labels=app=web a\"b\\x1b=\\xff toy_name=n"));
	free(text);
}

static void fields_of_one_name_are_found_by_it(void **state)
{
	const int name = field_find("toy_name", 8), big = field_find("toy.big", 7);
	struct record r;
	struct twin_body *b;

	memset(&r, 0, sizeof(r));
	record_start(&r, &twin_dataset);
	b = record_own(&r);
	record_mark(&r, FIELD_TWIN_BIG);
	assert_null(record_value(&r, (unsigned int)name));
	assert_null(record_value(&r, (unsigned int)big));
	record_mark(&r, FIELD_TWIN_NAME);
	assert_ptr_equal(record_value(&r, (unsigned int)name), &b->name);
	make_toy(&r);
	assert_ptr_equal(record_value(&r, (unsigned int)name), &toy_of(&r)->name);
	record_start(&r, &http_dataset);
	assert_null(record_value(&r, (unsigned int)name));
}

static void any_field_has_a_number(void **state)
{
	const uint16_t columns[] = { field_number(&toy_dataset, FIELD_TOY_BIG), FIELD_SRC_IP,
				     field_number(&http_dataset, FIELD_HTTP_STATUS) };
	struct sink_options opt = { .fields = columns, .n_fields = 3, .header = true };
	struct record r;
	char *text;

	assert_int_equal(field_find("toy.big", 7), columns[0]);
	assert_int_equal(field_find("toy.bi", 6), -1);
	assert_string_equal(field_get(columns[2])->name, "http.response.status_code");
	assert_true(field_belongs(columns[0], &toy_dataset));
	assert_true(field_belongs(FIELD_SRC_IP, &toy_dataset));
	assert_false(field_belongs(columns[0], &http_dataset));
	assert_false(field_belongs(FIELD_DURATION, &toy_dataset));
	/* The same table for two datasets, and what one of them only has. */
	assert_true(field_belongs(columns[2], &http2_dataset));
	assert_false(field_belongs(field_number(&http_dataset, FIELD_HTTP2_STREAM_ID), &http_dataset));
	/* The same bit means another field in another dataset. */
	make_toy(&r);
	assert_int_equal(FIELD_TOY_PACKETS, FIELD_HTTP_STATUS);
	assert_non_null(record_value(&r, columns[0]));
	assert_null(record_value(&r, columns[2]));
	text = one_text(&sink_csv, &opt, &r);
	assert_string_equal(text, "toy.big,source.ip,http.response.status_code\n-9223372036854775808,192.0.2.1,\n");
	free(text);
}

static void a_kept_record_is_the_same(void **state)
{
	struct record r;
	struct record_kept k;
	struct record_again back;

	make_toy(&r);
	record_unmark(&r, FIELD_TOY_LABELS);
	record_keep(&k, &r, NULL);
	memset(&back, 0x55, sizeof(back));
	record_again(&back, &k);
	assert_ptr_equal(back.r.set, &toy_dataset);
	assert_memory_equal(back.r.present, r.present, sizeof(r.present));
	assert_true(toy_of(&back.r)->big == INT64_MIN && toy_of(&back.r)->real == 0.1);
	assert_memory_equal(toy_of(&back.r)->name.p, "n", 1);
	/* What is not kept is told. */
	record_mark(&r, FIELD_TOY_LABELS);
	record_keep(&k, &r, NULL);
	record_again(&back, &k);
	assert_false(record_has(&back.r, FIELD_TOY_LABELS));
	assert_true(record_has(&back.r, FIELD_TRUNCATED) && back.r.truncated);
}

static void a_long_text_costs_the_short_ones_nothing(void **state)
{
	static char big[2000];
	struct record r;
	struct record_kept k;
	struct record_again back;

	memset(big, 'x', sizeof(big));
	memset(&r, 0, sizeof(r));
	record_start(&r, &http_dataset);
	http_of(&r)->url = (struct str){ big, sizeof(big) };
	http_of(&r)->domain = STR("example.org");
	record_mark(&r, FIELD_URL_ORIGINAL);
	record_mark(&r, FIELD_URL_DOMAIN);
	record_keep(&k, &r, NULL);
	record_again(&back, &k);
	assert_true(record_has(&back.r, FIELD_URL_DOMAIN) && http_of(&back.r)->domain.n == 11);
	assert_true(http_of(&back.r)->url.n > 300 && back.r.truncated);
	/* What was cut before stays so. */
	http_of(&r)->url.n = 3;
	r.truncated = true;
	record_mark(&r, FIELD_TRUNCATED);
	record_keep(&k, &r, NULL);
	record_again(&back, &k);
	assert_true(record_has(&back.r, FIELD_TRUNCATED) && back.r.truncated);
}

enum { MANY = 300 };

static void three_hundred_fields_are_one_object(void **state)
{
	static char names[MANY][32];
	static struct field rows[MANY + FIELD_OWN_MAX];
	static struct field_table table = { .rows = rows, .n = MANY };
	static struct dataset many = { .name = "many", .own = &table };
	struct record r;
	char *text, want[64];

	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "many.group%u.field%u", i / 10, i);
		rows[i] = (struct field){ .name = names[i], .type = FT_U8,
					  .off = (uint16_t)(offsetof(struct record, own) + i) };
	}
	assert_int_equal(dataset_add(&many), 0);
	memset(&r, 0, sizeof(r));
	record_start(&r, &many);
	for (unsigned int i = 0; i < MANY; i++) {
		r.own[i] = (uint8_t)i;
		record_mark(&r, FIELD_OWN + i);
	}
	text = one_text(&sink_json, &(struct sink_options){ 0 }, &r);
	assert_true(json_is_valid(text, strlen(text) - 1, false));
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(want, sizeof(want), "\"field%u\":%u", i, (uint8_t)i);
		assert_non_null(strstr(text, want));
	}
	free(text);
}

static void what_cannot_be_is_refused(void **state)
{
	static struct field rows[FIELD_OWN_MAX + 1];
	static struct field_table table = { .rows = rows, .n = FIELD_OWN_MAX + 1 };
	static struct dataset wide = { .name = "wide", .own = &table }, more[DATASETS_MAX];
	struct dataset *were[DATASETS_MAX];
	const unsigned int all = n_datasets;
	unsigned int n = n_datasets < DATASETS_MAX - 2 ? n_datasets : DATASETS_MAX - 2;

	memcpy(were, datasets, sizeof(were));
	n_datasets = n;
	assert_int_equal(dataset_add(&wide), -EINVAL);
	assert_int_equal(n_datasets, n);
	for (; n < DATASETS_MAX; n++) {
		more[n].name = "more";
		assert_int_equal(dataset_add(&more[n]), 0);
	}
	assert_int_equal(dataset_add(&wide), -ENOSPC);
	memcpy(datasets, were, sizeof(were));
	n_datasets = all;
}

static void the_help_of_losses_names_each_place_once(void **state)
{
	const char *help = dataset_field(&lost_dataset, FIELD_LOST_STAGE)->help;
	char want[256] = "where: ";

	for (int i = 0; i < LOST_STAGES_N; i++) {
		for (int k = 0; k < i; k++)
			assert_string_not_equal(lost_stages[i], lost_stages[k]);
		snprintf(want + strlen(want), sizeof(want) - strlen(want), i ? ", %s" : "%s", lost_stages[i]);
	}
	assert_string_equal(help, want);
}

static void a_real_number_reads_back(void **state)
{
	static const double values[] = { 0, -0.0, 0.1, 1e300, -1e-300, 1.0 / 3, 123456789.125, 2.2250738585072014e-308 };
	char text[REAL_TEXT_MAX + 1];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		text[real_text(text, values[i])] = '\0';
		assert_true(strtod(text, NULL) == values[i]);
	}
	text[real_text(text, 0.1)] = '\0';
	assert_string_equal(text, "0.1");
}

static void what_is_no_number_is_null_in_json(void **state)
{
	struct record r;
	char *text;

	make_toy(&r);
	toy_of(&r)->real = -INFINITY;
	text = one_text(&sink_json, &(struct sink_options){ 0 }, &r);
	assert_non_null(strstr(text, "\"real\":null,"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dataset_describes_itself),
		cmocka_unit_test(fields_of_one_name_are_found_by_it),
		cmocka_unit_test(any_field_has_a_number),
		cmocka_unit_test(a_kept_record_is_the_same),
		cmocka_unit_test(a_long_text_costs_the_short_ones_nothing),
		cmocka_unit_test(three_hundred_fields_are_one_object),
		cmocka_unit_test(the_help_of_losses_names_each_place_once),
		cmocka_unit_test(a_real_number_reads_back),
		cmocka_unit_test(what_is_no_number_is_null_in_json),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	if (dataset_add(&toy_dataset) || dataset_add(&twin_dataset))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
