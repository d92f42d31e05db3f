// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/table.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/err.h"
#include "util/hash.h"
#include "util/steady.h"

#define NONE UINT32_MAX
enum {
	MOMENT_BITS = 24,		/* 17 ms: so exactly the lists are in order */
	SLOTS_MIN = 1024,
	SAME_NS = 10000000,		/* the kernel's clock and ours are joined anew at each look */
};

/* Lists, each from the newest to the oldest: a kind's bound holds for its two. */
enum flow_list { FIRST, FIRST_OVER, SETTLED, SETTLED_OVER, LISTS };

struct entry {
	struct flow f;
	uint32_t moment;		/* when it was put in front */
	uint32_t newer, older;		/* in its list; free: older is the next free one */
	uint8_t  list, used;
	uint8_t  look;			/* flow_table_update(): the look that saw it last */
};

/* By hash, linear probing.  Fresh memory is an empty table. */
struct slot {
	uint32_t hash, at;		/* at: 0 is empty, else a place + 1 */
};

struct flow_table {
	struct flow_table_options opt;
	struct hash_key seed;
	struct entry *v;
	uint32_t room, top, free;	/* entries; touched so far; first of the free list */
	struct slot *slots;
	uint32_t mask;
	uint32_t newest[LISTS], oldest[LISTS], n[LISTS];
	uint64_t now_ns;
	uint32_t moment, latest;
	uint8_t  look;			/* of flow_table_look(), from 1 on */
	bool     clock_was_set;
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
	if (k->iface)
		w[n++] = k->iface;
	return hash_words(seed, w, n);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Zeroed when first touched, and given back as a whole. */
static void *map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int flow_table_open(struct flow_table **out, const struct flow_table_options *opt)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return fail(ENOMEM, "flow table");
	t->opt = *opt;
	t->seed = hash_key_from(opt->seed);
	t->room = opt->settled + opt->first;
	t->mask = SLOTS_MIN - 1;
	t->v = map(t->room * sizeof(*t->v));
	t->slots = map(SLOTS_MIN * sizeof(*t->slots));
	if (!t->v || !t->slots) {
		flow_table_close(t);
		return fail(ENOMEM, "flow table");
	}
	t->free = NONE;
	for (unsigned int i = 0; i < LISTS; i++)
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
	if (t->slots)
		munmap(t->slots, ((size_t)t->mask + 1) * sizeof(*t->slots));
	free(t);
}

uint64_t flow_table_bytes(const struct flow_table *t)
{
	uint64_t slots = SLOTS_MIN;

	while (slots < 2ull * t->room)
		slots *= 2;
	return t->room * sizeof(*t->v) + slots * sizeof(*t->slots);
}

/* Twice the slots, so that half of them stay empty.  Without memory for it probes get longer, until none is left. */
static int grow(struct flow_table *t)
{
	uint32_t old = t->mask + 1, mask = 2 * old - 1;
	struct slot *slots = map(2 * (size_t)old * sizeof(*slots));

	if (!slots)
		return flow_table_n(t, NULL) < t->mask ? 0 : fail(ENOMEM, "flow table");
	for (uint32_t i = 0; i < old; i++) {
		uint32_t j = t->slots[i].hash & mask;

		if (!t->slots[i].at)
			continue;
		while (slots[j].at)
			j = (j + 1) & mask;
		slots[j] = t->slots[i];
	}
	munmap(t->slots, old * sizeof(*t->slots));
	t->slots = slots;
	t->mask = mask;
	return 0;
}

/* Of a slot that is not empty. */
static struct entry *entry_at(const struct flow_table *t, uint32_t slot)
{
	return &t->v[t->slots[slot].at - 1];
}

/* The slot of the key, or the empty one where it would go. */
static uint32_t find(const struct flow_table *t, const struct flow_key *k, uint32_t hash)
{
	uint32_t i = hash & t->mask;

	while (t->slots[i].at &&
	       (t->slots[i].hash != hash || !same_key(&entry_at(t, i)->f.key, k)))
		i = (i + 1) & t->mask;
	return i;
}

/* Close the gap, so that no probe ends at it. */
static void erase(struct flow_table *t, uint32_t i)
{
	uint32_t j = i;

	for (;;) {
		j = (j + 1) & t->mask;
		if (!t->slots[j].at)
			break;
		if (((j - t->slots[j].hash) & t->mask) < ((j - i) & t->mask))
			continue;
		t->slots[i] = t->slots[j];
		i = j;
	}
	t->slots[i].at = 0;
}

static void unlink_entry(struct flow_table *t, const struct entry *e)
{
	if (e->newer != NONE)
		t->v[e->newer].older = e->older;
	else
		t->newest[e->list] = e->older;
	if (e->older != NONE)
		t->v[e->older].newer = e->newer;
	else
		t->oldest[e->list] = e->newer;
	t->n[e->list]--;
}

static void link_entry(struct flow_table *t, struct entry *e, enum flow_list list)
{
	uint32_t at = (uint32_t)(e - t->v);

	e->list = (uint8_t)list;
	e->newer = NONE;
	e->older = t->newest[list];
	if (e->older != NONE)
		t->v[e->older].newer = at;
	else
		t->oldest[list] = at;
	t->newest[list] = at;
	t->n[list]++;
	e->moment = t->moment;
}

static int leave(struct flow_table *t, struct entry *e, enum flow_end why)
{
	uint32_t at = (uint32_t)(e - t->v), i = (uint32_t)flow_key_hash(&t->seed, &e->f.key) & t->mask;
	bool told;
	int rc;

	while (t->slots[i].at != at + 1)
		i = (i + 1) & t->mask;
	erase(t, i);
	unlink_entry(t, e);
	t->counts.left++;
	t->counts.left_packets += e->f.side[0].packets + e->f.side[1].packets;
	told = e->f.end != FLOW_LIVES;
	e->f.end = (uint8_t)why;
	rc = t->opt.gone && !told ? t->opt.gone(t->opt.ctx, &e->f) : 0;
	e->used = 0;
	e->older = t->free;
	t->free = at;
	return rc;
}

/* The kind that has more than its share gives up one that is over, else its least recently seen. */
static int evict(struct flow_table *t)
{
	bool settled = t->n[SETTLED] + t->n[SETTLED_OVER] > t->opt.settled;
	uint32_t at = t->oldest[settled ? SETTLED_OVER : FIRST_OVER];

	if (at == NONE)
		at = t->oldest[settled ? SETTLED : FIRST];
	t->counts.evicted++;
	t->counts.evicted_settled += settled;
	return leave(t, &t->v[at], FLOW_END_EVICTED);
}

/* A place in the slab; there is one when the table is not full. */
static struct entry *place(struct flow_table *t)
{
	struct entry *e;

	if (t->free == NONE)
		return &t->v[t->top++];
	e = &t->v[t->free];
	t->free = e->older;
	return e;
}

static int insert(struct flow_table *t, const struct flow_key *k, uint32_t hash, struct entry **out)
{
	struct entry *e;
	int rc = 0;

	*out = NULL;
	if (flow_table_n(t, NULL) >= t->room)
		rc = evict(t);
	if (flow_table_n(t, NULL) >= (t->mask + 1) / 2 && grow(t))
		return -ENOMEM;
	e = place(t);
	e->used = 1;
	e->look = 0;
	t->slots[find(t, k, hash)] = (struct slot){ hash, (uint32_t)(e - t->v) + 1 };
	link_entry(t, e, FIRST);
	t->counts.flows++;
	t->counts.outer += !k->tunnel;
	*out = e;
	return rc;
}

/* To the front of the list where it belongs now; what settled once does not become a first packet again. */
static void touch(struct flow_table *t, struct entry *e)
{
	bool settled = e->list >= SETTLED || flow_is_settled(&e->f), over = flow_is_over(&e->f);
	enum flow_list list = settled ? over ? SETTLED_OVER : SETTLED : over ? FIRST_OVER : FIRST;

	if (list == e->list && e->moment == t->moment)
		return;
	unlink_entry(t, e);
	link_entry(t, e, list);
}

static uint64_t limit(const struct flow_table *t, enum flow_list list)
{
	const struct flow_timeouts *o = &t->opt.timeouts;
	uint64_t idle = list >= SETTLED ? o->settled : o->first;
	bool over = list == FIRST_OVER || list == SETTLED_OVER;

	return over && o->closed && (!idle || o->closed < idle) ? o->closed : idle;
}

static enum flow_end why_over(const struct entry *e)
{
	if (!flow_is_over(&e->f))
		return FLOW_END_IDLE;
	return e->f.state == FLOW_RESET ? FLOW_END_RESET : FLOW_END_CLOSED;
}

/* A port used again: RFC 9293 lets a SYN begin anew after the end. */
static bool begins_anew(const struct flow_table *t, const struct flow *f, const struct flow_packet *p)
{
	return t->opt.split_reused && flow_is_over(f) && p->has_tcp &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Why the packet belongs to another flow, though this one has its key; FLOW_LIVES: it does not. */
static enum flow_end ended_before(const struct flow_table *t, const struct entry *e, const struct flow_packet *p)
{
	uint64_t most = limit(t, (enum flow_list)e->list);

	if (most && time_since(p->time_ns, e->f.last_ns) >= most)
		return why_over(e);
	return begins_anew(t, &e->f, p) ? FLOW_END_REUSED : FLOW_LIVES;
}

/* It has gone on for so long that what was counted until now is told. */
static int tell_active(struct flow_table *t, struct entry *e, const struct flow_packet *p)
{
	uint64_t active = t->opt.timeouts.active;
	int rc;

	if (!active || time_since(p->time_ns, e->f.start_ns) < active || !(e->f.side[0].packets | e->f.side[1].packets))
		return 0;
	e->f.end = FLOW_END_ACTIVE;
	rc = t->opt.gone ? t->opt.gone(t->opt.ctx, &e->f) : 0;
	flow_restart(&e->f, p->time_ns);
	return rc;
}

int flow_table_take(struct flow_table *t, const struct flow_packet *p)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &p->key), slot = find(t, &p->key, hash);
	bool there = t->slots[slot].at;
	struct entry *e = there ? entry_at(t, slot) : NULL;
	enum flow_end why = there ? ended_before(t, e, p) : FLOW_LIVES;
	int rc = 0, rc2 = 0;

	t->counts.packets += p->packets;
	t->counts.bytes += p->bytes;
	if (why != FLOW_LIVES) {
		rc = leave(t, e, why);
		there = false;
	}
	if (there) {
		rc = tell_active(t, e, p);
		flow_take(&e->f, p);
	} else {
		rc2 = insert(t, &p->key, hash, &e);
		if (!e)
			return rc ? rc : rc2;
		flow_begin(&e->f, p);
	}
	t->latest = (uint32_t)(e - t->v);
	touch(t, e);
	return rc ? rc : rc2;
}

int flow_table_merge(struct flow_table *t, const struct flow *f)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &f->key), slot = find(t, &f->key, hash);
	struct entry *e;
	int rc = 0;

	t->counts.packets += f->side[0].packets + f->side[1].packets;
	t->counts.bytes += f->side[0].bytes + f->side[1].bytes;
	if (t->slots[slot].at) {
		e = entry_at(t, slot);
		flow_merge(&e->f, f);
	} else {
		rc = insert(t, &f->key, hash, &e);
		if (!e)
			return rc;
		e->f = *f;
	}
	touch(t, e);
	return rc;
}

/* ── flows that are counted elsewhere, looked at now and then ───────────────── */

/* Of the same ends, but begun anew. */
static bool is_another(const struct flow_table *t, const struct flow *was, const struct flow *is)
{
	return (!t->clock_was_set && is->start_ns > was->last_ns + SAME_NS) ||
	       is->side[0].packets < was->side[0].packets || is->side[1].packets < was->side[1].packets;
}

int flow_table_update(struct flow_table *t, const struct flow *f, struct flow_was *was)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &f->key), slot = find(t, &f->key, hash);
	struct entry *e = t->slots[slot].at ? entry_at(t, slot) : NULL;
	enum flow_end told;
	int rc = 0, rc2 = 0;

	*was = e ? (struct flow_was){ e->f.side[0].packets + e->f.side[1].packets,
				      e->f.side[0].bytes + e->f.side[1].bytes } :
		   (struct flow_was){ 0 };
	/* Both kinds are read one after the other: what settled between is seen twice, and the older is no other. */
	if (e && e->look == t->look && f->last_ns < e->f.last_ns)
		return 0;
	if (e && is_another(t, &e->f, f)) {
		rc = leave(t, e, flow_is_over(&e->f) ? FLOW_END_REUSED : FLOW_END_IDLE);
		e = NULL;
		*was = (struct flow_was){ 0 };
	}
	if (!e) {
		rc2 = insert(t, &f->key, hash, &e);
		if (!e)
			return rc ? rc : rc2;
		e->f.end = FLOW_LIVES;
	}
	told = e->f.end;
	e->f = *f;
	e->f.end = (uint8_t)told;
	e->look = t->look;
	touch(t, e);
	return rc ? rc : rc2;
}

int flow_table_update_sum(struct flow_table *t, const struct flow *f)
{
	uint32_t hash = (uint32_t)flow_key_hash(&t->seed, &f->key), slot = find(t, &f->key, hash);
	struct entry *e = t->slots[slot].at ? entry_at(t, slot) : NULL;
	enum flow_end told = e ? (enum flow_end)e->f.end : FLOW_LIVES;
	int rc = 0;

	if (!e)
		rc = insert(t, &f->key, hash, &e);
	if (!e)
		return rc;
	if (e->look == t->look)
		flow_merge(&e->f, f);
	else
		e->f = *f;
	e->f.end = (uint8_t)told;
	e->look = t->look;
	touch(t, e);
	return rc;
}

void flow_table_look(struct flow_table *t, bool clock_was_set)
{
	t->clock_was_set = clock_was_set;
	t->look = t->look == UINT8_MAX ? 1 : t->look + 1;
}

int flow_table_looked(struct flow_table *t)
{
	int rc = 0;

	for (uint32_t i = 0; i < t->top && !rc; i++)
		if (t->v[i].used && t->v[i].look != t->look)
			rc = leave(t, &t->v[i], flow_is_over(&t->v[i].f) ? why_over(&t->v[i]) : FLOW_END_EVICTED);
	return rc;
}

int flow_table_tell_ended(struct flow_table *t, uint64_t now_ns, bool quietly)
{
	int rc = 0;

	t->now_ns = now_ns;
	t->moment = (uint32_t)(now_ns >> MOMENT_BITS);
	for (uint32_t i = 0; i < t->top && !rc; i++) {
		struct entry *e = &t->v[i];
		uint64_t most = limit(t, (enum flow_list)e->list);

		if (t->opt.timeouts.tcp && e->f.key.proto == FLOW_PROTO_TCP && e->f.state == FLOW_ESTABLISHED)
			most = t->opt.timeouts.tcp;
		if (!e->used || e->f.end != FLOW_LIVES || !most || time_since(now_ns, e->f.last_ns) < most)
			continue;
		e->f.end = (uint8_t)why_over(e);
		rc = t->opt.gone && !quietly ? t->opt.gone(t->opt.ctx, &e->f) : 0;
	}
	return rc;
}

/* How long it has been silent.  A stamp that is ahead of the clock is wrong: then since it was put in front. */
static uint64_t silent_ns(const struct flow_table *t, const struct entry *e)
{
	if (e->f.last_ns <= t->now_ns)
		return t->now_ns - e->f.last_ns;
	return (uint64_t)(uint32_t)(t->moment - e->moment) << MOMENT_BITS;
}

static int end_silent(struct flow_table *t, enum flow_list list, uint64_t most)
{
	int rc = 0;

	while (!rc && t->oldest[list] != NONE && silent_ns(t, &t->v[t->oldest[list]]) >= most)
		rc = leave(t, &t->v[t->oldest[list]], why_over(&t->v[t->oldest[list]]));
	return rc;
}

int flow_table_tick(struct flow_table *t, uint64_t now_ns)
{
	int rc = 0;

	t->now_ns = now_ns;
	t->moment = (uint32_t)(now_ns >> MOMENT_BITS);
	for (enum flow_list i = 0; i < LISTS && !rc; i++)
		if (limit(t, i))
			rc = end_silent(t, i, limit(t, i));
	return rc;
}

int flow_table_end_closed(struct flow_table *t)
{
	int rc = 0;

	if (t->opt.timeouts.closed)
		rc = end_silent(t, FIRST_OVER, 0);
	return rc || !t->opt.timeouts.closed ? rc : end_silent(t, SETTLED_OVER, 0);
}

const struct flow *flow_table_latest(const struct flow_table *t)
{
	return &t->v[t->latest].f;
}

uint32_t flow_table_room(const struct flow_table *t)
{
	return t->room;
}

uint32_t flow_table_place(const struct flow_table *t, const struct flow *f)
{
	_Static_assert(!offsetof(struct entry, f), "an entry begins with its flow");

	return (uint32_t)((const struct entry *)(const void *)f - t->v);
}

uint32_t flow_table_n(const struct flow_table *t, uint32_t *settled)
{
	if (settled)
		*settled = t->n[SETTLED] + t->n[SETTLED_OVER];
	return t->n[FIRST] + t->n[FIRST_OVER] + t->n[SETTLED] + t->n[SETTLED_OVER];
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
