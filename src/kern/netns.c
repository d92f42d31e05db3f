// SPDX-License-Identifier: GPL-2.0-or-later
/* Network namespaces: all that can be found. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kern/link.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { NETNS_MAX = 4096 };

struct walk {
	int (*fn)(void *ctx);
	void *ctx;
	unsigned int *missed;
	uint64_t inode[NETNS_MAX];	/* of those that were met */
	unsigned int n;
};

/* Beyond NETNS_MAX one is missed as often as it is met. */
static bool is_new(struct walk *w, uint64_t inode)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (w->inode[i] == inode)
			return false;
	if (w->n == NETNS_MAX) {
		(*w->missed)++;
		return false;
	}
	w->inode[w->n++] = inode;
	return true;
}

static int visit(struct walk *w, const char *path)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return 0;		/* the process is gone */
	if (!is_new(w, st.st_ino))
		return 0;
	if (setns(fd, CLONE_NEWNET)) {
		(*w->missed)++;
		return 0;
	}
	return w->fn(w->ctx);
}

static int visit_dir(struct walk *w, const char *dir, const char *tail, bool digits)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	char path[320];
	int rc = 0;

	while (d && !rc && (e = readdir(d))) {
		if (e->d_name[0] == '.' || (digits && !isdigit((unsigned char)e->d_name[0])))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, e->d_name, tail);
		rc = visit(w, path);
	}
	if (d)
		closedir(d);
	return rc;
}

int netns_each(int (*fn)(void *ctx), void *ctx, unsigned int *missed)
{
	owned_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	owned_mem struct walk *w = calloc(1, sizeof(*w));
	int rc;

	if (!w || home < 0)
		return fail(home < 0 ? errno : ENOMEM, "network namespaces");
	w->fn = fn;
	w->ctx = ctx;
	w->missed = missed;
	rc = visit(w, "/proc/self/ns/net");
	if (!rc)
		rc = visit_dir(w, "/run/netns", "", false);
	if (!rc)
		rc = visit_dir(w, "/proc", "/ns/net", true);
	return setns(home, CLONE_NEWNET) && !rc ? fail(errno, "back to our network namespace") : rc;
}
