// SPDX-License-Identifier: GPL-2.0-or-later
/* What a child of ours that keeps privileges does first. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "priv/priv.h"
#include "priv/sandbox.h"
#include "util/caps.h"
#include "util/err.h"

enum { OUT_OF_THE_WAY = 16, FDS_KNOWN = 1024, SYS_close_range_of = 436 };

void priv_child_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first)
{
	if (!syscall(SYS_close_range_of, (unsigned int)first, ~0U, 0))
		return;
	for (int fd = first; fd < FDS_KNOWN; fd++)
		close(fd);
}

void priv_child_fds(int *const mine[], int n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 2; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	/* Above where they are to stand, which may be where one of them is; then there. */
	for (int i = 0; i < n; i++)
		*mine[i] = fcntl(*mine[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	for (int i = 0; i < n; i++) {
		*mine[i] = dup3(*mine[i], 3 + i, O_CLOEXEC);
		if (*mine[i] < 0)
			_exit(1);
	}
	close_from(3 + n);
}

int priv_keep(unsigned int needs, int dir)
{
	const struct rlimit none = { 0, 0 };
	int err;

	caps_unbound();
	err = caps_keep(caps_for(needs));
	if (err)
		return err;
	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(errno, "cannot set no_new_privs");
	if (SANDBOX_LEFT_OUT)
		return 0;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	err = sandbox_landlock(SANDBOX_HELPER, dir);
	if (err >= 0)
		err = sandbox_seccomp(SANDBOX_HELPER, NULL);
	return err < 0 ? err : 0;
}
