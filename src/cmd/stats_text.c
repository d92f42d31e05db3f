// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/stats_text.h"

#include <string.h>

#include "cmd/fields.h"
#include "sink/name.h"
#include "sink/people.h"
#include "stats/fields.h"
#include "util/escape.h"

enum {
	NAMES = 20,			/* columns of what stands before the numbers */
	GAP = 2,
};

static void put_name(struct buf *b, const char *name)
{
	size_t n = strlen(name);

	for (; *name; name++)
		buf_chr(b, *name == '_' ? ' ' : *name);
	for (; n < NAMES; n++)
		buf_chr(b, ' ');
}

/* As many on a line as it has room for, and one at least. */
static void put_list(struct buf *b, unsigned int width, const struct list *l, const char *before)
{
	const struct named_count *c = l->p;
	uint64_t all = people_sum(l);
	size_t line = b->n - NAMES, start;
	char text[64];
	struct buf one = { .p = text, .cap = sizeof(text), .max = sizeof(text) };

	for (uint32_t i = 0; i < l->n; i++) {
		one.n = 0;
		if (c[i].name[0] >= '0' && c[i].name[0] <= '9')
			buf_str(&one, before);
		people_count(&one, &c[i], all);
		start = b->n;
		if (i && width && start - line + GAP + one.n > width) {
			buf_chr(b, '\n');
			line = b->n;
			put_name(b, "");
		} else if (i) {
			buf_lit(b, "  ");
		}
		buf_add(b, one.p, one.n);
	}
}

/* Those reasons that packets had. */
static void put_firewall(struct buf *b, const struct stats_text *t, const struct record *r)
{
	const struct list *all = &firewall_of(r)->packets;
	struct named_count some[32];
	struct list l = { some, 0 };
	char name[128];

	for (uint32_t i = 0; i < all->n; i++)
		if (((const struct named_count *)all->p)[i].n && l.n < sizeof(some) / sizeof(some[0]))
			some[l.n++] = ((const struct named_count *)all->p)[i];
	escape_text(name, sizeof(name), r->interface.p, r->interface.n, ESCAPE_FIELD);
	put_name(b, "firewall");
	buf_fmt(b, "%s %s\n", name, r->hook);
	put_name(b, "");
	if (l.n)
		put_list(b, t->width, &l, "");
	else
		buf_lit(b, "no packets");
}

void stats_block(void *text, const struct record *r, struct buf *b)
{
	const struct stats_text *t = text;
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);
	bool any = false;
	char name[64];

	if (r->set == &firewall_dataset) {
		put_firewall(b, t, r);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (f->metric == METRIC_LABEL || !record_has(r, order[i]))
			continue;
		if (f->type == FT_COUNTS && !((const struct list *)record_at(r, order[i]))->n)
			continue;
		if (any)
			buf_chr(b, '\n');
		any = true;
		name_metric(name, sizeof(name), f->name);
		put_name(b, name);
		if (f->type == FT_COUNTS)
			put_list(b, t->width, record_at(r, order[i]), order[i] == FIELD_STATS_SIZE ? "<=" : "");
		else
			people_value(b, f, record_at(r, order[i]));
	}
}

void stats_width(void *text, unsigned int width, struct buf *b)
{
	((struct stats_text *)text)->width = width;
}
