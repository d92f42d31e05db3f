// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream_help.h"

static uint32_t consume_with_state(void *ctx, const struct stream_data *d)
{
	uint8_t *state = d->conn->state;

	if (!state) {
		state = d->conn->state = stream_alloc(d->conn, STATE_SIZE);
		assert_non_null(state);
		open_states++;
	}
	assert_int_equal(state[0], state[STATE_SIZE - 1]);
	state[0]++;
	state[STATE_SIZE - 1]++;
	return consume(ctx, d);
}

static void bytes_in_order_come_at_once(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 100, "abc");
	data(w, 103, "def");
	assert_got(w, "abcdef");
	assert_int_equal(stream_memory(w->t), 0);
}

static void segments_out_of_order_are_put_in_order(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 106, "ghi");
	data(w, 103, "def");
	assert_int_equal(w->sink.n, 0);
	data(w, 100, "abc");
	assert_got(w, "abcdefghi");
	assert_int_equal(stream_memory(w->t), 0);
}

static void retransmissions_are_not_repeated(void **state)
{
	struct wire *w = *state;

	data(w, 100, "abc");
	data(w, 100, "abc");
	data(w, 101, "bcde");
	data(w, 99, "xab");
	assert_got(w, "abcde");
}

static void of_overlapping_bytes_the_first_stay(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 102, "CD");
	data(w, 101, "xxxx");
	data(w, 100, "yyyyyyy");
	assert_got(w, "yxCDxyy");
}

static void sequence_numbers_wrap(void **state)
{
	struct wire *w = *state;

	segment(w, false, 0xfffffffdu, SYN, NULL, 0, 0);
	data(w, 0, "cd");
	data(w, 0xfffffffeu, "ab");
	data(w, 2, "ef");
	assert_got(w, "abcdef");
}

static void what_is_left_is_shown_again_with_what_follows(void **state)
{
	struct wire *w = *state;

	w->sink.message = 4;
	data(w, 100, "abcdef");
	assert_got(w, "abcd");
	data(w, 106, "g");
	assert_got(w, "abcd");
	data(w, 107, "hijkl");
	assert_got(w, "abcdefghijkl");
}

static void a_hole_is_passed_over_once_it_is_acknowledged(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 100, "abc");
	data(w, 110, "xyz");
	assert_got(w, "abc");
	w->frame.time_ns += SECOND;
	w->ack = 113;
	segment(w, true, 500, ACK, NULL, 0, 0);
	data(w, 113, "!");
	assert_got(w, "abcxyz!");
	assert_int_equal(w->sink.missing, 7);
}

/* Queues of a card hand frames over a little out of order: what was stamped earlier is not ages later. */
static void an_acknowledgement_stamped_before_the_hole_does_not_end_it(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 105, "fgh");
	w->frame.time_ns -= 1001000;
	w->ack = 108;
	segment(w, true, 500, ACK, NULL, 0, 0);
	data(w, 100, "abcde");
	assert_got(w, "abcdefgh");
	assert_int_equal(w->sink.missing, 0);
}

/* One stamp of next year does not keep a hole open for so long. */
static void a_hole_that_began_ahead_of_its_time_ends(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	w->frame.time_ns += 86400 * SECOND;
	data(w, 105, "fgh");
	w->frame.time_ns -= 86400 * SECOND;
	w->ack = 108;
	segment(w, true, 500, ACK, NULL, 0, 0);
	w->frame.time_ns += SECOND;
	segment(w, true, 500, ACK, NULL, 0, 0);
	data(w, 108, "!");
	assert_got(w, "fgh!");
	assert_int_equal(w->sink.missing, 5);
}

static void a_hole_is_passed_over_when_too_much_waits_behind_it(void **state)
{
	struct wire *w = *state;
	char block[1024];

	memset(block, 'b', sizeof(block));
	segment(w, false, 99, SYN, NULL, 0, 0);
	for (uint32_t i = 0; i < 70; i++)
		segment(w, false, 110 + i * 1024, ACK, block, 1024, 1024);
	assert_int_equal(w->sink.n, 70 * 1024);
	assert_int_equal(w->sink.missing, 10);
}

static void a_syn_with_another_number_starts_anew(void **state)
{
	struct wire *w = *state;

	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 100, "abc");
	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 103, "def");
	segment(w, false, 70, SYN, NULL, 0, 0);
	data(w, 71, "ghi");
	assert_got(w, "abcdefghi");
}

static void after_the_end_nothing_is_repeated(void **state)
{
	struct wire *w = *state;

	data(w, 100, "abc");
	segment(w, false, 103, FIN | ACK, NULL, 0, 0);
	segment(w, true, 500, FIN | ACK, NULL, 0, 0);
	data(w, 100, "abc");
	data(w, 103, "zzz");
	assert_got(w, "abczzz");	/* beyond the end: another connection */
}

static void only_an_exact_reset_ends(void **state)
{
	struct wire *w = *state;

	data(w, 100, "abc");
	segment(w, false, 200, RST, NULL, 0, 0);
	data(w, 103, "def");
	segment(w, false, 106, RST, NULL, 0, 0);
	data(w, 100, "abc");
	assert_got(w, "abcdef");
}

static void a_segment_cut_at_the_snap_length_is_told(void **state)
{
	struct wire *w = *state;

	segment(w, false, 100, ACK, "abc", 3, 10);
	assert_true(w->sink.cut);
	assert_int_equal(w->sink.missing, 7);
	data(w, 110, "def");
	assert_got(w, "abcdef");
}

static void more_may_be_taken_than_there_is(void **state)
{
	struct wire *w = *state;

	w->sink.pass = 5;
	data(w, 100, "abc");
	data(w, 103, "....");
	data(w, 107, ".def");
	assert_got(w, "abcdef");
}

static void shuffled_and_overlapping_segments_give_the_same_bytes(void **state)
{
	struct wire *w = *state;
	static uint8_t text[200000];
	uint32_t at = 0;

	srandom(4);
	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)random();
	w->sink.message = 7;
	segment(w, false, 0xfffff000u - 1, SYN, NULL, 0, 0);
	while (w->sink.n + 6 <
	       sizeof(text)) { /* anywhere in a window over what is missing, until all is there */
		uint32_t off, n = 1 + (uint32_t)random() % 1400;

		at = w->sink.n;
		off = at + (uint32_t)random() % 20000;
		off = random() % 8 ? off : at > 100 ? at - 100 : 0;
		off = random() % 16 ? off : at;
		if (off >= sizeof(text))
			off = at;
		n = off + n > sizeof(text) ? (uint32_t)sizeof(text) - off : n;
		segment(w, false, 0xfffff000u + off, ACK, text + off, n, n);
	}
	assert_int_equal(w->sink.missing, 0);
	assert_memory_equal(w->sink.p, text, w->sink.n);
}

/* Seconds for n bytes in segments of one byte; backwards: from the last of each block to its first. */
static double one_byte_segments(struct wire *w, uint32_t n, bool backwards)
{
	double start = cpu_seconds();

	w->sink.message = 65000;
	w->sink.n = 0;
	segment(w, false, 99 + n, SYN, NULL, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = backwards ? i / 60000 * 60000 + 59999 - i % 60000 : i;

		segment(w, false, 100 + n + at, ACK, "x", 1, 1);
	}
	return cpu_seconds() - start;
}

static void segments_of_one_byte_take_linear_time(void **state)
{
	for (int backwards = 0; backwards < 2; backwards++) {
		double best = 1e9;

		for (int i = 0; i < 5; i++) {
			double one = one_byte_segments(*state, 120000, backwards);
			double two = one_byte_segments(*state, 240000, backwards);

			best = two / one < best ? two / one : best;
		}
		assert_true(best < 2.4);
	}
}

static void memory_is_bounded_and_the_longest_silent_go_first(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;
	static const uint8_t block[1400];

	for (uint32_t i = 0; i < 100000; i++) {
		struct packet pk = { .frame = &w->frame, .has_tcp = true, .tcp_flags = ACK, .tcp_seq = 100,
				     .payload = block, .payload_cap = 1, .payload_len = 1 };

		pk.ip = (struct ip_layer){
			.src = { 4, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } },
			.dst = { 4, { 11, 0, 0, 1 } },
			.sport = 1,
			.dport = 53,
			.proto = 6,
			.version = 4
		};
		stream_packet(w->t, &pk, consume, &w->sink);
		pk.tcp_seq = 60000;		/* a hole before it */
		pk.payload_cap = pk.payload_len = sizeof(block);
		stream_packet(w->t, &pk, consume, &w->sink);
		w->sink.n = 0;
		assert_true(stream_memory(w->t) <= STREAM_MEMORY);
	}
	stream_counts(w->t, &c);
	assert_true(c.evicted + c.memory > 90000);
	data(w, 100, "abc");
	assert_got(w, "abc");
}

static struct packet from(struct wire *w, uint32_t i, uint8_t flags, const char *text)
{
	struct packet pk = { .frame = &w->frame, .has_tcp = true, .tcp_flags = flags, .tcp_seq = 100,
			     .payload = (const uint8_t *)text };

	pk.payload_cap = pk.payload_len = (uint32_t)strlen(text);
	pk.ip = (struct ip_layer){ .src = { 4, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } },
				   .dst = { 4, { 11, 0, 0, 1 } },
				   .sport = 1, .dport = 53, .proto = 6, .version = 4 };
	return pk;
}

/* What is held is charged, not what lies before it. */
static void a_segment_far_behind_a_hole_costs_little(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;
	struct packet pk;

	w->sink.message = 8;
	for (uint32_t i = 0; i < 5000; i++) {
		pk = from(w, i, ACK, "abcd");
		stream_packet(w->t, &pk, consume, &w->sink);
		pk.tcp_seq += 60000;
		stream_packet(w->t, &pk, consume, &w->sink);
	}
	stream_counts(w->t, &c);
	assert_int_equal(c.memory + c.evicted, 0);
	pk = from(w, 0, ACK, "efgh");
	pk.tcp_seq += 4;
	stream_packet(w->t, &pk, consume, &w->sink);
	assert_got(w, "abcdefgh");
}

/* Seconds for bare acknowledgments of what came before a hole, or of a connection without one. */
static double acknowledgments(struct wire *w, bool hole)
{
	double start;

	segment(w, false, 99, SYN, NULL, 0, 0);
	segment(w, false, 77, SYN, NULL, 0, 0);
	data(w, 78, "abc");
	if (hole)
		data(w, 78 + 65000, "x");
	w->ack = 81;
	w->frame.time_ns += SECOND;
	start = cpu_seconds();
	for (int i = 0; i < 100000; i++)
		segment(w, true, 500, ACK, NULL, 0, 0);
	return cpu_seconds() - start;
}

static void a_hole_is_not_searched_at_each_acknowledgment(void **state)
{
	double best = 1e9;

	for (int i = 0; i < 7; i++) {
		double clean = acknowledgments(*state, false), ratio = acknowledgments(*state, true) / clean;

		best = ratio < best ? ratio : best;
	}
	assert_true(best < 2);
}

/* Chunks that are used and given back in every order, and numbers that wrap. */
static void what_is_held_apart_is_counted_to_the_byte(void **state)
{
	static uint8_t text[65536];
	struct wire *w = *state;
	uint32_t isn = 0xffff8000u;

	srandom(9);
	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)random();
	for (int round = 0; round < 40; round++, isn += 0x3000001) {
		segment(w, false, isn, SYN, NULL, 0, 0);
		assert_int_equal(stream_memory(w->t), 0);
		w->sink.n = w->sink.missing = 0;
		for (int i = 0; i < 300; i++) {
			uint32_t off = 1 + (uint32_t)random() % 65535, n = 1 + (uint32_t)random() % (i % 2 ? 3 : 3000);

			n = n < sizeof(text) - off ? n : (uint32_t)sizeof(text) - off;
			segment(w, false, isn + 1 + off, ACK, text + off, n, n);
			assert_true(stream_memory(w->t) < 150000);
		}
		for (uint32_t off = 0; off < sizeof(text); off += 512)
			segment(w, false, isn + 1 + off, ACK, text + off, 512, 512);
		assert_int_equal(w->sink.n, sizeof(text));
		assert_memory_equal(w->sink.p, text, sizeof(text));
		assert_int_equal(w->sink.missing, 0);
		assert_int_equal(stream_memory(w->t), 0);
	}
}

static void bytes_that_were_sent_twice_are_compared(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;

	segment(w, false, 99, SYN, NULL, 0, 0);
	w->sink.message = 9;
	data(w, 103, "def");
	data(w, 103, "def");
	data(w, 100, "abcd");
	data(w, 100, "abc");
	stream_counts(w->t, &c);
	assert_int_equal(c.conflicts, 0);
	data(w, 101, "bcX");		/* of those in order */
	data(w, 108, "i");
	data(w, 106, "ghZ");		/* of those behind a hole */
	assert_got(w, "abcdefghi");
	stream_counts(w->t, &c);
	assert_int_equal(c.conflicts, 2);
}

static void state_ends_with_its_connection(void **state)
{
	struct wire *w = *state;
	struct packet pk = from(w, 1, ACK, "abc"), syn = from(w, 1, SYN, ""), rst = from(w, 1, RST, "");

	stream_packet(w->t, &pk, consume_with_state, &w->sink);
	assert_int_equal(open_states, 1);
	assert_int_equal(stream_memory(w->t), STATE_SIZE);
	syn.tcp_seq = 77777;		/* the same ends begin anew */
	stream_packet(w->t, &syn, consume_with_state, &w->sink);
	assert_int_equal(open_states, 0);
	pk.tcp_seq = 77778;
	stream_packet(w->t, &pk, consume_with_state, &w->sink);
	assert_int_equal(open_states, 1);
	rst.tcp_seq = 77781;
	stream_packet(w->t, &rst, consume_with_state, &w->sink);
	assert_int_equal(open_states, 0);
	assert_int_equal(stream_memory(w->t), 0);
}

static void state_counts_as_memory(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;

	for (uint32_t i = 0; i < 12000; i++) {
		struct packet pk = from(w, i, ACK, "abc");

		w->sink.n = 0;
		stream_packet(w->t, &pk, consume_with_state, &w->sink);
		assert_true(stream_memory(w->t) <= STREAM_MEMORY);
	}
	stream_counts(w->t, &c);
	assert_int_equal(c.memory, 12000 - STREAM_MEMORY / STATE_SIZE);
	assert_int_equal(open_states, STREAM_MEMORY / STATE_SIZE);
}

static void much_may_be_passed_over(void **state)
{
	static const uint8_t block[60000];
	struct wire *w = *state;
	struct stream_counts c;
	uint32_t seq = 100;

	segment(w, false, 99, SYN, NULL, 0, 0);
	w->sink.pass = 5000000;
	data(w, seq, "head");
	for (seq += 4; seq < 5000104; seq += 50000) {
		w->frame.time_ns += 20 * SECOND;
		segment(w, false, seq, ACK, block, 50000, 50000);
	}
	data(w, seq, "tail");
	assert_got(w, "headtail");
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 0);
}

static void those_that_never_spoke_are_counted_apart(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;

	for (uint32_t i = 0; i < STREAM_CONNECTIONS + 100; i++) {
		struct packet pk = from(w, i, SYN, "");

		stream_packet(w->t, &pk, consume, &w->sink);
	}
	stream_counts(w->t, &c);
	assert_int_equal(c.half_open, 100);
	assert_int_equal(c.evicted + c.memory, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, wire_open, wire_close)
	const struct CMUnitTest tests[] = {
		T(bytes_in_order_come_at_once),
		T(segments_out_of_order_are_put_in_order),
		T(retransmissions_are_not_repeated),
		T(of_overlapping_bytes_the_first_stay),
		T(sequence_numbers_wrap),
		T(what_is_left_is_shown_again_with_what_follows),
		T(an_acknowledgement_stamped_before_the_hole_does_not_end_it),
		T(a_hole_that_began_ahead_of_its_time_ends),
		T(a_hole_is_passed_over_once_it_is_acknowledged),
		T(a_hole_is_passed_over_when_too_much_waits_behind_it),
		T(a_syn_with_another_number_starts_anew),
		T(after_the_end_nothing_is_repeated),
		T(only_an_exact_reset_ends),
		T(a_segment_cut_at_the_snap_length_is_told),
		T(more_may_be_taken_than_there_is),
		T(shuffled_and_overlapping_segments_give_the_same_bytes),
		T(segments_of_one_byte_take_linear_time),
		T(memory_is_bounded_and_the_longest_silent_go_first),
		T(a_segment_far_behind_a_hole_costs_little),
		T(a_hole_is_not_searched_at_each_acknowledgment),
		T(what_is_held_apart_is_counted_to_the_byte),
		T(bytes_that_were_sent_twice_are_compared),
		T(state_ends_with_its_connection),
		T(state_counts_as_memory),
		T(much_may_be_passed_over),
		T(those_that_never_spoke_are_counted_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
