/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_CLEANUP_H
#define NETPROBE_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* A local that owns something says so; every return path then gives it back. */
#define owned_mem __attribute__((cleanup(owned_free_)))
#define owned_fd  __attribute__((cleanup(owned_close_)))

/* Hand the ownership on: *out = take(p).  Descriptors: take_fd(fd). */
#define take(p) ({ __typeof__(p) t_ = (p); (p) = NULL; t_; })
#define take_fd(fd) ({ int t_ = (fd); (fd) = -1; t_; })

static inline void owned_free_(void *p)
{
	free(*(void **)p);
}

static inline void owned_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
