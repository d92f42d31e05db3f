// SPDX-License-Identifier: GPL-2.0-or-later
/* Segments that somebody else sent, and what is missing of those that the sender sent. */
#include "stream_help.h"

/* Where a forger's number may lie from the next one: near, in a window, in none; before and after. */
static const int32_t forged[] = { 2000, 3000000, 500000000, 1500000000, -3000000, -500000000, -1500000000 };
enum { FORGED = sizeof(forged) / sizeof(forged[0]) };

static void a_forged_syn_does_not_end_a_connection(void **state)
{
	struct wire *w = *state;

	for (int i = 0; i < 2 * FORGED; i++) {
		uint32_t seq = 0x80000000u + (uint32_t)forged[i / 2];
		uint8_t flags = i % 2 ? SYN | ACK : SYN;

		w->sink.n = 0;
		segment(w, false, 99, SYN, NULL, 0, 0);
		data(w, 100, "abc");
		segment(w, false, 0x7ffffffcu, SYN, NULL, 0, 0);
		data(w, 0x7ffffffdu, "def");
		segment(w, false, seq, flags, NULL, 0, 0);
		data(w, 0x80000000u, "ghi");
		data(w, 0x80000003u, "jkl");
		segment(w, true, 500, ACK, "m", 1, 1);
		assert_got(w, "abcdefghijklm");
		/* And when somebody really begins anew, that holds. */
		segment(w, false, seq + 7, SYN, NULL, 0, 0);
		data(w, seq + 8, "nop");
		assert_got(w, "abcdefghijklmnop");
	}
}

static void a_forged_segment_does_not_end_a_connection(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;

	for (int i = 0; i < FORGED; i++) {
		uint32_t at = 100 + 1000 * (uint32_t)i, there = at + 3 + (uint32_t)forged[i];

		if (forged[i] > -(1 << 20) && forged[i] < 1 << 24)
			continue;	/* a gap that a capture may have */
		w->sink.n = 0;
		segment(w, false, at - 1, SYN, NULL, 0, 0);
		data(w, at, "abc");
		data(w, there, "zzz");
		data(w, at + 3, "def");
		data(w, there - 9, "zzz");
		segment(w, false, there - 50, RST, NULL, 0, 0);
		segment(w, false, there + 60, FIN | ACK, NULL, 0, 0);
		data(w, at + 6, "ghi");
		assert_got(w, "abcdefghi");
	}
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 0);
	assert_int_equal(c.stray, 6 * 5);
	/* One that others follow is believed. */
	data(w, 0x90000000u, "lost");
	data(w, 0x90000004u, "jkl");
	data(w, 0x90000007u, "mno");
	assert_got(w, "abcdefghijklmno");
}

static void a_forged_end_does_not_end_a_connection(void **state)
{
	struct wire *w = *state;

	data(w, 100, "abc");
	segment(w, false, 103, FIN | ACK, NULL, 0, 0);
	data(w, 103, "def");
	segment(w, false, 106, RST, NULL, 0, 0);
	data(w, 106, "ghi");
	data(w, 109, "jkl");
	assert_got(w, "abcdefghijkl");
	/* A FIN that the receiver has got is one. */
	segment(w, false, 112, FIN | ACK, NULL, 0, 0);
	w->ack = 113;
	segment(w, true, 500, ACK, NULL, 0, 0);
	data(w, 112, "mno");
	assert_got(w, "abcdefghijkl");
}

static void what_is_missing_at_the_end_is_counted(void **state)
{
	struct wire *w = *state;
	struct stream_counts c;

	/* Acknowledged, and never seen; closed by a SYN of the next connection. */
	segment(w, false, 99, SYN, NULL, 0, 0);
	data(w, 100, "abc");
	w->ack = 110;
	segment(w, true, 500, ACK, NULL, 0, 0);
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 0);
	segment(w, false, 5099, SYN, NULL, 0, 0);
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 7);
	/* Held behind a hole; a reset of the other side. */
	data(w, 5100, "abc");
	data(w, 5110, "def");
	w->ack = 5103;
	segment(w, true, 500, ACK, "x", 1, 1);
	segment(w, true, 501, RST, NULL, 0, 0);
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 7 + 7);
	/* Before a FIN; at the end of the capture. */
	segment(w, false, 9099, SYN, NULL, 0, 0);
	segment(w, false, 9105, FIN | ACK, NULL, 0, 0);
	w->ack = 9106;
	segment(w, true, 500, ACK, NULL, 0, 0);
	stream_finish(w->t, consume, &w->sink);
	stream_finish(w->t, consume, &w->sink);
	stream_counts(w->t, &c);
	assert_int_equal(c.gaps, 7 + 7 + 5);
	assert_int_equal(c.stray + c.memory + c.evicted + c.half_open, 0);
	assert_got(w, "abcabcxdef");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, wire_open, wire_close)
	const struct CMUnitTest tests[] = {
		T(a_forged_syn_does_not_end_a_connection),
		T(a_forged_segment_does_not_end_a_connection),
		T(a_forged_end_does_not_end_a_connection),
		T(what_is_missing_at_the_end_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
