// SPDX-License-Identifier: GPL-2.0-or-later
/* watch -r: a capture file from beginning to end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/watch.h"
#include "priv/priv.h"
#include "priv/rotate.h"
#include "util/err.h"

enum {
	BUDGET = 4096,
	TERMINAL_MS = 1000, /* between looks whether the terminal is there while nothing is to be read */
};

/* Further files of a rotation are opened by a helper that still may. */
static int start_helper(struct watch *w, int signals)
{
	int fds[PIPELINE_SINKS_MAX + 1] = { signals };
	struct helper_options ho = { .rotate = w->rotate, .close_fds = fds, .n_close_fds = 1 };
	int err;

	if (!w->o->rotate_octets && !w->o->rotate_ns)
		return 0;
	for (unsigned int i = 0; i < w->n_outs; i++)
		fds[ho.n_close_fds++] = w->outs[i]->fd;
	err = helper_start(&w->helper, &ho);
	rotate_close(w->rotate);
	w->rotate = NULL;
	return err;
}

/*
 * ^C and SIGTERM end the reading like the end of the file does, SIGUSR1 tells the counts.  SIGHUP does
 * nothing: a terminal that is gone ends what writes to it.
 */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What waiting for the input and for a reader of the output have in common. */
struct reading {
	struct watch *w;
	int signals;
	bool ends;
};

/* True when it is to end. */
static bool take_signals(void *ctx)
{
	struct signalfd_siginfo si;
	struct reading *r = ctx;

	while (read(r->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		r->ends |= si.ssi_signo == SIGINT || si.ssi_signo == SIGTERM;
		if (si.ssi_signo == SIGUSR1)
			watch_ledger(r->w);
	}
	if (r->ends)
		watch_hurry(r->w);
	return r->ends;
}

/* A pipe that has nothing for now: show what there is, then sleep. */
static int wait_for_input(const struct reading *r)
{
	struct watch *w = r->w;
	struct pollfd p[2] = { { .fd = w->source->fd, .events = POLLIN },
			       { .fd = r->signals, .events = POLLIN } };
	int err = pipeline_flush(&w->pipe);

	if (err)
		return err < 0 ? err : 0;
	while (!err && !poll(p, 2, TERMINAL_MS))
		err = watch_terminal_gone(w);
	return err;
}

static int read_all(struct reading *r)
{
	struct source *s = r->w->source;
	int n;

	while (!r->ends) {
		n = s->ops->read(s, BUDGET, pipeline_frame, &r->w->pipe);
		if (n == SOURCE_STOPPED)
			return s->stop < 0 ? s->stop : 0;
		if (n == -ENODATA)
			return 0;
		if (n < 0)
			return n;
		if (!n && s->fd >= 0 && !s->ops->arm(s)) {
			n = wait_for_input(r);
			if (n)
				return n;
		}
		take_signals(r);
	}
	return 0;
}

/*
 * What the file tells of its interfaces: for whose link types does the filter mean something?  What it means
 * nothing for is said.  Are there several, that have names?
 */
static int learn_interfaces(struct watch *w)
{
	unsigned int known = 0, unknown = 0, i;
	const struct iface *one;
	bool all, named = false;

	for (i = 0; (one = capfile_iface_at(w->source, i, &all)); i++) {
		++*(pipeline_can_filter(&w->pipe, one->link) ? &known : &unknown);
		named |= one->name[0] != '\0';
	}
	w->many_interfaces = i > 1 && named;
	return unknown && !known ? -EINVAL : 0;
}

/*
 * What must be known of the file before there is any output: its interfaces; and where the time is in the names
 * of what is written, that of the first frame which goes there.
 */
static int look_ahead(struct reading *r)
{
	struct watch *w = r->w;
	bool by_time = w->o->write && w->o->rotate_ns, all = false;
	struct frame f;
	int rc = 0;

	while (!rc && (by_time || !all) && !r->ends) {
		rc = capfile_peek(w->source, &f);
		capfile_iface_at(w->source, 0, &all);
		if (rc == 1 && by_time && pipeline_refuses(&w->pipe, &f)) {
			capfile_skip(w->source);
			rc = 0;
		} else if (rc == 1) {
			w->first_ns = f.time_ns;
		}
		if (rc == -EAGAIN && (by_time || !all))
			rc = wait_for_input(r);
		take_signals(r);
	}
	return learn_interfaces(w);	/* what failed, read() comes to as well */
}

int watch_file(struct watch *w)
{
	struct reading r = { .w = w };
	int err, close_err;
	uint64_t lost;

	w->pipe.filter_text = w->filter_text;
	err = capfile_open(&w->source, w->o->read);
	r.signals = open_signals();
	if (!err)
		err = look_ahead(&r);
	if (!err)
		err = watch_open_outputs(w, r.signals);
	watch_wake(w, take_signals, &r);
	if (!err)
		err = start_helper(w, r.signals);
	if (!err)
		err = watch_drop_privileges(w);
	if (!err) {
		err = read_all(&r);
		close_err = pipeline_finish(&w->pipe, w->pipe.last_ns);
		if (!err && close_err < 0)
			err = close_err;
	}
	close_err = watch_finish_outputs(w);
	lost = watch_lost(w);
	if (w->n_outs && (w->o->write || w->g->verbose))
		watch_trailer(w, false);
	watch_tell_left_out(w);
	if (!close_err)
		close_err = watch_close_outputs(w);
	if (!err)
		err = close_err;
	if (w->source)
		w->source->ops->close(w->source);
	helper_stop(w->helper);
	if (!err && w->g->fail_on_loss && lost)
		return EXIT_LOST;
	return exit_status(err);
}
