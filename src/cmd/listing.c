// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/listing.h"

#include "util/time.h"

int listing_open(struct listing *l, const struct globals *g, line_fn line, void *line_ctx, const struct dataset *set,
		 const uint16_t *columns, unsigned int n)
{
	int err;

	l->o = (struct output_options){ .g = g, .records = true, .text = { .line = line, .line_state = line_ctx } };
	err = output_check(&l->out, &l->o);
	if (err)
		return err;
	if (g->csv)
		output_columns(&l->out, set, columns, n);
	return output_open(&l->out, &l->pipe, false, -1);
}

int listing_put(struct listing *l, struct record *r)
{
	r->time_ns = time_now();
	record_mark(r, FIELD_TIME);
	return sink_record(l->pipe.sinks[0], r);
}

int listing_close(struct listing *l, int err)
{
	int finished = output_finish(&l->out, &l->pipe), closed = output_close(&l->out);

	err = err < 0 ? err : finished < 0 ? finished : closed;
	return exit_status(err < 0 ? err : 0);
}
