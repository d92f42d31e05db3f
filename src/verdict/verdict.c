// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "numbers/ipproto.h"
#include "util/bytes.h"
#include "util/err.h"
#include "verdict/parts.h"

enum { ROOM_MAX = 1 << 22 };

int verdict_open(struct verdicts **out, const struct verdict_options *o)
{
	struct verdicts *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return fail(ENOMEM, "connections that wait for a verdict");
	v->opt = *o;
	if (!v->opt.room || v->opt.room > ROOM_MAX)
		v->opt.room = v->opt.room ? ROOM_MAX : 1;
	v->key = hash_key_from(o->seed);
	err = waiting_open(v);
	if (err) {
		verdict_close(v);
		return err;
	}
	*out = v;
	return 0;
}

void verdict_close(struct verdicts *v)
{
	if (!v)
		return;
	waiting_close(v);
	free(v);
}

void verdict_counts(const struct verdicts *v, struct verdict_counts *out)
{
	*out = v->n;
}

/* ── telling ──────────────────────────────────────────────────────────────── */

static bool has(const struct entry *e, enum sign sign)
{
	return e->signs >> sign & 1;
}

static void decide(struct verdict_conn *c, enum verdict_what what, enum verdict_how how, uint64_t at_ns)
{
	c->what = (uint8_t)what;
	c->how = (uint8_t)how;
	c->decided_ns = at_ns;
}

/* An answer says all, if it got through; then the last that happened to it, a drop before what is as late. */
static void judge(const struct verdicts *v, struct entry *e)
{
	const uint64_t *at = e->at_ns;
	bool dropped = has(e, SIGN_DROPPED) && !(has(e, SIGN_LEFT) && at[SIGN_LEFT] > at[SIGN_DROPPED]);
	bool said = has(e, SIGN_SAID) && time_apart(at[SIGN_SAID], at[SIGN_DROPPED]) <= v->opt.grace_ns;
	bool unheard = has(e, SIGN_UNHEARD) && at[SIGN_UNHEARD] >= at[SIGN_ANSWERED];

	if (unheard)
		decide(&e->c, VERDICT_DROPPED, HOW_ANSWERED, at[SIGN_UNHEARD]);
	else if (has(e, SIGN_ANSWERED))
		decide(&e->c, VERDICT_ALLOWED, HOW_ANSWERED, at[SIGN_ANSWERED]);
	else if (dropped)
		decide(&e->c, VERDICT_DROPPED, said ? HOW_PROHIBITED : HOW_NONE, at[SIGN_DROPPED]);
	else if (has(e, SIGN_PROHIBITED))
		decide(&e->c, VERDICT_DROPPED, HOW_PROHIBITED, at[SIGN_PROHIBITED]);
	else if (has(e, SIGN_REFUSED))
		decide(&e->c, VERDICT_ALLOWED, HOW_REFUSED, at[SIGN_REFUSED]);
	else if (has(e, SIGN_LEFT) && !(has(e, SIGN_SAID) && at[SIGN_SAID] >= at[SIGN_LEFT]))
		decide(&e->c, VERDICT_ALLOWED, HOW_DELIVERED, at[SIGN_LEFT]);
	else
		decide(&e->c, VERDICT_UNANSWERED, HOW_NONE, v->now_ns);
	if ((dropped || unheard) && e->c.what == VERDICT_DROPPED)
		return;
	e->c.reason = e->c.location = e->c.hook = NULL;
	e->c.drop_name[0] = '\0';
	e->c.drop_ifindex = 0;
}

static bool is_of_datagrams(uint8_t proto)
{
	return proto != PROTO_TCP && proto != PROTO_SCTP;
}

/* What came to nothing begins anew when it is sent again; what comes back does not begin anything. */
static void may_come_again(struct verdicts *v, const struct entry *e)
{
	const struct node *n = waiting_nodes(v, e);

	for (unsigned int i = 0; i < KEYS; i++) {
		struct recent *r = n[i].used && n[i].exact ? recent_find(v, n[i].hash) : NULL;

		if (r)
			r->again = (uint8_t)(1 + e->c.what);
	}
}

/* Of one that is sent again it is told if more became of it. */
static int tell(struct verdicts *v, struct entry *e)
{
	judge(v, e);
	if (e->c.what != VERDICT_ALLOWED)
		may_come_again(v, e);
	waiting_free(v, e);
	if (e->before && e->c.what + 1 >= e->before) {
		v->n.seen--;
		v->n.later++;
		return 0;
	}
	v->n.told++;
	return v->opt.tell(v->opt.ctx, &e->c);
}

static bool is_due(const struct verdicts *v, const struct entry *e, enum list list)
{
	if (list == LIST_SIGNED)
		return time_since(v->now_ns, e->sign_ns) >= v->opt.grace_ns;
	return time_since(v->now_ns, e->began_ns) >= v->opt.wait_ns;
}

static int tell_list(struct verdicts *v, enum list list, bool all)
{
	int rc = 0;

	while (!rc && v->oldest[list] != NONE) {
		struct entry *e = &v->v[v->oldest[list]];

		if (!all && !is_due(v, e, list))
			break;
		rc = tell(v, e);
	}
	return rc;
}

static int tell_due(struct verdicts *v, bool all)
{
	int rc = tell_list(v, LIST_SIGNED, all);

	return rc ? rc : tell_list(v, LIST_UNDECIDED, all);
}

/* A clock that was set back: what waits would wait for it, and what is known of others is of another time. */
static int advance(struct verdicts *v, uint64_t stamp_ns)
{
	uint64_t now_ns = steady_at(&v->clock, stamp_ns);
	bool back = now_ns < v->now_ns;
	int rc = back ? tell_due(v, true) : 0;

	v->now_ns = now_ns;
	if (back)
		recent_clear(v);
	return rc ? rc : tell_due(v, false);
}

int verdict_tick(struct verdicts *v, uint64_t now_ns)
{
	return advance(v, now_ns);
}

int verdict_finish(struct verdicts *v, uint64_t now_ns)
{
	int rc = advance(v, now_ns);

	return rc ? rc : tell_due(v, true);
}

/* ── what a frame says of a connection that waits ─────────────────────────── */

static void sign(struct verdicts *v, struct entry *e, enum sign which, uint64_t at_ns)
{
	if (!has(e, which) || at_ns > e->at_ns[which])
		e->at_ns[which] = at_ns;
	e->signs |= (uint8_t)(1u << which);
	if (which == SIGN_SAID || e->list == LIST_SIGNED)
		return;
	e->sign_ns = v->now_ns;
	waiting_unlink(v, e);
	waiting_link(v, e, LIST_SIGNED);
}

static void put_addr(struct addr *to, uint8_t family, const uint64_t a[2])
{
	memset(to, 0, sizeof(*to));
	to->family = family;
	for (unsigned int i = 0; i < (family == 4 ? 1 : 4); i++)
		put_be32(to->b + 4 * i, (uint32_t)(a[i / 2] >> (i % 2 ? 0 : 32)));
}

/* What a source says lasts as long as its frame.  NULL stays NULL. */
static const char *keep(char *to, size_t size, const char *text)
{
	size_t n = text ? strnlen(text, size - 1) : 0;

	if (n)
		memcpy(to, text, n);
	to[n] = '\0';
	return text ? to : NULL;
}

static void put_name(char to[VERDICT_NAME_MAX], const char *name)
{
	keep(to, VERDICT_NAME_MAX, name);
}

static void went(struct entry *e, const struct sight *s)
{
	put_addr(&e->c.from, s->ends.family, s->ends.src);
	put_addr(&e->c.to, s->ends.family, s->ends.dst);
	e->c.from_port = s->ends.sport;
	e->c.to_port = s->ends.dport;
}

/* What left before did not come in there: it is loopback's, or the other end of a pair's. */
static void came_in(struct entry *e, const struct sight *s)
{
	bool end = !s->through;

	if ((e->has_out && e->out_ns <= s->time_ns) || (e->has_in && (e->in_is_end || !end)))
		return;
	e->has_in = true;
	e->in_is_end = end;
	e->in_ns = s->time_ns;
	e->c.in_ifindex = s->ifindex;
	put_name(e->c.in_name, s->name);
}

static void went_out(struct verdicts *v, struct entry *e, const struct sight *s)
{
	if (!e->has_out || s->time_ns < e->out_ns)
		e->out_ns = s->time_ns;
	e->has_out = true;
	if (!e->has_in || e->out_ns < e->in_ns) {
		e->has_in = false;
		e->c.in_ifindex = 0;
		e->c.in_name[0] = '\0';
	}
	went(e, s);
	if (s->through)
		return;
	sign(v, e, SIGN_LEFT, s->time_ns);
	e->c.out_ifindex = s->ifindex;
	put_name(e->c.out_name, s->name);
}

static bool starts(const char *s, const char *with)
{
	return s && !strncmp(s, with, strlen(with));
}

static bool is(const char *s, const char *word)
{
	return s && !strcmp(s, word);
}

/* A copy that a bridge or a tap made for those whom it was not for. */
static bool is_for_others(const struct drop_info *d)
{
	return is(d->reason, "OTHERHOST");
}

/* By the end itself: its sockets, or its TCP.  Kernels without reasons have the place alone. */
static bool is_refusal(const struct drop_info *d)
{
	if (is(d->reason, "NO_SOCKET") || starts(d->reason, "TCP_") || is(d->reason, "SOCKET_RCVBUFF") ||
	    is(d->reason, "SOCKET_BACKLOG"))
		return true;
	return is(d->reason, "NOT_SPECIFIED") && (is(d->hook, "tcp") || is(d->hook, "udp"));
}

/* Dropped on the way out: the interface is not where it came from.  Before Linux 5.17 the function alone tells. */
static bool is_on_way_out(const struct drop_info *d)
{
	if (!d->reason || is(d->reason, "NOT_SPECIFIED"))
		return is(d->location, "__dev_queue_xmit") || is(d->location, "dev_queue_xmit");
	return is(d->reason, "TC_EGRESS") || starts(d->reason, "QDISC_") || starts(d->reason, "NEIGH_") ||
	       is(d->reason, "BPF_CGROUP_EGRESS");
}

static void put_drop(struct entry *e, const struct sight *s)
{
	const struct drop_info *d = s->drop;

	e->c.reason = keep(e->reason, sizeof(e->reason), d->reason);
	e->c.location = keep(e->location, sizeof(e->location), d->location);
	e->c.hook = keep(e->hook, sizeof(e->hook), d->hook);
	e->c.drop_ifindex = s->ifindex;
	put_name(e->c.drop_name, s->name);
}

static void was_dropped(struct verdicts *v, struct entry *e, const struct sight *s)
{
	const struct drop_info *d = s->drop;

	if (is_refusal(d)) {
		sign(v, e, SIGN_REFUSED, s->time_ns);
		return;
	}
	/* Copies of one packet are one. */
	if (!has(e, SIGN_DROPPED) || !s->has_mark || e->drop_mark != s->mark ||
	    time_apart(e->at_ns[SIGN_DROPPED], s->time_ns) > v->opt.grace_ns)
		e->c.drops++;
	e->drop_mark = s->mark;
	if (e->c.attempts < e->c.drops)
		e->c.attempts = e->c.drops;
	if (has(e, SIGN_DROPPED) && s->time_ns < e->at_ns[SIGN_DROPPED])
		return;
	sign(v, e, SIGN_DROPPED, s->time_ns);
	went(e, s);
	put_drop(e, s);
	if (e->has_in || e->has_out || is_on_way_out(d))
		return;
	/* Until it is seen coming in, if it was. */
	e->c.in_ifindex = s->ifindex;
	put_name(e->c.in_name, s->name);
}

/* An answer that was dropped, but not by those whom it is for, who may have gone. */
static void went_unheard(struct verdicts *v, struct entry *e, const struct sight *s)
{
	if (is_refusal(s->drop) || is_for_others(s->drop) || s->inner)
		return;
	put_drop(e, s);
	sign(v, e, SIGN_UNHEARD, s->time_ns);
}

static void take_place(struct verdicts *v, struct entry *e, const struct sight *s)
{
	if (s->drop)
		was_dropped(v, e, s);
	else if (s->where == WHERE_OUT)
		went_out(v, e, s);
	else
		came_in(e, s);
}

/* By its addresses, and, until another packet comes, by one end and what translators leave alone. */
static void add_keys(struct verdicts *v, struct entry *e, const struct sight *s)
{
	waiting_key(v, e, key_exact(v, KEY_EXACT, &s->ends), true);
	if (!s->has_mark)
		return;
	waiting_key(v, e, key_end(v, KEY_SRC, s), false);
	waiting_key(v, e, key_end(v, KEY_DST, s), false);
}

static bool same_place(const struct entry *e, const struct sight *s)
{
	return e->place == s->place && e->place_where == s->where;
}

/* The first packet again: farther on, or once more from its sender. */
static void take_again(struct verdicts *v, struct entry *e, const struct sight *s)
{
	bool same = !s->has_mark || e->mark == s->mark;

	if (same_place(e, s) && (!same || time_apart(e->attempt_ns, s->time_ns) > v->opt.grace_ns)) {
		e->c.attempts++;
		e->attempt_ns = s->time_ns;
		e->mark = s->has_mark ? s->mark : e->mark;
	} else if (s->time_ns < e->c.first_ns && s->where != WHERE_DROP) {
		/* It was read too late. */
		e->c.first_ns = e->attempt_ns = s->time_ns;
		e->place = s->place;
		e->place_where = s->where;
	}
	if (!s->inner) {
		add_keys(v, e, s);
		recent_put(v, key_exact(v, KEY_EXACT, &s->ends));
	}
	take_place(v, e, s);
}

/* ── a new one ────────────────────────────────────────────────────────────── */

static void begin_in(struct verdicts *v, struct entry *e, const struct sight *s)
{
	struct verdict_conn *c = &e->c;

	c->first_ns = s->time_ns;
	e->began_ns = v->now_ns;
	put_addr(&c->src, s->ends.family, s->ends.src);
	put_addr(&c->dst, s->ends.family, s->ends.dst);
	c->sport = s->ends.sport;
	c->dport = s->ends.dport;
	c->proto = s->ends.proto;
	c->attempts = 1;
	e->mark = s->mark;
	e->attempt_ns = s->time_ns;
	e->place = s->place;
	e->place_where = s->where;
	waiting_link(v, e, LIST_UNDECIDED);
	add_keys(v, e, s);
	recent_put(v, key_exact(v, KEY_EXACT, &s->ends));
	take_place(v, e, s);
}

/* What is still on its way under other addresses is no new one either. */
static void evict(struct verdicts *v)
{
	uint32_t a = v->oldest[LIST_UNDECIDED], b = v->oldest[LIST_SIGNED];
	struct entry *e = &v->v[a == NONE || (b != NONE && v->v[b].began_ns < v->v[a].began_ns) ? b : a];
	const struct node *n = waiting_nodes(v, e);

	for (unsigned int i = 0; i < KEYS; i++)
		if (n[i].used && !n[i].exact && !n[i].shared)
			recent_put(v, n[i].hash);
	waiting_free(v, e);
	v->n.evicted++;
}

static void take_early(struct verdicts *v, struct entry *e, const struct sight *s)
{
	const struct recent *answer = recent_find(v, key_exact(v, KEY_EARLY_ANSWER, &s->ends));
	const struct recent *refusal = recent_find(v, key_exact(v, KEY_EARLY_REFUSAL, &s->ends));

	if (answer && time_since(v->now_ns, answer->last_ns) <= v->opt.grace_ns)
		sign(v, e, SIGN_ANSWERED, answer->last_ns);
	if (!refusal || time_since(v->now_ns, refusal->last_ns) > v->opt.grace_ns)
		return;
	sign(v, e, SIGN_SAID, refusal->last_ns);
	sign(v, e, SIGN_REFUSED, refusal->last_ns);
}

static void begin(struct verdicts *v, const struct sight *s)
{
	const struct recent *r;
	struct entry *e;

	if (v->n.waiting == v->opt.room)
		evict(v);
	r = recent_find(v, key_exact(v, KEY_EXACT, &s->ends));
	e = waiting_new(v);
	memset(e, 0, sizeof(*e));
	e->before = r && !is_of_datagrams(s->ends.proto) ? r->again : 0;
	v->n.seen++;
	begin_in(v, e, s);
	take_early(v, e, s);
}

/* The datagram back was read before the first: who began is the other. */
static void turn(struct verdicts *v, struct entry *e, const struct sight *s)
{
	uint64_t answered_ns = e->c.first_ns;

	waiting_drop_keys(v, e);
	waiting_unlink(v, e);
	memset(e, 0, sizeof(*e));
	begin_in(v, e, s);
	sign(v, e, SIGN_ANSWERED, answered_ns);
}

/* ── whose it is ──────────────────────────────────────────────────────────── */

/*
 * One end and the packet itself are the same, the other end is another's: translated.  But what comes in at an end, or
 * is again where the first was seen first, is another packet, and who has left or was dropped is no longer on the way.
 */
static struct entry *find_translated(const struct verdicts *v, const struct sight *s)
{
	struct entry *e = NULL;

	if (!s->has_mark || (s->where == WHERE_IN && !s->through))
		return NULL;
	e = waiting_find(v, key_end(v, KEY_SRC, s));
	if (!e)
		e = waiting_find(v, key_end(v, KEY_DST, s));
	return e && !same_place(e, s) && !has(e, SIGN_LEFT) && !has(e, SIGN_DROPPED) ? e : NULL;
}

static bool was_evicted(struct verdicts *v, const struct sight *s)
{
	return s->has_mark && (recent_find(v, key_end(v, KEY_SRC, s)) || recent_find(v, key_end(v, KEY_DST, s)));
}

static bool is_recent(struct verdicts *v, const struct ends *e, bool back)
{
	struct recent *r = recent_find(v, key_exact(v, KEY_EXACT, e));

	if (!r || (r->again && !back))
		return false;
	recent_touch(v, r);
	return true;
}

static void take_first(struct verdicts *v, const struct sight *s)
{
	struct entry *e = waiting_find(v, key_exact(v, KEY_EXACT, &s->ends));

	if (s->drop && is_for_others(s->drop)) {
		v->n.later++;
		return;
	}
	if (!e && is_recent(v, &s->ends, false)) {
		v->n.later++;
		return;
	}
	if (!e)
		e = find_translated(v, s);
	if (e)
		take_again(v, e, s);
	else if (s->inner || was_evicted(v, s))
		v->n.later++;
	else
		begin(v, s);
}

static void take_datagram(struct verdicts *v, const struct sight *s)
{
	const struct ends back = ends_turned(&s->ends);
	struct entry *e = waiting_find(v, key_exact(v, KEY_EXACT, &back));

	if (!e || waiting_find(v, key_exact(v, KEY_EXACT, &s->ends))) {
		if (!e && is_recent(v, &back, true))
			v->n.later++;
		else
			take_first(v, s);
		return;
	}
	recent_put(v, key_exact(v, KEY_EXACT, &back));
	if (s->drop)
		went_unheard(v, e, s);
	else if (s->inner)
		v->n.later++;
	else if (s->time_ns < e->c.first_ns)
		turn(v, e, s);
	else
		sign(v, e, SIGN_ANSWERED, s->time_ns);
}

/* Of a connection that waits.  One that does not may have been read before its first packet. */
static void take_sign(struct verdicts *v, const struct sight *s)
{
	struct entry *e = waiting_find(v, key_exact(v, KEY_EXACT, &s->ends));
	bool answer = s->what == SEEN_ANSWER;

	if (s->drop && e && answer) {
		went_unheard(v, e, s);
		return;
	}
	/* What did not get through told nobody. */
	if (s->drop || !e) {
		v->n.later++;
		if (!s->drop && !s->inner && (answer || s->what == SEEN_REFUSAL) && !is_recent(v, &s->ends, true))
			recent_put(v, key_exact(v, answer ? KEY_EARLY_ANSWER : KEY_EARLY_REFUSAL, &s->ends));
		return;
	}
	if (answer) {
		sign(v, e, SIGN_ANSWERED, s->time_ns);
		return;
	}
	sign(v, e, SIGN_SAID, s->time_ns);
	if (s->what == SEEN_REFUSAL)
		sign(v, e, SIGN_REFUSED, s->time_ns);
	else if (s->what == SEEN_PROHIBITED)
		sign(v, e, SIGN_PROHIBITED, s->time_ns);
}

int verdict_frame(struct verdicts *v, const struct frame *f)
{
	int rc = advance(v, f->time_ns);
	struct sight s;

	sight_read(&s, &v->key, f);
	switch (s.what) {
	case SEEN_NOTHING:
		break;
	case SEEN_UNREAD:
		if (s.drop && !s.ifindex)
			v->n.stray++;
		else
			v->n.unread++;
		break;
	case SEEN_LATER:
		v->n.later++;
		break;
	case SEEN_FIRST:
		take_first(v, &s);
		break;
	case SEEN_DATAGRAM:
		take_datagram(v, &s);
		break;
	default:
		take_sign(v, &s);
	}
	return rc;
}
