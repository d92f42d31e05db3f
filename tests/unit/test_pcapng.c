// SPDX-License-Identifier: GPL-2.0-or-later
#include "cap_help.h"

static struct made m;
static struct seen s;

static size_t begin(uint32_t type)
{
	size_t at = m.n;

	made_u32(&m, type);
	made_u32(&m, 0);
	return at;
}

static void end(size_t at)
{
	size_t total = m.n - at + 4, n = m.n;

	made_u32(&m, (uint32_t)total);
	m.n = at + 4;
	made_u32(&m, (uint32_t)total);
	m.n = n + 4;
}

static void option(uint16_t code, const void *p, uint16_t n)
{
	made_u16(&m, code);
	made_u16(&m, n);
	made_add(&m, p, n);
	made_add(&m, "\0\0\0", -n & 3);
}

static void section(void)
{
	size_t at = begin(0x0a0d0d0a);

	made_u32(&m, 0x1a2b3c4d);
	made_u16(&m, 1);
	made_u16(&m, 0);
	made_u64(&m, UINT64_MAX);
	end(at);
}

static void interface(uint16_t link, const char *name, int ticks, int64_t offset)
{
	size_t at = begin(1);
	uint8_t t = (uint8_t)ticks;

	made_u16(&m, link);
	made_u16(&m, 0);
	made_u32(&m, 0);
	if (name)
		option(2, name, (uint16_t)strlen(name));
	if (ticks >= 0)
		option(9, &t, 1);
	if (offset) {
		made_u16(&m, 14);
		made_u16(&m, 8);
		made_u64(&m, (uint64_t)offset);
	}
	option(0, NULL, 0);
	end(at);
}

static size_t packet_begin(uint32_t iface, uint64_t ticks, uint32_t cap)
{
	static const uint8_t data[128] = "0123456789";
	size_t at = begin(6);

	made_u32(&m, iface);
	made_u32(&m, (uint32_t)(ticks >> 32));
	made_u32(&m, (uint32_t)ticks);
	made_u32(&m, cap);
	made_u32(&m, cap + 5);
	made_add(&m, data, cap);
	made_add(&m, "\0\0\0", -cap & 3);
	return at;
}

static void packet(uint32_t iface, uint64_t ticks, uint32_t cap)
{
	end(packet_begin(iface, ticks, cap));
}

static void start(void)
{
	m.n = 0;
	section();
}

static void interfaces_keep_their_names_link_types_and_resolutions(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		m.swapped = order;
		start();
		interface(1, "eth0", -1, 0);
		interface(101, "tun0", 9, 0);
		packet(1, 1700000000123456789ull, 20);
		packet(0, 1700000000123456ull, 61);
		seen_made(&s, &m);
		assert_int_equal(s.rc, -ENODATA);
		assert_int_equal(s.n, 2);
		assert_string_equal(s.v[0].name, "tun0");
		assert_int_equal(s.v[0].f.link, 101);
		assert_int_equal(s.v[0].f.time_ns, 1700000000123456789ull);
		assert_string_equal(s.v[1].name, "eth0");
		assert_int_equal(s.v[1].f.time_ns, 1700000000123456000ull);
		assert_int_equal(s.v[1].f.cap_len, 61);
		assert_int_equal(s.v[1].f.len, 66);
		assert_memory_equal(s.v[1].data, "0123456789", 11);
	}
	m.swapped = 0;
}

static void times_of_any_resolution_stay_inside_64_bits(void **state)
{
	static const struct {
		int ticks;
		int64_t offset;
		uint64_t in, out;
	} rows[] = {
		{ 0, 0, 1700000000, 1700000000000000000ull },
		{ 3, 0, 1700000000123, 1700000000123000000ull },
		{ 12, 0, 1700000000123456789ull, 1700000000123456ull },
		{ 19, 0, UINT64_MAX, 1844674407 },
		{ 127, 0, UINT64_MAX, 0 },
		{ 0, 0, UINT64_MAX, UINT64_MAX },
		{ 0x80, 0, 5, 5000000000 },
		{ 0x80 | 1, 0, 5, 2500000000 },
		{ 0x80 | 32, 0, 1ull << 33, 2000000000 },
		{ 0x80 | 63, 0, 3ull << 62, 1500000000 },
		{ 0x80 | 64, 0, 1ull << 63, 500000000 },
		{ 0x80 | 127, 0, UINT64_MAX, 0 },
		{ 6, 1700000000, 5, 1700000000000005000ull },
		{ 6, -10, 11000000, 1000000000 },
		{ 6, -10, 5, 0 },
		{ 6, INT64_MIN, UINT64_MAX, 0 },
		{ 6, INT64_MAX, 1, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start();
		interface(1, NULL, rows[i].ticks, rows[i].offset);
		packet(0, rows[i].in, 4);
		seen_made(&s, &m);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.v[0].f.time_ns, rows[i].out);
	}
}

static void packet_options_are_understood(void **state)
{
	uint32_t flags = 2;
	uint64_t drops = 7;
	uint8_t verdict[9] = { 2, 1 };
	size_t at;

	(void)state;
	start();
	interface(1, "eth0", 9, 0);
	at = packet_begin(0, 5, 3);
	option(1, "a comment of somebody else", 26);
	option(1, "drop NO_SOCKET at __udp4_lib_rcv (udp)", 38);
	option(1, "GRO x12", 7);
	option(2, &flags, 4);
	option(4, &drops, 8);
	option(0, NULL, 0);
	end(at);
	at = packet_begin(0, 6, 3);
	option(7, verdict, 9);
	end(at);
	packet(0, 7, 3);
	seen_made(&s, &m);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[0].f.direction, DIR_EGRESS);
	assert_int_equal(s.v[0].f.segments, 12);
	assert_string_equal(s.v[0].reason, "NO_SOCKET");
	assert_string_equal(s.v[0].location, "__udp4_lib_rcv");
	assert_string_equal(s.v[0].hook, "udp");
	assert_string_equal(s.v[1].hook, "xdp");
	assert_int_equal(s.v[1].f.direction, DIR_UNKNOWN);
	assert_null(s.v[2].f.drop);
	assert_int_equal(s.counts.lost_other, 7);
	assert_int_equal(s.counts.seen, 10);
}

static void comments_that_only_look_like_ours_are_left_alone(void **state)
{
	static const char *const texts[] = {
		"drop ",
		"drop X",
		"drop X at Y",
		"drop X at Y (",
		"drop X at Y (udp",
		"drop X at Y (udp) ",
		"drop X at Y (made-up)",
		"drop  at Y (udp)",
		"drop X at \x1b[2J (udp)",
		"GRO x",
		"GRO x65536",
		"GRO x1b",
		"GRO x99999999999999999999",
		"drop XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX at Y (udp)",
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		start();
		interface(1, "eth0", 9, 0);
		at = packet_begin(0, 5, 3);
		option(1, texts[i], (uint16_t)strlen(texts[i]));
		end(at);
		seen_made(&s, &m);
		assert_int_equal(s.n, 1);
		assert_null(s.v[0].f.drop);
		assert_int_equal(s.v[0].f.segments, 0);
	}
}

/* A block of each type, up to where its options begin. */
static size_t block_to_options(uint32_t type)
{
	size_t at;

	if (type == 6)
		return packet_begin(0, 5, 3);
	at = begin(type);
	switch (type) {
	case 0x0a0d0d0a:
		made_u32(&m, 0x1a2b3c4d);
		made_u32(&m, 1);
		made_u64(&m, UINT64_MAX);
		break;
	case 1:
		made_u64(&m, 1);
		break;
	case 2:
		made_add(&m, "\0\0\xff\xff\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0x\0\0\0", 24);
		break;
	case 4:
		made_add(&m, "\1\0\6\0\xc0\0\2\1a\0\0\0\0\0\0\0", 16);
		break;
	case 5:
		made_add(&m, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
		break;
	default:	/* secrets */
		made_add(&m, "KSLT\3\0\0\0abc\0", 12);
	}
	return at;
}

/* How an option of that length in a block of that type ends the reading. */
static int ends(uint32_t type, uint16_t code, uint16_t claimed, uint16_t real)
{
	static const uint8_t zeros[32];
	size_t at;

	start();
	interface(1, "eth0", 9, 0);
	at = block_to_options(type);
	option(1, "x", 1);
	made_u16(&m, code);
	made_u16(&m, claimed);
	made_add(&m, zeros, real);
	made_add(&m, zeros, 4);		/* the end of the options, or what stands in its place */
	end(at);
	seen_made(&s, &m);
	return s.rc;
}

static void an_option_that_does_not_add_up_ends_the_reading(void **state)
{
	static const uint32_t types[] = { 0x0a0d0d0a, 1, 2, 4, 5, 6, 10 };
	static const struct { uint32_t type; uint16_t code, len; } fixed[] = {
		{ 1, 9, 1 }, { 1, 14, 8 }, { 1, 4, 8 }, { 1, 5, 17 }, { 1, 6, 6 }, { 1, 8, 8 }, { 1, 13, 1 },
		{ 6, 2, 4 }, { 6, 4, 8 }, { 6, 5, 8 }, { 6, 6, 4 }, { 2, 2, 4 }, { 4, 3, 4 }, { 4, 4, 16 },
		{ 5, 2, 8 }, { 5, 3, 8 }, { 5, 4, 8 }, { 5, 5, 8 }, { 5, 6, 8 }, { 5, 7, 8 }, { 5, 8, 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(ends(types[i], 1, 4, 4), -ENODATA);
		assert_int_equal(ends(types[i], 1, 400, 4), -EBADMSG);
		assert_int_equal(ends(types[i], 0x8bac, 9, 4), -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		uint16_t len = fixed[i].len, padded = (uint16_t)((len + 3) & ~3);

		assert_int_equal(ends(fixed[i].type, fixed[i].code, len, padded), -ENODATA);
		assert_int_equal(ends(fixed[i].type, fixed[i].code, 0, 0), -EBADMSG);
		assert_int_equal(ends(fixed[i].type, fixed[i].code, 24, 24), -EBADMSG);
	}
}

static void simple_and_obsolete_packets_are_read(void **state)
{
	size_t at;

	(void)state;
	start();
	interface(1, "eth0", 9, 0);
	at = begin(3);
	made_u32(&m, 6);
	made_add(&m, "simple\0\0", 8);
	end(at);
	at = begin(2);
	made_u16(&m, 0);
	made_u16(&m, 3);	/* lost before it */
	made_u32(&m, 0);
	made_u32(&m, 99);
	made_u32(&m, 3);
	made_u32(&m, 9);
	made_add(&m, "old", 4);
	end(at);
	seen_made(&s, &m);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].f.cap_len, 6);
	assert_memory_equal(s.v[0].data, "simple", 6);
	assert_int_equal(s.v[1].f.time_ns, 99);
	assert_int_equal(s.v[1].f.len, 9);
	assert_memory_equal(s.v[1].data, "old", 3);
	assert_int_equal(s.counts.lost_other, 3);
}

static void other_blocks_are_read_over(void **state)
{
	static const uint32_t types[] = { 4, 9, 10, 0xbad, 0x40000bad, 0x7fffffff };
	size_t at;

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		at = begin(types[i]);
		made_add(&m, "whatever stands there...", 24);
		end(at);
	}
	interface(1, "eth0", 9, 0);
	packet(0, 1, 1);
	seen_made(&s, &m);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.rc, -ENODATA);
}

static void the_total_of_the_statistics_is_not_added_to_what_packets_say(void **state)
{
	size_t at;

	(void)state;
	start();
	interface(1, "eth0", 9, 0);
	at = packet_begin(0, 5, 3);
	made_u16(&m, 4);
	made_u16(&m, 8);
	made_u64(&m, 7);
	end(at);
	for (uint64_t total = 5; total < 10; total += 4) {
		at = begin(5);
		made_u32(&m, 0);
		made_u64(&m, 0);
		made_u16(&m, 7);
		made_u16(&m, 8);
		made_u64(&m, total);
		made_u16(&m, 5);
		made_u16(&m, 8);
		made_u64(&m, UINT64_MAX);	/* not known */
		end(at);
	}
	seen_made(&s, &m);
	assert_int_equal(s.counts.lost_other, 9);
}

/* Pointers of earlier sections must stay good, and equal interfaces be one. */
static void sections_of_either_order_follow_one_another(void **state)
{
	(void)state;
	start();
	interface(1, "eth0", 9, 0);
	packet(0, 1, 4);
	m.swapped = 1;
	section();
	interface(1, "eth0", 9, 0);
	packet(0, 2, 4);
	m.swapped = 0;
	section();
	interface(113, "any", 9, 0);
	packet(0, 3, 4);
	seen_made(&s, &m);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[1].f.time_ns, 2);
	assert_ptr_equal(s.v[0].iface, s.v[1].iface);
	assert_ptr_not_equal(s.v[0].iface, s.v[2].iface);
	assert_string_equal(s.v[2].name, "any");
	section();
	packet(0, 4, 4);
	seen_made(&s, &m);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.rc, -EBADMSG);
}

static void every_truncation_gives_the_good_frames_and_then_an_error(void **state)
{
	size_t whole, ends[4], n;

	(void)state;
	start();
	interface(1, "eth0", 9, 0);
	ends[0] = m.n;
	for (unsigned int i = 1; i < 4; i++) {
		packet(0, i, 17);
		ends[i] = m.n;
	}
	whole = m.n;
	for (m.n = 0; m.n < whole; m.n++) {
		seen_made(&s, &m);
		for (n = 0; n < 3 && m.n >= ends[n + 1]; n++)
			;
		assert_int_equal(s.n, n);
		if (m.n >= ends[0])
			assert_int_equal(s.rc, m.n == ends[n] ? -ENODATA : -EBADMSG);
	}
}

static int ignore(void *ctx, const struct frame *f)
{
	(void)ctx;
	(void)f;
	return 0;
}

/* Each byte of a good file set to each of some values: no crash, no frame outside the file. */
static void no_single_byte_can_do_harm(void **state)
{
	static const uint8_t values[] = { 0, 1, 3, 4, 0x7f, 0x80, 0xff };
	static uint8_t keep;
	size_t at;

	(void)state;
	start();
	interface(1, "eth0", 9, 5);
	at = packet_begin(0, 77, 9);
	option(1, "drop NO_SOCKET at __udp4_lib_rcv (udp)", 38);
	option(0, NULL, 0);
	end(at);
	packet(0, 78, 12);
	for (size_t i = 0; i < m.n; i++) {
		keep = m.p[i];
		for (size_t k = 0; k < sizeof(values); k++) {
			m.p[i] = values[k];
			seen_made(&s, &m);
			assert_true(s.n <= 2);
		}
		m.p[i] = keep;
	}
}

static void a_block_that_claims_too_much_ends_the_reading(void **state)
{
	static const uint32_t sizes[] = { 0, 8, 13, 0x01000004, 0xfffffffc };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		start();
		interface(1, "eth0", 9, 0);
		packet(0, 1, 1);
		made_u32(&m, 6);
		made_u32(&m, sizes[i]);
		made_add(&m, "and so on and so forth and on and on", 36);
		seen_made(&s, &m);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.rc, -EBADMSG);
	}
}

static void interfaces_are_bounded_and_blocks_count_as_work(void **state)
{
	struct source *src;
	int fd, rc, rounds = 0;

	(void)state;
	start();
	fd = memory_file(m.p, m.n);
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)m.n);
	for (unsigned int i = 0; i < 64; i++) {
		m.n = 0;
		for (unsigned int k = 0; k < 1025; k++)
			interface(1, "eth0", -1, 0);
		assert_int_equal(write(fd, m.p, m.n), (ssize_t)m.n);
	}
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(capfile_from(&src, fd, "test", 4096), 0);
	do {
		rc = src->ops->read(src, 1000, ignore, NULL);
		rounds++;
	} while (!rc);
	assert_int_equal(rc, -EBADMSG);
	assert_true(rounds >= 60 && rounds <= 70);
	src->ops->close(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_keep_their_names_link_types_and_resolutions),
		cmocka_unit_test(times_of_any_resolution_stay_inside_64_bits),
		cmocka_unit_test(packet_options_are_understood),
		cmocka_unit_test(comments_that_only_look_like_ours_are_left_alone),
		cmocka_unit_test(an_option_that_does_not_add_up_ends_the_reading),
		cmocka_unit_test(simple_and_obsolete_packets_are_read),
		cmocka_unit_test(other_blocks_are_read_over),
		cmocka_unit_test(the_total_of_the_statistics_is_not_added_to_what_packets_say),
		cmocka_unit_test(sections_of_either_order_follow_one_another),
		cmocka_unit_test(every_truncation_gives_the_good_frames_and_then_an_error),
		cmocka_unit_test(no_single_byte_can_do_harm),
		cmocka_unit_test(a_block_that_claims_too_much_ends_the_reading),
		cmocka_unit_test(interfaces_are_bounded_and_blocks_count_as_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
