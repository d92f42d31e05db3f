// SPDX-License-Identifier: GPL-2.0-or-later
/* What a node has, kept up to date: the child, which watches, reads and tells. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_feed_parts.h"
#include "cmd/policy_network.h"
#include "priv/priv.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/hash.h"
#include "util/time.h"

#define MS INT64_C(1000000)

enum {
	SETTLE_MS = 20,		/* what comes in a burst is read once */
	PAUSE_MS = 200,		/* between two readings of a set */
	ASKED_PAUSE_MS = 100,
	AGAIN_MS = 1000,	/* what is made one after the other: a directory first, its files later */
	POLL_MS = 10000,
	BLIND_MS = 1000,	/* in its place, where files cannot be watched */
	KUBELET_PAUSE_MS = 2000,
	REST = 4,		/* times the processor time that a reading took */
	CREDIT_MS = 1000,	/* pods need not wait for that much of the rest that is due: it is taken later */
	WATCHES_MAX = 1024,
	READS_MAX = 256,	/* of what waits, at one look */
};

struct set {
	uint32_t kinds;			/* 0: nobody wants it */
	int64_t due, last;		/* when it is to be read; when it was read last: 0: never */
	int64_t again;			/* once more then, whatever happens */
	int64_t rests;			/* until then */
	bool asked, stirred;
	uint64_t hash;			/* of what was told last */
};

struct child {
	const char *root;
	struct feed_ends ends;
	struct set sets[FEED_SETS];
	int64_t rests;			/* until then all do */
	bool unread;			/* what was told last */
	int files, links, rules;	/* what tells of changes; -1: nothing does */
	int watches, newest;		/* of files: how many, the highest number */
	bool blind;			/* the kernel has no room for more of them */
	int said;			/* standard error, while it is shut */
	bool hushed;			/* it is */
	struct hash_key key;
};

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ── becoming it ──────────────────────────────────────────────────────────── */

/* When `alive` ends, so does this, be it in the midst of reading. */
static void settle_signals(const struct child *c)
{
	struct pollfd p = { .fd = c->ends.alive };

	priv_child_signals();
	signal(SIGIO, SIG_DFL);
	/* A signal for whoever we have become. */
	fcntl(c->ends.alive, F_SETOWN, getpid());
	fcntl(c->ends.alive, F_SETFL, O_ASYNC);
	if (poll(&p, 1, 0) > 0)
		_exit(0);
}

static void settle_fds(struct child *c)
{
	int *const mine[] = { &c->ends.tell, &c->ends.asks, &c->ends.alive, &c->said };

	c->said = STDERR_FILENO;
	priv_child_fds(mine, sizeof(mine) / sizeof(mine[0]));
}

static int open_monitor(int protocol, uint32_t groups)
{
	/* Not the process's own number: whoever dumps then gets it as his port, and the same bytes each time. */
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_pid = (uint32_t)getpid() | 1u << 31,
				    .nl_groups = groups };
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)))
		return -1;
	return take_fd(fd);
}

/* Without one of them there is still the clock. */
static void open_monitors(struct child *c)
{
	c->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	c->links = -1;
	c->rules = -1;
	if (!c->root && c->sets[FEED_SET_PODS].kinds & (1u << FACT_INTERFACE | 1u << FACT_ADDRESS))
		c->links = open_monitor(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	if (!c->root && c->sets[FEED_SET_RULES].kinds)
		c->rules = open_monitor(NETLINK_NETFILTER, 1u << (NFNLGRP_NFTABLES - 1));
}

/* ── watching ─────────────────────────────────────────────────────────────── */

static int open_place(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static void watch(struct child *c, int dir, uint32_t what)
{
	char self[64];
	int wd;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", dir);
	wd = inotify_add_watch(c->files, self, what | IN_MASK_ADD | IN_ONLYDIR);
	c->blind |= wd < 0 && (errno == ENOSPC || errno == ENOMEM);
	/* Numbers only grow, and one that is watched already has its own. */
	if (wd > c->newest) {
		c->newest = wd;
		c->watches++;
	}
}

/* A place that is not there: whatever of the way to it is, until the next part of it comes. */
static void before(void *ctx, int root, const char *path)
{
	uint32_t what = IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF;
	struct child *c = ctx;
	char part[1024];
	int n = snprintf(part, sizeof(part), "%s", path);

	c->blind |= c->files < 0;
	if (c->files < 0 || n < 0 || n >= (int)sizeof(part))
		return;
	while (c->watches < WATCHES_MAX) {
		owned_fd int dir = open_place(root, *part ? part : ".");
		char *slash = strrchr(part, '/');

		if (dir >= 0)
			watch(c, dir, what);
		if (dir >= 0 || !*part)
			break;
		what = IN_CREATE | IN_MOVED_TO;
		*(slash ? slash : part) = '\0';
	}
}

/* A file that was only made has nothing in it yet; one that has is closed. */
static bool tells(const struct inotify_event *e)
{
	return !(e->mask & IN_IGNORED) && (!(e->mask & IN_CREATE) || e->mask & IN_ISDIR);
}

static void watch_anew(struct child *c)
{
	close(c->files);
	c->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	c->watches = c->newest = 0;
}

static bool files_stirred(struct child *c)
{
	char room[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool stirred = false, lost = false;
	ssize_t n;

	for (int i = 0; i < READS_MAX && (n = read(c->files, room, sizeof(room))) > 0; i++) {
		struct inotify_event e;

		for (size_t at = 0; at + sizeof(e) <= (size_t)n; at += sizeof(e) + e.len) {
			memcpy(&e, room + at, sizeof(e));
			lost |= e.mask & IN_Q_OVERFLOW;
			c->watches -= e.mask & IN_IGNORED ? 1 : 0;
			stirred |= tells(&e);
		}
	}
	if (lost)
		watch_anew(c);
	return stirred || lost;
}

/* What has changed is of no interest, but that something has. */
static bool monitor_stirred(int fd)
{
	bool stirred = false;
	char byte;

	for (int i = 0; i < READS_MAX; i++) {
		if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno != ENOBUFS)
			break;
		stirred = true;
	}
	return stirred;
}

static void hurry(struct set *s, int64_t due)
{
	if (s->kinds && due < s->due)
		s->due = due;
}

/* The parent is not to take what it knows for what is, from now on. */
static void doubt(struct child *c)
{
	int64_t none = 0;

	atomic_compare_exchange_strong(&c->ends.shared->stirred_ns, &none, (int64_t)time_now());
}

static void notice(struct child *c, enum feed_which which)
{
	struct set *s = &c->sets[which], *kubelet = &c->sets[FEED_SET_KUBELET];
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	s->stirred = true;
	if (which == FEED_SET_PODS)
		doubt(c);
	hurry(s, later(now + SETTLE_MS * MS, s->last + PAUSE_MS * MS));
	if (which != FEED_SET_PODS)
		return;
	s->again = now + AGAIN_MS * MS;
	hurry(kubelet, later(s->again, kubelet->last + KUBELET_PAUSE_MS * MS));
}

static void drain(struct child *c, enum feed_which which)
{
	bool stirred = false;

	if (which == FEED_SET_RULES)
		stirred = c->rules >= 0 && monitor_stirred(c->rules);
	if (which == FEED_SET_PODS) {
		stirred = c->files >= 0 && files_stirred(c);
		stirred |= c->links >= 0 && monitor_stirred(c->links);
	}
	if (stirred)
		notice(c, which);
}

/* Unless something has stirred while we did not look, which is noticed here. */
static void settle_doubt(struct child *c)
{
	drain(c, FEED_SET_PODS);
	if (!c->sets[FEED_SET_PODS].stirred)
		atomic_store(&c->ends.shared->stirred_ns, 0);
}

/* ── reading and telling ──────────────────────────────────────────────────── */

static __attribute__((noreturn)) void give_up(const struct child *c)
{
	dup3(c->said, STDERR_FILENO, 0);
	priv_refused();
	_exit(1);
}

static uint64_t hash_of(const struct child *c, const struct facts *f)
{
	uint64_t words[256], h = 0;
	const size_t some = sizeof(words) - sizeof(h);

	for (unsigned int k = 0; k < FACT_KINDS; k++) {
		const uint64_t told[] = { h, f->n[k], f->left_out[k], (uint64_t)f->there[k], (uint64_t)f->err[k] };

		h = hash_words(&c->key, told, sizeof(told) / sizeof(told[0]));
	}
	for (size_t at = 0; at < f->data.n; at += some) {
		size_t n = f->data.n - at < some ? f->data.n - at : some;

		memset(words, 0, sizeof(words));
		words[0] = h;
		memcpy(&words[1], f->data.p + at, n);
		h = hash_words(&c->key, words, (unsigned int)(1 + (n + 7) / 8));
	}
	return h;
}

static void tell(struct child *c, struct set *s, const struct facts *f, const struct feed_set *told)
{
	uint64_t h = hash_of(c, f);
	bool same = s->last && h == s->hash && !s->asked;
	int err = same ? 0 : feed_send(c->ends.tell, f, told);

	if (priv_refused())
		give_up(c);
	if (err == -EPIPE)
		_exit(0);
	/* No memory, or no room: at the next look. */
	s->stirred |= err != 0;
	if (same || err)
		return;
	s->hash = h;
	s->asked = false;
	c->unread = true;
	if (s == &c->sets[FEED_SET_PODS])
		atomic_fetch_add(&c->ends.shared->sent, 1);
}

static void read_set(struct child *c, enum feed_which which)
{
	struct network n = { .facts = { .before = before, .before_ctx = c } };
	int64_t used = clock_ns(CLOCK_PROCESS_CPUTIME_ID), began = clock_ns(CLOCK_MONOTONIC), took;
	struct set *s = &c->sets[which];
	struct feed_set told = { .kinds = s->kinds };
	int err;

	doubt(c);
	told.stirred_ns = atomic_load(&c->ends.shared->stirred_ns);
	drain(c, which);
	s->stirred = false;
	if (which == FEED_SET_PODS)
		c->blind = false;
	told.began_ns = (int64_t)time_now();
	err = network_collect(&n, c->root, s->kinds);
	told.ended_ns = (int64_t)time_now();
	if (priv_refused() || (err && !s->last))
		give_up(c);
	if (!err)
		tell(c, s, &n.facts, &told);
	facts_free(&n.facts);
	settle_doubt(c);
	s->last = clock_ns(CLOCK_MONOTONIC);
	took = s->last - began;
	c->rests = later(c->rests, s->last) + REST * (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used);
	s->due = s->last + (which == FEED_SET_PODS && c->blind ? BLIND_MS : POLL_MS) * MS;
	/* A kubelet that lets us wait keeps us from all else. */
	if (which == FEED_SET_KUBELET)
		s->rests = s->last + REST * took;
	if (s->again > s->last)
		hurry(s, later(s->again, s->last + PAUSE_MS * MS));
}

static int64_t when(const struct child *c, enum feed_which which)
{
	const struct set *s = &c->sets[which];

	return later(later(s->due, s->rests), c->rests - (which == FEED_SET_PODS ? CREDIT_MS * MS : 0));
}

/* The first that may be read. */
static enum feed_which next(const struct child *c)
{
	enum feed_which first = FEED_SETS;

	for (enum feed_which i = 0; i < FEED_SETS; i++)
		if (c->sets[i].kinds && (first == FEED_SETS || when(c, i) < when(c, first)))
			first = i;
	return first;
}

/* What is wrong is said once; the next look may find the same. */
static void hush(struct child *c)
{
	bool all = !c->hushed;

	for (unsigned int i = 0; i < FEED_SETS; i++)
		all &= !c->sets[i].kinds || c->sets[i].last;
	if (all)
		c->hushed = dup3(STDOUT_FILENO, STDERR_FILENO, 0) >= 0;
}

static void listen_to(struct child *c)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t what = 0;

	if (read(c->ends.asks, &what, sizeof(what)) != (ssize_t)sizeof(what))
		return;
	for (unsigned int i = 0; i < FEED_SETS; i++) {
		struct set *s = &c->sets[i];

		if (!(what >> i * FEED_FIELD_BITS & ((1u << FEED_FIELD_BITS) - 1)))
			continue;
		s->asked = true;
		hurry(s, later(now, s->last + ASKED_PAUSE_MS * MS));
	}
	if (what >= FEED_WAS_READ)
		c->unread = false;
}

/* How many ms until that is to be read; -1: not before the parent says something. */
static int patience(const struct child *c, enum feed_which which)
{
	int64_t left;

	if (c->unread || which == FEED_SETS)
		return -1;
	left = when(c, which) - clock_ns(CLOCK_MONOTONIC);
	return left <= 0 ? 0 : (int)(left / MS) + 1;
}

static void wait_for_news(struct child *c, int ms)
{
	const struct set *pods = &c->sets[FEED_SET_PODS], *rules = &c->sets[FEED_SET_RULES];
	/* What stirs already is not asked again before it has been read. */
	struct pollfd p[] = {
		{ .fd = c->ends.asks, .events = POLLIN },
		{ .fd = c->ends.alive },
		{ .fd = pods->stirred ? -1 : c->files, .events = POLLIN },
		{ .fd = pods->stirred ? -1 : c->links, .events = POLLIN },
		{ .fd = rules->stirred ? -1 : c->rules, .events = POLLIN },
	};

	if (poll(p, sizeof(p) / sizeof(p[0]), ms) < 0 && errno != EINTR)
		_exit(1);
	if (p[1].revents)
		_exit(0);
	if (p[0].revents)
		listen_to(c);
	if (p[2].revents || p[3].revents)
		drain(c, FEED_SET_PODS);
	if (p[4].revents)
		drain(c, FEED_SET_RULES);
}

static void begin(struct child *c, uint32_t kinds, int parent)
{
	prctl(PR_SET_NAME, "netprobe-node", 0, 0, 0);
	settle_fds(c);
	if (priv_watcher(parent, FACTS_MAX_BYTES))
		_exit(1);
	settle_signals(c);
	if (getrandom(&c->key, sizeof(c->key), 0) != (ssize_t)sizeof(c->key))
		c->key = hash_key_from((uint32_t)clock_ns(CLOCK_MONOTONIC));
	for (unsigned int i = 0; i < FEED_SETS; i++) {
		c->sets[i].kinds = kinds & feed_kinds_of(i);
		c->sets[i].due = i;	/* at once, in their order */
	}
	open_monitors(c);
}

void feed_attend(const char *root, uint32_t kinds, const struct feed_ends *ends, int parent)
{
	struct child c = { .root = root, .ends = *ends };

	begin(&c, kinds, parent);
	for (;;) {
		enum feed_which which;

		wait_for_news(&c, patience(&c, next(&c)));
		/* Another may be the first now. */
		which = next(&c);
		if (patience(&c, which))
			continue;
		read_set(&c, which);
		hush(&c);
	}
}
