// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/cursor.h"
#include "decode/icmp/fields.h"
#include "decode/protocol.h"
#include "numbers/ipproto.h"
#include "util/addr.h"
#include "util/bytes.h"

enum v4_type {
	V4_ECHO_REPLY = 0, V4_UNREACHABLE = 3, V4_QUENCH = 4, V4_REDIRECT = 5, V4_ECHO = 8, V4_EXCEEDED = 11,
	V4_PARAMETER = 12, V4_TIMESTAMP = 13, V4_MASK_REPLY = 18, V4_EXTENDED_ECHO = 42,
	V4_EXTENDED_REPLY = 43, V4_CODE_NEEDS_FRAGMENT = 4,
};

enum v6_type {
	V6_UNREACHABLE = 1, V6_TOO_BIG = 2, V6_PARAMETER = 4, V6_ECHO = 128, V6_ECHO_REPLY = 129,
	V6_LISTENER_QUERY = 130, V6_LISTENER_REPORT = 131, V6_LISTENER_DONE = 132,
	V6_ROUTER_SOLICIT = 133, V6_ROUTER_ADVERT = 134, V6_SOLICIT = 135, V6_ADVERT = 136, V6_REDIRECT = 137,
	V6_LISTENER_REPORT2 = 143, V6_EXTENDED_ECHO = 160, V6_EXTENDED_REPLY = 161,
};

enum nd_option { ND_SOURCE = 1, ND_TARGET = 2, ND_REDIRECTED = 4 };

/* The texts of the groups that a message names, as long as its record lives. */
enum { GROUPS_MAX = 64 };

struct groups {
	struct str name[GROUPS_MAX];
	char text[GROUPS_MAX][ADDR_TEXT_MAX];
};

/* Only how long it took is told.  One that comes again within five seconds is the same. */
static const struct request_rules echo_requests = { .max = 4096, .timeout_ns = 5000000000ull, .silent = true };

static struct addr take_addr(struct cursor *c, uint8_t family)
{
	struct addr a = { .family = family };
	const uint8_t *p = cursor_take(c, family == 6 ? 16 : 4);

	if (p)
		memcpy(a.b, p, family == 6 ? 16 : 4);
	return a;
}

/* RFC 8200, 4 and RFC 4302: go behind extension headers.  False behind a first fragment's place. */
static bool skip_extensions(struct cursor *c, uint8_t *proto)
{
	for (;;) {
		const uint8_t *p;
		uint8_t next;

		switch (*proto) {
		case PROTO_HOPOPT:
		case PROTO_ROUTING:
		case PROTO_DSTOPTS:
		case PROTO_MOBILITY:
		case PROTO_HIP:
		case PROTO_SHIM6:
			p = cursor_take(c, 8);
			next = p ? p[0] : 0;
			if (p)
				cursor_take(c, 8u * p[1]);
			break;
		case PROTO_AH:
			p = cursor_take(c, 8);
			next = p ? p[0] : 0;
			if (p && p[1])
				cursor_take(c, 4u * p[1]);
			break;
		case PROTO_FRAGMENT:
			p = cursor_take(c, 8);
			next = p ? p[0] : 0;
			if (p && (p[2] || p[3] & 0xf8)) {
				*proto = next;
				return false;
			}
			break;
		default:
			return true;
		}
		if (!p)		/* each turn takes eight bytes or ends here */
			return false;
		*proto = next;
	}
}

static void quoted_ports(struct cursor *c, uint8_t proto, struct record *r)
{
	uint16_t sport, dport;

	if (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP && proto != PROTO_UDPLITE)
		return;
	sport = cursor_be16(c);
	dport = cursor_be16(c);
	if (c->bad)
		return;
	icmp_of(r)->orig_sport = sport;
	icmp_of(r)->orig_dport = dport;
	record_mark(r, FIELD_ICMP_ORIG_SRC_PORT);
	record_mark(r, FIELD_ICMP_ORIG_DST_PORT);
}

/* The start of the datagram that an error is about (RFC 792; RFC 4443, 2.4). */
static void quoted(struct cursor c, struct record *r)
{
	const uint8_t *ip = c.p;
	bool six = cursor_left(&c) && ip[0] >> 4 == 6, first;
	struct addr src, dst;
	uint8_t proto;

	if (!cursor_take(&c, six ? 8 : 12) || (!six && (ip[0] >> 4 != 4 || (ip[0] & 15) < 5)))
		return;
	src = take_addr(&c, six ? 6 : 4);
	if (c.bad)
		return;
	icmp_of(r)->orig_src = src;
	record_mark(r, FIELD_ICMP_ORIG_SRC_IP);
	dst = take_addr(&c, six ? 6 : 4);
	if (c.bad)
		return;
	icmp_of(r)->orig_dst = dst;
	record_mark(r, FIELD_ICMP_ORIG_DST_IP);
	proto = ip[six ? 6 : 9];
	first = six || !((ip[6] & 0x1f) || ip[7]);
	if (!six)
		cursor_take(&c, 4u * (ip[0] & 15) - 20);
	if (six || proto == PROTO_AH)
		first = skip_extensions(&c, &proto) && first;
	icmp_of(r)->orig_transport = ipproto_name(proto);
	record_mark(r, FIELD_ICMP_ORIG_TRANSPORT);
	if (first && !c.bad)
		quoted_ports(&c, proto, r);
}

/* RFC 4861, 4.6: type, length in eights, value.  Each turn takes eight bytes or more, or ends. */
static void nd_options(struct cursor c, struct record *r)
{
	while (cursor_left(&c) >= 2) {
		uint8_t type = c.p[0];
		uint32_t len = 8u * c.p[1];
		const uint8_t *p = c.p;
		bool whole;

		if (!len)
			return;
		whole = cursor_left(&c) >= len;
		if ((type == ND_SOURCE || type == ND_TARGET) && len == 8 && whole &&
		    !record_has(r, FIELD_ICMP_ND_LLADDR)) {
			memcpy(icmp_of(r)->nd_lladdr, p + 2, 6);
			record_mark(r, FIELD_ICMP_ND_LLADDR);
		} else if (type == ND_REDIRECTED && icmp_of(r)->type == V6_REDIRECT && cursor_left(&c) > 8) {
			quoted(cursor_over(p + 8, (whole ? len : cursor_left(&c)) - 8), r);
		}
		if (!cursor_take(&c, len))
			return;
	}
}

static void identified(struct cursor c, struct record *r)
{
	uint16_t id = cursor_be16(&c);

	if (c.bad)
		return;
	icmp_of(r)->id = id;
	record_mark(r, FIELD_ICMP_ID);
	icmp_of(r)->seq = cursor_be16(&c);
	if (!c.bad)
		record_mark(r, FIELD_ICMP_SEQ);
}

/* What was a request, and its reply: how long did it take? */
static void pair(struct call *call, struct record *r, bool reply, uint8_t request_type)
{
	bool first = call->pk->is_fragment && !call->pk->reassembled;	/* of fragments: the whole may come */
	struct request_key k = { .set = &icmp_dataset };

	if (!record_has(r, FIELD_ICMP_SEQ))
		return;
	k.conversation = conv_asker(call, reply, false);
	k.id = (uint64_t)request_type << 32 | (uint32_t)icmp_of(r)->id << 16 | icmp_of(r)->seq;
	if (reply && first)
		requests_begin_answer(call->requests, &k, r);
	else if (reply)
		requests_answer(call->requests, &k, r);
	else if (!first)		/* only the whole one asks */
		requests_ask(call->requests, &k, r);
}

/* RFC 8335, 2 and 3: the sequence number has one byte. */
static void extended_echo(struct call *call, struct cursor c, struct record *r,
			  uint8_t request_type)
{
	uint16_t id = cursor_be16(&c);
	uint8_t seq = cursor_u8(&c);

	if (c.bad)
		return;
	icmp_of(r)->id = id;
	icmp_of(r)->seq = seq;
	record_mark(r, FIELD_ICMP_ID);
	record_mark(r, FIELD_ICMP_SEQ);
	pair(call, r, icmp_of(r)->type != request_type, request_type);
}

static void pointer(struct record *r, uint32_t byte)
{
	icmp_of(r)->pointer = byte;
	record_mark(r, FIELD_ICMP_POINTER);
}

static void v4_body(struct call *call, struct cursor c, struct record *r)
{
	uint8_t type = icmp_of(r)->type;
	struct cursor rest = c;

	if (type == V4_ECHO || type == V4_ECHO_REPLY || (type >= V4_TIMESTAMP && type <= V4_MASK_REPLY)) {
		bool reply = type == V4_ECHO_REPLY || (type > V4_TIMESTAMP && type % 2 == 0);

		identified(c, r);
		pair(call, r, reply, type == V4_ECHO_REPLY ? V4_ECHO : (uint8_t)(type - reply));
		return;
	}
	if (type == V4_EXTENDED_ECHO || type == V4_EXTENDED_REPLY) {
		extended_echo(call, c, r, V4_EXTENDED_ECHO);
		return;
	}
	if (type != V4_UNREACHABLE && type != V4_QUENCH && type != V4_REDIRECT && type != V4_EXCEEDED &&
	    type != V4_PARAMETER)
		return;
	if (!cursor_take(&rest, 4))
		return;
	if (type == V4_UNREACHABLE && icmp_of(r)->code == V4_CODE_NEEDS_FRAGMENT) {
		icmp_of(r)->mtu = be16(c.p + 2);
		record_mark(r, FIELD_ICMP_MTU);
	} else if (type == V4_REDIRECT) {
		icmp_of(r)->gateway = take_addr(&c, 4);
		record_mark(r, FIELD_ICMP_GATEWAY);
	} else if (type == V4_PARAMETER) {
		pointer(r, c.p[0]);
	}
	quoted(rest, r);
}

static void nd_body(struct cursor c, struct record *r)
{
	uint8_t type = icmp_of(r)->type;

	cursor_take(&c, type == V6_ROUTER_ADVERT ? 12 : 4);
	if (type >= V6_SOLICIT) {
		struct addr target = take_addr(&c, 6);

		if (c.bad)
			return;
		icmp_of(r)->nd_target = target;
		record_mark(r, FIELD_ICMP_ND_TARGET);
	}
	if (type == V6_REDIRECT) {
		struct addr destination = take_addr(&c, 6);

		if (c.bad)
			return;
		icmp_of(r)->nd_destination = destination;
		record_mark(r, FIELD_ICMP_ND_DESTINATION);
	}
	if (!c.bad)
		nd_options(c, r);
}

static void add_group(struct groups *g, const struct addr *a, struct record *r)
{
	uint32_t i = icmp_of(r)->groups.n;

	if (i == GROUPS_MAX) {
		r->truncated = true;
		record_mark(r, FIELD_TRUNCATED);
		return;
	}
	g->name[i] = (struct str){ g->text[i], addr_text(g->text[i], a) };
	icmp_of(r)->groups = (struct list){ g->name, i + 1 };
	record_mark(r, FIELD_ICMP_GROUPS);
}

/* RFC 2710, 3; a query of RFC 3810 begins the same way.  That for all groups names none. */
static void listener(struct cursor c, struct groups *g, struct record *r)
{
	static const uint8_t all[16];
	struct addr group;

	icmp_of(r)->groups.n = 0;
	cursor_take(&c, 4);
	group = take_addr(&c, 6);
	if (!c.bad && memcmp(group.b, all, sizeof(all)) != 0)
		add_group(g, &group, r);
}

/* RFC 3810, 5.2.  Each turn takes 20 bytes or ends. */
static void listener_report(struct cursor c, struct groups *g, struct record *r)
{
	uint16_t n;

	icmp_of(r)->groups.n = 0;
	cursor_take(&c, 2);
	n = cursor_be16(&c);
	if (c.bad)
		return;
	icmp_of(r)->groups_count = n;
	record_mark(r, FIELD_ICMP_GROUPS_COUNT);
	for (; n; n--) {
		const uint8_t *h = cursor_take(&c, 4);
		struct addr group = take_addr(&c, 6);

		if (!h || c.bad)
			return;
		add_group(g, &group, r);
		cursor_take(&c, 16u * be16(h + 2) + 4u * h[1]);
	}
}

static void v6_error(struct cursor c, struct record *r)
{
	uint32_t word = cursor_be32(&c);

	if (c.bad)
		return;
	if (icmp_of(r)->type == V6_TOO_BIG) {
		icmp_of(r)->mtu = word;
		record_mark(r, FIELD_ICMP_MTU);
	} else if (icmp_of(r)->type == V6_PARAMETER) {
		pointer(r, word);
	}
	quoted(c, r);
}

static void v6_body(struct call *call, struct cursor c, struct groups *g,
		    struct record *r)
{
	uint8_t type = icmp_of(r)->type;

	if (type == V6_ECHO || type == V6_ECHO_REPLY) {
		identified(c, r);
		pair(call, r, type == V6_ECHO_REPLY, V6_ECHO);
	} else if (type >= V6_ROUTER_SOLICIT && type <= V6_REDIRECT) {
		nd_body(c, r);
	} else if (type >= V6_UNREACHABLE && type <= V6_PARAMETER) {
		v6_error(c, r);
	} else if (type >= V6_LISTENER_QUERY && type <= V6_LISTENER_DONE) {
		listener(c, g, r);
	} else if (type == V6_LISTENER_REPORT2) {
		listener_report(c, g, r);
	} else if (type == V6_EXTENDED_ECHO || type == V6_EXTENDED_REPLY) {
		extended_echo(call, c, r, V6_EXTENDED_ECHO);
	}
}

/*
 * The protocol number says which of the two it is, whatever the IP version.  What of a cut
 * message was captured is told.
 */
static bool packet(struct call *call)
{
	const struct packet *pk = call->pk;
	struct groups groups;
	struct cursor c;
	struct record r;

	if (!pk->ip.version || (pk->ip.proto != PROTO_ICMP && pk->ip.proto != PROTO_ICMPV6))
		return false;
	if (!pk->l4 || !pk->l4_cap || (pk->is_fragment && !pk->reassembled && !pk->frag_first))
		return true;
	c = cursor_over(pk->l4, pk->l4_cap < pk->l4_len ? pk->l4_cap : pk->l4_len);
	if (!cursor_left(&c))
		return true;
	call_record(call, &r, &icmp_dataset);
	icmp_of(&r)->type = cursor_u8(&c);
	record_mark(&r, FIELD_ICMP_TYPE);
	icmp_of(&r)->code = cursor_u8(&c);
	if (!c.bad)
		record_mark(&r, FIELD_ICMP_CODE);
	if (cursor_take(&c, 2)) {	/* checksum */
		if (pk->ip.proto == PROTO_ICMP)
			v4_body(call, c, &r);
		else
			v6_body(call, c, &groups, &r);
	}
	emit_record(call->e, &r);
	return true;
}

const struct protocol icmp_protocol = {
	.name = "icmp",
	.set = &icmp_dataset,
	.requests = &echo_requests,
	.packet = packet,
};
