// SPDX-License-Identifier: GPL-2.0-or-later
/* Logs of firewalls: each packet once, in the order of time, those written over counted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>
#include <poll.h>

#include "block_abi.h"
#include "numbers/linktype.h"
#include "source/verdicts.h"

enum { CPUS = 2, KEPT = 8192 };

static struct np_log_packet *packets;
static struct np_log_cpu cpus[CPUS];
static struct np_log_readers readers;
static const struct iface eth0 = { .name = "eth0", .ifindex = 3, .link = LINK_ETHERNET };
static struct source *s;

static struct {
	uint64_t time_ns;
	uint32_t rule, len, cap_len;
	uint8_t head[24];
	char action[8], reason[24], name[16];
} got[KEPT];
static unsigned int n_got;

static int keep(void *ctx, const struct frame *f)
{
	assert_true(n_got < KEPT);
	got[n_got].time_ns = f->time_ns;
	got[n_got].len = f->len;
	got[n_got].cap_len = f->cap_len;
	got[n_got].rule = f->block->rule;
	memcpy(got[n_got].head, f->data, f->cap_len < 24 ? f->cap_len : 24);
	snprintf(got[n_got].action, sizeof(got[n_got].action), "%s", f->block->action);
	snprintf(got[n_got].reason, sizeof(got[n_got].reason), "%s", f->block->reason);
	snprintf(got[n_got].name, sizeof(got[n_got].name), "%s", f->block->name ? f->block->name : "");
	assert_int_equal(f->number, ++n_got);
	assert_ptr_equal(f->iface, &eth0);
	assert_int_equal(f->direction, DIR_INGRESS);
	return 0;
}

static void describe(const void *set, uint32_t rule, struct block_info *out)
{
	assert_ptr_equal(set, &readers);
	out->name = rule == 7 ? "seven" : NULL;
}

static struct np_log_packet *put(unsigned int cpu, uint64_t boot_ns, uint32_t rule, uint8_t reason, uint8_t drop)
{
	struct np_log_packet *p = &packets[cpu * NP_LOG_PACKETS + cpus[cpu].written % NP_LOG_PACKETS];

	*p = (struct np_log_packet){ .boot_ns = boot_ns, .rule = rule, .len = 60, .cap = 60, .reason = reason, .drop = drop };
	for (unsigned int i = 0; i < NP_LOG_BYTES; i++)
		p->data[i] = (uint8_t)i;
	cpus[cpu].written++;
	return p;
}

/* Two looks, and all that they bring. */
static void drain(void)
{
	struct pollfd ready = { .fd = s->fd, .events = POLLIN };

	for (int looks = 0; looks < 3; looks++) {
		assert_int_equal(poll(&ready, 1, 10000), 1);
		while (s->ops->read(s, 100, keep, NULL) > 0)
			;
	}
}

static int begin(void **state)
{
	const struct verdict_log log = { packets, cpus, &readers, &eth0, DIR_INGRESS, &readers };
	const struct verdicts_config c = { .logs = &log, .n = 1, .cpus = CPUS, .describe = describe };

	memset(&readers, 0, sizeof(readers));
	n_got = 0;
	return verdicts_open(&s, &c);
}

static int end(void **state)
{
	s->ops->close(s);
	return 0;
}

static struct source_counts counts(void)
{
	struct source_counts c;

	assert_int_equal(s->ops->counts(s, &c), 0);
	assert_int_equal(c.seen, c.emitted + c.lost_ring + c.filtered);
	return c;
}

static void in_the_order_of_time(void **state)
{
	put(1, 3000, 7, NP_R_DROP, 1);
	put(0, 1000, 8, NP_R_AUDIT, 0);
	put(1, 4000, 0, NP_R_NOT_PERMITTED, 0);
	put(0, 2000, 9, NP_R_LIMIT_DROP, 1);
	put(0, 5000, 9, NP_R_EXPIRED, 0);
	drain();
	assert_int_equal(n_got, 5);
	for (unsigned int i = 1; i < 5; i++)
		assert_int_equal(got[i].time_ns - got[i - 1].time_ns, 1000);
	assert_string_equal(got[0].action, "audit");
	assert_string_equal(got[1].action, "limit");
	assert_string_equal(got[2].action, "drop");
	assert_string_equal(got[2].name, "seven");
	assert_string_equal(got[3].action, "audit");
	assert_string_equal(got[3].reason, "not_permitted");
	assert_string_equal(got[4].action, "pass");
	assert_int_equal(counts().read, 5);
}

static void what_was_there_before_is_not_told(void **state)
{
	put(0, 1000, 1, NP_R_DROP, 1);
	end(state);
	begin(state);
	put(0, 2000, 2, NP_R_DROP, 1);
	drain();
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].rule, 2);
	assert_int_equal(readers.beat, 1);	/* from the start on, lest the first packets be missed */
	s->ops->tick(s);
	assert_int_equal(readers.beat, 2);
}

static void written_over(void **state)
{
	for (unsigned int i = 0; i < 3 * NP_LOG_PACKETS; i++)
		put(0, 1000 + i, i, NP_R_DROP, 1);
	put(1, 500, 77, NP_R_DROP, 1);
	drain();
	assert_int_equal(got[0].rule, 77);
	assert_int_equal(got[n_got - 1].rule, 3 * NP_LOG_PACKETS - 1);
	assert_true(n_got > NP_LOG_PACKETS - 64);
	assert_int_equal(counts().lost_ring + n_got, 3 * NP_LOG_PACKETS + 1);
	assert_int_equal(counts().read, n_got);
	for (unsigned int i = 2; i < n_got; i++)
		assert_int_equal(got[i].rule, got[i - 1].rule + 1);
}

/* The tag that the device took off stands where it was; a length that cannot be is none. */
static void tags_and_lengths(void **state)
{
	static const uint8_t tagged[] = { 10, 11, 0x81, 0, 0x20, 5, 12, 13 };
	struct np_log_packet *p = put(0, 1, 1, NP_R_DROP, 1);

	p->tag_type = 0x8100;
	p->tag = 0x2005;
	p = put(0, 2, 1, NP_R_DROP, 1);
	p->cap = 65535;
	p->len = 9000;
	p = put(0, 3, 1, 200, 1);
	p->len = 1;
	drain();
	assert_int_equal(n_got, 3);
	assert_memory_equal(got[0].head + 10, tagged, sizeof(tagged));
	assert_int_equal(got[0].len, 64);
	assert_int_equal(got[0].cap_len, 64);
	assert_int_equal(got[1].cap_len, NP_LOG_BYTES);
	assert_int_equal(got[1].len, 9000);
	assert_int_equal(got[2].len, 60);
	assert_int_equal(counts().truncated, 1);
}

static void taken_away(void **state)
{
	put(0, 1, 1, NP_R_DROP, 1);
	readers.ended = 1;
	s->ops->tick(s);
	drain();
	assert_int_equal(n_got, 1);
	assert_int_equal(s->ops->read(s, 100, keep, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_the_order_of_time, begin, end),
		cmocka_unit_test_setup_teardown(what_was_there_before_is_not_told, begin, end),
		cmocka_unit_test_setup_teardown(written_over, begin, end),
		cmocka_unit_test_setup_teardown(tags_and_lengths, begin, end),
		cmocka_unit_test_setup_teardown(taken_away, begin, end),
	};
	int failed;

	packets = calloc(CPUS * NP_LOG_PACKETS, sizeof(*packets));
	failed = packets ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	free(packets);
	return failed;
}
