// SPDX-License-Identifier: GPL-2.0-or-later
/* Outputs that take nothing, and those that are gone. */
#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>

#include "sink_text.h"

/* As where there is no /proc: the descriptor is shared, and stays blocking. */
static void a_shared_output_is_written_with_care(void **state)
{
	enum { PIPE, SOCKET, TERMINAL, KINDS };

	alarm(20);
	for (int kind = PIPE; kind < KINDS; kind++) {
		int fd[2], wake[2], rc = 0;
		struct out *o;

		if (kind == PIPE)
			assert_int_equal(pipe(fd), 0);
		else if (kind == SOCKET)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		else if (openpty(&fd[0], &fd[1], NULL, NULL, NULL))
			skip();
		assert_int_equal(pipe(wake), 0);
		assert_int_equal(out_open(&o, dup(fd[1]), "stuck"), 0);
		assert_int_equal(dup2(fd[1], o->fd), o->fd);
		o->blocks = kind != SOCKET;
		o->wake_fd = wake[0];
		assert_int_equal(write(wake[1], "", 1), 1);
		while (!rc)
			rc = put(o, '\n', 1000);
		assert_true(rc < 0);
		assert_false(fcntl(fd[1], F_GETFL) & O_NONBLOCK);
		assert_true(o->lost > 0 && o->lost < o->records);
		assert_true(out_close(o) < 0);
		close(fd[0]);
		close(fd[1]);
		close(wake[0]);
		close(wake[1]);
	}
	alarm(0);
}

struct waker {
	int fd, reader;
	unsigned int asked;
};

/* The second time the reader takes something. */
static bool not_yet(void *ctx)
{
	struct waker *w = ctx;
	char b[65536];

	assert_int_equal(read(w->fd, b, 1), 1);
	if (++w->asked == 2)
		assert_true(read(w->reader, b, sizeof(b)) > 0);
	return false;
}

static void a_signal_that_does_not_end_is_no_hurry(void **state)
{
	int fd[2], wake[2];
	struct waker w;
	struct out *o;

	alarm(20);
	assert_int_equal(pipe(fd) | pipe(wake), 0);
	w = (struct waker){ .fd = wake[0], .reader = fd[0] };
	assert_int_equal(out_open(&o, fd[1], "pipe"), 0);
	o->wake_fd = wake[0];
	o->wake = not_yet;
	o->wake_ctx = &w;
	assert_int_equal(write(wake[1], "ab", 2), 2);
	for (int i = 0; i < 120; i++)
		assert_int_equal(put(o, 'a', 1000), 0);
	assert_int_equal(out_flush(o), 0);
	assert_int_equal(w.asked, 2);
	assert_false(o->hurry);
	assert_int_equal(out_close(o), 0);
	close(fd[0]);
	close(wake[0]);
	close(wake[1]);
	alarm(0);
}

static void a_terminal_that_is_gone_is_noticed(void **state)
{
	int master, slave;
	struct out *o;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		skip();
	assert_int_equal(out_open(&o, slave, "terminal"), 0);
	assert_int_equal(out_gone(o), 0);
	close(master);
	assert_int_equal(out_gone(o), -EIO);
	assert_int_equal(out_close(o), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_output_is_written_with_care),
		cmocka_unit_test(a_signal_that_does_not_end_is_no_hurry),
		cmocka_unit_test(a_terminal_that_is_gone_is_noticed),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
