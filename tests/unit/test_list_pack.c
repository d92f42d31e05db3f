// SPDX-License-Identifier: GPL-2.0-or-later
/* What the reader of a list hands over is believed in nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules/rule.h"
#include "util/err.h"

#include <cmocka.h>

static struct rules r;
static struct list_report report;

static void bad(void *ctx, const char *file, uint32_t line, const char *why)
{
	fail_msg("%u: %s", line, why);
}

static int fresh(void **state)
{
	err_quiet(1);
	report = (struct list_report){ .bad = bad };
	return rules_init(&r);
}

static int clear(void **state)
{
	rules_free(&r);
	return 0;
}

/* What a reader handed over, to be spoilt and looked at. */
struct pack {
	struct head {		/* as list_pack.c has it */
		uint64_t magic;
		uint32_t n, text_bytes, lines, same, permitted, reserved;
	} h;
	struct np_rule v[8];
	char text[256];
};

static size_t packed(struct pack *p, const char *text)
{
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP };
	int fd = memfd_create("pack", 0);
	char bytes[sizeof(*p)];
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(list_read(&r, "list", text, strlen(text), &like, 0, &report), 0);
	assert_int_equal(list_pack(fd, &r, &report), 0);
	n = (size_t)pread(fd, bytes, sizeof(bytes), 0);
	close(fd);
	assert_in_range(n, sizeof(p->h), sizeof(bytes));
	memset(p, 0, sizeof(*p));
	memcpy(p, bytes, sizeof(p->h));
	memcpy(p->v, bytes + sizeof(p->h), p->h.n * sizeof(*p->v));
	memcpy(p->text, bytes + sizeof(p->h) + p->h.n * sizeof(*p->v), p->h.text_bytes);
	return n;
}

/* What is made of it, n bytes long: 0, or -EBADMSG with the reason in `why`. */
static char why[160];
static int unpacked(const struct pack *p, size_t n, struct rules *to)
{
	static uint64_t bytes[(sizeof(*p) + 7) / 8];
	size_t entries = p->h.n <= 8 ? p->h.n * sizeof(*p->v) : 0;
	size_t left = sizeof(*p) - sizeof(p->h) - entries;
	struct list_report got = { .bad = bad };

	memcpy(bytes, &p->h, sizeof(p->h));
	memcpy((char *)bytes + sizeof(p->h), p->v, entries);
	memcpy((char *)bytes + sizeof(p->h) + entries, p->text,
	       left < sizeof(p->text) ? left : sizeof(p->text));
	assert_int_equal(rules_init(to), 0);
	why[0] = '\0';
	return list_unpack(to, "list", bytes, n, &got, why);
}

static const char good_list[] = "192.0.2.0/25 reason one\n2001:db8::/33 proto tcp port 22-80 for 10m\n"
				"02:00:00:00:00:01 action limit 10pps/5 shared\n*.evil.test\n198.51.100.1 dst\n";

static void what_was_read_comes_over_whole(void **state)
{
	struct rules to;
	struct pack p;
	size_t n = packed(&p, good_list);

	assert_int_equal(unpacked(&p, n, &to), 0);
	assert_int_equal(to.n, 5);
	for (uint32_t i = 0; i < to.n; i++) {
		assert_memory_equal(&to.v[i], &r.v[i], sizeof(*to.v));
		assert_string_equal(rules_string(&to, to.v[i].reason), rules_string(&r, r.v[i].reason));
	}
	rules_free(&to);
	for (size_t cut = 0; cut < n; cut++) {
		assert_true(unpacked(&p, cut, &to) < 0);
		rules_free(&to);
	}
	assert_true(unpacked(&p, n + 1, &to) < 0);
	rules_free(&to);
}

/* One member changed: it is refused, and the member named. */
#define SPOILT(change, what) \
	do { \
		p = was; \
		change; \
		assert_true(unpacked(&p, n, &to) < 0); \
		if (!strstr(why, "(" what ")")) \
			fail_msg("%s: %s", #change, why); \
		rules_free(&to); \
	} while (0)
static void no_size_of_what_was_read_is_believed(void **state)
{
	struct pack p, was;
	struct rules to;
	size_t n = packed(&was, good_list);

	SPOILT(p.h.magic++, "head");
	SPOILT(p.h.reserved = 1, "head");
	SPOILT(p.h.n = RULES_MAX + 1, "number of entries");
	SPOILT(p.h.n = 4, "size");
	SPOILT(p.h.n = 6, "size");
	SPOILT(p.h.text_bytes--, "size");
	SPOILT(p.h.text_bytes = 0, "size");
	SPOILT(p.h.text_bytes = UINT32_MAX, "size");
	SPOILT(p.h.permitted = 2, "permitted");
	SPOILT(p.h.lines = 4, "line");
	SPOILT(p.text[0] = 'x', "texts");
	SPOILT(p.text[p.h.text_bytes - 1] = 'x', "texts");
}

static void no_match_of_what_was_read_is_believed(void **state)
{
	struct pack p, was;
	struct rules to;
	size_t n = packed(&was, good_list);

	SPOILT(p.v[0].kind = 5, "kind");
	SPOILT(p.v[0].kind = 255, "kind");
	SPOILT(p.v[0].kind = 0, "kind");
	SPOILT(p.v[0].kind = NP_KIND_MAC, "address or length");
	SPOILT(p.v[0].plen = 33, "address or length");
	SPOILT(p.v[0].plen = 6, "address or length");
	SPOILT(p.v[0].addr[3] = 1, "address or length");
	SPOILT(p.v[0].addr[15] = 1, "address or length");
	SPOILT(p.v[1].plen = 129, "address or length");
	SPOILT(p.v[1].addr[4] = 0x40, "address or length");
	SPOILT(p.v[2].plen = 47, "address or length");
	SPOILT(p.v[2].addr[6] = 1, "address or length");
	SPOILT(p.v[3].addr[0] = 1, "address or length");
	SPOILT(p.v[0].dir = 0, "direction");
	SPOILT(p.v[0].dir = 4, "direction");
	SPOILT(p.v[3].dir = NP_SRC, "direction");
	SPOILT(p.v[0].flags |= 0x40, "flags");
	SPOILT(p.v[0].flags |= NP_RULE_SUFFIX, "flags");
	SPOILT(p.v[0].proto = 6, "protocol");
	SPOILT(p.v[0].port_lo = 1, "ports");
	SPOILT(p.v[1].port_lo = 81, "ports");
	SPOILT(p.v[0].reserved = 1, "reserved");
}

static void no_action_or_text_of_what_was_read_is_believed(void **state)
{
	struct pack p, was;
	struct rules to;
	size_t n = packed(&was, good_list);

	SPOILT(p.v[0].action = 0, "action");
	SPOILT(p.v[0].action = NP_ALLOW + 1, "action");
	SPOILT(p.v[0].expires_ns = 1, "time");
	SPOILT(p.v[1].expires_ns = 0, "time");
	SPOILT(p.v[1].expires_ns = RULE_FOR_MAX_NS + 1, "time");
	SPOILT(p.v[0].rate = 1, "rate");
	SPOILT(p.v[0].flags |= NP_RULE_SHARED, "rate");
	SPOILT(p.v[2].rate = 0, "rate");
	SPOILT(p.v[2].rate = RULE_RATE_MAX + 1, "rate");
	SPOILT(p.v[2].burst = 0, "burst");
	SPOILT(p.v[2].burst = UINT64_MAX, "burst");
	SPOILT(p.v[0].reason = p.h.text_bytes, "reason");
	SPOILT(p.v[0].line = 0, "line");
	SPOILT(p.v[4].line = 6, "line");
	SPOILT(p.v[0].file = 0, "file");
	SPOILT(p.v[4].file = p.v[0].reason, "file");
	SPOILT(p.v[4].file = UINT32_MAX, "file");
	SPOILT(p.v[0].name = p.v[3].name, "name");
	SPOILT(p.v[3].name = 0, "name");
	SPOILT(p.v[3].name = UINT32_MAX, "name");
	SPOILT(p.text[p.v[3].name] = 'E', "name");
	SPOILT(p.text[p.v[3].name] = '.', "name");
	SPOILT(p.v[1].id = 1, "number");
	SPOILT((p.v[4] = p.v[0], p.v[4].id = 5), "the same twice");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, clear)
	const struct CMUnitTest tests[] = {
		T(what_was_read_comes_over_whole),
		T(no_size_of_what_was_read_is_believed),
		T(no_match_of_what_was_read_is_believed),
		T(no_action_or_text_of_what_was_read_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
