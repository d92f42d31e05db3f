/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NF_HELP_H
#define NF_HELP_H

/* What the kernel says of its packet filter, put together byte by byte in m[0..n), and read into r. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netlink.h>

#include "dataplane/rules.h"
#include "util/bytes.h"
#include "util/err.h"

#include <cmocka.h>

static uint8_t m[1 << 16];
static size_t n;
static struct nf_rules r;

static inline int clear(void **state)
{
	n = 0;
	memset(m, 0, sizeof(m));
	nf_rules_free(&r);
	return 0;
}

static inline void put(const void *p, size_t len)
{
	assert_true(n + len <= sizeof(m));
	if (len)
		memcpy(m + n, p, len);
	n += len;
}

static inline void align(size_t to)
{
	while (n % to)
		m[n++] = 0;
}

static inline const struct nf_rule *rule(uint32_t i)
{
	assert_true(i < r.n_rules);
	return &r.rules[i];
}

/* Whatever is cut, what is told is whole, and what is missing is counted. */
static inline void cut_at_each_byte(int (*parse_fn)(struct nf_rules *, const uint8_t *, size_t), size_t align_to)
{
	struct nf_rules whole = { 0 };

	assert_int_equal(parse_fn(&whole, m, n), 0);
	for (size_t len = 0; len < n; len++) {
		uint8_t *copy = malloc(len + 1);	/* the sanitizer sees what is read behind it */
		struct nf_rules x = { 0 };

		assert_non_null(copy);
		memcpy(copy, m, len);
		assert_int_equal(parse_fn(&x, copy, len), 0);
		assert_int_equal(nf_rules_sort(&x), 0);
		assert_true(x.n_chains <= whole.n_chains && x.n_rules <= whole.n_rules);
		if (len % align_to)
			assert_true(x.broken);
		for (uint32_t i = 0; i < x.n_rules; i++)
			assert_true(x.rules[i].chain < x.n_chains);
		nf_rules_free(&x);
		free(copy);
	}
	nf_rules_free(&whole);
}

#define T(f) cmocka_unit_test_setup_teardown(f, clear, clear)

/* ── messages ─────────────────────────────────────────────────────────────── */

/* What begins here ends with close_at(): its length is known then. */
static inline size_t open_attr(uint16_t type)
{
	struct nlattr a = { .nla_type = type };

	put(&a, sizeof(a));
	return n - sizeof(a);
}

static inline void close_at(size_t at)
{
	uint16_t len = (uint16_t)(n - at);

	memcpy(m + at, &len, sizeof(len));
	align(4);
}

static inline void attr(uint16_t type, const void *p, size_t len)
{
	size_t at = open_attr(type);

	put(p, len);
	close_at(at);
}

static inline void text(uint16_t type, const char *s)
{
	attr(type, s, strlen(s) + 1);
}

static inline void number(uint16_t type, uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	attr(type, b, sizeof(b));
}

static inline void number64(uint16_t type, uint64_t v)
{
	uint8_t b[8];

	put_be32(b, (uint32_t)(v >> 32));
	put_be32(b + 4, (uint32_t)v);
	attr(type, b, sizeof(b));
}

static inline size_t open_message(uint8_t what, uint8_t family)
{
	struct nlmsghdr h = { .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | what, .nlmsg_flags = NLM_F_MULTI };
	struct nfgenmsg g = { .nfgen_family = family };

	put(&h, sizeof(h));
	put(&g, sizeof(g));
	return n - sizeof(h) - sizeof(g);
}

static inline void close_message(size_t at)
{
	uint32_t len = (uint32_t)(n - at);

	memcpy(m + at, &len, sizeof(len));
	align(4);
}

static inline void chain(uint8_t family, const char *table, const char *name)
{
	size_t at = open_message(NFT_MSG_NEWCHAIN, family);

	text(NFTA_CHAIN_TABLE, table);
	text(NFTA_CHAIN_NAME, name);
	close_message(at);
}

static size_t the_rule, the_list;

static inline void open_rule(const char *table, const char *name, uint64_t handle)
{
	the_rule = open_message(NFT_MSG_NEWRULE, NFPROTO_IPV4);
	text(NFTA_RULE_TABLE, table);
	text(NFTA_RULE_CHAIN, name);
	number64(NFTA_RULE_HANDLE, handle);
	the_list = open_attr(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
}

static inline void close_rule(const char *comment)
{
	uint8_t u[300] = { 9, 2, 'x', 'y', 0 };

	close_at(the_list);
	if (comment) {
		u[5] = (uint8_t)(strlen(comment) + 1);
		memcpy(u + 6, comment, strlen(comment) + 1);
		attr(NFTA_RULE_USERDATA, u, 6u + u[5]);
	}
	close_message(the_rule);
}

static size_t elem, elem_data;

static inline void open_expr(const char *name)
{
	elem = open_attr(NFTA_LIST_ELEM | NLA_F_NESTED);
	text(NFTA_EXPR_NAME, name);
	elem_data = open_attr(NFTA_EXPR_DATA | NLA_F_NESTED);
}

static inline void close_expr(void)
{
	close_at(elem_data);
	close_at(elem);
}

static inline void expr(const char *name)
{
	open_expr(name);
	close_expr();
}

static inline void verdict(uint32_t code, const char *to)
{
	size_t data, v;

	open_expr("immediate");
	number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = open_attr(NFTA_IMMEDIATE_DATA | NLA_F_NESTED);
	v = open_attr(NFTA_DATA_VERDICT | NLA_F_NESTED);
	number(NFTA_VERDICT_CODE, code);
	if (to)
		text(NFTA_VERDICT_CHAIN, to);
	close_at(v);
	close_at(data);
	close_expr();
}

static inline void counter(uint64_t packets, uint64_t bytes)
{
	open_expr("counter");
	number64(NFTA_COUNTER_BYTES, bytes);
	number64(NFTA_COUNTER_PACKETS, packets);
	close_expr();
}

static inline void value(uint16_t type, const void *p, size_t len)
{
	size_t at = open_attr(type | NLA_F_NESTED);

	attr(NFTA_DATA_VALUE, p, len);
	close_at(at);
}

static inline void skuid(uint32_t uid, uint32_t op)
{
	open_expr("meta");
	number(NFTA_META_DREG, NFT_REG_1);
	number(NFTA_META_KEY, NFT_META_SKUID);
	close_expr();
	open_expr("cmp");
	number(NFTA_CMP_SREG, NFT_REG_1);
	number(NFTA_CMP_OP, op);
	value(NFTA_CMP_DATA, &uid, sizeof(uid));
	close_expr();
}

static inline void xt(bool target, const char *name, const void *info, size_t len)
{
	open_expr(target ? "target" : "match");
	text(NFTA_MATCH_NAME, name);
	number(NFTA_MATCH_REV, 0);
	attr(NFTA_MATCH_INFO, info, len);
	close_expr();
}

static inline void parse(void)
{
	assert_int_equal(nf_parse_netlink(&r, m, n), 0);
	assert_int_equal(nf_rules_sort(&r), 0);
}

#endif
