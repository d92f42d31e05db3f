// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "text/parts.h"
#include "util/addr.h"

/* What the lines of messages are made of. */

void line_word(struct buf *b, const char *name, const struct record *r, unsigned int f)
{
	const struct str *s = record_at(r, f);

	if (!record_has(r, f))
		return;
	buf_chr(b, ' ');
	buf_str(b, name);
	line_text(b, s->p, s->n);
}

void line_number(struct buf *b, const char *name, uint64_t v)
{
	buf_chr(b, ' ');
	buf_str(b, name);
	buf_u64(b, v);
}

void line_addr(struct buf *b, const char *name, const struct record *r, unsigned int f)
{
	if (!record_has(r, f) || !buf_room(b, ADDR_TEXT_MAX + 40))
		return;
	buf_chr(b, ' ');
	buf_str(b, name);
	b->n += addr_text(b->p + b->n, record_at(r, f));
}

/* The first of a list, and how many more there are. */
void line_list(struct buf *b, const char *name, const struct record *r, unsigned int f, uint32_t total)
{
	const struct list *l = record_at(r, f);
	const struct str *s = l->p;

	if (!record_has(r, f))
		return;
	for (uint32_t i = 0; i < l->n && i < LINE_WORDS; i++) {
		buf_str(b, i ? "," : " ");
		if (!i)
			buf_str(b, name);
		line_text(b, s[i].p, s[i].n);
	}
	if (total > LINE_WORDS) {
		buf_lit(b, ",+");
		buf_u64(b, total - LINE_WORDS);
	}
}

/* Milliseconds, to the microsecond. */
static void put_duration(const struct record *r, struct buf *b)
{
	uint64_t us = (r->duration_ns + 500) / 1000;

	buf_lit(b, " (");
	buf_u64(b, us / 1000);
	buf_chr(b, '.');
	buf_chr(b, (char)('0' + us / 100 % 10));
	buf_chr(b, (char)('0' + us / 10 % 10));
	buf_chr(b, (char)('0' + us % 10));
	buf_lit(b, " ms)");
}

void line_message(struct line_state *st, const struct record *r, struct buf *b)
{
	bool has_ports = record_has(r, FIELD_SRC_PORT), is_tcp = has_ports && !strcmp(r->transport, "tcp");

	if (st->opt.quiet && r->frame && has_ports) {
		buf_str(b, is_tcp ? "tcp " : "UDP, length ");
		buf_u64(b, r->rest_len);
		return;
	}
	r->set->line(st, r, b);
	if (record_has(r, FIELD_DURATION))
		put_duration(r, b);
	if (record_has(r, FIELD_TCP_CONFLICT))
		buf_lit(b, " !conflict");
	if (record_has(r, FIELD_ACTION) && !strcmp(r->action, "no_answer"))
		buf_lit(b, " !no_answer");
}
