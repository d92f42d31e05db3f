// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/fields.h"
#include "text/parts.h"

/* The lines of what is not a message. */

/* "ALERT port_scan: 192.0.2.1 probed ...; 3 more were not told" */
void alert_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_lit(b, "ALERT ");
	buf_add(b, r->rule_name.p, r->rule_name.n);
	buf_lit(b, ": ");
	line_text(b, alert_of(r)->message.p, alert_of(r)->message.n);
	if (record_has(r, FIELD_ALERT_SUPPRESSED)) {
		buf_lit(b, "; ");
		buf_u64(b, alert_of(r)->suppressed);
		buf_lit(b, " more since the last were not told");
	}
}

/* "!lost 812 ring_full" */
void lost_line(struct line_state *st, const struct record *r, struct buf *b)
{
	const char *stage = record_has(r, FIELD_LOST_STAGE) ? lost_of(r)->stage : NULL;
	const char *reason = record_has(r, FIELD_LOST_REASON) ? lost_of(r)->reason : NULL;

	buf_lit(b, "!lost ");
	buf_u64(b, record_has(r, FIELD_LOST_COUNT) ? lost_of(r)->count : 0);
	/* "ring_full" says where already. */
	if (stage && !(reason && !strncmp(reason, stage, strlen(stage)))) {
		buf_chr(b, ' ');
		buf_str(b, stage);
	}
	if (reason) {
		buf_chr(b, ' ');
		buf_str(b, reason);
	}
}
