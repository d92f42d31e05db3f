/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included by test_helper*.c: the kernel side, pretended, and how to talk to a helper on top of it. */
#ifndef NETPROBE_TESTS_WORLD_H
#define NETPROBE_TESTS_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "priv/helper.h"

/* ── a kernel to play with, shared by reader and helper ───────────────────── */
#define LINKS 3000

struct world {
	struct link_info links[LINKS];
	unsigned int n;
	int refuse;			/* attaching to this ifindex is refused */
	unsigned int attach_ms;
	unsigned int attached, detached, detached_all;
	int monitor[2];
};

static struct world *w;

static void sleep_ms(unsigned int ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

int link_each(link_fn fn, void *ctx)
{
	int err = 0;

	for (unsigned int i = 0; i < w->n && !err; i++)
		err = fn(ctx, &w->links[i]);
	return err;
}

int link_get(const char *name, uint32_t ifindex, struct link_info *out)
{
	for (unsigned int i = 0; i < w->n; i++) {
		if (strcmp(w->links[i].name, name))
			continue;
		*out = w->links[i];
		return 0;
	}
	return -ENODEV;
}

int link_monitor_open(void)
{
	return w->monitor[1];
}

int link_monitor_read(int fd, link_fn fn, void *ctx)
{
	struct link_info l;

	while (recv(fd, &l, sizeof(l), MSG_DONTWAIT) == (ssize_t)sizeof(l)) {
		if (!l.ifindex)
			return -ENOBUFS;
		fn(ctx, &l);
	}
	return 0;
}

int capture_attach(struct capture *c, uint32_t ifindex, const char *name, enum rung *rung)
{
	sleep_ms(w->attach_ms);
	if ((int)ifindex == w->refuse)
		return -EOPNOTSUPP;
	*rung = RUNG_CLSACT;
	w->attached++;
	return 0;
}

int capture_detach(struct capture *c, uint32_t ifindex)
{
	w->detached++;
	return 0;
}

void capture_detach_all(struct capture *c)
{
	w->detached_all++;
}

void capture_tell_left(uint32_t ifindex, const char *name)
{
}

static void add_link(uint32_t ifindex, const char *name)
{
	struct link_info *l = &w->links[w->n++];

	*l = (struct link_info){ .ifindex = ifindex };
	snprintf(l->name, sizeof(l->name), "%s", name);
}

static int setup(void **state)
{
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->monitor))
		return -1;
	add_link(1, "lo");
	add_link(2, "eth0");
	add_link(3, "veth1");
	add_link(4, "veth2");
	return 0;
}

static int teardown(void **state)
{
	close(w->monitor[0]);
	close(w->monitor[1]);
	return munmap(w, sizeof(*w));
}

/* ── helpers of the tests ─────────────────────────────────────────────────── */
static struct helper *start(bool dynamic, const char *a, const char *b)
{
	const char *patterns[] = { a, b };
	struct helper_options opt = { .capture = (void *)w, .patterns = patterns, .n_patterns = b ? 2 : 1,
				      .dynamic = dynamic };
	struct helper *h = NULL;

	assert_int_equal(helper_start(&h, &opt), 0);
	return h;
}

static struct helper_event next(struct helper *h)
{
	struct pollfd p = { .fd = helper_fd(h), .events = POLLIN };
	struct helper_event ev = { .err = 1 };

	assert_int_equal(poll(&p, 1, 3000), 1);
	assert_int_equal(helper_next(h, &ev), 1);
	return ev;
}

#endif
