// SPDX-License-Identifier: GPL-2.0-or-later
#include "world.h"

#include "priv/sandbox.h"
#include "util/caps.h"

static pid_t child_of(pid_t parent)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* A zombie that nobody collects is dead, too. */
static bool ends_within(pid_t pid, unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i++, sleep_ms(1)) {
		char path[64], text[256] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return true;
		if (read(fd, text, sizeof(text) - 1) > 0 && strstr(text, ") Z "))
			i = ms;
		close(fd);
		if (i == ms)
			return true;
	}
	return false;
}

static void signals_of_the_terminal_do_not_end_it(void **state)
{
	struct helper *h = start(true, "any", NULL);
	pid_t pid = child_of(getpid());

	while (next(h).type != HELPER_READY)
		;
	assert_true(pid > 1);
	for (int sig = 1; sig < 16; sig++)
		if (sig == SIGHUP || sig == SIGINT || sig == SIGQUIT || sig == SIGTERM || sig == SIGPIPE)
			assert_int_equal(kill(pid, sig), 0);
	kill(pid, SIGTSTP);
	assert_int_equal(helper_detach(h), 0);
	helper_stop(h);
	assert_int_equal(child_of(getpid()), 0);
}

static void its_death_is_noticed(void **state)
{
	struct helper *h = start(true, "any", NULL);
	struct helper_event ev;
	char name[8];
	pid_t pid = child_of(getpid());

	while (next(h).type != HELPER_READY)
		;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(ends_within(pid, 1000));
	assert_int_equal(helper_next(h, &ev), -EPIPE);
	assert_int_equal(helper_detach(h), -EPIPE);
	assert_int_equal(helper_file(h, 1, 0, name, sizeof(name)), -EPIPE);
	helper_stop(h);
}

static void it_ends_with_the_reader(bool many, unsigned int attach_ms, unsigned int when_ms, int sig)
{
	pid_t reader, pid;

	if (many)
		for (uint32_t i = w->n + 1; w->n < LINKS; i++)
			add_link(i, "x");
	w->attach_ms = attach_ms;
	reader = fork();
	if (!reader) {
		start(true, "any", NULL);
		pause();
		_exit(0);
	}
	sleep_ms(when_ms);
	pid = child_of(reader);
	for (unsigned int i = 0; pid <= 1 && i < 200; i++) {	/* a busy machine: it has not forked yet */
		sleep_ms(10);
		pid = child_of(reader);
	}
	assert_true(pid > 1);
	if (sig != SIGKILL)
		kill(reader, sig);
	assert_int_equal(kill(reader, SIGKILL), 0);
	waitpid(reader, NULL, 0);
	assert_true(ends_within(pid, 1000));
	assert_int_equal(w->detached_all, 1);
}

static void it_ends_with_a_reader_killed_while_idle(void **state)
{
	it_ends_with_the_reader(false, 0, 50, SIGKILL);
}

static void it_ends_with_a_reader_killed_while_attaching(void **state)
{
	it_ends_with_the_reader(true, 10, 50, SIGKILL);
	assert_true(w->attached < 200);
}

static void it_ends_with_a_reader_that_never_listened(void **state)
{
	it_ends_with_the_reader(true, 0, 150, SIGKILL);
}

static void it_ends_with_a_reader_killed_while_stopped(void **state)
{
	it_ends_with_the_reader(false, 0, 50, SIGSTOP);
}

/* What the helper does when the reader, taken over, says this. */
static bool ends_it(const void *message, size_t size)
{
	struct helper_options opt = { 0 };
	int ask[2], tell[2];
	pid_t pid;
	bool ended;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, tell), 0);
	pid = fork();
	if (!pid) {
		close(ask[0]);
		close(tell[0]);
		helper_attend(&opt, ask[1], tell[1]);
	}
	close(ask[1]);
	close(tell[1]);
	assert_int_equal(send(ask[0], message, size, 0), size);
	ended = ends_within(pid, 100);
	close(ask[0]);
	close(tell[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return ended;
}

static void nonsense_ends_it(void **state)
{
	const struct ask unknown = { .what = 77 }, file = { .what = ASK_FILE };
	char large[1000] = { ASK_FILE };

	assert_true(ends_it(&unknown, sizeof(unknown)));
	assert_true(ends_it(&file, sizeof(file) - 1));
	assert_true(ends_it(large, sizeof(large)));
	assert_true(ends_it("", 1));
	assert_false(ends_it(&file, sizeof(file)));
}

static void read_status(pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, text, size - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fd);
}

static void it_keeps_only_what_it_needs(void **state)
{
	struct helper *h = start(true, "any", NULL);
	char status[8192];
	const char *caps;
	uint64_t have;

	while (next(h).type != HELPER_READY)
		;
	read_status(child_of(getpid()), status, sizeof(status));
	helper_stop(h);
	caps = strstr(status, "CapEff:");
	assert_non_null(caps);
	have = strtoull(caps + 7, NULL, 16);
	assert_int_equal(have & ~(CAP_BIT(12) | CAP_BIT(13) | CAP_BIT(24) | CAP_BIT(38) | CAP_BIT(39)), 0);
	assert_non_null(strstr(status, "Name:\tnetprobe-helper\n"));
	assert_non_null(strstr(status, "NoNewPrivs:\t1\n"));
	if (!SANDBOX_LEFT_OUT)
		assert_non_null(strstr(status, "Seccomp:\t2\n"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(signals_of_the_terminal_do_not_end_it),
		T(its_death_is_noticed),
		T(it_ends_with_a_reader_killed_while_idle),
		T(it_ends_with_a_reader_killed_while_attaching),
		T(it_ends_with_a_reader_that_never_listened),
		T(it_ends_with_a_reader_killed_while_stopped),
		T(nonsense_ends_it),
		T(it_keeps_only_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
