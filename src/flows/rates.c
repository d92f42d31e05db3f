// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

int rates_open(struct rates *r, const struct flow_table *t, uint64_t since_ns)
{
	memset(r, 0, sizeof(*r));
	r->room = flow_table_room(t);
	r->v = calloc(r->room, sizeof(*r->v));
	r->told_ns = since_ns;
	return r->v ? 0 : fail(ENOMEM, "flow rates");
}

void rates_close(struct rates *r)
{
	free(r->v);
	r->v = NULL;
}

static bool is_of(const struct rate *rate, const struct flow *f)
{
	return !memcmp(&rate->key, &f->key, sizeof(f->key));
}

struct look {
	struct rates *r;
	const struct flow_table *t;
};

/* Counts that went back are of another flow with the same ends: all of it is new. */
static int look_at(void *ctx, const struct flow *f)
{
	struct look *l = ctx;
	struct rate *rate = &l->r->v[flow_table_place(l->t, f)];
	uint64_t packets = f->side[0].packets + f->side[1].packets, bytes = f->side[0].bytes + f->side[1].bytes;

	if (!is_of(rate, f) || packets < rate->packets || bytes < rate->bytes) {
		rate->key = f->key;
		rate->packets = rate->bytes = 0;
	}
	rate->was_packets = packets - rate->packets;
	rate->was_bytes = bytes - rate->bytes;
	rate->packets = packets;
	rate->bytes = bytes;
	l->r->was_bytes += rate->was_bytes;
	return 0;
}

void rates_tell(struct rates *r, const struct flow_table *t, uint64_t now_ns)
{
	struct look l = { r, t };

	r->was_ns = now_ns > r->told_ns ? now_ns - r->told_ns : 0;
	r->told_ns = now_ns;
	r->was_bytes = 0;
	flow_table_each(t, look_at, &l);
}

const struct rate *rates_of(const struct rates *r, const struct flow_table *t, const struct flow *f)
{
	static const struct rate none;
	const struct rate *rate = &r->v[flow_table_place(t, f)];

	return is_of(rate, f) ? rate : &none;
}
