/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_BPF_FEED_RIG_H
#define TESTS_BPF_FEED_RIG_H

/* What the tests of policy_feed.h share: reading sets until one is as it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <time.h>

#include "cmd/policy_feed.h"
#include "util/time.h"

#include <cmocka.h>

/* What is told by a change comes long before the next look, which is after 10 s; on a busy machine, too. */
enum { WAIT_MS = 9000, SOON_MS = 5000 };

#define MS UINT64_C(1000000)

static inline void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* Waits; 1, 0 when there was nothing for so long, or what feed_read() says. */
static inline int read_within(struct policy_feed *f, int ms, struct facts *out, struct feed_set *set)
{
	uint64_t end = time_now() + (uint64_t)ms * MS;
	int rc = 0;

	*out = (struct facts){ 0 };
	while (!rc && time_now() < end) {
		struct pollfd p = { .fd = feed_fd(f), .events = POLLIN };

		poll(&p, 1, (int)((end - time_now()) / MS) + 1);
		rc = feed_read(f, out, set);
	}
	return rc;
}

/* The first set that began after that moment. */
static inline void read_after(struct policy_feed *f, uint64_t ns, struct facts *out, struct feed_set *set)
{
	*set = (struct feed_set){ .began_ns = -1 };
	*out = (struct facts){ 0 };
	while (set->began_ns < (int64_t)ns) {
		assert_true(time_now() - ns < WAIT_MS * MS);
		facts_free(out);
		assert_int_equal(read_within(f, WAIT_MS, out, set), 1);
	}
}

static inline bool has(const struct facts *f, enum fact_kind kind, const char *name)
{
	struct fact one;
	size_t at = 0, n = strlen(name);

	while (facts_next(f, &at, &one))
		if (one.kind == kind && one.path_len >= n && !memcmp(one.path + one.path_len - n, name, n))
			return true;
	return false;
}

/* Sets, until one that began later has it, or has it not; how many ms that took. */
static inline unsigned int wait_for(struct policy_feed *f, enum fact_kind kind, const char *name, bool there)
{
	uint64_t began = time_now();
	bool met = false;

	while (!met) {
		struct feed_set set;
		struct facts facts;

		assert_true(time_now() - began < WAIT_MS * MS);
		assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
		assert_true(set.began_ns <= set.ended_ns);
		met = has(&facts, kind, name) == there;
		facts_free(&facts);
	}
	return (unsigned int)((time_now() - began) / MS);
}

static inline unsigned int sets_within(struct policy_feed *f, int ms)
{
	uint64_t end = time_now() + (uint64_t)ms * MS;
	unsigned int n = 0;

	while (time_now() < end) {
		struct feed_set set;
		struct facts facts;
		int rc = read_within(f, (int)((end - time_now()) / MS) + 1, &facts, &set);

		assert_true(rc >= 0);
		n += rc > 0;
		facts_free(&facts);
	}
	return n;
}

static inline struct policy_feed *begin(const char *where, uint32_t kinds)
{
	struct policy_feed *f = NULL;

	assert_int_equal(feed_open(&f, where, kinds), 0);
	assert_true(feed_fd(f) >= 0);
	return f;
}

#endif
