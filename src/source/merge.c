// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/err.h"

struct merge {
	struct source s;	/* fd: an epoll of the members' */
	unsigned int n, next, ended;
	struct numbering {
		uint64_t frames;
		frame_fn fn;
		void *ctx;
	} number;
	struct member {
		struct source *s;
		bool ended;	/* its interface is gone; what it counted stays */
	} members[];
};

/* Each member counts its own frames from 1; the run has one count. */
static int renumber(void *ctx, const struct frame *f)
{
	struct numbering *n = ctx;
	struct frame one = *f;

	one.number = ++n->frames;
	return n->fn(n->ctx, &one);
}

/* One of several: said, and the others go on. */
static int end_member(struct merge *m, struct member *one, int err)
{
	one->ended = true;
	if (one->s->fd >= 0)
		epoll_ctl(m->s.fd, EPOLL_CTL_DEL, one->s->fd, NULL);
	return ++m->ended == m->n ? err : 0;
}

static int merge_read(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	struct merge *m = (struct merge *)s;
	int total = 0, got;

	m->number.fn = fn;
	m->number.ctx = ctx;
	for (unsigned int i = 0; i < m->n; i++) {
		struct member *one = &m->members[m->next++ % m->n];

		if (one->ended)
			continue;
		got = one->s->ops->read(one->s, budget / m->n + 1, renumber, &m->number);
		if (got == SOURCE_STOPPED)
			s->stop = one->s->stop;
		else if (got < 0)
			got = end_member(m, one, got);
		if (got < 0)
			return got;
		total += got;
	}
	return total;
}

static int merge_arm(struct source *s)
{
	struct merge *m = (struct merge *)s;
	int ready = 0;

	for (unsigned int i = 0; i < m->n; i++)
		if (!m->members[i].ended)
			ready |= m->members[i].s->ops->arm(m->members[i].s);
	return ready;
}

static int merge_counts(struct source *s, struct source_counts *c)
{
	struct merge *m = (struct merge *)s;
	struct source_counts one;
	int err;

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < m->n; i++) {
		err = m->members[i].s->ops->counts(m->members[i].s, &one);
		if (err)
			return err;
		c->seen += one.seen;
		c->filtered += one.filtered;
		c->sampled += one.sampled;
		c->emitted += one.emitted;
		c->lost_ring += one.lost_ring;
		c->lost_map += one.lost_map;
		c->lost_other += one.lost_other;
		c->truncated += one.truncated;
		c->read += one.read;
	}
	return 0;
}

static void merge_tick(struct source *s)
{
	struct merge *m = (struct merge *)s;

	for (unsigned int i = 0; i < m->n; i++)
		m->members[i].s->ops->tick(m->members[i].s);
}

static void merge_close(struct source *s)
{
	struct merge *m = (struct merge *)s;

	for (unsigned int i = 0; i < m->n; i++)
		m->members[i].s->ops->close(m->members[i].s);
	if (s->fd >= 0)
		close(s->fd);
	free(m);
}

static const struct source_ops merge_ops = {
	.name = "merge",
	.read = merge_read,
	.arm = merge_arm,
	.counts = merge_counts,
	.tick = merge_tick,
	.close = merge_close,
};

int merge_open(struct source **out, struct source *const *members, unsigned int n)
{
	struct merge *m = calloc(1, offsetof(struct merge, members[n]));
	struct epoll_event ev = { .events = EPOLLIN };
	int err = m ? 0 : -ENOMEM;

	if (err)
		return fail(err, "several interfaces");
	m->s.ops = &merge_ops;
	m->n = n;
	for (unsigned int i = 0; i < n; i++)
		m->members[i].s = members[i];
	m->s.fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->s.fd < 0)
		err = -errno;
	for (unsigned int i = 0; i < n && !err; i++)
		if (members[i]->fd >= 0 && epoll_ctl(m->s.fd, EPOLL_CTL_ADD, members[i]->fd, &ev))
			err = -errno;
	if (err) {
		if (m->s.fd >= 0)
			close(m->s.fd);
		free(m);
		return fail(err, "several interfaces: epoll");
	}
	*out = &m->s;
	return 0;
}
