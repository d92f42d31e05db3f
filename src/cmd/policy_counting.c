// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/policy_counting.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/policy_counting_parts.h"
#include "util/err.h"

enum { ADDRS = 16384, SETTLE_MS = 50, FIRST_MS = 10000, TICK_MS = 50 };
#define ORDER_NS UINT64_C(1000000000)
enum { WATCHED = FEED_PODS | FEED_NETWORK, FED = WATCHED | FEED_KUBELET };

/* ── beginning ────────────────────────────────────────────────────────────── */

int counting_open(struct counting **out, struct policy *p)
{
	static const char *const kinds[] = { "pods", "namespaces", "networkpolicies", "services" };
	const struct policy_count_options o = { .debug = p->g->debug, .pods = ADDRS };
	struct counting *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fail(ENOMEM, "policy counters");
	c->p = c->ends.p = p;
	/* The kubelet has no pod that the cluster has not. */
	err = feed_open(&c->feed, NULL, p->o->kubectl ? WATCHED : FED);
	if (!err && p->o->kubectl)
		err = follow_open(&c->follow, p->o->kubectl, kinds, sizeof(kinds) / sizeof(kinds[0]));
	if (!err)
		err = meter_open(&c->meter, &o);
	if (err) {
		counting_close(c);
		return err;
	}
	*out = c;
	return 0;
}

static int read_feed(struct counting *c)
{
	int err = 0, n;

	do {
		struct facts facts = { 0 };
		struct feed_set set;

		n = feed_read(c->feed, &facts, &set);
		if (n > 0 && set.kinds & FEED_KUBELET)
			err = ends_take_kubelet(&c->ends, &facts);
		else if (n > 0)
			err = ends_take_pods(&c->ends, &facts, &set);
		if (n > 0)
			c->known |= set.kinds;
		facts_free(&facts);
		if (!err && n > 0)
			err = set.kinds & FEED_KUBELET ? meter_forget_all(c->meter) : counted_pods_take(c);
	} while (!err && n > 0);
	return err;
}

/* Until there is something to read, or the end: 1. */
static int await(int fd, int end, int ms)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = end, .events = POLLIN } };
	int rc;

	do
		rc = poll(p, 2, ms);
	while (rc < 0 && errno == EINTR);
	return p[1].revents ? 1 : 0;
}

static int await_feed(struct counting *c, int end)
{
	int rc = 0;

	for (int waited = 0; !rc && (c->known & WATCHED) != WATCHED && waited < FIRST_MS; waited += TICK_MS) {
		if (feed_fd(c->feed) < 0)
			break;
		rc = await(feed_fd(c->feed), end, TICK_MS);
		if (!rc)
			rc = read_feed(c);
	}
	if (!rc && (c->known & WATCHED) != WATCHED)
		warn("not all that this node has could be read: pods are missing");
	return rc;
}

/* What was decided by what the objects were is asked anew.  What ends kubectl has been said; what was known stays. */
static int read_follow(struct counting *c)
{
	int n = c->follow ? follow_read(c->follow, c->p) : 0;

	if (n <= 0)
		return n == -ENOMEM ? n : 0;
	c->ends.this_node = network_this_node(&c->ends.net.pods, c->p->k);
	return meter_forget_all(c->meter);
}

/* Until kubectl has listed all once. */
static int await_follow(struct counting *c, int end)
{
	int n = 0;

	while (c->follow && n >= 0 && !follow_whole(c->follow)) {
		if (await(follow_fd(c->follow), end, -1))
			return 1;
		n = follow_read(c->follow, c->p);
	}
	return n < 0 ? n : 0;
}

int counting_begin(struct counting *c, int end)
{
	int rc = await_follow(c, end);

	if (!rc)
		rc = policy_sound(c->p) ? -EINVAL : 0;
	if (!rc)
		rc = await_feed(c, end);
	while (!rc && c->pods_left) {
		rc = await(-1, end, 0);
		if (!rc)
			rc = counted_pods_take(c);
	}
	if (!rc)
		network_tell_missing(&c->ends.net);
	return rc;
}

void counting_say_begin(const struct counting *c)
{
	uint32_t policies = 0;

	for (uint32_t i = 1; i < c->p->k->n_policies; i++)
		policies += c->p->k->policies[i].alive;
	note("counting packets of %u pod%s by %u polic%s", c->there, c->there == 1 ? "" : "s", policies,
	     policies == 1 ? "y" : "ies");
	if (c->no_iface)
		note("%u pod%s not counted: nothing tells the interface at the host", c->no_iface,
		     c->no_iface == 1 ? " is" : "s are");
	if (c->not_attached)
		note("%u pod%s not counted: see above", c->not_attached, c->not_attached == 1 ? " is" : "s are");
	if (!meter_sees_drops(c->meter))
		warn("drops are not seen: this kernel has no type information (BTF), or lets nobody trace");
}

/* ── going on ─────────────────────────────────────────────────────────────── */

void counting_fds(const struct counting *c, int fds[COUNTING_FDS])
{
	fds[0] = feed_fd(c->feed);
	fds[1] = meter_fd(c->meter);
	fds[2] = c->follow ? follow_fd(c->follow) : -1;
	fds[3] = meter_life(c->meter);
}

int counting_wait_ms(const struct counting *c)
{
	if (c->pods_left)
		return 0;
	return c->n_again ? AGAIN_MS : -1;
}

unsigned int counting_private_fds(const struct counting *c, int fds[COUNTING_PRIVATE_FDS])
{
	unsigned int n = feed_fds(c->feed, fds);

	n += c->follow ? follow_fds(c->follow, fds + n) : 0;
	return n + meter_fds(c->meter, fds + n);
}

int counting_ready(struct counting *c)
{
	int err = read_feed(c);

	if (!err)
		err = read_follow(c);
	return err ? err : counted_asks_decide(c);
}

int counting_tick(struct counting *c, uint64_t now_ns)
{
	int err = 0;

	if (now_ns - c->order_ns >= ORDER_NS) {
		err = meter_order(c->meter);
		c->order_ns = now_ns;
	}
	if (!err && c->pods_left)
		err = counted_pods_take(c);
	return err ? err : counted_asks_again(c, now_ns, false);
}

int counting_settle(struct counting *c)
{
	const struct timespec pause = { .tv_nsec = SETTLE_MS * 1000000 };
	int err = counted_asks_decide(c);

	nanosleep(&pause, NULL);
	if (!err)
		err = counted_asks_decide(c);
	if (!err)
		err = counted_asks_again(c, 0, true);
	c->settled = true;
	return err;
}

/* ── telling ──────────────────────────────────────────────────────────────── */

static const char *basis_of(uint32_t policy)
{
	switch (policy) {
	case NP_POLICY_NONE:
		return "none";
	case NP_POLICY_UNDECIDED:
		return "undecided";
	case NP_POLICY_OTHER_END:
		return "other-end";
	default:
		return "policy";
	}
}

static const char *label_of(const struct counting *c, uint32_t policy)
{
	return policy == NP_POLICY_NONE || policy > NP_POLICY_LAST ? "" : intern_text(&c->policies, policy);
}

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct counted_row *x = a, *y = b;
	const struct counting *c = ctx;
	const struct counted_pod *p = &c->pods[x->place], *q = &c->pods[y->place];
	int order = strcmp(p->ns, q->ns);

	if (!order)
		order = strcmp(p->name, q->name);
	if (!order)
		order = strcmp(p->id, q->id);
	if (!order)
		order = (int)x->row.dir - (int)y->row.dir;
	if (!order)
		order = strcmp(label_of(c, x->row.policy), label_of(c, y->row.policy));
	return order ? order : (x->row.policy > y->row.policy) - (x->row.policy < y->row.policy);
}

static void put_number(struct record *r, unsigned int field, uint64_t *to, uint64_t n)
{
	*to = n;
	record_mark(r, field);
}

static void put_counts(struct record *r, struct policy_count_body *b, const struct np_policy_counts *n)
{
	put_number(r, FIELD_PC_ALLOWED, &b->allowed, n->packets_allowed);
	put_number(r, FIELD_PC_DROPPED, &b->dropped, n->packets_dropped);
	put_number(r, FIELD_PC_MATCHES, &b->matches, n->policy_matches);
	put_number(r, FIELD_PC_MISSES, &b->misses, n->policy_misses);
	put_number(r, FIELD_PC_BYTES_ALLOWED, &b->bytes_allowed, n->bytes_allowed);
	put_number(r, FIELD_PC_BYTES_DROPPED, &b->bytes_dropped, n->bytes_dropped);
	put_number(r, FIELD_PC_ONCE_ALLOWED, &b->once_allowed, n->first_allowed);
	put_number(r, FIELD_PC_ONCE_DROPPED, &b->once_dropped, n->first_dropped);
}

static void put_seed_names(struct record *r, struct policy_count_body *b)
{
	b->seed_pod = b->pod;
	b->seed_ns = b->ns;
	b->seed_policy = r->rule_name;
	b->seed_direction = r->direction;
	record_mark(r, FIELD_PC_SEED_POD);
	record_mark(r, FIELD_PC_SEED_NS);
	if (r->rule_name.n)
		record_mark(r, FIELD_PC_SEED_POLICY);
	record_mark(r, FIELD_PC_SEED_DIRECTION);
	put_number(r, FIELD_PC_SEED_ALLOWED, &b->seed_allowed, b->allowed);
	put_number(r, FIELD_PC_SEED_DROPPED, &b->seed_dropped, b->dropped);
	put_number(r, FIELD_PC_SEED_MATCHES, &b->seed_matches, b->matches);
	put_number(r, FIELD_PC_SEED_MISSES, &b->seed_misses, b->misses);
}

static struct policy_count_body *start_record(struct record *r, uint64_t now_ns, const char *basis)
{
	struct policy_count_body *b;

	record_start(r, &policy_count_dataset);
	b = policy_count_of(r);
	memset(b, 0, sizeof(*b));
	r->rule_name = (struct str){ 0 };
	r->time_ns = now_ns;
	record_mark(r, FIELD_TIME);
	listing_word(r, FIELD_PC_BASIS, &b->basis, basis);
	return b;
}

static int tell_row(const struct counting *c, const struct counted_row *row, uint64_t now_ns, record_fn fn, void *ctx)
{
	const struct counted_pod *pod = &c->pods[row->place];
	struct policy_count_body *b;
	struct record r;

	b = start_record(&r, now_ns, basis_of(row->row.policy));
	listing_text(&r, FIELD_PC_NS, &b->ns, pod->ns);
	listing_text(&r, FIELD_PC_POD, &b->pod, pod->name);
	listing_text(&r, FIELD_PC_UID, &b->uid, pod->uid);
	listing_text(&r, FIELD_RULE_NAME, &r.rule_name, label_of(c, row->row.policy));
	r.direction = row->row.dir == NP_POLICY_INGRESS ? "ingress" : "egress";
	record_mark(&r, FIELD_DIRECTION);
	put_counts(&r, b, &row->n);
	if (c->p->o->seed_names)
		put_seed_names(&r, b);
	return fn(ctx, &r);
}

/* Packets in no row, by the reason; asks that found no room are asked again by the next packet, and are no packets. */
static int tell_other(struct counting *c, uint64_t now_ns, record_fn fn, void *ctx)
{
	uint64_t n[NP_OTHERS_N];
	int err = meter_other(c->meter, n);

	for (unsigned int i = 0; i < NP_OTHERS_N && !err; i++) {
		struct policy_count_body *b;
		struct record r;

		if (!n[i] || i == NP_OTHER_RING_FULL || i == NP_OTHER_CACHE_FULL)
			continue;
		b = start_record(&r, now_ns, policy_count_other_names[i]);
		put_number(&r, FIELD_PC_UNCOUNTED, &b->uncounted, n[i]);
		err = fn(ctx, &r);
	}
	return err;
}

int counting_rows(struct counting *c, uint64_t now_ns, record_fn fn, void *ctx)
{
	int err = counted_rows_read(c);

	if (err)
		return err;
	qsort_r(c->rows, c->n_rows, sizeof(*c->rows), by_name, c);
	for (uint32_t i = 0; i < c->n_rows && !err; i++)
		if (c->rows[i].n.packets_allowed | c->rows[i].n.packets_dropped | c->rows[i].n.policy_matches |
		    c->rows[i].n.policy_misses)
			err = tell_row(c, &c->rows[i], now_ns, fn, ctx);
	/* They have changed their places. */
	counted_rows_index(c);
	return err ? err : tell_other(c, now_ns, fn, ctx);
}

void counting_say_end(struct counting *c)
{
	static const char *const words[NP_OTHERS_N] = {
		[NP_OTHER_NOT_IP] = "not of IP", [NP_OTHER_FRAGMENT] = "later fragments",
		[NP_OTHER_BROKEN] = "without whole headers", [NP_OTHER_ICMP] = "of ICMP that are no echo",
		[NP_OTHER_NOT_POD] = "of addresses that are no pod's",
		[NP_OTHER_ROWS_FULL] = "for which there was no room",
		[NP_OTHER_MISSED] = "dropped while another was looked at",
	};
	uint64_t n[NP_OTHERS_N];

	if (meter_other(c->meter, n))
		return;
	for (unsigned int i = 0; i < NP_OTHERS_N; i++)
		if (n[i] && words[i])
			note("%llu packet%s in no row: %s", (unsigned long long)n[i], n[i] == 1 ? " is" : "s are",
			     words[i]);
	if (n[NP_OTHER_RING_FULL])
		note("%llu times nobody could be asked at once who decides: packets of that time may be undecided",
		     (unsigned long long)n[NP_OTHER_RING_FULL]);
	if (c->rows_left_out)
		note("more than %d rows: the rest is missing", COUNTED_ROWS_MAX);
	if (c->unnamed)
		note("%llu times more than %d policies decided: packets count for the first of them",
		     (unsigned long long)c->unnamed, NP_SIDE_POLICIES);
}

/* In the end it is asked who was counted: that is not known yet. */
void counting_note_nobody(const struct counting *c, const struct whom *w)
{
	struct whom now = *w;

	ends_note_nobody(&c->ends, &now);
}

bool counting_is_current(const struct counting *c)
{
	return feed_fd(c->feed) >= 0 && (!c->follow || follow_fd(c->follow) >= 0);
}

void counting_close(struct counting *c)
{
	if (!c)
		return;
	meter_close(c->meter);
	feed_close(c->feed);
	follow_close(c->follow);
	ends_free(&c->ends);
	intern_free(&c->policies);
	numbers_free(&c->by_row);
	numbers_free(&c->by_number);
	free(c->rows);
	free(c->again);
	free(c->pods);
	free(c);
}
