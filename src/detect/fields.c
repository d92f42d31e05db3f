// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/fields.h"

static const struct field alert_rows[] = {
#define ROW(id, ...) OWN_FIELD(alert_body, __VA_ARGS__),
	ALERT_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct alert_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table alert_table = FIELD_TABLE(alert_rows);
static const uint16_t alert_uses[] = { FIELD_EVENT_KIND, FIELD_SEVERITY, FIELD_SRC_MAC, 0 };

struct dataset alert_dataset = {
	.name = "alert",
	.sections = SECTION_SPAN,
	.uses = alert_uses,
	.own = &alert_table,
	.line = alert_line,
};
