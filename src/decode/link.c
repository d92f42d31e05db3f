// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/walk.h"
#include "numbers/ethertype.h"
#include "numbers/ppp.h"

static void note_vlan(struct walk *w, uint16_t tci)
{
	struct packet *pk = w->pk;

	if (!w->ips && pk->vlans < PACKET_VLANS_MAX)
		pk->vlan[pk->vlans++] = tci & 0xfff;
}

static void note_macs(struct walk *w, const uint8_t *dst, const uint8_t *src)
{
	struct packet *pk = w->pk;

	if (!pk->smac && !pk->dmac) {
		pk->smac = src;
		pk->dmac = dst;
	}
	pk->inner_smac = src;
	pk->inner_dmac = dst;
}

/* What follows a length in the place of the EtherType (IEEE 802.3). */
static void length_or_type(struct walk *w, uint16_t type)
{
	if (type >= 0x600) {
		walk_goto(w, LAYER_ETHERTYPE, type);
		return;
	}
	if (type <= 1500 && type < w->len)
		walk_bound(w, type);
	walk_goto(w, LAYER_LLC, 0);
}

/*
 * Cisco ISL: 26 bytes before an Ethernet frame.  The destination is a multicast
 * group of its own, the source's first bytes return in the header.
 */
static bool is_isl(const uint8_t *h, uint32_t cap)
{
	return cap >= 26 && (h[0] & ~0xc) == 0 && h[0] != 0 && h[1] == 0 && h[2] == 0x0c && h[3] == 0 &&
	       h[4] == 0 && h[14] == 0xaa && h[15] == 0xaa && h[16] == 0x03 && h[0] != 0x08;
}

void link_ethernet(struct walk *w)
{
	const uint8_t *h;

	if (is_isl(w->p, w->cap)) {
		h = walk_take(w, 26);
		if (h)
			note_vlan(w, be16(h + 20) >> 1);
		return;
	}
	h = walk_take(w, 14);
	if (!h)
		return;
	note_macs(w, h, h + 6);
	length_or_type(w, be16(h + 12));
}

/* IEEE 802.1ah: a service tag, then a whole Ethernet header. */
static void mac_in_mac(struct walk *w)
{
	if (!walk_has(w, 18))
		return;
	walk_skip(w, 4);
	walk_name(w, "pbb");
	walk_goto(w, LAYER_ETHERNET, 0);
}

/* RFC 6325, 3: six bytes and options, then a whole Ethernet header. */
static void trill(struct walk *w)
{
	uint32_t n;

	if (!walk_has(w, 6))
		return;
	n = 6 + 4u * ((w->p[0] & 7) << 2 | w->p[1] >> 6);
	if (!walk_take(w, n))
		return;
	walk_name(w, "trill");
	walk_goto(w, LAYER_ETHERNET, 0);
}

/* RFC 2516, 4 */
static void pppoe(struct walk *w)
{
	const uint8_t *h = walk_take(w, 6);

	if (!h)
		return;
	if (h[0] != 0x11 || h[1]) {
		w->pk->ethertype = ETHERTYPE_PPPOE;
		w->pk->l3_len = w->len + 6;
		walk_stop(w, h[0] != 0x11 ? "bad-version" : NULL);
		return;
	}
	walk_name(w, "pppoe");
	w->pk->has_pppoe = w->pk->has_pppoe || !w->ips;
	if (!w->ips)
		w->pk->pppoe_session = be16(h + 2);
	if (be16(h + 4) <= w->len)
		walk_bound(w, be16(h + 4));
	walk_goto(w, LAYER_PPP, 0);
}

/*
 * IEEE 802.1AE: control, short length, packet number, and an identifier with the SC
 * bit.  Readable when neither the encrypted nor the changed bit is set.
 */
static void macsec(struct walk *w)
{
	const uint8_t *h = w->p;
	uint32_t n;

	if (!walk_has(w, 6))
		return;
	n = h[0] & 0x20 ? 14 : 6;
	if (h[0] & 0x8c) {
		w->pk->ethertype = ETHERTYPE_MACSEC;
		w->pk->l3_len = w->len;
		walk_stop(w, h[0] & 0x80 ? "bad-version" : NULL);
		return;
	}
	h = walk_take(w, n + 2);
	if (h)
		length_or_type(w, be16(h + n));
}

/* A tag of n bytes before the next EtherType. */
static void tag(struct walk *w, uint32_t n, const char *name)
{
	const uint8_t *h = walk_take(w, n + 2);

	if (!h)
		return;
	if (name)
		walk_name(w, name);
	length_or_type(w, be16(h + n));
}

static void vlan(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);

	if (!h)
		return;
	note_vlan(w, be16(h));
	length_or_type(w, be16(h + 2));
}

static void arp(struct walk *w)
{
	w->pk->l3 = w->p;
	w->pk->l3_cap = w->cap;
	w->pk->l3_len = w->len;
	w->pk->is_arp = true;
	walk_stop(w, NULL);
}

/* The rarer ones.  False: not one of them. */
static bool rare_ethertype(struct walk *w, uint16_t type)
{
	switch (type) {
	case ETHERTYPE_PPPOE:
		pppoe(w);
		break;
	case ETHERTYPE_PPP:
		walk_goto(w, LAYER_PPP, 0);
		break;
	case ETHERTYPE_TEB:
		walk_goto(w, LAYER_ETHERNET, 0);
		break;
	case ETHERTYPE_NSH:
		walk_goto(w, LAYER_NSH, 0);
		break;
	case ETHERTYPE_JUMBO_LLC:
		walk_goto(w, LAYER_LLC, 0);
		break;
	case ETHERTYPE_8021AH:
		mac_in_mac(w);
		break;
	case ETHERTYPE_TRILL:
		trill(w);
		break;
	case ETHERTYPE_ETAG:			/* IEEE 802.1BR */
		tag(w, 6, "etag");
		break;
	case ETHERTYPE_VNTAG:
		tag(w, 4, "vntag");
		break;
	case ETHERTYPE_HSR:			/* IEC 62439-3 */
	case ETHERTYPE_RTAG:			/* IEEE 802.1CB */
		tag(w, 4, NULL);
		break;
	case ETHERTYPE_CMD:			/* Cisco MetaData: a security group */
		tag(w, 6, NULL);
		break;
	case ETHERTYPE_MACSEC:
		macsec(w);
		break;
	case ETHERTYPE_FABRICPATH:
		if (walk_take(w, 2)) {
			walk_name(w, "cfp");
			walk_goto(w, LAYER_ETHERNET, 0);
		}
		break;
	case ETHERTYPE_RARP:
		arp(w);
		break;
	default:
		return false;
	}
	return true;
}

void link_ethertype(struct walk *w)
{
	uint16_t type = (uint16_t)w->type;

	if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6) {
		walk_goto(w, LAYER_IP, 0);
	} else if (ethertype_is_vlan(type)) {
		vlan(w);
	} else if (type == ETHERTYPE_ARP) {
		arp(w);
	} else if (type == ETHERTYPE_MPLS || type == ETHERTYPE_MPLS_MULTI) {
		walk_goto(w, LAYER_MPLS, 0);
	} else if (!rare_ethertype(w, type)) {
		w->pk->ethertype = type;
		w->pk->l3_len = w->len;
		walk_stop(w, ethertype_name(type) ? NULL : "unknown-ethertype");
	}
}

/* SNAP organisation codes: Ethernet types, Cisco's, bridged frames (RFC 2684, 5.2). */
static void snap(struct walk *w, const uint8_t *h)
{
	uint32_t oui = be32(h) & 0xffffff;
	uint16_t pid = be16(h + 4);

	if (oui == 0 || oui == 0xf8) {
		walk_goto(w, LAYER_ETHERTYPE, pid);
	} else if (oui == 0x80c2 && (pid == 1 || pid == 7)) {
		walk_goto(w, LAYER_ETHERNET, 0);
	} else {
		w->pk->ethertype = 0;
		walk_stop(w, NULL);
	}
}

/* IEEE 802.2 */
void link_llc(struct walk *w)
{
	const uint8_t *h = w->p;

	if (!w->ips)
		w->pk->l3_len = w->len;
	if (!walk_has(w, 3))
		return;
	if (h[0] == 0xaa && h[1] == 0xaa && h[2] == 3) {
		if (walk_take(w, 8))
			snap(w, h + 2);
		return;
	}
	if (h[0] == 6 && h[1] == 6 && h[2] == 3) {	/* IP by its own number */
		walk_skip(w, 3);
		walk_goto(w, LAYER_IP, 0);
		return;
	}
	walk_stop(w, NULL);
}

/*
 * RFC 1661, 2; the address and control bytes and the high byte of the protocol
 * may be left out (6.5, 6.6): protocol numbers end in an odd byte, others do not.
 */
void link_ppp(struct walk *w)
{
	const uint8_t *h;
	uint16_t proto;

	walk_name(w, "ppp");
	if (w->cap >= 2 && w->p[0] == 0xff && w->p[1] == 3)
		walk_skip(w, 2);
	if (!walk_has(w, 1))
		return;
	if (w->p[0] & 1) {
		proto = *walk_take(w, 1);
	} else {
		h = walk_take(w, 2);
		if (!h)
			return;
		proto = be16(h);
	}
	switch (proto) {
	case 0x21:
	case 0x57:
		walk_goto(w, LAYER_IP, 0);
		break;
	case 0x281:
	case 0x283:
		walk_goto(w, LAYER_MPLS, 0);
		break;
	case 0x31:				/* RFC 3518, 4.3: flags, MAC type, then the frame */
		h = walk_take(w, 2);
		if (h && (h[1] == 1 || h[1] == 0))
			walk_goto(w, LAYER_ETHERNET, 0);
		else if (h)
			walk_goto(w, LAYER_PPP_OTHER, proto);
		break;
	default:
		walk_goto(w, LAYER_PPP_OTHER, proto);
	}
}

/* What PPP carries, where that is not IP. */
void link_ppp_other(struct walk *w)
{
	struct packet *pk = w->pk;
	struct ppp_layer *ppp = &pk->ppp;

	*ppp = (struct ppp_layer){ .proto = (uint16_t)w->type, .len = w->len + 2 };
	if (ppp_is_control(ppp->proto) && w->cap >= 2) {
		ppp->has_code = true;
		ppp->code = w->p[0];
		ppp->id = w->p[1];
	}
	pk->ethertype = 0;
	walk_stop(w, NULL);
}
