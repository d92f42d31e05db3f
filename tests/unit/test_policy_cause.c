// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rule dropped a connection, by counters and by traces: only where it can be no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/netfilter.h>

#include "cmd/policy_cause.h"
#include "util/err.h"

#include <cmocka.h>

enum { A = 0, B = 1, C = 2, OTHER = 3 };

#define S INT64_C(1000000000)

static struct nf_chain chains[] = {
	{ .table = "t", .name = "f", .via = NF_TABLES, .family = NFPROTO_INET, .base = true, .reached = true, .n = 2 },
	{ .table = "filter", .name = "FORWARD", .via = NF_LEGACY, .family = NFPROTO_IPV4, .base = true, .reached = true,
	  .first = 2, .n = 1, .counted = true },
	{ .table = "six", .name = "f", .via = NF_TABLES, .family = NFPROTO_IPV6, .base = true, .reached = true,
	  .first = 3, .n = 1 },
};
static struct nf_rule first[4], then[4];
static struct nf_rules was, now;
static struct causes causes;
static struct verdict_conn conn;
static struct cause cause;

static int begin(void **state)
{
	err_quiet(1);
	causes_begin(&causes);
	causes.old = false;
	for (unsigned int i = 0; i < 4; i++)
		first[i] = (struct nf_rule){ .handle = i + 1, .chain = i < 2 ? 0 : i - 1, .verdict = NF_DROPS, .counted = true,
					     .packets = 5, .uid = UINT32_MAX };
	first[A].comment = "rule A";
	memcpy(then, first, sizeof(then));
	chains[1].drops = false;
	was = (struct nf_rules){ .chains = chains, .rules = first, .n_chains = 3, .n_rules = 4, .generation = 7 };
	now = was;
	now.rules = then;
	conn = (struct verdict_conn){ .src = { .family = 4 }, .dst = { .family = 4 }, .what = VERDICT_DROPPED,
				      .decided_ns = 15 * S, .location = "nft_do_chain" };
	causes_take(&causes, &was, &was, 9 * S, 10 * S);
	return 0;
}

/* It is seen being dropped, and the rules are read. */
static void find(void)
{
	causes_drop(&causes, conn.decided_ns, conn.location);
	causes_take(&causes, &was, &now, 20 * S, 21 * S);
	memset(&cause, 0, sizeof(cause));
	cause_by_counters(&causes, &now, &conn, &cause);
}

static void the_one_that_counted(void **state)
{
	then[A].packets++;
	find();
	assert_true(cause.known);
	assert_string_equal(cause.ruleset, "inet t f");
	assert_string_equal(cause.rule, "rule A");
}

static void each_half_has_a_place_of_its_own(void **state)
{
	then[B].packets++;
	then[C].packets++;
	causes_drop(&causes, 14 * S, "nf_hook_slow");
	find();
	assert_true(cause.known);
	assert_string_equal(cause.rule, "rule 2");
	conn.location = "nf_hook_slow";
	memset(&cause, 0, sizeof(cause));
	cause_by_counters(&causes, &now, &conn, &cause);
	assert_true(cause.known);
	assert_string_equal(cause.ruleset, "ip(legacy) filter FORWARD");
	/* One place for both before Linux 6.7, as where the place has no name. */
	causes.old = true;
	memset(&cause, 0, sizeof(cause));
	cause_by_counters(&causes, &now, &conn, &cause);
	assert_false(cause.known);
	causes.old = false;
	conn.location = "0xffffffff81000000";
	cause_by_counters(&causes, &now, &conn, &cause);
	assert_false(cause.known);
}

static void one_of_another_family_is_another(void **state)
{
	then[A].packets++;
	conn.src.family = conn.dst.family = 6;
	find();
	assert_true(cause.known);
	then[A].packets--;
	then[OTHER].packets++;
	causes.n = 0;
	causes.began_ns = 9 * S;
	causes.ended_ns = 10 * S;
	causes_take(&causes, &was, &now, 20 * S, 21 * S);
	conn.src.family = conn.dst.family = 4;
	memset(&cause, 0, sizeof(cause));
	cause_by_counters(&causes, &now, &conn, &cause);
	assert_false(cause.known);
}

/* It counted another packet: conntrack, NAT or a program dropped this one; or it counted what we have not seen. */
static void it_counts_as_many_as_were_seen(void **state)
{
	then[A].packets++;
	causes_drop(&causes, 16 * S, conn.location);
	find();
	assert_false(cause.known);
	then[A].packets += 2;
	causes.n = 0;
	causes.began_ns = 9 * S;
	causes.ended_ns = 10 * S;
	causes_take(&causes, &was, &now, 20 * S, 21 * S);
	cause_by_counters(&causes, &now, &conn, &cause);
	assert_false(cause.known);
}

/* What was dropped while the rules were read before may have been counted behind their reader's back. */
static void a_reading_may_take_long(void **state)
{
	then[A].packets += 2;
	causes_drop(&causes, 95 * S / 10, conn.location);
	find();
	assert_true(cause.known);
	/* Or before it. */
	begin(state);
	then[A].packets++;
	causes_drop(&causes, 95 * S / 10, conn.location);
	find();
	assert_true(cause.known);
	/* But not before that began. */
	begin(state);
	then[A].packets += 2;
	causes_drop(&causes, 8 * S, conn.location);
	find();
	assert_false(cause.known);
}

/* Somebody set counters back. */
static void counters_that_fell_tell_nothing(void **state)
{
	then[A].packets++;
	then[B].packets--;
	find();
	assert_false(cause.known);
}

/* The same number, chain and verdict, and another rule. */
static void a_legacy_rule_that_was_replaced_is_another(void **state)
{
	then[C].packets++;
	then[C].digest++;
	conn.location = "nf_hook_slow";
	find();
	assert_false(cause.known);
}

static void two_are_one_too_many(void **state)
{
	then[A].packets++;
	then[B].packets++;
	find();
	assert_false(cause.known);
}

static void nobody_is_not_known(void **state)
{
	find();
	assert_false(cause.known);
}

/* Any that drops and does not count may have been it. */
static void one_without_a_counter_may_be_it(void **state)
{
	then[A].packets++;
	first[B].counted = then[B].counted = false;
	find();
	assert_false(cause.known);
	/* Or whose counter counts others as well. */
	begin(state);
	then[A].packets++;
	first[B].counts_more = then[B].counts_more = true;
	find();
	assert_false(cause.known);
}

/* B is one. */
static void by_a_map(bool only_goes)
{
	first[B].verdict = then[B].verdict = NF_MAPS;
	first[B].only_goes = then[B].only_goes = only_goes;
	then[A].packets = first[A].packets + 1;
	causes_begin(&causes);
	causes.old = false;
	causes_take(&causes, &was, &was, 9 * S, 10 * S);
	find();
}

static void a_map_may_be_it_unless_it_drops_nothing(void **state)
{
	by_a_map(false);
	assert_false(cause.known);
	by_a_map(true);
	assert_true(cause.known);
	assert_string_equal(cause.rule, "rule A");
}

static void what_no_rule_decided_is_the_chains(void **state)
{
	static struct nf_chain before[3];

	chains[1].drops = true;
	causes_take(&causes, &was, &was, 9 * S, 10 * S);
	memcpy(before, chains, sizeof(before));
	was.chains = before;
	chains[1].packets++;
	conn.location = "nf_hook_slow";
	find();
	assert_true(cause.known);
	assert_string_equal(cause.ruleset, "ip(legacy) filter FORWARD");
	assert_string_equal(cause.rule, "policy");
}

static void rules_that_were_changed_tell_nothing(void **state)
{
	then[A].packets++;
	now.generation++;
	find();
	assert_false(cause.known);
}

/* While a reading went on it may have been counted before or after its rule was read. */
static void during_a_reading_the_next_one_counts_too(void **state)
{
	struct nf_rule last[4];
	struct nf_rules end = now;

	then[A].packets++;
	conn.decided_ns = 205 * S / 10;
	find();
	assert_false(cause.known);
	memcpy(last, then, sizeof(last));
	end.rules = last;
	causes_take(&causes, &now, &end, 30 * S, 31 * S);
	cause_by_counters(&causes, &end, &conn, &cause);
	assert_true(cause.known);
	assert_string_equal(cause.rule, "rule A");
	last[B].packets++;
	causes.n--;
	causes.began_ns = 20 * S;
	causes.ended_ns = 21 * S;
	causes_take(&causes, &now, &end, 30 * S, 31 * S);
	memset(&cause, 0, sizeof(cause));
	cause_by_counters(&causes, &end, &conn, &cause);
	assert_false(cause.known);
}

static void before_the_first_reading_nothing_is_known(void **state)
{
	then[A].packets++;
	conn.decided_ns = 95 * S / 10;
	find();
	assert_false(cause.known);
}

static void a_trace_is_of_its_time(void **state)
{
	const struct rule_step step = { .table = "t", .chain = "f", .handle = 1, .family = NFPROTO_INET, .kind = TRACE_RULE,
					.verdict = NF_DROPS };
	struct rule_path p = { .came = { .src = { .family = 4, .b = { 10 } }, .dst = { .family = 4, .b = { 11 } },
					 .sport = 1000, .dport = 80 },
			       .proto = 6, .proto_known = true, .end = TRACE_DROPPED, .steps = &step, .n_steps = 1,
			       .first_ns = 10000000000 };
	const struct nf_rules none = { .n_rules = 0 };
	struct traces *t = NULL;

	conn.src = p.came.src;
	conn.dst = p.came.dst;
	conn.sport = 1000;
	conn.dport = 80;
	conn.proto = 6;
	assert_int_equal(traces_open(&t), 0);
	assert_int_equal(traces_take(t, &p), 0);
	conn.first_ns = conn.decided_ns = 9999000000;
	cause_by_trace(t, &none, &conn, &cause);
	assert_true(cause.known);
	assert_string_equal(cause.rule, "rule 1");
	assert_string_equal(cause.trace, "inet t f 1 drop");
	/* Later connections of the same ends are others. */
	conn.first_ns = conn.decided_ns = 10500000000;
	memset(&cause, 0, sizeof(cause));
	cause_by_trace(t, &none, &conn, &cause);
	assert_false(cause.known || cause.trace);
	/* And so are those of other ports. */
	conn.first_ns = conn.decided_ns = 9999000000;
	conn.sport++;
	cause_by_trace(t, &none, &conn, &cause);
	assert_false(cause.known || cause.trace);
	traces_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_one_that_counted, begin),
		cmocka_unit_test_setup(each_half_has_a_place_of_its_own, begin),
		cmocka_unit_test_setup(one_of_another_family_is_another, begin),
		cmocka_unit_test_setup(it_counts_as_many_as_were_seen, begin),
		cmocka_unit_test_setup(a_reading_may_take_long, begin),
		cmocka_unit_test_setup(counters_that_fell_tell_nothing, begin),
		cmocka_unit_test_setup(a_legacy_rule_that_was_replaced_is_another, begin),
		cmocka_unit_test_setup(two_are_one_too_many, begin),
		cmocka_unit_test_setup(nobody_is_not_known, begin),
		cmocka_unit_test_setup(one_without_a_counter_may_be_it, begin),
		cmocka_unit_test_setup(a_map_may_be_it_unless_it_drops_nothing, begin),
		cmocka_unit_test_setup(what_no_rule_decided_is_the_chains, begin),
		cmocka_unit_test_setup(rules_that_were_changed_tell_nothing, begin),
		cmocka_unit_test_setup(during_a_reading_the_next_one_counts_too, begin),
		cmocka_unit_test_setup(before_the_first_reading_nothing_is_known, begin),
		cmocka_unit_test_setup(a_trace_is_of_its_time, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
