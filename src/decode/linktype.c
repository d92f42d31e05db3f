// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/walk.h"
#include "numbers/ethertype.h"
#include "numbers/linktype.h"

/* What stands before the network layer on each kind of link. */

static void skip_to_ip(struct walk *w, uint32_t n)
{
	if (walk_take(w, n))
		walk_goto(w, LAYER_IP, 0);
}

static void skip_to_llc(struct walk *w, uint32_t n)
{
	if (walk_take(w, n))
		walk_goto(w, LAYER_LLC, 0);
}

static void raw(struct walk *w)
{
	walk_goto(w, LAYER_IP, 0);
}

/*
 * The sender's AF_ number, in the sender's byte order: small numbers, so both can be told.
 * False: it is none of IP's.
 */
static bool family_is_ip(const uint8_t *h)
{
	switch (be32(h) <= 0xffff ? be32(h) : le32(h)) {
	case 2:			/* AF_INET, everywhere */
	case 10:		/* AF_INET6: Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30:
		return true;
	default:
		return false;
	}
}

static void loopback(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);

	if (!h)
		return;
	/* Some write an EtherType there, or Cisco's HDLC header, which ends in one. */
	if (family_is_ip(h) || be16(h + 2) == ETHERTYPE_IPV4 || be16(h + 2) == ETHERTYPE_IPV6)
		walk_goto(w, LAYER_IP, 0);
	else
		walk_stop(w, "unknown-protocol");
}

/* OpenBSD's IPsec interface: the family, a security parameter index and flags, four bytes each. */
static void enc(struct walk *w)
{
	const uint8_t *h = walk_take(w, 12);

	if (!h)
		return;
	if (family_is_ip(h))
		walk_goto(w, LAYER_IP, 0);
	else
		walk_stop(w, "unknown-protocol");
}

/* PPP, or Cisco HDLC, whose first byte is an address of its own. */
static void ppp_hdlc(struct walk *w)
{
	const uint8_t *h = w->p;

	if (!walk_has(w, 4))
		return;
	if (h[0] != 0x0f && h[0] != 0x8f) {
		walk_goto(w, LAYER_PPP, 0);
		return;
	}
	walk_skip(w, 4);
	walk_goto(w, LAYER_ETHERTYPE, be16(h + 2));
}

static void ppp_with_direction(struct walk *w)
{
	if (walk_take(w, 1))
		walk_goto(w, LAYER_PPP, 0);
}

/* pppd's log: the direction stands in the place of the address byte, before the control byte. */
static void ppp_pppd(struct walk *w)
{
	if (!walk_take(w, 1))
		return;
	if (w->cap && w->p[0] == 3)
		walk_skip(w, 1);
	walk_goto(w, LAYER_PPP, 0);
}

static void cisco_hdlc(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);

	if (h)
		walk_goto(w, LAYER_ETHERTYPE, be16(h + 2));
}

/* RFC 2427: an address of 2 to 4 bytes, then a control byte and an NLPID, or an EtherType. */
static void frame_relay(struct walk *w)
{
	const uint8_t *h = w->p;
	uint32_t n = 0;

	do {
		if (!walk_has(w, n + 1))
			return;
	} while (!(h[n++] & 1) && n < 4);
	if (n < 2 || !walk_has(w, n + 2)) {
		walk_stop(w, "bad-length");
		return;
	}
	walk_skip(w, n);
	h = w->p;
	if (h[0] != 3) {		/* Cisco's way */
		walk_skip(w, 2);
		walk_goto(w, LAYER_ETHERTYPE, be16(h));
		return;
	}
	n = h[1] == 0 ? 2 : 1;		/* a pad byte to make it even */
	if (!walk_has(w, n + 1))
		return;
	switch (h[n]) {
	case 0xcc:
	case 0x8e:
		skip_to_ip(w, n + 1);
		break;
	case 0xcf:
		walk_skip(w, n + 1);
		walk_goto(w, LAYER_PPP, 0);
		break;
	case 0x80:			/* SNAP without its SAPs: OUI and PID */
		h = walk_take(w, n + 6);
		if (h && !(h[n + 1] | h[n + 2] | h[n + 3]))
			walk_goto(w, LAYER_ETHERTYPE, be16(h + n + 4));
		else
			walk_stop(w, NULL);
		break;
	default:
		walk_stop(w, NULL);
	}
}

static void sll_address(struct walk *w, const uint8_t *addr, unsigned int len)
{
	if (len == 6)
		w->pk->smac = w->pk->inner_smac = addr;
}

/* Linux cooked: the protocol is an EtherType, or below 1536 a number of Linux's own. */
static void cooked(struct walk *w, uint16_t proto)
{
	if (proto >= 0x600)
		walk_goto(w, LAYER_ETHERTYPE, proto);
	else if (proto == 4)
		walk_goto(w, LAYER_LLC, 0);
	else
		walk_stop(w, NULL);
}

static void sll(struct walk *w)
{
	const uint8_t *h = walk_take(w, 16);

	if (!h)
		return;
	sll_address(w, h + 6, be16(h + 4));
	cooked(w, be16(h + 14));
}

static void sll2(struct walk *w)
{
	const uint8_t *h = walk_take(w, 20);

	if (!h)
		return;
	sll_address(w, h + 12, h[11]);
	cooked(w, be16(h));
}

/*
 * Netfilter log: type-length-values up to the payload (type 9), each padded to four
 * bytes, in the byte order of the host that logged.  Types are small (a high byte has
 * flags at most), so the first of them tells the order of all.
 */
static void nflog(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);
	uint32_t n, type;
	bool little;

	if (!h)
		return;
	if (h[1]) {			/* the version */
		walk_stop(w, "bad-version");
		return;
	}
	little = w->cap >= 4 && (w->p[3] & 0x3f) == 0;
	while (walk_has(w, 4)) {	/* each turn takes four bytes or more */
		n = little ? le16(w->p) : be16(w->p);
		type = little ? le16(w->p + 2) : be16(w->p + 2);
		if (n < 4) {
			walk_stop(w, "bad-length");
			return;
		}
		if ((type & 0x7fff) == 9) {
			walk_skip(w, 4);
			if (n - 4 < w->len)
				walk_bound(w, n - 4);
			/* The family: IPv4, IPv6; others do not say what comes first. */
			walk_goto(w, h[0] == 2 || h[0] == 10 ? LAYER_IP : LAYER_END, 0);
			return;
		}
		n = (n + 3) & ~3u;
		if (!walk_take(w, n))
			return;
	}
}

/* Per-packet information: its length, and the link type of what follows. */
static void ppi(struct walk *w)
{
	const uint8_t *h = w->p;

	if (walk_has(w, 8) && walk_take(w, le16(h + 2) < 8 ? 8 : le16(h + 2)))
		walk_goto(w, LAYER_LINK, le32(h + 4));
}

/*
 * Apple: length, record type, link type of what follows, in the byte order of the host.
 * The link type is a DLT_ number of theirs, whose raw IP is LINK_OLD_RAW.
 */
static void pktap(struct walk *w)
{
	const uint8_t *h = w->p;
	bool little;
	uint32_t n;

	if (!walk_has(w, 12))
		return;
	little = le32(h) <= be32(h);
	n = little ? le32(h) : be32(h);
	if (n < 12)
		walk_stop(w, "bad-length");
	else if ((little ? le32(h + 4) : be32(h + 4)) != 1)	/* 1: a packet follows */
		walk_stop(w, NULL);
	else if (walk_take(w, n))
		walk_goto(w, LAYER_LINK, little ? le32(h + 8) : be32(h + 8));
}

static void token_ring(struct walk *w)
{
	const uint8_t *h = walk_take(w, 14);

	if (!h)
		return;
	w->pk->dmac = w->pk->inner_dmac = h + 2;
	w->pk->smac = w->pk->inner_smac = h + 8;
	if (h[8] & 0x80 && (!walk_has(w, 2) || !walk_take(w, w->p[0] & 31)))
		return;			/* source routing */
	walk_goto(w, LAYER_LLC, 0);
}

static void fddi(struct walk *w)
{
	const uint8_t *h = walk_take(w, 13);

	if (!h)
		return;
	w->pk->dmac = w->pk->inner_dmac = h + 1;
	w->pk->smac = w->pk->inner_smac = h + 7;
	if ((h[0] & 0xf0) == 0x50)
		walk_goto(w, LAYER_LLC, 0);
	else
		walk_stop(w, NULL);
}

/* RFC 1201 and the older RFC 1051, by the type; `n` bytes of addresses before it. */
static void arcnet_type(struct walk *w, uint32_t n)
{
	const uint8_t *h = walk_take(w, n + 1);
	uint8_t type;

	if (!h)
		return;
	type = h[n];
	if (type == 240 || type == 241) {
		walk_goto(w, LAYER_ETHERTYPE, type == 240 ? ETHERTYPE_IPV4 : ETHERTYPE_ARP);
		return;
	}
	h = walk_take(w, 3);			/* split flag, sequence number */
	if (!h)
		return;
	if (h[0] == 0xff) {			/* an exception frame: three more, and again */
		h = walk_take(w, 4);
		if (!h)
			return;
		h++;
	}
	if (h[0] && !(h[0] & 1)) {		/* a piece that is not the first */
		walk_stop(w, NULL);
		return;
	}
	switch (type) {
	case 212:
	case 196:
		walk_goto(w, LAYER_IP, 0);
		break;
	case 213:
		walk_goto(w, LAYER_ETHERTYPE, ETHERTYPE_ARP);
		break;
	case 214:
		walk_goto(w, LAYER_ETHERTYPE, ETHERTYPE_RARP);
		break;
	default:
		walk_stop(w, NULL);
	}
}

static void arcnet(struct walk *w)
{
	arcnet_type(w, 2);
}

static void arcnet_linux(struct walk *w)
{
	arcnet_type(w, 4);
}

/* RFC 2625: network addresses, each 2 bytes of type and a MAC. */
static void fibre_channel(struct walk *w)
{
	const uint8_t *h = walk_take(w, 16);

	if (!h)
		return;
	w->pk->dmac = w->pk->inner_dmac = h + 2;
	w->pk->smac = w->pk->inner_smac = h + 10;
	walk_goto(w, LAYER_LLC, 0);
}

/* Direction and traffic type; VPI, VCI. */
static void sunatm(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);

	if (h && (h[0] & 15) == 2)
		walk_goto(w, LAYER_LLC, 0);
	else
		walk_stop(w, NULL);
}

/* OpenBSD's packet filter: length of the header, less padding, and the AF_ number. */
static void pflog(struct walk *w)
{
	if (walk_has(w, 1))
		skip_to_ip(w, (w->p[0] + 3u) & ~3u);
}

/* A switch's own tag of n bytes after the MAC addresses, before the EtherType. */
static const uint8_t *switch_tag(struct walk *w, uint32_t n)
{
	const uint8_t *h = walk_take(w, 12 + n + 2);
	uint16_t type;

	if (!h)
		return NULL;
	w->pk->dmac = w->pk->inner_dmac = h;
	w->pk->smac = w->pk->inner_smac = h + 6;
	type = be16(h + 12 + n);
	walk_goto(w, type >= 0x600 ? LAYER_ETHERTYPE : LAYER_LLC, type);
	return h + 12;
}

/* Marvell: the tag stands in the place of an 802.1Q tag and has its bits. */
static void marvell(struct walk *w, uint32_t n)
{
	const uint8_t *h = switch_tag(w, n);

	if (!h)
		return;
	h += n - 4;
	if (h[0] & 0x20 && w->pk->vlans < PACKET_VLANS_MAX)
		w->pk->vlan[w->pk->vlans++] = be16(h + 2) & 0xfff;
}

static void dsa(struct walk *w)
{
	marvell(w, 4);
}

static void edsa(struct walk *w)
{
	marvell(w, 8);
}

static void broadcom(struct walk *w)
{
	switch_tag(w, 4);
}

static void broadcom_before(struct walk *w)
{
	if (walk_take(w, 4))
		walk_goto(w, LAYER_ETHERNET, 0);
}

static void pppoe_link(struct walk *w)
{
	walk_goto(w, LAYER_ETHERTYPE, ETHERTYPE_PPPOE);
}

static void mpls_link(struct walk *w)
{
	walk_goto(w, LAYER_MPLS, 0);
}

/* RFC 1055, with a direction (0, 1), and a compression header (RFC 1144) that must say "none". */
static void slip(struct walk *w)
{
	const uint8_t *h = walk_take(w, 16);

	if (h && h[0] <= 1 && ((h[1] & 0xf0) == 0x40 || (h[1] & 0xf0) == 0x70))
		walk_goto(w, LAYER_IP, 0);
	else
		walk_stop(w, "compressed");
}

static void llc(struct walk *w)
{
	skip_to_llc(w, 0);
}

/* RFC 2225: LLC and SNAP, or none, as the circuit was set up; Linux says no more of it. */
static void classical_ip(struct walk *w)
{
	if (w->cap && w->p[0] == 0xaa)
		walk_goto(w, LAYER_LLC, 0);
	else
		walk_goto(w, LAYER_IP, 0);
}

/* FireWire: two EUI-64 and an EtherType (RFC 2734). */
static void ieee1394(struct walk *w)
{
	const uint8_t *h = walk_take(w, 18);

	if (h)
		walk_goto(w, LAYER_ETHERTYPE, be16(h + 16));
}

/* A global routing header, then an EtherType and two bytes reserved (RFC 4391, 6). */
static void ipoib(struct walk *w)
{
	const uint8_t *h = walk_take(w, 44);

	if (h)
		walk_goto(w, LAYER_ETHERTYPE, be16(h + 40));
}

/* Solaris: a header of 24 bytes whose second says the family. */
static void ipnet(struct walk *w)
{
	skip_to_ip(w, 24);
}

static void frame_relay_with_direction(struct walk *w)
{
	if (walk_take(w, 1))
		frame_relay(w);
}

static void cisco_hdlc_with_direction(struct walk *w)
{
	if (walk_take(w, 1))
		cisco_hdlc(w);
}

static const struct {
	uint16_t number;
	layer_fn *walk;
} links[] = {
	{ LINK_ETHERNET, link_ethernet }, { LINK_OLD_RAW, raw }, { LINK_OPENBSD_RAW, raw },
	{ LINK_RAW, raw }, { LINK_SLL, sll }, { LINK_SLL2, sll2 }, { LINK_NULL, loopback },
	{ LINK_LOOP, loopback }, { LINK_ENC, enc }, { LINK_IPV4, raw }, { LINK_IPV6, raw },
	{ LINK_PPP, link_ppp }, { LINK_PPP_HDLC, ppp_hdlc }, { LINK_PPPOE, pppoe_link },
	{ LINK_PPP_PPPD, ppp_pppd }, { LINK_PPP_DIRECTION, ppp_with_direction },
	{ LINK_CHDLC, cisco_hdlc }, { LINK_HDLC_DIRECTION, cisco_hdlc_with_direction },
	{ LINK_FRELAY, frame_relay }, { LINK_FRELAY_DIRECTION, frame_relay_with_direction },
	{ LINK_NFLOG, nflog }, { LINK_RADIOTAP, wifi_radiotap }, { LINK_80211, wifi_frame },
	{ LINK_PRISM, wifi_prism }, { LINK_AVS, wifi_avs }, { LINK_PPI, ppi },
	{ LINK_PKTAP, pktap }, { LINK_TOKEN_RING, token_ring }, { LINK_ARCNET, arcnet },
	{ LINK_ARCNET_LINUX, arcnet_linux }, { LINK_SLIP, slip }, { LINK_FDDI, fddi },
	{ LINK_OLD_ATM, llc }, { LINK_ATM_RFC1483, llc }, { LINK_PFLOG, pflog },
	{ LINK_FIBRE_CHANNEL, fibre_channel }, { LINK_SUNATM, sunatm }, { LINK_MPLS, mpls_link },
	{ LINK_IPNET, ipnet }, { LINK_IPOIB, ipoib }, { LINK_BROADCOM, broadcom },
	{ LINK_BROADCOM_BEFORE, broadcom_before }, { LINK_DSA, dsa }, { LINK_EDSA, edsa },
	{ LINK_ATM_CLIP, classical_ip }, { LINK_FIREWIRE, ieee1394 },
};

void link_any(struct walk *w)
{
	unsigned int i;

	walk_stop(w, NULL);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].number == w->type) {
			links[i].walk(w);
			return;
		}
	walk_stop(w, "unknown-link");
}
