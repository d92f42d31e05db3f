// SPDX-License-Identifier: GPL-2.0-or-later
/* watch, live: read until told to stop. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/watch_live.h"
#include "priv/priv.h"
#include "util/err.h"

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

	if (l->blind_said || now - l->started_ns < (uint64_t)BLIND_SECONDS * 1000000000u)
		return;
	l->blind_said = true;
	l->w->source->ops->counts(l->w->source, &c);
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
	const struct watch *w = l->w;
	const struct iface *only = NULL;

	if (w->many_interfaces || w->o->drops)
		return NULL;
	for (unsigned int i = 0; i < l->n_ifaces; i++) {
		if (strcmp(l->ifaces[i]->name, w->o->iface.v[0]))
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

	for (unsigned int i = 0; i < l->w->pipe.n_sinks; i++)
		if (l->w->pipe.sinks[i]->ops == &sink_pcapng)
			pcapng_loss(l->w->pipe.sinks[i], only_interface(l), &loss);
}

/* At most once a second: losses of the kernel side go into the stream, a record for each stage. */
static int tell_losses(struct live *l, uint64_t now, bool is_final)
{
	struct source_counts c;
	int err = 0;

	l->w->source->ops->counts(l->w->source, &c);
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
			err = pipeline_lost(&l->w->pipe, rows[i].stage, rows[i].reason, rows[i].count,
					    l->last_ns, now);
	l->told = c;
	l->last_ns = now;
	return err;
}

static int on_tick(struct live *l)
{
	uint64_t n, now = watch_now_ns();
	int err;

	while (read(l->timer, &n, sizeof(n)) > 0)
		;
	l->w->source->ops->tick(l->w->source);
	check_blind(l, now);
	err = tell_losses(l, now, false);
	if (!err)
		err = watch_terminal_gone(l->w);
	return err ? err : pipeline_tick(&l->w->pipe, now);
}

/* Blocked, a signal comes even where it is ignored, as after nohup(1). */
static bool ignored(int sig)
{
	struct sigaction sa;

	return !sigaction(sig, NULL, &sa) && sa.sa_handler == SIG_IGN;
}

/* Log rotation, or the terminal is gone. */
static void on_hangup(struct live *l)
{
	struct out *o = l->w->outs[0];

	if (ignored(SIGHUP))
		return;
	if (o->next)
		l->reopen = true;
	else
		l->stopping = true;
}

/* Also called in the middle of a record, when its reader takes nothing: true when we are to end. */
static bool on_signal(void *ctx)
{
	struct signalfd_siginfo si;
	struct live *l = ctx;

	while (read(l->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGUSR1)
			watch_ledger(l->w);
		else if (si.ssi_signo == SIGHUP)
			on_hangup(l);
		else
			l->stopping = true;
	}
	if (l->stopping)
		watch_hurry(l->w);
	return l->stopping;
}

/* Wait at most `ms` (-1: for ever), then handle everything but the ring.  0 or what a sink said. */
static int wait_events(struct live *l, int ms)
{
	struct epoll_event evs[8];
	int n = epoll_wait(l->epoll, evs, 8, l->reopen ? 0 : ms), err = 0;

	for (int i = 0; i < n && !err; i++) {
		if (evs[i].data.fd == l->signals)
			on_signal(l);
		else if (evs[i].data.fd == l->timer)
			err = on_tick(l);
		else if (l->w->helper && evs[i].data.fd == helper_fd(l->w->helper))
			live_read_helper(l);
	}
	if (l->reopen && !err) {
		l->reopen = false;
		err = out_reopen(l->w->outs[0]);
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
	struct source *s = l->w->source;
	unsigned int empty = LINGER_TIMES;
	int n, err, wait;

	while (!l->stopping) {
		n = s->ops->read(s, BUDGET, pipeline_frame, &l->w->pipe);
		if (n == SOURCE_STOPPED)
			return s->stop;
		if (n < 0)
			return n;
		wait = 0;
		if (!n) {
			err = pipeline_flush(&l->w->pipe);
			if (err)
				return err;
			wait = empty++ < LINGER_TIMES ? LINGER_MS : s->ops->arm(s) ? 0 : -1;
		} else {
			empty = 0;
		}
		err = wait_events(l, wait);
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
	struct source *s = l->w->source;
	struct pollfd ready = { .fd = s->fd, .events = POLLIN };
	struct source_counts then;
	int n;

	l->stopping = true;
	pipeline_flush(&l->w->pipe);	/* detaching takes a while: show what there is */
	n = l->w->helper ? helper_detach(l->w->helper) : 0;
	if (n < 0 && !l->err)
		l->err = n;
	s->ops->counts(s, &then);
	for (int empty = 0; !err && empty < DRAIN_TIMES;) {
		n = s->ops->read(s, BUDGET, pipeline_frame, &l->w->pipe);
		err = n == SOURCE_STOPPED ? s->stop : n < 0 ? n : 0;
		if (err || all_read(s, &then))
			break;
		if (!n && ++empty)
			poll(&ready, 1, DRAIN_MS);
	}
	if (err < 0)
		return err;
	n = tell_losses(l, watch_now_ns(), true);
	if (n >= 0)
		n = pipeline_finish(&l->w->pipe, watch_now_ns());
	return n < 0 ? n : 0;
}

int watch_live(struct watch *w)
{
	struct live l = { .w = w, .epoll = -1, .signals = -1, .timer = -1 };
	int err = live_start(&l), close_err;
	uint64_t lost;

	if (!err)
		err = watch_drop_privileges(w);
	watch_wake(w, on_signal, &l);
	if (!err) {
		l.started_ns = l.last_ns = watch_now_ns();
		err = loop(&l);
		err = drain(&l, err);
		if (!err)
			err = l.err;
	}
	close_err = watch_finish_outputs(w);
	lost = watch_lost(w);
	if (w->source && (l.attached || w->pipe.frames || w->o->wait))
		watch_trailer(w, true);
	if (w->source)
		w->source->ops->close(w->source);
	if (!close_err)
		close_err = watch_close_outputs(w);
	if (!err)
		err = close_err;
	helper_stop(w->helper);
	capture_close(l.capture);
	drop_names_close(l.drops);
	filter_free(l.filter);
	for (unsigned int i = 0; i < l.n_ifaces; i++)
		free(l.ifaces[i]);
	free(l.ifaces);
	if (!err && w->g->fail_on_loss && lost)
		return EXIT_LOST;
	return exit_status(err);
}
