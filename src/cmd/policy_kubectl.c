// SPDX-License-Identifier: GPL-2.0-or-later
/* policy --kubectl: the cluster's objects by the program that has the credentials for it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy.h"
#include "util/err.h"

enum { SYS_close_range_all = 436, WAIT_MS = 2000, STEP_MS = 20 };

static const char *const dirs[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/snap/bin", "/opt/bin",
				    "/var/lib/rancher/rke2/bin" };

int kubectl_find(const char *name, char *path, size_t size)
{
	if (strchr(name, '/'))
		return snprintf(path, size, "%s", name) < (int)size ? 0 : fail(ENAMETOOLONG, "%s", name);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (snprintf(path, size, "%s/%s", dirs[i], name) < (int)size && !access(path, X_OK))
			return 0;
	return fail(ENOENT, "%s: not in /usr/local/bin, /usr/bin and the like: --kubectl=/PATH/TO/kubectl", name);
}

void kubectl_become(const char *path, const char *const args[], int out, bool mute)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < SIGRTMIN; sig++)
		signal(sig, SIG_DFL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    (!mute || dup2(null, STDERR_FILENO) >= 0)) {
		/* Linux 5.9; what is ours stays ours. */
		if (syscall(SYS_close_range_all, 3, ~0U, 0))
			for (int fd = 3; fd < 1024; fd++)
				close(fd);
		execv(path, (char *const *)(uintptr_t)args);
	}
	fail(errno, "%s", path);
	_exit(127);
}

int kubectl_start(struct policy *p, const char *kinds)
{
	const char *name = *p->o->kubectl ? p->o->kubectl : "kubectl";
	char path[512];
	const char *const args[] = { path, "get", kinds, "--all-namespaces", "--output=json", "--request-timeout=60s",
				     NULL };
	int fds[2], err = kubectl_find(name, path, sizeof(path));

	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC))
		return fail(errno, "%s", name);
	p->kubectl = fork();
	if (!p->kubectl) {
		/* What nobody reads any more ends. */
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		kubectl_become(path, args, fds[1], false);
	}
	close(fds[1]);
	if (p->kubectl < 0) {
		close(fds[0]);
		return fail(errno, "%s", name);
	}
	p->kubectl_fd = fds[0];
	return 0;
}

int kubectl_end(struct policy *p)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	int status = 0;
	pid_t got;

	close(p->kubectl_fd);
	p->kubectl_fd = -1;
	/* It has closed its output, or we have had enough: it ends, or its next word ends it. */
	for (int waited = 0; (got = waitpid(p->kubectl, &status, WNOHANG)) <= 0; waited += STEP_MS) {
		if (got < 0 && errno != EINTR)
			return fail(errno, "kubectl");
		if (waited >= WAIT_MS)
			return fail(ETIMEDOUT, "kubectl has said all and does not end");
		nanosleep(&step, NULL);
	}
	if (WIFSIGNALED(status))
		return fail(0, "kubectl was ended by signal %d (%s): what it printed is not all", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return fail(0, "kubectl failed with status %d: what it printed is not all", WEXITSTATUS(status));
	return 0;
}
