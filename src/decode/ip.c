// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/fragment.h"
#include "decode/state.h"
#include "decode/walk.h"
#include "numbers/ipproto.h"

enum { IPOPT_EOL = 0, IPOPT_NOP = 1, IPOPT_LSRR = 131, IPOPT_SSRR = 137 };

/* How an IP header that follows another one directly is called. */
static const char *plain_tunnel(uint8_t outer_proto)
{
	switch (outer_proto) {
	case PROTO_IPV4: return "ipip";
	case PROTO_IPV6: return "ip6";
	case PROTO_ETHERNET: return "ethernet";
	default: return "ip";
	}
}

/* The header before this one stays known, for those who count each. */
static void keep_around(struct packet *pk)
{
	struct ip_around *a = &pk->around[pk->arounds];

	if (pk->arounds == PACKET_OUTER_MAX)
		return;
	pk->arounds++;
	*a = (struct ip_around){ .ip = pk->ip, .ip_len = pk->ip_len, .frag_id = pk->frag_id, .ttl = pk->ttl,
				 .tos = pk->tos, .tunnels = pk->ip_tunnels, .is_fragment = pk->is_fragment };
}

/* A sound IP header: what the packet said of the header before it moves out. */
static void begin(struct walk *w, uint8_t version)
{
	struct packet *pk = w->pk;

	if (w->ips++) {
		if (!w->wrapped)
			walk_name(w, plain_tunnel(pk->ip.proto));
		keep_around(pk);
		if (!pk->has_outer) {
			pk->outer = pk->ip;
			pk->has_outer = true;
		}
		memset(&pk->ip, 0, sizeof(pk->ip));
		pk->is_fragment = pk->frag_more = pk->frag_first = false;
		pk->frag_offset = 0;
		pk->df = pk->hop_by_hop = pk->has_tcp = false;
		pk->l4 = pk->payload = NULL;
		pk->l4_cap = pk->l4_len = pk->payload_cap = pk->payload_len = 0;
	}
	if (w->ips == 1)
		pk->tunnels_before = pk->tunnels;
	w->wrapped = false;
	w->guess.is_open = false;
	pk->ip_tunnels = w->ips > 1 ? pk->tunnels : 0;
	pk->ethertype = 0;
	pk->ip.version = version;
	pk->ip.src.family = pk->ip.dst.family = version;
	pk->l3 = w->p;
	pk->l3_cap = w->cap;
	pk->l3_len = w->len;
}

static void note_fragment(struct packet *pk, uint32_t offset, bool more)
{
	pk->is_fragment = true;
	pk->frag_more = more;
	pk->frag_first = !offset;
	pk->frag_offset = offset;
}

/* What is left is one fragment.  Goes on when it can: first one, or all there. */
static void fragment(struct walk *w, uint32_t id, uint8_t proto, uint32_t offset, bool more)
{
	struct packet *pk = w->pk;
	struct fragments *t = w->st->fragments;
	uint64_t now_ns = steady_at(&w->st->clock, pk->frame->time_ns);
	bool doubted = w->st->clock.doubted > 0;
	struct fragment_piece piece = { w->p, w->cap, w->len, offset, more,
					doubted ? pk->frame->time_ns : now_ns, doubted };
	struct fragment_key key = { .id = id, .version = pk->ip.version, .proto = proto,
				    .vlan = pk->vlans ? pk->vlan[0] : 0xffff };
	const uint8_t *whole;
	struct fragment *d;
	uint32_t n;

	w->st->counts.fragments++;
	pk->frag_id = id;
	memcpy(key.src, pk->ip.src.b, 16);
	memcpy(key.dst, pk->ip.dst.b, 16);
	d = fragments_add(t, &key, &piece);
	pk->ip.inherited = fragment_ports(d, &pk->ip.sport, &pk->ip.dport);
	whole = fragments_whole(t, d, &n);
	if (whole) {
		w->st->counts.reassembled++;
		pk->reassembled = true;
		pk->ip.inherited = false;
		w->p = whole;
		w->cap = w->len = n;
		return;
	}
	pk->ip.has_ports = pk->ip.inherited;
	if (!offset) {
		w->fragment = d;
		w->stop_at_transport = true;
		return;
	}
	pk->ip.proto = proto;
	pk->l4 = pk->payload = w->p;
	pk->l4_cap = pk->payload_cap = w->cap;
	pk->l4_len = pk->payload_len = w->len;
	walk_stop(w, NULL);
}

void ip_any(struct walk *w)
{
	if (!walk_has(w, 1))
		return;
	switch (w->p[0] >> 4) {
	case 4:
		ip_v4(w);
		break;
	case 6:
		ip_v6(w);
		break;
	default:
		walk_stop(w, "bad-version");
	}
}

/*
 * RFC 791, 3.1: while a source route is not used up, the destination field is only
 * the next stop; the receiver is the route's last address.
 */
static void source_route(struct packet *pk, const uint8_t *h, uint32_t hlen)
{
	uint32_t i = 20, n;

	while (i + 2 < hlen && h[i] != IPOPT_EOL) {
		n = h[i] == IPOPT_NOP ? 1 : h[i + 1];
		if (!n || (n == 1 && h[i] != IPOPT_NOP) || i + n > hlen)
			return;
		if ((h[i] == IPOPT_LSRR || h[i] == IPOPT_SSRR) && n >= 7 && h[i + 2] <= n - 3)
			memcpy(pk->ip.dst.b, h + i + 3 + (n - 3) / 4 * 4 - 4, 4);
		i += n;
	}
}

/* RFC 791, 3.1: the header checksum.  Who guesses that a header is there asks it. */
static bool sum_is_right(const struct walk *w, uint32_t hlen)
{
	uint32_t sum = 0, i;

	if (w->cap < hlen)
		return false;
	for (i = 0; i < hlen; i += 2)
		sum += be16(w->p + i);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/*
 * A header that is cut is still one of IP.  After the sender's address it says what a whole one does, but
 * for the receiver; before that the header around it says more.
 */
static void half(struct walk *w, uint8_t version, const uint8_t *src, uint32_t n)
{
	struct packet *pk = w->pk;
	const uint8_t *h = w->p;

	if (!src && (w->ips || !w->cap))
		return;
	begin(w, version);
	pk->ip.dst.family = 0;
	if (!src) {
		pk->ip.src.family = 0;
		return;
	}
	memcpy(pk->ip.src.b, src, n);
	pk->ip.proto = version == 4 ? h[9] : h[6];
	pk->ttl = version == 4 ? h[8] : h[7];
	pk->tos = version == 4 ? h[1] : (uint8_t)(h[0] << 4 | h[1] >> 4);
	pk->ip_len = version == 4 ? be16(h + 2) : be16(h + 4) + 40u;
	if (version == 4) {
		pk->ip_id = be16(h + 4);
		pk->df = h[6] & 0x40;
	}
}

/* RFC 791 */
void ip_v4(struct walk *w)
{
	struct packet *pk = w->pk;
	const uint8_t *h = w->p;
	uint32_t hlen, total, off;

	if (w->cap >= 1 && h[0] >> 4 != 4) {
		walk_stop(w, "bad-version");
		return;
	}
	if (!walk_has(w, 20)) {
		if (w->len >= 20 || !w->guess.is_open)
			half(w, 4, w->cap >= 16 ? h + 12 : NULL, 4);
		return;
	}
	hlen = (h[0] & 15) * 4u;
	/* Segmentation in the card, and packets above 64 KiB, leave the length 0. */
	total = be16(h + 2) ? be16(h + 2) : w->len;
	if (hlen < 20 || total < hlen || (w->guess.is_open && total > w->len && !sum_is_right(w, hlen))) {
		walk_stop(w, "bad-length");
		return;
	}
	begin(w, 4);
	memcpy(pk->ip.src.b, h + 12, 4);
	memcpy(pk->ip.dst.b, h + 16, 4);
	pk->ip.proto = h[9];
	pk->tos = h[1];
	pk->ttl = h[8];
	pk->ip_id = be16(h + 4);
	off = be16(h + 6);
	pk->df = off & 0x4000;
	pk->ip_len = total;
	if (off & 0x3fff)
		note_fragment(pk, (off & 0x1fff) * 8, off & 0x2000);
	if (total > w->len && !pk->malformed)
		pk->malformed = "bad-length";
	walk_bound(w, total);
	if (!walk_has(w, hlen))
		return;
	if (hlen > 20)
		source_route(pk, h, hlen);
	walk_skip(w, hlen);
	walk_goto(w, LAYER_TRANSPORT, h[9]);
	if (off & 0x3fff)
		fragment(w, pk->ip_id, h[9], (off & 0x1fff) * 8, off & 0x2000);
}

/* RFC 2675: the jumbo payload option of a hop-by-hop header; 0 when there is none. */
static uint32_t jumbo_length(const struct walk *w)
{
	uint32_t i = 42, end;

	if (w->cap < 48)
		return 0;
	end = 40 + 8 * (w->p[41] + 1u);
	if (end > w->cap)
		end = w->cap;
	while (i + 1 < end) {
		if (w->p[i] == 0) {
			i++;
			continue;
		}
		if (w->p[i] == 0xc2 && w->p[i + 1] == 4 && i + 6 <= end)
			return be32(w->p + i + 2);
		i += 2u + w->p[i + 1];
	}
	return 0;
}

/* RFC 8200, 4.5.  A fragment that is the whole datagram (RFC 6946) is none. */
static void fragment_header(struct walk *w)
{
	const uint8_t *h = walk_take(w, 8);
	uint32_t off;

	if (!h)
		return;
	off = be16(h + 2);
	w->type = h[0];
	if (!(off & 0xfff9))
		return;
	note_fragment(w->pk, off & 0xfff8, off & 1);
	/* One inside another: no sender makes these (RFC 8200, 4.1). */
	if (h[0] == PROTO_FRAGMENT)
		walk_stop(w, "bad-order");
	else
		fragment(w, be32(h + 4), h[0], off & 0xfff8, off & 1);
}

/* One extension header.  False: what w->type names is no extension header, or the walk ended. */
static bool extension(struct walk *w)
{
	const uint8_t *h = w->p;
	uint32_t n;

	switch (w->type) {
	case PROTO_FRAGMENT:
		fragment_header(w);
		return w->next != LAYER_END;
	case PROTO_HOPOPT:
	case PROTO_ROUTING:
	case PROTO_DSTOPTS:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		if (w->cap && w->cap < 8)	/* cut, but it says what comes next */
			w->type = h[0];
		if (!walk_has(w, 8))
			return false;
		w->pk->hop_by_hop |= h == w->pk->l3 + 40 && w->pk->l3[6] == PROTO_HOPOPT;
		n = 8 * (h[1] + 1u);
		break;
	case PROTO_AH:				/* RFC 4302, 2.2: in words, less two */
		if (!walk_has(w, 8))
			return false;
		n = 4 * (h[1] + 2u);
		w->pk->ip.has_ah = true;
		w->pk->ah_spi = be32(h + 4);
		w->pk->ah_seq = w->cap < 12 ? 0 : be32(h + 8);
		break;
	default:
		return false;
	}
	/* These two carry nothing (RFC 6275, 6.1.1; RFC 7401, 5.1): they are the payload. */
	if ((w->type == PROTO_MOBILITY || w->type == PROTO_HIP) && h[0] == PROTO_NONE)
		return false;
	w->type = h[0];
	return walk_take(w, n);
}

/* RFC 8200.  The chain ends because each extension header takes eight bytes. */
void ip_v6(struct walk *w)
{
	struct packet *pk = w->pk;
	const uint8_t *h = w->p;
	uint32_t plen;

	if (w->cap >= 1 && h[0] >> 4 != 6) {
		walk_stop(w, "bad-version");
		return;
	}
	if (!walk_has(w, 40)) {
		if (w->len >= 40 || !w->guess.is_open)
			half(w, 6, w->cap >= 24 ? h + 8 : NULL, 16);
		return;
	}
	if (w->guess.is_open && be16(h + 4) > w->len - 40) {
		walk_stop(w, "bad-length");
		return;
	}
	begin(w, 6);
	memcpy(pk->ip.src.b, h + 8, 16);
	memcpy(pk->ip.dst.b, h + 24, 16);
	pk->tos = (uint8_t)(h[0] << 4 | h[1] >> 4);
	pk->ttl = h[7];
	plen = be16(h + 4);
	if (!plen && h[6] == PROTO_HOPOPT)
		plen = jumbo_length(w);
	if (!plen && h[6] == PROTO_TCP)	/* segmentation in the card (BIG TCP): see ip_v4() */
		plen = w->len - 40;
	if (plen > UINT32_MAX - 40)
		plen = UINT32_MAX - 40;
	pk->ip_len = plen + 40;
	if (pk->ip_len > w->len && !pk->malformed)
		pk->malformed = "bad-length";
	walk_bound(w, pk->ip_len);
	walk_skip(w, 40);
	walk_goto(w, LAYER_TRANSPORT, h[6]);
	while (extension(w))
		;
	pk->ip.proto = (uint8_t)w->type;
}

static void ports(struct walk *w)
{
	struct ip_layer *ip = &w->pk->ip;

	if (w->cap < 4)
		return;
	ip->sport = be16(w->p);
	ip->dport = be16(w->p + 2);
	ip->has_ports = true;
	ip->inherited = false;
	if (w->fragment)
		fragment_set_ports(w->fragment, ip->sport, ip->dport);
}

/* Of a header that is cut nothing follows; how much there was is known. */
static void set_payload(struct walk *w, uint32_t hlen)
{
	uint32_t got = hlen < w->cap ? hlen : w->cap;

	w->p += got;
	w->cap -= got;
	w->len -= hlen;
	w->pk->payload = w->p;
	w->pk->payload_cap = w->cap;
	w->pk->payload_len = w->len;
}

/* RFC 9293 */
static void tcp(struct walk *w)
{
	struct packet *pk = w->pk;
	const uint8_t *h = w->p;
	uint32_t hlen, got;

	ports(w);
	hlen = w->cap > 12 ? (h[12] >> 4) * 4u : 0;
	got = hlen < w->cap ? hlen : w->cap;
	if (!walk_has(w, 20)) {
		if (hlen >= 20 && hlen <= w->len)
			set_payload(w, hlen);
		return;
	}
	pk->has_tcp = true;
	pk->tcp_seq = be32(h + 4);
	pk->tcp_ack = be32(h + 8);
	pk->tcp_flags = h[13];
	pk->tcp_window = be16(h + 14);
	pk->tcp_urgent = be16(h + 18);
	pk->tcp_options = h + 20;
	pk->tcp_options_len = pk->tcp_options_cap = 0;
	if (hlen < 20 || hlen > w->len) {
		walk_stop(w, "bad-length");
		return;
	}
	pk->tcp_options_len = (uint8_t)(hlen - 20);
	pk->tcp_options_cap = (uint8_t)(got - 20);
	set_payload(w, hlen);
	walk_stop(w, got < hlen ? "truncated" : NULL);
}

/* RFC 768; RFC 3828 (UDP-Lite: the length field is the checksum's coverage). */
static void udp(struct walk *w, bool lite)
{
	struct packet *pk = w->pk;
	const uint8_t *h = w->p;
	uint32_t n;

	ports(w);
	if (!walk_has(w, 8)) {
		if (w->len >= 8)
			set_payload(w, 8);
		return;
	}
	n = lite ? 0 : be16(h + 4);
	/* 0: longer than the field can say (RFC 2675, 4) */
	if (n && n < 8) {
		walk_stop(w, "bad-length");
		return;
	}
	if (n > w->len && !w->fragment && !pk->malformed)
		pk->malformed = "bad-length";
	if (n && n < w->len)
		walk_bound(w, n);
	set_payload(w, 8);
	if (!w->stop_at_transport && tunnel_wants_udp(pk->ip.sport, pk->ip.dport))
		walk_goto(w, LAYER_UDP_TUNNEL, 0);
	else
		walk_stop(w, NULL);
}

static void sctp(struct walk *w)
{
	ports(w);
	if (!walk_has(w, 12) && w->len < 12)
		return;
	set_payload(w, 12);
	walk_stop(w, NULL);
}

/* AH over IPv4; over IPv6 it was one of the extension headers. */
static void ah(struct walk *w)
{
	if (!extension(w))
		return;
	w->pk->ip.proto = (uint8_t)w->type;
	walk_goto(w, LAYER_TRANSPORT, w->type);
}

static void inner(struct walk *w, enum layer next)
{
	set_payload(w, 0);
	if (w->stop_at_transport)
		walk_stop(w, NULL);
	else
		walk_goto(w, next, 0);
}

void ip_transport(struct walk *w)
{
	struct packet *pk = w->pk;

	pk->l4 = w->p;
	pk->l4_cap = w->cap;
	pk->l4_len = w->len;
	switch (w->type) {
	case PROTO_TCP:
		tcp(w);
		return;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		udp(w, w->type == PROTO_UDPLITE);
		return;
	case PROTO_SCTP:
		sctp(w);
		return;
	case PROTO_AH:
		ah(w);
		return;
	case PROTO_IPV4:
	case PROTO_IPV6:
		inner(w, LAYER_IP);
		return;
	case PROTO_GRE:
		inner(w, LAYER_GRE);
		return;
	case PROTO_MPLS:
		inner(w, LAYER_MPLS);
		return;
	case PROTO_ETHERNET:
		inner(w, LAYER_ETHERNET);
		return;
	case PROTO_ETHERIP:
		inner(w, LAYER_END);
		if (!w->stop_at_transport)
			tunnel_etherip(w);
		return;
	case PROTO_L2TP:
		inner(w, LAYER_END);
		if (!w->stop_at_transport)
			tunnel_l2tp_ip(w);
		return;
	default:
		inner(w, LAYER_END);
	}
}
