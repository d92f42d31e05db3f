// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dhcp/fields.h"

#include <string.h>

#include "identity.h"

#define OWN_BODY dhcp_body
OWN_TABLE(dhcp, DHCP_FIELDS);
#undef OWN_BODY

static const uint16_t dhcp_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, 0 };

enum { BY_DHCP, BY_DHCPV6 };
static const char *const tells[] = { "dhcp", "dhcpv6", NULL };

static bool identify_v4(const struct record *r, struct identity *id)
{
	const struct dhcp_body *dhcp = dhcp_of(r);
	const char *type = record_has(r, FIELD_DHCPV4_MESSAGE_TYPE) ? dhcp->message_type : "";
	bool asks = dhcp->op_code && !strcmp(dhcp->op_code, "bootrequest");

	if (!record_has(r, FIELD_DHCPV4_CLIENT_MAC))
		return false;
	memcpy(id->mac, dhcp->client_mac, 6);
	id->told_by = BY_DHCP;
	id->relayed = record_has(r, FIELD_DHCPV4_RELAY_IP);
	id->wants_address = !strcmp(type, "discover") || !strcmp(type, "request");
	if (record_has(r, FIELD_DHCPV4_CLIENT_IP) && asks && strcmp(type, "release"))
		id->addr = dhcp->client_ip;
	else if (record_has(r, FIELD_DHCPV4_ASSIGNED_IP) && !strcmp(type, "ack"))
		id->addr = dhcp->assigned_ip;
	if (!asks)
		return true;
	if (record_has(r, FIELD_DHCPV4_HOSTNAME)) {
		id->name = dhcp->hostname;
		id->rank = NAME_HOST;
	} else if (record_has(r, FIELD_DHCPV4_FQDN)) {
		id->name = dhcp->fqdn;
		id->rank = NAME_FQDN;
	}
	if (record_has(r, FIELD_DHCPV4_CLASS_ID))
		id->class_id = dhcp->class_id;
	if (record_has(r, FIELD_DHCPV4_PARAMETERS))
		id->options = &dhcp->requested;
	return true;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 8415, 11.2 and 11.4: a DUID that ends in an Ethernet address, in hexadecimal. */
static bool duid_mac(struct str duid, uint8_t mac[6])
{
	bool with_time = duid.n == 28 && !memcmp(duid.p, "00010001", 8);
	bool without = duid.n == 20 && !memcmp(duid.p, "00030001", 8);

	if (!with_time && !without)
		return false;
	for (unsigned int i = 0; i < 6; i++) {
		int high = hex(duid.p[duid.n - 12 + 2 * i]), low = hex(duid.p[duid.n - 11 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_from_client(const char *type)
{
	static const char *const asking[] = { "solicit", "request", "confirm", "renew", "rebind",
					      "release", "decline", "information-request" };

	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		if (!strcmp(type, asking[i]))
			return true;
	return false;
}

/*
 * A client's message comes from the client itself, so the frame says who it is; the
 * DUID may be that of another of its interfaces.  The server's reply has only the DUID.
 */
static bool identify_v6(const struct record *r, struct identity *id)
{
	const struct dhcp_body *dhcp = dhcp_of(r);
	const char *type = record_has(r, FIELD_DHCPV6_MESSAGE_TYPE) ? dhcp->message_type : "";

	id->told_by = BY_DHCPV6;
	if (is_from_client(type)) {
		if (!record_has(r, FIELD_SRC_MAC))
			return false;
		memcpy(id->mac, r->smac, 6);
		id->addr = r->src;
		if (record_has(r, FIELD_DHCPV6_FQDN)) {
			id->name = dhcp->fqdn;
			id->rank = NAME_FQDN;
		}
		return true;
	}
	if (strcmp(type, "reply") || !record_has(r, FIELD_DHCPV6_ASSIGNED_IP) ||
	    !record_has(r, FIELD_DHCPV6_CLIENT_DUID) || !duid_mac(dhcp->client_duid, id->mac))
		return false;
	id->addr = dhcp->assigned_ip;
	return true;
}

static bool identify(const struct record *r, struct identity *id)
{
	return record_has(r, FIELD_DHCPV4_OP) ? identify_v4(r, id) : identify_v6(r, id);
}

struct dataset dhcp_dataset = {
	.name = "dhcp",
	.is_protocol = true,
	.sections = SECTION_MESSAGE,
	.uses = dhcp_uses,
	.own = &dhcp_table,
	.line = dhcp_line,
	.identify = identify,
	.tells = tells,
	.tells_filter = "udp port 67 or udp port 68 or udp port 546 or udp port 547",
};
