// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers/ipproto.h"
#include "rules/rule.h"
#include "util/err.h"

#include <cmocka.h>

#include "rules_help.h"

/* The number where there is no name; what is printed is read as the same again. */
static void protocols_have_names(void **state)
{
	static const struct { uint8_t n; const char *name; } rows[] = {
		{ 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 47, "gre" }, { 50, "esp" }, { 58, "icmp6" }, { 132, "sctp" },
		{ 200, "200" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct np_rule rule = { .kind = NP_KIND_V4, .dir = NP_SRC, .action = NP_DROP };
		char want[64], got[64], *words[] = { (char *)"proto", (char *)rows[i].name }, why[160];
		struct buf b = { 0 };

		assert_int_equal(rule_words(&r, &rule, 2, words, 0, why), 0);
		assert_int_equal(rule.proto, rows[i].n);
		rule_print(&b, &r, &rule, 0);
		snprintf(got, sizeof(got), "%.*s", (int)b.n, b.p);
		snprintf(want, sizeof(want), "0.0.0.0/0 src proto %s action drop", rows[i].name);
		assert_string_equal(got, want);
		buf_free(&b);
	}
	for (int i = 0; i < 256; i++) {
		struct np_rule rule = { 0 };
		char *words[] = { (char *)"proto", (char *)ipproto_name((uint8_t)i) }, why[160];

		assert_int_equal(rule_words(&r, &rule, 2, words, 0, why), 0);
		assert_int_equal(rule.proto, i);
	}
	for (const char *const *t = (const char *const[]){ "icmpv6", "ipv6-icmp", "58", NULL }; *t; t++) {
		struct np_rule rule = { 0 };
		char *words[] = { (char *)"proto", (char *)*t }, why[160];

		assert_int_equal(rule_words(&r, &rule, 2, words, 0, why), 0);
		assert_int_equal(rule.proto, 58);
	}
}

static const char *refusal(const char *text)
{
	char copy[160], *words[16], *at = copy;
	struct np_rule rule = { .kind = NP_KIND_V4, .dir = NP_SRC, .action = NP_DROP };
	static char why[160];
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w; (w = strsep(&at, " ")) && n < 16;)
		words[n++] = w;
	why[0] = '\0';
	assert_true((rule_words(&r, &rule, n, words, 0, why) < 0) == (*why != 0));
	return why;
}

/* Of two that differ the last would win in silence. */
static void a_word_is_said_once(void **state)
{
	assert_string_equal(refusal("port 80 port 81"), "'port 81': 'port' was given before; once is enough");
	assert_string_equal(refusal("for 5m proto tcp for 10m"), "'for 10m': 'for' was given before; once is enough");
	assert_string_equal(refusal("src dst"), "'dst': 'src' was given before; once is enough");
	assert_string_equal(refusal("both both proto tcp"), "'both': 'both' was given before; once is enough");
	assert_string_equal(refusal("proto tcp proto 6"), "'proto 6': 'proto' was given before; once is enough");
	assert_string_equal(refusal("action limit 1pps action drop"),
			    "'action drop': 'action' was given before; once is enough");
	assert_string_equal(refusal("action limit 1pps shared shared"),
			    "'shared': 'shared' was given before; once is enough");
	assert_string_equal(refusal("src proto tcp port 80-90 for 1m action limit 1pps shared reason reason for all"), "");
	assert_int_equal(read_list("192.0.2.1\n192.0.2.2 port 1 port 2\n"), 1);
	assert_string_equal(bad_lines, "2:'port 2': 'port' was given before; once is enough\n");
}

static void what_contradicts_itself_is_refused(void **state)
{
	assert_string_equal(refusal("proto icmp port 80"),
			    "'port 80': proto icmp has no ports; tcp, udp, sctp, dccp and udplite have");
	assert_string_equal(refusal("port 1-2 proto 58"),
			    "'port 1': proto icmp6 has no ports; tcp, udp, sctp, dccp and udplite have");
	assert_string_equal(refusal("proto sctp port 1"), "");
	assert_string_equal(refusal("shared"), "'shared' is for 'action limit'");
	assert_int_equal(read_list("allow 192.0.2.1 action drop\nblock 192.0.2.1 action allow\n192.0.2.1 proto icmp6\n"
				   "2001:db8::1 proto icmp\nany proto icmp\nallow 192.0.2.1 action allow\n"
				   "02:00:00:00:00:01 proto icmp6\n"), 4);
	assert_string_equal(bad_lines, "1:'allow' and 'action drop': which of the two?\n"
				       "2:'block' and 'action allow': which of the two?\n"
				       "3:'proto icmp6': IPv4 has icmp\n4:'proto icmp': IPv6 has icmp6\n");
}

/* As logs of servers of both families write them: no packet has such an address. */
static void mapped_addresses_are_of_ipv4(void **state)
{
	assert_int_equal(read_list("::ffff:192.0.2.1\n::ffff:198.51.100.7/120\n::ffff:0:0/95\n"
				   "::ffff:10.0.0.1-::ffff:10.0.0.2\n"), 0);
	assert_string_equal(shown(0), "192.0.2.1 src action drop||1");
	assert_string_equal(shown(1), "198.51.100.0/24 src action drop||2");
	assert_int_equal(r.v[2].kind, NP_KIND_V6);
	assert_string_equal(shown(3), "10.0.0.1 src action drop||4");
	assert_int_equal(r.n, 5);
}

/* What the command says of a whole list is no contradiction of its addresses. */
static void a_list_of_both_families_may_have_one_protocol(void **state)
{
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP, .flags = NP_RULE_PROTO, .proto = PROTO_ICMP };
	static const char text[] = "192.0.2.1 reason x\n2001:db8::1 reason y\n";

	assert_int_equal(list_read(&r, "list", text, strlen(text), &like, 1, &report), 0);
	assert_int_equal(r.n, 2);
}

/* As few prefixes as there can be, whole, and none beyond; it ends at the last address of all. */
static void ranges_of_both_families_become_prefixes(void **state)
{
	assert_int_equal(read_list("2001:db8::1-2001:db8::6\n0.0.0.0-255.255.255.255\n"
				   "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n192.0.2.255-192.0.2.255\n"), 0);
	assert_string_equal(shown(0), "2001:db8::1 src action drop||1");
	assert_string_equal(shown(1), "2001:db8::2/127 src action drop||1");
	assert_string_equal(shown(2), "2001:db8::4/127 src action drop||1");
	assert_string_equal(shown(3), "2001:db8::6 src action drop||1");
	assert_string_equal(shown(4), "0.0.0.0/0 src action drop||2");
	assert_string_equal(shown(5), "::/0 src action drop||3");
	assert_string_equal(shown(6), "192.0.2.255 src action drop||4");
	assert_int_equal(r.n, 7);
	assert_int_equal(read_list("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe\n"), 0);
	assert_int_equal(r.n, 7 + 254);
	assert_int_equal(read_list("2001:db8::ff-2001:db8::1\n192.0.2.1-2001:db8::1\n2001:db8::/64-2001:db8::1\n"), 3);
	assert_non_null(strstr(bad_lines, "1:'2001:db8::ff-2001:db8::1' is a range that ends before it begins\n"));
}

/* What is printed is read as the same again. */
static void times_are_read_and_printed(void **state)
{
	static const struct { const char *word, *shown; uint64_t s; } rows[] = {
		{ "90", "1m30s", 90 }, { "61s", "1m1s", 61 }, { "10m", "10m", 600 }, { "24h", "1d", 86400 },
		{ "1d12h", "1d12h", 129600 }, { "23h59m58s", "23h59m58s", 86398 }, { "2w", "14d", 1209600 },
		{ "1w0d1s", "7d1s", 604801 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct np_rule rule = { .kind = NP_KIND_V4, .dir = NP_SRC, .action = NP_DROP };
		char *words[] = { (char *)"for", (char *)rows[i].word }, why[160], want[64], got[64];
		struct buf b = { 0 };

		assert_int_equal(rule_words(&r, &rule, 2, words, 0, why), 0);
		assert_int_equal(rule.expires_ns, rows[i].s * 1000000000);
		rule_print(&b, &r, &rule, 0);
		snprintf(got, sizeof(got), "%.*s", (int)b.n, b.p);
		snprintf(want, sizeof(want), "0.0.0.0/0 src for %s action drop", rows[i].shown);
		assert_string_equal(got, want);
		buf_free(&b);
	}
	for (const char *const *t = (const char *const[]){ "", "0", "0s", "s", "1x", "1h1d", "1m1m", "1h30", "10ms", "1 h", "-1s",
							   "1hm", "1.5h", NULL }; *t; t++) {
		struct np_rule rule = { 0 };
		char *words[] = { (char *)"for", (char *)*t }, why[160];

		assert_true(rule_words(&r, &rule, 2, words, 0, why) < 0);
	}
}

static void a_time_has_bounds(void **state)
{
	assert_string_equal(refusal("for 0s"), "'for 0s' is no time from 1s to 37037d53m20s: 90s, 10m, 12h, 1d, 1d12h");
	assert_string_equal(refusal("for 99999999d"),
			    "'for 99999999d' is no time from 1s to 37037d53m20s: 90s, 10m, 12h, 1d, 1d12h");
	assert_string_equal(refusal("for 37037d53m21s"),
			    "'for 37037d53m21s' is no time from 1s to 37037d53m20s: 90s, 10m, 12h, 1d, 1d12h");
	assert_string_equal(refusal("for 37037d53m20s"), "");
	assert_string_equal(refusal("for 1s"), "");
}

/* Cut, it could end within a character. */
static void a_reason_is_whole_or_refused(void **state)
{
	char text[4200] = "", *words[] = { (char *)"reason", text, (char *)"\xc3\xa9" }, why[160];
	struct np_rule rule = { .kind = NP_KIND_V4, .dir = NP_SRC, .action = NP_DROP };

	memset(text, 'a', 4092);
	assert_int_equal(rule_words(&r, &rule, 3, words, 0, why), 0);
	assert_int_equal(strlen(rules_string(&r, rule.reason)), 4095);
	assert_string_equal(rules_string(&r, rule.reason) + 4091, "a \xc3\xa9");
	text[4092] = 'a';
	assert_true(rule_words(&r, &rule, 3, words, 0, why) < 0);
	assert_string_equal(why, "'reason': a text of more than 4095 bytes");
}

static void lines_of_json_are_counted(void **state)
{
	assert_int_equal(read_list("{\n"), 1);
	assert_int_equal(report.lines, 1);
	report.lines = report.bad_lines = 0;
	assert_int_equal(read_list("{}"), 1);
	assert_int_equal(report.lines, 1);
	report.lines = report.bad_lines = 0;
	bad_lines[0] = '\0';
	assert_int_equal(read_list("\n\n{\"permitted_cidrs\": [\"x\", \"y\",\n\"z\", \"192.0.2.0/24\"]}\n"), 3);
	assert_int_equal(report.lines, 4);
	assert_string_equal(bad_lines, "3:'x' is no address or prefix\n3:'y' is no address or prefix\n"
				       "4:'z' is no address or prefix\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, clear)
	const struct CMUnitTest tests[] = {
		T(protocols_have_names),
		T(a_word_is_said_once),
		T(a_time_has_bounds),
		T(a_reason_is_whole_or_refused),
		T(lines_of_json_are_counted),
		T(what_contradicts_itself_is_refused),
		T(mapped_addresses_are_of_ipv4),
		T(a_list_of_both_families_may_have_one_protocol),
		T(ranges_of_both_families_become_prefixes),
		T(times_are_read_and_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
