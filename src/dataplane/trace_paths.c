// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages -> paths.  A packet's messages have one id, and come in their order; between them come those of others.  A
 * drop ends its path at once.  After an accept the next hook may follow, which nobody announces, so that such a path
 * ends by time.  Ids come again: a message of our own table that has headers begins a new path.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "dataplane/attr.h"
#include "dataplane/trace_parts.h"
#include "util/err.h"

enum { NAMES = 4096, ROOM = 256, NOBODY = 0xffff, WAIT_MS = 50 };

_Static_assert((int)TRACE_ROOM_MAX < (int)NOBODY, "indices");

/* A text of a step: where it begins in names, 0 none. */
struct short_step {
	uint64_t handle;
	uint32_t mark;
	uint16_t table, chain, target;
	uint8_t family, kind, verdict;
};

struct path {
	struct rule_path told;	/* but the steps */
	uint16_t older, newer;	/* of those that wait; of a free one newer is the next free one */
	uint16_t next;		/* of the same bucket */
	uint16_t n_names;
	struct short_step steps[TRACE_STEPS_MAX];
	char names[NAMES];
};

struct trace_paths {
	struct trace_options o;
	struct trace_counts counts;
	char own[TRACE_NAME_MAX];
	struct path *paths;
	uint16_t *buckets, mask;
	uint16_t oldest, newest, free;
	uint16_t used;		/* of the paths, so many were ever taken */
	struct rule_step steps[TRACE_STEPS_MAX];	/* of the one that is being told */
};

int paths_open(struct trace_paths **out, const struct trace_options *o, const char *own_table)
{
	struct trace_paths *p = calloc(1, sizeof(*p));
	uint32_t room = o->room ? o->room : ROOM, n = 1;

	while (n < room)
		n *= 2;
	*out = p;
	if (p) {
		p->o = *o;
		p->o.room = room;
		p->o.wait_ns = o->wait_ns ? o->wait_ns : UINT64_C(1000000) * WAIT_MS;
		snprintf(p->own, sizeof(p->own), "%s", own_table);
		p->mask = (uint16_t)(n - 1);
		p->oldest = p->newest = p->free = NOBODY;
		p->paths = calloc(room, sizeof(*p->paths));
		p->buckets = malloc(n * sizeof(*p->buckets));
	}
	if (!p || !p->paths || !p->buckets) {
		paths_close(p);
		*out = NULL;
		return fail(ENOMEM, "traces of rules");
	}
	for (uint32_t i = 0; i < n; i++)
		p->buckets[i] = NOBODY;
	return 0;
}

void paths_close(struct trace_paths *p)
{
	if (!p)
		return;
	free(p->paths);
	free(p->buckets);
	free(p);
}

void paths_counts(const struct trace_paths *p, struct trace_counts *out)
{
	*out = p->counts;
}

/* ── who waits ────────────────────────────────────────────────────────────── */

static uint16_t *bucket_of(struct trace_paths *p, uint32_t id)
{
	return &p->buckets[id & p->mask];
}

static struct path *find(struct trace_paths *p, uint32_t id)
{
	uint16_t i = *bucket_of(p, id);

	while (i != NOBODY && p->paths[i].told.id != id)
		i = p->paths[i].next;
	return i == NOBODY ? NULL : &p->paths[i];
}

static void forget(struct trace_paths *p, struct path *x)
{
	uint16_t self = (uint16_t)(x - p->paths), *at = bucket_of(p, x->told.id);

	while (*at != self)
		at = &p->paths[*at].next;
	*at = x->next;
	*(x->older == NOBODY ? &p->oldest : &p->paths[x->older].newer) = x->newer;
	*(x->newer == NOBODY ? &p->newest : &p->paths[x->newer].older) = x->older;
	x->newer = p->free;
	p->free = self;
	p->counts.waiting--;
}

/* Where there is no room the oldest goes. */
static uint16_t take_free(struct trace_paths *p)
{
	uint16_t i = p->free;

	if (i == NOBODY && p->used < p->o.room)
		return p->used++;
	if (i == NOBODY) {
		i = p->oldest;
		forget(p, &p->paths[i]);
		p->counts.evicted++;
	}
	p->free = p->paths[i].newer;
	return i;
}

static struct path *begin(struct trace_paths *p, uint32_t id, uint64_t now_ns)
{
	uint16_t self = take_free(p), *bucket = bucket_of(p, id);
	struct path *x = &p->paths[self];

	x->told = (struct rule_path){ .id = id, .first_ns = now_ns };
	x->n_names = 1;
	x->next = *bucket;
	*bucket = self;
	x->older = p->newest;
	x->newer = NOBODY;
	*(x->older == NOBODY ? &p->oldest : &p->paths[x->older].newer) = self;
	p->newest = self;
	p->counts.waiting++;
	return x;
}

static int tell(struct trace_paths *p, struct path *x)
{
	struct rule_path told = x->told;

	for (uint32_t i = 0; i < told.n_steps; i++) {
		const struct short_step *s = &x->steps[i];

		p->steps[i] = (struct rule_step){
			.table = x->names + s->table, .chain = x->names + s->chain,
			.target = s->verdict == NF_TARGET ? "stolen" : s->target ? x->names + s->target : NULL,
			.handle = s->handle, .mark = s->mark,
			.family = s->family, .kind = s->kind, .verdict = s->verdict,
		};
	}
	told.steps = p->steps;
	forget(p, x);
	p->counts.told++;
	return p->o.tell(p->o.ctx, &told);
}

/* ── one message ──────────────────────────────────────────────────────────── */

/* 0: no room.  `guess` is where the same text stood last. */
static uint16_t keep(struct path *x, struct part text, uint16_t guess)
{
	uint16_t at = x->n_names;

	if (guess && nf_is(text, x->names + guess))
		return guess;
	if (text.n >= (size_t)(NAMES - at))
		return 0;
	memcpy(x->names + at, text.p, text.n);
	x->names[at + text.n] = '\0';
	x->n_names = (uint16_t)(at + text.n + 1);
	return at;
}

/* Chains come again after those that they jump to: looked for among the last steps. */
static uint16_t keep_chain(struct path *x, struct part text)
{
	enum { BACK = 8 };
	uint32_t n = x->told.n_steps;

	for (uint32_t i = n; i > 0 && n - i < BACK; i--) {
		const struct short_step *s = &x->steps[i - 1];

		if (nf_is(text, x->names + s->chain))
			return s->chain;
		if (s->target && nf_is(text, x->names + s->target))
			return s->target;
	}
	return keep(x, text, 0);
}

static bool add_step(struct path *x, const struct trace_event *e)
{
	struct rule_path *t = &x->told;
	struct short_step *last = t->n_steps ? &x->steps[t->n_steps - 1] : NULL;
	struct short_step s = { .handle = e->handle, .mark = e->mark, .family = e->family, .kind = e->kind,
				.verdict = e->verdict };

	s.table = keep(x, e->table, last ? last->table : 0);
	s.chain = keep_chain(x, e->chain);
	s.target = e->target.n ? keep(x, e->target, 0) : 0;
	/* What is behind a step that was lost is lost: steps stand in their order without holes. */
	if (t->steps_lost || !s.table || !s.chain || (e->target.n && !s.target))
		return false;
	/* The end of a chain at a hook is told twice: its policy is what counts. */
	if (last && e->kind == TRACE_POLICY && last->kind == TRACE_RETURN && last->family == s.family &&
	    last->table == s.table && last->chain == s.chain) {
		*last = s;
		return true;
	}
	if (t->n_steps == TRACE_STEPS_MAX)
		return false;
	x->steps[t->n_steps++] = s;
	return true;
}

static void take_packet(struct rule_path *t, const struct trace_event *e)
{
	const struct trace_packet *k = &e->packet;

	if (e->in_ifindex && !t->in_ifindex)
		t->in_ifindex = e->in_ifindex;
	if (e->out_ifindex)
		t->out_ifindex = e->out_ifindex;
	if (!k->ends.src.family)
		return;
	t->left = k->ends;
	if (t->came.src.family)
		return;
	t->came = k->ends;
	t->tcp_seq = k->tcp_seq;
	t->ip_id = k->ip_id;
	t->proto = k->proto;
	t->proto_known = k->proto_known;
}

static uint8_t end_by(uint8_t verdict)
{
	switch (verdict) {
	case NF_DROPS:
		return TRACE_DROPPED;
	case NF_ACCEPTS:
		return TRACE_PASSED;
	case NF_QUEUES:
		return TRACE_QUEUED;
	case NF_TARGET:
		return TRACE_STOLEN;
	}
	return TRACE_UNCLEAR;
}

static bool is_ours(struct part table, const char *own)
{
	const size_t n = sizeof(TRACE_TABLE) - 1;

	return own ? nf_is(table, own) : table.n > n && !memcmp(table.p, TRACE_TABLE, n);
}

static int take_event(struct trace_paths *p, const struct trace_event *e, uint64_t now_ns)
{
	bool own = e->family == NFPROTO_INET && is_ours(e->table, p->own);
	struct path *x = find(p, e->id);
	int rc = 0;

	if (x && own && e->first) {
		rc = tell(p, x);
		x = NULL;
	}
	if (!x && !own) {
		p->counts.others++;
		return rc;
	}
	if (!x)
		x = begin(p, e->id, now_ns);
	x->told.last_ns = now_ns;
	take_packet(&x->told, e);
	x->told.end = end_by(e->verdict);
	/* Those of other processes of ours decide nothing either. */
	if (!(e->family == NFPROTO_INET && is_ours(e->table, NULL)) && !add_step(x, e)) {
		x->told.steps_lost++;
		p->counts.steps_lost++;
	}
	if (!rc && (x->told.end == TRACE_DROPPED || x->told.end == TRACE_STOLEN))
		rc = tell(p, x);
	return rc;
}

/* ── many ─────────────────────────────────────────────────────────────────── */

int paths_datagram(struct trace_paths *p, const void *bytes, size_t n, uint64_t now_ns)
{
	struct part in = { bytes, n }, body;
	struct trace_event e;
	struct nlmsghdr h;
	int rc = 0;

	while (!rc && message_next(&in, &h, &body)) {
		/* Answers to what trace_put() asked. */
		if (h.nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		if (h.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) || !trace_message(body, &e)) {
			p->counts.broken++;
			continue;
		}
		p->counts.messages++;
		rc = take_event(p, &e, now_ns);
	}
	p->counts.broken += !rc && in.n;
	return rc;
}

void paths_overrun(struct trace_paths *p)
{
	p->counts.overruns++;
	for (uint16_t i = p->oldest; i != NOBODY; i = p->paths[i].newer)
		p->paths[i].told.holes = true;
}

int paths_tick(struct trace_paths *p, uint64_t now_ns)
{
	int rc = 0;

	while (!rc && p->oldest != NOBODY) {
		struct path *x = &p->paths[p->oldest];

		if (now_ns < x->told.first_ns || now_ns - x->told.first_ns < p->o.wait_ns)
			break;
		rc = tell(p, x);
	}
	return rc;
}

int paths_finish(struct trace_paths *p)
{
	int rc = 0;

	while (!rc && p->oldest != NOBODY)
		rc = tell(p, &p->paths[p->oldest]);
	return rc;
}
