// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose a frame is: translated, sent again, read too late, or of one that there was no room for. */
#include "verdict_help.h"

static void a_service_becomes_a_pod(void **state)
{
	struct build b = syn(a_to_vip, 5, 1), d = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5);

	open_room(16);
	give(&b, POD_A, IN);
	give(&d, POD_B, OUT);
	give(&r, POD_B, IN);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].dst.b[3], 100);
	assert_int_equal(told[0].dport, 8080);
	assert_int_equal(told[0].to.b[3], 2);
	assert_int_equal(told[0].to_port, 80);
	assert_int_equal(told[0].from.b[3], 1);
	end(1);
	open_room(16);
	give(&b, POD_A, IN);
	give(&d, BRIDGE, IN);	/* a bridge translates before its own hook */
	drop(&d, POD_A, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	is_between(0, POD_A, 0);
	assert_int_equal(told[0].to.b[3], 2);
	end(1);
}

static void a_pod_becomes_its_node(void **state)
{
	struct way node = { 9, 2, 33000, 80, false }, both = { 9, 2, 33000, 80, false };
	struct build b = syn(a_to_b, 5, 1), s = syn(node, 5, 1), r = syn_ack(node, 5);

	open_room(16);
	give(&b, POD_A, IN);
	give(&s, UPLINK, OUT);
	give(&r, UPLINK, IN);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].from.b[3], 9);
	assert_int_equal(told[0].from_port, 33000);
	assert_int_equal(told[0].sport, 1000);
	end(1);
	/* Both ends at once: nothing tells that it is the same. */
	open_room(16);
	b = syn(a_to_vip, 5, 1);
	s = syn(both, 5, 1);
	give(&b, POD_A, IN);
	give(&s, UPLINK, OUT);
	end(2);
}

static void datagrams_are_translated_too(void **state)
{
	struct build q = udp(a_to_vip, "question", 7), d = udp(a_to_b, "question", 7), r = udp(back(a_to_b), "answer", 8);
	struct build u = udp(back(a_to_vip), "answer", 8);

	open_room(16);
	give(&q, POD_A, IN);
	give(&d, POD_B, OUT);
	give(&r, POD_B, IN);
	give(&u, POD_A, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].to_port, 80);
	/* All forms are known from then on. */
	give(&q, POD_A, IN);
	give(&d, POD_B, OUT);
	give(&r, POD_B, IN);
	give(&u, POD_A, OUT);
	end(1);
}

/* Scanners send the same packet to all: same port, number and mark. */
static void two_are_never_one(void **state)
{
	struct way w = a_to_b, x = a_to_b;
	struct build p, q, d;

	open_room(16);
	x.dst = 3;
	p = syn(w, 5, 1);
	q = syn(x, 5, 1);
	d = syn((struct way){ 1, 4, 1000, 80, false }, 5, 1);
	give(&p, POD_A, IN);
	give(&q, POD_A, IN);
	drop(&p, POD_A, &policy);
	give(&q, POD_B, OUT);
	give(&d, POD_B, OUT);	/* whose translation? */
	end(3);
	/* From two pods to one server. */
	open_room(16);
	x = w;
	x.src = 3;
	p = udp(w, "same", 0);
	q = udp(x, "same", 0);
	give(&p, POD_A, IN);
	give(&q, POD_B, IN);
	drop(&q, POD_B, &policy);
	give(&p, UPLINK, OUT);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	assert_int_equal(told[0].src.b[3], 3);
	later(5);
	is(1, VERDICT_ALLOWED, HOW_DELIVERED);
	end(2);
}

static void tries_again_and_gets_through(void **state)
{
	struct build a = syn(a_to_b, 5, 1), b = syn(a_to_b, 5, 2);

	open_room(16);
	give(&a, POD_A, IN);
	drop(&a, POD_A, &policy);
	now += 10 * MS;
	give(&b, POD_A, IN);
	give(&b, POD_B, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_DELIVERED);
	assert_int_equal(told[0].attempts, 2);
	assert_int_equal(told[0].drops, 1);
	assert_null(told[0].reason);
	end(1);
	/* Unanswered ones are counted while they wait; the same again, with another number, is another. */
	open_room(16);
	for (unsigned int i = 0; i < 3; i++) {
		a = syn(a_to_b, 5, 0);
		give(&a, POD_A, IN);
		now += 200 * MS;
	}
	a = syn(a_to_b, 6, 0);
	give(&a, POD_A, IN);
	later(1000);
	is(0, VERDICT_UNANSWERED, HOW_NONE);
	assert_int_equal(told[0].attempts, 3);
	assert_int_equal(told[1].attempts, 1);
	end(2);
}

/* After it was told: only what is more. */
static void is_told_again_when_it_gets_through(void **state)
{
	struct build a = syn(a_to_vip, 5, 1), d = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5);

	open_room(16);
	give(&a, POD_A, IN);
	drop(&d, POD_A, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	for (unsigned int i = 0; i < 3; i++) {
		later(1000);
		give(&a, POD_A, IN);
		drop(&d, POD_A, &policy);
	}
	later(1000);
	assert_int_equal(n_told, 1);
	give(&a, POD_A, IN);
	give(&d, POD_B, OUT);
	give(&r, POD_B, IN);
	later(50);
	is(1, VERDICT_ALLOWED, HOW_ANSWERED);
	/* And then it is old. */
	give(&a, POD_A, IN);
	give(&d, POD_B, OUT);
	end(2);
	/* Nothing, dropped, nothing. */
	open_room(16);
	give(&a, POD_A, IN);
	later(1000);
	is(0, VERDICT_UNANSWERED, HOW_NONE);
	give(&a, POD_A, IN);
	drop(&a, POD_A, &policy);
	later(50);
	is(1, VERDICT_DROPPED, HOW_NONE);
	give(&a, POD_A, IN);
	end(2);
}

static void an_answer_that_is_dropped_is_none(void **state)
{
	struct build a = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5), q = udp(a_to_b, "q", 1), u = udp(back(a_to_b), "a", 1);

	open_room(16);
	give(&a, POD_A, IN);
	give(&a, POD_B, OUT);
	give(&r, POD_B, IN);
	drop(&r, POD_B, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_ANSWERED);
	assert_string_equal(told_reason, "NETFILTER_DROP");
	assert_int_equal(told[0].drops, 0);
	give(&q, POD_A, IN);
	give(&q, POD_B, OUT);
	drop(&u, POD_B, &policy);
	later(50);
	is(1, VERDICT_DROPPED, HOW_ANSWERED);
	end(2);
	/* By whom it is for, or a copy of it. */
	open_room(16);
	give(&a, POD_A, IN);
	give(&r, POD_A, OUT);
	drop(&r, POD_A, &no_socket);
	drop(&r, POD_A, &others);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_null(told[0].reason);
	end(1);
}

static void datagrams_are_one_conversation(void **state)
{
	struct build q = udp(a_to_b, "one", 1), r = udp(back(a_to_b), "back", 1), s = udp(a_to_b, "two", 2);

	open_room(16);
	give(&q, POD_A, IN);
	give(&s, POD_A, IN);
	give(&q, POD_B, OUT);
	give(&s, POD_B, OUT);
	give(&r, POD_B, IN);
	later(100);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].attempts, 2);
	for (unsigned int i = 0; i < 5; i++) {
		later(20000);
		give(i % 2 ? &q : &r, POD_A, i % 2 ? IN : OUT);
	}
	assert_int_equal(counts().seen, 1);
	later(30001);
	give(&q, POD_A, IN);	/* after a silence, it is another */
	assert_int_equal(counts().seen, 2);
	end(2);
}

static void a_datagram_that_came_to_nothing_is_asked_again(void **state)
{
	struct build q = udp(a_to_b, "one", 1), r = udp(back(a_to_b), "late", 1);

	open_room(16);
	give(&q, POD_A, IN);
	drop(&q, POD_A, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	now += 100 * MS;
	give(&q, POD_A, IN);
	later(1000);
	is(1, VERDICT_UNANSWERED, HOW_NONE);
	give(&r, POD_A, OUT);	/* too late; it begins nothing */
	later(1000);
	end(2);
}

static void what_came_first_may_be_read_last(void **state)
{
	struct build b = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5), q = udp(a_to_b, "q", 1), u = udp(back(a_to_b), "a", 1);

	open_room(16);
	now += 100 * MS;
	give_at(&r, now - 1 * MS, POD_B, IN, NULL);
	give_at(&b, now - 2 * MS, POD_B, OUT, NULL);
	give_at(&b, now - 3 * MS, POD_A, IN, NULL);
	give_at(&u, now - 4 * MS, POD_B, IN, NULL);
	give_at(&q, now - 5 * MS, POD_A, IN, NULL);
	later(50);
	assert_int_equal(n_told, 2);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	is_between(0, POD_A, POD_B);
	assert_int_equal(told[0].first_ns, now - 53 * MS);
	is(1, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[1].src.b[3], 1);
	assert_int_equal(told[1].dport, 80);
	assert_int_equal(told[1].in_ifindex, POD_A);
	end(2);
	/* The drop before the packet that came in. */
	open_room(16);
	now += 100 * MS;
	give_at(&b, now - 1 * MS, POD_B, DIR_UNKNOWN, &policy);
	give_at(&b, now - 2 * MS, POD_A, IN, NULL);
	later(60);
	is(0, VERDICT_DROPPED, HOW_NONE);
	is_between(0, POD_A, 0);
	end(1);
}

static void when_there_is_no_room_the_oldest_goes(void **state)
{
	struct verdict_counts c;

	open_room(4);
	for (uint32_t i = 0; i < 10; i++) {
		struct build b = syn(a_to_vip, 100 + i, (uint16_t)i);

		give(&b, POD_A, IN);
		counts();
	}
	c = counts();
	assert_int_equal(c.seen, 10);
	assert_int_equal(c.evicted, 6);
	assert_int_equal(c.waiting, 4);
	/* What is left of one that had to go begins nothing, translated or not. */
	for (uint32_t i = 0; i < 3; i++) {
		struct build b = syn(i % 2 ? a_to_b : a_to_vip, 100 + i, (uint16_t)i);

		give(&b, POD_B, OUT);
	}
	later(1000);
	assert_int_equal(n_told, 4);
	end(10);
}

/* Half of them dropped, the others answered: as many verdicts, and the right ones. */
static uint32_t n_dropped, n_answered;

static int count_told(void *ctx, const struct verdict_conn *c)
{
	n_told++;
	n_dropped += c->what == VERDICT_DROPPED && c->sport % 2;
	n_answered += c->what == VERDICT_ALLOWED && c->how == HOW_ANSWERED && !(c->sport % 2);
	return 0;
}

static void ten_thousand_at_once(void **state)
{
	struct verdict_options o = { .room = 10000, .wait_ns = 1000 * MS, .grace_ns = 50 * MS, .tell = count_told };

	n_told = n_dropped = n_answered = 0;
	now = 1000000 * MS;
	assert_int_equal(verdict_open(&v, &o), 0);
	for (unsigned int step = 0; step < 3; step++) {
		for (uint32_t i = 0; i < 10000; i++) {
			struct way w = { 1, 2, (uint16_t)(2000 + i), 80, false };
			struct build b = syn(w, 7 * i, (uint16_t)i), r = syn_ack(w, 7 * i);

			now += 1000;
			if (i % 2)
				give_at(&b, now, POD_A, step ? DIR_UNKNOWN : IN, step == 2 ? &policy : NULL);
			else
				give_at(step == 2 ? &r : &b, now, step ? POD_B : POD_A, step == 1 ? OUT : IN, NULL);
		}
		assert_int_equal(counts().waiting, 10000);
	}
	later(1000);
	assert_int_equal(n_told, 10000);
	assert_int_equal(n_dropped, 5000);
	assert_int_equal(n_answered, 5000);
	assert_int_equal(counts().evicted, 0);
	end(10000);
}

static void a_clock_that_is_set_back_holds_nothing_up(void **state)
{
	struct build b = syn(a_to_b, 5, 1), c = syn(a_to_b, 6, 1);

	open_room(16);
	give(&b, POD_A, IN);
	now -= 100000 * MS;
	give(&c, POD_A, IN);
	assert_int_equal(n_told, 0);	/* one stamp may be wrong */
	c = syn(a_to_b, 7, 1);
	give(&c, POD_A, IN);
	later(1000);
	end(3);
}

static void one_wrong_stamp_holds_nothing_up(void **state)
{
	struct build b = syn(a_to_b, 5, 1), c = syn(a_to_b, 6, 1);

	open_room(16);
	give(&c, POD_B, IN);
	give_at(&b, now + 100000000 * MS, POD_A, IN, NULL);
	give(&c, POD_A, IN);
	later(1000);
	assert_int_equal(n_told, 2);
	end(2);
}

static void who_is_told_may_end_it(void **state)
{
	struct build b = syn(a_to_b, 5, 1), c = syn(a_to_b, 6, 1);

	open_room(16);
	give(&b, POD_A, IN);
	give(&c, POD_A, IN);
	ends_with = 1;
	now += 2000 * MS;
	assert_int_equal(verdict_tick(v, now), 1);
	assert_int_equal(counts().told, 1);
	assert_int_equal(verdict_tick(v, now), 1);
	ends_with = 0;
	end(2);
}

static void what_cannot_be_read_is_counted(void **state)
{
	struct build b = syn(a_to_b, 5, 1), arp = { .n = 0 };

	open_room(16);
	b.n = 40;
	give(&b, POD_A, IN);
	put_eth(&arp, ETHERTYPE_ARP);
	put_zeros(&arp, 28);
	give(&arp, POD_A, IN);
	assert_int_equal(counts().unread, 1);
	drop(&b, POD_A, &policy);
	assert_int_equal(counts().unread, 2);
	/* It may be another namespace's. */
	drop(&b, 0, &policy);
	assert_int_equal(counts().unread, 2);
	assert_int_equal(counts().stray, 1);
	end(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_becomes_a_pod),
		cmocka_unit_test(a_pod_becomes_its_node),
		cmocka_unit_test(datagrams_are_translated_too),
		cmocka_unit_test(two_are_never_one),
		cmocka_unit_test(tries_again_and_gets_through),
		cmocka_unit_test(is_told_again_when_it_gets_through),
		cmocka_unit_test(an_answer_that_is_dropped_is_none),
		cmocka_unit_test(datagrams_are_one_conversation),
		cmocka_unit_test(a_datagram_that_came_to_nothing_is_asked_again),
		cmocka_unit_test(what_came_first_may_be_read_last),
		cmocka_unit_test(when_there_is_no_room_the_oldest_goes),
		cmocka_unit_test(ten_thousand_at_once),
		cmocka_unit_test(a_clock_that_is_set_back_holds_nothing_up),
		cmocka_unit_test(one_wrong_stamp_holds_nothing_up),
		cmocka_unit_test(who_is_told_may_end_it),
		cmocka_unit_test(what_cannot_be_read_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
