// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The helper process.  It holds the privileges and the links; it never sees an
 * byte from the wire.  It lives no longer than the reader: the end of a socket is
 * looked for between any two things it does, for a parent-death signal does
 * not reach a root child from a parent that has become nobody.
 */
#include "priv/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "priv/rotate.h"
#include "priv/sandbox.h"
#include "util/caps.h"
#include "util/err.h"

#define LINKS_MAX 4096

enum state { WAITING, HELD, REFUSED };

struct known {
	struct link_info info;
	uint8_t state;			/* enum state */
	bool named;			/* by the user, not by a glob */
	bool gone, changed;		/* to be told */
	bool seen;			/* in the listing that is being made */
};

struct attend {
	const struct helper_options *opt;
	int ask, tell, monitor;
	int keys, screen;		/* the reader's terminal: its standard input and output */
	bool everything;		/* a pattern fits whatever comes */
	bool detached;			/* by request: no more attaching */
	bool relist;			/* the monitor lost something */
	bool full_told, ready_told;
	bool reader_lives;		/* and will end by itself: the terminal is its own */
	bool has_unsent;		/* the reader does not listen: nothing more is done until it does */
	struct helper_event unsent;
	uint32_t id;			/* of the question */

	struct known *known;		/* in the order in which they are attached */
	unsigned int n, cap, at;	/* at: where the next look begins */
	unsigned int n_gone;		/* still to be told */
	bool *fits;			/* per pattern: some interface did, at the start */
	unsigned int missing;		/* next pattern to report when none did */
};

/* ── becoming the helper ──────────────────────────────────────────────────── */
/*
 * Standard input and output become /dev/null.  If the helper kept them open, a program that reads the output through a
 * pipe would not see its end until the helper ends too.  If it closed them, the next file opened would become
 * standard output.
 */
static void settle_fds(struct attend *a)
{
	const struct helper_options *opt = a->opt;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (opt->terminal) {
		a->keys = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		a->screen = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	for (int fd = 0; fd < 2; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (null > 2)
		close(null);
	priv_fds_end();
	for (unsigned int i = 0; i < opt->n_close_fds; i++)
		if (opt->close_fds[i] > 2)
			close(opt->close_fds[i]);
}

static int confine(const struct helper_options *opt)
{
	unsigned int needs = 0;

	if (opt->capture)
		needs |= NEED_BPF | NEED_PERFMON | NEED_NET_ADMIN | NEED_NET_RAW;
	if (opt->rotate)
		needs |= NEED_FILES;
	return priv_keep(needs, opt->rotate ? rotate_dir(opt->rotate) : -1);
}

/* ── telling ──────────────────────────────────────────────────────────────── */
static __attribute__((noreturn)) void leave(struct attend *a)
{
	if (a->opt->terminal && !a->reader_lives)
		terminal_mend(a->opt->terminal, a->keys, a->screen, a->opt->terminal_leave);
	/* Links die with us; a classic tc filter does not. */
	if (a->opt->capture && !a->detached)
		capture_detach_all(a->opt->capture);
	_exit(0);
}

static void flush(struct attend *a)
{
	if (send(a->tell, &a->unsent, sizeof(a->unsent), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		a->has_unsent = false;
	else if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		leave(a);
}

static void send_event(struct attend *a, const struct helper_event *ev)
{
	a->unsent = *ev;
	a->has_unsent = true;
	flush(a);
}

static void tell(struct attend *a, enum helper_event_type type, const struct known *k, int err, enum rung rung)
{
	struct helper_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.type = type;
	ev.err = err;
	ev.rung = rung;
	ev.named = k->named;
	ev.info = k->info;
	send_event(a, &ev);
}

/* It cannot go on, and has said why. */
static __attribute__((noreturn)) void give_up(struct attend *a, int err)
{
	struct helper_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.type = HELPER_ENDS;
	ev.err = err;
	a->reader_lives = true;
	if (!a->has_unsent)
		send_event(a, &ev);
	leave(a);
}

/* After anything that a library did for us. */
static void check_sandbox(struct attend *a)
{
	int err = priv_refused();

	if (err)
		give_up(a, err);
}

/* ── the table ────────────────────────────────────────────────────────────── */
static struct known *find(const struct attend *a, uint32_t ifindex)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (a->known[i].info.ifindex == ifindex && !a->known[i].gone)
			return &a->known[i];
	return NULL;
}

/* -ENOSPC: the table is as large as it may become; the interface is not captured, and that is told once. */
static int add(struct attend *a, const struct link_info *info, bool named)
{
	if (a->n == a->cap && a->cap < LINKS_MAX) {
		unsigned int cap = a->cap ? 2 * a->cap : 16;
		struct known *more = realloc(a->known, cap * sizeof(*more));

		if (more) {
			a->known = more;
			a->cap = cap;
		}
	}
	if (a->n == a->cap) {
		if (!a->full_told)
			warn("%s: more than %u interfaces, the rest is not captured", info->name, a->n);
		a->full_told = true;
		return -ENOSPC;
	}
	a->known[a->n++] = (struct known){ .info = *info, .named = named, .seen = true };
	return 0;
}

static bool differs(const struct link_info *was, const struct link_info *is)
{
	return strcmp(was->name, is->name) || was->flags != is->flags || was->operstate != is->operstate ||
	       was->mtu != is->mtu || was->link != is->link;
}

static void update(struct known *k, const struct link_info *info)
{
	k->seen = true;
	if (!differs(&k->info, info))
		return;
	k->info = *info;
	k->changed = true;
}

static void lose(struct attend *a, struct known *k)
{
	if (!k->gone)
		a->n_gone++;
	k->gone = true;
}

/* From a listing or the monitor. */
static int noticed(void *ctx, const struct link_info *info)
{
	struct attend *a = ctx;
	struct known *k = find(a, info->ifindex);
	bool named;

	if (info->is_gone) {
		if (k)
			lose(a, k);
	} else if (k) {
		update(k, info);
	} else if (a->opt->dynamic && !a->detached &&
		   link_wanted(info, a->opt->patterns, a->opt->n_patterns, &named)) {
		add(a, info, named);
	}
	return 0;
}

static void list_again(struct attend *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		a->known[i].seen = false;
	if (link_each(noticed, a))
		return;		/* tried again when the monitor stirs */
	a->relist = false;
	for (unsigned int i = 0; i < a->n; i++)
		if (!a->known[i].seen)
			lose(a, &a->known[i]);
}

/* One pattern's turn in the first listing. */
struct turn {
	struct attend *a;
	unsigned int pattern;
};

static int listed(void *ctx, const struct link_info *info)
{
	const struct turn *t = ctx;
	bool named;

	if (!link_wanted(info, &t->a->opt->patterns[t->pattern], 1, &named))
		return 0;
	t->a->fits[t->pattern] = true;
	return find(t->a, info->ifindex) || !add(t->a, info, named) ? 0 : -ENOSPC;
}

/* A plain name: the interface may be there already, by a glob before. */
static int list_named(struct attend *a, unsigned int pattern)
{
	struct link_info info;
	struct known *k;
	int err = link_get(a->opt->patterns[pattern], 0, &info);

	if (err)
		return err == -ENODEV ? 0 : err;
	a->fits[pattern] = true;
	k = find(a, info.ifindex);
	if (k)
		k->named = true;
	else
		add(a, &info, true);
	return 0;
}

/* In the order the user gave.  A table that is full has been told of. */
static int list_first(struct attend *a)
{
	int err = 0;

	for (unsigned int i = 0; i < a->opt->n_patterns && !err; i++) {
		struct turn t = { a, i };

		err = link_is_glob(a->opt->patterns[i]) ? link_each(listed, &t) : list_named(a, i);
		if (err == -ENOSPC)
			err = 0;
	}
	return err ? fail(err, "cannot list the interfaces (rtnetlink)") : 0;
}

/* ── working ──────────────────────────────────────────────────────────────── */
static void attach(struct attend *a, struct known *k)
{
	enum rung rung = RUNG_TCX;
	int err = capture_attach(a->opt->capture, k->info.ifindex, k->info.name, &rung);

	check_sandbox(a);
	k->state = err ? REFUSED : HELD;
	k->changed = false;
	tell(a, err ? HELPER_REFUSED : HELPER_ATTACHED, k, err, rung);
}

static void forget(struct attend *a, struct known *k)
{
	struct known was = *k;

	memmove(k, k + 1, (size_t)(a->known + a->n - (k + 1)) * sizeof(*k));
	a->n--;
	a->n_gone--;
	a->at = 0;
	if (was.state != HELD)
		return;
	capture_detach(a->opt->capture, was.info.ifindex);
	was.info.is_gone = true;
	tell(a, HELPER_GONE, &was, 0, 0);
}

/* True when something was done.  What is gone goes first: a new interface may have its number. */
static bool attend_to(struct attend *a, struct known *k)
{
	if (a->n_gone && !k->gone)
		return false;
	if (k->gone) {
		forget(a, k);
	} else if (k->state == WAITING) {
		attach(a, k);
	} else if (k->changed) {
		k->changed = false;
		if (k->state == HELD)
			tell(a, HELPER_STATE, k, 0, 0);
	} else {
		return false;
	}
	return true;
}

static bool tell_missing(struct attend *a)
{
	while (a->missing < a->opt->n_patterns) {
		const char *pattern = a->opt->patterns[a->missing];
		struct known none = { .named = true };

		if (a->fits[a->missing++])
			continue;
		memcpy(none.info.name, pattern, strnlen(pattern, sizeof(none.info.name) - 1));
		tell(a, HELPER_REFUSED, &none, -ENODEV, 0);
		return true;
	}
	return false;
}

static void tell_left(const struct attend *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (a->known[i].state == HELD)
			capture_tell_left(a->known[i].info.ifindex, a->known[i].info.name);
}

/* Do one thing; false when there is nothing to do. */
static bool step(struct attend *a)
{
	if (a->detached)
		return false;
	if (a->relist) {
		list_again(a);
		return !a->relist;
	}
	for (unsigned int tries = a->n; tries; tries--) {
		if (a->at >= a->n)
			a->at = 0;
		if (attend_to(a, &a->known[a->at++]))
			return true;
	}
	if (tell_missing(a))
		return true;
	if (!a->ready_told && a->opt->capture) {
		struct known none = { .named = false };

		a->ready_told = true;
		tell(a, HELPER_READY, &none, 0, 0);
		tell_left(a);
		return true;
	}
	return false;
}

/* ── answering ────────────────────────────────────────────────────────────── */
static void answer(struct attend *a, int err, const char *name, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct answer reply = { .err = err, .id = a->id };
	struct iovec v = { .iov_base = &reply, .iov_len = sizeof(reply) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	memcpy(reply.name, name, strnlen(name, sizeof(reply.name) - 1));
	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	/* A reader that asks and asks and does not listen is not ours any more. */
	if (sendmsg(a->ask, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		leave(a);
}

static void next_file(struct attend *a, const struct ask *q)
{
	char name[sizeof(((struct answer *)0)->name)] = "";
	int fd = -EPROTO;

	if (a->opt->rotate)
		fd = rotate_next(a->opt->rotate, q->seq, q->time_ns, name, sizeof(name));
	answer(a, fd < 0 ? fd : 0, name, fd);
	if (fd >= 0)
		close(fd);
}

static void listen_to(struct attend *a)
{
	struct ask q;
	ssize_t n = recv(a->ask, &q, sizeof(q), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(q))
		leave(a);
	a->id = q.id;
	switch (q.what) {
	case ASK_DETACH:
		if (a->opt->capture && !a->detached)
			capture_detach_all(a->opt->capture);
		a->detached = true;
		answer(a, 0, "", -1);
		break;
	case ASK_FILE:
		next_file(a, &q);
		break;
	default:
		a->reader_lives = true;
		leave(a);
	}
}

static void wait_and_serve(struct attend *a, bool busy)
{
	struct pollfd p[3] = {
		{ .fd = a->ask, .events = POLLIN },
		{ .fd = a->tell, .events = a->has_unsent ? POLLOUT : 0 },
		/* While the reader does not listen the kernel keeps the news; some lost: we list again. */
		{ .fd = a->has_unsent || a->detached ? -1 : a->monitor, .events = POLLIN },
	};

	if (poll(p, 3, busy ? 0 : -1) < 0 && errno != EINTR)
		leave(a);
	if (p[0].revents & POLLIN)
		listen_to(a);
	if ((p[0].revents | p[1].revents) & (POLLHUP | POLLERR | POLLNVAL))
		leave(a);
	if (p[1].revents & POLLOUT)
		flush(a);
	if (p[2].revents && link_monitor_read(a->monitor, noticed, a))
		a->relist = true;
}

/* Before the listing the monitor: nothing falls between. */
static int begin(struct attend *a)
{
	int err = confine(a->opt);

	if (err)
		return err;
	a->fits = calloc(a->opt->n_patterns ? a->opt->n_patterns : 1, sizeof(*a->fits));
	if (!a->fits)
		return fail(ENOMEM, "the helper process");
	if (!a->opt->capture)
		return 0;
	a->monitor = link_monitor_open();
	if (a->monitor < 0)
		return fail(a->monitor, "cannot learn how interfaces change (rtnetlink)");
	return list_first(a);
}

void helper_attend(const struct helper_options *opt, int ask, int tell_fd)
{
	struct attend a = { .opt = opt, .ask = ask, .tell = tell_fd, .monitor = -1, .keys = -1, .screen = -1 };
	bool busy = true;
	int err;

	priv_child_signals();
	prctl(PR_SET_NAME, "netprobe-helper", 0, 0, 0);
	settle_fds(&a);
	err = begin(&a);
	if (err)
		give_up(&a, err);
	for (;;) {
		check_sandbox(&a);
		wait_and_serve(&a, busy);
		busy = !a.has_unsent && step(&a);
	}
}
