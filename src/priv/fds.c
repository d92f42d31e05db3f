// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that we did not open. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "priv/priv.h"

enum { KNOWN_MAX = 1024 };

static bool came_along[KNOWN_MAX];

void priv_fds_begin(void)
{
	/* The wrong way round: reading the one and writing the other stay the errors that they were. */
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDWR };
	const struct dirent *e;
	DIR *dir;

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
			return;
	dir = opendir("/proc/self/fd");
	if (!dir) {
		for (int fd = 3; fd < KNOWN_MAX; fd++)
			came_along[fd] = fcntl(fd, F_GETFD) >= 0;
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		long fd = strtol(e->d_name, NULL, 10);

		if (fd > 2 && fd < KNOWN_MAX && fd != dirfd(dir))
			came_along[fd] = true;
	}
	closedir(dir);
}

void priv_fds_end(void)
{
	for (int fd = 3; fd < KNOWN_MAX; fd++)
		if (came_along[fd]) {
			close(fd);
			came_along[fd] = false;
		}
}
