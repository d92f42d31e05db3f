// SPDX-License-Identifier: GPL-2.0-or-later
/* What a node has, kept up to date: the parent's side, and how a set of facts passes. */
#include "cmd/policy_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_feed_parts.h"
#include "util/cleanup.h"
#include "util/err.h"

/* Younger than some headers that this must build with. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

enum { PATIENCE_MS = 2000, MAGIC = 0x6e706664, ERRNO_MAX = 4095, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* ── a set on its way ─────────────────────────────────────────────────────── */

/* Both ends are one program, forked: the layout is the compiler's. */
struct head {
	uint32_t magic, kinds;
	uint64_t bytes;
	int64_t boot_ns, now_ns, began_ns, ended_ns, stirred_ns;
	uint32_t n[FACT_KINDS], left_out[FACT_KINDS];
	int32_t err[FACT_KINDS];
	uint8_t there[FACT_KINDS];
};

/* Room for one descriptor has, aligned, room for two. */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

uint32_t feed_kinds_of(enum feed_which which)
{
	static const uint32_t kinds[FEED_SETS] = {
		[FEED_SET_PODS] = FEED_PODS | FEED_NETWORK,
		[FEED_SET_RULES] = FEED_RULES,
		[FEED_SET_KUBELET] = FEED_KUBELET,
	};

	return kinds[which];
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Nobody changes it any more; -errno. */
static int sealed_file(const char *p, size_t n)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	owned_fd int fd = memfd_create("netprobe-node", flags | MFD_NOEXEC_SEAL);
	int err;

	if (fd < 0 && errno == EINVAL)	/* before Linux 6.3 */
		fd = memfd_create("netprobe-node", flags);
	if (fd < 0)
		return -errno;
	err = write_all(fd, p, n);
	if (err)
		return err;
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL))
		return -errno;
	return take_fd(fd);
}

int feed_send(int tell, const struct facts *f, const struct feed_set *set)
{
	struct head h = {
		.magic = MAGIC, .kinds = set->kinds, .bytes = f->data.n, .boot_ns = f->boot_ns, .now_ns = f->now_ns,
		.began_ns = set->began_ns, .ended_ns = set->ended_ns, .stirred_ns = set->stirred_ns,
	};
	owned_fd int fd = sealed_file(f->data.p, f->data.n);
	union control control = { .room = { 0 } };
	struct iovec v = { .iov_base = &h, .iov_len = sizeof(h) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };

	if (fd < 0)
		return fd;
	for (unsigned int k = 0; k < FACT_KINDS; k++) {
		h.n[k] = f->n[k];
		h.left_out[k] = f->left_out[k];
		h.err[k] = f->err[k];
		h.there[k] = f->there[k];
	}
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return sendmsg(tell, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The one descriptor that came along; more or none: -1, and they are closed. */
static int passed_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t n = 0;
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(0))
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
	for (size_t i = 0; i < n; i++) {
		if (fd >= 0)
			close(fd);
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
	}
	if (n == 1)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_sound(const struct head *h, uint32_t kinds)
{
	bool known = false;

	for (unsigned int i = 0; i < FEED_SETS; i++)
		known |= h->kinds && h->kinds == (h->kinds & kinds & feed_kinds_of(i));
	for (unsigned int k = 0; k < FACT_KINDS; k++)
		if (h->err[k] > 0 || h->err[k] < -ERRNO_MAX || h->there[k] > 1)
			return false;
	return known && h->magic == MAGIC && h->bytes <= FACTS_MAX_BYTES;
}

/* A file of that length, which nobody can make another. */
static int take_bytes(int fd, uint64_t bytes, struct buf *b)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size != bytes)
		return -EPROTO;
	b->max = FACTS_MAX_BYTES;
	if (bytes && !buf_room(b, (size_t)bytes))
		return -ENOMEM;
	while (b->n < bytes) {
		ssize_t n = pread(fd, b->p + b->n, (size_t)bytes - b->n, (off_t)b->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPROTO;
		b->n += (size_t)n;
	}
	return 0;
}

/* Facts from the first byte to the last, as many of each kind as it says. */
static bool is_whole(const struct facts *f, uint32_t kinds)
{
	uint32_t n[FACT_KINDS] = { 0 };
	struct fact one;
	size_t at = 0;

	while (facts_next(f, &at, &one)) {
		if (!(kinds & 1u << one.kind))
			return false;
		n[one.kind]++;
	}
	return at == f->data.n && !memcmp(n, f->n, sizeof(n));
}

static int take_set(const struct head *h, int fd, struct facts *out)
{
	int err;

	*out = (struct facts){ .boot_ns = h->boot_ns, .now_ns = h->now_ns };
	for (unsigned int k = 0; k < FACT_KINDS; k++) {
		out->n[k] = h->n[k];
		out->left_out[k] = h->left_out[k];
		out->err[k] = h->err[k];
		out->there[k] = h->there[k];
	}
	err = take_bytes(fd, h->bytes, &out->data);
	if (!err && !is_whole(out, h->kinds))
		err = -EPROTO;
	if (err)
		facts_free(out);
	return err;
}

int feed_take(int from, uint32_t kinds, struct facts *out, struct feed_set *set)
{
	struct head h;
	union control control;
	struct iovec v = { .iov_base = &h, .iov_len = sizeof(h) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	owned_fd int fd = -1;
	ssize_t n;
	int err;

	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
	fd = passed_fd(&m);
	if (!n && fd < 0)
		return -EPIPE;
	if (n != (ssize_t)sizeof(h) || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || fd < 0 || !is_sound(&h, kinds))
		return -EPROTO;
	err = take_set(&h, fd, out);
	if (err)
		return err;
	*set = (struct feed_set){
		.kinds = h.kinds, .began_ns = h.began_ns, .ended_ns = h.ended_ns, .stirred_ns = h.stirred_ns
	};
	return 1;
}

/* ── the parent ───────────────────────────────────────────────────────────── */

struct policy_feed {
	pid_t pid;
	uint32_t kinds;
	int from, asks, alive;		/* from: -1 when the child has ended, of which has been told */
	unsigned int n_asks;		/* since the last set */
	uint32_t n_pods;		/* sets of pods that were read */
	struct feed_shared *shared;	/* NULL: none */
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(struct policy_feed *f)
{
	if (f->shared)
		munmap(f->shared, sizeof(*f->shared));
	f->shared = NULL;
	close_one(&f->alive);
	close_one(&f->from);
	close_one(&f->asks);
}

static int start(struct policy_feed *f, const char *root)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_ANONYMOUS;
	owned_fd int tell = -1, dies = -1;
	int pair[2], life[2], parent = getpid();
	void *shared = mmap(NULL, sizeof(*f->shared), prot, flags, -1, 0);

	if (shared == MAP_FAILED)
		return -errno;
	f->shared = shared;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	f->from = pair[0];
	tell = pair[1];
	if (pipe2(life, O_CLOEXEC))
		return -errno;
	dies = life[0];
	f->alive = life[1];
	f->asks = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->asks < 0)
		return -errno;
	f->pid = fork();
	if (!f->pid) {
		const struct feed_ends ends = { .tell = tell, .asks = f->asks, .alive = dies, .shared = f->shared };

		close_one(&f->from);
		close_one(&f->alive);
		feed_attend(root, f->kinds, &ends, parent);
	}
	return f->pid < 0 ? -errno : 0;
}

int feed_open(struct policy_feed **out, const char *root, uint32_t kinds)
{
	owned_mem struct policy_feed *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return fail(ENOMEM, "cannot keep what is known of this node up to date");
	/* network_collect() reads both or none of these. */
	if (kinds & FEED_RULES)
		kinds |= FEED_RULES;
	if (root)
		kinds &= ~(uint32_t)(FEED_RULES | FEED_KUBELET);
	*f = (struct policy_feed){ .kinds = kinds & FEED_ALL, .from = -1, .asks = -1, .alive = -1 };
	err = start(f, root);
	if (err) {
		close_all(f);
		return fail(err, "cannot keep what is known of this node up to date");
	}
	*out = take(f);
	return 0;
}

int feed_fd(const struct policy_feed *f)
{
	return f->from;
}

uint64_t feed_stirred(const struct policy_feed *f)
{
	int64_t since_ns;

	if (f->from < 0 || !f->shared)
		return 0;
	since_ns = atomic_load(&f->shared->stirred_ns);
	/* What was sent before it became 0 has yet to be read: perhaps all is other. */
	return since_ns ? (uint64_t)since_ns : atomic_load(&f->shared->sent) != f->n_pods;
}

unsigned int feed_fds(const struct policy_feed *f, int fds[FEED_FDS])
{
	const int all[FEED_FDS] = { f->from, f->asks, f->alive };
	unsigned int n = 0;

	for (unsigned int i = 0; i < FEED_FDS; i++)
		if (all[i] >= 0)
			fds[n++] = all[i];
	return n;
}

static void say_to(const struct policy_feed *f, uint64_t what)
{
	/* It is never full: see FEED_ASKS_MAX; a child that is gone is told by feed_read(). */
	while (write(f->asks, &what, sizeof(what)) < 0 && errno == EINTR)
		;
}

int feed_read(struct policy_feed *f, struct facts *out, struct feed_set *set)
{
	int rc = f->from < 0 ? 0 : feed_take(f->from, f->kinds, out, set);

	if (rc > 0) {
		f->n_asks = 0;
		f->n_pods += (set->kinds & feed_kinds_of(FEED_SET_PODS)) != 0;
		say_to(f, FEED_WAS_READ);
	} else if (rc < 0) {
		close_one(&f->alive);
		close_one(&f->from);
		fail(rc == -EPIPE ? 0 : rc, "what is known of this node stays as it is: the process that reads it %s",
		     rc == -EPIPE ? "ended" : "told what cannot be read");
	}
	return rc;
}

void feed_ask(struct policy_feed *f, uint32_t kinds)
{
	uint64_t what = 0;

	for (unsigned int i = 0; i < FEED_SETS; i++)
		if (kinds & f->kinds & feed_kinds_of(i))
			what += FEED_ASKED(i);
	/* So many as nobody answered already are enough. */
	if (!what || f->from < 0 || f->n_asks == FEED_ASKS_MAX)
		return;
	f->n_asks++;
	say_to(f, what);
}

void feed_close(struct policy_feed *f)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (!f)
		return;
	/* That ends it, whatever it is about; the sandbox would not let us send it a signal. */
	close_all(f);
	for (int i = 0; i < PATIENCE_MS && !waitpid(f->pid, NULL, WNOHANG); i++)
		nanosleep(&ms, NULL);
	free(f);
}
