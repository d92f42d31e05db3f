// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/icmp/fields.h"

static const struct field icmp_rows[] = {
#define ROW(id, ...) OWN_FIELD(icmp_body, __VA_ARGS__),
	ICMP_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct icmp_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table icmp_table = FIELD_TABLE(icmp_rows);
static const uint16_t icmp_uses[] = { FIELD_DURATION, FIELD_MPLS, FIELD_IP_HOP_BY_HOP, FIELD_MALFORMED, 0 };
static const uint16_t icmp_columns[] = { FIELD_ICMP_TYPE, FIELD_ICMP_CODE, 0 };

struct dataset icmp_dataset = {
	.name = "icmp",
	.is_protocol = true,
	.uses = icmp_uses,
	.own = &icmp_table,
	.columns = icmp_columns,
};
