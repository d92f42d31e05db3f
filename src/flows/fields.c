// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/fields.h"

#define OWN_BODY flow_body
OWN_TABLE(flow, FLOW_FIELDS);
#undef OWN_BODY

static const uint16_t flow_uses[] = { FIELD_DURATION, FIELD_NET_TYPE, FIELD_IANA, 0 };

struct dataset flow_dataset = {
	.name = "flow",
	.sections = SECTION_SPAN,
	.uses = flow_uses,
	.own = &flow_table,
};
