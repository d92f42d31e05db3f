// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/icmp/fields.h"
#include "text/parts.h"
#include "util/addr.h"

static void put_orig_dst(const struct record *r, struct buf *b)
{
	if (record_has(r, FIELD_ICMP_ORIG_DST_IP))
		addr_print(b, &icmp_of(r)->orig_dst);
	else
		buf_chr(b, '?');
}

/* What of them was captured, each with `comma` before it. */
static void put_id_seq(const struct record *r, const char *comma, struct buf *b)
{
	if (!record_has(r, FIELD_ICMP_ID))
		return;
	buf_str(b, comma);
	buf_lit(b, " id ");
	buf_u64(b, icmp_of(r)->id);
	if (!record_has(r, FIELD_ICMP_SEQ))
		return;
	buf_str(b, comma);
	buf_lit(b, " seq ");
	buf_u64(b, icmp_of(r)->seq);
}

static void put_unknown_type(struct buf *b, uint8_t type)
{
	buf_lit(b, "type-#");
	buf_u64(b, type);
}

/* What is not reachable, before and after the address.  NULL: another shape. */
static const struct { const char *before, *after; } unreachable[] = {
	[0] = { "net ", " unreachable" },
	[1] = { "host ", " unreachable" },
	[5] = { "", " unreachable - source route failed" },
	[6] = { "net ", " unreachable - unknown" },
	[7] = { "host ", " unreachable - unknown" },
	[8] = { "", " unreachable - source host isolated" },
	[9] = { "net ", " unreachable - admin prohibited" },
	[10] = { "host ", " unreachable - admin prohibited" },
	[11] = { "net ", " unreachable - tos prohibited" },
	[12] = { "host ", " unreachable - tos prohibited" },
	[13] = { "host ", " unreachable - admin prohibited filter" },
	[14] = { "host ", " unreachable - host precedence violation" },
	[15] = { "host ", " unreachable - precedence cutoff" },
};

static void put_unreachable(const struct record *r, struct buf *b)
{
	uint8_t code = icmp_of(r)->code;

	switch (code) {
	case 2:
	case 3:
		put_orig_dst(r, b);
		buf_chr(b, ' ');
		if (code == 3 && record_has(r, FIELD_ICMP_ORIG_DST_PORT)) {
			buf_str(b, icmp_of(r)->orig_transport);
			buf_lit(b, " port ");
			buf_u64(b, icmp_of(r)->orig_dport);
		} else {
			buf_lit(b, "protocol ");
			buf_str(b, record_has(r, FIELD_ICMP_ORIG_TRANSPORT) ? icmp_of(r)->orig_transport : "?");
		}
		buf_lit(b, " unreachable");
		return;
	case 4:
		put_orig_dst(r, b);
		buf_lit(b, " unreachable - need to frag");
		if (record_has(r, FIELD_ICMP_MTU)) {
			buf_lit(b, " (mtu ");
			buf_u64(b, icmp_of(r)->mtu);
			buf_lit(b, ")");
		}
		return;
	default:
		break;
	}
	if (code >= sizeof(unreachable) / sizeof(unreachable[0])) {
		put_orig_dst(r, b);
		buf_lit(b, " unreachable - #");
		buf_u64(b, code);
		return;
	}
	buf_str(b, unreachable[code].before);
	put_orig_dst(r, b);
	buf_str(b, unreachable[code].after);
}

static void put_redirect(const struct record *r, struct buf *b)
{
	buf_str(b, icmp_of(r)->code == 2 || icmp_of(r)->code == 3 ? "redirect-tos " : "redirect ");
	put_orig_dst(r, b);
	buf_str(b, icmp_of(r)->code == 0 || icmp_of(r)->code == 2 ? " to net " : " to host ");
	if (record_has(r, FIELD_ICMP_GATEWAY))
		addr_print(b, &icmp_of(r)->gateway);
}

static void put_time_exceeded(const struct record *r, struct buf *b)
{
	if (icmp_of(r)->code == 0) {
		buf_lit(b, "time exceeded in-transit");
	} else if (icmp_of(r)->code == 1) {
		buf_lit(b, "ip reassembly time exceeded");
	} else {
		buf_lit(b, "time exceeded-#");
		buf_u64(b, icmp_of(r)->code);
	}
}

/* RFC 792; the other codes are about something that is missing, or all of it. */
static void put_parameter4(const struct record *r, struct buf *b)
{
	buf_str(b, "parameter problem - ");
	if (icmp_of(r)->code || !record_has(r, FIELD_ICMP_POINTER)) {
		buf_lit(b, "code ");
		buf_u64(b, icmp_of(r)->code);
	} else {
		buf_lit(b, "octet ");
		buf_u64(b, icmp_of(r)->pointer);
	}
}

/* RFC 8335, 3: why there is no answer. */
static void put_extended_reply(const struct record *r, struct buf *b)
{
	static const char *const codes[] = {
		"malformed query", "no such interface", "no such table entry", "multiple interfaces satisfy query",
	};
	uint8_t code = icmp_of(r)->code;

	if (!record_has(r, FIELD_ICMP_CODE) || !code)
		return;
	buf_lit(b, " - ");
	if (code <= sizeof(codes) / sizeof(codes[0])) {
		buf_str(b, codes[code - 1]);
	} else {
		buf_lit(b, "code ");
		buf_u64(b, code);
	}
}

static const char *const icmp_names[] = {
	[0] = "echo reply", [4] = "source quench", [8] = "echo request", [9] = "router advertisement",
	[10] = "router solicitation", [13] = "time stamp query", [14] = "time stamp reply",
	[15] = "information request", [16] = "information reply", [17] = "address mask request",
	[18] = "address mask reply", [42] = "extended echo request", [43] = "extended echo reply",
};

static void put_icmp4(const struct record *r, struct buf *b)
{
	uint8_t type = icmp_of(r)->type;

	buf_lit(b, "ICMP ");
	switch (type) {
	case 3:
		put_unreachable(r, b);
		break;
	case 5:
		put_redirect(r, b);
		break;
	case 11:
		put_time_exceeded(r, b);
		break;
	case 12:
		put_parameter4(r, b);
		break;
	default:
		if (type >= sizeof(icmp_names) / sizeof(icmp_names[0]) || !icmp_names[type]) {
			put_unknown_type(b, type);
			break;
		}
		buf_str(b, icmp_names[type]);
		if (type == 43)
			put_extended_reply(r, b);
		if (type == 0 || type == 8 || type == 42 || type == 43)
			put_id_seq(r, ",", b);
		if (type == 13 || type == 14)
			put_id_seq(r, "", b);
	}
}

static const char *icmp6_name(uint8_t type)
{
	static const char *const errors[] = {
		[1] = "destination unreachable", [2] = "packet too big",
		[3] = "time exceeded in-transit", [4] = "parameter problem",
	};
	static const char *const from_128[] = {
		"echo request", "echo reply", "multicast listener query",
		"multicast listener report", "multicast listener done", "router solicitation",
		"router advertisement", "neighbor solicitation", "neighbor advertisement",
		"redirect", "router renumbering", "node information query",
		"node information reply", "inverse neighbor solicitation",
		"inverse neighbor advertisement", "multicast listener report v2",
		"dhaad request", "dhaad reply", "mobile prefix solicitation",
		"mobile prefix advertisement", "certification path solicitation",
		"certification path advertisement", NULL, "multicast router advertisement",
		"multicast router solicitation", "multicast router termination", NULL, "RPL control",
	};

	if (type < sizeof(errors) / sizeof(errors[0]))
		return errors[type];
	if (type == 160 || type == 161)
		return type == 160 ? "extended echo request" : "extended echo reply";
	if (type >= 128 && type - 128u < sizeof(from_128) / sizeof(from_128[0]))
		return from_128[type - 128];
	return NULL;
}

/* RFC 4443, 3.1 */
static void put_unreachable6(const struct record *r, struct buf *b)
{
	static const char *const codes[] = {
		"unreachable route", "unreachable prohibited", "beyond scope", "unreachable address",
		"unreachable port", "source address failed policy", "reject route to destination",
	};
	uint8_t code = icmp_of(r)->code;

	buf_lit(b, ", ");
	if (code >= sizeof(codes) / sizeof(codes[0])) {
		buf_lit(b, "unknown unreach code (");
		buf_u64(b, code);
		buf_lit(b, ")");
		return;
	}
	buf_str(b, codes[code]);
	if (!record_has(r, FIELD_ICMP_ORIG_DST_IP) || code > 4)
		return;
	if (code == 4)
		buf_chr(b, ',');
	buf_chr(b, ' ');
	addr_print(b, &icmp_of(r)->orig_dst);
	if (code == 2 && record_has(r, FIELD_ICMP_ORIG_SRC_IP)) {
		buf_lit(b, ", source address ");
		addr_print(b, &icmp_of(r)->orig_src);
	}
	if (code == 4 && record_has(r, FIELD_ICMP_ORIG_DST_PORT)) {
		buf_chr(b, ' ');
		buf_str(b, icmp_of(r)->orig_transport);
		buf_lit(b, " port ");
		buf_u64(b, icmp_of(r)->orig_dport);
	}
}

/* RFC 4443, 3.4; RFC 7112, 5; RFC 8754, 4.3.1 */
static void put_parameter6(const struct record *r, struct buf *b)
{
	static const char *const codes[] = {
		"erroneous", "next header", "option", "incomplete header chain", "segment routing upper-layer header",
	};
	uint8_t code = icmp_of(r)->code;

	if (!record_has(r, FIELD_ICMP_CODE))
		return;
	buf_lit(b, ", ");
	if (code < sizeof(codes) / sizeof(codes[0])) {
		buf_str(b, codes[code]);
	} else {
		buf_lit(b, "code-#");
		buf_u64(b, code);
	}
	if (record_has(r, FIELD_ICMP_POINTER)) {
		buf_lit(b, " - octet ");
		buf_u64(b, icmp_of(r)->pointer);
	}
}

static void put_redirect6(const struct record *r, struct buf *b)
{
	if (record_has(r, FIELD_ICMP_ND_DESTINATION)) {
		buf_lit(b, ", ");
		addr_print(b, &icmp_of(r)->nd_destination);
	} else if (record_has(r, FIELD_ICMP_ND_TARGET)) {
		buf_chr(b, ',');
	}
	if (record_has(r, FIELD_ICMP_ND_TARGET)) {
		buf_lit(b, " to ");
		addr_print(b, &icmp_of(r)->nd_target);
	}
}

/* A report's groups stand there when asked for: there may be many. */
static void put_groups(const struct line_state *st, const struct record *r, struct buf *b)
{
	const struct str *s = icmp_of(r)->groups.p;
	uint32_t i;

	if (record_has(r, FIELD_ICMP_GROUPS_COUNT)) {
		buf_lit(b, ", ");
		buf_u64(b, icmp_of(r)->groups_count);
		buf_lit(b, " group record(s)");
		if (!st->opt.verbose)
			return;
	}
	for (i = 0; record_has(r, FIELD_ICMP_GROUPS) && i < icmp_of(r)->groups.n; i++) {
		buf_str(b, " [gaddr ");
		line_text(b, s[i].p, s[i].n);
		buf_chr(b, ']');
	}
}

static void put_nd_target(const struct record *r, struct buf *b, const char *before)
{
	if (!record_has(r, FIELD_ICMP_ND_TARGET))
		return;
	buf_str(b, before);
	addr_print(b, &icmp_of(r)->nd_target);
}

static void put_icmp6_body(const struct line_state *st, const struct record *r, struct buf *b)
{
	switch (icmp_of(r)->type) {
	case 1:
		put_unreachable6(r, b);
		break;
	case 2:
		if (record_has(r, FIELD_ICMP_MTU)) {
			buf_lit(b, ", mtu ");
			buf_u64(b, icmp_of(r)->mtu);
		}
		break;
	case 3:
		if (icmp_of(r)->code == 1) {
			buf_lit(b, " (reassembly)");
		} else if (record_has(r, FIELD_ICMP_ORIG_DST_IP)) {
			buf_lit(b, " for ");
			addr_print(b, &icmp_of(r)->orig_dst);
		}
		break;
	case 4:
		put_parameter6(r, b);
		break;
	case 161:
		put_extended_reply(r, b);
		put_id_seq(r, ",", b);
		break;
	case 128:
	case 129:
	case 160:
		put_id_seq(r, ",", b);
		break;
	case 130:
	case 131:
	case 132:
	case 143:
		put_groups(st, r, b);
		break;
	case 135:
		put_nd_target(r, b, ", who has ");
		break;
	case 136:
		put_nd_target(r, b, ", tgt is ");
		break;
	case 137:
		put_redirect6(r, b);
		break;
	default:
		break;
	}
}

static void put_icmp6(const struct line_state *st, const struct record *r, struct buf *b)
{
	const char *name = icmp6_name(icmp_of(r)->type);

	buf_lit(b, "ICMP6, ");
	if (name) {
		buf_str(b, name);
	} else {
		buf_lit(b, "unknown icmp6 type (");
		buf_u64(b, icmp_of(r)->type);
		buf_lit(b, ")");
	}
	put_icmp6_body(st, r, b);
}

static void put_type(const struct record *r, struct buf *b)
{
	uint8_t type = icmp_of(r)->type;
	bool six = r->src.family == 6;
	const char *name = six						    ? icmp6_name(type) :
			   type < sizeof(icmp_names) / sizeof(icmp_names[0]) ? icmp_names[type] :
									       NULL;

	buf_str(b, six ? "ICMP6, " : "ICMP ");
	if (name)
		buf_str(b, name);
	else
		put_unknown_type(b, type);
}

void icmp_line(struct line_state *st, const struct record *r, struct buf *b)
{
	if (!record_has(r, FIELD_ICMP_CODE)) {		/* cut before it */
		put_type(r, b);
	} else if (r->src.family == 6) {
		put_icmp6(st, r, b);
	} else {
		put_icmp4(r, b);
	}
	buf_lit(b, ", length ");
	buf_u64(b, r->rest_len);
}
