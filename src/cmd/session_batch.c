// SPDX-License-Identifier: GPL-2.0-or-later
/* A command that opens what it needs, gives up its privileges and then reads what others made. */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/session.h"
#include "priv/priv.h"

enum { BUDGET = 4096 };

int batch_confine(void)
{
	struct stat st;
	bool known = !fstat(STDOUT_FILENO, &st);
	const struct priv_drop d = {
		.change_user = !geteuid(),
		.uid = PRIV_NOBODY,
		.gid = PRIV_NOBODY,
		.fds = { .ask = -1, .out = known && S_ISSOCK(st.st_mode) ? STDOUT_FILENO : 0 },
		.writes_files = known && S_ISREG(st.st_mode),
	};

	return priv_drop(&d);
}

int batch_read(struct source *s, frame_fn fn, void *ctx)
{
	for (;;) {
		int n = s->ops->read(s, BUDGET, fn, ctx);

		if (n == SOURCE_STOPPED)
			return s->stop;
		if (n == -ENODATA)
			return 0;
		if (n < 0)
			return n;
		if (!n && s->fd >= 0)
			poll(&(struct pollfd){ .fd = s->fd, .events = POLLIN }, 1, -1);
	}
}
