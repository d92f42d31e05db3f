// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/cursor.h"
#include "decode/dhcp/dhcp.h"
#include "decode/dhcp/fields.h"
#include "util/bytes.h"

/* DHCP for IPv6 (RFC 8415). */

enum {
	RELAY_FORWARD = 12, RELAY_REPLY = 13, HEAD = 4,
	OPT_CLIENT_ID = 1, OPT_SERVER_ID = 2, OPT_IA_NA = 3, OPT_IA_TA = 4, OPT_IA_ADDR = 5, OPT_REQUESTED = 6,
	OPT_STATUS = 13, OPT_FQDN = 39,
	REQUESTED_MAX = 256, DUID_MAX = 130,	/* RFC 8415, 11.1 */
};

enum exchange { NONE, SOLICIT, REQUEST, QUERY };

static const struct type {
	const char *name;
	uint8_t exchange;
	bool reply;
} types[] = {
	[1] = { "solicit", SOLICIT, false },
	[2] = { "advertise", SOLICIT, true },
	[3] = { "request", REQUEST, false },
	[4] = { "confirm", REQUEST, false },
	[5] = { "renew", REQUEST, false },
	[6] = { "rebind", REQUEST, false },
	[7] = { "reply", REQUEST, true },
	[8] = { "release", REQUEST, false },
	[9] = { "decline", REQUEST, false },
	[10] = { "reconfigure", NONE, false },
	[11] = { "information-request", REQUEST, false },
	[12] = { "relay-forward", NONE, false },
	[13] = { "relay-reply", NONE, false },
	[14] = { "leasequery", QUERY, false },
	[15] = { "leasequery-reply", QUERY, true },
	[16] = { "leasequery-done", NONE, false },
	[17] = { "leasequery-data", NONE, false },
	[18] = { "reconfigure-request", NONE, false },
	[19] = { "reconfigure-reply", NONE, false },
	[20] = { "dhcpv4-query", NONE, false },
	[21] = { "dhcpv4-response", NONE, false },
	[22] = { "activeleasequery", NONE, false },
	[23] = { "starttls", NONE, false },
};

struct message {
	struct record r;
	struct dhcp_scratch scratch;
	uint16_t requested[REQUESTED_MAX];
	uint64_t client;	/* hash of the client's DUID */
	uint16_t status;
};

static void set_duid(struct message *m, struct str *to, unsigned int f, const uint8_t *p, uint16_t n)
{
	if (record_has(&m->r, f) || !n)
		return;
	*to = dhcp_hex(&m->scratch, p, n < DUID_MAX ? n : DUID_MAX);
	record_mark(&m->r, f);
}

/* FNV-1a: only to tell clients with the same transaction id apart. */
static uint64_t hash(const uint8_t *p, uint16_t n)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (uint16_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

/* The first address of an association, behind its identity and, of IA_NA, two times. */
static void find_address(struct message *m, const uint8_t *p, uint16_t n, uint16_t skip)
{
	struct cursor c = cursor_over(p, n);

	cursor_take(&c, skip);
	while (cursor_left(&c) && !c.bad && !record_has(&m->r, FIELD_DHCPV6_ASSIGNED_IP)) {
		uint16_t code = cursor_be16(&c), len = cursor_be16(&c);
		const uint8_t *value = cursor_take(&c, len);

		if (!value || code != OPT_IA_ADDR || len < 16)
			continue;
		dhcp_of(&m->r)->assigned_ip = (struct addr){ .family = 6 };
		memcpy(dhcp_of(&m->r)->assigned_ip.b, value, 16);
		record_mark(&m->r, FIELD_DHCPV6_ASSIGNED_IP);
	}
}

static void set_requested(struct message *m, const uint8_t *p, uint16_t n)
{
	struct cursor c = cursor_over(p, n);
	uint32_t count = 0;

	while (cursor_left(&c) >= 2 && count < REQUESTED_MAX)
		m->requested[count++] = cursor_be16(&c);
	dhcp_of(&m->r)->requested = (struct list){ m->requested, count };
	record_mark(&m->r, FIELD_DHCPV6_REQUESTED);
}

static void one_option(struct message *m, uint16_t code, const uint8_t *p, uint16_t n)
{
	switch (code) {
	case OPT_CLIENT_ID:
		m->client = hash(p, n);
		set_duid(m, &dhcp_of(&m->r)->client_duid, FIELD_DHCPV6_CLIENT_DUID, p, n);
		return;
	case OPT_SERVER_ID: set_duid(m, &dhcp_of(&m->r)->server_duid, FIELD_DHCPV6_SERVER_DUID, p, n); return;
	case OPT_IA_NA: find_address(m, p, n, 12); return;
	case OPT_IA_TA: find_address(m, p, n, 4); return;
	case OPT_REQUESTED:
		if (!record_has(&m->r, FIELD_DHCPV6_REQUESTED))
			set_requested(m, p, n);
		return;
	case OPT_STATUS:
		if (n >= 2)
			m->status = be16(p);
		return;
	case OPT_FQDN:
		if (n < 2 || record_has(&m->r, FIELD_DHCPV6_FQDN))
			return;
		dhcp_of(&m->r)->fqdn = dhcp_name(&m->scratch, p + 1, n - 1u);
		if (dhcp_of(&m->r)->fqdn.n)
			record_mark(&m->r, FIELD_DHCPV6_FQDN);
		return;
	default: return;
	}
}

static void pair(struct call *call, struct message *m, const struct type *t)
{
	struct request_key k = REQUEST_KEY(&dhcp_dataset, m->client,
					   (uint64_t)dhcp_of(&m->r)->xid << 8 | 0x80 | t->exchange);

	if (!t->reply) {
		if (t->exchange)
			requests_ask(call->requests, &k, &m->r);
		return;
	}
	m->r.outcome = m->status ? "failure" : "success";
	record_mark(&m->r, FIELD_OUTCOME);
	if (requests_answer(call->requests, &k, &m->r) || t->exchange != REQUEST)
		return;
	k.id = k.id - REQUEST + SOLICIT;	/* rapid commit: a reply to a solicit */
	requests_answer(call->requests, &k, &m->r);
}

bool dhcpv6_datagram(struct call *call)
{
	struct cursor c = cursor_over(call->pk->payload, call->pk->payload_cap);
	struct message m = { .client = 0 };
	uint8_t type = cursor_u8(&c);
	const uint8_t *id = cursor_take(&c, 3);
	const struct type *t = &types[0];

	if (type < sizeof(types) / sizeof(types[0]))
		t = &types[type];
	if (!t->name || call->pk->payload_len < HEAD)
		return false;
	conv_record(call, NULL, &m.r, &dhcp_dataset, "dhcpv6", t->name);
	packet_macs(call->pk, &m.r);
	dhcp_of(&m.r)->message_type = t->name;
	record_mark(&m.r, FIELD_DHCPV6_MESSAGE_TYPE);
	if (type == RELAY_FORWARD || type == RELAY_REPLY) {
		emit_record(call->e, &m.r);
		return true;
	}
	if (id) {
		dhcp_of(&m.r)->xid = be24(id);
		record_mark(&m.r, FIELD_DHCPV6_XID);
	}
	while (cursor_left(&c) && !c.bad) {
		uint16_t code = cursor_be16(&c), len = cursor_be16(&c);
		const uint8_t *value = cursor_take(&c, len);

		if (value)
			one_option(&m, code, value, len);
	}
	if (id)
		pair(call, &m, t);
	emit_record(call->e, &m.r);
	return true;
}
