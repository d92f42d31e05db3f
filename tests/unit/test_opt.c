// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/opt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct options {
	const char *sort, *protos;
	struct strs devs;
	struct passed conditions;
	struct rest reason;
	uint64_t for_ns;
	bool all;
};

#define O(member) offsetof(struct options, member)

static const char *protocol(unsigned int i)
{
	static const char *const names[] = { "arp", "dns", "http" };

	return i < 3 ? names[i] : NULL;
}

static const struct opt rows[] = {
	{ "sort", 's', OPT_WORD, O(sort), "SORT", "", OPT_WORDS("bytes", "packets") },
	{ "proto", 0, OPT_LIST, O(protos), "PROTO", "", OPT_WORDS_OF(protocol) },
	{ "all", 0, OPT_FLAG, O(all), NULL, "" },
	{ .type = OPT_END },
};

static const struct opt keywords[] = {
	{ "dev", 0, OPT_STRS, O(devs), "IFACE", "" },
	{ "for", 0, OPT_TIME, O(for_ns), "TIME", "" },
	{ "src", 0, OPT_PASS, O(conditions), NULL, "" },
	{ "action", 0, OPT_PASS, O(conditions), "ACTION", "", OPT_WORDS("drop", "limit RATE") },
	{ "reason", 0, OPT_REST, O(reason), "TEXT", "" },
	{ .type = OPT_END },
};

enum { ARGS_MAX = 32 };

/* The words of `line`, cut in place. */
static int split(char *line, char **argv)
{
	int n = 0;

	for (char *end; *line && n < ARGS_MAX; line = end) {
		end = line + strcspn(line, " ");
		if (*end)
			*end++ = '\0';
		argv[n++] = line;
	}
	return n;
}

static int parse(struct options *o, char *line, char **argv)
{
	const struct opt_set set = { rows, o };

	memset(o, 0, sizeof(*o));
	return opt_parse(&set, 1, split(line, argv), argv, false);
}

static int take(struct options *o, char *line, char **argv)
{
	const struct opt_set sets[] = { { NULL, o }, { keywords, o } };

	memset(o, 0, sizeof(*o));
	return opt_keywords("block add", sets, 2, split(line, argv), argv);
}

#define PARSE(line) parse(&o, (char[]){ line }, argv)
#define TAKE(line) take(&o, (char[]){ line }, argv)

static void a_word_is_one_of_the_row(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(PARSE("flows --sort bytes rest"), 1);
	assert_string_equal(o.sort, "bytes");
	assert_int_equal(PARSE("flows -spackets"), 0);
	assert_string_equal(o.sort, "packets");
	assert_int_equal(PARSE("flows --sort byte"), -EINVAL);
	assert_int_equal(PARSE("flows --sort bytess"), -EINVAL);
	assert_int_equal(PARSE("flows --sort="), -EINVAL);
}

static void each_of_a_list_is_one_of_the_row(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(PARSE("watch --proto arp,http"), 0);
	assert_string_equal(o.protos, "arp,http");
	assert_int_equal(PARSE("watch --proto arp,htt"), -EINVAL);
	assert_int_equal(PARSE("watch --proto arp,,dns"), -EINVAL);
}

static void keywords_are_taken_wherever_they_stand(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(TAKE("dev a 192.0.2.1 for 10m 192.0.2.2 dev b"), 2);
	assert_string_equal(argv[0], "192.0.2.1");
	assert_string_equal(argv[1], "192.0.2.2");
	assert_int_equal(o.devs.n, 2);
	assert_string_equal(o.devs.v[1], "b");
	assert_int_equal(o.for_ns, 600000000000);
	assert_int_equal(TAKE("x dev"), -EINVAL);
	assert_int_equal(TAKE("x for ever"), -EINVAL);
	assert_int_equal(TAKE(""), 0);
}

static void a_keyword_is_no_value(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(TAKE("x for dev here"), -EINVAL);
	assert_int_equal(o.devs.n, 0);
	assert_int_equal(TAKE("x dev for 10m"), -EINVAL);
	assert_int_equal(TAKE("x dev src"), -EINVAL);
	assert_int_equal(TAKE("x action src"), -EINVAL);
	assert_int_equal(TAKE("x action limit dev here"), -EINVAL);
	assert_int_equal(TAKE("x action limit reason slow"), -EINVAL);
	assert_int_equal(TAKE("x action drop dev here"), 1);
	assert_int_equal(TAKE("x reason for dev"), 1);
}

static void what_is_passed_on_stays_in_order(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(TAKE("action limit 9pps x src action drop"), 1);
	assert_int_equal(o.conditions.n, 6);
	assert_string_equal(o.conditions.v[2], "9pps");
	assert_string_equal(o.conditions.v[3], "src");
	assert_string_equal(o.conditions.v[5], "drop");
	assert_int_equal(TAKE("x action limit"), -EINVAL);
	assert_int_equal(TAKE("x action dro"), -EINVAL);
	assert_int_equal(TAKE("x action"), -EINVAL);
}

static void the_nearest_word_is_suggested(void **state)
{
	static const char *const words[] = { "add", "allow", "apply", "rollback" };

	assert_string_equal(opt_near("al1ow", words, 4), "allow");
	assert_string_equal(opt_near("roll", words, 4), "rollback");
	assert_null(opt_near("nothing", words, 4));
	assert_null(opt_near("", words, 4));
}

static void too_many_are_refused(void **state)
{
	struct options o;
	char *argv[80], src[] = "src";
	const struct opt_set set = { keywords, &o };

	memset(&o, 0, sizeof(o));
	for (int i = 0; i < 80; i++)
		argv[i] = src;
	assert_int_equal(opt_keywords("block add", &set, 1, 64, argv), 0);
	memset(&o, 0, sizeof(o));
	assert_int_equal(opt_keywords("block add", &set, 1, 65, argv), -E2BIG);
}

static void the_rest_is_no_keyword(void **state)
{
	struct options o;
	char *argv[ARGS_MAX];

	assert_int_equal(TAKE("x reason scans dev eth0"), 1);
	assert_int_equal(o.reason.n, 4);
	assert_string_equal(o.reason.v[0], "reason");
	assert_string_equal(o.reason.v[3], "eth0");
	assert_int_equal(o.devs.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_one_of_the_row),
		cmocka_unit_test(each_of_a_list_is_one_of_the_row),
		cmocka_unit_test(keywords_are_taken_wherever_they_stand),
		cmocka_unit_test(a_keyword_is_no_value),
		cmocka_unit_test(what_is_passed_on_stays_in_order),
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(the_rest_is_no_keyword),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
