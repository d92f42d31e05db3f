// SPDX-License-Identifier: GPL-2.0-or-later
/* Link headers, as -e shows them. */
#include "numbers/ethertype.h"
#include "numbers/linktype.h"
#include "text/parts.h"
#include "util/addr.h"
#include "util/bytes.h"

/* The name tcpdump has for an EtherType. */
static void put_ethertype(struct buf *b, uint16_t type)
{
	const char *name = ethertype_name(type);

	buf_lit(b, "ethertype ");
	buf_str(b, name ? name : "Unknown");
	buf_lit(b, " (0x");
	buf_hex(b, type, 4);
	buf_lit(b, ")");
}

bool line_ethernet(const struct record *r, struct buf *b)
{
	const struct frame *f = r->frame;
	uint32_t at = 12;
	uint16_t type, tci;

	if (!f || f->link != LINK_ETHERNET || f->cap_len < 14)
		return false;
	mac_print(b, f->data + 6);
	buf_lit(b, " > ");
	mac_print(b, f->data);
	buf_lit(b, ", ");
	type = be16(f->data + at);
	if (type < 0x600)
		buf_lit(b, "802.3");
	else
		put_ethertype(b, type);
	buf_lit(b, ", length ");
	buf_u64(b, f->len);
	buf_lit(b, ": ");
	for (; ethertype_is_vlan(type) && at + 6 <= f->cap_len; at += 4) {
		tci = be16(f->data + at + 2);
		type = be16(f->data + at + 4);
		buf_lit(b, "vlan ");
		buf_u64(b, tci & 0xfff);
		buf_lit(b, ", p ");
		buf_u64(b, tci >> 13);
		if (tci & 0x1000)
			buf_lit(b, ", DEI");
		buf_lit(b, ", ");
		if (type < 0x600)
			break;
		put_ethertype(b, type);
		buf_lit(b, ", ");
	}
	return true;
}

static void put_length(const struct frame *f, struct buf *b)
{
	buf_lit(b, ", length ");
	buf_u64(b, f->len);
	buf_lit(b, ": ");
}

static void put_number(struct buf *b, const char *what, uint64_t n)
{
	buf_str(b, what);
	buf_u64(b, n);
}

/* Linux cooked: packet type, sender's address of n bytes, protocol. */
static void put_cooked(const struct frame *f, unsigned int type, const uint8_t *addr, unsigned int n, uint16_t proto,
		       struct buf *b)
{
	static const char *const types[] = { " In", "  B", "  M", "  P", "Out" };

	buf_str(b, type < sizeof(types) / sizeof(types[0]) ? types[type] : "  ?");
	buf_chr(b, ' ');
	if (n == 6) {
		mac_print(b, addr);
		buf_chr(b, ' ');
	}
	if (proto < 0x600)
		buf_lit(b, "802.3");
	else
		put_ethertype(b, proto);
	put_length(f, b);
}

/* The family of BSD loopback, in the writer's byte order. */
static void put_family_number(const struct frame *f, struct buf *b)
{
	const uint8_t *h = f->data;
	uint32_t v = be32(h) <= 0xffff ? be32(h) : le32(h);

	bool v6 = v == 10 || v == 24 || v == 28 || v == 30;

	put_number(b, v == 2 ? "AF IPv4 (" : v6 ? "AF IPv6 (" : "AF Unknown (", v);
	buf_chr(b, ')');
	put_length(f, b);
}

/* RFC 1661: address and control, and the high byte of the protocol, may be left out. */
static void put_ppp(const struct frame *f, struct buf *b)
{
	const uint8_t *h = f->data;

	h += h[0] == 0xff && h[1] == 3 ? 2 : 0;
	buf_lit(b, "PPP, protocol 0x");
	buf_hex(b, h[0] & 1 ? h[0] : be16(h), 4);
	put_length(f, b);
}

/* Cisco HDLC: an address, zero, an EtherType. */
static void put_chdlc(const struct frame *f, struct buf *b)
{
	buf_lit(b, "CHDLC, ");
	put_ethertype(b, be16(f->data + 2));
	put_length(f, b);
}

static void put_frame_relay(const struct frame *f, struct buf *b)
{
	put_number(b, "Q.922, DLCI ", (f->data[0] & 0xfcu) << 2 | f->data[1] >> 4);
	put_length(f, b);
}

static void put_nflog(const struct frame *f, struct buf *b)
{
	const uint8_t *h = f->data;

	put_number(b, "NFLOG, family ", h[0]);
	put_number(b, h[0] == 2 ? " (IPv4), resource ID " : h[0] == 10 ? " (IPv6), resource ID " : ", resource ID ",
		   be16(h + 2));
	put_length(f, b);
}

/* Links that have two addresses, and where. */
static const struct {
	uint16_t link;
	uint8_t dst, src;
} addresses[] = {
	{ 6, 2, 8 }, { 10, 1, 7 }, { 122, 2, 10 }, { 281, 0, 6 }, { 282, 4, 10 }, { 284, 0, 6 }, { 285, 0, 6 },
};

static void put_other(const struct frame *f, struct buf *b)
{
	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (addresses[i].link != f->link || f->cap_len < addresses[i].src + 6u)
			continue;
		mac_print(b, f->data + addresses[i].src);
		buf_lit(b, " > ");
		mac_print(b, f->data + addresses[i].dst);
		buf_lit(b, ", ");
	}
	put_number(b, "link type ", f->link);
	put_length(f, b);
}

/* Those that say what follows.  False: it is none of them, or cut. */
static bool put_known(const struct frame *f, struct buf *b)
{
	const uint8_t *h = f->data;

	if (f->link == LINK_SLL && f->cap_len >= 16)
		put_cooked(f, be16(h), h + 6, be16(h + 4), be16(h + 14), b);
	else if (f->link == LINK_SLL2 && f->cap_len >= 20)
		put_cooked(f, h[10], h + 12, h[11], be16(h), b);
	else if ((f->link == LINK_NULL || f->link == LINK_LOOP || f->link == LINK_ENC) && f->cap_len >= 4)
		put_family_number(f, b);
	else if (f->link == LINK_CHDLC && f->cap_len >= 4)
		put_chdlc(f, b);
	else if (f->link == LINK_PPP_HDLC && f->cap_len >= 4 && (h[0] & 0x7f) == 0x0f)
		put_chdlc(f, b);
	else if ((f->link == LINK_PPP || f->link == LINK_PPP_HDLC) && f->cap_len >= 4)
		put_ppp(f, b);
	else if (f->link == LINK_FRELAY && f->cap_len >= 2)
		put_frame_relay(f, b);
	else if (f->link == LINK_NFLOG && f->cap_len >= 4)
		put_nflog(f, b);
	else
		return false;
	return true;
}

bool line_link(const struct record *r, struct buf *b)
{
	const struct frame *f = r->frame;

	if (!f || f->link == LINK_ETHERNET)
		return line_ethernet(r, b);
	if (f->link == LINK_RAW || f->link == LINK_IPV4 || f->link == LINK_IPV6)
		return false;		/* no header at all */
	if (put_known(f, b))
		return f->link == LINK_SLL || f->link == LINK_SLL2 || f->link == LINK_CHDLC;
	put_other(f, b);
	return false;
}
