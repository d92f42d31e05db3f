// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "priv/priv.h"
#include "priv/sandbox.h"
#include "util/caps.h"

/* Exit status of fn run in a process of its own. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static int drop_everything(void)
{
	char done[256];
	struct priv_drop p = { .change_user = !geteuid(), .uid = 1234, .gid = 4321, .done = done,
			       .done_size = sizeof(done) };
	bool was_root = !geteuid();
	struct rlimit lim;

	if (priv_drop(&p))
		return 1;
	if (was_root && (getuid() != 1234 || getegid() != 4321))
		return 2;
	if (!strstr(done, "caps nnp") || (was_root && !strstr(done, "uid=1234")))
		return 3;
	if (SANDBOX_LEFT_OUT)
		return 0;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM)
		return 4;
	if (!getrlimit(RLIMIT_NPROC, &lim))	/* not in the list */
		return 5;
	return fork() >= 0 ? 6 : 0;
}

static void after_the_drop_nothing_is_left(void **state)
{
	assert_int_equal(in_child(drop_everything), 0);
}

/* The process goes on, knows, and says the first one's name once. */
static int try_the_forbidden(void)
{
	struct priv_drop p = { 0 };
	char text[1024];
	int said[2];
	ssize_t n;

	if (SANDBOX_LEFT_OUT)
		return 0;
	if (pipe(said) || dup2(said[1], STDERR_FILENO) < 0)
		return 5;
	if (priv_drop(&p) || priv_refused())
		return 1;
	if (fork() >= 0 || errno != EPERM || priv_refused())	/* its caller tells */
		return 2;
	for (int i = 0; i < 3; i++)
		if (dup(1) >= 0 || chdir("/") >= 0 || errno != EPERM)
			return 3;
	if (priv_refused() != -ENOSYS || priv_refused() != -ENOSYS)
		return 4;
	n = read(said[0], text, sizeof(text) - 1);
	if (n <= 0)
		return 6;
	text[n] = '\0';
	return !strncmp(text, "netprobe: the sandbox refused dup (", 35) && strchr(text, '\n') == text + n - 1 ? 0 : 7;
}

static void a_refused_call_is_known_and_named(void **state)
{
	assert_int_equal(in_child(try_the_forbidden), 0);
}

static int drop_without_setuid(void)
{
	char done[256];
	struct priv_drop p = { .change_user = true, .uid = 1234, .gid = 1234, .done = done,
			       .done_size = sizeof(done) };

	if (caps_keep(CAP_BIT(CAP_NET_ADMIN)))
		return 1;
	p.must_change = true;
	if (priv_drop(&p) != -EPERM)
		return 2;
	p.must_change = false;
	if (priv_drop(&p))
		return 3;
	return strstr(done, "uid:no caps nnp") ? 0 : 4;
}

static void a_container_without_setuid_works_but_z_says_so(void **state)
{
	assert_int_equal(in_child(drop_without_setuid), 0);
}

static int short_room(void)
{
	char done[9] = "";
	struct priv_drop p = { .done = done, .done_size = sizeof(done) };

	if (priv_drop(&p))
		return 1;
	return strlen(done) < sizeof(done) ? 0 : 2;
}

static void the_word_list_stays_in_its_room(void **state)
{
	assert_int_equal(in_child(short_room), 0);
}

static int landlock_reader(void)
{
	char path[] = "/tmp/test_priv.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC), version;

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	unlink(path);
	version = sandbox_landlock(SANDBOX_READER, -1);
	if (!version)
		return 0;	/* this kernel has none */
	if (version < 0 || open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 2;
	/* What is open goes on working. */
	if (write(fd, "0123456789", 10) != 10 || ftruncate(fd, 5) || lseek(fd, 0, SEEK_END) != 5 || fsync(fd))
		return 3;
	return 0;
}

static int landlock_helper(void)
{
	char dir[] = "/tmp/test_priv.XXXXXX";
	int fd, file;

	if (!mkdtemp(dir) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || sandbox_landlock(SANDBOX_HELPER, fd) < 0)
		return 2;
	file = openat(fd, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, 0))
		return 3;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		return 4;
	if (open("/tmp/test_priv.other", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
		return 5;
	return unlinkat(fd, "f", 0) && errno == EACCES ? 0 : 6;
}

static void landlock_alone_denies_files_and_keeps_open_ones(void **state)
{
	assert_int_equal(in_child(landlock_reader), 0);
}

static void landlock_gives_the_helper_one_directory(void **state)
{
	assert_int_equal(in_child(landlock_helper), 0);
	assert_int_equal(system("rm -rf /tmp/test_priv.??????"), 0);
}

/* ── users and capabilities ───────────────────────────────────────────────── */
static void users_are_names_or_numbers(void **state)
{
	uint32_t uid = 7, gid = 7;

	assert_int_equal(priv_user("root", &uid, &gid), 0);
	assert_int_equal(uid | gid, 0);
	assert_int_equal(priv_user("nobody", &uid, &gid), 0);
	assert_int_equal(uid, 65534);
	assert_int_equal(priv_user("4000000000", &uid, &gid), 0);
	assert_true(uid == 4000000000U && gid == 4000000000U);
	assert_int_equal(priv_user("12:34", &uid, &gid), 0);
	assert_true(uid == 12 && gid == 34);
}

static void users_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", ":", "1:", ":1", "-1", "4294967295", "99999999999999999999",
					   "no such user", "root:x", "1:2:3", "0x10", "roo" };
	uint32_t uid = 7, gid = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(priv_user(bad[i], &uid, &gid), -ENOENT);
	assert_true(uid == 7 && gid == 7);
}

static int missing_is(uint64_t keep, bool tracing, int n, const char *expected)
{
	char text[128];

	if (caps_keep(keep))
		return 1;
	return caps_missing(NEED_CAPTURE(tracing), text, sizeof(text)) == n && !strcmp(text, expected) ? 0 : 2;
}

#define BPF CAP_BIT(39)
#define PERFMON CAP_BIT(38)

static int with_nothing(void)
{
	return missing_is(0, false, 2, "CAP_BPF, CAP_NET_ADMIN");
}

static int with_bpf(void)
{
	return missing_is(BPF, true, 2, "CAP_NET_ADMIN, CAP_PERFMON");
}

static int with_raw(void)
{
	return missing_is(CAP_BIT(CAP_NET_RAW), false, 1, "CAP_BPF");
}

static int with_both(void)
{
	return missing_is(BPF | CAP_BIT(CAP_NET_ADMIN), false, 0, "");
}

static int with_admin(void)
{
	return missing_is(CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_NET_ADMIN), true, 0, "");
}

/* One that serves two needs is named once; who may not change user is told what for. */
static int for_each_need(void)
{
	char text[128];

	if (caps_keep(CAP_BIT(CAP_SETUID)))
		return 1;
	if (caps_missing(NEED_NET_ADMIN | NEED_BPF | NEED_HOOK, text, sizeof(text)) != 2 ||
	    strcmp(text, "CAP_BPF, CAP_NET_ADMIN"))
		return 2;
	if (caps_missing(NEED_USER, text, sizeof(text)) != 1 || strcmp(text, "CAP_SETGID"))
		return 3;
	if (caps_for(NEED_FILES) != (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE)))
		return 4;
	return strcmp(caps_name(NEED_NETNS), "CAP_SYS_ADMIN") || strcmp(caps_name(NEED_BPF), "CAP_BPF") ? 5 : 0;
}

static void what_is_missing_is_named(void **state)
{
	if (geteuid() || prctl(PR_CAPBSET_READ, 39, 0, 0, 0) != 1)
		skip();
	assert_int_equal(in_child(with_nothing), 0);
	assert_int_equal(in_child(with_bpf), 0);
	assert_int_equal(in_child(with_raw), 0);
	assert_int_equal(in_child(with_both), 0);
	assert_int_equal(in_child(with_admin), 0);
	assert_int_equal(in_child(for_each_need), 0);
}

static int little_room(void)
{
	char text[8];

	return caps_keep(0) || caps_missing(NEED_CAPTURE(true), text, sizeof(text)) < 2 || strlen(text) > 7;
}

static void a_long_list_is_cut_to_its_room(void **state)
{
	assert_int_equal(in_child(little_room), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_the_drop_nothing_is_left),
		cmocka_unit_test(a_refused_call_is_known_and_named),
		cmocka_unit_test(a_container_without_setuid_works_but_z_says_so),
		cmocka_unit_test(the_word_list_stays_in_its_room),
		cmocka_unit_test(landlock_alone_denies_files_and_keeps_open_ones),
		cmocka_unit_test(landlock_gives_the_helper_one_directory),
		cmocka_unit_test(users_are_names_or_numbers),
		cmocka_unit_test(users_that_are_none_are_refused),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(a_long_list_is_cut_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
