// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/arp/fields.h"

static const struct field arp_rows[] = {
#define ROW(id, ...) OWN_FIELD(arp_body, __VA_ARGS__),
	ARP_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct arp_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table arp_table = FIELD_TABLE(arp_rows);
static const uint16_t arp_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, FIELD_NET_TYPE, FIELD_MPLS, FIELD_MALFORMED, 0 };
static const uint16_t arp_columns[] = { FIELD_ARP_OPCODE, 0 };

struct dataset arp_dataset = {
	.name = "arp",
	.is_protocol = true,
	.uses = arp_uses,
	.own = &arp_table,
	.columns = arp_columns,
};
