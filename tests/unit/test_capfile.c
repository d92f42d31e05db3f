// SPDX-License-Identifier: GPL-2.0-or-later
#include "cap_help.h"

#include <fcntl.h>
#include <zlib.h>

static struct made m;
static struct seen s;

static void head(uint32_t magic, uint32_t link)
{
	m.n = 0;
	made_u32(&m, magic);
	made_u16(&m, 2);
	made_u16(&m, 4);
	made_u64(&m, 0);
	made_u32(&m, 65535);
	made_u32(&m, link);
}

static void record(uint32_t sec, uint32_t frac, uint32_t cap, uint32_t len)
{
	uint8_t data[256];

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(m.n + i);
	made_u32(&m, sec);
	made_u32(&m, frac);
	made_u32(&m, cap);
	made_u32(&m, len);
	made_add(&m, data, cap < sizeof(data) ? cap : 0);
}

static void both_resolutions_and_orders_are_read(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		m.swapped = order;
		head(0xa1b2c3d4, 1);
		record(1700000000, 123456, 60, 1514);
		record(1700000001, 0, 0, 0);
		seen_made(&s, &m);
		assert_int_equal(s.rc, -ENODATA);
		assert_int_equal(s.n, 2);
		assert_int_equal(s.v[0].f.time_ns, 1700000000123456000ull);
		assert_int_equal(s.v[0].f.cap_len, 60);
		assert_int_equal(s.v[0].f.len, 1514);
		assert_int_equal(s.v[0].f.link, 1);
		assert_int_equal(s.v[0].f.number, 1);
		assert_int_equal(s.v[1].f.number, 2);
		assert_memory_equal(s.v[0].data, m.p + 40, 60);
		head(0xa1b23c4d, 101);
		record(1700000000, 123456789, 20, 20);
		seen_made(&s, &m);
		assert_int_equal(s.v[0].f.time_ns, 1700000000123456789ull);
		assert_int_equal(s.v[0].f.link, 101);
		assert_int_equal(s.counts.seen, 1);
		assert_int_equal(s.counts.read, 1);
	}
	m.swapped = 0;
}

static void the_modified_format_tells_the_direction(void **state)
{
	static const uint8_t more[2][8] = { { 2, 0, 0, 0, 8, 0, 4, 0 }, { 2, 0, 0, 0, 8, 0, 0, 0 } };

	(void)state;
	head(0xa1b2cd34, 1);
	for (unsigned int i = 0; i < 2; i++) {
		made_u32(&m, 1);
		made_u32(&m, 2);
		made_u32(&m, 4);
		made_u32(&m, 4);
		made_add(&m, more[i], 8);
		made_add(&m, "abcd", 4);
	}
	seen_made(&s, &m);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].f.direction, DIR_EGRESS);
	assert_int_equal(s.v[1].f.direction, DIR_INGRESS);
	assert_memory_equal(s.v[1].data, "abcd", 4);
}

static void the_upper_half_of_the_link_type_is_masked(void **state)
{
	(void)state;
	head(0xa1b2c3d4, 0x24000001);	/* frame check sequences of 4 bytes */
	record(1, 1, 64, 64);
	seen_made(&s, &m);
	assert_int_equal(s.v[0].f.link, 1);
	head(0xa1b2c3d4, 12);
	record(1, 1, 64, 64);
	seen_made(&s, &m);
	assert_int_equal(s.v[0].f.link, 101);
}

static void old_versions_have_the_lengths_the_other_way_round(void **state)
{
	(void)state;
	head(0xa1b2c3d4, 1);
	m.p[6] = 2;
	record(1, 1, 100, 60);	/* captured 60 of 100 */
	m.n -= 40;
	seen_made(&s, &m);
	assert_int_equal(s.rc, -ENODATA);
	assert_int_equal(s.v[0].f.cap_len, 60);
	assert_int_equal(s.v[0].f.len, 100);
}

static void more_captured_than_on_the_wire_is_mended(void **state)
{
	(void)state;
	head(0xa1b2c3d4, 1);
	record(1, 1, 60, 10);
	seen_made(&s, &m);
	assert_int_equal(s.v[0].f.cap_len, 60);
	assert_int_equal(s.v[0].f.len, 60);
}

static void every_truncation_gives_the_good_frames_and_then_an_error(void **state)
{
	size_t whole;

	(void)state;
	head(0xa1b2c3d4, 1);
	for (unsigned int i = 0; i < 3; i++)
		record(i, i, 20, 20);
	whole = m.n;
	for (m.n = 0; m.n <= whole; m.n++) {
		seen_made(&s, &m);
		assert_int_equal(s.n, m.n < 24 ? 0 : (m.n - 24) / 36);
		if (m.n >= 24)
			assert_int_equal(s.rc, (m.n - 24) % 36 ? -EBADMSG : -ENODATA);
		else
			assert_true(s.rc < 0 && s.rc != -ENODATA);
	}
}

static void a_record_that_claims_too_much_ends_the_reading(void **state)
{
	(void)state;
	head(0xa1b2c3d4, 1);
	record(1, 1, 20, 20);
	record(2, 2, 0x7fffffff, 20);
	made_add(&m, "and what follows", 16);
	seen_made(&s, &m);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.rc, -EBADMSG);
}

static void strangers_are_refused(void **state)
{
	static const char *const files[] = { "",	 "abc",	       "abcdefgh",   "\x28\xb5\x2f\xfd....",
					     "snoop...", "PK\3\4....", "\x1f\x8bxx", "\x1f\x8b\x08\x00" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		m.n = 0;
		made_add(&m, files[i], strlen(files[i]));
		seen_made(&s, &m);
		assert_int_equal(s.n, 0);
		assert_true(s.rc < 0 && s.rc != -ENODATA);
	}
	head(0xa1b2c3d4, 1);
	m.p[4] = 9;
	seen_made(&s, &m);
	assert_int_equal(s.rc, -EINVAL);
}

static size_t zip(uint8_t *to, size_t size, const uint8_t *from, size_t n)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)from,
		       .avail_in = (unsigned int)n,
		       .next_out = to,
		       .avail_out = (unsigned int)size };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static void gzip_of_one_or_several_members_is_read(void **state)
{
	static uint8_t packed[8192];
	size_t n, whole;

	(void)state;
	head(0xa1b2c3d4, 1);
	for (unsigned int i = 0; i < 20; i++)
		record(i, i, 200, 200);
	n = zip(packed, sizeof(packed), m.p, 1000);
	n += zip(packed + n, sizeof(packed) - n, m.p + 1000, m.n - 1000);
	whole = n;
	memset(packed + n, 0, 512);	/* tar and tapes pad with zeros */
	seen_read(&s, memory_file(packed, n + 512), 64);
	assert_int_equal(s.n, 20);
	assert_int_equal(s.rc, -ENODATA);
	for (n = 3; n < whole; n++) {
		seen_read(&s, memory_file(packed, n), 64);
		assert_true(s.n <= 20);
		assert_true(s.rc < 0 && (s.rc != -ENODATA || s.n == 4));
	}
	memcpy(packed + whole, "garbage", 7);
	seen_read(&s, memory_file(packed, whole + 7), 64);
	assert_int_equal(s.n, 20);
	assert_int_equal(s.rc, -EBADMSG);
}

static void damaged_gzip_gives_what_came_before(void **state)
{
	static uint8_t packed[8192];
	size_t n;

	(void)state;
	head(0xa1b2c3d4, 1);
	for (unsigned int i = 0; i < 5; i++)
		record(i, i, 200, 200);
	n = zip(packed, sizeof(packed), m.p, m.n);
	packed[n - 6] ^= 1;		/* the checksum */
	seen_read(&s, memory_file(packed, n), 64);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.rc, -EBADMSG);
}

/* The readers must give the same however the bytes arrive. */
static void a_pipe_is_never_waited_for(void **state)
{
	struct source *src;
	unsigned int before;
	int fd[2], rc;

	(void)state;
	head(0xa1b2c3d4, 1);
	for (unsigned int i = 0; i < 4; i++)
		record(i, i, 30, 30);
	memset(&s, 0, sizeof(s));
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(capfile_from(&src, fd[0], "pipe", 64), 0);
	assert_int_equal(src->fd, fd[0]);
	for (size_t i = 0; i < m.n; i++) {
		assert_int_equal(src->ops->read(src, 10, seen_add, &s), 0);
		assert_int_equal(src->ops->arm(src), 0);
		before = s.n;
		assert_int_equal(write(fd[1], m.p + i, 1), 1);
		rc = src->ops->read(src, 10, seen_add, &s);
		assert_int_equal(rc, s.n - before);
	}
	close(fd[1]);
	assert_int_equal(s.n, 4);
	assert_int_equal(src->ops->read(src, 10, seen_add, &s), -ENODATA);
	src->ops->close(src);
}

static int stop_at_second(void *ctx, const struct frame *f)
{
	(void)ctx;
	return f->number == 2 ? 7 : 0;
}

static void the_budget_and_the_taker_stop_the_reading(void **state)
{
	struct source *src;

	(void)state;
	head(0xa1b2c3d4, 1);
	for (unsigned int i = 0; i < 5; i++)
		record(i, i, 30, 30);
	memset(&s, 0, sizeof(s));
	assert_int_equal(capfile_from(&src, memory_file(m.p, m.n), "test", 64), 0);
	assert_int_equal(src->fd, -1);
	assert_int_equal(src->ops->read(src, 1, stop_at_second, NULL), 1);
	assert_int_equal(src->ops->arm(src), 1);
	assert_int_equal(src->ops->read(src, 9, stop_at_second, NULL), SOURCE_STOPPED);
	assert_int_equal(src->stop, 7);
	assert_int_equal(src->ops->read(src, 2, seen_add, &s), 2);
	assert_int_equal(src->ops->read(src, 2, seen_add, &s), 1);
	assert_int_equal(src->ops->read(src, 2, seen_add, &s), -ENODATA);
	src->ops->close(src);
}

static void what_cannot_be_opened_is_said(void **state)
{
	struct source *src = NULL;

	(void)state;
	assert_int_equal(capfile_open(&src, "/nonexistent/file"), -ENOENT);
	assert_int_equal(capfile_open(&src, "/"), -EISDIR);
	assert_null(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_resolutions_and_orders_are_read),
		cmocka_unit_test(the_modified_format_tells_the_direction),
		cmocka_unit_test(the_upper_half_of_the_link_type_is_masked),
		cmocka_unit_test(old_versions_have_the_lengths_the_other_way_round),
		cmocka_unit_test(more_captured_than_on_the_wire_is_mended),
		cmocka_unit_test(every_truncation_gives_the_good_frames_and_then_an_error),
		cmocka_unit_test(a_record_that_claims_too_much_ends_the_reading),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(gzip_of_one_or_several_members_is_read),
		cmocka_unit_test(damaged_gzip_gives_what_came_before),
		cmocka_unit_test(a_pipe_is_never_waited_for),
		cmocka_unit_test(the_budget_and_the_taker_stop_the_reading),
		cmocka_unit_test(what_cannot_be_opened_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
