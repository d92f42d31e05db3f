// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces: read until told to stop. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/session_live.h"
#include "util/err.h"
#include "util/time.h"

enum {
	BUDGET = 8192,
	LINGER_MS = 4, /* between looks at a ring that was busy a moment ago */
	LINGER_TIMES = 2, /* empty looks before asking to be woken */
	DRAIN_MS = 10, /* for which a packet socket holds a block back */
	DRAIN_TIMES = 5, /* so often without anything new, and what is left is told as waiting */
	BLIND_SECONDS = 2, /* no packet for so long at the start: say so */
};

/* No packet since the start: is the sensor blind?  Said once, with what the kernel counted. */
static void check_blind(struct live *l, uint64_t now)
{
	struct source_counts c;

	if (l->blind_said || !l->s->o->capture.packets || now - l->started_ns < (uint64_t)BLIND_SECONDS * 1000000000u)
		return;
	l->blind_said = true;
	l->s->source->ops->counts(l->s->source, &c);
	if (!c.seen)
		note("no traffic yet: %u interface%s, 0 packets in %d s", l->attached,
		     l->attached == 1 ? "" : "s", BLIND_SECONDS);
}

/*
 * The interface that lost what was lost.  The counts are those of all interfaces; NULL: there are several, or
 * one that came again as another, or dropped packets, which may be of any.
 */
static const struct iface *only_interface(const struct live *l)
{
	const struct session *s = l->s;
	const struct iface *only = NULL;

	if (s->many_interfaces || s->o->capture.drops)
		return NULL;
	for (unsigned int i = 0; i < l->n_ifaces; i++) {
		if (strcmp(l->ifaces[i]->name, s->o->iface.v[0]))
			continue;
		if (only)
			return NULL;
		only = l->ifaces[i];
	}
	return only;
}

/* Totals for the interface statistics of pcapng. */
static void tell_pcapng(struct live *l, const struct source_counts *c)
{
	uint64_t ring = c->lost_ring + c->lost_map;
	struct sink_loss loss = {
		.received = c->seen,
		.dropped_ring = ring,
		.dropped_if = c->lost_other,
		.filter_accept = c->emitted + ring + c->lost_other,
	};

	for (unsigned int i = 0; i < l->s->pipe.n_sinks; i++)
		if (l->s->pipe.sinks[i]->ops == &sink_pcapng)
			pcapng_loss(l->s->pipe.sinks[i], only_interface(l), &loss);
}

/* At most once a second: losses of the kernel side go into the stream, a record for each stage. */
static int tell_losses(struct live *l, uint64_t now, bool is_final)
{
	struct source_counts c;
	int err = 0;

	l->s->source->ops->counts(l->s->source, &c);
	const struct {
		enum lost_stage stage;
		const char *reason;
		uint64_t count;
	} rows[] = {
		{ LOST_RING, "ring_full", c.lost_ring - l->told.lost_ring },
		{ LOST_MAP, "map_full", c.lost_map - l->told.lost_map },
		{ LOST_SOCKET, "queue_full", c.lost_other - l->told.lost_other },
	};

	if (is_final || rows[0].count + rows[1].count + rows[2].count)
		tell_pcapng(l, &c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++)
		if (rows[i].count)
			err = pipeline_lost(&l->s->pipe, rows[i].stage, rows[i].reason, rows[i].count,
					    l->last_ns, now);
	l->told = c;
	l->last_ns = now;
	return err;
}

static int on_tick(struct live *l)
{
	uint64_t n, now = time_now();
	int err;

	while (read(l->timer, &n, sizeof(n)) > 0)
		;
	l->s->source->ops->tick(l->s->source);
	check_blind(l, now);
	err = counted_tick(l);
	if (!err)
		err = tell_losses(l, now, false);
	if (!err)
		err = output_gone(&l->s->out);
	if (!err)
		err = screen_tick(l);
	return err ? err : pipeline_tick(&l->s->pipe, now);
}

/* Rows come when it is time for them, not with the next second; once for each time that the pipeline names. */
static void set_rows_timer(struct live *l)
{
	uint64_t at = l->s->pipe.rows_every_ns ? l->s->pipe.rows_next_ns : 0;
	struct itimerspec when = { .it_value = { (time_t)(at / 1000000000), (long)(at % 1000000000) } };

	if (at == l->rows_timer_ns || timerfd_settime(l->rows_timer, TFD_TIMER_ABSTIME, &when, NULL))
		return;
	l->rows_timer_ns = at;
}

static int on_rows_timer(struct live *l)
{
	uint64_t n;

	while (read(l->rows_timer, &n, sizeof(n)) > 0)
		;
	return pipeline_rows(&l->s->pipe, time_now());
}

static bool is_stages(const struct live *l, int fd)
{
	const struct frame_stage *stage = l->s->pipe.stage;

	for (unsigned int i = 0; stage && i < STAGE_FDS; i++)
		if (stage->fds[i] == fd)
			return true;
	return false;
}

/* What waits for its time need not wait for a frame. */
static int stage_wait(const struct live *l, int ms)
{
	const struct frame_stage *stage = l->s->pipe.stage;
	int wants = stage ? stage->wait_ms(stage->ctx) : -1;

	return wants >= 0 && (ms < 0 || wants < ms) ? wants : ms;
}

/* Wait at most `ms` (-1: for ever), then handle everything but the ring.  0 or what a sink said. */
static int wait_events(struct live *l, int ms)
{
	struct epoll_event evs[8];
	bool waits = !l->s->reopen && !screen_has_events(l->s);
	int n, err = 0;

	set_rows_timer(l);
	n = epoll_wait(l->epoll, evs, 8, waits ? ms : 0);
	for (int i = 0; i < n && !err; i++) {
		if (evs[i].data.fd == l->s->signals)
			session_take_signals(l->s);
		else if (evs[i].data.fd == l->timer)
			err = on_tick(l);
		else if (evs[i].data.fd == l->rows_timer)
			err = on_rows_timer(l);
		else if (is_stages(l, evs[i].data.fd))
			err = l->s->pipe.stage->ready(l->s->pipe.stage->ctx);
		else if (l->s->helper && evs[i].data.fd == helper_fd(l->s->helper))
			live_read_helper(l);
		else if (evs[i].data.fd == STDIN_FILENO)
			err = screen_keys(l, evs[i].events);
	}
	if (!err && screen_has_events(l->s))
		err = screen_events(l);
	if (l->s->reopen && !err) {
		l->s->reopen = false;
		err = out_reopen(l->s->out.outs[0]);
	}
	return err;
}

/*
 * Busy: read and glance at the other descriptors.  Idle: flush, look again a few
 * times after a short sleep, for a wake-up is what costs the packet path most;
 * then ask the kernel for a wake-up and sleep.
 */
static int loop(struct live *l)
{
	struct source *s = l->s->source;
	unsigned int empty = LINGER_TIMES;
	int n, err, wait;

	while (!l->s->stopping) {
		n = s->ops->read(s, BUDGET, pipeline_frame, &l->s->pipe);
		if (n == SOURCE_STOPPED)
			return s->stop;
		if (n < 0)
			return n;
		wait = 0;
		if (!n) {
			err = pipeline_flush(&l->s->pipe);
			if (err)
				return err;
			wait = empty++ < LINGER_TIMES ? LINGER_MS : s->ops->arm(s) ? 0 : -1;
		} else {
			empty = 0;
		}
		err = wait_events(l, stage_wait(l, wait));
		if (!err && !n && l->s->pipe.stage)
			err = l->s->pipe.stage->tick(l->s->pipe.stage->ctx, time_now());
		if (!err)
			err = priv_refused();
		if (err)
			return err;
	}
	return 0;
}

/* Of the frames that were counted then, none waits any more. */
static bool all_read(struct source *s, const struct source_counts *then)
{
	struct source_counts c;

	s->ops->counts(s, &c);
	return c.read + c.filtered >= then->emitted + then->filtered;
}

/*
 * Detach, then read what the kernel holds: afterwards the ledger is final.  A packet socket goes on
 * receiving, so what it held at that moment is read; its last block is handed over a few ms later.
 */
static int drain(struct live *l, int err)
{
	struct source *s = l->s->source;
	struct pollfd ready = { .fd = s->fd, .events = POLLIN };
	struct source_counts then;
	int n;

	l->s->stopping = true;
	pipeline_flush(&l->s->pipe);	/* detaching takes a while: show what there is */
	n = l->s->helper ? helper_detach(l->s->helper) : 0;
	if (n < 0 && !l->err)
		l->err = n;
	s->ops->counts(s, &then);
	for (int empty = 0; !err && empty < DRAIN_TIMES;) {
		n = s->ops->read(s, BUDGET, pipeline_frame, &l->s->pipe);
		err = n == SOURCE_STOPPED ? s->stop : n < 0 ? n : 0;
		if (err || all_read(s, &then))
			break;
		if (!n && ++empty)
			poll(&ready, 1, DRAIN_MS);
	}
	if (err < 0)
		return err;
	n = tell_losses(l, time_now(), true);
	if (n >= 0)
		n = pipeline_finish(&l->s->pipe, time_now());
	return n < 0 ? n : 0;
}

bool live_began(const struct session *s)
{
	return s->source && (s->live->attached || s->pipe.frames || s->o->wait);
}

int live_run(struct session *s)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return fail(ENOMEM, "interfaces");
	l->s = s;
	l->epoll = l->timer = l->rows_timer = -1;
	s->live = l;
	err = live_start(l);
	s->opened = s->source != NULL;
	if (!err)
		err = session_confine(s);
	if (err)
		return err;
	l->started_ns = l->last_ns = time_now();
	err = pipeline_begin(&s->pipe, l->started_ns);
	if (!err)
		err = screen_begin(l);
	s->stopping |= counted_at_once(l);
	if (!err && s->o->until && !s->stopping)
		note("%s", s->o->until);
	err = drain(l, err ? err : loop(l));
	return err ? err : l->err;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	capture_close(l->capture);
	counted_stop(l);
	blocks_close(l->blocks);
	drop_names_close(l->drops);
	filter_free(l->filter);
	for (unsigned int i = 0; i < l->n_ifaces; i++)
		free(l->ifaces[i]);
	free(l->ifaces);
	free(l);
}
