// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/walk.h"
#include "numbers/ethertype.h"
#include "numbers/ppp.h"

/* IANA's ports, and 8472: what Linux called VXLAN before there was a number. */
enum {
	PORT_L2TP = 1701, PORT_GTP_U = 2152, PORT_GTP_V0 = 3386, PORT_TEREDO = 3544,
	PORT_LISP = 4341, PORT_GRE = 4754, PORT_VXLAN = 4789, PORT_VXLAN_GPE = 4790,
	PORT_AYIYA = 5072, PORT_CAPWAP = 5247, PORT_GENEVE = 6081, PORT_MPLS = 6635,
	PORT_VXLAN_OLD = 8472,
};

/*
 * Most tunnels choose the source port at random, or by a hash of what is inside, and
 * only the destination's is theirs (RFC 7348, 5; RFC 8926, 3.3; RFC 9300, 5.1; RFC 8086, 2;
 * RFC 7510, 3; 3GPP TS 29.281, 4.4.2.3).  Of these the server answers from it as well: RFC 2661, 8.1;
 * RFC 4380, 5.2; RFC 5415, 3.1; draft-massar-v6ops-ayiya, 4.
 */
static bool is_two_way(uint16_t port)
{
	return port == PORT_L2TP || port == PORT_TEREDO || port == PORT_AYIYA || port == PORT_CAPWAP;
}

static bool is_tunnel_port(uint16_t port)
{
	switch (port) {
	case PORT_GTP_U:
	case PORT_GTP_V0:
	case PORT_LISP:
	case PORT_GRE:
	case PORT_VXLAN:
	case PORT_VXLAN_GPE:
	case PORT_GENEVE:
	case PORT_MPLS:
	case PORT_VXLAN_OLD:
		return true;
	default:
		return is_two_way(port);
	}
}

bool tunnel_wants_udp(uint16_t sport, uint16_t dport)
{
	return (dport >= PORT_L2TP && is_tunnel_port(dport)) || (sport >= PORT_L2TP && is_two_way(sport));
}

/* IPv4 or IPv6 whose first bytes are sound: for places where the type must be guessed. */
static bool looks_like_ip(const uint8_t *p, uint32_t cap)
{
	if (cap >= 20 && p[0] >> 4 == 4)
		return (p[0] & 15) >= 5 && (!be16(p + 2) || be16(p + 2) >= (p[0] & 15) * 4);
	return cap >= 40 && p[0] >> 4 == 6;
}

/* An Ethernet header before something that is walked further. */
static bool looks_like_ethernet(const uint8_t *p, uint32_t cap)
{
	uint16_t type;

	if (cap < 34)
		return false;
	type = be16(p + 12);
	if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6)
		return looks_like_ip(p + 14, cap - 14) &&
		       (p[14] >> 4 == 6) == (type == ETHERTYPE_IPV6);
	return type == ETHERTYPE_ARP || type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ ||
	       type == ETHERTYPE_MPLS;
}

/* RFC 1701: source route entries up to an empty one. */
static bool skip_routing(struct walk *w)
{
	const uint8_t *h;

	do {
		h = walk_take(w, 4);
		if (!h || !walk_take(w, h[3]))
			return false;
	} while (h[3]);
	return true;
}

/*
 * ERSPAN type II has a sequence number and an 8 byte header; type I has neither.
 * Type III has 12, 8 more with the O bit, and says what the frame is.
 */
static void erspan(struct walk *w, bool is_third, bool has_header)
{
	const uint8_t *h = w->p;
	uint32_t n = is_third ? 12 : has_header ? 8 : 0;

	walk_name(w, "erspan");
	if (n && !walk_has(w, n))
		return;
	if (is_third && h[11] & 1)
		n += 8;
	if (is_third && h[0] >> 4 != 2) {
		walk_stop(w, "bad-version");
		return;
	}
	if (!walk_take(w, n))
		return;
	/* P set: the frame's type is in bits 14-10: 0 is Ethernet, 2 is IP. */
	if (is_third && h[10] & 0x80 && (h[10] >> 2 & 31) == 2)
		walk_goto(w, LAYER_IP, 0);
	else if (is_third && h[10] & 0x80 && h[10] >> 2 & 31)
		walk_stop(w, NULL);
	else
		walk_goto(w, LAYER_ETHERNET, 0);
}

static void gre_payload(struct walk *w, uint16_t type, bool has_sequence)
{
	switch (type) {
	case ETHERTYPE_ERSPAN:
		erspan(w, false, has_sequence);
		break;
	case ETHERTYPE_ERSPAN3:
		erspan(w, true, true);
		break;
	case 0x883e:			/* WCCP: a redirect header may stand before the packet */
		if (w->cap >= 4 && w->p[0] >> 4 != 4)
			walk_skip(w, 4);
		walk_goto(w, LAYER_IP, 0);
		break;
	default:
		/* Aruba's access points: 802.11 frames, the radio in the low bits. */
		if ((type & 0xfe00) == 0x8200 || type == 0x9000)
			wifi_frame(w);
		else
			walk_goto(w, LAYER_ETHERTYPE, type);
	}
}

/* RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637, 4.1) */
void tunnel_gre(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);
	uint16_t flags, type;
	uint32_t n = 0;

	if (!h)
		return;
	flags = be16(h);
	type = be16(h + 2);
	if ((flags & 7) > 1) {
		walk_stop(w, "bad-version");
		return;
	}
	walk_name(w, "gre");
	n += flags & 0xc000 ? 4 : 0;
	n += flags & 0x2000 ? 4 : 0;
	n += flags & 0x1000 ? 4 : 0;
	n += (flags & 7) == 1 && flags & 0x80 ? 4 : 0;
	if (!walk_take(w, n))
		return;
	if (flags & 0x4000 && !skip_routing(w))
		return;
	if ((flags & 7) == 1) {
		/* The key's first half is the length of what follows: 0 in a bare acknowledgement. */
		if (!(flags & 0x2000) || !be16(h + 4))
			walk_stop(w, NULL);
		else
			walk_goto(w, LAYER_PPP, 0);
		return;
	}
	gre_payload(w, type, flags & 0x1000);
}

/* RFC 3032, 2.1; RFC 5462 for the traffic class.  More than there is room for are walked, and not told. */
static void note_label(struct walk *w, const uint8_t *h)
{
	struct packet *pk = w->pk;

	walk_name(w, "mpls");
	if (pk->labels == PACKET_LABELS_MAX)
		return;
	pk->label[pk->labels++] = (struct mpls_label){ .present = 7, .label = be32(h) >> 12, .tc = h[2] >> 1 & 7,
						       .ttl = h[3], .bottom = h[2] & 1 };
	if (!w->ips)
		pk->labels_before = pk->labels;
}

/*
 * RFC 3032: labels up to the bottom of the stack.  What is inside they do not say:
 * IP by its first nibble; else a pseudowire, with a control word (RFC 4385) when that
 * nibble is 0, or an associated channel when it is 1.
 */
void tunnel_mpls(struct walk *w)
{
	const uint8_t *h;

	do {
		h = walk_take(w, 4);
		if (!h)
			return;
		note_label(w, h);
	} while (!(h[2] & 1));
	if (!w->cap) {
		walk_has(w, 1);
		return;
	}
	if (looks_like_ip(w->p, w->cap) || w->p[0] >> 4 == 4 || w->p[0] >> 4 == 6) {
		walk_goto(w, LAYER_IP, 0);
		if (!looks_like_ip(w->p, w->cap) && looks_like_ethernet(w->p, w->cap))
			walk_goto(w, LAYER_ETHERNET, 0);
		return;
	}
	if (w->p[0] >> 4 == 1) {
		walk_stop(w, NULL);
		return;
	}
	if (w->p[0] >> 4 == 0 && !looks_like_ethernet(w->p, w->cap) && !walk_take(w, 4))
		return;
	walk_goto(w, LAYER_ETHERNET, 0);
}

/* RFC 8300, 2; the same numbers name what follows VXLAN-GPE. */
static void goto_gpe(struct walk *w, uint8_t proto)
{
	switch (proto) {
	case 1:
	case 2:
		walk_goto(w, LAYER_IP, 0);
		break;
	case 3:
		walk_goto(w, LAYER_ETHERNET, 0);
		break;
	case 4:
		walk_goto(w, LAYER_NSH, 0);
		break;
	case 5:
		walk_goto(w, LAYER_MPLS, 0);
		break;
	default:
		walk_stop(w, "unknown-protocol");
	}
}

void tunnel_nsh(struct walk *w)
{
	const uint8_t *h = w->p;
	uint32_t n;

	if (!walk_has(w, 8))
		return;
	n = (h[1] & 63) * 4u;
	if (h[0] >> 6 || n < 8) {
		walk_stop(w, h[0] >> 6 ? "bad-version" : "bad-length");
		return;
	}
	if (!walk_take(w, n))
		return;
	walk_name(w, "nsh");
	goto_gpe(w, h[3]);
}

/*
 * RFC 7348, 5: the I flag is always set.  draft-ietf-nvo3-vxlan-gpe: the P bit says that the last
 * reserved byte is a type, and two bits are a version.
 */
static void vxlan(struct walk *w, uint16_t port)
{
	const uint8_t *h = walk_take(w, 8);

	if (!h)
		return;
	/* 8472 is not its number: be sure. */
	if (!(h[0] & 8) || (port == PORT_VXLAN_OLD && h[0] != 8) || (port == PORT_VXLAN_GPE && h[0] & 0x30)) {
		walk_stop(w, NULL);
		return;
	}
	walk_name(w, "vxlan");
	if (h[0] & 4 && (port == PORT_VXLAN_GPE || (h[3] >= 1 && h[3] <= 5)))
		goto_gpe(w, h[3]);
	else
		walk_goto(w, LAYER_ETHERNET, 0);
}

/* RFC 8926, 3.4 */
static void geneve(struct walk *w)
{
	const uint8_t *h = walk_take(w, 8);

	if (!h)
		return;
	if (h[0] >> 6) {
		walk_stop(w, "bad-version");
		return;
	}
	if (!walk_take(w, (h[0] & 63) * 4u))
		return;
	walk_name(w, "geneve");
	walk_goto(w, LAYER_ETHERTYPE, be16(h + 2));
}

/* 3GPP TS 29.281, 5.2: extension headers count themselves in words and name the next. */
static bool skip_gtp_extensions(struct walk *w, uint8_t type)
{
	const uint8_t *h;
	uint32_t n;

	while (type) {
		if (!walk_has(w, 4))
			return false;
		n = w->p[0] * 4u;
		if (!n) {
			walk_stop(w, "bad-length");
			return false;
		}
		h = walk_take(w, n);
		if (!h)
			return false;
		type = h[n - 1];
	}
	return true;
}

/* 3GPP TS 29.281, 5.1; version 0: TS 29.060, 6.  Only a T-PDU carries a packet. */
static void gtp(struct walk *w)
{
	const uint8_t *h = w->p;
	uint8_t flags, next = 0;

	if (!walk_has(w, 8))
		return;
	flags = h[0];
	if (flags >> 5 > 1 || !(flags & 0x10) || h[1] != 255) {
		walk_stop(w, NULL);
		return;
	}
	if (!walk_take(w, flags >> 5 ? 8 : 20))
		return;
	if (flags >> 5 && be16(h + 2) < w->len)
		walk_bound(w, be16(h + 2));
	if (flags >> 5 && flags & 7) {
		h = walk_take(w, 4);
		if (!h)
			return;
		next = flags & 4 ? h[3] : 0;
	}
	walk_name(w, "gtp");
	if (!skip_gtp_extensions(w, next))
		return;
	if (looks_like_ip(w->p, w->cap) || (w->cap && (w->p[0] >> 4 == 4 || w->p[0] >> 4 == 6)))
		walk_goto(w, LAYER_IP, 0);
	else if (looks_like_ethernet(w->p, w->cap))
		walk_goto(w, LAYER_ETHERNET, 0);
	else
		walk_stop(w, NULL);
}

/* RFC 4380, 5.1.1: authentication, then origin indication, then IPv6; each may be absent. */
static void teredo(struct walk *w)
{
	uint32_t n;

	if (w->cap >= 4 && w->p[0] == 0 && w->p[1] == 1) {
		n = 4u + w->p[2] + w->p[3] + 9;
		if (!walk_take(w, n))
			return;
	}
	if (w->cap >= 8 && w->p[0] == 0 && w->p[1] == 0)
		walk_skip(w, 8);
	if (w->cap < 40 || w->p[0] >> 4 != 6) {
		walk_stop(w, NULL);
		return;
	}
	walk_name(w, "teredo");
	walk_goto(w, LAYER_IPV6, 0);
}

/*
 * RFC 3931, 4.1: how long the cookie is and whether a sublayer header follows was
 * agreed on beforehand, so try what there can be.
 */
static void l2tp3_payload(struct walk *w)
{
	uint32_t n;

	for (n = 0; n <= 12 && n < w->cap; n += 4) {
		const uint8_t *p = w->p + n;
		uint32_t cap = w->cap - n;
		bool is_ppp = cap > 4 && p[0] == 0xff && p[1] == 3 && p[2] == 0;
		bool is_ether = looks_like_ethernet(p, cap);

		if (!is_ppp && !is_ether && !looks_like_ip(p, cap))
			continue;
		walk_skip(w, n);
		walk_goto(w, is_ppp ? LAYER_PPP : is_ether ? LAYER_ETHERNET : LAYER_IP, 0);
		return;
	}
	walk_stop(w, NULL);
}

void tunnel_l2tp_ip(struct walk *w)
{
	const uint8_t *h = walk_take(w, 4);

	if (!h || !be32(h))		/* session 0: a control message */
		return;
	walk_name(w, "l2tp");
	l2tp3_payload(w);
}

/* RFC 2661, 3.1: each field but two is optional; version 3: RFC 3931, 4.1.2.1 */
static void l2tp(struct walk *w)
{
	const uint8_t *h = w->p;
	uint32_t n = 6;

	if (!walk_has(w, 6))
		return;
	if (h[0] & 0x80 || ((h[1] & 15) != 2 && (h[1] & 15) != 3)) {
		walk_stop(w, NULL);
		return;
	}
	walk_name(w, "l2tp");
	if ((h[1] & 15) == 3) {
		if (walk_take(w, 8))
			l2tp3_payload(w);
		return;
	}
	n += h[0] & 0x40 ? 2 : 0;
	n += h[0] & 0x08 ? 4 : 0;
	if (h[0] & 0x02) {
		if (!walk_has(w, n + 2))
			return;
		n += 2u + be16(h + n);
	}
	if (walk_take(w, n))
		walk_goto(w, LAYER_PPP, 0);
}

void tunnel_etherip(struct walk *w)
{
	const uint8_t *h = walk_take(w, 2);

	if (!h)
		return;
	if (h[0] >> 4 != 3) {
		walk_stop(w, "bad-version");
		return;
	}
	walk_name(w, "etherip");
	walk_goto(w, LAYER_ETHERNET, 0);
}

/* draft-massar-v6ops-ayiya: lengths of identity (a power of two) and signature (in words) */
static void ayiya(struct walk *w)
{
	const uint8_t *h = w->p;

	if (!walk_has(w, 8))
		return;
	if ((h[2] & 15) != 1 || !walk_take(w, 8 + (1u << (h[0] >> 4)) + (h[1] >> 4) * 4u)) {
		walk_stop(w, NULL);
		return;
	}
	walk_name(w, "ayiya");
	if (h[3] == 41 || h[3] == 4)
		walk_goto(w, LAYER_IP, 0);
	else
		walk_stop(w, NULL);
}

/* RFC 5415, 4.3: header length in words; 802.3 frames, and 802.11 with the T bit; not DTLS, not pieces */
static void capwap(struct walk *w)
{
	const uint8_t *h = w->p;

	if (!walk_has(w, 8))
		return;
	if (h[0] || h[3] & 0x80 || !walk_take(w, (h[1] >> 3) * 4u)) {
		walk_stop(w, NULL);
		return;
	}
	walk_name(w, "capwap.data");
	if (h[2] & 1)
		wifi_frame(w);
	else
		walk_goto(w, LAYER_ETHERNET, 0);
}

static void udp_port(struct walk *w, uint16_t port)
{
	switch (port) {
	case PORT_VXLAN:
	case PORT_VXLAN_GPE:
	case PORT_VXLAN_OLD:
		vxlan(w, port);
		break;
	case PORT_GENEVE:
		geneve(w);
		break;
	case PORT_GTP_U:
	case PORT_GTP_V0:
		gtp(w);
		break;
	case PORT_TEREDO:
		teredo(w);
		break;
	case PORT_L2TP:
		l2tp(w);
		break;
	case PORT_MPLS:
		walk_goto(w, LAYER_MPLS, 0);
		break;
	case PORT_GRE:
		walk_goto(w, LAYER_GRE, 0);
		break;
	case PORT_LISP:				/* RFC 9300, 5.1 */
		if (walk_take(w, 8)) {
			walk_name(w, "lisp");
			walk_goto(w, LAYER_IP, 0);
		}
		break;
	case PORT_AYIYA:
		ayiya(w);
		break;
	default:
		capwap(w);
	}
}

static struct udp_guess guess_of(const struct packet *pk)
{
	return (struct udp_guess){ .is_open = true, .malformed = pk->malformed,
				   .smac = pk->smac, .dmac = pk->dmac,
				   .inner_smac = pk->inner_smac, .inner_dmac = pk->inner_dmac,
				   .l3_len = pk->l3_len, .ethertype = pk->ethertype,
				   .tunnels = pk->tunnels, .labels = pk->labels };
}

/*
 * A well-known port does not make a tunnel: what does not look like one, or leads to
 * nothing sound inside, is left a UDP payload, and that is nothing wrong.
 */
void tunnel_udp(struct walk *w)
{
	const struct ip_layer *ip = &w->pk->ip;
	struct walk before;

	walk_stop(w, NULL);
	if (w->cap < 4)
		return;
	w->guess = guess_of(w->pk);
	before = *w;
	if (is_tunnel_port(ip->dport))
		udp_port(w, ip->dport);
	if (w->next == LAYER_END && is_two_way(ip->sport)) {
		tunnel_settle(w);
		*w = before;
		udp_port(w, ip->sport);
	}
}

/* What the snap length cut may well be a tunnel.  What has a name is told in any case. */
void tunnel_settle(struct walk *w)
{
	const struct udp_guess *g = &w->guess;
	struct packet *pk = w->pk;
	bool is_cut = pk->malformed && !strcmp(pk->malformed, "truncated");

	if (!g->is_open || pk->is_arp || is_cut)
		return;
	if (pk->malformed)
		pk->ethertype = g->ethertype;
	pk->malformed = g->malformed;
	if (!ppp_name(pk->ppp.proto))
		pk->ppp.proto = 0;
	pk->smac = g->smac;
	pk->dmac = g->dmac;
	pk->inner_smac = g->inner_smac;
	pk->inner_dmac = g->inner_dmac;
	pk->l3_len = g->l3_len;
	pk->tunnels = g->tunnels;
	pk->labels = g->labels;
}
