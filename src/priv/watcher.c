// SPDX-License-Identifier: GPL-2.0-or-later
/* What a child gives up that only looks: at files, and at what the kernel tells by netlink. */
#include "priv/priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "priv/sandbox.h"
#include "util/caps.h"
#include "util/err.h"

enum { FILES_MAX = 64 };

#define MEMORY_MAX (UINT64_C(1) << 29)

/*
 * Root without capabilities still writes root's files.  Who may not read those of others stays root, and so does who
 * cannot become somebody else (a user namespace).  The permitted set stays, and caps_keep() takes from it.
 */
static int leave_root(void)
{
	const uint64_t needs = CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);
	struct cap_sets s;

	if (geteuid() || caps_get(&s) || (s.effective & needs) != needs)
		return 0;
	if (setgroups(0, NULL) || setresgid(PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY))
		return errno == EINVAL || errno == EPERM ? 0 : fail(errno, "cannot leave the groups of root");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return fail(errno, "cannot keep capabilities");
	if (setresuid(PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY) && errno != EINVAL)
		return fail(errno, "cannot become uid %d", PRIV_NOBODY);
	return 0;
}

static int limit(int resource, uint64_t most)
{
	struct rlimit r = { most, most }, now;

	if (!getrlimit(resource, &now) && now.rlim_max < most)
		r = now;
	return setrlimit(resource, &r) ? fail(errno, "cannot lower resource limits") : 0;
}

static int limits(uint64_t file_max)
{
	int err = limit(RLIMIT_CORE, 0);

	/* A file that became too long is an error, and no end. */
	signal(SIGXFSZ, SIG_IGN);
	if (!err)
		err = limit(RLIMIT_NOFILE, FILES_MAX);
	if (!err)
		err = limit(RLIMIT_FSIZE, file_max);
	if (!err && !SANDBOX_LEFT_OUT)
		err = limit(RLIMIT_NPROC, 0);
	if (!err && !SANDBOX_LEFT_OUT)
		err = limit(RLIMIT_DATA, MEMORY_MAX);
	return err;
}

int priv_watcher(int parent, uint64_t file_max)
{
	uint64_t keep = caps_for(NEED_NET_ADMIN) | CAP_BIT(CAP_DAC_READ_SEARCH);
	int err;

	caps_unbound();
	err = leave_root();
	if (!err)
		err = caps_keep(keep);
	if (!err)
		err = limits(file_max);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, SANDBOX_LEFT_OUT, 0, 0, 0))
		return fail(errno, "cannot set no_new_privs");
	/* Whoever becomes another user loses it: therefore now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
		return fail(ESRCH, "whoever wants to know of this node is gone");
	if (SANDBOX_LEFT_OUT)
		return 0;
	err = sandbox_landlock(SANDBOX_WATCHER, -1);
	if (err >= 0)
		err = sandbox_seccomp(SANDBOX_WATCHER, NULL);
	return err < 0 ? err : 0;
}
