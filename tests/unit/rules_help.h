/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set that each test has anew, and lists that are read into it.  Include cmocka.h first. */
#ifndef NETPROBE_TESTS_RULES_HELP_H
#define NETPROBE_TESTS_RULES_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "util/err.h"

static struct rules r;
static struct list_report report;
static char bad_lines[512];

static inline void bad(void *ctx, const char *file, uint32_t line, const char *why)
{
	size_t n = strlen(bad_lines);

	snprintf(bad_lines + n, sizeof(bad_lines) - n, "%u:%s\n", line, why);
}

static inline int fresh(void **state)
{
	err_quiet(1);
	bad_lines[0] = '\0';
	report = (struct list_report){ .bad = bad };
	return rules_init(&r);
}

static inline int clear(void **state)
{
	rules_free(&r);
	return 0;
}

static inline int read_list(const char *text)
{
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP };

	return list_read(&r, "list", text, strlen(text), &like, 1000000000, &report);
}

static inline const char *shown(uint32_t i)
{
	static char out[512];
	struct buf b = { 0 };

	assert_true(i < r.n);
	rule_print(&b, &r, &r.v[i], 0);
	snprintf(out, sizeof(out), "%.*s|%s|%u", (int)b.n, b.p, rules_string(&r, r.v[i].reason), r.v[i].line);
	buf_free(&b);
	return out;
}

static inline void add(const char *target, uint8_t action, uint64_t expires_ns)
{
	struct np_rule rule = { .dir = NP_SRC, .action = action, .expires_ns = expires_ns,
				.flags = expires_ns ? NP_RULE_EXPIRES : 0 };
	bool same;

	assert_true(rule_target(&rule, target, strlen(target)));
	rule.rate = action == NP_LIMIT ? 1000 : 0;
	assert_int_equal(rules_add(&r, &rule, &same), 0);
}

static inline uint32_t number_of(const struct rules *of, const char *target)
{
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP };

	assert_true(rule_target(&like, target, strlen(target)));
	for (uint32_t i = 0; i < of->n; i++)
		if (rule_same(of, &of->v[i], &like))
			return of->v[i].id;
	return 0;
}

#endif
