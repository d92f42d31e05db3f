// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream_help.h"

/* What is held behind a hole: when it is shown, and whose it is. */

static void a_dead_hole(struct wire *w)
{
	w->sink.message = 4;
	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 104, "bbbb");
	w->frame.time_ns += SECOND;
	w->ack = 108;
}

static struct stream_counts counts_of(const struct wire *w)
{
	struct stream_counts c;

	stream_counts(w->t, &c);
	return c;
}

static uint64_t gaps(const struct wire *w)
{
	return counts_of(w).gaps;
}

static void what_the_receiver_has_is_shown_at_once_and_is_its_own_frames(void **state)
{
	struct wire *w = *state;

	a_dead_hole(w);
	segment(w, true, 500, ACK, NULL, 0, 0);
	assert_got(w, "bbbb");
	assert_int_equal(w->sink.number[0], 2);
	assert_int_equal(w->sink.time_ns[0], SECOND + 2000000);
	assert_int_equal(gaps(w), 4);
}

static void an_acknowledgement_that_came_too_soon_counts_at_the_end(void **state)
{
	struct wire *w = *state;

	a_dead_hole(w);
	w->frame.time_ns -= SECOND;
	segment(w, true, 500, ACK, NULL, 0, 0);
	assert_int_equal(w->sink.n, 0);
	w->frame.time_ns += SECOND;
	segment(w, false, 108, FIN | ACK, NULL, 0, 0);
	assert_got(w, "bbbb");
	assert_int_equal(w->sink.number[0], 2);
}

static void what_nobody_acknowledged_is_shown_at_the_end_of_the_capture(void **state)
{
	struct wire *w = *state;

	a_dead_hole(w);
	segment(w, false, 108, FIN | ACK, NULL, 0, 0);
	assert_int_equal(w->sink.n, 0);
	stream_finish(w->t, consume, &w->sink);
	assert_got(w, "bbbb");
	assert_int_equal(w->sink.number[0], 2);
	assert_int_equal(gaps(w), 4);
}

static void resets_and_new_connections_show_both_directions(void **state)
{
	struct wire *w = *state;

	w->sink.message = 4;
	for (unsigned int i = 0; i < 2; i++) {
		segment(w, false, 99 + 10000 * i, SYN, NULL, 0, 0);
		segment(w, true, 499 + 10000 * i, SYN | ACK, NULL, 0, 0);
		w->ack = 100 + 10000 * i;
		segment(w, true, 504 + 10000 * i, ACK, "bbbb", 4, 4);
		w->ack = 500 + 10000 * i;
		data(w, 104 + 10000 * i, "aaaa");
		if (i)
			segment(w, false, 55555, SYN, NULL, 0, 0);
		else
			segment(w, false, 108, RST, NULL, 0, 0);
	}
	assert_int_equal(w->sink.taken, 4);
	assert_int_equal(w->sink.number[0] + w->sink.number[1], 3 + 4);
	assert_int_equal(w->sink.number[2] + w->sink.number[3], 8 + 9);
	assert_int_equal(gaps(w), 16);
}

static void a_connection_that_loses_its_place_is_heard_out(void **state)
{
	struct wire *w = *state;
	struct packet pk = { .frame = &w->frame, .has_tcp = true, .tcp_flags = ACK, .tcp_seq = 1,
			     .payload = (const uint8_t *)"....", .payload_cap = 4, .payload_len = 4 };

	a_dead_hole(w);
	pk.ip = (struct ip_layer){ .version = 4, .src.family = 4, .dst.family = 4, .proto = 6 };
	/* Others that hold something, too: the longest silent one goes first. */
	for (uint32_t i = 0; i < STREAM_CONNECTIONS; i++) {
		memcpy(pk.ip.src.b, &(uint32_t){ i + 1 }, 4);
		pk.payload_cap = pk.payload_len = 3;
		stream_packet(w->t, &pk, consume, &w->sink);
	}
	assert_got(w, "bbbb");
	assert_int_equal(w->sink.number[0], 2);
}

/* The message that a frame fills a hole of is its own; those behind were there before. */
static void each_message_is_of_the_last_frame_that_it_needed(void **state)
{
	struct wire *w = *state;

	w->sink.message = 4;
	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 106, "bbcc");			/* 2 */
	data(w, 114, "ddee");			/* 3 */
	data(w, 110, "ccdd");			/* 4 */
	data(w, 108, "ccccdd");			/* 5: they were there */
	data(w, 100, "aaaabb");			/* 6 */
	assert_got(w, "aaaabbbbccccdddd");
	assert_int_equal(w->sink.number[0], 6);
	assert_int_equal(w->sink.number[1], 6);
	assert_int_equal(w->sink.number[2], 4);
	assert_int_equal(w->sink.number[3], 4);
	data(w, 118, "ee");			/* 7 */
	assert_int_equal(w->sink.number[4], 7);
	assert_int_equal(gaps(w), 0);
	assert_int_equal(stream_memory(w->t), 0);
}

/* More pieces than are noted: nothing is lost but whose they are. */
static void many_small_pieces_are_all_there(void **state)
{
	struct wire *w = *state;
	char wanted[402];

	segment(w, false, 99, SYN, NULL, 0, 0);
	memset(wanted, 'x', 401);
	wanted[401] = '\0';
	for (uint32_t i = 1; i <= 400; i++)
		data(w, 100 + (i * 7 % 401 ? i * 7 % 401 : 400), "x");
	data(w, 100, "x");
	assert_got(w, wanted);
	assert_int_equal(stream_memory(w->t), 0);
}

/* RFC 9293, 3.8.4 and 3.8.6.1: a byte that was acknowledged, or any; a byte beyond the window. */
static void probes_are_no_losses(void **state)
{
	struct wire *w = *state;

	segment(w, false, 999, SYN, NULL, 0, 0);
	data(w, 1000, "abc");
	segment(w, false, 1002, ACK, "", 0, 0);		/* keep-alive without a byte */
	segment(w, false, 1002, ACK, "c", 1, 1);
	segment(w, false, 1002, ACK, "c", 1, 1);
	data(w, 1003, "d");				/* into a closed window, and once more */
	data(w, 1003, "d");
	data(w, 1003, "def");
	assert_got(w, "abcdef");
	assert_int_equal(counts_of(w).gaps + counts_of(w).stray + counts_of(w).conflicts, 0);
}

/* Some stacks send any byte to keep alive (RFC 9293, 3.8.4: "garbage"). */
static void the_byte_of_a_keep_alive_may_be_anything(void **state)
{
	struct wire *w = *state;

	segment(w, false, 999, SYN, NULL, 0, 0);
	data(w, 1000, "abc");
	segment(w, false, 1002, ACK, "\0", 1, 1);
	data(w, 1003, "d");
	assert_got(w, "abcd");
	assert_int_equal(counts_of(w).stray + counts_of(w).conflicts, 0);
}

/* What GRO merged is longer than any packet, and cut at no limit of one. */
static void a_super_segment_is_whole(void **state)
{
	static char big[65000];
	struct wire *w = *state;

	memset(big, 'b', sizeof(big));
	segment(w, false, 999, SYN, NULL, 0, 0);
	segment(w, false, 1000, ACK, big, sizeof(big), sizeof(big));
	segment(w, false, 1001 + sizeof(big), ACK, big, sizeof(big) - 1, sizeof(big) - 1);	/* before its turn */
	segment(w, false, 1000 + sizeof(big), ACK, big, 1, 1);
	assert_int_equal(w->sink.n, 2 * sizeof(big));
	assert_int_equal(w->sink.missing, 0);
	assert_int_equal(counts_of(w).gaps + counts_of(w).cut, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, wire_open, wire_close)
	const struct CMUnitTest tests[] = {
		T(what_the_receiver_has_is_shown_at_once_and_is_its_own_frames),
		T(an_acknowledgement_that_came_too_soon_counts_at_the_end),
		T(what_nobody_acknowledged_is_shown_at_the_end_of_the_capture),
		T(resets_and_new_connections_show_both_directions),
		T(a_connection_that_loses_its_place_is_heard_out),
		T(each_message_is_of_the_last_frame_that_it_needed),
		T(many_small_pieces_are_all_there),
		T(probes_are_no_losses),
		T(the_byte_of_a_keep_alive_may_be_anything),
		T(a_super_segment_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
