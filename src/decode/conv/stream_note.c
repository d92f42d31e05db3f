// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/stream_note.h"

#include <stdlib.h>
#include <string.h>

enum { NOTES_FEW = 4 };

/* In the order of their numbers; no two overlap. */
struct notes {
	/* What the frames of a direction have in common, from the first that was noted. */
	const struct iface *iface;
	const char *tunnel[PACKET_TUNNELS_MAX];
	struct ip_layer outer;
	uint32_t sampled;
	uint16_t link, vlan[PACKET_VLANS_MAX];
	uint8_t  direction, vlans, tunnels, ttl, tos;
	bool     has_outer, df;

	uint8_t  count, room;
	struct note v[];
};

static size_t size_of(unsigned int room)
{
	return sizeof(struct notes) + room * sizeof(struct note);
}

static struct notes *begin(const struct packet *pk)
{
	struct notes *t = calloc(1, size_of(NOTES_FEW));
	const struct frame *f = pk->frame;

	if (!t)
		return NULL;
	t->iface = f->iface;
	t->link = f->link;
	t->direction = f->direction;
	t->sampled = f->sampled;
	memcpy(t->tunnel, pk->tunnel, sizeof(t->tunnel));
	memcpy(t->vlan, pk->vlan, sizeof(t->vlan));
	t->tunnels = pk->tunnels;
	t->vlans = pk->vlans;
	t->outer = pk->outer;
	t->has_outer = pk->has_outer;
	t->ttl = pk->ttl;
	t->tos = pk->tos;
	t->df = pk->df;
	t->room = NOTES_FEW;
	return t;
}

static bool make_place(struct notes **t, uint32_t *memory)
{
	unsigned int room = (*t)->room * 2u;
	struct notes *more;

	if ((*t)->count < (*t)->room)
		return true;
	if (room > NOTES_MAX)
		return false;
	more = realloc(*t, size_of(room));
	if (!more)
		return false;
	*memory += (uint32_t)(size_of(room) - size_of(more->room));
	more->room = (uint8_t)room;
	*t = more;
	return true;
}

static void put(struct notes **t, unsigned int at, struct note x, uint32_t *memory)
{
	if (!make_place(t, memory))
		return;
	memmove(&(*t)->v[at + 1], &(*t)->v[at], ((*t)->count - at) * sizeof(x));
	(*t)->v[at] = x;
	(*t)->count++;
}

static bool is_behind_all(const struct notes *t, uint32_t seq)
{
	const struct note *last = t->count ? &t->v[t->count - 1] : NULL;

	return !last || (int32_t)(seq - (last->seq + last->n)) >= 0;
}

void notes_add(struct notes **t, const struct packet *pk, uint32_t seq, uint32_t n, uint32_t *memory)
{
	struct note x = { .seq = seq };

	if (!pk || !pk->frame)
		return;
	if (!*t) {
		*t = begin(pk);
		if (!*t)
			return;
		*memory += (uint32_t)size_of(NOTES_FEW);
	}
	x.number = pk->frame->number;
	x.time_ns = pk->frame->time_ns;
	if (is_behind_all(*t, seq)) {
		x.n = n;
		put(t, (*t)->count, x, memory);
		return;
	}
	/* Each turn goes to the next note, or over the one that it put. */
	for (unsigned int i = 0; i < (*t)->count && n; i++) {
		const struct note *o = &(*t)->v[i];
		int32_t before = (int32_t)(o->seq - x.seq), to = (int32_t)(o->seq + o->n - x.seq);

		if (to <= 0)
			continue;
		x.n = before <= 0 ? 0 : (uint32_t)before < n ? (uint32_t)before : n;
		if (x.n)
			put(t, i, x, memory);
		x.seq += (uint32_t)to < n ? (uint32_t)to : n;
		n -= (uint32_t)to < n ? (uint32_t)to : n;
	}
	x.n = n;
	if (n)
		put(t, (*t)->count, x, memory);
}

void notes_forget(struct notes *t, uint32_t seq)
{
	unsigned int gone = 0;

	while (t && gone < t->count && (int32_t)(t->v[gone].seq + t->v[gone].n - seq) <= 0)
		gone++;
	if (!gone)
		return;
	t->count = (uint8_t)(t->count - gone);
	memmove(t->v, t->v + gone, t->count * sizeof(t->v[0]));
}

void notes_free(struct notes **t, uint32_t *memory)
{
	if (*t)
		*memory -= (uint32_t)size_of((*t)->room);
	free(*t);
	*t = NULL;
}

uint32_t notes_part(const struct notes *t, uint32_t seq, uint32_t from, uint32_t n, unsigned int *at)
{
	for (; t && *at < t->count; ++*at) {
		const struct note *x = &t->v[*at];
		int32_t start = (int32_t)(x->seq - seq), end = start + (int32_t)x->n;

		if (start > (int32_t)from)
			return (uint32_t)start < n ? (uint32_t)start : n;
		if (end > (int32_t)from)
			return (uint32_t)end < n ? (uint32_t)end : n;
	}
	return n;
}

const struct note *notes_latest(const struct notes *t, uint32_t seq, uint32_t n)
{
	const struct note *latest = NULL;

	for (unsigned int i = 0; t && i < t->count; i++) {
		int32_t start = (int32_t)(t->v[i].seq - seq), end = start + (int32_t)t->v[i].n;

		if (start >= (int32_t)n)
			break;
		if (end > 0 && (!latest || t->v[i].number > latest->number))
			latest = &t->v[i];
	}
	return latest;
}

void notes_packet(const struct notes *t, const struct note *from, const struct ip_layer *ends, struct packet *pk,
		  struct frame *f)
{
	memset(pk, 0, offsetof(struct packet, around));
	*f = (struct frame){ .data = (const uint8_t *)"" };
	pk->frame = f;
	pk->ip = *ends;
	pk->has_tcp = true;
	if (from) {
		f->number = from->number;
		f->time_ns = from->time_ns;
		pk->l4_len = from->n;
	}
	if (!t)
		return;
	f->iface = t->iface;
	f->link = t->link;
	f->direction = t->direction;
	f->sampled = t->sampled;
	memcpy(pk->tunnel, t->tunnel, sizeof(t->tunnel));
	memcpy(pk->vlan, t->vlan, sizeof(t->vlan));
	pk->tunnels = t->tunnels;
	pk->vlans = t->vlans;
	pk->outer = t->outer;
	pk->has_outer = t->has_outer;
	pk->ttl = t->ttl;
	pk->tos = t->tos;
	pk->df = t->df;
}
