// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader's end: start the helper, listen to it, ask it, end it. */
#include "priv/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/err.h"

#define PATIENCE_MS 2000

struct helper {
	pid_t pid;
	int ask, tell;
	uint32_t id;		/* of the last question */
	bool dead;		/* and why has been said */
};

int helper_start(struct helper **out, const struct helper_options *opt)
{
	owned_mem struct helper *h = calloc(1, sizeof(*h));
	int ask[2], tell[2], err;

	if (!h)
		return fail(ENOMEM, "cannot start the helper process");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask))
		return fail(errno, "cannot start the helper process");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, tell)) {
		err = fail(errno, "cannot start the helper process");
		close(ask[0]);
		close(ask[1]);
		return err;
	}
	h->ask = ask[0];
	h->tell = tell[0];
	h->pid = fork();
	if (!h->pid) {
		close(ask[0]);
		close(tell[0]);
		helper_attend(opt, ask[1], tell[1]);
	}
	err = h->pid < 0 ? fail(errno, "cannot start the helper process") : 0;
	close(ask[1]);
	close(tell[1]);
	if (err) {
		close(ask[0]);
		close(tell[0]);
		return err;
	}
	*out = take(h);
	return 0;
}

int helper_fd(const struct helper *h)
{
	return h->tell;
}

int helper_ask_fd(const struct helper *h)
{
	return h ? h->ask : -1;
}

static int died(struct helper *h)
{
	if (!h->dead)
		fail(0, "the helper process died, and every hook with it");
	h->dead = true;
	return -EPIPE;
}

int helper_next(struct helper *h, struct helper_event *ev)
{
	ssize_t n;

	do
		n = recv(h->tell, ev, sizeof(*ev), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*ev)) {
		h->dead |= ev->type == HELPER_ENDS;
		return 1;
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	return died(h);
}

/* Wait for something to read on the ask socket, its end included. */
static int wait_answer(const struct helper *h, int timeout_ms)
{
	struct pollfd p = { .fd = h->ask, .events = POLLIN };
	struct timespec now;
	int64_t end, left = timeout_ms;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 + timeout_ms;
	while ((n = poll(&p, 1, (int)left)) < 0 && errno == EINTR) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = end - (now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000);
		if (left < 0)
			left = 0;
	}
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

/* The descriptor that came along, or -1. */
static int passed_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Take one answer off the socket: 1, 0 when it is not the one to the last question, or -EPIPE. */
static int take_answer(struct helper *h, struct answer *a, int *fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { .iov_base = a, .iov_len = sizeof(*a) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	ssize_t n = recvmsg(h->ask, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	owned_fd int came = n < 0 ? -1 : passed_fd(&m);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != (ssize_t)sizeof(*a))
		return -EPIPE;
	if (a->id != h->id)
		return 0;
	*fd = take_fd(came);
	return 1;
}

/* One question, one answer.  timeout_ms < 0: as long as the helper lives. */
static int ask(struct helper *h, struct ask *q, struct answer *a, int *fd, int timeout_ms)
{
	int err = 0;

	q->id = ++h->id;
	*fd = -1;
	if (send(h->ask, q, sizeof(*q), MSG_NOSIGNAL) != (ssize_t)sizeof(*q))
		return died(h);
	while (!err) {
		err = wait_answer(h, timeout_ms);
		if (!err)
			err = take_answer(h, a, fd);
	}
	if (err == -EPIPE)
		return died(h);
	if (err == -ETIMEDOUT)
		fail(0, "the helper process does not answer: hooks may still be there for a moment");
	return err == 1 ? a->err : err;
}

int helper_detach(struct helper *h)
{
	struct ask q = { .what = ASK_DETACH };
	struct answer a = { 0 };
	int fd, err = ask(h, &q, &a, &fd, PATIENCE_MS);

	if (fd >= 0)
		close(fd);
	return err;
}

int helper_file(struct helper *h, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	struct ask q = { .what = ASK_FILE, .seq = seq, .time_ns = time_ns };
	struct answer a = { 0 };
	size_t n;
	int fd, err = ask(h, &q, &a, &fd, -1);

	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	n = strnlen(a.name, sizeof(a.name) - 1);
	if (size) {
		n = n < size ? n : size - 1;
		memcpy(name, a.name, n);
		name[n] = '\0';
	}
	return fd < 0 ? -EPROTO : fd;
}

void helper_stop(struct helper *h)
{
	const struct ask q = { .what = ASK_QUIT };
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (!h)
		return;
	send(h->ask, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT);
	wait_answer(h, PATIENCE_MS);
	close(h->ask);
	close(h->tell);
	/* It closes its end before its last descriptors are released; not for ever, for it may be
	 * waiting in the kernel for a device. */
	for (int i = 0; i < PATIENCE_MS && !waitpid(h->pid, NULL, WNOHANG); i++)
		nanosleep(&ms, NULL);
	free(h);
}
