// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode_help.h"

#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"
#include "decode/conv/pairs.h"

static void put_echo(struct bytes *o)
{
	o->n = 0;
	put_ipv4(o, 1, 2, 1, 8);
	PUT(o, "\x08\0\0\0\0\1\0\1");
}

/* A segment that completes nothing. */
static void put_other(struct bytes *o)
{
	o->n = 0;
	put_tcp(o, 1, 2, 4000, 80, 1, 16, "x", 1);
}

static void modes_choose_between_packets_and_messages(void **state)
{
	static const struct { enum decode_mode mode; const char *echo, *other; } expected[] = {
		{ DECODE_LINES, "i", "p" }, { DECODE_PACKETS, "pi", "p" }, { DECODE_MESSAGES, "i", "" },
	};

	for (int i = 0; i < 3; i++) {
		struct decode *d = decoder(expected[i].mode);
		struct lines l = { .n = 0 };
		struct bytes o;

		put_echo(&o);
		feed(d, &l, &o, o.n, SECOND, 1);
		assert_int_equal(l.n, strlen(expected[i].echo));
		for (unsigned int k = 0; k < l.n; k++)
			assert_ptr_equal(l.set[k], expected[i].echo[k] == 'p' ? &packet_dataset : &icmp_dataset);
		l.n = 0;
		put_other(&o);
		feed(d, &l, &o, o.n, SECOND, 2);
		assert_int_equal(l.n, strlen(expected[i].other));
		decode_close(d);
	}
}

static void kinds_that_nobody_wants_are_left_out(void **state)
{
	struct decode_options opt = { .mode = DECODE_LINES, .kinds = dataset_bit(&dns_dataset) };
	struct decode *d;
	struct lines l = { .n = 0 };
	struct bytes o;

	assert_int_equal(decode_open(&d, &opt), 0);
	put_echo(&o);
	feed(d, &l, &o, o.n, SECOND, 1);
	assert_int_equal(l.n, 1);
	assert_ptr_equal(l.set[0], &packet_dataset);
	decode_close(d);
}

static void a_dropped_packet_is_a_drop_and_nothing_else(void **state)
{
	static const struct drop_info drop = { "NO_SOCKET", "udp_rcv", "udp" };

	for (int mode = DECODE_LINES; mode <= DECODE_MESSAGES; mode++) {
		struct decode *d = decoder((enum decode_mode)mode);
		struct lines l = { .n = 0 };
		struct bytes o;
		struct frame f = { .time_ns = SECOND, .number = 1, .data = o.p, .link = 1, .drop = &drop };

		put_echo(&o);
		f.cap_len = f.len = o.n;
		assert_int_equal(decode_frame(d, &f, line_of, &l), 0);
		assert_int_equal(l.n, 1);
		assert_string_equal(l.text[0], "drop action=drop frame=1 reason=NO_SOCKET");
		decode_close(d);
	}
}

static int say_stop(void *ctx, const struct record *r)
{
	++*(int *)ctx;
	return -5;
}

static void who_stops_is_not_called_again(void **state)
{
	struct decode *d = decoder(DECODE_PACKETS);
	int calls = 0;
	struct bytes o;
	struct frame f = { .time_ns = SECOND, .number = 1, .data = o.p, .link = 1 };

	put_echo(&o);
	f.cap_len = f.len = o.n;
	assert_int_equal(decode_frame(d, &f, say_stop, &calls), -5);
	assert_int_equal(calls, 1);
	decode_close(d);
}

static void what_was_seen_is_counted(void **state)
{
	struct decode *d = decoder(DECODE_PACKETS);
	struct lines l = { .n = 0 };
	struct decode_counts c;
	struct bytes o;

	put_echo(&o);
	feed(d, &l, &o, o.n, SECOND, 1);
	feed(d, &l, &o, 20, SECOND, 2);
	decode_counts(d, &c);
	assert_int_equal(c.frames, 2);
	assert_int_equal(c.records, 3);
	assert_int_equal(c.undecoded, 1);
	decode_close(d);
}

static void of_too_many_requests_the_oldest_is_forgotten(void **state)
{
	struct request_key k;
	struct pairs *p;
	uint64_t asked_ns;

	memset(&k, 0, sizeof(k));
	assert_int_equal(pairs_open(&p, 8, 4, 1), 0);
	for (uint16_t i = 0; i < 1000; i++) {
		k.id = i;
		assert_non_null(pairs_put(p, &k, i, 5));
		assert_null(pairs_put(p, &k, i, 5));
	}
	assert_int_equal(pairs_count(p), 8);
	assert_int_equal(pairs_evicted(p), 992);
	k.id = 991;
	assert_null(pairs_take(p, &k, &asked_ns));
	k.id = 995;
	assert_non_null(pairs_take(p, &k, &asked_ns));
	assert_int_equal(asked_ns, 995);
	assert_null(pairs_take(p, &k, &asked_ns));
	for (uint16_t i = 992; i < 1000; i++) {
		if (i == 995)
			continue;
		assert_non_null(pairs_expire(p, 1000, &k, &asked_ns));
		assert_int_equal(k.id, i);
	}
	assert_null(pairs_expire(p, 1000, &k, &asked_ns));
	k.id = 1;
	assert_non_null(pairs_put(p, &k, 10, 5));
	assert_null(pairs_put(p, &k, 14, 5));
	assert_non_null(pairs_put(p, &k, 15, 5));
	assert_int_equal(pairs_count(p), 1);
	pairs_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_choose_between_packets_and_messages),
		cmocka_unit_test(kinds_that_nobody_wants_are_left_out),
		cmocka_unit_test(a_dropped_packet_is_a_drop_and_nothing_else),
		cmocka_unit_test(who_stops_is_not_called_again),
		cmocka_unit_test(what_was_seen_is_counted),
		cmocka_unit_test(of_too_many_requests_the_oldest_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
