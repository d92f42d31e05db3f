// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/arp/fields.h"
#include "numbers/ethertype.h"
#include "text/parts.h"
#include "util/addr.h"

enum { REQUEST = 1, REPLY, REVERSE_REQUEST, REVERSE_REPLY, INVERSE_REQUEST = 8, INVERSE_REPLY };

static void put_ip(const struct record *r, unsigned int f, struct buf *b)
{
	if (record_has(r, f))
		addr_print(b, record_at(r, f));
	else
		buf_chr(b, '?');
}

/* A hardware address, as Ethernet's or of any length. */
static void put_hardware(const struct record *r, unsigned int mac, unsigned int other, struct buf *b)
{
	const struct str *s = record_at(r, other);

	if (record_has(r, mac))
		mac_print(b, record_at(r, mac));
	else if (record_has(r, other))
		line_text(b, s->p, s->n);
	else
		buf_chr(b, '?');
}

static void put_sender(const struct record *r, struct buf *b)
{
	put_hardware(r, FIELD_ARP_SENDER_MAC, FIELD_ARP_SENDER_HW, b);
}

static void put_target(const struct record *r, struct buf *b)
{
	put_hardware(r, FIELD_ARP_TARGET_MAC, FIELD_ARP_TARGET_HW, b);
}

/* Who asks does not know the target's address, but may say whom he takes it for. */
static bool has_target(const struct record *r)
{
	if (record_has(r, FIELD_ARP_TARGET_MAC))
		return memcmp(arp_of(r)->target_mac, "\0\0\0\0\0", 6) != 0;
	if (!record_has(r, FIELD_ARP_TARGET_HW))
		return false;
	for (uint32_t i = 0; i < arp_of(r)->target_hw.n; i++)
		if (arp_of(r)->target_hw.p[i] != '0' && arp_of(r)->target_hw.p[i] != ':')
			return true;
	return false;
}

static void put_request(const struct record *r, struct buf *b)
{
	buf_lit(b, "Request who-has ");
	put_ip(r, FIELD_ARP_TARGET_IP, b);
	if (has_target(r)) {
		buf_lit(b, " (");
		put_target(r, b);
		buf_lit(b, ")");
	}
	buf_lit(b, " tell ");
	put_ip(r, FIELD_ARP_SENDER_IP, b);
}

static void put_ends(const struct record *r, struct buf *b)
{
	switch (arp_of(r)->opcode) {
	case REQUEST:
		put_request(r, b);
		break;
	case REPLY:
		buf_lit(b, "Reply ");
		put_ip(r, FIELD_ARP_SENDER_IP, b);
		buf_lit(b, " is-at ");
		put_sender(r, b);
		break;
	case REVERSE_REQUEST:
	case INVERSE_REQUEST:
		buf_str(b, arp_of(r)->opcode == INVERSE_REQUEST ? "Inverse " : "");
		buf_lit(b, "Request who-is ");
		put_target(r, b);
		buf_lit(b, " tell ");
		put_sender(r, b);
		break;
	case REVERSE_REPLY:
		buf_lit(b, "Reply ");
		put_target(r, b);
		buf_lit(b, " at ");
		put_ip(r, FIELD_ARP_TARGET_IP, b);
		break;
	case INVERSE_REPLY:
		buf_lit(b, "Inverse Reply ");
		put_sender(r, b);
		buf_lit(b, " at ");
		put_ip(r, FIELD_ARP_SENDER_IP, b);
		break;
	default:
		buf_lit(b, "Unknown (");
		buf_u64(b, arp_of(r)->opcode);
		buf_lit(b, ")");
	}
}

static const char *hardware_name(uint16_t type)
{
	switch (type) {		/* IANA, ARP parameters; tcpdump's words */
	case 1: return "Ethernet";
	case 6: return "TokenRing";
	case 7: return "ArcNet";
	case 15: return "FrameRelay";
	case 19: return "ATM";
	case 23: return "Strip";
	case 24: return "IEEE 1394";
	case 32: return "InfiniBand";
	default: return NULL;
	}
}

/* "Ethernet (len 6), IPv4 (len 4)" */
static void put_types(const struct record *r, struct buf *b)
{
	uint16_t hw_type = record_has(r, FIELD_ARP_HW_TYPE) ? arp_of(r)->hw_type : 1;
	uint16_t pro_type = record_has(r, FIELD_ARP_PRO_TYPE) ? arp_of(r)->pro_type : ETHERTYPE_IPV4;
	const char *hw = hardware_name(hw_type), *pro = ethertype_name(pro_type);

	if (hw) {
		buf_str(b, hw);
	} else {
		buf_lit(b, "Unknown Hardware (");
		buf_u64(b, hw_type);
		buf_lit(b, ")");
	}
	buf_lit(b, " (len ");
	buf_u64(b, arp_of(r)->hw_len);
	buf_lit(b, "), ");
	if (pro) {
		buf_str(b, pro);
	} else {
		buf_lit(b, "Unknown Protocol (0x");
		buf_hex(b, pro_type, 4);
		buf_lit(b, ")");
	}
	buf_lit(b, " (len ");
	buf_u64(b, arp_of(r)->pro_len);
	buf_lit(b, ")");
}

void arp_line(struct line_state *st, const struct record *r, struct buf *b)
{
	bool reverse = arp_of(r)->opcode == REVERSE_REQUEST || arp_of(r)->opcode == REVERSE_REPLY;
	bool foreign = record_has(r, FIELD_ARP_PRO_TYPE);

	if (!st->is_named)
		buf_str(b, reverse ? "Reverse ARP, " : "ARP, ");
	if (foreign || st->opt.verbose)
		put_types(r, b);
	if (!foreign) {
		if (st->opt.verbose)
			buf_lit(b, ", ");
		put_ends(r, b);
	}
	buf_lit(b, ", length ");
	buf_u64(b, r->rest_len);
}
