// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of the kernel's connection tracking, and its answers, whole and broken. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/conntrack.h"
#include "util/bytes.h"

#include <cmocka.h>

static const struct conntrack_flow flow = {
	.src = { 4, { 10, 1, 0, 2 } }, .dst = { 4, { 10, 96, 0, 10 } }, .sport = 40000, .dport = 53, .proto = 17,
};

enum { HEADERS = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg), ANSWER_ROOM = 2 * CONNTRACK_ASK_MAX };

static void set16(uint8_t *m, size_t at, uint16_t v)
{
	memcpy(m + at, &v, sizeof(v));
}

/* 10.1.0.2:40000 called 10.96.0.10:53, and 10.1.0.9:5353 answers. */
static size_t answer(uint8_t out[ANSWER_ROOM])
{
	const struct conntrack_flow back = {
		.src = { 4, { 10, 1, 0, 9 } }, .dst = { 4, { 10, 1, 0, 2 } }, .sport = 5353, .dport = 40000, .proto = 17,
	};
	uint8_t second[CONNTRACK_ASK_MAX];
	size_t n = conntrack_ask(out, &flow, 7), more = conntrack_ask(second, &back, 7) - HEADERS;
	uint32_t len;

	memcpy(out + n, second + HEADERS, more);
	set16(out, n + offsetof(struct nlattr, nla_type), CTA_TUPLE_REPLY | NLA_F_NESTED);
	set16(out, offsetof(struct nlmsghdr, nlmsg_type), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	len = (uint32_t)(n + more);
	memcpy(out, &len, sizeof(len));
	return n + more;
}

static void an_answer_tells_who_called_whom(void **state)
{
	const struct conntrack_flow back = { .src = flow.dst, .dst = flow.src, .sport = 53, .dport = 40000, .proto = 17 };
	struct conntrack_found found;
	uint8_t m[ANSWER_ROOM];
	size_t n = answer(m);

	assert_int_equal(conntrack_answer(m, n, &flow, 7, &found), 0);
	assert_false(found.is_reply);
	assert_int_equal(found.port, 5353);
	assert_int_equal(found.to.family, 4);
	assert_memory_equal(found.to.b, "\x0a\x01\x00\x09", 4);
	assert_int_equal(conntrack_answer(m, n, &back, 7, &found), 0);
	assert_true(found.is_reply);
	/* To what was asked before. */
	assert_int_equal(conntrack_answer(m, n, &flow, 8, &found), -EAGAIN);
}

static void what_is_not_known_is_told(void **state)
{
	struct { struct nlmsghdr h; struct nlmsgerr e; } m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 7 }, .e = { .error = -ENOENT },
	};
	struct conntrack_found found;

	assert_int_equal(conntrack_answer((uint8_t *)&m, sizeof(m), &flow, 7, &found), -ENOENT);
	m.e.error = -EPERM;
	assert_int_equal(conntrack_answer((uint8_t *)&m, sizeof(m), &flow, 7, &found), -EPERM);
	m.e.error = 1;
	assert_int_equal(conntrack_answer((uint8_t *)&m, sizeof(m), &flow, 7, &found), -EPROTO);
}

/* Each length, each byte another: an answer or none, and nothing read behind the end. */
static void a_broken_answer_is_none(void **state)
{
	struct conntrack_found found;
	uint8_t whole[ANSWER_ROOM];
	size_t n = answer(whole);

	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *m = malloc(cut ? cut : 1);
		uint32_t len = (uint32_t)cut;

		assert_non_null(m);
		memcpy(m, whole, cut);
		if (cut >= sizeof(len))
			memcpy(m, &len, sizeof(len));
		assert_int_equal(conntrack_answer(m, cut, &flow, 7, &found), -EPROTO);
		free(m);
	}
	for (size_t at = 0; at < n; at++) {
		uint8_t *m = malloc(n);

		assert_non_null(m);
		memcpy(m, whole, n);
		m[at] ^= 0xff;
		assert_true(conntrack_answer(m, n, &flow, 7, &found) <= 0);
		free(m);
	}
}

static void addresses_of_ipv6_are_asked_whole(void **state)
{
	const struct conntrack_flow six = {
		.src = { 6, { 0xfd, 0, [15] = 2 } }, .dst = { 6, { 0xfd, 0, [15] = 3 } }, .sport = 1, .dport = 2,
		.proto = 6,
	};
	uint8_t m[CONNTRACK_ASK_MAX];
	uint32_t len;
	size_t n = conntrack_ask(m, &six, 9);

	memcpy(&len, m, sizeof(len));
	assert_int_equal(len, n);
	assert_int_equal(n % 4, 0);
	assert_int_equal(m[sizeof(struct nlmsghdr)], AF_INET6);
	assert_memory_equal(m + sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg) + 3 * sizeof(struct nlattr), six.src.b,
			    16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_tells_who_called_whom),
		cmocka_unit_test(what_is_not_known_is_told),
		cmocka_unit_test(a_broken_answer_is_none),
		cmocka_unit_test(addresses_of_ipv6_are_asked_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
