// SPDX-License-Identifier: GPL-2.0-or-later
/* What a node's files say reaches a process without privileges as it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include "feed_rig.h"

#define RESULTS "/var/lib/cni/results"
#define COPIED	(FEED_PODS | FEED_NETWORK)

static char root[64];

static void put_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s" RESULTS "/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void drop_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s" RESULTS "/%s", root, name);
	assert_int_equal(unlink(path), 0);
}

static void make_dirs(const char *below)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p '%s%s'", root, below);
	run(command);
}

static int begin_copy(void **state)
{
	snprintf(root, sizeof(root), "/tmp/netprobe-feed.XXXXXX");
	return !mkdtemp(root);
}

static int end_copy(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void a_pod_comes_and_one_goes(void **state)
{
	struct policy_feed *f;
	struct facts facts;
	struct feed_set set;
	unsigned int ms;
	uint64_t before;

	make_dirs(RESULTS);
	put_file("net-old-eth0", "{\"a\": 1}");
	f = begin(root, FEED_ALL);
	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(set.kinds, COPIED);
	assert_int_equal(facts.n[FACT_CNI_RESULT], 1);
	assert_true(has(&facts, FACT_CNI_RESULT, "net-old-eth0"));
	facts_free(&facts);
	put_file("net-new-eth0", "{\"a\": 2}");
	drop_file("net-old-eth0");
	ms = wait_for(f, FACT_CNI_RESULT, "net-old-eth0", false);
	printf("# a pod that went was told after %u ms\n", ms);
	assert_true(ms < SOON_MS);
	/* Written over: the same name, another pod. */
	before = time_now();
	put_file("net-new-eth0", "{\"a\": 3}");
	read_after(f, before, &facts, &set);
	assert_non_null(memmem(facts.data.p, facts.data.n, "{\"a\": 3}", 8));
	facts_free(&facts);
	assert_true(time_now() - before < SOON_MS * MS);
	/* What does not change is not told again. */
	assert_int_equal(sets_within(f, 1500), 0);
	feed_close(f);
}

static void each_change_is_told_soon(void **state)
{
	unsigned int most = 0, all = 0;
	struct policy_feed *f;
	char name[32];

	make_dirs(RESULTS);
	f = begin(root, 1u << FACT_CNI_RESULT);
	put_file("pod", "{}");
	wait_for(f, FACT_CNI_RESULT, "pod", true);
	for (int i = 0; i < 20; i++) {
		unsigned int ms;

		snprintf(name, sizeof(name), "pod-%d", i);
		put_file(name, "{}");
		ms = wait_for(f, FACT_CNI_RESULT, name, true);
		most = ms > most ? ms : most;
		all += ms;
	}
	printf("# on average after %u ms, at most %u\n", all / 20, most);
	assert_true(most < SOON_MS);
	assert_true(all / 20 < 1000);
	feed_close(f);
}

/* Neither is the runtime started, nor the first pod, when we are. */
static void directories_that_come_later(void **state)
{
	struct policy_feed *f = begin(root, COPIED);
	struct facts facts;
	struct feed_set set;

	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(facts.data.n, 0);
	facts_free(&facts);
	make_dirs("/var");
	make_dirs("/var/lib");
	assert_int_equal(sets_within(f, 500), 0);
	make_dirs(RESULTS);
	put_file("first", "{}");
	assert_true(wait_for(f, FACT_CNI_RESULT, "first", true) < SOON_MS);
	make_dirs("/var/log/pods/a_b_c");
	assert_true(wait_for(f, FACT_LOG, "a_b_c", true) < SOON_MS);
	make_dirs("/sys/fs/cgroup/kubepods/besteffort/pod12");
	assert_true(wait_for(f, FACT_CGROUP, "pod12", true) < SOON_MS);
	make_dirs("/sys/fs/cgroup/kubepods/besteffort/pod13");
	assert_true(wait_for(f, FACT_CGROUP, "pod13", true) < SOON_MS);
	make_dirs("/etc/cni/net.d");
	/* The whole of it goes, and comes once more. */
	drop_file("first");
	end_copy(state);
	assert_int_equal(mkdir(root, 0700), 0);
	feed_close(f);
}

/* One set waits, not one for each change; what is told next is what is there then. */
static void who_reads_late_reads_the_latest(void **state)
{
	struct policy_feed *f;
	struct facts facts;
	struct feed_set set;
	char name[32];

	make_dirs(RESULTS);
	f = begin(root, 1u << FACT_CNI_RESULT);
	assert_int_equal(poll(&(struct pollfd){ .fd = feed_fd(f), .events = POLLIN }, 1, WAIT_MS), 1);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "pod-%d", i);
		put_file(name, "{}");
		poll(NULL, 0, 50);
	}
	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(facts.n[FACT_CNI_RESULT], 0);
	facts_free(&facts);
	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(facts.n[FACT_CNI_RESULT], 20);
	facts_free(&facts);
	feed_close(f);
}

static void asks_are_answered_and_merged(void **state)
{
	struct policy_feed *f;
	struct facts facts;
	struct feed_set set;
	unsigned int n = 0;
	uint64_t end;

	make_dirs(RESULTS);
	put_file("pod", "{}");
	f = begin(root, COPIED);
	wait_for(f, FACT_CNI_RESULT, "pod", true);
	/* The same is told again, since somebody wants to know. */
	end = time_now();
	feed_ask(f, COPIED);
	read_after(f, end, &facts, &set);
	facts_free(&facts);
	/* Kinds that nobody takes. */
	feed_ask(f, FEED_RULES);
	assert_int_equal(sets_within(f, 300), 0);
	for (int i = 0; i < 200000; i++)
		feed_ask(f, COPIED);
	for (end = time_now() + 1000 * MS; time_now() < end;) {
		feed_ask(f, COPIED);
		n += (unsigned int)sets_within(f, 1);
	}
	printf("# %u sets in a second of asking\n", n);
	assert_true(n >= 2 && n <= 12);
	feed_close(f);
}

int main(void)
{
#define COPY(name) cmocka_unit_test_setup_teardown(name, begin_copy, end_copy)
	const struct CMUnitTest tests[] = {
		COPY(a_pod_comes_and_one_goes),
		COPY(each_change_is_told_soon),
		COPY(directories_that_come_later),
		COPY(who_reads_late_reads_the_latest),
		COPY(asks_are_answered_and_merged),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
