// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/icmp/fields.h"

#include <string.h>

#include "identity.h"

#define OWN_BODY icmp_body
OWN_TABLE(icmp, ICMP_FIELDS);
#undef OWN_BODY

static const uint16_t icmp_uses[] = { FIELD_DURATION, FIELD_MPLS, FIELD_IP_HOP_BY_HOP, FIELD_MALFORMED, 0 };
static const uint16_t icmp_columns[] = { FIELD_ICMP_TYPE, FIELD_ICMP_CODE, 0 };

/* RFC 4861, 4.1 to 4.4: whose the link-layer address in the message is. */
static bool identify(const struct record *r, struct identity *id)
{
	enum { ROUTER_SOLICITATION = 133, NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };
	const struct icmp_body *icmp = icmp_of(r);

	if (!record_has(r, FIELD_ICMP_ND_LLADDR) || r->src.family != 6)
		return false;
	memcpy(id->mac, icmp->nd_lladdr, 6);
	if (icmp->type == NEIGHBOUR_ADVERTISEMENT && record_has(r, FIELD_ICMP_ND_TARGET))
		id->addr = icmp->nd_target;
	else if (icmp->type >= ROUTER_SOLICITATION && icmp->type <= NEIGHBOUR_SOLICITATION)
		id->addr = r->src;
	return true;
}

static const char *const tells[] = { "nd", NULL };

struct dataset icmp_dataset = {
	.name = "icmp",
	.is_protocol = true,
	.uses = icmp_uses,
	.own = &icmp_table,
	.line = icmp_line,
	.identify = identify,
	.tells = tells,
	.tells_filter = "icmp6",
	.columns = icmp_columns,
};
