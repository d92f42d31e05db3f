// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/fields.h"

#define OWN_BODY alert_body
OWN_TABLE(alert, ALERT_FIELDS);
#undef OWN_BODY

static const uint16_t alert_uses[] = { FIELD_EVENT_KIND, FIELD_SEVERITY, FIELD_SRC_MAC, FIELD_RULE_NAME, 0 };

struct dataset alert_dataset = {
	.name = "alert",
	.sections = SECTION_SPAN,
	.uses = alert_uses,
	.own = &alert_table,
	.line = alert_line,
};
