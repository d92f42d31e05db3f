// SPDX-License-Identifier: GPL-2.0-or-later
/* policy counters: which pods are counted, at which interface, by which addresses; and what was counted of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/policy_counting_parts.h"
#include "util/err.h"

/* ── what was counted ─────────────────────────────────────────────────────── */

static uint64_t row_number(const struct np_policy_row *r)
{
	return (uint64_t)r->pod << 33 | (uint64_t)r->policy << 1 | (r->dir & 1);
}

static struct counted_row *find_row(struct counting *c, const struct np_policy_row *r)
{
	uint32_t at = numbers_get(&c->by_row, row_number(r));

	if (at)
		return &c->rows[at - 1];
	if (c->n_rows == COUNTED_ROWS_MAX)
		return NULL;
	if (c->n_rows == c->room_rows) {
		uint32_t room = c->room_rows ? 2 * c->room_rows : 256;
		struct counted_row *v = realloc(c->rows, room * sizeof(*v));

		if (!v)
			return NULL;
		c->rows = v;
		c->room_rows = room;
	}
	if (!numbers_set(&c->by_row, row_number(r), c->n_rows + 1))
		return NULL;
	c->rows[c->n_rows] = (struct counted_row){ .row = *r };
	return &c->rows[c->n_rows++];
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t rest(uint64_t all, uint64_t some)
{
	return all > some ? all - some : 0;
}

#define COUNTS(X) \
	X(packets_allowed) X(packets_dropped) X(policy_matches) X(policy_misses) X(bytes_allowed) X(bytes_dropped) \
	X(first_allowed) X(first_dropped)

static void grow(struct counted_row *to, const struct np_policy_counts *n)
{
#define GROW(of) to->n.of = larger(to->n.of, n->of);
	COUNTS(GROW)
#undef GROW
}

static int take_row(void *ctx, const struct np_policy_row *row, const struct np_policy_counts *n)
{
	struct counting *c = ctx;
	uint32_t place = numbers_get(&c->by_number, row->pod);
	struct np_policy_row where = *row;
	struct counted_row *to;

	if (where.policy == NP_POLICY_WAITS)
		where.policy = NP_POLICY_UNDECIDED;
	to = place ? find_row(c, &where) : NULL;
	if (!to) {
		c->rows_left_out |= place != 0;
		return 0;
	}
	to->place = place - 1;
	if (row->policy == NP_POLICY_WAITS)
		to->waits = *n;
	else if (row->policy == NP_POLICY_UNDECIDED)
		to->all = *n;
	else
		grow(to, n);
	return 0;
}

static void take_undecided(struct counting *c, struct counted_row *to)
{
	struct np_policy_counts n = to->all;

#define REST(of) n.of = rest(n.of, to->waits.of);
	if (!c->settled && c->pods[to->place].state == POD_THERE) {
		COUNTS(REST)
	}
#undef REST
	grow(to, &n);
}

int counted_rows_read(struct counting *c)
{
	int err = counted_asks_decide(c);

	for (uint32_t i = 0; i < c->n_rows; i++)
		c->rows[i].waits = (struct np_policy_counts){ 0 };
	if (!err)
		err = meter_rows(c->meter, take_row, c);
	for (uint32_t i = 0; i < c->n_rows && !err; i++)
		if (c->rows[i].row.policy == NP_POLICY_UNDECIDED)
			take_undecided(c, &c->rows[i]);
	return err;
}

void counted_rows_index(struct counting *c)
{
	uint32_t n = 0;

	numbers_free(&c->by_row);
	c->by_row = (struct numbers){ 0 };
	for (uint32_t i = 0; i < c->n_rows; i++) {
		c->rows[n] = c->rows[i];
		if (numbers_set(&c->by_row, row_number(&c->rows[n].row), n + 1))
			n++;
	}
	c->n_rows = n;
}

void counting_told(struct counting *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_rows; i++)
		if (c->pods[c->rows[i].place].state == POD_THERE)
			c->rows[n++] = c->rows[i];
	c->n_rows = n;
	counted_rows_index(c);
	numbers_free(&c->by_number);
	c->by_number = (struct numbers){ 0 };
	for (uint32_t i = 0; i < c->n_pods; i++) {
		if (c->pods[i].state == POD_GONE && !c->pods[i].ifindex)
			c->pods[i].state = POD_FREE;
		/* What finds no memory is begun anew by the next set of pods. */
		if (c->pods[i].state == POD_THERE && !numbers_set(&c->by_number, c->pods[i].number, i + 1))
			warn("policy counters: no memory: rows are missing");
	}
}

/* ── which pods ───────────────────────────────────────────────────────────── */

static void key_of(struct np_pod_key *key, const struct addr *a)
{
	*key = (struct np_pod_key){ .family = a->family };
	memcpy(key->addr, a->b, a->family == 4 ? 4 : 16);
}

static bool has_key(const struct np_pod_key *v, unsigned int n, const struct np_pod_key *key)
{
	for (unsigned int i = 0; i < n; i++)
		if (!memcmp(&v[i], key, sizeof(*key)))
			return true;
	return false;
}

/* Those of its own interface. */
static unsigned int keys_of(const struct node_pod *n, struct np_pod_key v[POD_ADDRS_MAX])
{
	unsigned int many = n->n_main ? n->n_main : n->n_addrs;

	for (unsigned int i = 0; i < many; i++)
		key_of(&v[i], &n->addrs[i].a);
	return many;
}

static void id_of(const struct counting *c, const struct node_pod *n, char *out, size_t size)
{
	const struct node_pods *p = &c->ends.net.pods;
	const char *uid = node_text(p, n->uid), *sandbox = node_text(p, n->sandbox);

	if (*uid || *sandbox)
		snprintf(out, size, "%s", *uid ? uid : sandbox);
	else
		snprintf(out, size, "%s/%s", node_text(p, n->ns), node_text(p, n->name));
}

static struct counted_pod *find_pod(struct counting *c, const struct node_pod *n)
{
	char id[sizeof(c->pods->id)];

	id_of(c, n, id, sizeof(id));
	for (uint32_t i = 0; i < c->n_pods; i++)
		if (c->pods[i].state == POD_THERE && !strcmp(c->pods[i].id, id))
			return &c->pods[i];
	return NULL;
}

/* A free place; they move when there are more.  NULL: no room. */
static struct counted_pod *free_place(struct counting *c)
{
	uint32_t room = c->room_pods ? 2 * c->room_pods : 64;
	struct counted_pod *v;

	for (uint32_t i = 0; i < c->n_pods; i++)
		if (c->pods[i].state == POD_FREE)
			return &c->pods[i];
	if (c->n_pods < c->room_pods)
		return &c->pods[c->n_pods++];
	if (room > COUNTED_PODS_MAX)
		return NULL;
	v = realloc(c->pods, room * sizeof(*v));
	if (!v)
		return NULL;
	c->pods = v;
	c->room_pods = room;
	return &c->pods[c->n_pods++];
}

/* With a number that none had before: what is counted of the dead is not the living's. */
static struct counted_pod *begin_pod(struct counting *c, const struct node_pod *n)
{
	const struct node_pods *p = &c->ends.net.pods;
	struct counted_pod *pod = free_place(c);

	if (!pod)
		return NULL;
	*pod = (struct counted_pod){ .state = POD_THERE, .number = ++c->last_number, .seen = true };
	if (!numbers_set(&c->by_number, pod->number, (uint32_t)(pod - c->pods) + 1)) {
		pod->state = POD_FREE;
		return NULL;
	}
	id_of(c, n, pod->id, sizeof(pod->id));
	snprintf(pod->ns, sizeof(pod->ns), "%s", node_text(p, n->ns));
	snprintf(pod->name, sizeof(pod->name), "%s", node_text(p, n->name));
	snprintf(pod->uid, sizeof(pod->uid), "%s", node_text(p, n->uid));
	c->there++;
	return pod;
}

/* What it had is kept here until it has been told; its interface is let go in its turn. */
static int retire(struct counting *c, struct counted_pod *pod)
{
	int err = 0;

	for (unsigned int i = 0; i < pod->n_at && err != -EPIPE; i++)
		err = meter_unpod(c->meter, &pod->at[i], pod->number);
	pod->n_at = 0;
	pod->state = POD_ENDS;
	c->there--;
	return err == -EPIPE ? err : 0;
}

/* When all of them have ended: their rows are read once. */
static int take_rows_of_ended(struct counting *c)
{
	int err = counted_rows_read(c);

	for (uint32_t i = 0; i < c->n_pods && !err; i++) {
		if (c->pods[i].state != POD_ENDS)
			continue;
		err = meter_forget_pod(c->meter, c->pods[i].number);
		c->pods[i].state = POD_GONE;
	}
	return err;
}

/* ── what each of them loses, and then what each gains ── */

static int lose(struct counting *c, struct counted_pod *pod, const struct node_pod *n)
{
	struct np_pod_key now[POD_ADDRS_MAX];
	unsigned int many = keys_of(n, now), kept = 0;
	int err = 0;

	for (unsigned int i = 0; i < pod->n_at && err != -EPIPE; i++) {
		if (has_key(now, many, &pod->at[i]))
			pod->at[kept++] = pod->at[i];
		else
			err = meter_unpod(c->meter, &pod->at[i], pod->number);
	}
	pod->n_at = kept;
	return err == -EPIPE ? err : 0;
}

/* Whoever had it before, it is not let go any more. */
static void take_over(struct counting *c, uint32_t ifindex)
{
	for (uint32_t i = 0; i < c->n_pods; i++)
		if (c->pods[i].state == POD_GONE && c->pods[i].ifindex == ifindex)
			c->pods[i].ifindex = 0;
}

/* An interface of the same name may be another by now. */
static int attach(struct counting *c, struct counted_pod *pod, const char *iface)
{
	uint32_t was = pod->ifindex, now;
	int err = meter_attach(c->meter, iface, pod->number, &now);

	if (err == -EPIPE)
		return err;
	if (was && was != now) {
		meter_detach(c->meter, was);
		pod->ifindex = 0;
	}
	if (err == -ENODEV && !pod->said)
		warn("%s/%s is not counted: there is no interface %s here", pod->ns, pod->name, iface);
	pod->said |= err;
	c->not_attached += err != 0;
	c->attached += !err && was != now;
	pod->ifindex = err ? 0 : now;
	if (!err && was != now)
		take_over(c, now);
	return 0;
}

static int gain(struct counting *c, struct counted_pod *pod, const struct node_pod *n)
{
	struct np_pod_key now[POD_ADDRS_MAX];
	unsigned int many = keys_of(n, now);
	int err = attach(c, pod, node_text(&c->ends.net.pods, n->iface));

	for (unsigned int i = 0; i < many && pod->ifindex && err != -EPIPE; i++) {
		if (has_key(pod->at, pod->n_at, &now[i]))
			continue;
		err = meter_pod(c->meter, &now[i], pod->number);
		if (!err)
			pod->at[pod->n_at++] = now[i];
		else if (err != -EPIPE)
			c->no_room++;
	}
	return err == -EPIPE ? err : 0;
}

static bool is_counted(const struct counting *c, const struct node_pod *n)
{
	return !n->host_network && n->n_addrs && node_pod_lives(&c->ends.net.pods, n);
}

static int lose_all(struct counting *c)
{
	const struct node_pods *p = &c->ends.net.pods;
	uint32_t there = c->there;
	int err = 0;

	for (uint32_t i = 0; i < c->n_pods; i++)
		c->pods[i].seen = false;
	for (uint32_t i = 0; i < p->n && !err; i++) {
		struct counted_pod *pod = is_counted(c, &p->v[i]) ? find_pod(c, &p->v[i]) : NULL;

		if (!pod)
			continue;
		pod->seen = true;
		err = lose(c, pod, &p->v[i]);
	}
	for (uint32_t i = 0; i < c->n_pods && !err; i++)
		if (c->pods[i].state == POD_THERE && !c->pods[i].seen)
			err = retire(c, &c->pods[i]);
	return err || c->there == there ? err : take_rows_of_ended(c);
}

static int detach_some(struct counting *c)
{
	int err = 0;

	for (uint32_t i = 0; i < c->n_pods && err != -EPIPE; i++) {
		struct counted_pod *pod = &c->pods[i];

		if (pod->state != POD_GONE || !pod->ifindex)
			continue;
		c->pods_left = c->attached >= ATTACH_AT_ONCE;
		if (c->pods_left)
			break;
		err = meter_detach(c->meter, pod->ifindex);
		pod->ifindex = 0;
		c->attached++;
	}
	return err == -EPIPE ? err : 0;
}

static int take_pod(struct counting *c, const struct node_pod *n)
{
	struct counted_pod *pod;

	if (!*node_text(&c->ends.net.pods, n->iface)) {
		c->no_iface++;
		return 0;
	}
	pod = find_pod(c, n);
	if (!pod)
		pod = begin_pod(c, n);
	if (pod)
		return gain(c, pod, n);
	c->no_room++;
	return 0;
}

/* Attaching takes the kernel some milliseconds: others have their turn between. */
int counted_pods_take(struct counting *c)
{
	const struct node_pods *p = &c->ends.net.pods;
	int err = lose_all(c);

	c->no_iface = c->not_attached = c->no_room = c->attached = 0;
	c->pods_left = false;
	for (uint32_t i = 0; i < p->n && !err; i++) {
		if (!is_counted(c, &p->v[i]))
			continue;
		c->pods_left = c->attached >= ATTACH_AT_ONCE;
		if (c->pods_left)
			break;
		err = take_pod(c, &p->v[i]);
	}
	if (!err && !c->pods_left)
		err = detach_some(c);
	if (!err && c->no_room && !c->said_no_room) {
		warn("more pods or addresses of them than are counted: %u", c->no_room);
		c->said_no_room = true;
	}
	return err;
}
