// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "priv/rotate.h"

#define HOUR UINT64_C(3600000000000)
#define START (UINT64_C(1700000000) * 1000000000)	/* 2023-11-14 22:13:20 UTC */
#define ANY UINT32_MAX

static int enter(void **state)
{
	char *dir = strdup("/tmp/test_rotate.XXXXXX");

	setenv("TZ", "UTC", 1);
	if (!dir || !mkdtemp(dir) || chdir(dir))
		return -1;
	*state = dir;
	return 0;
}

static int leave(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	free(*state);
	return chdir("/") || system(command);
}

static struct rotate *open_rotate(const char *file, bool numbers, bool by_time, unsigned int max_files)
{
	struct rotate_options opt = { .file = file, .numbers = numbers, .by_time = by_time,
				      .max_files = max_files, .uid = ANY, .gid = ANY };
	struct rotate *r = NULL;

	assert_int_equal(rotate_open(&r, &opt), 0);
	return r;
}

static void next_is(struct rotate *r, unsigned int seq, uint64_t time_ns, const char *expected)
{
	char name[256] = "";
	int fd = rotate_next(r, seq, time_ns, name, sizeof(name));

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_string_equal(name, expected);
	assert_int_equal(access(expected, F_OK), 0);
}

static int next_fails(struct rotate *r, unsigned int seq, uint64_t time_ns)
{
	char name[256];
	int fd = rotate_next(r, seq, time_ns, name, sizeof(name));

	assert_true(fd < 0);
	return fd;
}

static void the_second_file_has_the_number_one(void **state)
{
	struct rotate *r = open_rotate("a", true, false, 0);

	next_is(r, 0, START, "a");
	next_is(r, 1, START, "a1");
	next_is(r, 2, START, "a2");
	rotate_close(r);
}

static void numbers_are_as_wide_as_the_last_one(void **state)
{
	static const struct { unsigned int max; const char *first, *second; } rows[] = {
		{ 1, "w", "w" }, { 2, "w0", "w1" }, { 10, "w0", "w1" }, { 11, "w00", "w01" },
		{ 100, "w00", "w01" }, { 101, "w000", "w001" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rotate *r = open_rotate("w", true, false, rows[i].max);

		next_is(r, 0, START, rows[i].first);
		next_is(r, 1, START, rows[i].second);
		rotate_close(r);
	}
}

static void a_ring_begins_again_and_empties_the_file(void **state)
{
	struct rotate *r = open_rotate("ring", true, false, 2);
	struct stat st;

	next_is(r, 0, START, "ring0");
	next_is(r, 1, START, "ring1");
	next_is(r, 2, START, "ring0");
	next_is(r, 3, START, "ring1");
	assert_int_equal(stat("ring0", &st), 0);
	assert_int_equal(st.st_size, 1);
	rotate_close(r);
}

static void the_time_is_in_the_name(void **state)
{
	struct rotate *r = open_rotate("t-%Y%m%d-%H%M%S.pcap", false, true, 0);

	next_is(r, 0, START, "t-20231114-221320.pcap");
	next_is(r, 1, START + HOUR, "t-20231114-231320.pcap");
	rotate_close(r);
}

static void time_and_size_count_within_a_period(void **state)
{
	struct rotate *r = open_rotate("b-%H", true, true, 0);

	next_is(r, 0, START, "b-22");
	next_is(r, 1, START, "b-221");
	next_is(r, 2, START + 1, "b-222");
	next_is(r, 3, START + HOUR, "b-23");
	next_is(r, 4, START + HOUR, "b-231");
	rotate_close(r);
}

static void a_time_too_coarse_does_not_overwrite(void **state)
{
	struct rotate *r = open_rotate("c-%Y", false, true, 0);

	next_is(r, 0, START, "c-2023");
	next_is(r, 1, START + HOUR, "c-20231");
	rotate_close(r);
}

static void time_does_not_run_back(void **state)
{
	struct rotate *r = open_rotate("d-%H", true, true, 0);

	next_is(r, 0, START + HOUR, "d-23");
	next_is(r, 1, START, "d-231");
	next_is(r, 2, 0, "d-232");
	rotate_close(r);
}

static void a_name_without_time_is_overwritten(void **state)
{
	struct rotate *r = open_rotate("e", false, true, 3);

	next_is(r, 0, START, "e");
	next_is(r, 1, START + HOUR, "e");
	next_is(r, 2, START + 2 * HOUR, "e");
	assert_int_equal(next_fails(r, 3, START + 3 * HOUR), -ERANGE);
	rotate_close(r);
}

static void folders_of_the_time_are_used(void **state)
{
	struct rotate *r;

	assert_int_equal(mkdir("base", 0700) | mkdir("base/2023", 0700), 0);
	r = open_rotate("base/%Y/f-%d", false, true, 0);
	next_is(r, 0, START, "base/2023/f-14");
	rotate_close(r);
}

static void a_number_out_of_order_is_refused(void **state)
{
	struct rotate *r = open_rotate("g", true, false, 0);

	assert_int_equal(next_fails(r, 1, START), -EPROTO);
	next_is(r, 0, START, "g");
	assert_int_equal(next_fails(r, 0, START), -EPROTO);
	assert_int_equal(next_fails(r, 2, START), -EPROTO);
	next_is(r, 1, START, "g1");
	rotate_close(r);
}

static void a_changed_working_directory_changes_nothing(void **state)
{
	struct rotate *r = open_rotate("h", true, false, 0);
	char name[64];
	int fd;

	next_is(r, 0, START, "h");
	assert_int_equal(chdir("/"), 0);
	fd = rotate_next(r, 1, START, name, sizeof(name));
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(access("h1", F_OK), 0);
	rotate_close(r);
}

static void files_are_for_the_owner_only(void **state)
{
	struct rotate *r = open_rotate("i", true, false, 0);
	mode_t mask = umask(0);
	struct stat st;

	next_is(r, 0, START, "i");
	umask(mask);
	assert_int_equal(stat("i", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	rotate_close(r);
}

static void a_file_that_is_not_regular_is_no_part_of_a_rotation(void **state)
{
	struct rotate *r = open_rotate("/dev/null", true, false, 0);

	assert_int_equal(next_fails(r, 0, START), -EINVAL);
	rotate_close(r);
	assert_int_equal(mkfifo("j", 0600), 0);
	r = open_rotate("j", true, false, 0);
	next_fails(r, 0, START);	/* and does not wait for a reader */
	rotate_close(r);
	r = open_rotate("/dev/null", false, false, 0);
	next_is(r, 0, START, "/dev/null");
	rotate_close(r);
}

static void a_file_moved_away_is_made_anew(void **state)
{
	struct rotate *r = open_rotate("k", false, false, 0);
	struct stat st;

	next_is(r, 0, START, "k");
	assert_int_equal(next_fails(r, 1, START), -EEXIST);
	assert_int_equal(stat("k", &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(rename("k", "k.old"), 0);
	next_is(r, 1, START, "k");
	rotate_close(r);
}

static int again(struct rotate *r)
{
	char name[256];
	int fd = rotate_next(r, ROTATE_AGAIN, START, name, sizeof(name));

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static size_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return (size_t)st.st_size;
}

/* In whatever series: the one being written is not emptied, the order is kept. */
static void a_file_of_a_series_is_made_anew_where_it_was_moved_away(void **state)
{
	static const struct {
		bool numbers, by_time;
		unsigned int max;
		const char *pattern, *second, *third;
	} rows[] = {
		{ true, false, 0, "again", "again1", "again2" },
		{ true, false, 2, "again-ring", "again-ring1", "again-ring0" },
		{ true, true, 0, "again-%H", "again-221", "again-222" },
		{ false, true, 3, "again-%H.pcap", "again-22.pcap1", "again-22.pcap2" },
		{ false, true, 3, "again-x", "again-x", "again-x" },
		{ false, true, 3, "./again-%y/../again-y", "./again-23/../again-y1", "./again-23/../again-y2" },
	};

	assert_int_equal(mkdir("again-23", 0700), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rotate *r = open_rotate(rows[i].pattern, rows[i].numbers, rows[i].by_time, rows[i].max);
		char first[64];
		int fd = rotate_next(r, 0, START, first, sizeof(first));

		assert_true(fd >= 0);
		close(fd);
		next_is(r, 1, START, rows[i].second);
		assert_int_equal(again(r), -EEXIST);
		assert_int_equal(size_of(rows[i].second), 1);
		assert_int_equal(rename(rows[i].second, "moved"), 0);
		assert_int_equal(again(r), 0);
		assert_int_equal(size_of("moved"), 1);
		assert_int_equal(size_of(rows[i].second), 0);
		assert_int_equal(again(r), -EEXIST);
		assert_int_equal(rename(rows[i].second, "moved too"), 0);
		assert_int_equal(again(r), 0);
		next_is(r, 2, START, rows[i].third);
		rotate_close(r);
	}
}

static void before_the_first_file_there_is_none_to_make_anew(void **state)
{
	struct rotate *r = open_rotate("again-none", true, false, 0);

	assert_int_equal(again(r), -EPROTO);
	rotate_close(r);
}

static void a_fifo_without_a_reader_is_not_waited_for_again(void **state)
{
	struct rotate *r = open_rotate("again-fifo", false, false, 0);
	int reader;

	assert_int_equal(mkfifo("again-fifo", 0600), 0);
	reader = open("again-fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	next_is(r, 0, START, "again-fifo");
	close(reader);
	alarm(20);
	assert_int_equal(again(r), -EEXIST);
	assert_int_equal(rename("again-fifo", "again-fifo.old") | mkfifo("again-fifo", 0600), 0);
	assert_int_equal(again(r), -EINVAL);
	alarm(0);
	rotate_close(r);
}

static void a_link_is_followed_only_where_nobody_could_plant_it(void **state)
{
	struct rotate *r = open_rotate("l", false, false, 0);

	assert_int_equal(symlink("target", "l"), 0);
	next_is(r, 0, START, "l");
	rotate_close(r);
	assert_int_equal(chmod(".", 01777), 0);
	r = open_rotate("l", false, false, 0);
	assert_int_equal(next_fails(r, 0, START), -ELOOP);
	rotate_close(r);
	assert_int_equal(chmod(".", 0700), 0);
}

static void a_file_planted_by_somebody_is_refused_and_kept(void **state)
{
	struct rotate *r;
	struct stat st;
	int fd;

	if (geteuid())
		skip();
	fd = open("m", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	assert_int_equal(write(fd, "theirs", 6), 6);
	assert_int_equal(fchown(fd, 1234, 1234), 0);
	close(fd);
	assert_int_equal(chmod(".", 01777), 0);
	r = open_rotate("m", false, false, 0);
	/* fs.protected_regular may be faster than we are (EACCES). */
	assert_true(next_fails(r, 0, START) != -EPROTO);
	rotate_close(r);
	assert_int_equal(stat("m", &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(link("k.old", "n"), 0);
	r = open_rotate("n", false, false, 0);
	assert_int_equal(next_fails(r, 0, START), -EPERM);
	rotate_close(r);
	assert_int_equal(chmod(".", 0700), 0);
}

/* `where`: a directory that others may write to, in one of three ways. */
static void make_untrusted(const char *where, int way)
{
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(chmod(where, way == 0 ? 01777 : way == 1 ? 0770 : 0700), 0);
	if (way == 2)
		assert_int_equal(chown(where, 1234, 1234), 0);
}

static void a_directory_of_others_is_not_trusted_whoever_they_are(void **state)
{
	struct rotate *r;
	int fd;

	if (geteuid())
		skip();
	for (int way = 0; way < 3; way++) {
		make_untrusted("shared", way);
		fd = open("shared/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_int_equal(write(fd, "theirs", 6), 6);
		assert_int_equal(fchown(fd, 4321, 4321), 0);
		close(fd);
		r = open_rotate("shared/f", false, false, 0);
		next_fails(r, 0, START);	/* EPERM; EACCES where fs.protected_regular is faster */
		rotate_close(r);
		assert_int_equal(size_of("shared/f"), 6);
		assert_int_equal(link("shared/f", "shared/second") | chown("shared/f", 0, 0), 0);
		r = open_rotate("shared/second", false, false, 0);
		assert_int_equal(next_fails(r, 0, START), -EPERM);
		rotate_close(r);
		assert_int_equal(symlink("f", "shared/link"), 0);
		r = open_rotate("shared/link", true, false, 0);
		assert_int_equal(next_fails(r, 0, START), -ELOOP);
		rotate_close(r);
		assert_int_equal(size_of("shared/f"), 6);
		assert_int_equal(system("rm -r shared"), 0);
	}
}

static void a_folder_of_the_time_is_no_link_that_others_made(void **state)
{
	struct rotate *r;

	if (geteuid())
		skip();
	assert_int_equal(mkdir("outside", 0700), 0);
	for (int way = 0; way < 3; way++) {
		make_untrusted("shared", way);
		assert_int_equal(symlink("../outside", "shared/2023"), 0);
		r = open_rotate("shared/%Y/f", false, true, 0);
		next_fails(r, 0, START);
		rotate_close(r);
		assert_int_equal(access("outside/f", F_OK), -1);
		/* Nor one further down. */
		assert_int_equal(unlink("shared/2023") | mkdir("shared/2023", 0700), 0);
		assert_int_equal(chmod("shared/2023", 0770) | symlink("../../outside", "shared/2023/11"), 0);
		r = open_rotate("shared/%Y/%m/f", false, true, 0);
		next_fails(r, 0, START);
		rotate_close(r);
		assert_int_equal(access("outside/f", F_OK), -1);
		assert_int_equal(system("rm -r shared"), 0);
	}
	/* Our own link is meant. */
	assert_int_equal(mkdir("own", 0700) | symlink("../outside", "own/2023"), 0);
	r = open_rotate("own/%Y/f", false, true, 0);
	next_is(r, 0, START, "own/2023/f");
	rotate_close(r);
}

static void the_file_that_is_read_is_not_emptied(void **state)
{
	static const char *const names[] = { "input", "input.link", "input.second" };
	struct rotate_options opt = { .uid = ANY, .gid = ANY, .reads = true };
	char name[64];
	struct stat st;
	int fd = open("input", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "capture", 7), 7);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(symlink("input", "input.link") | link("input", "input.second"), 0);
	opt.read_dev = st.st_dev;
	opt.read_ino = st.st_ino;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct rotate *r = NULL;

		opt.file = names[i];
		opt.numbers = i;
		assert_int_equal(rotate_open(&r, &opt), 0);
		assert_int_equal(rotate_next(r, 0, START, name, sizeof(name)), -EINVAL);
		rotate_close(r);
		assert_int_equal(size_of("input"), 7);
	}
}

static void files_are_given_to_their_owner(void **state)
{
	struct rotate_options opt = { .file = "o", .numbers = true, .uid = 1234, .gid = 4321 };
	struct rotate *r = NULL;
	struct stat st;

	if (geteuid())
		skip();
	assert_int_equal(rotate_open(&r, &opt), 0);
	next_is(r, 0, START, "o");
	next_is(r, 1, START, "o1");
	assert_int_equal(stat("o1", &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 4321);
	rotate_close(r);
}

static void a_missing_directory_is_said_at_once(void **state)
{
	struct rotate_options opt = { .file = "nowhere/p", .uid = ANY, .gid = ANY };
	struct rotate *r = NULL;

	assert_int_equal(rotate_open(&r, &opt), -ENOENT);
	opt.file = "";
	assert_int_equal(rotate_open(&r, &opt), -EISDIR);
	opt.file = "/";
	assert_int_equal(rotate_open(&r, &opt), -EISDIR);
	assert_null(r);
}

static void a_name_too_long_is_refused(void **state)
{
	char file[5000];
	struct rotate *r;

	memset(file, 'x', sizeof(file));
	file[sizeof(file) - 1] = '\0';
	r = open_rotate(file, true, false, 0);
	assert_int_equal(next_fails(r, 0, START), -ENAMETOOLONG);
	rotate_close(r);
}

static struct rotate *open_live(const char *file, uint64_t max_bytes, uint64_t period_ns)
{
	struct rotate_options opt = { .file = file, .numbers = max_bytes, .by_time = period_ns, .uid = ANY, .gid = ANY,
				      .live = true, .max_bytes = max_bytes, .period_ns = period_ns };
	struct rotate *r = NULL;

	assert_int_equal(rotate_open(&r, &opt), 0);
	return r;
}

static uint64_t now_ns(void)
{
	return (uint64_t)time(NULL) * 1000000000;
}

/* Whoever asks may have been taken over by what it reads. */
static void no_file_follows_one_that_is_not_full(void **state)
{
	struct rotate *r = open_live("f", 100, 0);
	char name[256], text[100] = "";
	int fd = rotate_next(r, 0, now_ns(), name, sizeof(name));

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, 99), 99);
	assert_int_equal(rotate_next(r, 1, now_ns(), name, sizeof(name)), -EPROTO);
	assert_int_equal(access("f1", F_OK), -1);
	assert_int_equal(write(fd, text, 1), 1);
	close(fd);
	next_is(r, 1, now_ns(), "f1");
	assert_int_equal(rotate_next(r, 2, now_ns(), name, sizeof(name)), -EPROTO);
	rotate_close(r);
}

static void no_file_comes_before_its_period(void **state)
{
	struct rotate *r = open_live("g%s", 0, HOUR);
	uint64_t start = now_ns() - 2 * HOUR;
	char name[256], first[64], second[64];
	int fd;

	snprintf(first, sizeof(first), "g%llu", (unsigned long long)(start / 1000000000));
	snprintf(second, sizeof(second), "g%llu", (unsigned long long)((start + HOUR) / 1000000000));
	next_is(r, 0, start, first);
	assert_int_equal(rotate_next(r, 1, start + HOUR - 2000000000, name, sizeof(name)), -EPROTO);
	next_is(r, 1, start + HOUR, second);
	fd = rotate_next(r, 2, UINT64_MAX, name, sizeof(name));	/* a time to come is now */
	assert_true(fd >= 0);
	close(fd);
	assert_true(strtoull(name + 1, NULL, 10) * 1000000000 <= now_ns());
	assert_int_equal(rotate_next(r, 3, UINT64_MAX, name, sizeof(name)), -EPROTO);
	rotate_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_follows_one_that_is_not_full),
		cmocka_unit_test(no_file_comes_before_its_period),
		cmocka_unit_test(the_second_file_has_the_number_one),
		cmocka_unit_test(numbers_are_as_wide_as_the_last_one),
		cmocka_unit_test(a_ring_begins_again_and_empties_the_file),
		cmocka_unit_test(the_time_is_in_the_name),
		cmocka_unit_test(time_and_size_count_within_a_period),
		cmocka_unit_test(a_time_too_coarse_does_not_overwrite),
		cmocka_unit_test(time_does_not_run_back),
		cmocka_unit_test(a_name_without_time_is_overwritten),
		cmocka_unit_test(folders_of_the_time_are_used),
		cmocka_unit_test(a_number_out_of_order_is_refused),
		cmocka_unit_test(a_changed_working_directory_changes_nothing),
		cmocka_unit_test(files_are_for_the_owner_only),
		cmocka_unit_test(a_file_that_is_not_regular_is_no_part_of_a_rotation),
		cmocka_unit_test(a_file_moved_away_is_made_anew),
		cmocka_unit_test(a_file_of_a_series_is_made_anew_where_it_was_moved_away),
		cmocka_unit_test(before_the_first_file_there_is_none_to_make_anew),
		cmocka_unit_test(a_fifo_without_a_reader_is_not_waited_for_again),
		cmocka_unit_test(a_link_is_followed_only_where_nobody_could_plant_it),
		cmocka_unit_test(a_file_planted_by_somebody_is_refused_and_kept),
		cmocka_unit_test(a_directory_of_others_is_not_trusted_whoever_they_are),
		cmocka_unit_test(a_folder_of_the_time_is_no_link_that_others_made),
		cmocka_unit_test(the_file_that_is_read_is_not_emptied),
		cmocka_unit_test(files_are_given_to_their_owner),
		cmocka_unit_test(a_missing_directory_is_said_at_once),
		cmocka_unit_test(a_name_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
