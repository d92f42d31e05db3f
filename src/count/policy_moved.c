// SPDX-License-Identifier: GPL-2.0-or-later
#include "count/policy_moved.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

/* ── the table ────────────────────────────────────────────────────────────── */

static struct moved *slot(const struct policy_moved *m, const struct np_policy_row *row)
{
	uint64_t h = hash_spread((uint64_t)row->pod << 32 | row->policy) ^ row->dir;
	struct moved *v = NULL;

	/* It is half full at most. */
	for (uint32_t i = 0; i < m->room; i++) {
		v = &m->v[(h + i) & (m->room - 1)];
		if (v->row.pod == NP_POD_NONE || !memcmp(&v->row, row, sizeof(*row)))
			break;
	}
	return v;
}

/* Into so much room, without the rows of a pod. */
static bool resize(struct policy_moved *m, uint32_t room, uint32_t without)
{
	struct policy_moved grown = { .v = malloc(room * sizeof(*grown.v)), .room = room, .max = m->max };

	if (!grown.v)
		return false;
	for (uint32_t i = 0; i < room; i++)
		grown.v[i] = (struct moved){ .row = { .pod = NP_POD_NONE } };
	for (uint32_t i = 0; i < m->room; i++) {
		if (m->v[i].row.pod == NP_POD_NONE || m->v[i].row.pod == without)
			continue;
		*slot(&grown, &m->v[i].row) = m->v[i];
		grown.n++;
	}
	free(m->v);
	*m = grown;
	return true;
}

/* The counts of that row; NULL: no room. */
static struct np_policy_counts *counts_of(struct policy_moved *m, uint32_t pod, uint32_t policy, unsigned int dir)
{
	const struct np_policy_row row = { .pod = pod, .policy = policy, .dir = (uint8_t)dir };
	struct moved *v;

	if (2 * (m->n + 1) > m->room && !resize(m, m->room ? 2 * m->room : 64, NP_POD_NONE))
		return NULL;
	v = slot(m, &row);
	if (v->row.pod != NP_POD_NONE)
		return &v->n;
	if (m->n >= m->max)
		return NULL;
	*v = (struct moved){ .row = row };
	m->n++;
	return &v->n;
}

const struct np_policy_counts *moved_find(const struct policy_moved *m, const struct np_policy_row *row)
{
	const struct moved *v = slot(m, row);

	return v && v->row.pod != NP_POD_NONE ? &v->n : NULL;
}

void moved_forget(struct policy_moved *m, uint32_t pod)
{
	bool any = false;

	for (uint32_t i = 0; i < m->room; i++) {
		if (m->v[i].row.pod != pod)
			continue;
		m->v[i].n = (struct np_policy_counts){ 0 };
		any = true;
	}
	/* Without memory for that they stay, with nothing in them. */
	if (any)
		resize(m, m->room, pod);
}

void moved_clear(struct policy_moved *m)
{
	for (uint32_t i = 0; i < m->room; i++)
		m->v[i] = (struct moved){ .row = { .pod = NP_POD_NONE } };
	m->n = 0;
}

/* ── moving ───────────────────────────────────────────────────────────────── */

void counts_add(struct np_policy_counts *to, const struct np_policy_counts *n)
{
	to->packets_allowed += n->packets_allowed;
	to->packets_dropped += n->packets_dropped;
	to->policy_matches += n->policy_matches;
	to->policy_misses += n->policy_misses;
	to->bytes_allowed += n->bytes_allowed;
	to->bytes_dropped += n->bytes_dropped;
	to->first_allowed += n->first_allowed;
	to->first_dropped += n->first_dropped;
}

/* times: 1, or -1 to take it back; first: with no policy before this one. */
static void add(struct np_policy_counts *to, const struct np_policy_waiting *w, int64_t times, bool first)
{
	const struct np_policy_counts n = {
		.packets_allowed = w->packets_allowed * (uint64_t)times,
		.packets_dropped = w->packets_dropped * (uint64_t)times,
		.bytes_allowed = w->bytes_allowed * (uint64_t)times,
		.bytes_dropped = w->bytes_dropped * (uint64_t)times,
		.first_allowed = first ? w->packets_allowed * (uint64_t)times : 0,
		.first_dropped = first ? w->packets_dropped * (uint64_t)times : 0,
	};

	counts_add(to, &n);
}

/* Where one of the rows finds no room nothing is moved. */
static bool has_room(struct policy_moved *m, const struct np_policy_side *side, unsigned int as, unsigned int dir)
{
	bool room = counts_of(m, side->pod, NP_POLICY_UNDECIDED, dir);

	room = room && counts_of(m, side->pod, NP_POLICY_OTHER_END, as);
	for (unsigned int i = 0; room && i < side->n; i++)
		room = counts_of(m, side->pod, side->policy[i], as);
	return room && counts_of(m, side->pod, NP_POLICY_NONE, as);
}

void moved_end(struct policy_moved *m, const struct np_decision *d, unsigned int as, unsigned int dir,
	       const struct np_policy_waiting *waiting)
{
	const struct np_policy_side *side = &d->side[as], *peer = &d->side[!as];
	struct np_policy_waiting own = *waiting, by_peer = { 0 };
	uint64_t all = own.packets_allowed + own.packets_dropped;
	struct np_policy_counts *n;
	unsigned int i = 0;

	if (side->pod == NP_POD_NONE || (!own.packets_allowed && !own.packets_dropped) || !has_room(m, side, as, dir))
		return;
	if (side->verdict != NP_POLICY_DENIES && peer->verdict == NP_POLICY_DENIES) {
		by_peer.packets_dropped = own.packets_dropped;
		by_peer.bytes_dropped = own.bytes_dropped;
		own.packets_dropped = own.bytes_dropped = 0;
	}
	do {
		n = counts_of(m, side->pod, side->n ? side->policy[i] : NP_POLICY_NONE, as);
		add(n, &own, 1, !i);
		if (side->n)
			n->policy_matches += all;
		else
			n->policy_misses += all;
	} while (++i < side->n);
	add(counts_of(m, side->pod, NP_POLICY_OTHER_END, as), &by_peer, 1, true);
	add(counts_of(m, side->pod, NP_POLICY_UNDECIDED, dir), waiting, -1, true);
}

void moved_add(struct policy_moved *m, const struct np_policy_row *row, const struct np_policy_waiting *waiting)
{
	struct np_policy_counts *n = counts_of(m, row->pod, row->policy, row->dir);

	if (n)
		add(n, waiting, 1, true);
}
