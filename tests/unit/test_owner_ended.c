// SPDX-License-Identifier: GPL-2.0-or-later
/* Which policies a rule is the end of: those of its tier and direction, all of them or none. */
#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/owners.h"
#include "dataplane/parts.h"
#include "util/err.h"

#include <cmocka.h>

#define POD "cali-tw-cali1cea4782700"
#define END(tier) "cali:x\nEnd of tier " tier ". Drop if no policies passed packet"

static struct nf_rules r;

static struct part part(const char *s)
{
	return (struct part){ (const uint8_t *)s, strlen(s) };
}

static void chain(const char *name)
{
	struct nf_chain c = { .via = NF_LEGACY, .family = NFPROTO_IPV4 };

	assert_true(nf_chain_add(&r, &c, part("filter"), part(name)) >= 0);
}

/* to NULL: it drops. */
static void rule(const char *in, const char *to, const char *comment)
{
	struct nf_rule x = { .chain = (uint32_t)nf_chain_index(&r, NF_LEGACY, NFPROTO_IPV4, part("filter"), part(in)),
			     .verdict = to ? NF_JUMPS : NF_DROPS, .target = to, .comment = comment, .uid = UINT32_MAX };

	nf_rule_add(&r, &x);
}

static void policy(const char *name, const char *comment)
{
	chain(name);
	rule(name, "", comment);
	r.rules[r.n_rules - 1].verdict = NF_NONE;
	r.rules[r.n_rules - 1].target = NULL;
}

/* Of the nth rule of the pod's chain. */
static const char *ended(uint32_t nth)
{
	static char text[256];
	struct buf b = { .p = text, .cap = sizeof(text) - 1, .max = sizeof(text) - 1 };
	const struct nf_chain *c;

	assert_int_equal(nf_rules_sort(&r), 0);
	c = nf_chain_find(&r, NF_LEGACY, NFPROTO_IPV4, "filter", POD);
	owner_ended(&r, &r.rules[c->first + nth], &b);
	text[b.n] = '\0';
	return text;
}

static int begin(void **state)
{
	err_quiet(1);
	chain(POD);
	policy("cali-pi-shop/knp.default.db", "cali:a\nPolicy shop/knp.default.db ingress");
	policy("cali-pi-shop/knp.default.two", "cali:a\nPolicy shop/knp.default.two ingress");
	policy("cali-po-shop/knp.default.db", "cali:a\nPolicy shop/knp.default.db egress");
	policy("cali-pi-_nKybf3g3Gytg_61FH5N", "cali:a");
	return 0;
}

static int end(void **state)
{
	nf_rules_free(&r);
	return 0;
}

static void those_of_its_tier_in_their_order(void **state)
{
	chain("cali-gi-0123456789abcdef");
	rule("cali-gi-0123456789abcdef", "cali-pi-shop/knp.default.two", NULL);
	rule("cali-gi-0123456789abcdef", "cali-pi-shop/knp.default.db", NULL);
	rule(POD, "cali-pi-shop/knp.default.two", "cali:x");
	rule(POD, NULL, END("first"));
	rule(POD, "cali-pi-shop/knp.default.db", "cali:x");
	rule(POD, NULL, END("default"));
	rule(POD, "cali-gi-0123456789abcdef", "cali:x");
	rule(POD, NULL, END("last"));
	assert_string_equal(ended(1), "shop/two");
	assert_string_equal(ended(3), "shop/db");
	assert_string_equal(ended(5), "shop/two,shop/db");
}

static void none_where_one_has_no_name(void **state)
{
	rule(POD, "cali-pi-shop/knp.default.db", "cali:x");
	rule(POD, "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:x");
	rule(POD, NULL, END("default"));
	assert_string_equal(ended(2), "");
}

static void none_of_another_direction_nor_of_another_rule(void **state)
{
	rule(POD, "cali-pi-shop/knp.default.db", "cali:x");
	rule(POD, NULL, "cali:x\nDrop if no profiles matched");
	rule(POD, NULL, END("default"));
	rule(POD, "cali-po-shop/knp.default.db", "cali:x");
	rule(POD, NULL, END("last"));
	assert_string_equal(ended(1), "");
	assert_string_equal(ended(2), "shop/db");
	assert_string_equal(ended(4), "");
}

static void none_where_there_are_too_many(void **state)
{
	for (int i = 0; i < 300; i++)
		rule(POD, "cali-pi-shop/knp.default.db", "cali:x");
	rule(POD, NULL, END("default"));
	assert_string_equal(ended(300), "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(those_of_its_tier_in_their_order),
		T(none_where_one_has_no_name),
		T(none_of_another_direction_nor_of_another_rule),
		T(none_where_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
