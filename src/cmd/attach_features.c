// SPDX-License-Identifier: GPL-2.0-or-later
/* attach features: what this kernel has of what netprobe uses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/attach.h"
#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/session.h"
#include "kern/features.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/escape.h"

struct features_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	bool titles;			/* are to come */
	bool unasked;			/* bpf(2) is closed to us */
};

static void feature_line(void *ctx, const struct record *r, struct buf *b)
{
	const struct feature_body *f = feature_of(r);
	const char *const *users = f->used_by.p;
	struct features_run *run = ctx;
	char names[64] = "", reason[256];
	unsigned int n = 0;

	if (run->titles)
		buf_fmt(b, "%-19s %-5s %5s  %-37s %s\n", "FEATURE", "THERE", "SINCE", "FOR", "REASON");
	run->titles = false;
	for (uint32_t i = 0; i < f->used_by.n && n < sizeof(names); i++)
		n += (unsigned int)snprintf(names + n, sizeof(names) - n, "%s%s", i ? "," : "", users[i]);
	escape_text(reason, sizeof(reason), f->reason.p, f->reason.n, ESCAPE_FIELD);
	buf_fmt(b, "%-19s %-5s %5s  %-37s %s", f->name,
		!record_has(r, FIELD_FEATURE_AVAILABLE) ? "?" : f->available ? "yes" : "no", f->since, names,
		f->reason.n ? reason : "-");
}

static int put_feature(void *ctx, const struct feature *f)
{
	struct features_run *run = ctx;
	struct record r;

	record_start(&r, &feature_dataset);
	*feature_of(&r) = (struct feature_body){
		.name = f->name,
		.since = f->since,
		.available = f->state == FEATURE_YES,
		.used_by = { f->used_by, f->n_used_by },
		.reason = { f->reason, (uint32_t)strlen(f->reason) },
	};
	record_mark(&r, FIELD_FEATURE_NAME);
	record_mark(&r, FIELD_FEATURE_SINCE);
	record_mark(&r, FIELD_FEATURE_USED_BY);
	if (f->state != FEATURE_UNKNOWN)
		record_mark(&r, FIELD_FEATURE_AVAILABLE);
	if (*f->reason)
		record_mark(&r, FIELD_FEATURE_REASON);
	if (!strcmp(f->name, "bpf"))
		run->unasked = f->state == FEATURE_UNKNOWN;
	return listing_put(&run->pipe, &r);
}

/* The table comes in any case; it is a failure when bpf(2) could not be asked. */
static int tell_unasked(void)
{
	char missing[128];

	if (caps_missing(NEED_BPF | NEED_NET_ADMIN, missing, sizeof(missing)))
		caps_tell(missing);
	else
		fail(EPERM, "bpf(2)");
	return -EPERM;
}

int attach_features(const struct globals *g, const void *opts, int argc, char **argv)
{
	static const uint16_t columns[] = {
		FIELD_FEATURE_NAME, FIELD_FEATURE_AVAILABLE, FIELD_FEATURE_SINCE, FIELD_FEATURE_USED_BY,
		FIELD_FEATURE_REASON,
	};
	struct features_run run = { .titles = !g->no_header };
	int err = session_netns(g, NULL);

	if (err)
		return err;
	run.o = (struct output_options){ .g = g, .records = true,
					 .text = { .line = feature_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = listing_open(&run.out, &run.pipe, &feature_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = features_each(put_feature, &run);
	if (!err && run.unasked)
		err = tell_unasked();
	return listing_close(&run.out, &run.pipe, err);
}
