// SPDX-License-Identifier: GPL-2.0-or-later
/* One conversation: who began, what was sent again, how long it took. */
#include "flow_help.h"

static struct flow f;

static void begin(bool by_a, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct flow_packet p = tcp(by_a, flags, seq, ack, 0);

	flow_begin(&f, &p);
}

static void next(bool by_a, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct flow_packet p = tcp(by_a, flags, seq, ack, len);

	flow_take(&f, &p);
}

static void handshake(void)
{
	begin(true, TCP_SYN, 100, 0);
	assert_int_equal(f.state, FLOW_SYN_SENT);
	at += 9 * MS;
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	assert_int_equal(f.state, FLOW_SYN_RECEIVED);
	next(true, TCP_ACK, 101, 501, 0);
	assert_int_equal(f.state, FLOW_ESTABLISHED);
}

static struct flow_side *side(bool of_a)
{
	return &f.side[of_a ? f.initiator : !f.initiator];
}

static void a_connection(void **state)
{
	handshake();
	assert_int_equal(flow_handshake_us(&f), 11000);
	assert_int_equal(side(false)->handshake_us, 10000);
	assert_int_equal(side(true)->handshake_us, 1000);
	assert_int_equal(flow_rtt_us(&f), 11000);
	assert_true(flow_is_settled(&f));
	next(true, TCP_ACK, 101, 501, 10);
	next(false, TCP_ACK, 501, 111, 0);
	next(true, TCP_FIN | TCP_ACK, 111, 501, 0);
	assert_int_equal(f.state, FLOW_CLOSING);
	next(false, TCP_FIN | TCP_ACK, 501, 112, 0);
	assert_int_equal(f.state, FLOW_CLOSED);
	next(true, TCP_ACK, 112, 502, 0);
	assert_int_equal(f.state, FLOW_CLOSED);
	assert_int_equal(side(true)->packets, 5);
	assert_int_equal(side(true)->bytes, 210);
	assert_int_equal(side(false)->packets, 3);
	assert_int_equal(side(true)->retransmissions + side(false)->retransmissions, 0);
	assert_int_equal(side(true)->tcp_flags, TCP_SYN | TCP_ACK | TCP_FIN);
}

static void who_began(void **state)
{
	begin(false, TCP_SYN | TCP_ACK, 500, 101);
	assert_int_equal(f.key.port[f.initiator], 1000);	/* who must have sent the SYN */
	begin(false, TCP_ACK, 500, 101);
	assert_int_equal(f.key.port[f.initiator], 80);		/* who knows? the first that was heard */
	begin(true, TCP_SYN, 100, 0);
	assert_int_equal(f.key.port[f.initiator], 1000);
}

static void sent_again(void **state)
{
	handshake();
	next(true, TCP_ACK, 101, 501, 100);
	next(true, TCP_ACK, 101, 501, 100);
	assert_int_equal(side(true)->retransmissions, 1);
	next(true, TCP_ACK, 301, 501, 100);	/* 201 to 300 passed over */
	next(true, TCP_ACK, 201, 501, 100);	/* one millisecond later: overtaken */
	assert_int_equal(side(true)->out_of_order, 1);
	assert_int_equal(side(true)->retransmissions, 1);
	next(true, TCP_ACK, 501, 501, 100);
	at += 200 * MS;
	next(true, TCP_ACK, 401, 501, 100);	/* two hundred: sent again */
	assert_int_equal(side(true)->out_of_order, 1);
	assert_int_equal(side(true)->retransmissions, 2);
	next(true, TCP_ACK, 600, 501, 1);	/* a keep-alive is neither */
	next(true, TCP_ACK, 600, 501, 0);
	assert_int_equal(side(true)->retransmissions, 2);
	next(false, TCP_RST, 501, 0, 0);
	assert_int_equal(side(false)->resets, 1);
	assert_int_equal(f.state, FLOW_RESET);
}

/* Quicker than a round trip, but the other end asked for it three times: it was sent again. */
static void asked_for(void **state)
{
	for (int times = 2; times <= 3; times++) {
		handshake();
		next(false, TCP_ACK, 501, 101, 100);
		next(false, TCP_ACK, 701, 101, 100);
		for (int i = 0; i < times; i++)
			next(true, TCP_ACK, 101, 601, 0);
		next(false, TCP_ACK, 601, 101, 100);
		assert_int_equal(side(false)->retransmissions, times == 3);
		assert_int_equal(side(false)->out_of_order, times == 2);
	}
}

/* Asked for it once, and had the time to answer that: half of what it took for the handshake. */
static void asked_for_long_ago(void **state)
{
	for (int asked = 0; asked <= 1; asked++) {
		handshake();
		next(true, TCP_ACK, 101, 501, 100);
		next(true, TCP_ACK, 301, 501, 100);
		for (int i = 0; i < asked; i++)
			next(false, TCP_ACK, 501, 201, 0);
		next(true, TCP_ACK, 201, 501, 100);
		assert_int_equal(side(true)->retransmissions, asked);
		assert_int_equal(side(true)->out_of_order, !asked);
	}
}

/* An end whose handshake took longer than its answers since: those tell how soon it can have heard. */
static void asked_for_since_then(void **state)
{
	for (int rounds = 0; rounds <= 60; rounds += 60) {
		handshake();	/* the responder answers in 10 ms, then in 1 ms */
		for (int i = 0; i < rounds; i++) {
			next(true, TCP_ACK, 101 + i, 501, 1);
			next(false, TCP_ACK, 501, 102 + i, 0);
		}
		next(false, TCP_ACK, 501, 101 + rounds, 100);
		next(false, TCP_ACK, 701, 101 + rounds, 100);
		next(true, TCP_ACK, 101 + rounds, 601, 0);
		next(false, TCP_ACK, 601, 101 + rounds, 100);
		assert_int_equal(side(false)->retransmissions, !!rounds);
		assert_int_equal(side(false)->out_of_order, !rounds);
	}
}

/* As tshark: from the last SYN to the first SYN+ACK to it, and from there to its acknowledgement. */
static void repeated_handshakes(void **state)
{
	begin(true, TCP_SYN, 100, 0);
	at += 999 * MS;
	next(true, TCP_SYN, 100, 0, 0);			/* the first one went unheard */
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	at += 9 * MS;
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	next(true, TCP_ACK, 101, 501, 0);
	assert_int_equal(side(false)->handshake_us, 1000);
	assert_int_equal(side(true)->handshake_us, 11000);
	assert_int_equal(flow_handshake_us(&f), 12000);
	/* The SYN+ACK went unheard: what counts begins with the next SYN. */
	begin(true, TCP_SYN, 100, 0);
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	at += 999 * MS;
	next(true, TCP_SYN, 100, 0, 0);
	assert_int_equal(f.state, FLOW_SYN_SENT);
	at += MS;
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	next(true, TCP_ACK, 101, 501, 0);
	assert_int_equal(side(false)->handshake_us, 2000);
	assert_int_equal(side(true)->handshake_us, 1000);
	assert_int_equal(f.state, FLOW_ESTABLISHED);
	/* The beginning was not seen: half of it is known. */
	begin(false, TCP_SYN | TCP_ACK, 500, 101);
	next(true, TCP_ACK, 101, 501, 0);
	assert_int_equal(side(true)->handshake_us, 1000);
	assert_int_equal(flow_handshake_us(&f), 0);
	/* In the middle: no state of its beginning. */
	begin(true, TCP_ACK, 100, 500);
	assert_int_equal(f.state, FLOW_ONE_WAY);
	next(false, TCP_ACK, 500, 100, 0);
	assert_int_equal(f.state, FLOW_ESTABLISHED);
}

/* Acknowledgements that were put together: asked for once, with much behind it. */
static void asked_for_at_once(void **state)
{
	for (uint32_t behind = 2; behind <= 3; behind++) {
		handshake();
		next(false, TCP_ACK, 501, 101, 100);
		for (uint32_t i = 0; i < behind; i++)
			next(false, TCP_ACK, 701 + 100 * i, 101, 100);
		next(true, TCP_ACK, 101, 601, 0);
		next(false, TCP_ACK, 601, 101, 100);
		assert_int_equal(side(false)->retransmissions, behind == 3);
		assert_int_equal(side(false)->out_of_order, behind == 2);
	}
}

/* Times wrap after 2^32 microseconds: what came that late is no round trip, nor a segment that was overtaken. */
static void times_that_wrap(void **state)
{
	begin(true, TCP_SYN, 100, 0);
	at += 4294967296000ull + 19 * MS;
	next(false, TCP_SYN | TCP_ACK, 500, 101, 0);
	at += 4294967296000ull + 19 * MS;
	next(true, TCP_ACK, 101, 501, 0);
	assert_int_equal(flow_handshake_us(&f), 0);
	assert_int_equal(flow_rtt_us(&f), 0);
	assert_int_equal(f.state, FLOW_ESTABLISHED);
	next(true, TCP_ACK, 201, 501, 10);
	at += 3000000 * MS;
	next(true, TCP_ACK, 101, 501, 100);
	assert_int_equal(side(true)->retransmissions, 1);
	assert_int_equal(side(true)->out_of_order, 0);
	/* Likewise when there was no long silence. */
	handshake();
	next(true, TCP_ACK, 101, 501, 10);
	for (int i = 0; i < 4295 / 50; i++) {
		at += 50000 * MS;
		next(true, TCP_ACK, 111, 501, 0);
	}
	at += 4294967296000ull % (50000 * MS);
	next(false, TCP_ACK, 501, 111, 0);
	assert_int_equal(side(true)->rtt8_us, 10000 * 8);
}

/* Two queues of a card: what is stamped a little earlier came at once, not an hour later. */
static void stamps_that_go_back(void **state)
{
	handshake();
	next(true, TCP_ACK, 301, 501, 100);
	at -= 2 * MS;
	next(true, TCP_ACK, 201, 501, 100);
	assert_int_equal(side(true)->out_of_order, 1);
	assert_int_equal(side(true)->retransmissions, 0);
	/* A flow that turns out to have begun earlier: what lies between two of its packets stays. */
	begin(true, TCP_SYN, 100, 0);
	next(true, TCP_ACK, 101, 501, 100);
	at -= 500 * MS;
	next(true, TCP_ACK, 101, 501, 0);
	at += 500 * MS;
	next(false, TCP_ACK, 501, 201, 0);
	assert_int_equal(side(true)->rtt8_us, 3000 * 8);
}

static void around_zero(void **state)
{
	begin(true, TCP_SYN, UINT32_MAX, 0);
	next(false, TCP_SYN | TCP_ACK, 500, 0, 0);
	next(true, TCP_ACK, 0, 501, 10);
	next(true, TCP_ACK, 10, 501, 10);
	assert_int_equal(side(true)->retransmissions + side(true)->out_of_order, 0);
	next(true, TCP_ACK, 0, 501, 10);
	assert_int_equal(side(true)->retransmissions, 1);
}

static void closed_windows(void **state)
{
	struct flow_packet p;

	handshake();
	for (int i = 0; i < 6; i++) {
		p = tcp(false, TCP_ACK, 501, 101, 0);
		p.tcp_window = i % 3 ? 0 : 10;
		flow_take(&f, &p);
	}
	assert_int_equal(side(false)->zero_windows, 2);
}

static void scans_settle_nothing(void **state)
{
	begin(true, TCP_SYN, 100, 0);
	next(false, TCP_RST | TCP_ACK, 0, 101, 0);
	assert_int_equal(f.state, FLOW_RESET);
	assert_false(flow_is_settled(&f));
	begin(true, TCP_SYN, 100, 0);
	for (int i = 0; i < 100; i++)
		next(true, TCP_SYN, 100, 0, 0);
	assert_false(flow_is_settled(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection),
		cmocka_unit_test(who_began),
		cmocka_unit_test(sent_again),
		cmocka_unit_test(asked_for),
		cmocka_unit_test(asked_for_at_once),
		cmocka_unit_test(asked_for_long_ago),
		cmocka_unit_test(asked_for_since_then),
		cmocka_unit_test(times_that_wrap),
		cmocka_unit_test(repeated_handshakes),
		cmocka_unit_test(stamps_that_go_back),
		cmocka_unit_test(around_zero),
		cmocka_unit_test(closed_windows),
		cmocka_unit_test(scans_settle_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
