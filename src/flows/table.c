// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/err.h"
#include "util/hash.h"

#define NONE UINT32_MAX
enum {
	RELINK = 1024,			/* packets that may pass before a flow moves to the front again */
	SCAN_PARTS = 2,			/* ticks that it takes to look at every flow */
};

enum kind { FIRST, SETTLED, KINDS };

struct entry {
	struct flow f;
	uint32_t hash;
	uint32_t linked;		/* packet count when it was put in front, modulo 2^32 */
	uint32_t newer, older;		/* in its kind; free: older is the next free one */
	uint8_t  kind, used;
};

/* By hash, linear probing. */
struct slot {
	uint32_t hash, at;		/* at: NONE is empty */
};

struct flow_table {
	struct flow_table_options opt;
	struct hash_key seed;
	struct entry *v;
	uint32_t room, top, free;	/* entries; touched so far; first of the free list */
	struct slot *slots;
	uint32_t mask;
	uint32_t newest[KINDS], oldest[KINDS], n[KINDS];
	uint32_t scan, latest;
	struct flow_counts counts;
};

uint64_t flow_key_hash(const struct hash_key *seed, const struct flow_key *k)
{
	uint64_t w[6] = { 0 };
	unsigned int n = 0;

	if (k->version == 4) {
		memcpy(w, k->addr[0], 4);
		memcpy((char *)w + 4, k->addr[1], 4);
		n = 1;
	} else {
		memcpy(w, k->addr, 32);
		n = 4;
	}
	w[n++] = (uint64_t)k->port[0] << 48 | (uint64_t)k->port[1] << 32 | (uint64_t)k->proto << 24 |
		 (uint64_t)k->version << 16 | (uint64_t)k->tunnel << 8 | k->has_ports;
	if (k->ifindex)
		w[n++] = k->ifindex;
	return hash_words(seed, w, n);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

_Static_assert(sizeof(struct flow_key) == 44, "a hole in the key would not compare");

/* Zeroed when first touched, and given back as a whole. */
static void *map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int flow_table_open(struct flow_table **out, const struct flow_table_options *opt)
{
	struct flow_table *t = calloc(1, sizeof(*t));
	uint32_t slots = 1024;

	if (!t)
		return fail(ENOMEM, "flow table");
	t->opt = *opt;
	t->seed = hash_key_from(opt->seed);
	t->room = opt->settled + opt->first;
	while (slots < 2 * t->room)
		slots *= 2;
	t->mask = slots - 1;
	t->v = map(t->room * sizeof(*t->v));
	t->slots = malloc(slots * sizeof(*t->slots));
	if (!t->v || !t->slots) {
		flow_table_close(t);
		return fail(ENOMEM, "flow table");
	}
	memset(t->slots, 0xff, slots * sizeof(*t->slots));
	t->free = NONE;
	for (unsigned int i = 0; i < KINDS; i++)
		t->newest[i] = t->oldest[i] = NONE;
	*out = t;
	return 0;
}

void flow_table_close(struct flow_table *t)
{
	if (!t)
		return;
	if (t->v)
		munmap(t->v, t->room * sizeof(*t->v));
	free(t->slots);
	free(t);
}

/* The slot of the key, or the empty one where it would go. */
static uint32_t find(const struct flow_table *t, const struct flow_key *k, uint32_t hash)
{
	uint32_t i = hash & t->mask;

	while (t->slots[i].at != NONE &&
	       (t->slots[i].hash != hash || !same_key(&t->v[t->slots[i].at].f.key, k)))
		i = (i + 1) & t->mask;
	return i;
}

/* Close the gap, so that no probe ends at it. */
static void erase(struct flow_table *t, uint32_t i)
{
	uint32_t j = i;

	for (;;) {
		j = (j + 1) & t->mask;
		if (t->slots[j].at == NONE)
			break;
		if (((j - t->slots[j].hash) & t->mask) < ((j - i) & t->mask))
			continue;
		t->slots[i] = t->slots[j];
		i = j;
	}
	t->slots[i].at = NONE;
}

static void unlink_entry(struct flow_table *t, const struct entry *e)
{
	if (e->newer != NONE)
		t->v[e->newer].older = e->older;
	else
		t->newest[e->kind] = e->older;
	if (e->older != NONE)
		t->v[e->older].newer = e->newer;
	else
		t->oldest[e->kind] = e->newer;
	t->n[e->kind]--;
}

static void link_entry(struct flow_table *t, struct entry *e, enum kind kind)
{
	uint32_t at = (uint32_t)(e - t->v);

	e->kind = (uint8_t)kind;
	e->newer = NONE;
	e->older = t->newest[kind];
	if (e->older != NONE)
		t->v[e->older].newer = at;
	else
		t->oldest[kind] = at;
	t->newest[kind] = at;
	t->n[kind]++;
	e->linked = (uint32_t)t->counts.packets;
}

static int leave(struct flow_table *t, struct entry *e, enum flow_end why)
{
	uint32_t at = (uint32_t)(e - t->v), i = e->hash & t->mask;
	int rc;

	while (t->slots[i].at != at)
		i = (i + 1) & t->mask;
	erase(t, i);
	unlink_entry(t, e);
	e->f.end = (uint8_t)why;
	rc = t->opt.gone ? t->opt.gone(t->opt.ctx, &e->f) : 0;
	e->used = 0;
	e->older = t->free;
	t->free = at;
	return rc;
}

static int evict(struct flow_table *t, enum kind kind)
{
	struct entry *e = &t->v[t->oldest[kind]];

	t->counts.evicted++;
	t->counts.evicted_settled += kind == SETTLED;
	t->counts.evicted_packets += e->f.side[0].packets + e->f.side[1].packets;
	return leave(t, e, FLOW_END_EVICTED);
}

static uint32_t limit(const struct flow_table *t, enum kind kind)
{
	return kind == SETTLED ? t->opt.settled : t->opt.first;
}

/* A place in the slab for a flow of FIRST; there is one when the kind is not full. */
static struct entry *place(struct flow_table *t)
{
	struct entry *e;

	if (t->free == NONE)
		return &t->v[t->top++];
	e = &t->v[t->free];
	t->free = e->older;
	return e;
}

/* Room first: *slot may move. */
static int insert(struct flow_table *t, const struct flow_key *k, uint32_t hash, struct entry **out)
{
	struct entry *e;
	uint32_t slot;
	int rc = 0;

	if (t->n[FIRST] >= limit(t, FIRST))
		rc = evict(t, FIRST);
	slot = find(t, k, hash);
	e = place(t);
	e->hash = hash;
	e->used = 1;
	t->slots[slot] = (struct slot){ hash, (uint32_t)(e - t->v) };
	link_entry(t, e, FIRST);
	t->counts.flows++;
	*out = e;
	return rc;
}

static int settle(struct flow_table *t, struct entry *e)
{
	int rc = 0;

	if (t->n[SETTLED] >= limit(t, SETTLED))
		rc = evict(t, SETTLED);
	unlink_entry(t, e);
	link_entry(t, e, SETTLED);
	return rc;
}

/* A port used again: RFC 9293 lets a SYN begin anew after the end. */
static bool begins_anew(const struct flow_table *t, const struct flow *f, const struct flow_packet *p)
{
	return t->opt.split_reused && flow_is_over(f) && p->has_tcp &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static int touch(struct flow_table *t, struct entry *e)
{
	if (e->kind == FIRST && flow_is_settled(&e->f))
		return settle(t, e);
	if ((uint32_t)t->counts.packets - e->linked < RELINK)
		return 0;
	unlink_entry(t, e);
	link_entry(t, e, e->kind);
	return 0;
}

int flow_table_take(struct flow_table *t, const struct flow_packet *p)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &p->key);
	uint32_t slot = find(t, &p->key, hash);
	struct entry *e;
	int rc = 0;

	t->counts.packets += p->packets;
	t->counts.bytes += p->bytes;
	if (t->slots[slot].at != NONE && begins_anew(t, &t->v[t->slots[slot].at].f, p)) {
		t->counts.ended++;
		rc = leave(t, &t->v[t->slots[slot].at], FLOW_END_REUSED);
		slot = find(t, &p->key, hash);
	}
	if (t->slots[slot].at != NONE) {
		t->latest = t->slots[slot].at;
		e = &t->v[t->latest];
		flow_take(&e->f, p);
		return touch(t, e);
	}
	if (!rc)
		rc = insert(t, &p->key, hash, &e);
	else
		insert(t, &p->key, hash, &e);
	flow_begin(&e->f, p);
	t->latest = (uint32_t)(e - t->v);
	return rc;
}

int flow_table_merge(struct flow_table *t, const struct flow *f)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &f->key);
	uint32_t slot = find(t, &f->key, hash);
	struct entry *e;
	int rc = 0;

	t->counts.packets += f->side[0].packets + f->side[1].packets;
	t->counts.bytes += f->side[0].bytes + f->side[1].bytes;
	if (t->slots[slot].at != NONE) {
		e = &t->v[t->slots[slot].at];
		flow_merge(&e->f, f);
	} else {
		rc = insert(t, &f->key, hash, &e);
		e->f = *f;
	}
	return rc ? rc : touch(t, e);
}

/* Why the flow is to leave now, or FLOW_LIVES. */
static enum flow_end due(const struct flow_table *t, const struct entry *e, uint64_t now_ns)
{
	const struct flow_timeouts *o = &t->opt.timeouts;
	uint64_t silent = now_ns > e->f.last_ns ? now_ns - e->f.last_ns : 0;
	uint64_t idle = e->kind == SETTLED ? o->settled : o->first;

	if (flow_is_over(&e->f) && o->closed && silent >= o->closed)
		return e->f.state == FLOW_RESET ? FLOW_END_RESET : FLOW_END_CLOSED;
	return idle && silent >= idle ? FLOW_END_IDLE : FLOW_LIVES;
}

static int tell_active(struct flow_table *t, struct entry *e, uint64_t now_ns)
{
	uint64_t active = t->opt.timeouts.active;
	int rc;

	if (!active || now_ns < e->f.start_ns + active || !(e->f.side[0].packets | e->f.side[1].packets))
		return 0;
	e->f.end = FLOW_END_ACTIVE;
	rc = t->opt.gone ? t->opt.gone(t->opt.ctx, &e->f) : 0;
	flow_restart(&e->f);
	return rc;
}

int flow_table_tick(struct flow_table *t, uint64_t now_ns)
{
	uint32_t part = t->top / SCAN_PARTS + 1;
	enum flow_end why;
	int rc = 0;

	for (uint32_t i = 0; i < part && !rc && t->top; i++) {
		struct entry *e = &t->v[t->scan++ % t->top];

		if (!e->used)
			continue;
		why = due(t, e, now_ns);
		if (why == FLOW_LIVES) {
			rc = tell_active(t, e, now_ns);
			continue;
		}
		t->counts.ended++;
		rc = leave(t, e, why);
	}
	return rc;
}

const struct flow *flow_table_latest(const struct flow_table *t)
{
	return &t->v[t->latest].f;
}

uint32_t flow_table_n(const struct flow_table *t, uint32_t *settled)
{
	if (settled)
		*settled = t->n[SETTLED];
	return t->n[FIRST] + t->n[SETTLED];
}

void flow_table_counts(const struct flow_table *t, struct flow_counts *c)
{
	*c = t->counts;
}

int flow_table_each(const struct flow_table *t, int (*fn)(void *ctx, const struct flow *f), void *ctx)
{
	int rc = 0;

	for (uint32_t i = 0; i < t->top && !rc; i++)
		if (t->v[i].used)
			rc = fn(ctx, &t->v[i].f);
	return rc;
}
