// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dhcp/fields.h"

static const struct field dhcp_rows[] = {
#define ROW(id, ...) OWN_FIELD(dhcp_body, __VA_ARGS__),
	DHCP_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct dhcp_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table dhcp_table = FIELD_TABLE(dhcp_rows);
static const uint16_t dhcp_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, 0 };

struct dataset dhcp_dataset = {
	.name = "dhcp",
	.is_protocol = true,
	.sections = SECTION_MESSAGE,
	.uses = dhcp_uses,
	.own = &dhcp_table,
};
