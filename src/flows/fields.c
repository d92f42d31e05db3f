// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/fields.h"

static const struct field flow_rows[] = {
#define ROW(id, ...) OWN_FIELD(flow_body, __VA_ARGS__),
	FLOW_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct flow_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table flow_table = FIELD_TABLE(flow_rows);
static const uint16_t flow_uses[] = { FIELD_DURATION, FIELD_NET_TYPE, FIELD_IANA, 0 };

struct dataset flow_dataset = {
	.name = "flow",
	.sections = SECTION_SPAN,
	.uses = flow_uses,
	.own = &flow_table,
};
