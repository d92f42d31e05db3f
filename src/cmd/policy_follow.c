// SPDX-License-Identifier: GPL-2.0-or-later
/* A cluster's objects as they change: the parent's side, which reads what the child moves. */
#include "cmd/policy_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_follow_parts.h"
#include "k8s/cut.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/time.h"

/* Between two tellings that nothing comes. */
#define QUIET_NS (UINT64_C(600) * 1000000000)

enum {
	PATIENCE_MS = 2000,
	MESSAGES_MAX = 32,	/* at one reading: packets wait */
	SLACK = 4096,		/* names and pods that are gone and kept in any case */
};

struct followed {
	const char *name;
	const char *object;	/* what its objects call themselves; NULL: what is gone is not noticed */
	struct cut watch, list;
	uint32_t round;		/* k8s.round, when its list began */
	bool lists, whole;	/* lists: and that has not ended */
	bool lost;		/* nothing of it comes for now, which was said */
};

struct follow {
	pid_t pid;
	int from, alive;	/* from: -1 when the child has ended, of which has been told */
	unsigned int n;
	struct followed kinds[FOLLOW_KINDS_MAX];
	uint32_t names, pods;	/* so many there were when nothing was kept of what is gone; 0: never */
	bool lost, said;	/* one of the kinds is; and that was said */
	uint64_t said_ns;
	struct {
		struct follow_head head;
		char bytes[FOLLOW_PIECE];
	} message;
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(struct follow *f)
{
	close_one(&f->alive);
	close_one(&f->from);
}

static const char *object_of(const char *kind)
{
	static const struct {
		const char *kind, *object;
	} known[] = {
		{ "pods", "Pod" }, { "namespaces", "Namespace" }, { "networkpolicies", "NetworkPolicy" },
		{ "nodes", "Node" }, { "services", "Service" }, { "adminnetworkpolicies", "AdminNetworkPolicy" },
		{ "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].kind, kind))
			return known[i].object;
	return NULL;
}

static int start(struct follow *f, const char *path, const char *const kinds[])
{
	owned_fd int tell = -1, dies = -1;
	int pair[2], life[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(errno, "%s", path);
	f->from = pair[0];
	tell = pair[1];
	if (pipe2(life, O_CLOEXEC))
		return fail(errno, "%s", path);
	dies = life[0];
	f->alive = life[1];
	f->pid = fork();
	if (!f->pid) {
		close_all(f);
		follow_attend(path, kinds, f->n, &(const struct follow_ends){ .tell = tell, .alive = dies });
	}
	return f->pid < 0 ? fail(errno, "%s", path) : 0;
}

int follow_open(struct follow **out, const char *program, const char *const kinds[], unsigned int n)
{
	owned_mem struct follow *f = calloc(1, sizeof(*f));
	char path[512];
	int err;

	if (!f)
		return fail(ENOMEM, "kubectl");
	err = kubectl_find(*program ? program : "kubectl", path, sizeof(path));
	if (err)
		return err;
	f->from = f->alive = -1;
	f->n = n < FOLLOW_KINDS_MAX ? n : FOLLOW_KINDS_MAX;
	for (unsigned int i = 0; i < f->n; i++) {
		f->kinds[i].name = kinds[i];
		f->kinds[i].object = object_of(kinds[i]);
	}
	err = start(f, path, kinds);
	if (err) {
		close_all(f);
		return err;
	}
	*out = take(f);
	return 0;
}

int follow_fd(const struct follow *f)
{
	return f->from;
}

unsigned int follow_fds(const struct follow *f, int fds[FOLLOW_FDS])
{
	const int all[FOLLOW_FDS] = { f->from, f->alive };
	unsigned int n = 0;

	for (unsigned int i = 0; i < FOLLOW_FDS; i++)
		if (all[i] >= 0)
			fds[n++] = all[i];
	return n;
}

bool follow_whole(const struct follow *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (!f->kinds[i].whole)
			return false;
	return true;
}

void follow_close(struct follow *f)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (!f)
		return;
	/* That ends it; the sandbox would not let us send it a signal. */
	close_all(f);
	for (int i = 0; i < PATIENCE_MS && !waitpid(f->pid, NULL, WNOHANG); i++)
		nanosleep(&ms, NULL);
	for (unsigned int i = 0; i < f->n; i++) {
		cut_free(&f->kinds[i].watch);
		cut_free(&f->kinds[i].list);
	}
	free(f);
}

/* ── what kubectl says ────────────────────────────────────────────────────── */

static void say_why(char *why, size_t size, int status, bool unreadable)
{
	if (unreadable)
		snprintf(why, size, "printed what is no JSON, or not all of it");
	else if (status == -1)
		snprintf(why, size, "could not be run, or does not end");
	else if (WIFSIGNALED(status))
		snprintf(why, size, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, size, "failed with status %d", WEXITSTATUS(status));
}

/* Before there was a whole list that is the end; later it is said, if not lately, and tried again. */
static int lose(struct follow *f, struct followed *of, bool watch, int status, bool unreadable)
{
	const char *how = watch ? " --watch" : "";
	char why[128];

	say_why(why, sizeof(why), status, unreadable);
	if (!of->whole)
		return fail(0, "kubectl get %s%s %s", of->name, how, why);
	if (!f->lost && time_now() > f->said_ns + QUIET_NS) {
		f->said = true;
		f->said_ns = time_now();
		warn("kubectl get %s%s %s: what is known of the cluster stays as it is; it is tried again", of->name,
		     how, why);
	}
	f->lost = of->lost = true;
	return 0;
}

static void regain(struct follow *f, struct followed *of)
{
	of->lost = f->lost = false;
	for (unsigned int i = 0; i < f->n; i++)
		f->lost |= f->kinds[i].lost;
	if (!f->lost && f->said)
		warn("kubectl: the cluster's objects are followed again");
	f->said &= f->lost;
}

struct reading {
	const struct followed *of;
	struct policy *p;
	bool list;
};

/* Of a list, what was told of an object since it began is newer. */
static int take_object(void *ctx, const char *text, size_t n)
{
	struct reading *r = ctx;
	int err;

	r->p->rep.since = r->list ? r->of->round : 0;
	err = load_text(r->p->k, text, n, "kubectl", &r->p->rep);
	r->p->rep.since = 0;
	return err;
}

static int list_ended(struct follow *f, struct followed *of, struct policy *p, int status)
{
	bool unreadable = of->list.whole != 1 || !cut_is_between(&of->list);
	uint32_t gone;

	if (of->list.left_out)
		warn("kubectl get %s: %llu objects left out: more than %d MiB each", of->name,
		     (unsigned long long)of->list.left_out, LOAD_OBJECT_MAX >> 20);
	cut_begin(&of->list, true);
	of->lists = false;
	if (status || unreadable)
		return lose(f, of, false, status, !status);
	gone = of->object ? k8s_sweep(p->k, of->object, of->round, OBJECT_KUBECTL) : 0;
	p->rep.objects += gone;
	p->rep.deleted += gone;
	of->whole = true;
	regain(f, of);
	return 0;
}

static int take_bytes(struct follow *f, struct followed *of, struct policy *p, bool watch, size_t n)
{
	struct reading r = { .of = of, .p = p, .list = !watch };
	struct cut *c = watch ? &of->watch : &of->list;
	bool was = c->broken;
	int err;

	err = cut_bytes(c, f->message.bytes, n, take_object, &r);
	/* Of a list its end tells. */
	if (err == -EPROTO && c->broken)
		err = watch && !was ? lose(f, of, true, 0, true) : 0;
	return err;
}

static int take_message(struct follow *f, struct policy *p, size_t n)
{
	const struct follow_head *h = &f->message.head;
	struct followed *of;

	if (n < sizeof(*h) || h->kind >= f->n || h->what >= FOLLOW_WHATS)
		return fail(EPROTO, "kubectl");
	of = &f->kinds[h->kind];
	switch ((enum follow_what)h->what) {
	case FOLLOW_LIST_BEGINS:
		cut_begin(&of->list, true);
		of->lists = true;
		of->round = ++p->k->round;
		return 0;
	case FOLLOW_LIST_ENDED:
		return list_ended(f, of, p, h->status);
	case FOLLOW_WATCH_BEGINS:
		cut_begin(&of->watch, false);
		return 0;
	case FOLLOW_WATCH_ENDED:
		return h->status ? lose(f, of, true, h->status, false) : 0;
	default:
		return take_bytes(f, of, p, h->what == FOLLOW_WATCH, n - sizeof(*h));
	}
}

/* ── keeping it small ─────────────────────────────────────────────────────── */

static bool is_listing(const struct follow *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (f->kinds[i].lists)
			return true;
	return false;
}

/* What is gone is kept until it is as much as there is; while something is listed, it is known by it what is newer. */
static int keep_small(struct follow *f, struct policy *p)
{
	struct k8s *k = p->k;
	int err;

	if (!follow_whole(f) || is_listing(f))
		return 0;
	if (f->names && k->names.n < 2 * f->names + SLACK && k->n_pods < 2 * f->pods + SLACK)
		return 0;
	err = k8s_tidy(k);
	f->names = k->names.n;
	f->pods = k->n_pods;
	return err;
}

static int settle(struct follow *f, struct policy *p, uint64_t gone)
{
	policy_loaded(p, OBJECT_KUBECTL);
	if (gone != p->rep.deleted && !k8s_pods_index(p->k))
		return fail(ENOMEM, "objects");
	return keep_small(f, p);
}

int follow_read(struct follow *f, struct policy *p)
{
	uint64_t objects = p->rep.objects, gone = p->rep.deleted, changed;
	int err = 0;

	if (!p->k->round)
		p->k->round = 1;
	for (int i = 0; i < MESSAGES_MAX && f->from >= 0 && !err; i++) {
		ssize_t n = recv(f->from, &f->message, sizeof(f->message), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n > 0)
			err = take_message(f, p, (size_t)n);
		else
			err = fail(n ? errno : 0, "what is known of the cluster stays as it is: the process that runs "
						  "kubectl ended");
	}
	changed = p->rep.objects - objects;
	if (changed && err != -ENOMEM) {
		int failed = settle(f, p, gone);

		err = failed ? failed : err;
	}
	if (err) {
		close_all(f);
		return err;
	}
	return changed < INT32_MAX ? (int)changed : INT32_MAX;
}
