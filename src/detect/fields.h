/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DETECT_FIELDS_H
#define NETPROBE_DETECT_FIELDS_H

#include "record.h"

/* Own fields of alerts. */

extern struct dataset alert_dataset;

struct alert_body {
	const char *technique;
	struct str message;
	uint64_t count, ports, hosts, sources, suppressed;
};

#define ALERT_FIELDS(X) \
	X(MESSAGE, "message", FT_STR, message, "the same in words") \
	X(TECHNIQUE, "threat.technique.id", FT_WORD, technique, "the technique of MITRE ATT&CK that it belongs to") \
	X(ALERT_COUNT, "alert.count", FT_U64, count, "evidence: what the rule counts") \
	X(ALERT_PORTS, "alert.ports", FT_U64, ports, "evidence: how many ports") \
	X(ALERT_HOSTS, "alert.hosts", FT_U64, hosts, "evidence: how many hosts") \
	X(ALERT_SOURCES, "alert.sources", FT_U64, sources, "evidence: how many sources") \
	X(ALERT_SUPPRESSED, "alert.suppressed", FT_U64, suppressed, "how often it came again, untold, since it was last told")

enum alert_field { FIELD_ALERT_BEFORE_ = FIELD_OWN - 1, ALERT_FIELDS(FIELD_ID) };

static inline struct alert_body *alert_of(const struct record *r)
{
	return record_own(r);
}

/* text/ours.c */
void alert_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
