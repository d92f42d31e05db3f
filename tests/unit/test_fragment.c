// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/fragment.h"
#include "decode/packet.h"
#include "frames.h"

static struct fragments *table;
static uint8_t bytes[65536];

static int open_table(void **s)
{
	uint32_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	return fragments_open(&table);
}

static int close_table(void **s)
{
	fragments_close(table);
	return 0;
}

static struct fragment_key key_of(uint32_t id, uint8_t version)
{
	return (struct fragment_key){ .id = id, .version = version, .proto = 17, .vlan = 0xffff };
}

/* Adds bytes[from..to) of the datagram; true when that made it whole. */
static bool add_at(uint32_t id, uint8_t version, uint32_t from, uint32_t to, bool more,
		   const uint8_t *p, uint64_t now_ns, uint32_t *n)
{
	struct fragment_piece x = { p + from, to - from, to - from, from, more, now_ns, false };
	struct fragment_key key = key_of(id, version);
	struct fragment *d;
	const uint8_t *whole;

	fragments_release(table);
	d = fragments_add(table, &key, &x);
	whole = fragments_whole(table, d, n);
	if (whole)
		assert_memory_equal(whole, bytes, *n);
	return whole;
}

static bool add(uint32_t id, uint32_t from, uint32_t to, bool more)
{
	uint32_t n;
	bool whole = add_at(id, 4, from, to, more, bytes, 1, &n);

	return whole;
}

static void pieces_in_any_order_make_a_whole(void **s)
{
	assert_false(add(1, 0, 1480, true));
	assert_true(add(1, 1480, 2000, false));
	assert_false(add(2, 1480, 2000, false));
	assert_true(add(2, 0, 1480, true));
	assert_false(add(3, 2960, 3001, false));
	assert_false(add(3, 0, 1480, true));
	assert_true(add(3, 1480, 2960, true));
}

static void duplicates_and_overlaps_of_ipv4_change_nothing(void **s)
{
	static uint8_t other[65536];
	uint32_t n;

	memset(other, 0xee, sizeof(other));
	assert_false(add(4, 0, 80, true));
	assert_false(add_at(4, 4, 0, 80, true, other, 1, &n));
	assert_false(add_at(4, 4, 40, 80, true, other, 1, &n));
	assert_true(add(4, 64, 100, false));
}

static void an_overlap_gives_an_ipv6_datagram_up(void **s)
{
	uint32_t n;

	assert_false(add_at(5, 6, 0, 80, true, bytes, 1, &n));
	assert_false(add_at(5, 6, 0, 80, true, bytes, 1, &n));
	assert_true(add_at(5, 6, 80, 100, false, bytes, 1, &n));
	assert_false(add_at(6, 6, 0, 80, true, bytes, 1, &n));
	assert_false(add_at(6, 6, 72, 90, false, bytes, 1, &n));
	assert_false(add_at(6, 6, 80, 100, false, bytes, 1, &n));
}

static void a_ping_of_death_is_refused(void **s)
{
	assert_false(add(7, 0, 65528, true));
	assert_false(add(7, 65528, 65536, false));
	assert_false(add(8, 0, 65528, true));
	assert_true(add(8, 65528, 65535, false));
}

static void thirty_seconds_are_enough(void **s)
{
	uint64_t before = fragments_lost(table)[FRAGMENT_EXPIRED], full = fragments_lost(table)[FRAGMENT_TABLE_FULL];
	uint32_t n;

	assert_false(add_at(9, 4, 0, 80, true, bytes, 1000, &n));
	assert_false(add_at(9, 4, 80, 100, false, bytes, 1001 + FRAGMENT_AGE_NS, &n));
	assert_true(fragments_lost(table)[FRAGMENT_EXPIRED] > before);
	assert_int_equal(fragments_lost(table)[FRAGMENT_TABLE_FULL], full);
	assert_true(add_at(9, 4, 0, 80, true, bytes, 1002 + FRAGMENT_AGE_NS, &n));
}

static uint64_t all_lost(void)
{
	uint64_t n = 0;

	for (int i = 0; i < FRAGMENT_LOSSES; i++)
		n += fragments_lost(table)[i];
	return n;
}

/* A bridge or two interfaces show each piece twice: two copies, of which no part is missing. */
static void copies_are_no_loss(void **s)
{
	const uint64_t ms = 1000000, start = 1000 * 1000 * ms;
	uint64_t before;
	uint32_t n;

	fragments_expire(table, UINT64_MAX);
	before = all_lost();
	for (uint8_t version = 4; version <= 6; version += 2) {
		/* Piece by piece, and one after the other. */
		assert_false(add_at(20, version, 0, 80, true, bytes, start, &n));
		assert_false(add_at(20, version, 0, 80, true, bytes, start + ms, &n));
		assert_true(add_at(20, version, 80, 100, false, bytes, start + 2 * ms, &n));
		assert_false(add_at(20, version, 80, 100, false, bytes, start + 3 * ms, &n));
		assert_false(add_at(21, version, 0, 80, true, bytes, start + 4 * ms, &n));
		assert_true(add_at(21, version, 80, 100, false, bytes, start + 4 * ms, &n));
		assert_false(add_at(21, version, 0, 80, true, bytes, start + 5 * ms, &n));
		assert_true(add_at(21, version, 80, 100, false, bytes, start + 5 * ms, &n));
	}
	/* The number again, much later, with other bytes: nothing of the copy is in it. */
	assert_false(add_at(20, 4, 80, 120, true, bytes, start + 2000 * ms, &n));
	assert_false(add_at(20, 4, 120, 128, false, bytes, start + 2000 * ms, &n));
	assert_true(add_at(20, 4, 0, 80, true, bytes, start + 2000 * ms, &n));
	fragments_expire(table, UINT64_MAX);
	assert_int_equal(all_lost(), before);
	/* Those given out take nobody's place. */
	assert_false(add_at(22, 4, 0, 80, true, bytes, start, &n));
	for (uint32_t i = 0; i < 2 * FRAGMENT_DATAGRAMS; i++) {
		assert_false(add_at(1000 + i, 4, 0, 8, true, bytes, start, &n));
		assert_true(add_at(1000 + i, 4, 8, 9, false, bytes, start, &n));
	}
	assert_true(add_at(22, 4, 80, 100, false, bytes, start, &n));
	assert_int_equal(all_lost(), before);
}

/* RFC 8200, 4.5: sixty seconds from the piece that came first, and thirty as Linux has it for IPv4. */
static void each_version_has_its_time(void **s)
{
	uint64_t start = 5000000000000, before = fragments_lost(table)[FRAGMENT_EXPIRED];
	uint32_t n;

	for (uint8_t version = 4; version <= 6; version += 2) {
		uint64_t age = version == 4 ? 30000000000 : 60000000000;

		assert_false(add_at(30, version, 0, 80, true, bytes, start, &n));
		assert_true(add_at(30, version, 80, 100, false, bytes, start + age, &n));
		assert_false(add_at(31, version, 0, 80, true, bytes, start + age, &n));
		assert_false(add_at(31, version, 80, 100, false, bytes, start + 2 * age + 1, &n));
		assert_int_equal(fragments_lost(table)[FRAGMENT_EXPIRED] - before, version == 4 ? 1 : 2 + 1);
		start += 200000000000;
	}
}

static void wait_until(struct packet_state *st, struct packet *pk, struct frame *f, uint64_t seconds)
{
	f->time_ns = seconds * 1000000000;
	packet_tick(st, f->time_ns);
	packet_walk(st, pk, f);
}

/* One frame of next year between two fragments, and a clock that is set back. */
/* A datagram with the number 77, in two frames. */
static void two_pieces(struct build *one, struct build *two, struct frame *f1, struct frame *f2)
{
	put_ip4(one, 17, 16, 77, 0x2000);
	put_udp(one, 53, 5353, 12);
	put(one, "01234567", 8);
	put_ip4(two, 17, 4, 77, 2);
	put(two, "89ab", 4);
	*f1 = frame_of(one, 101);
	*f2 = frame_of(two, 101);
}

/* In a capture of few frames their own stamps tell how far apart they are. */
static void two_frames_too_far_apart_are_no_datagram(void **s)
{
	struct build one = { .n = 0 }, two = { .n = 0 };
	struct packet_state *st;
	struct frame f1, f2;
	struct packet pk;

	two_pieces(&one, &two, &f1, &f2);
	for (uint64_t apart = 29; apart < 33; apart++) {
		assert_int_equal(packet_open(&st), 0);
		wait_until(st, &pk, &f1, 1000);
		wait_until(st, &pk, &f2, 1000 + apart);
		assert_int_equal(pk.reassembled, apart <= 30);
		assert_int_equal(packet_fragments_lost(st)[FRAGMENT_EXPIRED], apart > 30);
		packet_close(st);
	}
}

static void odd_stamps_end_no_datagram(void **s)
{
	struct build one = { .n = 0 }, two = { .n = 0 };
	struct packet_state *st;
	struct frame f1, f2;
	struct packet pk;
	uint64_t before;

	assert_int_equal(packet_open(&st), 0);
	two_pieces(&one, &two, &f1, &f2);
	wait_until(st, &pk, &f1, 1000);
	one.p[5] = 78;
	wait_until(st, &pk, &f1, 32000000);
	one.p[5] = 79;
	wait_until(st, &pk, &f1, 1000);
	wait_until(st, &pk, &f2, 1001);
	assert_true(pk.reassembled);
	/* After a silence the first piece is doubted, and not forgotten with the second. */
	one.p[5] = two.p[5] = 90;
	wait_until(st, &pk, &f1, 1201);
	f2.time_ns = 1201 * 1000000000ull + 1000;
	packet_tick(st, f2.time_ns);
	packet_walk(st, &pk, &f2);
	assert_true(pk.reassembled);
	wait_until(st, &pk, &f2, 1202);
	wait_until(st, &pk, &f2, 1203);
	/* Set back by an hour: what began before it ages from there on. */
	one.p[5] = two.p[5] = 80;
	wait_until(st, &pk, &f1, 1204);
	one.p[5] = 81;
	wait_until(st, &pk, &f1, 10);
	wait_until(st, &pk, &f1, 11);
	wait_until(st, &pk, &f1, 12);
	before = packet_fragments_lost(st)[FRAGMENT_EXPIRED];
	wait_until(st, &pk, &f1, 40);
	wait_until(st, &pk, &f1, 43);
	wait_until(st, &pk, &f2, 44);
	assert_false(pk.reassembled);
	assert_true(packet_fragments_lost(st)[FRAGMENT_EXPIRED] > before);
	packet_close(st);
}

static void the_table_is_bounded_and_counts_what_goes(void **s)
{
	uint64_t before = fragments_lost(table)[FRAGMENT_TABLE_FULL];
	uint32_t i;

	for (i = 0; i < 3 * FRAGMENT_DATAGRAMS; i++)
		assert_false(add(1000 + i, 8, 16, true));
	assert_true(fragments_lost(table)[FRAGMENT_TABLE_FULL] - before >= 2 * FRAGMENT_DATAGRAMS);
	/* The newest is still there. */
	assert_false(add(1000 + i - 1, 0, 8, true));
	assert_true(add(1000 + i - 1, 16, 20, false));
	/* Big ones push out small ones, by bytes. */
	for (i = 0; i < 200; i++)
		assert_false(add(90000 + i, 65000, 65008, true));
	assert_false(add(90000 + i - 1, 65008, 65009, false));
}

static uint64_t lost(enum fragment_loss why)
{
	return fragments_lost(table)[why];
}

/* A last piece holds its own bytes, not the whole of the block that it ends in. */
static void two_ends_are_no_datagram(void **s)
{
	static const struct { uint32_t from, to; bool more; } tries[][3] = {
		{ { 32, 40, false }, { 24, 25, false }, { 0, 24, true } },
		{ { 24, 25, false }, { 32, 40, false }, { 0, 24, true } },
		{ { 24, 25, false }, { 24, 32, true }, { 0, 24, true } },
		{ { 24, 32, true }, { 24, 25, false }, { 0, 24, true } },
		{ { 24, 25, false }, { 24, 32, false }, { 0, 24, true } },
		{ { 16, 17, false }, { 16, 24, false }, { 0, 16, true } },
		{ { 0, 512, true }, { 256, 300, false }, { 512, 520, false } },
	};

	for (uint32_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		for (uint8_t version = 4; version <= 6; version += 2) {
			uint64_t before = lost(FRAGMENT_TWO_ENDS);
			uint32_t n;

			for (int k = 0; k < 3; k++)
				assert_false(add_at(200000 + i, version, tries[i][k].from, tries[i][k].to,
						    tries[i][k].more, bytes, 1, &n));
			assert_int_equal(lost(FRAGMENT_TWO_ENDS) - before, 1);
		}
	}
	assert_false(add(200100, 24, 25, false));
	assert_false(add(200100, 24, 25, false));
	assert_true(add(200100, 0, 24, true));
}

static void a_piece_that_was_cut_is_told(void **s)
{
	struct fragment_piece x = { bytes, 79, 80, 0, true, 1, false };
	struct fragment_key key = key_of(200200, 4);
	uint64_t cut = lost(FRAGMENT_CUT), differs = lost(FRAGMENT_DIFFERS), bad = lost(FRAGMENT_MALFORMED);
	uint32_t n;

	fragments_add(table, &key, &x);
	assert_false(add(200200, 0, 80, true));
	assert_false(add(200200, 80, 100, false));
	assert_int_equal(lost(FRAGMENT_CUT) - cut, 1);
	assert_false(add(200201, 0, 79, true));
	assert_int_equal(lost(FRAGMENT_MALFORMED) - bad, 1);
	/* Overlaps: those of IPv4 when they differ, and not when they do not. */
	assert_false(add(200202, 0, 80, true));
	assert_false(add(200202, 40, 120, true));
	assert_int_equal(lost(FRAGMENT_DIFFERS), differs);
	assert_false(add_at(200202, 4, 40, 120, true, bytes + 1, 1, &n));
	assert_int_equal(lost(FRAGMENT_DIFFERS) - differs, 1);
	assert_true(add(200202, 120, 121, false));
}

/* What is held is charged, wherever it lies: tiny pieces far behind push nobody out. */
static void a_tiny_piece_costs_little_at_any_offset(void **s)
{
	uint64_t full = lost(FRAGMENT_MEMORY_FULL);
	uint32_t n;

	fragments_expire(table, UINT64_MAX);
	assert_int_equal(fragments_memory(table), 0);
	assert_false(add(300000, 0, 48000, true));
	for (uint32_t i = 1; i < FRAGMENT_DATAGRAMS; i++)
		assert_false(add_at(300000 + i, i % 2 ? 4 : 6, 65512, 65520, true, bytes, 1, &n));
	assert_int_equal(lost(FRAGMENT_MEMORY_FULL), full);
	assert_true(fragments_memory(table) <= FRAGMENT_MEMORY);
	assert_true(add(300000, 48000, 50000, false));
	/* Those that hold much go, oldest first, and are counted. */
	fragments_expire(table, UINT64_MAX);
	for (uint32_t i = 0; i < 100; i++) {
		assert_false(add(310000 + i, 0, 65512, true));
		assert_true(fragments_memory(table) <= FRAGMENT_MEMORY);
	}
	assert_int_equal(lost(FRAGMENT_MEMORY_FULL) - full, 100 - FRAGMENT_MEMORY / (128 * 520));
	assert_true(add(310099, 65512, 65535, false));
}

static void shuffled_pieces_give_the_same_bytes(void **s)
{
	srandom(7);
	for (uint32_t round = 0; round < 300; round++) {
		uint32_t total = 1 + (uint32_t)random() % 65535, n = 0;
		bool whole = false;

		for (uint32_t i = 0; i < 4000 && !whole; i++) {
			uint32_t from = random() % 8 ? (uint32_t)random() % total & ~7u : 0;
			uint32_t to = from + 8 + (uint32_t)random() % 20000;

			to = to >= total || total - to < 8 ? total : to & ~7u;
			whole = add_at(400000 + round, 4, from, to, to < total, bytes, 1, &n);
		}
		assert_true(whole);
		assert_int_equal(n, total);
	}
	fragments_release(table);
	fragments_expire(table, UINT64_MAX);
	assert_int_equal(fragments_memory(table), 0);
}

static void ports_stay_with_the_datagram(void **s)
{
	struct fragment_piece x = { bytes, 8, 8, 0, true, 1, false };
	struct fragment_key key = key_of(100000, 4);
	struct fragment *d = fragments_add(table, &key, &x);
	uint16_t a, b;

	assert_false(fragment_ports(d, &a, &b));
	fragment_set_ports(d, 5, 6);
	x.offset = 8;
	d = fragments_add(table, &key, &x);
	assert_true(fragment_ports(d, &a, &b));
	assert_int_equal(a, 5);
	assert_int_equal(b, 6);
}

static void a_datagram_in_two_frames_is_one_payload(void **s)
{
	struct build one = { .n = 0 }, two = { .n = 0 };
	struct packet_state *st;
	struct frame f1, f2;
	struct packet pk;
	struct record r;

	assert_int_equal(packet_open(&st), 0);
	two_pieces(&one, &two, &f1, &f2);
	packet_walk(st, &pk, &f1);
	assert_true(pk.is_fragment && pk.frag_first && pk.frag_more && !pk.reassembled);
	assert_int_equal(pk.ip.sport, 53);
	packet_walk(st, &pk, &f2);
	assert_true(pk.is_fragment && !pk.frag_first && !pk.frag_more && pk.reassembled);
	assert_int_equal(pk.frag_offset, 16);
	assert_int_equal(pk.payload_len, 12);
	assert_memory_equal(pk.payload, "0123456789ab", 12);
	packet_record(&pk, &r, &packet_dataset);
	assert_int_equal(r.dport, 5353);
	/* Without the first, a later one has no ports; with it, it inherits them. */
	packet_walk(st, &pk, &f2);
	assert_false(pk.ip.has_ports);
	one.p[5] = two.p[5] = 78;
	two.p[6] = 0x20;
	packet_walk(st, &pk, &f1);
	packet_walk(st, &pk, &f2);
	assert_true(pk.ip.has_ports && pk.ip.inherited);
	packet_record(&pk, &r, &packet_dataset);
	assert_false(record_has(&r, FIELD_SRC_PORT));
	packet_record(&pk, &r, &drop_dataset);
	assert_true(record_has(&r, FIELD_SRC_PORT));
	assert_int_equal(r.sport, 53);
	packet_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_any_order_make_a_whole),
		cmocka_unit_test(duplicates_and_overlaps_of_ipv4_change_nothing),
		cmocka_unit_test(an_overlap_gives_an_ipv6_datagram_up),
		cmocka_unit_test(a_ping_of_death_is_refused),
		cmocka_unit_test(thirty_seconds_are_enough),
		cmocka_unit_test(copies_are_no_loss),
		cmocka_unit_test(each_version_has_its_time),
		cmocka_unit_test(two_frames_too_far_apart_are_no_datagram),
		cmocka_unit_test(odd_stamps_end_no_datagram),
		cmocka_unit_test(the_table_is_bounded_and_counts_what_goes),
		cmocka_unit_test(two_ends_are_no_datagram),
		cmocka_unit_test(a_piece_that_was_cut_is_told),
		cmocka_unit_test(a_tiny_piece_costs_little_at_any_offset),
		cmocka_unit_test(shuffled_pieces_give_the_same_bytes),
		cmocka_unit_test(ports_stay_with_the_datagram),
		cmocka_unit_test(a_datagram_in_two_frames_is_one_payload),
	};

	return cmocka_run_group_tests(tests, open_table, close_table);
}
