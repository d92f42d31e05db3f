// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries that are there already, and what is printed of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rules/rule.h"
#include "util/err.h"

#include <cmocka.h>

#include "rules_help.h"

/* As block list prints them, and block add takes the text: signs, keywords and parentheses of a reason are its own. */
static void what_is_listed_is_read(void **state)
{
	assert_int_equal(read_list("192.0.2.1 src action drop # for 1s  (/tmp/a; b#c:12)\n"
				   "192.0.2.2 src for 1m1s action audit  (f:1)\n192.0.2.3 src action drop # #1, (x:1)\n"
				   "192.0.2.4 ## a  b (f:1) \n0.0.0.0/0 src proto icmp action drop\n"
				   "::/0 src proto icmp action drop # any \t (standard input:3)\n"), 0);
	assert_string_equal(shown(0), "192.0.2.1 src action drop|for 1s|1");
	assert_string_equal(shown(1), "192.0.2.2 src for 1m2s action audit||2");
	assert_string_equal(shown(2), "192.0.2.3 src action drop|#1, (x:1)|3");
	assert_string_equal(shown(3), "192.0.2.4 src action drop|a  b (f:1)|4");
	assert_string_equal(shown(5), "::/0 src proto icmp action drop|any \t (standard input:3)|6");
	assert_int_equal(read_list("192.0.2.5  (f)\n"), 1);
	assert_int_equal(read_list("192.0.2.5 (f:1)\n"), 2);
	assert_int_equal(read_list("2001:db8::1 proto icmp\n"), 3);
}

static void the_same_match_is_one_entry(void **state)
{
	assert_int_equal(read_list("10.0.0.0/8\n10.0.0.0/8\n10.1.2.3/8 for 1h reason twice\n"), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(report.same, 2);
	assert_string_equal(shown(0), "10.0.0.0/8 src action drop||1");
}

/* Whichever came first would decide in silence. */
static void two_actions_for_the_same_are_refused(void **state)
{
	assert_int_equal(read_list("192.0.2.1 action audit\n192.0.2.1\n192.0.2.0-192.0.2.2 action audit\n"
				   "192.0.2.2 action limit 10pps\nany action limit 1kpps\n::/0 action limit 1kpps shared\n"
				   "192.0.2.1 action allow\n192.0.2.1 port 22\n"), 3);
	assert_string_equal(bad_lines, "2:'192.0.2.1 src' has action drop here and action audit in line 1: which of the two?\n"
				       "4:'192.0.2.2 src' has action limit 10pps/5 here and action audit in line 3: which of the "
				       "two?\n"
				       "6:'::/0 src' has action limit 1kpps/50 shared here and action limit 1kpps/50 in line 5: "
				       "which of the two?\n");
}

static enum rules_met given(const char *addr, uint8_t action, uint64_t expires_ns)
{
	struct np_rule rule = { .dir = NP_SRC, .action = action, .expires_ns = expires_ns,
				.flags = expires_ns ? NP_RULE_EXPIRES : 0 };
	enum rules_met met;
	uint32_t at;

	assert_true(rule_target(&rule, addr, strlen(addr)));
	assert_int_equal(rules_give(&r, &rule, &met, &at), 0);
	return met;
}

/* A list renews what was there before it; of itself what it gave first stays. */
static void what_was_there_before_a_list_is_renewed(void **state)
{
	add("192.0.2.1", NP_DROP, 0);
	add("192.0.2.2", NP_DROP, 7);
	add("192.0.2.3", NP_AUDIT, 0);
	assert_int_equal(given("192.0.2.1", NP_DROP, 0), RULES_AS_IT_WAS);
	assert_int_equal(given("192.0.2.2", NP_DROP, 9), RULES_RENEWED);
	assert_int_equal(given("192.0.2.3", NP_DROP, 0), RULES_OTHER);
	assert_int_equal(given("192.0.2.4", NP_DROP, 5), RULES_NEW);
	assert_int_equal(given("192.0.2.2", NP_DROP, 0), RULES_GIVEN);
	assert_int_equal(given("192.0.2.4", NP_AUDIT, 5), RULES_CONTRADICTS);
	assert_int_equal(r.n, 4);
	assert_true(r.v[1].expires_ns == 9 && r.v[1].id == 2);
	rules_sort(&r);
	assert_int_equal(number_of(&r, "192.0.2.3"), 4);
	assert_int_equal(given("192.0.2.2", NP_DROP, 0), RULES_RENEWED);
	assert_true(r.v[1].expires_ns == 0 && r.v[1].id == 2);
}

static void with_another_action_it_is_another_entry(void **state)
{
	struct rules before;

	add("192.0.2.1", NP_AUDIT, 0);
	add("192.0.2.2", NP_DROP, 0);
	add("192.0.2.1", NP_AUDIT, 7);
	assert_int_equal(number_of(&r, "192.0.2.1"), 1);
	add("192.0.2.1", NP_DROP, 7);
	add("192.0.2.3", NP_DROP, 0);
	assert_int_equal(r.n, 3);
	rules_sort(&r);
	assert_int_equal(number_of(&r, "192.0.2.1"), 3);
	assert_int_equal(r.v[1].id, 3);
	add("192.0.2.1", NP_LIMIT, 0);
	add("192.0.2.3", NP_DROP, 0);
	rules_sort(&r);
	assert_int_equal(number_of(&r, "192.0.2.1"), 5);
	assert_int_equal(number_of(&r, "192.0.2.3"), 4);
	before = r;
	assert_int_equal(rules_init(&r), 0);
	r.next_id = before.next_id;
	assert_int_equal(read_list("192.0.2.1\n192.0.2.2\n"), 0);
	assert_int_equal(rules_keep_numbers(&r, &before), 0);
	assert_int_equal(number_of(&r, "192.0.2.1"), 6);
	assert_int_equal(number_of(&r, "192.0.2.2"), 2);
	assert_int_equal(r.v[0].id, 2);
	rules_free(&before);
}

static void rates_are_read_and_printed(void **state)
{
	struct np_rule rule = { 0 };

	assert_int_equal(rule_rate("100kpps", &rule), 0);
	assert_int_equal(rule.rate, 100000000);
	assert_int_equal(rule_rate("8mbit/3000", &rule), 0);
	assert_int_equal(rule.rate, 1000000000);
	assert_int_equal(rule.burst, 3000);
	assert_int_equal(rule_rate("1.5MBps", &rule), 0);
	assert_int_equal(rule.rate, 1500000000);
	for (const char *const *t = (const char *const[]){ "", "10", "10x", "-1pps", "1pps/", "1pps/0", "pps", NULL }; *t; t++)
		assert_true(rule_rate(*t, &rule) < 0);
}

static void rate_is_printed_as(const char *text, const char *printed)
{
	struct np_rule rule = { 0 };
	struct buf b = { 0 };

	assert_int_equal(rule_rate(text, &rule), 0);
	rule_print_rate(&b, &rule);
	assert_int_equal(b.n, strlen(printed));
	assert_memory_equal(b.p, printed, b.n);
	buf_free(&b);
}

/* Listed and applied again, it is the same rate. */
static void a_rate_is_read_as_it_is_printed(void **state)
{
	uint64_t x = 88172645463325252ull;

	rate_is_printed_as("1234567pps", "1234567pps/61728");
	rate_is_printed_as("1.5kpps", "1500pps/75");
	rate_is_printed_as("1.5MBps", "12mbit/75000");
	rate_is_printed_as("0.29pps/2", "0.29pps/2");
	rate_is_printed_as("0.01pps", "0.01pps/5");
	rate_is_printed_as("8kbit", "8kbit/4500");
	rate_is_printed_as("1000gpps/1000g", "1000gpps/1000000000000");
	rate_is_printed_as("999999999999.999pps", "999999999999.999pps/49999999999");
	for (int i = 0; i < 100000; i++) {
		struct np_rule rule = { 0 }, again = { 0 };
		struct buf b = { 0 };

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		rule.flags = x & 1 ? NP_RULE_BYTES : 0;
		rule.rate = RULE_RATE_MIN + (x >> (2 + x % 61)) % (RULE_RATE_MAX - RULE_RATE_MIN + 1);
		rule.burst = RULE_BURST_BYTES + (x >> (4 + x % 59)) % (RULE_BURST_MAX - RULE_BURST_BYTES + 1);
		rule_print_rate(&b, &rule);
		buf_chr(&b, '\0');
		assert_int_equal(rule_rate(b.p, &again), 0);
		assert_true(again.rate == rule.rate && again.burst == rule.burst && again.flags == rule.flags);
		buf_free(&b);
	}
	for (const char *const *t = (const char *const[]){ "0.0099pps", "1000.001gpps", "10000000000000000pps", "1pps/1001g",
							   "1mbit/1513", NULL }; *t; t++)
		assert_true(rule_rate(*t, &(struct np_rule){ 0 }) < 0);
}

/* As the set is when its expired entries were looked for. */
static bool any(const struct np_rule *rule, const void *ctx)
{
	return true;
}

static void what_a_list_names_again_keeps_its_number(void **state)
{
	struct rules before;

	assert_int_equal(read_list("192.0.2.1\n192.0.2.2\n192.0.2.3\n"), 0);
	before = r;
	assert_int_equal(rules_init(&r), 0);
	r.next_id = before.next_id;
	assert_int_equal(rules_remove(&before, any, NULL), 0);
	assert_int_equal(read_list("192.0.2.3\n198.51.100.1\n192.0.2.1\n"), 0);
	assert_int_equal(rules_keep_numbers(&r, &before), 0);
	assert_int_equal(number_of(&r, "192.0.2.1"), 1);
	assert_int_equal(number_of(&r, "192.0.2.3"), 3);
	assert_int_equal(number_of(&r, "198.51.100.1"), 5);
	for (uint32_t i = 1; i < r.n; i++)
		assert_true(r.v[i - 1].id < r.v[i].id);
	rules_free(&before);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, clear)
	const struct CMUnitTest tests[] = {
		T(what_is_listed_is_read),
		T(the_same_match_is_one_entry),
		T(two_actions_for_the_same_are_refused),
		T(what_was_there_before_a_list_is_renewed),
		T(with_another_action_it_is_another_entry),
		T(rates_are_read_and_printed),
		T(a_rate_is_read_as_it_is_printed),
		T(what_a_list_names_again_keeps_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
