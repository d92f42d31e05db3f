// SPDX-License-Identifier: GPL-2.0-or-later
/* stats --waterfall: lines for people. */
#include <stdio.h>
#include <string.h>

#include "cmd/stats.h"
#include "stats/fields.h"
#include "util/escape.h"
#include "util/time.h"
#include "util/units.h"
#include "util/width.h"

enum {
	LAYER = 9, PLACE = 15, WAY = 3, NUMBER = 14, RATE = 9, MARK = 4,
	COUNTER_MIN = 20, COUNTER_USUAL = 36, COUNTER_MAX = 60,
};

/* What the other columns leave it; titles are in the same places. */
static unsigned int counter_width(const struct waterfall_text *t)
{
	unsigned int others = LAYER + 1 + PLACE + 1 + WAY + 1 + 1 + NUMBER + 2 + MARK;

	others += t->intervals ? RATE + 1 : 0;
	if (!t->width)
		return COUNTER_USUAL;
	if (t->width < others + COUNTER_MIN)
		return COUNTER_MIN;
	return t->width - others < COUNTER_MAX ? t->width - others : COUNTER_MAX;
}

/* In so many cells, and what is longer cut. */
static void put_cells(struct buf *b, const char *text, unsigned int cells)
{
	unsigned int used = width_text(text, strlen(text));
	bool cut = used > cells;
	size_t n = cut ? width_fit(text, strlen(text), cells - 1, &used) : strlen(text);

	buf_add(b, text, n);
	if (cut)
		buf_chr(b, '~');
	for (used += cut; used < cells; used++)
		buf_chr(b, ' ');
	buf_chr(b, ' ');
}

static void put_titles(const struct waterfall_text *t, const struct record *r, struct buf *b)
{
	struct time_cache cache = { 0 };
	char clock[TIME_TEXT_MAX];

	buf_fmt(b, "%-*s %-*s %-*s %-*s %*s", LAYER, "LAYER", PLACE, "INTERFACE", WAY, "WAY", (int)counter_width(t),
		"COUNTER", NUMBER, t->intervals ? "CHANGE" : "VALUE");
	if (t->intervals) {
		time_local(&cache, clock, r->time_ns);
		buf_fmt(b, " %*s  LOST  %.8s", RATE, "PER SEC", clock);
	} else {
		buf_lit(b, "  LOST");
	}
	buf_chr(b, '\n');
}

static void put_counter(const struct waterfall_text *t, const struct layer_body *l, const struct record *r,
			struct buf *b)
{
	char name[8 * LAYER_NAME], detail[8 * LAYER_NAME], both[16 * LAYER_NAME + 8];

	escape_text(name, sizeof(name), l->counter.p, l->counter.n, ESCAPE_FIELD);
	escape_text(detail, sizeof(detail), l->detail.p, l->detail.n, ESCAPE_FIELD);
	snprintf(both, sizeof(both), record_has(r, FIELD_LAYER_DETAIL) ? "%s (%s)" : "%s", name, detail);
	put_cells(b, both, counter_width(t));
}

static void put_numbers(const struct waterfall_text *t, const struct layer_body *l, const struct record *r,
			struct buf *b)
{
	uint64_t v = record_has(r, FIELD_LAYER_LEVEL) ? l->level : l->value;

	if (t->intervals && record_has(r, FIELD_LAYER_CHANGE))
		v = l->change;
	if (!record_has(r, FIELD_LAYER_LEVEL) && !record_has(r, FIELD_LAYER_VALUE))
		buf_fmt(b, "%*s", NUMBER, "-");
	else
		buf_fmt(b, "%*llu", NUMBER, (unsigned long long)v);
	if (!t->intervals)
		return;
	if (record_has(r, FIELD_LAYER_RATE))
		buf_fmt(b, " %*.*f", RATE, l->rate < 1000 ? 1 : 0, l->rate);
	else
		buf_fmt(b, " %*s", RATE, "-");
}

void waterfall_line(void *text, const struct record *r, struct buf *b)
{
	struct waterfall_text *t = text;
	const struct layer_body *l = layer_of(r);
	char place[8 * LAYER_NAME] = "host";

	if (t->titles)
		put_titles(t, r, b);
	t->titles = false;
	if (record_has(r, FIELD_INTERFACE))
		escape_text(place, sizeof(place), r->interface.p, r->interface.n, ESCAPE_FIELD);
	put_cells(b, t->layer && !strcmp(t->layer, l->layer) ? "" : l->layer, LAYER);
	t->layer = l->layer;
	put_cells(b, place, PLACE);
	put_cells(b, !record_has(r, FIELD_DIRECTION) ? "-" : !strcmp(r->direction, "ingress") ? "in" : "out", WAY);
	put_counter(t, l, r, b);
	put_numbers(t, l, r, b);
	if (record_has(r, FIELD_LAYER_LOST))
		buf_str(b, l->lost && (l->change || (!t->intervals && l->value)) ? "  lost" : "");
}

/* The receive ring of the interface, by the row that tells of it. */
static void ring_text(const struct layers *l, const struct layer_counter *c, char *out, size_t size)
{
	snprintf(out, size, "its receive ring");
	for (unsigned int i = 0; i < l->n; i++)
		if (l->v[i].ifindex == c->ifindex && !strcmp(l->v[i].known->name, "rx_pending") && l->v[i].value)
			snprintf(out, size, "its receive ring of %llu descriptors", (unsigned long long)l->v[i].value);
}

bool waterfall_meaning(const struct layers *l, const struct layer_counter *c, char *out, size_t size)
{
	const char *p = c->known->lost ? c->known->meaning : NULL;
	char ring[64];
	size_t n = 0;

	if (!p)
		return false;
	ring_text(l, c, ring, sizeof(ring));
	while (*p && n + 1 < size) {
		bool is_iface = !strncmp(p, "IFACE", 5), is_ring = !strncmp(p, "RING", 4);

		if (is_iface || is_ring)
			n += (size_t)snprintf(out + n, size - n, "%s", is_iface ? c->interface : ring);
		else
			out[n++] = *p;
		p += is_iface ? 5 : is_ring ? 4 : 1;
		if (n >= size)
			n = size - 1;
	}
	out[n] = '\0';
	return true;
}
