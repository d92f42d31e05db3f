// SPDX-License-Identifier: GPL-2.0-or-later
/* A message of which only the first fragment came. */
#include "decode/firsts.h"

#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"
#include "decode_help.h"

#define QUERY "\0\7\1\0\0\1\0\0\0\0\0\0\1a\1b\0\0\x10\0\1"
#define ANSWER "\0\7\x81\x80\0\1\0\1\0\0\0\0\1a\1b\0\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\5\4text"

enum { ETHER = 14, IP = 20, FIRST = 32 };	/* bytes; FIRST: of the datagram, in its first fragment */

static void query(struct decode *d, struct lines *l, uint64_t time_ns)
{
	struct bytes data = { .n = 0 }, o = { .n = 0 };

	put(&data, QUERY, sizeof(QUERY) - 1);
	put_udp(&o, 1, 2, 4000, 53, &data);
	feed(d, l, &o, o.n, time_ns, 1);
}

/* The answer's first or second fragment, of a datagram with this id. */
static void piece(struct decode *d, struct lines *l, uint16_t id, bool first, uint64_t time_ns)
{
	struct bytes data = { .n = 0 }, o = { .n = 0 };
	uint32_t n;

	put(&data, ANSWER, sizeof(ANSWER) - 1);
	put_udp(&o, 2, 1, 53, 4000, &data);
	n = first ? FIRST : o.n - ETHER - IP - FIRST;
	if (!first)
		memmove(o.p + ETHER + IP, o.p + ETHER + IP + FIRST, n);
	o.n = ETHER + IP + n;
	o.p[ETHER + 3] = (uint8_t)(IP + n);
	o.p[ETHER + 4] = (uint8_t)(id >> 8);
	o.p[ETHER + 5] = (uint8_t)id;
	o.p[ETHER + 6] = first ? 0x20 : 0;
	o.p[ETHER + 7] = first ? 0 : FIRST / 8;
	feed(d, l, &o, o.n, time_ns, 2 + !first);
}

static void has(const struct lines *l, unsigned int i, const char *what)
{
	assert_true(i < l->n);
	if (!strstr(l->text[i], what))
		fail_msg("%s: no %s", l->text[i], what);
}

static void it_is_told_when_the_others_do_not_come(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	query(d, &l, SECOND);
	piece(d, &l, 7, true, SECOND + 50);
	piece(d, &l, 7, true, SECOND + 60);
	decode_tick(d, SECOND + FIRSTS_WAIT_NS, line_of, &l);
	assert_int_equal(l.n, 1);
	decode_tick(d, SECOND + 51 + FIRSTS_WAIT_NS, line_of, &l);
	assert_int_equal(l.n, 2);
	has(&l, 1, "dns action=response outcome=success duration=50 frame=2 sport=53 ");
	has(&l, 1, "id=7 opcode=QUERY rcode=NOERROR name=a.b qtype=TXT qclass=IN qd=1 an=1");
	assert_string_equal(l.last.malformed, "truncated");
	assert_int_equal(l.last.time_ns, SECOND + 50);
	decode_tick(d, 60 * SECOND, line_of, &l);	/* nobody says that there was no answer */
	decode_finish(d, line_of, &l);
	assert_int_equal(l.n, 2);
	decode_close(d);
}

static void the_whole_is_told_once(void **state)
{
	for (int second_first = 0; second_first < 2; second_first++) {
		struct decode *d = decoder(DECODE_MESSAGES);
		struct lines l = { .n = 0 };

		query(d, &l, SECOND);
		piece(d, &l, 7, !second_first, SECOND + 50);
		piece(d, &l, 7, second_first, SECOND + 80);
		assert_int_equal(l.n, 2);
		has(&l, 1, "duration=80 ");
		has(&l, 1, " [a.b TXT ");
		assert_false(record_has(&l.last, FIELD_MALFORMED));
		decode_tick(d, 60 * SECOND, line_of, &l);
		decode_finish(d, line_of, &l);
		assert_int_equal(l.n, 2);
		decode_close(d);
	}
}

static void what_was_told_is_not_told_again(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	query(d, &l, SECOND);
	piece(d, &l, 7, true, SECOND + 50);
	decode_tick(d, SECOND + 51 + FIRSTS_WAIT_NS, line_of, &l);
	assert_int_equal(l.n, 2);
	piece(d, &l, 7, false, 9 * SECOND);
	assert_int_equal(l.n, 2);
	query(d, &l, 10 * SECOND);
	piece(d, &l, 7, true, 10 * SECOND + 50);	/* the next datagram of that number */
	piece(d, &l, 7, false, 10 * SECOND + 60);
	assert_int_equal(l.n, 4);
	decode_finish(d, line_of, &l);
	assert_int_equal(l.n, 4);
	decode_close(d);
}

static void the_end_tells_it(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	piece(d, &l, 7, true, SECOND);
	query(d, &l, SECOND - 20);
	has(&l, 0, "action=query duration=20 ");
	decode_finish(d, line_of, &l);
	assert_int_equal(l.n, 2);
	has(&l, 1, "action=response");
	decode_close(d);
}

static void of_too_many_the_oldest_is_told(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	for (uint16_t i = 0; i < FIRSTS_MAX + 3; i++)
		piece(d, &l, i, true, SECOND + i);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.last.time_ns, SECOND + 2);
	l.n = 0;
	piece(d, &l, FIRSTS_MAX + 2, false, 2 * SECOND);
	assert_int_equal(l.n, 1);
	decode_close(d);
}

static void a_query_asked_again_waits_anew(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	query(d, &l, SECOND);
	piece(d, &l, 7, true, SECOND + 50);
	query(d, &l, 3 * SECOND);
	decode_tick(d, 8 * SECOND + 1, line_of, &l);
	assert_int_equal(l.n, 4);
	has(&l, 2, "action=response");
	has(&l, 3, "action=no_answer");
	assert_int_equal(l.last.time_ns, 3 * SECOND);
	decode_close(d);
}

static void where_frames_have_lines_its_own_tells_it(void **state)
{
	struct decode_options opt = { .mode = DECODE_LINES, .no_answer = true, .heads = true };
	struct decode *d = NULL;
	struct lines l = { .n = 0 };

	assert_int_equal(decode_open(&d, &opt), 0);
	query(d, &l, SECOND);
	assert_null(l.last.head);
	piece(d, &l, 7, true, SECOND + 50);
	assert_ptr_equal(l.set[1], &packet_dataset);
	assert_ptr_equal(l.last.head->set, &dns_dataset);
	assert_int_equal(dns_of(l.last.head)->answers_count, 1);
	decode_tick(d, 60 * SECOND, line_of, &l);
	decode_finish(d, line_of, &l);
	assert_int_equal(l.n, 2);
	decode_close(d);
}

/* A piece of an echo's datagram of 16 bytes. */
static void echo(struct decode *d, struct lines *l, uint8_t type, bool first, uint64_t time_ns)
{
	struct bytes o = { .n = 0 };

	put_ipv4(&o, type ? 1 : 2, type ? 2 : 1, 1, 8);
	put(&o, (uint8_t[]){ type, 0, 0, 0, 0, 5, 0, 6 }, 8);
	o.p[ETHER + 6] = first ? 0x20 : 0;
	o.p[ETHER + 7] = !first;
	feed(d, l, &o, o.n, time_ns, 1);
}

static void an_echo_is_told_whole_but_pairs_at_once(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	echo(d, &l, 8, true, SECOND - 9);	/* does not ask: the whole one does */
	echo(d, &l, 8, false, SECOND + 1);
	assert_int_equal(l.n, 1);
	echo(d, &l, 0, true, SECOND + 5);
	assert_int_equal(l.n, 1);
	echo(d, &l, 0, false, SECOND + 6);
	assert_int_equal(l.n, 2);
	assert_int_equal(icmp_of(&l.last)->type, 0);
	assert_int_equal(icmp_of(&l.last)->seq, 6);
	assert_int_equal(l.last.duration_ns, 5);
	echo(d, &l, 8, true, SECOND);
	decode_finish(d, line_of, &l);
	assert_int_equal(l.n, 2);
	decode_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_when_the_others_do_not_come),
		cmocka_unit_test(the_whole_is_told_once),
		cmocka_unit_test(what_was_told_is_not_told_again),
		cmocka_unit_test(the_end_tells_it),
		cmocka_unit_test(of_too_many_the_oldest_is_told),
		cmocka_unit_test(a_query_asked_again_waits_anew),
		cmocka_unit_test(where_frames_have_lines_its_own_tells_it),
		cmocka_unit_test(an_echo_is_told_whole_but_pairs_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
