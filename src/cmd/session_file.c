// SPDX-License-Identifier: GPL-2.0-or-later
/* A capture file from beginning to end. */
#include <errno.h>
#include <poll.h>

#include "cmd/session_parts.h"

enum {
	BUDGET = 4096,
	TERMINAL_MS = 1000, /* between looks whether the terminal is there while nothing is to be read */
};

/* Further files of a rotation are opened by a helper that still may. */
static int start_helper(struct session *s)
{
	int fds[HELPER_FDS];
	struct helper_options ho = { 0 };

	if (!s->o->output.file.rotate_bytes && !s->o->output.file.rotate_ns)
		return 0;
	return session_help(s, &ho, fds, 0);
}

/* A pipe that has nothing for now: show what there is, then sleep. */
static int wait_for_input(struct session *s)
{
	struct pollfd p[2] = { { .fd = s->source->fd, .events = POLLIN },
			       { .fd = s->signals, .events = POLLIN } };
	int err = pipeline_flush(&s->pipe);

	if (err)
		return err < 0 ? err : 0;
	while (!err && !poll(p, 2, TERMINAL_MS)) {
		err = output_gone(&s->out);
		if (!err)
			err = pipeline_idle(&s->pipe);
		if (!err)
			err = pipeline_flush(&s->pipe);
	}
	return err;
}

static int read_all(struct session *s)
{
	struct source *from = s->source;
	int n;

	while (!s->stopping) {
		n = from->ops->read(from, BUDGET, pipeline_frame, &s->pipe);
		if (n == SOURCE_STOPPED)
			return from->stop < 0 ? from->stop : 0;
		if (n == -ENODATA)
			return 0;
		if (n < 0)
			return n;
		if (!n && from->fd >= 0 && !from->ops->arm(from)) {
			n = wait_for_input(s);
			if (n)
				return n < 0 ? n : 0;
		}
		session_take_signals(s);
	}
	return 0;
}

/*
 * What the file tells of its interfaces: for whose link types does the filter mean something?  What it means
 * nothing for is said.  Are there several, that have names?
 */
static int learn_interfaces(struct session *s)
{
	unsigned int known = 0, unknown = 0, i;
	const struct iface *one;
	bool all, named = false;

	for (i = 0; (one = capfile_iface_at(s->source, i, &all)); i++) {
		++*(pipeline_can_filter(&s->pipe, one->link) ? &known : &unknown);
		named |= one->name[0] != '\0';
	}
	s->many_interfaces = i > 1 && named;
	return unknown && !known ? -EINVAL : 0;
}

/*
 * What must be known of the file before there is any output: its interfaces; and where the time is in the names
 * of what is written, that of the first frame which goes there.
 */
static int look_ahead(struct session *s)
{
	bool by_time = s->o->output.file.name && s->o->output.file.rotate_ns, all = false;
	struct frame f;
	int rc = 0;

	while (!rc && (by_time || !all) && !s->stopping) {
		rc = capfile_peek(s->source, &f);
		capfile_iface_at(s->source, 0, &all);
		if (rc == 1 && by_time && pipeline_refuses(&s->pipe, &f)) {
			capfile_skip(s->source);
			rc = 0;
		} else if (rc == 1) {
			s->out.first_ns = f.time_ns;
		}
		if (rc == -EAGAIN && (by_time || !all))
			rc = wait_for_input(s);
		session_take_signals(s);
	}
	return learn_interfaces(s);	/* what failed, read() comes to as well */
}

int file_run(struct session *s)
{
	int err, end_err;

	s->pipe.filter_text = s->filter_text;
	err = capfile_open(&s->source, s->o->read);
	if (err)
		return err;
	s->opened = true;
	err = session_open_signals(s);
	if (!err)
		err = look_ahead(s);
	if (!err)
		err = session_open_outputs(s);
	if (!err)
		err = start_helper(s);
	if (!err)
		err = session_confine(s);
	if (err)
		return err;
	err = read_all(s);
	if (err < 0 && !s->pipe.frames)
		return err;		/* nothing was read: there is nothing to tell */
	end_err = pipeline_finish(&s->pipe, s->pipe.last_ns);
	return !err && end_err < 0 ? end_err : err;
}
