// SPDX-License-Identifier: GPL-2.0-or-later
/* A cluster's objects as they change: the child, which runs kubectl, and moves what it prints. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_follow_parts.h"
#include "priv/priv.h"
#include "util/err.h"

enum {
	SILENT_MS = 1500,	/* whoever watches and has said nothing by then has nothing to list, probably; */
	AGAIN_MS = 10000,	/* if it is slow, another list is needed */
	PAUSE_MS = 1000,	/* before what failed is tried again, and doubled each time */
	PAUSE_MAX_MS = 30000,
	LIVED_MS = 30000,	/* whoever did for so long did not fail */
	ENDS_MS = 2000,		/* from the end of what is printed to the end of the program */
	STEP_MS = 20,
	TERM_MS = 300,		/* between SIGTERM and SIGKILL */
	PIECES_MAX = 64,	/* of one program, before the others have their turn */
};

/* One program that runs. */
struct run {
	pid_t pid;		/* 0: none does */
	int fd;			/* what it prints; -1: it has closed that */
	int64_t began, closed;
	bool spoke;
};

struct kind {
	const char *name;
	struct run watch, list;
	int64_t watch_due, list_due;	/* 0: not */
	int64_t watch_pause, list_pause;	/* 0: the last did not fail; else it said why, and the next is mute */
};

struct keeper {
	const char *path;
	struct follow_ends ends;
	struct kind kinds[FOLLOW_KINDS_MAX];
	unsigned int n;
	char piece[FOLLOW_PIECE];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* ── ending ───────────────────────────────────────────────────────────────── */

/* Each is the head of a process group of its own, whose number is not another's before it was waited for. */
static void kill_all(const struct keeper *k, int sig)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (k->kinds[i].watch.pid)
			kill(-k->kinds[i].watch.pid, sig);
		if (k->kinds[i].list.pid)
			kill(-k->kinds[i].list.pid, sig);
	}
}

/* It stays to be waited for: its group may have others. */
static bool has_ended(const struct run *r)
{
	siginfo_t info = { 0 };

	return !r->pid || waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

static bool all_ended(const struct keeper *k)
{
	bool all = true;

	for (unsigned int i = 0; i < k->n && all; i++)
		all = has_ended(&k->kinds[i].watch) && has_ended(&k->kinds[i].list);
	return all;
}

static __attribute__((noreturn)) void quit(const struct keeper *k)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };

	kill_all(k, SIGTERM);
	for (int ms = 0; ms < TERM_MS && !all_ended(k); ms += STEP_MS)
		nanosleep(&step, NULL);
	kill_all(k, SIGKILL);
	_exit(0);
}

/* ── telling ──────────────────────────────────────────────────────────────── */

/* Waits until there is room; meanwhile the programs wait, too. */
static void tell(struct keeper *k, const struct kind *of, enum follow_what what, int status, size_t n)
{
	struct follow_head h = { .kind = (uint32_t)(of - k->kinds), .what = what, .status = status };
	struct iovec v[] = { { &h, sizeof(h) }, { k->piece, n } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n ? 2 : 1 };

	while (sendmsg(k->ends.tell, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		struct pollfd p[] = { { .fd = k->ends.tell, .events = POLLOUT }, { .fd = k->ends.alive } };

		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			quit(k);
		/* Who has no memory for it for now does not tell when there is some. */
		if (poll(p, 2, errno == ENOBUFS ? STEP_MS : -1) > 0 && p[1].revents)
			quit(k);
	}
}

/* ── programs ─────────────────────────────────────────────────────────────── */

static void start(struct keeper *k, struct kind *of, struct run *r, bool watches)
{
	const char *const args[] = { k->path, "get", of->name, "--all-namespaces", "--output=json",
				     watches ? "--watch" : "--request-timeout=60s",
				     watches ? "--output-watch-events" : NULL, NULL };
	bool mute = watches ? of->watch_pause : of->list_pause;
	pid_t self = getpid();
	int fds[2] = { -1, -1 };

	*r = (struct run){ .fd = -1, .began = now_ms() };
	tell(k, of, watches ? FOLLOW_WATCH_BEGINS : FOLLOW_LIST_BEGINS, 0, 0);
	r->pid = pipe2(fds, O_CLOEXEC) ? -1 : fork();
	if (!r->pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != self)
			_exit(1);
		kubectl_become(k->path, args, fds[1], mute);
	}
	if (r->pid < 0) {
		if (!mute)
			fail(errno, "%s", k->path);
		r->pid = 0;
		if (fds[0] >= 0)
			close(fds[0]);
	} else {
		setpgid(r->pid, r->pid);
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
		r->fd = fds[0];
	}
	if (fds[1] >= 0)
		close(fds[1]);
}

static int64_t next_pause(int64_t *pause)
{
	int64_t ms = *pause ? *pause : PAUSE_MS;

	*pause = 2 * ms < PAUSE_MAX_MS ? 2 * ms : PAUSE_MAX_MS;
	return ms;
}

static void watch_ended(struct keeper *k, struct kind *of, int status)
{
	int64_t now = now_ms();
	bool lived = now - of->watch.began >= LIVED_MS;

	if (lived)
		of->watch_pause = 0;
	of->watch_due = lived && !status ? now : now + next_pause(&of->watch_pause);
	tell(k, of, FOLLOW_WATCH_ENDED, status, 0);
}

static void list_ended(struct keeper *k, struct kind *of, int status)
{
	if (!status)
		of->list_pause = 0;
	else
		of->list_due = now_ms() + next_pause(&of->list_pause);
	tell(k, of, FOLLOW_LIST_ENDED, status, 0);
}

/* It printed all that it will.  What it leaves behind ends with it. */
static void reap(struct keeper *k, struct kind *of, struct run *r)
{
	int status = -1;
	bool late = now_ms() - r->closed > ENDS_MS;

	if (!has_ended(r) && !late)
		return;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	if (r == &of->watch)
		watch_ended(k, of, status);
	else
		list_ended(k, of, status);
}

static void move(struct keeper *k, struct kind *of, struct run *r)
{
	for (int i = 0; i < PIECES_MAX && r->fd >= 0; i++) {
		ssize_t n = read(r->fd, k->piece, sizeof(k->piece));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(r->fd);
			r->fd = -1;
			r->closed = now_ms();
			return;
		}
		/* What is listed from now on is newer than what it began with. */
		if (r == &of->watch && !r->spoke)
			of->list_due = now_ms();
		r->spoke = true;
		tell(k, of, r == &of->watch ? FOLLOW_WATCH : FOLLOW_LIST, 0, (size_t)n);
	}
}

static void start_due(struct keeper *k, struct kind *of)
{
	int64_t now = now_ms();

	if (!of->watch.pid && of->watch_due && now >= of->watch_due) {
		start(k, of, &of->watch, true);
		of->watch_due = 0;
		of->list_due = now + SILENT_MS;
		if (!of->watch.pid)
			watch_ended(k, of, -1);
	}
	if (!of->list.pid && of->list_due && now >= of->list_due) {
		bool unsure = !of->watch.spoke && now - of->watch.began < AGAIN_MS;

		of->list_due = unsure ? of->watch.began + AGAIN_MS : 0;
		start(k, of, &of->list, false);
		if (!of->list.pid)
			list_ended(k, of, -1);
	}
}

static void attend_kind(struct keeper *k, struct kind *of)
{
	if (of->watch.pid)
		move(k, of, &of->watch);
	if (of->list.pid)
		move(k, of, &of->list);
	if (of->watch.pid && of->watch.fd < 0)
		reap(k, of, &of->watch);
	if (of->list.pid && of->list.fd < 0)
		reap(k, of, &of->list);
	start_due(k, of);
}

/* ── waiting ──────────────────────────────────────────────────────────────── */

static void sooner(int64_t *ms, int64_t due, int64_t now)
{
	int64_t left = due > now ? due - now : 0;

	if (due && (*ms < 0 || left < *ms))
		*ms = left;
}

static void wait_for_news(struct keeper *k)
{
	struct pollfd p[1 + 2 * FOLLOW_KINDS_MAX] = { { .fd = k->ends.alive } };
	int64_t ms = -1, now = now_ms();
	unsigned int n = 1;

	for (unsigned int i = 0; i < k->n; i++) {
		const struct kind *of = &k->kinds[i];
		const struct run *runs[] = { &of->watch, &of->list };

		for (unsigned int j = 0; j < 2; j++) {
			if (!runs[j]->pid)
				continue;
			if (runs[j]->fd < 0)
				sooner(&ms, now + STEP_MS, now);
			p[n++] = (struct pollfd){ .fd = runs[j]->fd, .events = POLLIN };
		}
		if (!of->watch.pid)
			sooner(&ms, of->watch_due, now);
		if (!of->list.pid)
			sooner(&ms, of->list_due, now);
	}
	if (poll(p, n, (int)ms) < 0 && errno != EINTR)
		quit(k);
	if (p[0].revents)
		quit(k);
}

/* ── becoming it ──────────────────────────────────────────────────────────── */

void follow_attend(const char *path, const char *const kinds[], unsigned int n, const struct follow_ends *ends)
{
	static struct keeper k;
	int *const mine[] = { &k.ends.tell, &k.ends.alive };

	k.path = path;
	k.ends = *ends;
	k.n = n;
	prctl(PR_SET_NAME, "netprobe-kube", 0, 0, 0);
	priv_child_fds(mine, sizeof(mine) / sizeof(mine[0]));
	priv_child_signals();
	signal(SIGCHLD, SIG_DFL);
	for (unsigned int i = 0; i < n; i++)
		k.kinds[i] = (struct kind){ .name = kinds[i], .watch.fd = -1, .list.fd = -1, .watch_due = now_ms() };
	for (;;) {
		for (unsigned int i = 0; i < n; i++)
			attend_kind(&k, &k.kinds[i]);
		wait_for_news(&k);
	}
}
