// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sink/out.h"
#include "util/err.h"

static int write_head(void *ctx)
{
	struct sink *s = ctx;

	return s->ops->open ? s->ops->open(s) : 0;
}

static int write_tail(void *ctx)
{
	struct sink *s = ctx;

	return s->ops->finish ? s->ops->finish(s) : 0;
}

static void free_sink(struct sink *s)
{
	if (s->ops->free)
		s->ops->free(s);
	free(s);
}

int sink_open(struct sink **sink, const struct sink_ops *ops, struct out *out,
	      const struct sink_options *opt)
{
	struct sink *s = calloc(1, ops->size);
	int rc;

	if (!s)
		return fail(ENOMEM, "%s", ops->name);
	s->ops = ops;
	s->out = out;
	s->opt = *opt;
	/* Read the zone now: later there may be no /etc to read it from. */
	tzset();
	out->head = write_head;
	out->tail = write_tail;
	out->head_ctx = s;
	rc = out_head(out);
	if (rc < 0) {
		out->head = out->tail = NULL;
		free_sink(s);
		return rc;
	}
	*sink = s;
	return 0;
}

int sink_record(struct sink *s, const struct record *r)
{
	int rc = out_begin(s->out, r->time_ns);

	if (rc < 0) {
		s->out->records++;
		s->out->lost++;
	}
	if (rc)
		return rc;
	rc = s->ops->record(s, r);
	if (rc >= 0)
		s->written++;
	return rc;
}

int sink_close(struct sink *s)
{
	int rc;

	if (!s)
		return 0;
	rc = s->out->error || s->out->closed ? 0 : out_tail(s->out);
	if (!rc)
		rc = out_flush(s->out);
	s->out->head = s->out->tail = NULL;
	free_sink(s);
	return rc;
}
