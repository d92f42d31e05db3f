// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account_parts.h"
#include "flows/fields.h"
#include "numbers/ipproto.h"
#include "stats/fields.h"
#include "util/top.h"

/* ── flows ──────────────────────────────────────────────────────────────────── */
bool account_chooses(const struct account *a, const struct flow *f)
{
	if (a->opt.choice != CHOOSE_CLOSED && account_is_past(a, f))
		return false;
	return a->opt.choice == CHOOSE_ALL || flow_is_over(f) == (a->opt.choice == CHOOSE_CLOSED);
}

void account_put_interface(struct record *r, const struct iface *i)
{
	if (!i || !i->name[0])
		return;
	r->interface = (struct str){ i->name, (uint32_t)strnlen(i->name, sizeof(i->name)) };
	record_mark(r, FIELD_INTERFACE);
}

static uint64_t per_second(uint64_t n, uint64_t ns)
{
	return ns ? (uint64_t)((double)n * 1e9 / (double)ns + 0.5) : 0;
}

static void put_rates(const struct account *a, struct record *r, const struct flow *f)
{
	const struct rate *rate;

	if (!a->rates.v || !a->rates.was_ns)
		return;
	rate = rates_of(&a->rates, a->table, f);
	flow_of(r)->pps = per_second(rate->was_packets, a->rates.was_ns);
	flow_of(r)->bps = per_second(rate->was_bytes * 8, a->rates.was_ns);
	record_mark(r, FIELD_FLOW_PPS);
	record_mark(r, FIELD_FLOW_BPS);
}

static const struct iface *interface_of(const struct account *a, uint16_t number)
{
	if (a->counted)
		return number && number <= a->counted->n ? a->counted->ifaces[number - 1].iface : NULL;
	return number && number <= a->n_ifaces ? a->ifaces[number - 1] : NULL;
}

int account_emit(struct account *a, const struct flow *f)
{
	struct record r;

	flow_record(&a->row, &r, f);
	r.transport = ipproto_name(f->key.proto);
	record_mark(&r, FIELD_TRANSPORT);
	account_put_interface(&r, interface_of(a, f->key.iface));
	put_rates(a, &r, f);
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

static uint64_t rank_of(const struct account *a, const struct flow *f)
{
	switch (a->opt.sort) {
	case SORT_BYTES:
		return f->side[0].bytes + f->side[1].bytes;
	case SORT_PACKETS:
		return f->side[0].packets + f->side[1].packets;
	case SORT_RTT:
		return flow_rtt_us(f);
	case SORT_START:
		return UINT64_MAX - f->start_ns;
	case SORT_RATE:
		return a->rates.v ? rates_of(&a->rates, a->table, f)->was_bytes : 0;
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
		top_offer(&c->top, rank_of(c->a, f), f);
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
	stats_rates(&r, t->was_packets, t->was_bytes, ns);
	return a->fn(a->ctx, &r);
}

static int emit_totals(struct account *a, uint64_t now_ns)
{
	struct record r;

	totals_record(&a->totals, &a->totals_row, &r, now_ns);
	account_rare_record(a, &r);
	return a->fn(a->ctx, &r);
}

static int add_past(void *ctx, const struct flow *f)
{
	struct account *a = ctx;

	a->past += account_is_past(a, f);
	return 0;
}

int account_rows(struct account *a, uint64_t now_ns, record_fn fn, void *ctx)
{
	int err = 0;

	a->fn = fn;
	a->ctx = ctx;
	if (a->counted && !a->again)
		err = account_look(a, now_ns);
	if (err)
		return err;
	a->past = 0;
	if (a->counted && a->opt.flows && a->opt.choice != CHOOSE_CLOSED)
		flow_table_each(a->table, add_past, a);
	if (a->rates.v && !a->again)
		rates_tell(&a->rates, a->table, now_ns ? now_ns : a->last_ns);
	if (a->opt.flows && (a->opt.sort || a->opt.top))
		return sorted_flows(a);
	if (a->opt.flows)
		return flow_table_each(a->table, emit_chosen, a);
	account_settle(a);
	if (a->tally)
		return tally_each(a->tally, a->opt.top, emit_tally, a, now_ns ? now_ns : a->last_ns);
	return emit_totals(a, now_ns);
}

int account_again(struct account *a, record_fn fn, void *ctx)
{
	int rc;

	a->again = a->totals.again = true;
	if (a->tally)
		a->tally->again = true;
	rc = account_rows(a, a->totals.told_ns, fn, ctx);
	a->again = a->totals.again = false;
	if (a->tally)
		a->tally->again = false;
	return rc;
}

void account_choose(struct account *a, enum account_sort sort, uint32_t top)
{
	static const enum tally_sort sorts[SORTS] = { [SORT_PACKETS] = TALLY_PACKETS, [SORT_RATE] = TALLY_RATE,
						      [SORT_START] = TALLY_START };

	a->opt.sort = sort;
	a->opt.top = top;
	if (a->tally)
		a->tally->sort = sorts[sort];
}

uint64_t account_bps(const struct account *a)
{
	if (a->rates.v)
		return per_second(a->rates.was_bytes * 8, a->rates.was_ns);
	return a->tally ? per_second(a->tally->was_bytes * 8, a->tally->was_ns) : 0;
}

int account_since(struct account *a, uint64_t ns)
{
	int err = a->counted ? account_counted_begin(a, ns) : 0;

	a->totals.told_ns = ns;
	if (a->tally)
		a->tally->told_ns = ns;
	return err;
}

uint64_t account_past(const struct account *a)
{
	return a->past;
}

bool account_in_kernel(enum account_by by)
{
	return by == BY_NOTHING || by == BY_IFACE || by == BY_TRANSPORT || by == BY_HOST || by == BY_PORT ||
	       by == BY_SIZE || by == BY_FLAGS;
}
