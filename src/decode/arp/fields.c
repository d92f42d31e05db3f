// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/arp/fields.h"

#include <string.h>

#include "identity.h"

#define OWN_BODY arp_body
OWN_TABLE(arp, ARP_FIELDS);
#undef OWN_BODY

static const uint16_t arp_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, FIELD_NET_TYPE, FIELD_MPLS, FIELD_MALFORMED, 0 };
static const uint16_t arp_columns[] = { FIELD_ARP_OPCODE, 0 };

static bool identify(const struct record *r, struct identity *id)
{
	if (!record_has(r, FIELD_ARP_SENDER_MAC))
		return false;
	memcpy(id->mac, arp_of(r)->sender_mac, 6);
	if (record_has(r, FIELD_ARP_SENDER_IP))
		id->addr = arp_of(r)->sender_ip;
	return true;
}

static const char *const tells[] = { "arp", NULL };

struct dataset arp_dataset = {
	.name = "arp",
	.is_protocol = true,
	.uses = arp_uses,
	.own = &arp_table,
	.line = arp_line,
	.identify = identify,
	.tells = tells,
	.tells_filter = "arp",
	.columns = arp_columns,
};
