// SPDX-License-Identifier: GPL-2.0-or-later
/* Which response is whose, whatever stamps say and in whatever order they come. */
#include "decode/conv/pairs.h"

#include "decode/kafka/fields.h"
#include "decode/conv/requests.h"
#include "decode_help.h"

#define HEAD(flags, an) "\0\7" flags "\0\1\0" an "\0\0\0\0"
#define IN_A "\0\1\0\1"
#define QUERY_AB HEAD("\1\0", "\0") "\1a\1b\0" IN_A
#define QUERY_CD HEAD("\1\0", "\0") "\1c\1d\0" IN_A
#define ANSWER_AB HEAD("\x81\x80", "\0") "\1A\1b\0" IN_A
#define ANSWER_CD HEAD("\x81\x80", "\0") "\1c\1D\0" IN_A
#define ANSWER_AAAA HEAD("\x81\x80", "\0") "\1a\1b\0\0\x1c\0\1"
#define REFUSED "\0\7\x81\x81\0\0\0\0\0\0\0\0"

static void give(struct decode *d, struct lines *l, const char *p, uint32_t n, uint64_t time_ns)
{
	bool back = p[2] & 0x80;
	struct bytes data = { .n = 0 }, o = { .n = 0 };

	put(&data, p, n);
	put_udp(&o, back ? 2 : 1, back ? 1 : 2, back ? 53 : 4000, back ? 4000 : 53, &data);
	feed(d, l, &o, o.n, time_ns, l->n + 1);
}

#define GIVE(literal, time_ns) give(d, &l, literal, sizeof(literal) - 1, time_ns)

static void takes(const struct lines *l, const char *what)
{
	const char *at = strstr(l->text[l->n - 1], " duration=");

	assert_non_null(strstr(l->text[l->n - 1], what));
	if (strstr(what, "duration") || !at)
		return;
	fail_msg("%s has a duration", l->text[l->n - 1]);
}

static void end(struct decode *d, struct lines *l, unsigned int records)
{
	decode_finish(d, line_of, l);
	assert_int_equal(l->n, records);
	decode_close(d);
}

static void a_response_that_comes_first_is_its_querys(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(ANSWER_AB, SECOND + 10000);
	takes(&l, "response");
	GIVE(QUERY_AB, SECOND);
	takes(&l, "action=query duration=10000 ");
	GIVE(QUERY_CD, SECOND);			/* by its stamp it was answered before it was asked */
	GIVE(ANSWER_CD, SECOND - 5);
	takes(&l, "response");
	GIVE(REFUSED, 60 * SECOND);
	GIVE(REFUSED, 61 * SECOND);
	end(d, &l, 6);
}

static void a_response_waits_for_a_moment_only(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(ANSWER_AB, SECOND);
	GIVE(QUERY_AB, 2 * SECOND + 1);
	takes(&l, "query");
	assert_int_equal(decode_tick(d, 7 * SECOND + 2, line_of, &l), 0);
	takes(&l, "no_answer");
	end(d, &l, 3);
}

static void as_many_queries_as_responses_came_first(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(ANSWER_AB, SECOND);
	GIVE(ANSWER_AB, SECOND + 1);
	GIVE(QUERY_AB, SECOND);
	GIVE(QUERY_AB, SECOND);
	GIVE(QUERY_AB, SECOND + 2);
	assert_int_equal(decode_tick(d, 6 * SECOND + 3, line_of, &l), 0);
	takes(&l, "no_answer");
	assert_int_equal(l.last.time_ns, SECOND + 2);
	end(d, &l, 6);
}

static void the_question_counts_but_not_its_case(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(QUERY_AB, SECOND);
	GIVE(QUERY_CD, SECOND + 100);
	GIVE(ANSWER_AAAA, SECOND + 200);
	takes(&l, "response");
	GIVE(REFUSED, SECOND + 200);		/* whose? */
	takes(&l, "response");
	GIVE(ANSWER_CD, SECOND + 300);
	takes(&l, "duration=200 ");
	GIVE(REFUSED, SECOND + 400);
	takes(&l, "duration=400 ");
	GIVE(ANSWER_AB, SECOND + 500);
	takes(&l, "response");
	end(d, &l, 7);
}

static void each_of_two_questions_is_missed(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(QUERY_AB, SECOND);
	GIVE(QUERY_CD, SECOND);
	decode_tick(d, 6 * SECOND + 1, line_of, &l);
	assert_non_null(strstr(l.text[2], "action=no_answer"));
	assert_non_null(strstr(l.text[2], "name=a.b"));
	assert_non_null(strstr(l.text[3], "name=c.d"));
	end(d, &l, 4);
}

static void time_that_was_ahead_does_not_stay_so(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(QUERY_CD, 5000 * SECOND);
	GIVE(ANSWER_CD, 5000 * SECOND + 1);
	GIVE(QUERY_AB, 1000 * SECOND);
	decode_tick(d, 1004 * SECOND, line_of, &l);
	GIVE(ANSWER_AB, 1004 * SECOND);
	takes(&l, "duration=4000000000 ");
	GIVE(QUERY_AB, 1004 * SECOND);		/* and waiting goes on from there */
	decode_tick(d, 1009 * SECOND, line_of, &l);
	assert_int_equal(l.n, 5);
	decode_tick(d, 1009 * SECOND + 1, line_of, &l);
	takes(&l, "no_answer");
	end(d, &l, 6);
}

static void one_stamp_astray_ends_no_waiting(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(QUERY_AB, 1000 * SECOND);
	GIVE(QUERY_CD, 5000 * SECOND);
	GIVE(ANSWER_AB, 1000 * SECOND + 7);
	takes(&l, "duration=7 ");
	decode_tick(d, 1005 * SECOND + 1, line_of, &l);
	takes(&l, "no_answer");			/* c.d, heard of when it was 1000 s */
	end(d, &l, 4);
}

static void a_stamp_far_ahead_counts_when_the_next_is_there(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	GIVE(QUERY_AB, 1000 * SECOND);
	GIVE(QUERY_CD, 5000 * SECOND);
	assert_int_equal(l.n, 2);
	GIVE(ANSWER_CD, 5000 * SECOND + 7000000);
	assert_non_null(strstr(l.text[2], "action=no_answer"));
	assert_non_null(strstr(l.text[2], "name=a.b"));
	takes(&l, "duration=7000000 ");
	GIVE(QUERY_AB, 5000 * SECOND + 8000000);
	GIVE(QUERY_CD, 9000 * SECOND);
	end(d, &l, 7);				/* the end is certain, too */
}

static void give_echo(struct decode *d, struct lines *l, bool reply, uint64_t time_ns)
{
	struct bytes o = { .n = 0 };

	put_ipv4(&o, reply ? 2 : 1, reply ? 1 : 2, 1, 8);
	put(&o, reply ? "\0\0\0\0\0\1\0\2" : "\10\0\0\0\0\1\0\2", 8);
	feed(d, l, &o, o.n, time_ns, l->n + 1);
}

static void an_echo_reply_may_come_first(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give_echo(d, &l, true, SECOND + 9);
	assert_false(record_has(&l.last, FIELD_DURATION));
	give_echo(d, &l, false, SECOND);
	assert_int_equal(l.last.duration_ns, 9);
	give_echo(d, &l, false, SECOND + 10);
	assert_false(record_has(&l.last, FIELD_DURATION));
	give_echo(d, &l, true, SECOND + 20);
	assert_int_equal(l.last.duration_ns, 10);
	end(d, &l, 4);
}

static void a_second_answer_to_what_was_asked_twice_is_not_early(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give_echo(d, &l, false, SECOND);
	give_echo(d, &l, false, SECOND + 1);
	give_echo(d, &l, true, SECOND + 10);
	give_echo(d, &l, true, SECOND + 11);
	give_echo(d, &l, false, SECOND + 20);
	assert_false(record_has(&l.last, FIELD_DURATION));
	give_echo(d, &l, true, SECOND + 27);
	assert_int_equal(l.last.duration_ns, 7);
	end(d, &l, 6);
}

static void requests_of_any_protocol_may_come_late(void **state)
{
	struct decode_options opt = { .no_answer = true };
	struct request_key k = REQUEST_KEY(&kafka_dataset, 1, 2);
	struct lines l = { .n = 0 };
	struct emit e = { .fn = line_of, .ctx = &l, .kinds = UINT32_MAX };
	struct record response, request;
	struct requests *q;

	record_start(&response, &kafka_dataset);
	record_start(&request, &kafka_dataset);
	response.time_ns = SECOND + 3;
	request.time_ns = SECOND;
	assert_int_equal(requests_open(&q, &opt, NULL), 0);
	assert_false(requests_answer(q, &k, &response));
	assert_true(requests_ask(q, &k, &request));
	assert_int_equal(request.duration_ns, 3);
	assert_false(requests_ask(q, &k, &request));
	requests_tick(q, 5000 * SECOND, &e);	/* the clock is set forth, and back */
	response.time_ns = 2 * SECOND;
	requests_tick(q, 2 * SECOND, &e);
	assert_true(requests_answer(q, &k, &response));
	assert_int_equal(l.n, 0);
	requests_close(q);
}

static void of_requests_that_differ_in_the_question_some_are_kept(void **state)
{
	struct request_key k;
	struct pairs *p;
	uint64_t asked_ns;

	memset(&k, 0, sizeof(k));
	assert_int_equal(pairs_open(&p, 64, 4, 1), 0);
	for (k.what = 1; k.what <= 40; k.what++)
		assert_non_null(pairs_put(p, &k, k.what, 5));
	assert_int_equal(pairs_count(p), PAIRS_SAME_MAX);
	assert_int_equal(pairs_evicted(p), 40 - PAIRS_SAME_MAX);
	k.what = 40 - PAIRS_SAME_MAX;
	assert_null(pairs_take(p, &k, &asked_ns));
	k.what++;
	assert_non_null(pairs_take(p, &k, &asked_ns));
	assert_int_equal(asked_ns, k.what);
	for (uint32_t i = 0; i < 10 * PAIRS_EARLY_MAX; i++) {
		k.id = (uint16_t)(1 + i);
		pairs_early(p, &k, 50);
	}
	assert_true(pairs_was_early(p, &k, 50, &asked_ns));
	assert_false(pairs_was_early(p, &k, 50, &asked_ns));
	k.id = 1;
	assert_false(pairs_was_early(p, &k, 50, &asked_ns));
	assert_int_equal(pairs_evicted(p), 40 - PAIRS_SAME_MAX);
	pairs_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_that_comes_first_is_its_querys),
		cmocka_unit_test(a_response_waits_for_a_moment_only),
		cmocka_unit_test(as_many_queries_as_responses_came_first),
		cmocka_unit_test(the_question_counts_but_not_its_case),
		cmocka_unit_test(each_of_two_questions_is_missed),
		cmocka_unit_test(time_that_was_ahead_does_not_stay_so),
		cmocka_unit_test(one_stamp_astray_ends_no_waiting),
		cmocka_unit_test(a_stamp_far_ahead_counts_when_the_next_is_there),
		cmocka_unit_test(an_echo_reply_may_come_first),
		cmocka_unit_test(a_second_answer_to_what_was_asked_twice_is_not_early),
		cmocka_unit_test(requests_of_any_protocol_may_come_late),
		cmocka_unit_test(of_requests_that_differ_in_the_question_some_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
