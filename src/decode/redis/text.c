// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/redis/fields.h"
#include "text/parts.h"

void redis_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_lit(b, "Redis");
	if (record_has(r, FIELD_REDIS_COMMAND)) {
		const struct str *args = redis_of(r)->args.p;

		line_word(b, "", r, FIELD_REDIS_COMMAND);
		for (uint32_t i = 0; i < redis_of(r)->args.n && i < LINE_WORDS; i++) {
			buf_chr(b, ' ');
			line_text(b, args[i].p, args[i].n);
		}
		if (redis_of(r)->args_count > LINE_WORDS)
			line_number(b, "+", redis_of(r)->args_count - LINE_WORDS);
		return;
	}
	buf_chr(b, ' ');
	if (!strcmp(r->action, "push"))
		buf_lit(b, "push ");
	buf_str(b, redis_of(r)->type);
	if (record_has(r, FIELD_REDIS_REPLY_COUNT))
		line_number(b, "", redis_of(r)->count);
	line_word(b, "", r, FIELD_REDIS_REPLY_VALUE);
}
