// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of packets, again and again, as rates: poll. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/block.h"
#include "cmd/listing.h"
#include "util/err.h"
#include "util/hostclock.h"
#include "util/time.h"

enum { TOP = 10 };

/* A set as it was when it was last looked at. */
struct watched {
	struct block_run *set;
	struct np_stats stats;
	struct block_row *rows;
	uint32_t n_rows;		/* their ids are those of `ids` */
	uint32_t *ids;
	uint64_t ns;			/* CLOCK_BOOTTIME */
	bool gone;
};

struct poll_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct block_texts texts;
	struct watched *v;
	unsigned int n, told;
	/* What the next line is of. */
	const struct block_run *set;
	const struct np_rule *rule;
};

static uint64_t rate(uint64_t n, uint64_t ns)
{
	return ns ? (uint64_t)((double)n * 1e9 / (double)ns + 0.5) : 0;
}

static void put_rates(struct buf *b, uint64_t pps, uint64_t bps)
{
	buf_fmt(b, "%12llu/s %14llu bit/s  ", (unsigned long long)pps, (unsigned long long)bps);
}

static void poll_line(void *ctx, const struct record *r, struct buf *b)
{
	struct poll_run *run = ctx;
	const struct firewall_body *f = firewall_of(r);
	const struct named_count *pps = f->pps.p, *bps = f->bps.p;

	if (r->set == &rule_dataset) {
		put_rates(b, rule_of(r)->pps, rule_of(r)->bps);
		block_print_entry(b, &run->set->rules, run->rule, run->set->now_ns);
		return;
	}
	if (run->told++)
		buf_chr(b, '\n');
	block_print_place(b, r);
	buf_fmt(b, ": %u %s, ", f->entries, block_entries(f->entries));
	block_print_confirmation(b, f);
	for (uint32_t i = 0; i < f->pps.n; i++) {
		buf_chr(b, '\n');
		put_rates(b, pps[i].n, bps[i].n);
		buf_str(b, pps[i].name);
	}
}

/* ── what changed ─────────────────────────────────────────────────────────── */

static void forget(struct watched *w)
{
	free(w->rows);
	free(w->ids);
	w->rows = NULL;
	w->ids = NULL;
	w->n_rows = 0;
}

/* What there is now, in the order of the numbers. */
static int look(struct watched *w)
{
	struct block_run *b = w->set;

	forget(w);
	w->ns = block_now();
	block_stats(&b->set, &w->stats);
	w->rows = block_hits(b);
	w->ids = calloc(b->rules.n ? b->rules.n : 1, sizeof(*w->ids));
	if (!w->rows || !w->ids)
		return w->rows ? fail(ENOMEM, "numbers of entries") : -ENOMEM;
	w->n_rows = b->rules.n;
	for (uint32_t i = 0; i < b->rules.n; i++)
		w->ids[i] = b->rules.v[i].id;
	return 0;
}

/* Rates of the reasons that had packets.  A set that was taken away and made anew counts from nothing. */
static void put_reasons(struct record *r, const struct watched *was, const struct np_stats *now, uint64_t ns,
			struct firewall_counts *c)
{
	struct firewall_body *f = firewall_of(r);
	uint32_t n = 0;

	for (unsigned int i = 0; i < NP_REASONS_N; i++) {
		if (now->packets[i] <= was->stats.packets[i])
			continue;
		c->packets[n] = (struct named_count){ firewall_reasons[i],
						      rate(now->packets[i] - was->stats.packets[i], ns) };
		c->bytes[n++] = (struct named_count){ firewall_reasons[i],
						      rate(8 * (now->bytes[i] - was->stats.bytes[i]), ns) };
	}
	f->pps = (struct list){ c->packets, n };
	f->bps = (struct list){ c->bytes, n };
	record_mark(r, FIELD_FW_PPS);
	record_mark(r, FIELD_FW_BPS);
	r->end_ns = time_now();
	r->start_ns = r->end_ns - ns;
	record_mark(r, FIELD_START);
	record_mark(r, FIELD_END);
}

static int tell_set(struct poll_run *run, struct watched *now, const struct watched *was)
{
	struct firewall_counts counts, rates;
	struct np_guard g;
	struct record r;
	int err = block_clock(&now->set->set, 0, &g);

	if (err)
		return err;
	now->set->boot_wall_ns = host_clock_boot();
	block_set_record(&r, now->set, &now->stats, &g, &counts);
	put_reasons(&r, was, &now->stats, now->ns - was->ns, &rates);
	now->set->now_ns = g.now_ns;
	run->set = now->set;
	return listing_put(&run->pipe, &r);
}

/* The counts of the interval, those with most hits first: entries are the same by their numbers, which grow. */
static struct block_row *changes(const struct watched *now, const struct watched *was)
{
	struct block_row *v = calloc(now->n_rows ? now->n_rows : 1, sizeof(*v));
	uint32_t k = 0;

	for (uint32_t i = 0; v && i < now->n_rows; i++) {
		const struct np_hit *h = &now->rows[i].hit, *old = NULL;

		while (k < was->n_rows && was->ids[k] < now->ids[i])
			k++;
		if (k < was->n_rows && was->ids[k] == now->ids[i] && was->rows[k].hit.hits <= h->hits)
			old = &was->rows[k].hit;
		v[i].index = i;
		v[i].hit.hits = h->hits - (old ? old->hits : 0);
		v[i].hit.bytes = h->bytes - (old ? old->bytes : 0);
	}
	if (v)
		qsort(v, now->n_rows, sizeof(*v), block_by_hits);
	else
		fail(ENOMEM, "counts of entries");
	return v;
}

static int tell_entries(struct poll_run *run, const struct watched *now, const struct watched *was)
{
	const struct np_guard *g = now->set->set.at[BLOCK_GUARD];
	struct block_row *v = changes(now, was);
	uint64_t ns = now->ns - was->ns;
	int err = v ? 0 : -ENOMEM;
	struct record r;

	for (uint32_t i = 0; i < now->n_rows && i < TOP && !err && v[i].hit.hits; i++) {
		uint32_t index = v[i].index;

		run->rule = &now->set->rules.v[index];
		block_rule_record(&r, now->set, run->rule, &now->rows[index].hit, g, &run->texts);
		rule_of(&r)->pps = rate(v[i].hit.hits, ns);
		rule_of(&r)->bps = rate(8 * v[i].hit.bytes, ns);
		record_mark(&r, FIELD_RULE_PPS);
		record_mark(&r, FIELD_RULE_BPS);
		err = listing_put(&run->pipe, &r);
	}
	free(v);
	return err;
}

/* Another set may have taken its place: it has the counts of the one before. */
static int poll_one(struct poll_run *run, struct watched *w)
{
	struct watched was = *w;
	int err = block_renew(w->set);

	if (err < 0) {
		w->gone = true;
		if (err == -ENOENT)
			note("%s has no firewall any more", w->set->place.ifname);
		return err == -ENOENT ? 0 : err;
	}
	w->rows = NULL;
	w->ids = NULL;
	err = look(w);
	if (!err)
		err = tell_set(run, w, &was);
	if (!err && (!run->o.g->csv || run->o.g->fields))
		err = tell_entries(run, w, &was);
	forget(&was);
	return err;
}

/* ── again and again ──────────────────────────────────────────────────────── */

/* The end of an interval: 0; 1 when a signal ends it all. */
static int wait_until(const sigset_t *ends, uint64_t until_ns)
{
	uint64_t now = block_now(), ns = until_ns > now ? until_ns - now : 0;
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	int sig;

	do
		sig = sigtimedwait(ends, NULL, &t);
	while (sig < 0 && errno == EINTR);
	return sig > 0;
}

static int poll_all(struct poll_run *run)
{
	unsigned int left = 0;
	int err = 0;

	for (unsigned int i = 0; i < run->n && !err; i++) {
		if (!run->v[i].gone)
			err = poll_one(run, &run->v[i]);
		left += !run->v[i].gone;
	}
	if (!err)
		err = pipeline_flush(&run->pipe);
	return err ? err : left ? output_gone(&run->out) : -ENOENT;
}

static int poll_times(struct poll_run *run, uint64_t every_ns, uint64_t count)
{
	uint64_t next = block_now();
	sigset_t ends;
	int err = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	for (uint64_t i = 0; (!count || i < count) && !err; i++) {
		next = next + every_ns > block_now() ? next + every_ns : block_now();
		err = wait_until(&ends, next);
		if (!err)
			err = poll_all(run);
	}
	return err;
}

static int watch_sets(struct poll_run *run, const struct block_sets *sets)
{
	int err = 0;

	run->v = calloc(sets->n, sizeof(*run->v));
	if (!run->v)
		return fail(ENOMEM, "sets of entries");
	for (; run->n < sets->n && !err; run->n++) {
		run->v[run->n].set = sets->v[run->n];
		err = look(&run->v[run->n]);
	}
	return err;
}

static int check_words(const struct block_run *b, uint64_t *ns, uint64_t *count)
{
	if (b->argc > 2)
		return fail(0, "block poll: '%s' is one word too many", b->argv[2]);
	if (b->argc > 0 && (opt_duration(b->argv[0], ns) || !*ns))
		return fail(0, "block poll: '%s' is no INTERVAL (250ms, 1s, 5m)", b->argv[0]);
	if (b->argc > 1 && (opt_number(b->argv[1], 1000, 1, count) || !*count))
		return fail(0, "block poll: '%s' is no COUNT of intervals, from 1", b->argv[1]);
	return 0;
}

int block_poll(struct block_run *b)
{
	static const uint16_t columns[] = {
		FIELD_TIME, FIELD_INTERFACE, FIELD_LINK_HOOK, FIELD_FW_ENTRIES, FIELD_FW_CONFIRMED, FIELD_FW_EXPIRED,
		FIELD_FW_PPS, FIELD_FW_BPS,
	};
	struct poll_run run = { 0 };
	struct block_sets sets = { 0 };
	uint64_t ns = 1000000000, count = 0;
	int err;

	if (check_words(b, &ns, &count))
		return EXIT_USAGE;
	run.o = (struct output_options){ .g = b->g, .records = true,
					 .text = { .line = poll_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = block_sets_open(&sets, b, true);
	if (!err)
		err = watch_sets(&run, &sets);
	if (!err)
		err = listing_open(&run.out, &run.pipe, &firewall_dataset, columns,
				   sizeof(columns) / sizeof(columns[0]));
	run.pipe.where = b->where;
	if (!err)
		err = poll_times(&run, ns, count);
	for (unsigned int i = 0; i < run.n; i++)
		forget(&run.v[i]);
	free(run.v);
	block_sets_close(&sets);
	block_texts_free(&run.texts);
	return listing_close(&run.out, &run.pipe, err);
}
