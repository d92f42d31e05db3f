// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/listing.h"

#include "util/time.h"

int listing_open(struct output *out, struct pipeline *p, const struct dataset *set, const uint16_t *columns,
		 unsigned int n)
{
	if (out->o->g->csv)
		output_columns(out, set, columns, n);
	return output_open(out, p, false, -1);
}

int listing_put(struct pipeline *p, struct record *r)
{
	r->time_ns = time_now();
	record_mark(r, FIELD_TIME);
	if (p->where && !where_match(p->where, r))
		return 0;
	return sink_record(p->sinks[0], r);
}

int listing_close(struct output *out, struct pipeline *p, int err)
{
	int finished = output_finish(out, p), closed = output_close(out);

	err = err < 0 ? err : finished < 0 ? finished : closed;
	return exit_status(err < 0 ? err : 0);
}
