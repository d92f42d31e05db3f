// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows/table.h"
#include "util/err.h"
#include "util/hash.h"

enum { NONE = UINT16_MAX, BUCKETS = 2 * PIECES_MAX };
#define PIECES_AGE_NS 60000000000ull	/* RFC 8200, 4.5: then the number may be another datagram's */

struct piece {
	struct flow_key key;		/* the sender first, no ports */
	uint32_t id;
	uint64_t time_ns;		/* of the piece that came first */
	uint16_t port[2];
	bool     has_ports, is_held;	/* is_held: `held` counts something */
	uint16_t next;			/* in its bucket */
	struct flow held;
};

struct pieces {
	struct hash_key seed;
	uint32_t n, oldest;		/* oldest: the place that is used next, once all are */
	uint16_t bucket[BUCKETS];
	struct piece v[PIECES_MAX];
	struct flow late;
};

int pieces_open(struct pieces **out, uint32_t seed)
{
	struct pieces *t = calloc(1, sizeof(*t));

	if (!t)
		return fail(ENOMEM, "fragments");
	t->seed = hash_key_from(seed);
	memset(t->bucket, 0xff, sizeof(t->bucket));
	*out = t;
	return 0;
}

void pieces_close(struct pieces *t)
{
	free(t);
}

static uint32_t bucket_of(const struct pieces *t, const struct flow_key *k, uint32_t id)
{
	return (uint32_t)(flow_key_hash(&t->seed, k) ^ id * 0x9e3779b1u) & (BUCKETS - 1);
}

/* What waits in it becomes a flow without ports. */
static int let_go(struct piece *d, pieces_fn fn, void *ctx)
{
	if (!d->is_held)
		return 0;
	d->is_held = false;
	return fn(ctx, &d->held);
}

static int forget(struct pieces *t, struct piece *d, pieces_fn fn, void *ctx)
{
	uint16_t *at = &t->bucket[bucket_of(t, &d->key, d->id)];

	while (*at != (uint16_t)(d - t->v))
		at = &t->v[*at].next;
	*at = d->next;
	return let_go(d, fn, ctx);
}

static struct piece *piece_of(struct pieces *t, const struct flow_key *k, uint32_t id, uint64_t now_ns,
			      pieces_fn fn, void *ctx, int *rc)
{
	uint32_t b = bucket_of(t, k, id);
	struct piece *d;

	for (uint16_t i = t->bucket[b]; i != NONE; i = t->v[i].next) {
		d = &t->v[i];
		if (d->id != id || memcmp(&d->key, k, sizeof(*k)))
			continue;
		if (now_ns > d->time_ns + PIECES_AGE_NS) {
			*rc = let_go(d, fn, ctx);
			d->has_ports = false;
			d->time_ns = now_ns;
		}
		return d;
	}
	if (t->n < PIECES_MAX) {
		d = &t->v[t->n++];
	} else {
		d = &t->v[t->oldest++ % PIECES_MAX];
		*rc = forget(t, d, fn, ctx);
	}
	d->key = *k;
	d->id = id;
	d->time_ns = now_ns;
	d->has_ports = d->is_held = false;
	d->next = t->bucket[b];
	t->bucket[b] = (uint16_t)(d - t->v);
	return d;
}

/* `held` was counted without ports, so its ends may stand the other way round. */
static const struct flow *with_ports(struct pieces *t, const struct piece *d)
{
	struct flow_packet p = { .key = d->key };

	t->late = d->held;
	p.key.port[0] = d->port[0];
	p.key.port[1] = d->port[1];
	p.key.has_ports = true;
	flow_order(&p);
	t->late.key = p.key;
	t->late.initiator = p.from;
	if (t->late.side[p.from].packets)
		return &t->late;
	t->late.side[p.from] = d->held.side[!p.from];
	t->late.side[!p.from] = d->held.side[p.from];
	return &t->late;
}

bool pieces_take(struct pieces *t, struct flow_packet *p, uint32_t id, const struct flow **late, pieces_fn fn,
		 void *ctx, int *rc)
{
	struct flow_key k = p->key;
	struct piece *d;

	k.port[0] = k.port[1] = 0;
	k.has_ports = false;
	d = piece_of(t, &k, id, p->time_ns, fn, ctx, rc);
	*late = NULL;
	if (p->key.has_ports) {
		d->port[0] = p->key.port[0];
		d->port[1] = p->key.port[1];
		d->has_ports = true;
	}
	if (d->has_ports) {
		p->key.port[0] = d->port[0];
		p->key.port[1] = d->port[1];
		p->key.has_ports = true;
		if (d->is_held)
			*late = with_ports(t, d);
		d->is_held = false;
		return true;
	}
	flow_order(p);
	if (d->is_held)
		flow_take(&d->held, p);
	else
		flow_begin(&d->held, p);
	d->is_held = true;
	return false;
}

int pieces_finish(struct pieces *t, pieces_fn fn, void *ctx)
{
	int rc = 0;

	for (uint32_t i = 0; i < t->n && !rc; i++)
		rc = let_go(&t->v[i], fn, ctx);
	return rc;
}
