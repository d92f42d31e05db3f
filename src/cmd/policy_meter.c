// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets counted by policy, for a process without privileges: its side. */
#include "cmd/policy_meter.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_meter_parts.h"
#include "util/cleanup.h"
#include "util/err.h"

/* The verifier takes seconds on a slow machine; nothing else takes long. */
enum { LOAD_MS = 120000, ANSWER_MS = 20000, END_MS = 2000 };

struct meter {
	pid_t pid;
	int talk, wake;			/* talk: -1 when the child is gone, which has been said */
	bool sees_drops;
	struct meter_request ask;
	struct meter_answer answer;
};

static int gone(struct meter *t)
{
	if (t->talk >= 0) {
		close(t->talk);
		fail(0, "nothing is counted any more: the process that does it ended");
	}
	t->talk = -1;
	return -EPIPE;
}

static int await_answer(struct meter *t, int ms)
{
	struct pollfd p = { .fd = t->talk, .events = POLLIN };
	ssize_t n;
	int rc;

	do
		rc = poll(&p, 1, ms);
	while (rc < 0 && errno == EINTR);
	if (rc <= 0)
		return gone(t);
	do
		n = read(t->talk, &t->answer, sizeof(t->answer));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(t->answer) || t->answer.err > 0 || t->answer.n > METER_AT_ONCE)
		return gone(t);
	return t->answer.err;
}

/* t->ask, of that kind, becomes t->answer. */
static int request(struct meter *t, enum meter_what what)
{
	ssize_t n;

	if (t->talk < 0)
		return -EPIPE;
	t->ask.what = what;
	do
		n = write(t->talk, &t->ask, sizeof(t->ask));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(t->ask) ? await_answer(t, ANSWER_MS) : gone(t);
}

static int start(struct meter *t, const struct policy_count_options *o)
{
	owned_fd int theirs = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	t->talk = pair[0];
	theirs = pair[1];
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake < 0)
		return -errno;
	t->pid = fork();
	if (!t->pid)
		meter_attend(o, theirs, t->wake);
	return t->pid < 0 ? -errno : 0;
}

int meter_open(struct meter **out, const struct policy_count_options *o)
{
	struct meter *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return fail(ENOMEM, "policy counters");
	t->talk = t->wake = -1;
	err = start(t, o);
	if (err)
		fail(err, "policy counters");
	else
		err = await_answer(t, LOAD_MS);
	if (err) {
		meter_close(t);
		return err;
	}
	t->sees_drops = t->answer.n;
	*out = t;
	return 0;
}

int meter_fd(const struct meter *t)
{
	return t->wake;
}

int meter_life(const struct meter *t)
{
	return t->talk;
}

unsigned int meter_fds(const struct meter *t, int fds[METER_FDS])
{
	fds[0] = t->talk;
	fds[1] = t->wake;
	return METER_FDS;
}

bool meter_sees_drops(const struct meter *t)
{
	return t->sees_drops;
}

int meter_attach(struct meter *t, const char *name, uint32_t pod, uint32_t *ifindex)
{
	int err;

	*ifindex = 0;
	memset(&t->ask.iface, 0, sizeof(t->ask.iface));
	if (strlen(name) >= sizeof(t->ask.iface.name))
		return -ENODEV;
	memcpy(t->ask.iface.name, name, strlen(name));
	t->ask.iface.pod = pod;
	err = request(t, METER_ATTACH);
	*ifindex = err ? 0 : t->answer.ifindex;
	return err;
}

int meter_detach(struct meter *t, uint32_t ifindex)
{
	t->ask.ifindex = ifindex;
	return request(t, METER_DETACH);
}

static int of_pod(struct meter *t, enum meter_what what, const struct np_pod_key *at, uint32_t pod)
{
	memset(&t->ask.pod, 0, sizeof(t->ask.pod));
	if (at)
		t->ask.pod.at = *at;
	t->ask.pod.pod = pod;
	return request(t, what);
}

int meter_pod(struct meter *t, const struct np_pod_key *at, uint32_t pod)
{
	return of_pod(t, METER_POD, at, pod);
}

int meter_unpod(struct meter *t, const struct np_pod_key *at, uint32_t pod)
{
	return of_pod(t, METER_UNPOD, at, pod);
}

int meter_forget_pod(struct meter *t, uint32_t pod)
{
	return of_pod(t, METER_FORGET_POD, NULL, pod);
}

int meter_forget_all(struct meter *t)
{
	return request(t, METER_FORGET_ALL);
}

int meter_asks(struct meter *t, struct meter_ask out[METER_AT_ONCE])
{
	uint64_t woken;
	int err;

	/* Empty is fine: it may have been asked for the rest of what it woke us for. */
	if (read(t->wake, &woken, sizeof(woken)) < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	err = request(t, METER_ASKS);
	if (err)
		return err;
	memcpy(out, t->answer.asks, t->answer.n * sizeof(*out));
	return (int)t->answer.n;
}

int meter_look(struct meter *t, struct meter_ask *v, unsigned int n)
{
	int err;

	t->ask.n = n;
	memcpy(t->ask.asks, v, n * sizeof(*v));
	err = request(t, METER_LOOK);
	if (!err && t->answer.n != n)
		return gone(t);
	if (!err)
		memcpy(v, t->answer.asks, n * sizeof(*v));
	return err;
}

int meter_decide(struct meter *t, const struct meter_decided *v, unsigned int n)
{
	t->ask.n = n;
	memcpy(t->ask.decided, v, n * sizeof(*v));
	return request(t, METER_DECIDE);
}

int meter_undecide(struct meter *t, const struct np_policy_key *key)
{
	t->ask.decided[0].key = *key;
	return request(t, METER_UNDECIDE);
}

int meter_order(struct meter *t)
{
	return request(t, METER_ORDER);
}

int meter_rows(struct meter *t, policy_count_row_fn fn, void *ctx)
{
	int err = 0;

	for (t->ask.n = 0; !err; t->ask.n += METER_AT_ONCE) {
		err = request(t, METER_ROWS);
		for (uint32_t i = 0; !err && i < t->answer.n; i++)
			err = fn(ctx, &t->answer.rows[i].row, &t->answer.rows[i].n);
		if (t->answer.n < METER_AT_ONCE)
			break;
	}
	return err;
}

int meter_other(struct meter *t, uint64_t n[NP_OTHERS_N])
{
	int err = request(t, METER_OTHER);

	if (!err)
		memcpy(n, t->answer.other, sizeof(t->answer.other));
	return err;
}

void meter_close(struct meter *t)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (!t)
		return;
	/* That ends it; the sandbox would not let us send it a signal. */
	if (t->talk >= 0)
		close(t->talk);
	if (t->wake >= 0)
		close(t->wake);
	for (int i = 0; t->pid > 0 && i < END_MS && !waitpid(t->pid, NULL, WNOHANG); i++)
		nanosleep(&ms, NULL);
	free(t);
}
