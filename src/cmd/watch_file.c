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

enum { BUDGET = 4096 };

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

/* A pipe that has nothing for now: show what there is, then sleep. */
static int wait_for_input(struct watch *w, int signals)
{
	struct pollfd p[2] = { { .fd = w->source->fd, .events = POLLIN },
			       { .fd = signals, .events = POLLIN } };
	int err = pipeline_flush(&w->pipe);

	if (err)
		return err < 0 ? err : 0;
	poll(p, 2, -1);
	return 0;
}

/* True when it is to end. */
static bool take_signals(struct watch *w, int signals)
{
	struct signalfd_siginfo si;
	bool ends = false;

	while (read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		ends |= si.ssi_signo == SIGINT || si.ssi_signo == SIGTERM;
		if (si.ssi_signo == SIGUSR1)
			watch_ledger(w);
	}
	return ends;
}

static int read_all(struct watch *w, int signals)
{
	int n;

	for (;;) {
		n = w->source->ops->read(w->source, BUDGET, pipeline_frame, &w->pipe);
		if (n == SOURCE_STOPPED)
			return w->source->stop < 0 ? w->source->stop : 0;
		if (n == -ENODATA)
			return 0;
		if (n < 0)
			return n;
		if (!n && w->source->fd >= 0 && !w->source->ops->arm(w->source)) {
			n = wait_for_input(w, signals);
			if (n)
				return n;
		}
		if (take_signals(w, signals))
			return 0;
	}
}

int watch_file(struct watch *w)
{
	int err, close_err, signals;
	uint64_t lost;

	w->pipe.filter_text = w->filter_text;
	err = capfile_open(&w->source, w->o->read);
	signals = open_signals();
	if (!err)
		err = watch_open_outputs(w, signals);
	if (!err)
		err = start_helper(w, signals);
	if (!err)
		err = watch_drop_privileges(w);
	if (!err) {
		err = read_all(w, signals);
		close_err = pipeline_finish(&w->pipe, w->pipe.last_ns);
		if (!err && close_err < 0)
			err = close_err;
	}
	close_err = watch_finish_outputs(w);
	lost = watch_lost(w);
	if (w->source && (w->o->write || w->g->verbose))
		watch_trailer(w, false);
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
