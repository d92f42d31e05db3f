// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/listing.h"

#include <string.h>

#include "util/escape.h"
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

void listing_word(struct record *r, unsigned int field, const char **to, const char *word)
{
	*to = word;
	if (word && *word)
		record_mark(r, field);
}

void listing_text(struct record *r, unsigned int field, struct str *to, const char *text)
{
	*to = (struct str){ text, text ? (uint32_t)strlen(text) : 0 };
	if (to->n)
		record_mark(r, field);
}

void listing_list(struct record *r, unsigned int field, struct list *to, const void *p, uint32_t n)
{
	*to = (struct list){ p, n };
	if (n)
		record_mark(r, field);
}

void listing_clean(struct buf *b, const char *before, const struct str *s, const char *behind)
{
	char clean[1200];

	if (!s->n)
		return;
	escape_text(clean, sizeof(clean), s->p, s->n, ESCAPE_FIELD);
	buf_fmt(b, "%s%s%s", before, clean, behind);
}
