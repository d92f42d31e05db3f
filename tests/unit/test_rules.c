// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/compile.h"
#include "rules/match.h"
#include "rules/span.h"
#include "util/err.h"

#include <cmocka.h>

#include "rules_help.h"

static struct seen seen;

/* A frame from 192.0.2.1 to 198.51.100.2, TCP to `port`. */
static const struct np_rule *decides(uint16_t port)
{
	struct facts f = { .family = 4, .src = { 192, 0, 2, 1 }, .dst = { 198, 51, 100, 2 }, .proto = 6, .sport = 1,
			   .dport = port, .icmp_type = -1, .first = true };

	return rules_match(&r, &f, &seen, 5).rule;
}

static void the_longest_prefix_decides(void **state)
{
	assert_int_equal(read_list("192.0.0.0/16 action audit\n192.0.2.0/24\n192.0.2.1 action audit\n"), 0);
	assert_int_equal(decides(80)->id, 3);
}

static void an_allow_entry_wins_over_a_longer_block(void **state)
{
	assert_int_equal(read_list("192.0.2.1\nallow 192.0.0.0/8\n"), 0);
	assert_int_equal(decides(80)->id, 2);
}

static void of_equal_prefixes_the_narrower_then_the_older_decides(void **state)
{
	assert_int_equal(read_list("192.0.2.1\n192.0.2.1 port 80 action audit\n192.0.2.1 proto tcp port 70-90\n"
				   "198.51.100.2 dst proto tcp port 80-81\n"), 0);
	assert_int_equal(decides(81)->id, 3);
	assert_int_equal(decides(22)->id, 1);
}

static void a_condition_on_what_is_not_known_does_not_hold(void **state)
{
	struct facts f = { .family = 4, .src = { 192, 0, 2, 1 }, .proto = 17, .dport = -1 };

	assert_int_equal(read_list("192.0.2.1 port 0-65535\n"), 0);
	assert_null(rules_match(&r, &f, &seen, 5).rule);
	r.mode = NP_MODE_DENY;
	assert_true(rules_match(&r, &f, &seen, 5).drop);
}

static void neighbours_and_listeners_are_heard_where_all_is_denied(void **state)
{
	struct facts f = { .family = NP_KIND_V6, .proto = 58, .sport = -1, .dport = -1 };

	assert_int_equal(read_list("allow 2001:db8::1\n"), 0);
	r.mode = NP_MODE_DENY;
	for (f.icmp_type = 0; f.icmp_type < 256; f.icmp_type++)
		assert_int_equal(rules_match(&r, &f, &seen, 5).drop,
				 !(f.icmp_type >= 130 && f.icmp_type <= 137) && f.icmp_type != 143);
}

static void an_entry_ends_when_its_time_is_over(void **state)
{
	struct facts f = { .family = 4, .src = { 192, 0, 2, 1 } };

	assert_int_equal(read_list("192.0.2.1 for 10m\n"), 0);
	assert_non_null(rules_match(&r, &f, &seen, 601ull * 1000000000 - 1).rule);
	assert_null(rules_match(&r, &f, &seen, 601ull * 1000000000).rule);
}

static void lists_of_many_forms_are_read(void **state)
{
	assert_int_equal(read_list("# Spamhaus\n1.10.16.0/20 ; SBL256894\n2001:db8::/32\t# docs\r\n"
				   "10.0.0.3-10.0.0.6\n02:00:00:00:00:01\n"
				   "create x hash:net family inet\nadd x 203.0.113.0/24 timeout 60 comment \"a b\"\n"
				   "0.0.0.0 ads.Example.com tracker.example.net\n127.0.0.1 localhost\n*.evil.test\n"
				   "198.51.100.7 dst proto udp port 53-54 action limit 10kpps/500 reason two words\nany proto 47\n"), 0);
	assert_string_equal(shown(0), "1.10.16.0/20 src action drop|SBL256894|2");
	assert_string_equal(shown(1), "2001:db8::/32 src action drop|docs|3");
	assert_string_equal(shown(2), "10.0.0.3 src action drop||4");
	assert_string_equal(shown(3), "10.0.0.4/31 src action drop||4");
	assert_string_equal(shown(4), "10.0.0.6 src action drop||4");
	assert_string_equal(shown(5), "02:00:00:00:00:01 src action drop||5");
	assert_string_equal(shown(6), "203.0.113.0/24 src for 1m1s action drop|a b|7");
	assert_string_equal(shown(7), "domain ads.example.com action drop||8");
	assert_string_equal(shown(8), "domain tracker.example.net action drop||8");
	assert_string_equal(shown(9), "domain *.evil.test action drop||10");
	assert_string_equal(shown(10), "198.51.100.7 dst proto udp port 53-54 action limit 10kpps/500|two words|11");
	assert_string_equal(shown(11), "0.0.0.0/0 src proto gre action drop||12");
	assert_string_equal(shown(12), "::/0 src proto gre action drop||12");
	assert_int_equal(r.n, 13);
}

/* A comma in a reason makes no CSV of a line, and what is read of CSV is all of it. */
static void a_comma_is_not_a_column(void **state)
{
	assert_int_equal(read_list("192.0.2.2 proto udp port 40053 reason answers, to one port\n"), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].flags, NP_RULE_PROTO | NP_RULE_PORT);
	assert_string_equal(rules_string(&r, r.v[0].reason), "answers, to one port");
	assert_int_equal(read_list("192.0.2.3 # one, two\n192.0.2.4,\"three; #4\"\n"), 0);
	assert_string_equal(rules_string(&r, r.v[1].reason), "one, two");
	assert_string_equal(rules_string(&r, r.v[2].reason), "three; #4");
	assert_int_equal(read_list("\"192.0.2.5 proto udp\",x\n"), 1);
	assert_int_equal(read_list("192.0.2.5 , x\n"), 2);
}

/* What says more than is understood is refused, not read in part. */
static void nothing_is_read_in_part(void **state)
{
	assert_int_equal(read_list("1.0.0.0,1.0.0.255,AU\n"), 1);
	assert_int_equal(read_list("add p 198.18.0.0/15,tcp:80\n"), 2);
	assert_int_equal(read_list("192.0.2.1 action limit 1mbit/100\n"), 3);
	assert_int_equal(r.n, 0);
	assert_int_equal(read_list("\357\273\2771.2.3.4\n"), 3);
	assert_string_equal(shown(0), "1.2.3.4 src action drop||1");
}

/* Both stand in the set, whichever came first: the allowed one decides. */
static void allowed_and_blocked_are_two_entries(void **state)
{
	static const uint8_t from[] = { 192, 0, 2, 9 };
	struct facts f = { .family = 4, .first = true, .proto = 6 };
	struct verdict v;

	assert_int_equal(read_list("192.0.2.9\n192.0.2.9 action allow\n192.0.2.8 action allow\n192.0.2.8\n"), 0);
	assert_int_equal(r.n, 4);
	memcpy(f.src, from, 4);
	for (f.src[3] = 8; f.src[3] < 10; f.src[3]++) {
		v = rules_match(&r, &f, NULL, 0);
		assert_false(v.drop);
		assert_int_equal(v.reason, NP_R_ALLOW);
	}
}

static void csv_has_its_columns_by_name(void **state)
{
	assert_int_equal(read_list("id,\"CIDR\",comment\n1,192.0.2.0/24,\"a \"\"b\"\", c\"\n2,2001:db8::1,\n"), 0);
	assert_string_equal(shown(0), "192.0.2.0/24 src action drop|a \"b\", c|2");
	assert_string_equal(shown(1), "2001:db8::1 src action drop||3");
}

static void permitted_cidrs_become_allow_entries(void **state)
{
	assert_int_equal(read_list("{\n \"permitted_cidrs\": [\n  \"127.0.0.0/8\",\n  \"fd00::/8\"\n ]\n}\n"), 0);
	assert_true(report.permitted);
	assert_string_equal(shown(0), "127.0.0.0/8 src action allow||3");
	assert_string_equal(shown(1), "fd00::/8 src action allow||4");
}

static void every_bad_line_is_told_with_its_number(void **state)
{
	assert_int_equal(read_list("10.0.0.1\n10.0.0.256\n10.0.0.0/33\n1.2.3.4 port 70000\n10.0.0.9-10.0.0.1\n010.0.0.1\n"), 5);
	assert_string_equal(bad_lines, "2:'10.0.0.256' is no address, prefix, MAC address or name\n"
				       "3:'10.0.0.0/33' is no address, prefix, MAC address or name\n"
				       "4:'port 70000' is not understood: N or N-M, up to 65535\n"
				       "5:'10.0.0.9-10.0.0.1' is a range that ends before it begins\n"
				       "6:'010.0.0.1' is no address, prefix, MAC address or name\n");
	bad_lines[0] = '\0';
	assert_true(read_list("{\"permitted_cidrs\": [\"10.0.0.0/8\",\n\"x\", 7]}") == 7 || report.bad_lines == 7);
	assert_non_null(strstr(bad_lines, "2:'x' is no address or prefix"));
	assert_true(read_list("{\"permitted_cidrs\": [") > 0);
}

/* The search of the program, over what compile made. */
static uint32_t find(const struct compiled *c, int t, uint64_t hi)
{
	uint32_t from = 0, to = c->index[t].n_v4, best = 0, covering = 0;
	const struct np_index *ix = &c->index[t];

	if (c->conf.use[t] == NP_USE_RUNS) {
		const struct np_step *s = &c->runs.steps[c->conf.steps[t] + (hi >> 48)];
		uint32_t at = (uint32_t)(hi >> 40);

		if (s->run & NP_RUN_FINE)
			covering = c->runs.v[np_run_fine(&c->runs.steps[(s->run & ~NP_RUN_FINE) + (at >> 5 & 7)], at)];
		else
			covering = c->runs.v[np_run(s, at)];
		if (!(covering & NP_V_MARK))
			return covering;
		covering &= ~NP_V_MARK;
	}
	while (from < to) {
		uint32_t mid = (from + to) / 2, v = 0;
		const struct np_length *row = &ix->rows[mid];
		uint64_t at = np_hash(hi & row->hi, 0, row->tag, c->conf.key);

		for (int n = 0; n < NP_BUCKETS_ROW; n++, at++) {
			const struct np_bucket *b = &c->buckets[t][at & ix->mask];

			for (int k = 0; k < 3; k++)
				if (b->tag[k] == row->tag && b->hi[k] == (hi & row->hi))
					v = b->value[k];
			if (v || !b->more)
				break;
		}
		if (v)
			best = v, from = mid + 1;
		else
			to = mid;
	}
	return best && best != NP_V_MARK ? best : covering;
}

static void tables_find_what_the_definition_finds(void **state)
{
	struct compiled c;
	uint64_t x = 88172645463325252ull;
	bool same;

	for (int i = 0; i < 20000; i++) {
		struct np_rule rule = { .kind = 4, .dir = NP_SRC, .action = NP_DROP };
		char text[32];

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		snprintf(text, sizeof(text), "10.%u.%u.%u/%u", (unsigned int)(x >> 8 & 3), (unsigned int)(x >> 16 & 255),
			 (unsigned int)(x >> 24 & 255), (unsigned int)(9 + (x >> 40) % 24));
		assert_true(rule_target(&rule, text, strlen(text)));
		assert_int_equal(rules_add(&r, &rule, &same), 0);
	}
	assert_int_equal(rules_compile(&c, &r, 99), 0);
	for (int i = 0; i < 500; i++) {
		struct facts f = { .family = 4, .src = { 10 } };
		const struct np_rule *want;
		uint64_t addr;
		uint32_t got;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		f.src[1] = x & 3, f.src[2] = x >> 8 & 255, f.src[3] = x >> 16 & 255;
		want = rules_match(&r, &f, &seen, 1).rule;
		addr = (uint64_t)10 << 56 | (uint64_t)f.src[1] << 48 | (uint64_t)f.src[2] << 40;
		got = find(&c, NP_T_BLOCK_SRC, addr | (uint64_t)f.src[3] << 32);
		assert_int_equal(got ? (got & NP_V_INDEX) + 1 : 0, want ? want - r.v + 1 : 0);
	}
	compiled_free(&c);
}

/* As the rules say it of the address, and of those beside it. */
static void same_around(const struct compiled *c, uint32_t addr)
{
	for (uint32_t a = addr - 1; a != addr + 2; a++) {
		struct facts f = { .family = 4,
				   .src = { (uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a } };
		const struct np_rule *want = rules_match(&r, &f, &seen, 1).rule;
		uint32_t got = find(c, NP_T_BLOCK_SRC, (uint64_t)a << 32);

		assert_int_equal(got ? (got & NP_V_INDEX) + 1 : 0, want ? want - r.v + 1 : 0);
	}
}

/* `longest`: with entries up to that length, so many of them that the table has runs; `spread`: bits that differ. */
static void tables_have_no_gap(uint32_t longest, uint32_t spread, bool all)
{
	uint64_t x = 88172645463325252ull + longest + spread;
	struct compiled c;
	bool same;

	for (int i = 0; i < 3000; i++) {
		uint32_t plen = (uint32_t)(x >> 40) % (longest + 1), addr = (uint32_t)(x >> 8) & spread;
		struct np_rule rule = { .kind = 4, .dir = NP_SRC, .action = NP_DROP };

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		rule.plen = (uint8_t)(plen ? plen : all ? 0 : 1);
		addr &= rule.plen ? ~0u << (32 - rule.plen) : 0;
		for (int k = 0; k < 4; k++)
			rule.addr[k] = (uint8_t)(addr >> (24 - 8 * k));
		assert_int_equal(rules_add(&r, &rule, &same), 0);
	}
	assert_int_equal(rules_compile(&c, &r, x), 0);
	assert_int_equal(c.conf.use[NP_T_BLOCK_SRC], NP_USE_RUNS);
	for (uint32_t i = 0; i < r.n; i += 7) {
		const uint8_t *a = r.v[i].addr;
		uint32_t addr = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];

		same_around(&c, addr);
		same_around(&c, addr | (r.v[i].plen == 32 ? 0 : ~0u >> r.v[i].plen));
	}
	compiled_free(&c);
}

static void tables_of_many_lengths_have_no_gap(void **state)
{
	tables_have_no_gap(32, ~0u, false);
}

static void tables_where_all_is_covered_have_no_gap(void **state)
{
	tables_have_no_gap(32, 0x0f0fffff, true);
}

static void tables_without_long_prefixes_have_no_gap(void **state)
{
	tables_have_no_gap(24, ~0u, false);
}

static void tables_of_prefixes_close_together_have_no_gap(void **state)
{
	tables_have_no_gap(32, 0x0103ffff, false);
}

/* Whatever bits two keys differ in, they lie apart: a set of rates or fragments has room for four. */
static void places_are_spread_by_any_bits(void **state)
{
	static uint8_t n[4096];
	uint64_t seed = 7;

	for (int word = 0; word < 2; word++) {
		for (int shift = 0; shift <= 52; shift++) {
			struct np_hash_key key = rules_next_key(&seed);
			unsigned int most = 0;

			memset(n, 0, sizeof(n));
			for (uint64_t i = 0; i < 4096; i++) {
				uint64_t v = 0x20010db800000000ull ^ i << shift;
				uint64_t at = np_hash(word ? 0 : v, word ? v : 0, 0, key) & 4095;

				n[at]++;
				most = n[at] > most ? n[at] : most;
			}
			assert_in_range(most, 1, 20);
		}
	}
}

static void add_each(const char *before, const char *after, bool hex, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct np_rule rule = { .dir = NP_SRC, .action = NP_DROP };
		char text[64];
		bool same;

		if (hex)
			snprintf(text, sizeof(text), "%s%x%s", before, i, after);
		else
			snprintf(text, sizeof(text), "%s%u%s", before, i, after);
		assert_true(rule_target(&rule, text, strlen(text)));
		assert_int_equal(rules_add(&r, &rule, &same), 0);
	}
}

/* Of prefixes that differ in few bits, at whichever place. */
static void a_table_takes_what_its_prefixes_need(void **state)
{
	static const struct { const char *before, *after; bool hex; unsigned int n; } rows[] = {
		{ "2001:db8:0:1:", "::/80", true, 1000 }, { "2001:db8:0:1:0:", "::/96", true, 1000 },
		{ "", "::/16", true, 1000 }, { "2001:db8:", "::/48", true, 1000 }, { "2001:db8::", ":0/112", true, 1000 },
		{ "::", "", true, 1000 }, { "10.0.0.0/", "", false, 33 }, { "", ".0.0.0/8", false, 256 },
		{ "2001:db8::/", "", false, 129 }, { "ffff::/", "", false, 129 },
	};
	struct compiled c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rules_free(&r);
		assert_int_equal(rules_init(&r), 0);
		add_each(rows[i].before, rows[i].after, rows[i].hex, rows[i].n);
		assert_int_equal(rules_compile(&c, &r, i), 0);
		assert_in_range(c.index[NP_T_BLOCK_SRC].mask + 1, 1, 4096);
		compiled_free(&c);
	}
}

static void a_burst_that_no_number_holds_is_for_ever(void **state)
{
	struct compiled c;

	assert_int_equal(read_list("10.0.0.1 action limit 0.01pps/1000000000000\n10.0.0.2 action limit 1pps/5\n"), 0);
	assert_int_equal(rules_compile(&c, &r, 1), 0);
	assert_true(c.entries[0].burst == 1ull << 62);
	assert_true(c.entries[1].burst == 5000000000ull << 8);
	compiled_free(&c);
}

static void too_many_conditions_are_refused(void **state)
{
	struct compiled c;
	char text[64];

	for (int i = 0; i <= NP_CHAIN_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.0.0/8 port %d\n", i + 1);
		assert_int_equal(read_list(text), 0);
	}
	assert_true(rules_compile(&c, &r, 1) < 0);
}

static void an_entry_is_for_a_time_that_can_be_counted(void **state)
{
	struct np_rule rule = { .action = NP_DROP };
	char *words[] = { (char *)"for", (char *)"100000000w" }, reason[160];

	assert_true(rule_words(&r, &rule, 2, words, 0, reason) < 0);
	words[1] = (char *)"36500d";
	assert_int_equal(rule_words(&r, &rule, 2, words, 0, reason), 0);
	assert_int_equal(rule.expires_ns, 36500ull * 86400 * 1000000000);
}

static void a_time_is_read_as_it_is_printed(void **state)
{
	static const struct { const char *word; uint64_t s; const char *printed; } spans[] = {
		{ "600", 600, "10m" }, { "10m", 600, "10m" }, { "9m59s", 599, "9m59s" }, { "1w", 604800, "7d" },
		{ "86398s", 86398, "23h59m58s" }, { "1h30m", 5400, "1h30m" }, { "2d1s", 172801, "2d1s" },
		{ "0s", 0, "0s" },
	};
	static const char *const bad_ones[] = { "", "m", "10x", "1m1h", "1m1m", "1h30", "-1s", "1s ", "1000000000s",
						"1.5h" };
	uint64_t s;

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct buf b = { 0 };

		assert_int_equal(span_read(spans[i].word, &s), 0);
		assert_int_equal(s, spans[i].s);
		span_print(&b, s);
		buf_chr(&b, '\0');
		assert_string_equal(b.p, spans[i].printed);
		assert_int_equal(span_read(b.p, &s), 0);
		assert_int_equal(s, spans[i].s);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++)
		assert_int_equal(span_read(bad_ones[i], &s), -EINVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, clear)
	const struct CMUnitTest tests[] = {
		T(the_longest_prefix_decides),
		T(an_allow_entry_wins_over_a_longer_block),
		T(of_equal_prefixes_the_narrower_then_the_older_decides),
		T(a_condition_on_what_is_not_known_does_not_hold),
		T(neighbours_and_listeners_are_heard_where_all_is_denied),
		T(an_entry_ends_when_its_time_is_over),
		T(lists_of_many_forms_are_read),
		T(csv_has_its_columns_by_name),
		T(nothing_is_read_in_part),
		T(allowed_and_blocked_are_two_entries),
		T(a_comma_is_not_a_column),
		T(permitted_cidrs_become_allow_entries),
		T(every_bad_line_is_told_with_its_number),
		T(tables_find_what_the_definition_finds),
		T(tables_of_many_lengths_have_no_gap),
		T(tables_where_all_is_covered_have_no_gap),
		T(tables_without_long_prefixes_have_no_gap),
		T(tables_of_prefixes_close_together_have_no_gap),
		T(places_are_spread_by_any_bits),
		T(a_table_takes_what_its_prefixes_need),
		T(a_burst_that_no_number_holds_is_for_ever),
		T(too_many_conditions_are_refused),
		T(an_entry_is_for_a_time_that_can_be_counted),
		T(a_time_is_read_as_it_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
