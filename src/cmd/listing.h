/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_LISTING_H
#define NETPROBE_CMD_LISTING_H

#include "cmd/output.h"

/* What there is, a record a row, on standard output in the form that was asked for. */
struct listing {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
};

/* `line` prints a row for people; CSV shows these columns of `set` unless -o chooses.  0 or a negative errno, said. */
int  listing_open(struct listing *l, const struct globals *g, line_fn line, void *line_ctx, const struct dataset *set,
		  const uint16_t *columns, unsigned int n);
/* Stamped with the time.  0, or to stop: 1 the reader has gone, or a negative errno. */
int  listing_put(struct listing *l, struct record *r);
/* An exit status, of what happened so far (err) and of the end. */
int  listing_close(struct listing *l, int err);

#endif
