/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DHCP_FIELDS_H
#define NETPROBE_DECODE_DHCP_FIELDS_H

#include "record.h"

/* Own fields of DHCPv4 and DHCPv6 (RFC 2131, 8415). */

extern struct dataset dhcp_dataset;

struct dhcp_body {
	const char *op_code;		/* v4: bootrequest, bootreply */
	uint32_t xid;
	uint8_t client_mac[6];
	struct addr client_ip, assigned_ip, server_ip, relay_ip;
	struct addr requested_ip, server_id;
	const char *message_type;
	struct str hostname, fqdn, class_id, client_duid, server_duid;
	struct list requested;		/* uint16_t */
	uint32_t lease_s;
};

#define DHCP_FIELDS(X) \
	X(DHCPV4_OP, "dhcpv4.op_code", FT_WORD, op_code, "bootrequest or bootreply") \
	X(DHCPV4_XID, "dhcpv4.transaction_id", FT_U32, xid, "transaction id") \
	X(DHCPV4_CLIENT_MAC, "dhcpv4.client_mac", FT_MAC, client_mac, "client hardware address") \
	X(DHCPV4_CLIENT_IP, "dhcpv4.client_ip", FT_ADDR, client_ip, "ciaddr: the client has it already") \
	X(DHCPV4_ASSIGNED_IP, "dhcpv4.assigned_ip", FT_ADDR, assigned_ip, "yiaddr: yours") \
	X(DHCPV4_SERVER_IP, "dhcpv4.server_ip", FT_ADDR, server_ip, "siaddr: next server") \
	X(DHCPV4_RELAY_IP, "dhcpv4.relay_ip", FT_ADDR, relay_ip, "giaddr: relay agent") \
	X(DHCPV4_MESSAGE_TYPE, "dhcpv4.option.message_type", FT_WORD, message_type, "option 53") \
	X(DHCPV4_HOSTNAME, "dhcpv4.option.hostname", FT_STR, hostname, "option 12") \
	X(DHCPV4_FQDN, "dhcpv4.option.fqdn", FT_STR, fqdn, "option 81") \
	X(DHCPV4_CLASS_ID, "dhcpv4.option.class_identifier", FT_STR, class_id, "option 60") \
	X(DHCPV4_PARAMETERS, "dhcpv4.option.parameter_request_list", FT_U16S, requested, "option 55, in its order") \
	X(DHCPV4_REQUESTED_IP, "dhcpv4.option.requested_ip_address", FT_ADDR, requested_ip, "option 50") \
	X(DHCPV4_SERVER_ID, "dhcpv4.option.server_identifier", FT_ADDR, server_id, "option 54") \
	X(DHCPV4_LEASE, "dhcpv4.option.ip_address_lease_time_sec", FT_U32, lease_s, "option 51, seconds") \
	X(DHCPV6_MESSAGE_TYPE, "dhcpv6.message_type", FT_WORD, message_type, "solicit, advertise, request, reply, relay-forward, ...") \
	X(DHCPV6_XID, "dhcpv6.transaction_id", FT_U32, xid, "transaction id") \
	X(DHCPV6_CLIENT_DUID, "dhcpv6.client_duid", FT_STR, client_duid, "client DUID, in hexadecimal") \
	X(DHCPV6_SERVER_DUID, "dhcpv6.server_duid", FT_STR, server_duid, "server DUID, in hexadecimal") \
	X(DHCPV6_ASSIGNED_IP, "dhcpv6.assigned_ip", FT_ADDR, assigned_ip, "address of the first IA address option") \
	X(DHCPV6_FQDN, "dhcpv6.fqdn", FT_STR, fqdn, "option 39") \
	X(DHCPV6_REQUESTED, "dhcpv6.requested_options", FT_U16S, requested, "option 6, in its order")

enum dhcp_field { FIELD_DHCP_BEFORE_ = FIELD_OWN - 1, DHCP_FIELDS(FIELD_ID) };

static inline struct dhcp_body *dhcp_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void dhcp_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
