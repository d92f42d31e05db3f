// SPDX-License-Identifier: GPL-2.0-or-later
/* policy counters: packets of this node's pods, by pod, policy and direction. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/policy_counting.h"
#include "cmd/session.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/time.h"

#define MS UINT64_C(1000000)
#define LOOK_MS 1000

struct run {
	struct policy *p;
	struct counting *c;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct whom whom;
	int signals;
	bool people;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ── telling ──────────────────────────────────────────────────────────────── */

static int put(void *ctx, const struct record *r)
{
	struct run *run = ctx;
	const struct policy_count_body *b = policy_count_of(r);
	char ns[256], name[256], uid[64];
	const struct whom_row row = { .ns = ns, .name = name, .uid = uid, .iface = "", .sandbox = "" };

	snprintf(ns, sizeof(ns), "%.*s", (int)b->ns.n, b->ns.p ? b->ns.p : "");
	snprintf(name, sizeof(name), "%.*s", (int)b->pod.n, b->pod.p ? b->pod.p : "");
	snprintf(uid, sizeof(uid), "%.*s", (int)b->uid.n, b->uid.p ? b->uid.p : "");
	if (run->whom.n && !whom_fits(&run->whom, &row))
		return 0;
	/* What is in no row has no pod: said in the end. */
	if (!b->pod.n && !b->ns.n && (run->people || run->p->g->fields))
		return 0;
	if (run->pipe.where && !where_match(run->pipe.where, r))
		return 0;
	return sink_record(run->pipe.sinks[0], r);
}

static int tell(struct run *run)
{
	struct sink *sink = run->pipe.sinks[0];
	int rc = counting_rows(run->c, time_now(), put, run);

	if (!rc && sink->ops->rows_end)
		rc = sink->ops->rows_end(sink);
	if (!rc)
		rc = out_flush(run->out.outs[0]);
	if (!rc)
		counting_told(run->c);
	return rc;
}

/* Until `then` (0: for ever).  0: it is time; 1: the end is asked for, or who reads has gone; or a negative errno. */
static int attend(struct run *run, uint64_t then)
{
	uint64_t now = clock_ns();
	int rc = 0;

	while (!rc && (!then || now < then)) {
		int wait = counting_wait_ms(run->c);
		uint64_t rest = (uint64_t)(wait < 0 ? LOOK_MS : wait) * MS;
		uint64_t ns = !then || then - now > rest ? rest : then - now;
		struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
		int fds[COUNTING_FDS];
		struct pollfd p[1 + COUNTING_FDS] = { { .fd = run->signals, .events = POLLIN } };

		counting_fds(run->c, fds);
		for (int i = 0; i < COUNTING_FDS; i++)
			p[1 + i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		if (ppoll(p, 1 + COUNTING_FDS, &left, NULL) < 0 && errno != EINTR)
			return fail(errno, "poll");
		rc = p[0].revents ? 1 : output_gone(&run->out);
		for (int i = 0; i < COUNTING_FDS && !rc; i++)
			if (p[1 + i].revents)
				rc = counting_ready(run->c);
		if (!rc)
			rc = counting_tick(run->c, time_now());
		now = clock_ns();
	}
	return rc;
}

static int tell_all(struct run *run)
{
	uint64_t every_ns = run->pipe.rows_every_ns, next = clock_ns();
	int rc = 0;

	for (uint64_t i = 0; every_ns && (!run->pipe.rows_times || i < run->pipe.rows_times) && !rc; i++) {
		next += every_ns;
		rc = attend(run, next);
		if (!rc)
			rc = tell(run);
		if (next < clock_ns())
			next = clock_ns();
	}
	if (!every_ns)
		rc = attend(run, 0);
	/* What was counted until the end. */
	if (rc == 1 && !output_gone(&run->out)) {
		rc = counting_settle(run->c);
		if (!rc)
			rc = tell(run);
	}
	if (rc >= 0)
		counting_say_end(run->c);
	return rc < 0 ? rc : 0;
}

/* ── beginning ────────────────────────────────────────────────────────────── */

static int open_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? fail(errno, "signals") : fd;
}

static int count(struct run *run)
{
	int rc = session_netns(run->p->g, NULL);

	run->p->follows = true;
	if (!rc)
		rc = policy_open_files(run->p);
	if (!rc)
		rc = exit_status(counting_open(&run->c, run->p));
	/* Titles stand above rows, not above what failed. */
	if (!rc)
		rc = exit_status(output_open(&run->out, &run->pipe, false, -1));
	if (!rc)
		rc = exit_status(batch_confine());
	if (rc)
		return rc;
	/* Until here a signal ends us: what is read may be somebody's terminal. */
	rc = policy_read(run->p);
	if (!rc)
		run->signals = open_signals();
	if (!rc)
		rc = run->signals < 0 ? -EIO : counting_begin(run->c, run->signals);
	if (!rc) {
		counting_say_begin(run->c);
		counting_note_nobody(run->c, &run->whom);
		rc = tell_all(run);
	}
	return rc < 0 ? exit_status(rc) : 0;
}

static void choose(struct run *run)
{
	static const uint16_t columns[] = {
		FIELD_TIME, FIELD_PC_NS, FIELD_PC_POD, FIELD_DIRECTION, FIELD_RULE_NAME, FIELD_PC_BASIS,
		FIELD_PC_ALLOWED, FIELD_PC_DROPPED, FIELD_PC_MATCHES, FIELD_PC_MISSES, FIELD_PC_BYTES_ALLOWED,
		FIELD_PC_BYTES_DROPPED, FIELD_PC_UNCOUNTED,
	};
	unsigned int first = run->people && !run->pipe.rows_every_ns, n = sizeof(columns) / sizeof(columns[0]);

	/* What is in no row is said in the end. */
	output_columns(&run->out, &policy_count_dataset, columns + first, n - first - run->people);
}

int policy_counters(struct policy *p, int argc, char **argv)
{
	const struct globals *g = p->g;
	struct run run = { .p = p, .signals = -1 };
	struct where *where = NULL;
	int times = session_times(&run.pipe, false, argc, argv), rc, closed;

	if (times < 0)
		return EXIT_USAGE;
	if (times < argc) {
		wrong_word(g, argv[times], "no INTERVAL [COUNT] (10, 250ms, 1m)");
		return EXIT_USAGE;
	}
	if (!p->n_files && !p->o->kubectl) {
		fail(0, "policy counters needs policies to count by: --policies or --kubectl");
		return EXIT_USAGE;
	}
	run.people = !g->json && !g->pretty && !g->csv && !g->fields && !p->o->prom;
	run.o = (struct output_options){ .g = g, .records = true, .prom = p->o->prom,
					 .text = { .people = run.people, .series = run.pipe.rows_every_ns } };
	if (output_check(&run.out, &run.o) ||
	    whom_take(&run.whom, (int)p->o->pods.n, (char **)(uintptr_t)p->o->pods.v) ||
	    (p->o->where && where_compile(&where, p->o->where)))
		return EXIT_USAGE;
	run.pipe.where = where;
	if (!g->json && !g->pretty && !p->o->prom)
		choose(&run);
	rc = count(&run);
	if (!rc && !counting_is_current(run.c))
		rc = EXIT_FAILED;
	counting_close(run.c);
	if (!rc && run.whom.n)
		rc = whom_found(&run.whom, "no pod that was counted");
	where_free(where);
	closed = rc ? output_close(&run.out) : listing_close(&run.out, &run.pipe, 0);
	return rc ? rc : closed;
}
