// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sink_text.h"

static char path[64];

static int temp_file(int flags)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/test_out.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC | flags);
	assert_true(fd >= 0);
	return fd;
}

static size_t file_size(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return (size_t)st.st_size;
}

static void nothing_is_written_before_a_flush_or_a_full_batch(void **state)
{
	struct out *o;
	unsigned int i;

	assert_int_equal(out_open(&o, temp_file(0), path), 0);
	assert_true(o->regular && !o->tty);
	assert_int_equal(put(o, 'a', 100), 0);
	assert_int_equal(file_size(path), 0);
	assert_int_equal(out_flush(o), 0);
	assert_int_equal(file_size(path), 100);
	for (i = 0; i < 655; i++)
		put(o, 'b', 100);
	assert_int_equal(file_size(path), 100);
	assert_int_equal(put(o, 'c', 100), 0);
	assert_int_equal(file_size(path), 65700);
	assert_int_equal(o->records, 657);
	assert_int_equal(o->file_bytes, 65700);
	assert_int_equal(out_close(o), 0);
	unlink(path);
}

static void many_tiny_records_are_written_too(void **state)
{
	struct out *o;
	unsigned int i;

	assert_int_equal(out_open(&o, temp_file(0), path), 0);
	for (i = 0; i < 3 * OUT_ENDS; i++)
		assert_int_equal(put(o, 'a', 2), 0);
	assert_int_equal(file_size(path), 6 * OUT_ENDS);
	assert_int_equal(out_close(o), 0);
	unlink(path);
}

static void an_abandoned_record_leaves_no_trace(void **state)
{
	struct out *o;

	assert_int_equal(out_open(&o, temp_file(0), path), 0);
	put(o, 'a', 10);
	out_begin(o, 1);
	buf_lit(&o->buf, "half");
	out_abandon(o);
	/* The same by beginning the next one. */
	buf_lit(&o->buf, "half");
	put(o, 'b', 10);
	buf_lit(&o->buf, "half");
	assert_int_equal(out_close(o), 0);
	assert_int_equal(file_size(path), 20);
	unlink(path);
}

static void a_full_device_fails_within_one_write(void **state)
{
	struct out *o;

	assert_int_equal(out_open(&o, open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full"), 0);
	assert_int_equal(put(o, 'a', 10), 0);
	assert_int_equal(put(o, 'a', 10), 0);
	assert_int_equal(out_flush(o), -ENOSPC);
	assert_int_equal(o->lost, 2);
	/* Sticky: nothing is tried again, nothing said again. */
	assert_int_equal(out_flush(o), -ENOSPC);
	assert_int_equal(put(o, 'a', 10), -ENOSPC);
	assert_int_equal(o->lost, 2);
	assert_int_equal(out_close(o), -ENOSPC);
}

/* In a child, for the limit cannot be taken back.  Returns what is left of 3 batches. */
static void run_limited(size_t limit, size_t record, size_t before, bool append)
{
	struct rlimit lim = { limit, limit };
	int fd = temp_file(append ? O_APPEND : 0), status;
	pid_t pid = fork();

	if (!pid) {
		struct out *o;
		unsigned int i;
		int rc = 0;

		alarm(20);
		signal(SIGXFSZ, SIG_IGN);
		if (before && (ftruncate(fd, (off_t)before) || lseek(fd, 0, SEEK_END) < 0))
			_exit(1);
		if (setrlimit(RLIMIT_FSIZE, &lim) || out_open(&o, fd, path))
			_exit(2);
		for (i = 0; i < 200000 / record && !rc; i++)
			rc = put(o, 'a', record);
		if (!rc)
			rc = out_flush(o);
		if (o->written != o->records - o->lost)
			_exit(6);
		/* Records on disk and records lost are all there were. */
		if (rc != -EFBIG || o->records - o->lost != (limit - before) / record)
			_exit(3);
		if (o->file_bytes != (o->records - o->lost) * record)
			_exit(4);
		_exit(out_close(o) == -EFBIG ? 0 : 5);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(file_size(path), before + (limit - before) / record * record);
	unlink(path);
}

static void a_file_that_cannot_grow_ends_on_a_record_boundary(void **state)
{
	run_limited(10007, 100, 0, false);
	run_limited(65536 + 50, 100, 0, false);
	run_limited(100007, 977, 0, false);
	run_limited(10, 100, 0, false);
	run_limited(100000, 100, 0, false);
	run_limited(70000, 69000, 0, false);
	/* Behind what was there before: only our own part is cut. */
	run_limited(10007, 100, 33, false);
	run_limited(10007, 100, 33, true);
}

static void a_full_file_system_leaves_whole_records(void **state)
{
	char dir[] = "/tmp/test_out_fs.XXXXXX", file[128];
	struct out *o;
	size_t size;
	int rc = 0;

	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "mount -t tmpfs -o size=256k none %s 2>/dev/null", dir);
	if (geteuid() || system(file)) {
		rmdir(dir);
		skip();
	}
	snprintf(file, sizeof(file), "%s/f", dir);
	assert_int_equal(out_open(&o, open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), file), 0);
	while (!rc)
		rc = put(o, 'a', 997);
	assert_int_equal(rc, -ENOSPC);
	size = file_size(file);
	assert_int_equal(size % 997, 0);
	assert_true(size > 200000);
	assert_int_equal(o->records - o->lost, size / 997);
	assert_int_equal(out_close(o), -ENOSPC);
	unlink(file);
	snprintf(file, sizeof(file), "umount %s", dir);
	assert_int_equal(system(file), 0);
	rmdir(dir);
}

static void a_file_that_others_append_to_is_not_cut(void **state)
{
	struct out *o;
	int fd;

	assert_int_equal(out_open(&o, temp_file(0), path), 0);
	put(o, 'a', 10);
	out_flush(o);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "other", 5), 5);
	close(fd);
	assert_int_equal(out_close(o), 0);
	assert_int_equal(file_size(path), 15);
	unlink(path);
}

static void a_closed_pipe_is_a_quiet_end(void **state)
{
	struct out *o;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(out_open(&o, fd[1], "pipe"), 0);
	put(o, 'a', 10);
	close(fd[0]);
	assert_int_equal(out_flush(o), 1);
	assert_true(o->closed);
	assert_int_equal(o->lost, 0);
	assert_int_equal(o->written, 0);
	assert_int_equal(put(o, 'a', 10), 1);
	assert_int_equal(out_close(o), 1);
}

static void a_closed_pipe_is_noticed_without_writing(void **state)
{
	struct out *o;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(out_open(&o, fd[1], "pipe"), 0);
	assert_int_equal(out_gone(o), 0);
	close(fd[0]);
	assert_int_equal(out_gone(o), 1);
	assert_int_equal(out_gone(o), 1);
	assert_int_equal(out_close(o), 1);
}

/* The next one may come before anything is written. */
static void a_named_pipe_waits_for_its_next_reader(void **state)
{
	struct out *o;
	int reader;

	snprintf(path, sizeof(path), "/tmp/test_out.%d", getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(out_open(&o, open(path, O_WRONLY), path), 0);
	close(reader);
	assert_int_equal(out_gone(o), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	put(o, 'a', 10);
	assert_int_equal(out_flush(o), 0);
	assert_int_equal(out_close(o), 0);
	close(reader);
	unlink(path);
}

/* A reader that takes little by little, with pauses: short writes and EAGAIN. */
static void a_slow_pipe_gets_everything(void **state)
{
	enum { RECORDS = 3000, SIZE = 101 };
	struct out *o;
	int fd[2], status, rc = 0;
	unsigned int i;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		char b[4099];
		size_t sum = 0;
		ssize_t n;

		alarm(20);
		close(fd[1]);
		while ((n = read(fd[0], b, sizeof(b))) > 0) {
			sum += (size_t)n;
			usleep(100);
		}
		_exit(sum == RECORDS * SIZE ? 0 : 1);
	}
	close(fd[0]);
	assert_int_equal(out_open(&o, fd[1], "pipe"), 0);
	for (i = 0; i < RECORDS && !rc; i++)
		rc = put(o, 'a', SIZE);
	assert_int_equal(rc, 0);
	assert_int_equal(out_close(o), 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void standard_output_of_others_stays_blocking(void **state)
{
	struct out *o;
	int fd[2], other;

	assert_int_equal(pipe(fd), 0);
	other = dup(fd[1]);
	assert_int_equal(out_open(&o, fd[1], "pipe"), 0);
	assert_true(fcntl(o->fd, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(other, F_GETFL) & O_NONBLOCK);
	out_close(o);
	close(other);
	close(fd[0]);
}

static void a_stuck_reader_does_not_hold_up_the_end(void **state)
{
	struct out *o;
	int fd[2], wake[2], rc = 0;

	alarm(20);
	assert_int_equal(pipe(fd) | pipe(wake), 0);
	assert_int_equal(out_open(&o, fd[1], "stuck pipe"), 0);
	o->wake_fd = wake[0];
	assert_int_equal(write(wake[1], "", 1), 1);
	while (!rc)
		rc = put(o, 'a', 1000);
	assert_true(rc < 0);
	assert_true(o->hurry);
	assert_true(o->lost > 0 && o->lost < o->records);
	assert_true(out_close(o) < 0);
	close(fd[0]);
	close(wake[0]);
	close(wake[1]);
	alarm(0);
}

static int put_head(void *ctx)
{
	struct out *o = ctx;

	buf_lit(&o->buf, "HEAD\n");
	return out_commit(o);
}

static int put_tail(void *ctx)
{
	struct out *o = ctx;

	buf_lit(&o->buf, "TAIL\n");
	return out_commit(o);
}

struct series {
	char dir[32];
	unsigned int opened;
	unsigned int last_seq;
	bool full, stays;
};

static int open_series(void *ctx, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	struct series *s = ctx;

	if (s->full)
		return -ENOSPC;
	if (seq == OUT_AGAIN && s->stays)
		return -EEXIST;
	s->opened++;
	s->last_seq = seq;
	snprintf(name, size, "%s/%u", s->dir, seq);
	return open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
}

static struct out *start_series(struct series *s)
{
	struct out *o;
	char name[64];

	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/test_out_s.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(out_open(&o, open_series(s, 0, 0, name, sizeof(name)), name), 0);
	o->next = open_series;
	o->next_ctx = s;
	o->head = put_head;
	o->tail = put_tail;
	o->head_ctx = o;
	assert_int_equal(out_head(o), 0);
	return o;
}

/* Bytes of file `seq`, which is removed. */
static size_t series_size(struct series *s, unsigned int seq)
{
	char name[64];
	size_t n;

	snprintf(name, sizeof(name), "%s/%u", s->dir, seq);
	n = file_size(name);
	unlink(name);
	return n;
}

static int put_at(struct out *o, uint64_t time_ns)
{
	int rc = out_begin(o, time_ns);

	if (rc)
		return rc;
	buf_lit(&o->buf, "123456789\n");
	return out_commit(o);
}

static void files_are_ended_by_size_and_no_record_is_lost(void **state)
{
	struct series s;
	struct out *o = start_series(&s);
	unsigned int i;
	size_t sum = 0;

	o->max_bytes = 45;	/* head and four records are not larger, five are */
	for (i = 0; i < 23; i++)
		assert_int_equal(put_at(o, 1), 0);
	assert_int_equal(out_tail(o), 0);
	assert_int_equal(out_flush(o), 0);
	assert_int_equal(o->records, 23);
	assert_int_equal(o->written, 23);	/* heads and tails are none */
	assert_int_equal(s.opened, 5);
	for (i = 0; i < 4; i++)
		assert_int_equal(series_size(&s, i), 5 + 50 + 5);
	sum = series_size(&s, 4);
	assert_int_equal(sum, 5 + 30 + 5);
	out_close(o);
	rmdir(s.dir);
}

static void a_ring_of_files_starts_over(void **state)
{
	struct series s;
	struct out *o = start_series(&s);
	unsigned int i;

	o->max_bytes = 10;
	o->max_files = 3;
	for (i = 0; i < 8; i++)
		assert_int_equal(put_at(o, 1), 0);
	assert_int_equal(s.opened, 8);
	assert_int_equal(s.last_seq, 1);
	out_close(o);
	for (i = 0; i < 3; i++)
		series_size(&s, i);
	assert_int_equal(rmdir(s.dir), 0);
}

static void periods_begin_with_their_first_record(void **state)
{
	static const uint64_t times[] = { 100, 105, 109, 110, 119, 118, 90, 135, 136, 145 };
	struct series s;
	struct out *o = start_series(&s);

	o->period_ns = 10;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(put_at(o, times[i]), 0);
	out_close(o);
	assert_int_equal(s.opened, 4);
	assert_int_equal(series_size(&s, 0), 5 + 30 + 5);
	assert_int_equal(series_size(&s, 1), 5 + 40 + 5);
	assert_int_equal(series_size(&s, 2), 5 + 20 + 5);
	assert_int_equal(series_size(&s, 3), 5 + 10);
	rmdir(s.dir);
}

static void a_number_of_periods_is_the_end(void **state)
{
	struct series s;
	struct out *o = start_series(&s);

	o->period_ns = 10;
	o->max_files = 2;
	assert_int_equal(put_at(o, 100), 0);
	assert_int_equal(put_at(o, 110), 0);
	assert_int_equal(put_at(o, 119), 0);
	assert_int_equal(put_at(o, 120), 1);
	assert_int_equal(s.opened, 2);
	assert_int_equal(o->records, 3);
	out_close(o);
	series_size(&s, 0);
	series_size(&s, 1);
	rmdir(s.dir);
}

/* What is buffered and the tail go to the old file; the numbers go on as if nothing had been. */
static void a_reopened_file_is_whole_and_counts_for_nothing(void **state)
{
	struct series s;
	struct out *o = start_series(&s);

	o->period_ns = 10;
	o->max_files = 2;
	assert_int_equal(put_at(o, 100), 0);
	s.stays = true;
	assert_int_equal(out_reopen(o), 0);
	s.stays = false;
	s.full = true;		/* no new one can be made: the old one is written on */
	assert_int_equal(out_reopen(o), 0);
	s.full = false;
	assert_int_equal(put_at(o, 101), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(out_reopen(o), 0);
	assert_int_equal(put_at(o, 102), 0);
	assert_int_equal(put_at(o, 110), 0);
	assert_int_equal(s.last_seq, 1);
	assert_int_equal(put_at(o, 120), 1);
	assert_int_equal(put_at(o, 121), 1);
	assert_int_equal(out_close(o), 0);
	assert_int_equal(series_size(&s, 0), 5 + 20 + 5);
	assert_int_equal(series_size(&s, OUT_AGAIN), 5 + 10 + 5);
	assert_int_equal(series_size(&s, 1), 5 + 10);
	assert_int_equal(rmdir(s.dir), 0);
}

static void a_file_that_cannot_be_opened_ends_the_series(void **state)
{
	struct series s;
	struct out *o = start_series(&s);

	o->max_bytes = 10;
	assert_int_equal(put_at(o, 1), 0);
	s.full = true;
	assert_int_equal(put_at(o, 1), -ENOSPC);
	assert_int_equal(put_at(o, 1), -ENOSPC);
	assert_int_equal(out_close(o), -ENOSPC);
	assert_int_equal(series_size(&s, 0), 5 + 10 + 5);
	rmdir(s.dir);
}

static void a_terminal_gets_each_record_at_once(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
	struct out *o;
	char b[64];

	assert_true(master >= 0);
	if (grantpt(master) || unlockpt(master))
		skip();
	fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		skip();
	assert_int_equal(out_open(&o, fd, "terminal"), 0);
	assert_true(o->tty);
	assert_int_equal(put(o, 'a', 10), 0);
	assert_int_equal(read(master, b, sizeof(b)), 11);	/* the newline becomes two */
	assert_int_equal(out_close(o), 0);
	close(master);
}

static void what_does_not_fit_in_memory_is_counted_as_lost(void **state)
{
	struct out *o;

	assert_int_equal(out_open(&o, temp_file(0), path), 0);
	o->buf.max = 8192;
	assert_int_equal(put(o, 'a', 10), 0);
	assert_int_equal(put(o, 'b', 9000), 0);
	assert_int_equal(put(o, 'c', 10), 0);
	assert_int_equal(o->records, 3);
	assert_int_equal(o->lost, 1);
	assert_int_equal(out_close(o), 0);
	assert_int_equal(file_size(path), 20);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_written_before_a_flush_or_a_full_batch),
		cmocka_unit_test(many_tiny_records_are_written_too),
		cmocka_unit_test(an_abandoned_record_leaves_no_trace),
		cmocka_unit_test(a_full_device_fails_within_one_write),
		cmocka_unit_test(a_file_that_cannot_grow_ends_on_a_record_boundary),
		cmocka_unit_test(a_full_file_system_leaves_whole_records),
		cmocka_unit_test(a_file_that_others_append_to_is_not_cut),
		cmocka_unit_test(a_closed_pipe_is_a_quiet_end),
		cmocka_unit_test(a_closed_pipe_is_noticed_without_writing),
		cmocka_unit_test(a_named_pipe_waits_for_its_next_reader),
		cmocka_unit_test(a_slow_pipe_gets_everything),
		cmocka_unit_test(standard_output_of_others_stays_blocking),
		cmocka_unit_test(a_stuck_reader_does_not_hold_up_the_end),
		cmocka_unit_test(files_are_ended_by_size_and_no_record_is_lost),
		cmocka_unit_test(a_ring_of_files_starts_over),
		cmocka_unit_test(periods_begin_with_their_first_record),
		cmocka_unit_test(a_number_of_periods_is_the_end),
		cmocka_unit_test(a_reopened_file_is_whole_and_counts_for_nothing),
		cmocka_unit_test(a_file_that_cannot_be_opened_ends_the_series),
		cmocka_unit_test(a_terminal_gets_each_record_at_once),
		cmocka_unit_test(what_does_not_fit_in_memory_is_counted_as_lost),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
