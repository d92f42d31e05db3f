// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/arp/fields.h"
#include "decode/cursor.h"
#include "decode/protocol.h"

enum {
	HW_ETHERNET = 1, HW_IEEE802 = 6, HW_ATM = 19,	/* IANA, ARP parameters */
	PRO_IP = 0x0800, PRO_TRAILER = 0x1000,
};

enum { BYTES_MAX = 255 };
struct layout { bool mac, ip; uint16_t hw, pro; uint8_t hlen, plen; };

/* "00:0a:…", three characters a byte, the last colon not told. */
static struct str in_hex(char *to, const uint8_t *p, uint8_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < n; i++) {
		to[3 * i] = digits[p[i] >> 4];
		to[3 * i + 1] = digits[p[i] & 15];
		to[3 * i + 2] = ':';
	}
	return (struct str){ to, 3u * n - 1 };
}

/* A hardware address: Ethernet's goes to `mac`, another one to `other`, by way of `text`. */
struct hardware {
	unsigned int mac_field, other_field;
	uint8_t *mac;
	struct str *other;
	char text[3 * BYTES_MAX];
};

static void hardware(struct cursor *c, const struct layout *l, struct record *r, struct hardware *h)
{
	const uint8_t *p = cursor_take(c, l->hlen);

	if (!p || !l->hlen)
		return;
	if (l->mac) {
		memcpy(h->mac, p, 6);
		record_mark(r, h->mac_field);
	} else {
		*h->other = in_hex(h->text, p, l->hlen);
		record_mark(r, h->other_field);
	}
}

static void protocol(struct cursor *c, const struct layout *l, struct record *r, unsigned int f,
		     struct addr *ip)
{
	const uint8_t *p = cursor_take(c, l->plen);

	if (!p || !l->ip)
		return;
	*ip = (struct addr){ .family = 4 };
	memcpy(ip->b, p, 4);
	record_mark(r, f);
}

/* What the addresses are of, told where it is not Ethernet and IPv4. */
static void types(const struct layout *l, struct record *r)
{
	if (l->hw != HW_ETHERNET) {
		arp_of(r)->hw_type = l->hw;
		record_mark(r, FIELD_ARP_HW_TYPE);
	}
	if (!l->ip || !l->hlen || l->hw == HW_ATM) {
		arp_of(r)->pro_type = l->pro;
		record_mark(r, FIELD_ARP_PRO_TYPE);
	}
}

static void cut(const struct packet *pk, const struct layout *l, struct record *r)
{
	if (pk->malformed)
		return;
	r->malformed = pk->l3_len < 8 + 2u * (l->hlen + l->plen) ? "too-short" : "truncated";
	record_mark(r, FIELD_MALFORMED);
}

/*
 * RFC 826; RARP (RFC 903) and InARP (RFC 2390) differ in the opcode only.  Addresses are as
 * long as the header says, and told if all of them are there; protocol addresses are if they are IPv4's.
 * ATM lays them out in another way (RFC 2225), so of that only the opcode is.
 */
static void message(struct call *call)
{
	const struct packet *pk = call->pk;
	struct cursor c = cursor_over(pk->l3, pk->l3_cap);
	struct layout l;
	uint16_t opcode;
	struct record r;
	struct hardware sender = { .mac_field = FIELD_ARP_SENDER_MAC, .other_field = FIELD_ARP_SENDER_HW };
	struct hardware target = { .mac_field = FIELD_ARP_TARGET_MAC, .other_field = FIELD_ARP_TARGET_HW };

	l.hw = cursor_be16(&c);
	l.pro = cursor_be16(&c);
	l.hlen = cursor_u8(&c);
	l.plen = cursor_u8(&c);
	opcode = cursor_be16(&c);
	if (c.bad)
		return;
	call_record(call, &r, &arp_dataset);
	packet_macs(pk, &r);
	r.net_type = "arp";
	record_mark(&r, FIELD_NET_TYPE);
	arp_of(&r)->hw_len = l.hlen;
	arp_of(&r)->pro_len = l.plen;
	arp_of(&r)->opcode = opcode;
	record_mark(&r, FIELD_ARP_OPCODE);
	l.mac = l.hlen == 6 && (l.hw == HW_ETHERNET || l.hw == HW_IEEE802);
	l.ip = l.plen == 4 && (l.pro == PRO_IP || l.pro == PRO_TRAILER);
	types(&l, &r);
	if (cursor_left(&c) < 2u * (l.hlen + l.plen)) {
		cut(pk, &l, &r);
	} else if (l.hw != HW_ATM) {
		sender.mac = arp_of(&r)->sender_mac;
		sender.other = &arp_of(&r)->sender_hw;
		target.mac = arp_of(&r)->target_mac;
		target.other = &arp_of(&r)->target_hw;
		hardware(&c, &l, &r, &sender);
		protocol(&c, &l, &r, FIELD_ARP_SENDER_IP, &arp_of(&r)->sender_ip);
		hardware(&c, &l, &r, &target);
		protocol(&c, &l, &r, FIELD_ARP_TARGET_IP, &arp_of(&r)->target_ip);
	}
	emit_record(call->e, &r);
}

static bool packet(struct call *call)
{
	if (!call->pk->is_arp)
		return false;
	message(call);
	return true;
}

const struct protocol arp_protocol = {
	.name = "arp",
	.set = &arp_dataset,
	.packet = packet,
};
