// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account_parts.h"
#include "numbers/ipproto.h"
#include "stats/fields.h"
#include "util/top.h"

/* ── flows ──────────────────────────────────────────────────────────────────── */
bool account_chooses(const struct account *a, const struct flow *f)
{
	return a->opt.choice == CHOOSE_ALL || flow_is_over(f) == (a->opt.choice == CHOOSE_CLOSED);
}

void account_put_interface(struct record *r, const struct iface *i)
{
	if (!i || !i->name[0])
		return;
	r->interface = (struct str){ i->name, (uint32_t)strnlen(i->name, sizeof(i->name)) };
	record_mark(r, FIELD_INTERFACE);
}

int account_emit(struct account *a, const struct flow *f)
{
	struct record r;

	flow_record(&a->row, &r, f);
	r.transport = ipproto_name(f->key.proto);
	record_mark(&r, FIELD_TRANSPORT);
	if (f->key.ifindex && f->key.ifindex <= a->n_ifaces)
		account_put_interface(&r, a->ifaces[f->key.ifindex - 1]);
	return a->fn(a->ctx, &r);
}

static int emit_chosen(void *ctx, const struct flow *f)
{
	struct account *a = ctx;

	return account_chooses(a, f) ? account_emit(a, f) : 0;
}

struct collect {
	struct account *a;
	struct top top;
};

static uint64_t rank_of(enum account_sort sort, const struct flow *f)
{
	switch (sort) {
	case SORT_BYTES:
		return f->side[0].bytes + f->side[1].bytes;
	case SORT_PACKETS:
		return f->side[0].packets + f->side[1].packets;
	case SORT_RTT:
		return flow_rtt_us(f);
	case SORT_START:
		return UINT64_MAX - f->start_ns;
	default:
		return f->last_ns - f->start_ns;
	}
}

/* The highest first; what is equal, the older first. */
static bool is_before(const struct top_item *x, const struct top_item *y)
{
	const struct flow *f = x->p, *g = y->p;

	if (x->rank != y->rank)
		return x->rank > y->rank;
	if (f->start_ns != g->start_ns)
		return f->start_ns < g->start_ns;
	return memcmp(&f->key, &g->key, sizeof(f->key)) < 0;
}

static int collect(void *ctx, const struct flow *f)
{
	struct collect *c = ctx;

	if (account_chooses(c->a, f))
		top_offer(&c->top, rank_of(c->a->opt.sort, f), f);
	return 0;
}

static int sorted_flows(struct account *a)
{
	uint32_t n = flow_table_n(a->table, NULL);
	struct collect c = { .a = a };
	int rc = top_open(&c.top, a->opt.top && a->opt.top < n ? a->opt.top : n, is_before);

	if (rc)
		return rc;
	flow_table_each(a->table, collect, &c);
	top_sort(&c.top);
	for (uint32_t i = 0; i < c.top.n && !rc; i++)
		rc = account_emit(a, c.top.v[i].p);
	top_close(&c.top);
	return rc;
}

/* ── statistics ─────────────────────────────────────────────────────────────── */
static int emit_tally(void *ctx, struct tally_row *t, uint64_t ns)
{
	struct account *a = ctx;
	struct record r;

	record_start(&r, &stats_dataset);
	r.time_ns = r.end_ns = t->last_ns;
	r.start_ns = t->first_ns;
	stats_of(&r)->packets = t->packets;
	stats_of(&r)->bytes = t->bytes;
	record_mark(&r, FIELD_START);
	record_mark(&r, FIELD_END);
	record_mark(&r, FIELD_STATS_PACKETS);
	record_mark(&r, FIELD_STATS_BYTES);
	account_by_record(a, &t->key, &r);
	stats_rates(&r, t->since_packets, t->since_bytes, ns);
	return a->fn(a->ctx, &r);
}

static int emit_totals(struct account *a, uint64_t now_ns)
{
	struct record r;

	totals_record(&a->totals, &a->totals_row, &r, now_ns);
	account_rare_record(a, &r);
	return a->fn(a->ctx, &r);
}

int account_rows(struct account *a, uint64_t now_ns, record_fn fn, void *ctx)
{
	a->fn = fn;
	a->ctx = ctx;
	if (a->opt.flows && (a->opt.sort || a->opt.top))
		return sorted_flows(a);
	if (a->opt.flows)
		return flow_table_each(a->table, emit_chosen, a);
	account_settle(a);
	if (a->tally)
		return tally_each(a->tally, a->opt.top, emit_tally, a, now_ns ? now_ns : a->last_ns);
	return emit_totals(a, now_ns);
}

void account_since(struct account *a, uint64_t ns)
{
	a->totals.told_ns = ns;
	if (a->tally)
		a->tally->told_ns = ns;
}
