// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dhcp/fields.h"
#include "text/parts.h"

static void put_mac(const struct record *r, struct buf *b)
{
	if (!record_has(r, FIELD_DHCPV4_CLIENT_MAC))
		return;
	for (int i = 0; i < 6; i++) {
		buf_chr(b, i ? ':' : ' ');
		buf_hex(b, dhcp_of(r)->client_mac[i], 2);
	}
}

void dhcp_line(struct line_state *st, const struct record *r, struct buf *b)
{
	bool six = !strcmp(r->protocol, "dhcpv6");

	buf_str(b, six ? "DHCPv6 " : "DHCP ");
	if (record_has(r, six ? FIELD_DHCPV6_MESSAGE_TYPE : FIELD_DHCPV4_MESSAGE_TYPE))
		buf_str(b, dhcp_of(r)->message_type);
	else
		buf_str(b, six ? "message" : dhcp_of(r)->op_code);
	put_mac(r, b);
	if (record_has(r, six ? FIELD_DHCPV6_XID : FIELD_DHCPV4_XID)) {
		buf_lit(b, " xid 0x");
		buf_hex(b, dhcp_of(r)->xid, six ? 6 : 8);
	}
	line_addr(b, "address ", r, six ? FIELD_DHCPV6_ASSIGNED_IP : FIELD_DHCPV4_ASSIGNED_IP);
	if (six) {
		line_word(b, "client ", r, FIELD_DHCPV6_CLIENT_DUID);
		line_word(b, "fqdn ", r, FIELD_DHCPV6_FQDN);
		return;
	}
	line_addr(b, "requested ", r, FIELD_DHCPV4_REQUESTED_IP);
	line_addr(b, "server ", r, FIELD_DHCPV4_SERVER_ID);
	line_word(b, "host ", r, FIELD_DHCPV4_HOSTNAME);
	if (record_has(r, FIELD_DHCPV4_LEASE))
		line_number(b, "lease ", dhcp_of(r)->lease_s);
}
