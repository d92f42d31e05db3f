// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets counted by policy, for a process without privileges: the child that has them. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_meter_parts.h"
#include "dataplane/conntrack.h"
#include "priv/priv.h"
#include "util/caps.h"
#include "util/err.h"

/* A connection is tracked as soon as its first packet has passed, which is behind where it is asked for. */
enum { PASS_MS = 2, PASS_TRIES = 3 };

struct child {
	struct policy_count *count;
	int talk, wake, conntrack;	/* conntrack: -1: nothing is translated, or we may not ask */
	bool woken;			/* the parent was, and has not asked since */
	bool tracks4, tracks6;		/* connections are tracked here */
	struct meter_request ask;
	struct meter_answer answer;
	struct meter_row *rows;		/* as they were read last */
	uint32_t n_rows, room_rows;
};

static __attribute__((noreturn)) void leave(struct child *c, int status)
{
	priv_refused();
	policy_count_close(c->count);
	_exit(status);
}

static void tell(struct child *c)
{
	ssize_t n;

	do
		n = write(c->talk, &c->answer, sizeof(c->answer));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(c->answer))
		leave(c, 0);
}

/* ── asks ─────────────────────────────────────────────────────────────────── */

static int take_ask(void *ctx, const struct np_policy_ask *ask)
{
	struct child *c = ctx;

	c->answer.asks[c->answer.n++] = (struct meter_ask){ .ask = *ask, .key = ask->key };
	return c->answer.n == METER_AT_ONCE ? -ENOBUFS : 0;
}

static bool has_ports(const struct np_policy_ask *a)
{
	uint8_t proto = a->key.proto;

	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static void take_addr(struct addr *to, uint8_t family, const uint8_t from[16])
{
	*to = (struct addr){ .family = family };
	memcpy(to->b, from, family == 4 ? 4 : 16);
}

static void turn(struct meter_ask *a)
{
	memcpy(a->key.src, a->ask.key.dst, sizeof(a->key.src));
	memcpy(a->key.dst, a->ask.key.src, sizeof(a->key.dst));
	a->key.dport = a->ask.sport;
	a->turned = true;
}

static bool *tracks(struct child *c, const struct meter_ask *a)
{
	return a->ask.key.family == 4 ? &c->tracks4 : &c->tracks6;
}

static bool would_go(struct child *c, struct meter_ask *a)
{
	uint8_t to[16];

	if (!policy_count_goes_to(c->count, &a->ask.key, to, &a->port))
		return false;
	take_addr(&a->to, a->ask.key.family, to);
	return true;
}

/* The kernel knows a connection by what its caller sends, and by what is answered: behind a translation of the one,
 * what is seen is the other, turned. */
static int find(struct child *c, const struct meter_ask *a, struct conntrack_found *found)
{
	struct conntrack_flow f = { .sport = a->ask.sport, .dport = a->ask.key.dport, .proto = a->ask.key.proto };
	struct conntrack_flow turned;
	int rc;

	take_addr(&f.src, a->ask.key.family, a->ask.key.src);
	take_addr(&f.dst, a->ask.key.family, a->ask.key.dst);
	turned = (struct conntrack_flow){ f.dst, f.src, f.dport, f.sport, f.proto };
	rc = conntrack_find(c->conntrack, &f, found);
	if (rc != -ENOENT)
		return rc;
	rc = conntrack_find(c->conntrack, &turned, found);
	found->is_reply = !found->is_reply;
	return rc;
}

/* False: its connection is not known, or not yet. */
static bool look_up(struct child *c, struct meter_ask *a)
{
	struct conntrack_found found = { .is_reply = false };
	int rc = find(c, a, &found);

	if (rc == -ENOENT && would_go(c, a)) {
		rc = 0;
	} else if (!rc) {
		a->to = found.to;
		a->port = found.port;
		if (found.is_reply)
			turn(a);
	}
	a->tracked = rc ? METER_UNKNOWN : METER_TRACKED;
	*tracks(c, a) |= !rc;
	return rc != -ENOENT;
}

/* tries: how often, with a pause between. */
static void look_all_up(struct child *c, int tries)
{
	const struct timespec pass = { .tv_nsec = PASS_MS * 1000000 };
	bool todo[METER_AT_ONCE] = { false }, again = c->conntrack >= 0;

	for (uint32_t i = 0; i < c->answer.n; i++)
		todo[i] = has_ports(&c->answer.asks[i].ask);
	for (int round = 0; again && round < tries; round++) {
		if (round)
			nanosleep(&pass, NULL);
		again = false;
		for (uint32_t i = 0; i < c->answer.n; i++) {
			todo[i] = todo[i] && !look_up(c, &c->answer.asks[i]);
			/* Where nothing is tracked there is nothing to wait for. */
			again |= todo[i] && *tracks(c, &c->answer.asks[i]);
		}
	}
	for (uint32_t i = 0; i < c->answer.n; i++)
		if (!*tracks(c, &c->answer.asks[i]))
			c->answer.asks[i].tracked = METER_NOT_ASKED;
}

static int answer_asks(struct child *c)
{
	int rc;

	c->woken = false;
	rc = policy_count_asks(c->count, take_ask, c);
	look_all_up(c, PASS_TRIES);
	return rc < 0 && rc != -ENOBUFS ? rc : 0;
}

static int look_again(struct child *c)
{
	if (c->ask.n > METER_AT_ONCE)
		leave(c, 1);
	c->answer.n = c->ask.n;
	for (uint32_t i = 0; i < c->ask.n; i++)
		c->answer.asks[i] = (struct meter_ask){ .ask = c->ask.asks[i].ask, .key = c->ask.asks[i].ask.key };
	look_all_up(c, 1);
	return 0;
}

/* ── rows ─────────────────────────────────────────────────────────────────── */

static int take_row(void *ctx, const struct np_policy_row *row, const struct np_policy_counts *n)
{
	struct child *c = ctx;

	if (c->n_rows == c->room_rows) {
		uint32_t room = c->room_rows ? 2 * c->room_rows : 256;
		struct meter_row *v = realloc(c->rows, room * sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->rows = v;
		c->room_rows = room;
	}
	c->rows[c->n_rows++] = (struct meter_row){ *row, *n };
	return 0;
}

static int answer_rows(struct child *c)
{
	uint32_t from = c->ask.n;
	int err = 0;

	if (!from) {
		c->n_rows = 0;
		err = policy_count_read(c->count, take_row, c);
	}
	while (!err && from < c->n_rows && c->answer.n < METER_AT_ONCE)
		c->answer.rows[c->answer.n++] = c->rows[from++];
	return err;
}

/* ── requests ─────────────────────────────────────────────────────────────── */

static int attach(struct child *c)
{
	struct link_info link;
	int err;

	if (!memchr(c->ask.iface.name, '\0', sizeof(c->ask.iface.name)))
		leave(c, 1);
	err = link_get(c->ask.iface.name, 0, &link);
	if (!err)
		err = policy_count_attach(c->count, link.ifindex, c->ask.iface.pod);
	c->answer.ifindex = err ? 0 : link.ifindex;
	return err;
}

static int decide(struct child *c)
{
	int err = 0;

	if (c->ask.n > METER_AT_ONCE)
		leave(c, 1);
	for (uint32_t i = 0; i < c->ask.n; i++) {
		const struct meter_decided *v = &c->ask.decided[i];
		int got = policy_count_decide(c->count, &v->key, &v->d, v->turned ? &v->asked : NULL);

		err = got ? got : err;
	}
	return err;
}

static int serve(struct child *c)
{
	switch (c->ask.what) {
	case METER_ATTACH:
		return attach(c);
	case METER_DETACH:
		return policy_count_detach(c->count, c->ask.ifindex);
	case METER_POD:
		return policy_count_pod(c->count, &c->ask.pod.at, c->ask.pod.pod);
	case METER_UNPOD:
		return policy_count_unpod(c->count, &c->ask.pod.at, c->ask.pod.pod);
	case METER_FORGET_POD:
		return policy_count_forget_pod(c->count, c->ask.pod.pod);
	case METER_FORGET_ALL:
		policy_count_forget_all(c->count);
		return 0;
	case METER_ASKS:
		return answer_asks(c);
	case METER_LOOK:
		return look_again(c);
	case METER_DECIDE:
		return decide(c);
	case METER_UNDECIDE:
		return policy_count_undecide(c->count, &c->ask.decided[0].key);
	case METER_ORDER:
		policy_count_order(c->count);
		return 0;
	case METER_ROWS:
		return answer_rows(c);
	case METER_OTHER:
		return policy_count_other(c->count, c->answer.other);
	default:
		leave(c, 1);
	}
}

static void answer(struct child *c)
{
	ssize_t n = read(c->talk, &c->ask, sizeof(c->ask));

	if (n < 0 && errno == EINTR)
		return;
	if (n != (ssize_t)sizeof(c->ask))
		leave(c, n ? 1 : 0);
	memset(&c->answer, 0, sizeof(c->answer));
	c->answer.err = serve(c);
	tell(c);
}

static void wait_and_serve(struct child *c)
{
	const uint64_t one = 1;
	struct pollfd p[] = {
		{ .fd = c->talk, .events = POLLIN },
		{ .fd = c->woken ? -1 : policy_count_fd(c->count), .events = POLLIN },
	};

	if (poll(p, sizeof(p) / sizeof(p[0]), -1) < 0 && errno != EINTR)
		leave(c, 1);
	if (p[0].revents & POLLIN)
		answer(c);
	else if (p[0].revents)
		leave(c, 0);
	if (p[1].revents && !c->woken)
		c->woken = write(c->wake, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

static int begin(struct child *c, const struct policy_count_options *o)
{
	int err = policy_count_open(&c->count, o);

	if (err)
		return err;
	c->conntrack = conntrack_open();
	return priv_keep(NEED_BPF | NEED_PERFMON | NEED_NET_ADMIN | NEED_NET_RAW, -1);
}

void meter_attend(const struct policy_count_options *o, int talk, int wake)
{
	static struct child c;
	int *const mine[] = { &talk, &wake };

	prctl(PR_SET_NAME, "netprobe-count", 0, 0, 0);
	priv_child_signals();
	priv_child_fds(mine, sizeof(mine) / sizeof(mine[0]));
	c = (struct child){ .talk = talk, .wake = wake, .conntrack = -1 };
	c.answer.err = begin(&c, o);
	c.answer.n = !c.answer.err && policy_count_sees_drops(c.count);
	tell(&c);
	if (c.answer.err)
		leave(&c, 1);
	for (;;)
		wait_and_serve(&c);
}
