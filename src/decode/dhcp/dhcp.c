// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dhcp/dhcp.h"

#include <string.h>

#include "decode/cursor.h"
#include "decode/dhcp/fields.h"

/* DHCP and BOOTP for IPv4 (RFC 951, 2131, 2132). */

enum {
	PORT_SERVER = 67, PORT_CLIENT = 68, PORT6_CLIENT = 546, PORT6_SERVER = 547,
	SNAME = 44, FILE_ = 108, COOKIE_AT = 236, OPTIONS = 240,
	OPT_PAD = 0, OPT_HOSTNAME = 12, OPT_REQUESTED_IP = 50, OPT_LEASE = 51, OPT_OVERLOAD = 52, OPT_TYPE = 53,
	OPT_SERVER_ID = 54, OPT_PARAMETERS = 55, OPT_CLASS_ID = 60, OPT_FQDN = 81, OPT_END = 255,
	PARAMETERS_MAX = 255,
	ETHERNET = 1, IEEE_802 = 6,	/* of ARP's hardware types those whose address is a MAC */
};

/* The option of each number: where it stands, put together if it stood in several places (RFC 3396). */
struct options {
	const uint8_t *p[256];
	uint16_t n[256];
	uint8_t joined[DHCP_TEXT_MAX];
	uint32_t n_joined;
};

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {
		NULL, "discover", "offer", "request", "decline", "ack", "nak", "release", "inform", "forcerenew",
		"leasequery", "leaseunassigned", "leaseunknown", "leaseactive", "bulkleasequery",
		"leasequerydone", "activeleasequery", "leasequerystatus", "tls",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

struct str dhcp_hex(struct dhcp_scratch *s, const uint8_t *p, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *out = s->text + s->n;

	if (n > (sizeof(s->text) - s->n) / 2)
		n = (uint32_t)(sizeof(s->text) - s->n) / 2;
	for (uint32_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	s->n += 2 * n;
	return (struct str){ out, 2 * n };
}

struct str dhcp_name(struct dhcp_scratch *s, const uint8_t *p, uint32_t n)
{
	char *out = s->text + s->n;
	uint32_t len = 0, room = (uint32_t)sizeof(s->text) - s->n;

	for (uint32_t at = 0; at < n && p[at] && p[at] < 64; at += 1 + p[at]) {
		uint32_t label = p[at];

		if (at + 1 + label > n || len + label + 1 > room)
			break;
		if (len)
			out[len++] = '.';
		memcpy(out + len, p + at + 1, label);
		len += label;
	}
	s->n += len;
	return (struct str){ out, len };
}

/* One more piece of an option. */
static void add_piece(struct options *o, uint8_t code, const uint8_t *p, uint16_t n)
{
	uint32_t both = (uint32_t)o->n[code] + n;
	uint8_t *to = o->joined + o->n_joined;

	if (!o->p[code]) {
		o->p[code] = p;
		o->n[code] = n;
		return;
	}
	if (both > sizeof(o->joined) - o->n_joined)
		return;
	memcpy(to, o->p[code], o->n[code]);
	memcpy(to + o->n[code], p, n);
	o->p[code] = to;
	o->n[code] = (uint16_t)both;
	o->n_joined += both;
}

static void read_options(struct options *o, const uint8_t *p, uint32_t n)
{
	struct cursor c = cursor_over(p, n);

	while (cursor_left(&c)) {
		uint8_t code = cursor_u8(&c), len;
		const uint8_t *value;

		if (code == OPT_PAD)
			continue;
		if (code == OPT_END)
			return;
		len = cursor_u8(&c);
		value = cursor_take(&c, len);
		if (!value)
			return;
		add_piece(o, code, value, len);
	}
}

static void set_addr(struct record *r, struct addr *to, unsigned int f, const uint8_t *p)
{
	*to = (struct addr){ .family = 4 };
	memcpy(to->b, p, 4);
	record_mark(r, f);
}

static void set_text(struct record *r, struct str *to, unsigned int f, const struct options *o, uint8_t code)
{
	const char *p = (const char *)o->p[code];
	uint32_t n = o->n[code];

	while (n && !p[n - 1])
		n--;
	if (!n)
		return;
	*to = (struct str){ p, n };
	record_mark(r, f);
}

/* RFC 4702: flags, two bytes of old response codes, and a name in labels or, of old, as it is. */
static void set_fqdn(struct record *r, const struct options *o, struct dhcp_scratch *s)
{
	const uint8_t *p = o->p[OPT_FQDN];
	uint16_t n = o->n[OPT_FQDN];

	if (n <= 3)
		return;
	if (p[0] & 4)
		dhcp_of(r)->fqdn = dhcp_name(s, p + 3, n - 3u);
	else
		dhcp_of(r)->fqdn = (struct str){ (const char *)p + 3, n - 3u };
	while (dhcp_of(r)->fqdn.n && !dhcp_of(r)->fqdn.p[dhcp_of(r)->fqdn.n - 1])
		dhcp_of(r)->fqdn.n--;
	if (dhcp_of(r)->fqdn.n)
		record_mark(r, FIELD_DHCPV4_FQDN);
}

static void mark_options(struct record *r, const struct options *o, struct dhcp_scratch *s, uint16_t *list)
{
	set_text(r, &dhcp_of(r)->hostname, FIELD_DHCPV4_HOSTNAME, o, OPT_HOSTNAME);
	set_text(r, &dhcp_of(r)->class_id, FIELD_DHCPV4_CLASS_ID, o, OPT_CLASS_ID);
	set_fqdn(r, o, s);
	if (o->n[OPT_REQUESTED_IP] == 4)
		set_addr(r, &dhcp_of(r)->requested_ip, FIELD_DHCPV4_REQUESTED_IP, o->p[OPT_REQUESTED_IP]);
	if (o->n[OPT_SERVER_ID] == 4)
		set_addr(r, &dhcp_of(r)->server_id, FIELD_DHCPV4_SERVER_ID, o->p[OPT_SERVER_ID]);
	if (o->n[OPT_LEASE] == 4) {
		struct cursor c = cursor_over(o->p[OPT_LEASE], 4);

		dhcp_of(r)->lease_s = cursor_be32(&c);
		record_mark(r, FIELD_DHCPV4_LEASE);
	}
	if (o->n[OPT_PARAMETERS]) {
		uint32_t n = o->n[OPT_PARAMETERS] < PARAMETERS_MAX ? o->n[OPT_PARAMETERS] : PARAMETERS_MAX;

		for (uint32_t i = 0; i < n; i++)
			list[i] = o->p[OPT_PARAMETERS][i];
		dhcp_of(r)->requested = (struct list){ list, n };
		record_mark(r, FIELD_DHCPV4_PARAMETERS);
	}
}

/* What the record waits for, or answers: discover and offer, request and ack, any and BOOTP's reply. */
static uint64_t exchange(uint8_t type)
{
	switch (type) {
	case 1: case 2: return 1;
	case 3: case 5: case 6: case 8: return 2;
	case 10: case 11: case 12: case 13: return 3;
	default: return 0;
	}
}

static void pair(struct call *call, struct record *r, uint8_t type, bool reply)
{
	struct request_key k = REQUEST_KEY(&dhcp_dataset, 0, (uint64_t)dhcp_of(r)->xid << 8 | exchange(type));

	memcpy(&k.conversation, dhcp_of(r)->client_mac, 6);
	if (reply) {
		r->outcome = type == 6 ? "failure" : "success";
		record_mark(r, FIELD_OUTCOME);
		requests_answer(call->requests, &k, r);
	} else if (type == 0 || exchange(type)) {
		requests_ask(call->requests, &k, r);
	}
}

/* In the header all zero is none. */
static void set_known(struct record *r, struct addr *to, unsigned int f, const uint8_t *p)
{
	if (memcmp(p, "\0\0\0\0", 4))
		set_addr(r, to, f, p);
}

static void mark_header(struct record *r, const uint8_t *p)
{
	struct cursor c = cursor_over(p + 4, 4);

	dhcp_of(r)->op_code = p[0] == 1 ? "bootrequest" : "bootreply";
	record_mark(r, FIELD_DHCPV4_OP);
	dhcp_of(r)->xid = cursor_be32(&c);
	record_mark(r, FIELD_DHCPV4_XID);
	set_known(r, &dhcp_of(r)->client_ip, FIELD_DHCPV4_CLIENT_IP, p + 12);
	set_known(r, &dhcp_of(r)->assigned_ip, FIELD_DHCPV4_ASSIGNED_IP, p + 16);
	set_known(r, &dhcp_of(r)->server_ip, FIELD_DHCPV4_SERVER_IP, p + 20);
	set_known(r, &dhcp_of(r)->relay_ip, FIELD_DHCPV4_RELAY_IP, p + 24);
	memcpy(dhcp_of(r)->client_mac, p + 28, 6);
	if (p[2] == 6 && (p[1] == ETHERNET || p[1] == IEEE_802))
		record_mark(r, FIELD_DHCPV4_CLIENT_MAC);
}

bool dhcpv4_datagram(struct call *call, bool hinted)
{
	const uint8_t *p = call->pk->payload;
	uint32_t n = call->pk->payload_cap;
	struct options o = { .n_joined = 0 };
	struct dhcp_scratch scratch = { .n = 0 };
	uint16_t parameters[PARAMETERS_MAX];
	uint8_t type = 0, overload;
	struct record r;

	if (n < SNAME || (p[0] != 1 && p[0] != 2) || p[2] > 16)
		return false;
	if (n >= OPTIONS && !memcmp(p + COOKIE_AT, "\x63\x82\x53\x63", 4)) {
		read_options(&o, p + OPTIONS, n - OPTIONS);
		overload = o.n[OPT_OVERLOAD] == 1 ? *o.p[OPT_OVERLOAD] : 0;
		if (overload & 1)
			read_options(&o, p + FILE_, COOKIE_AT - FILE_);
		if (overload & 2)
			read_options(&o, p + SNAME, FILE_ - SNAME);
	} else if (!hinted) {
		return false;
	}
	if (o.n[OPT_TYPE] == 1)
		type = *o.p[OPT_TYPE];
	conv_record(call, NULL, &r, &dhcp_dataset, "dhcp", type_name(type) ? type_name(type) : "unknown");
	packet_macs(call->pk, &r);
	if (!type)
		record_unmark(&r, FIELD_ACTION);
	mark_header(&r, p);
	if (type_name(type)) {
		dhcp_of(&r)->message_type = type_name(type);
		record_mark(&r, FIELD_DHCPV4_MESSAGE_TYPE);
	}
	mark_options(&r, &o, &scratch, parameters);
	pair(call, &r, type, p[0] == 2);
	emit_record(call->e, &r);
	return true;
}

static bool on(const struct packet *pk, uint16_t a, uint16_t b)
{
	return pk->ip.sport == a || pk->ip.dport == a || pk->ip.sport == b || pk->ip.dport == b;
}

static bool take_datagram(struct call *call, bool hinted)
{
	if (hinted && on(call->pk, PORT6_CLIENT, PORT6_SERVER))
		return dhcpv6_datagram(call);
	return dhcpv4_datagram(call, hinted);
}

const struct protocol dhcp_protocol = {
	.name = "dhcp",
	.set = &dhcp_dataset,
	.udp_ports = { PORT_SERVER, PORT_CLIENT, PORT6_CLIENT, PORT6_SERVER },
	.datagram = take_datagram,
};
