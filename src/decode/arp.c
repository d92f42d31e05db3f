// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/cursor.h"
#include "decode/decode.h"

enum {
	HW_ETHERNET = 1, HW_IEEE802 = 6, HW_ATM = 19,	/* IANA, ARP parameters */
	PRO_IP = 0x0800, PRO_TRAILER = 0x1000,
};

struct layout { bool mac, ip; uint8_t hlen, plen; };

static void hardware(struct cursor *c, const struct layout *l, struct record *r, enum field_id f,
		     uint8_t mac[6])
{
	const uint8_t *p = cursor_take(c, l->hlen);

	if (!p || !l->mac)
		return;
	memcpy(mac, p, 6);
	record_mark(r, f);
}

static void protocol(struct cursor *c, const struct layout *l, struct record *r, enum field_id f,
		     struct addr *ip)
{
	const uint8_t *p = cursor_take(c, l->plen);

	if (!p || !l->ip)
		return;
	*ip = (struct addr){ .family = 4 };
	memcpy(ip->b, p, 4);
	record_mark(r, f);
}

/*
 * RFC 826; RARP (RFC 903) and InARP (RFC 2390) differ in the opcode only.  Addresses are as
 * long as the header says; those of Ethernet and IPv4 are told, if all of them are there.
 * ATM lays them out in another way (RFC 2225), so of that only the opcode is.
 */
void arp_decode(const struct packet *pk, struct emit *e)
{
	struct cursor c = cursor_over(pk->l3, pk->l3_cap);
	uint16_t hw = cursor_be16(&c), pro = cursor_be16(&c);
	struct layout l = { .hlen = cursor_u8(&c), .plen = cursor_u8(&c) };
	uint16_t opcode = cursor_be16(&c);
	struct record r;

	if (c.bad)
		return;
	packet_record(pk, &r, REC_ARP);
	r.arp.hw_type = hw;
	r.arp.opcode = opcode;
	record_mark(&r, FIELD_ARP_OPCODE);
	l.mac = l.hlen == 6 && (hw == HW_ETHERNET || hw == HW_IEEE802);
	l.ip = l.plen == 4 && (pro == PRO_IP || pro == PRO_TRAILER);
	if (hw != HW_ATM && cursor_left(&c) >= 2u * (l.hlen + l.plen)) {
		hardware(&c, &l, &r, FIELD_ARP_SENDER_MAC, r.arp.sender_mac);
		protocol(&c, &l, &r, FIELD_ARP_SENDER_IP, &r.arp.sender_ip);
		hardware(&c, &l, &r, FIELD_ARP_TARGET_MAC, r.arp.target_mac);
		protocol(&c, &l, &r, FIELD_ARP_TARGET_IP, &r.arp.target_ip);
	}
	emit_record(e, &r);
}
