// SPDX-License-Identifier: GPL-2.0-or-later
/* stats --waterfall: what each layer counted, once or in every interval. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cmd/listing.h"
#include "cmd/stats.h"
#include "stats/fields.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LOOK_NS = 1000000000 };

struct run {
	const struct waterfall_options *w;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct waterfall_text text;
	bool zeros, people, nothing_said;
	uint64_t ns;			/* of the interval; 0: since the counters began */
	unsigned int worst, worst_end;	/* of CPUs or sockets: which, and behind the last */
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How much of it is to be told. */
static uint64_t told(const struct run *run, const struct layer_counter *c)
{
	return run->ns || !c->known->level ? layer_growth(c) : c->value;
}

/* Of CPUs and sockets the one with most, of equal ones the first; those of a counter are neighbours. */
static bool is_worst(struct run *run, const struct layers *l, unsigned int at)
{
	if (at >= run->worst_end) {
		run->worst = at;
		run->worst_end = at + 1;
		while (run->worst_end < l->n && l->v[run->worst_end].known == l->v[at].known) {
			if (told(run, &l->v[run->worst_end]) > told(run, &l->v[run->worst]) &&
			    l->v[run->worst_end].one_of)
				run->worst = run->worst_end;
			run->worst_end++;
		}
	}
	return at == run->worst;
}

static bool is_shown(struct run *run, const struct layers *l, unsigned int at)
{
	const struct layer_counter *c = &l->v[at];

	if (c->one_of)
		return is_worst(run, l, at) && told(run, c) && !run->w->prom;
	return run->zeros || told(run, c) || (!c->has_value && !run->ns);
}

static void put_text(struct record *r, unsigned int field, struct str *to, const char *text)
{
	*to = (struct str){ text, (uint32_t)strlen(text) };
	if (to->n)
		record_mark(r, field);
}

static void put_value(const struct run *run, const struct layer_counter *c, struct record *r)
{
	struct layer_body *b = layer_of(r);

	b->value = b->level = c->value;
	b->change = layer_growth(c);
	b->lost = c->known->lost;
	if (c->known->level)
		record_mark(r, FIELD_LAYER_LEVEL);
	else if (c->has_value)
		record_mark(r, FIELD_LAYER_VALUE);
	if (!c->known->level)
		record_mark(r, FIELD_LAYER_LOST);
	if (!run->ns || run->w->prom || c->known->level || !c->has_value)
		return;
	b->rate = (double)b->change * 1e9 / (double)run->ns;
	record_mark(r, FIELD_LAYER_CHANGE);
	record_mark(r, FIELD_LAYER_RATE);
}

static int put_one(struct run *run, const struct layers *l, const struct layer_counter *c)
{
	struct record r;
	struct layer_body *b;
	char meaning[320];

	record_start(&r, &layer_dataset);
	b = layer_of(&r);
	memset(b, 0, sizeof(*b));
	b->layer = c->known->layer;
	record_mark(&r, FIELD_LAYER_NAME);
	put_text(&r, FIELD_LAYER_COUNTER, &b->counter, c->name);
	put_text(&r, FIELD_LAYER_DETAIL, &b->detail, c->detail);
	if (c->ifindex) {
		put_text(&r, FIELD_INTERFACE, &r.interface, c->interface);
		r.ifindex = c->ifindex;
		record_mark(&r, FIELD_IFINDEX);
	}
	if (c->known->way != WAY_BOTH) {
		r.direction = c->known->way == WAY_IN ? "ingress" : "egress";
		record_mark(&r, FIELD_DIRECTION);
	}
	if (!strcmp(c->known->name, "runs")) {
		b->program = c->number;
		record_mark(&r, FIELD_LAYER_PROGRAM);
	}
	put_value(run, c, &r);
	if (!run->w->prom && told(run, c) && waterfall_meaning(l, c, meaning, sizeof(meaning)))
		put_text(&r, FIELD_LAYER_MEANING, &b->meaning, meaning);
	return listing_put(&run->pipe, &r);
}

/* The largest there is; one that sums up others only where none of those says more. */
static const struct layer_counter *largest_loss(const struct run *run, const struct layers *l)
{
	const struct layer_counter *most[2] = { NULL, NULL };

	for (unsigned int i = 0; i < l->n; i++) {
		const struct layer_counter *c = &l->v[i], **m = &most[c->known->sum];

		if (c->known->lost && c->known->meaning && !c->one_of && told(run, c) &&
		    (!*m || told(run, c) > told(run, *m)))
			*m = c;
	}
	return most[0] ? most[0] : most[1];
}

static void tell_loss(const struct run *run, const struct layers *l)
{
	const struct layer_counter *c = largest_loss(run, l);
	char meaning[320];
	uint64_t n;

	if (!c || !waterfall_meaning(l, c, meaning, sizeof(meaning)))
		return;
	n = told(run, c);
	note("the largest loss, %s%s%s of %s: %llu packet%s: %s", c->detail, *c->detail ? " " : "", c->name,
	     c->ifindex ? c->interface : "this host", (unsigned long long)n, n == 1 ? "" : "s", meaning);
}

/* All that is to be told of one moment.  0, or to stop: 1 the reader has gone, or a negative errno. */
static int tell(struct run *run, const struct layers *l)
{
	struct sink *sink = run->pipe.sinks[0];
	int rc = 0;

	run->text.titles = !run->o.g->no_header;
	run->text.layer = NULL;
	run->worst_end = 0;
	for (unsigned int i = 0; i < l->n && !rc; i++)
		if (is_shown(run, l, i))
			rc = put_one(run, l, &l->v[i]);
	if (!rc && sink->ops->rows_end)
		rc = sink->ops->rows_end(sink);
	if (!rc)
		rc = out_flush(run->out.outs[0]);
	if (!rc && run->people && !run->text.layer && !run->nothing_said)
		note("nothing was counted");
	run->nothing_said |= !run->text.layer;
	if (!rc && run->people)
		tell_loss(run, l);
	return rc;
}

/* Until then, and each second whether anybody reads still.  0, or to stop: 1 the end is asked for, or -errno, said. */
static int wait_until(struct run *run, int signals, uint64_t then)
{
	struct pollfd p = { .fd = signals, .events = POLLIN };
	int rc = output_gone(&run->out);

	for (uint64_t now = clock_ns(); !rc && now < then; now = clock_ns()) {
		uint64_t ns = then - now < LOOK_NS ? then - now : LOOK_NS;
		struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

		rc = ppoll(&p, 1, &left, NULL) > 0 ? 1 : output_gone(&run->out);
	}
	return rc;
}

static int tell_intervals(struct run *run, struct layers *before, int signals)
{
	const struct waterfall_options *w = run->w;
	uint64_t began = clock_ns(), next = began;
	int rc = 0;

	for (uint64_t i = 0; (!w->times || i < w->times) && !rc; i++) {
		struct waterfall_gaps unsaid = { 0 };
		struct layers now = { 0 };

		next += w->every_ns;
		rc = wait_until(run, signals, next);
		if (rc)
			break;
		rc = waterfall_read(&now, w->iface, false, &unsaid);
		layers_compare(&now, before);
		run->ns = clock_ns() - began;
		began += run->ns;
		if (next < began)
			next = began;
		if (!rc)
			rc = tell(run, &now);
		layers_free(before);
		*before = now;
	}
	return rc;
}

/* Once: in the readings that follow it is the same. */
static void tell_gaps(const struct waterfall_gaps *g)
{
	if (g->no_programs)
		note("no programs of XDP and tc, which only root of the host may list (CAP_SYS_ADMIN)%s",
		     *g->unread || g->left_out ? "" : "; the rest is whole");
	if (*g->unread)
		note("what the kernel counts there is missing: %s", g->unread);
	if (g->left_out)
		note("%u counter%s or place%s left out: too many", g->left_out, g->left_out == 1 ? "" : "s",
		     g->left_out == 1 ? " was" : "s were");
}

static int tell_all(struct run *run)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct layers l = { 0 };
	struct waterfall_gaps gaps = { 0 };
	owned_fd int signals = -1;
	sigset_t set;
	int err;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	if (run->w->every_ns) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		signals = signalfd(-1, &set, SFD_CLOEXEC);
		if (signals < 0)
			return fail(errno, "signals");
	}
	err = waterfall_read(&l, run->w->iface, true, &gaps);
	if (!err)
		tell_gaps(&gaps);
	if (!err)
		err = run->w->every_ns ? tell_intervals(run, &l, signals) : tell(run, &l);
	layers_free(&l);
	return err;
}

int stats_waterfall(const struct globals *g, const struct waterfall_options *w)
{
	static const uint16_t columns[] = {
		FIELD_TIME, FIELD_LAYER_NAME, FIELD_INTERFACE, FIELD_DIRECTION, FIELD_LAYER_COUNTER,
		FIELD_LAYER_DETAIL, FIELD_LAYER_PROGRAM, FIELD_LAYER_VALUE, FIELD_LAYER_LEVEL, FIELD_LAYER_CHANGE,
		FIELD_LAYER_RATE, FIELD_LAYER_LOST, FIELD_LAYER_MEANING,
	};
	struct run run = { .w = w, .zeros = g->verbose || w->prom,
			   .people = !g->json && !g->pretty && !g->csv && !g->fields && !w->prom };
	int err;

	run.text.width = output_width();
	run.text.intervals = w->every_ns;
	run.o = (struct output_options){ .g = g, .records = true, .prom = w->prom,
					 .text = { .line = waterfall_line, .line_state = &run.text,
						   .series = w->every_ns } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = listing_open(&run.out, &run.pipe, &layer_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = tell_all(&run);
	return listing_close(&run.out, &run.pipe, err);
}
