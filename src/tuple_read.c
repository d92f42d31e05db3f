// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuple_read.h"

#include <string.h>

#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "util/bytes.h"

enum { PORT_GTP_U = 2152, PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_VXLAN_OLD = 8472 };

/* What has not been read yet: `cap` bytes are there, `left` the headers so far tell of; `known`: IP's does. */
struct rest {
	const uint8_t *p;
	uint64_t cap, left;
	bool known;
};

static void step(struct np_tuple *t, struct rest *r, uint64_t n)
{
	t->off += n;
	r->p = n < r->cap ? r->p + n : r->p + r->cap;
	r->cap = n < r->cap ? r->cap - n : 0;
	if (t->off > NP_FURTHEST)
		r->cap = 0;
	r->left -= n < r->left ? n : r->left;
}

static bool there(const struct rest *r, uint64_t n)
{
	return r->cap >= n && r->left >= n;
}

static bool is_extension(uint32_t nh)
{
	switch (nh) {
	case PROTO_HOPOPT:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_AH:
	case PROTO_DSTOPTS:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return true;
	default:
		return false;
	}
}

static void stop(struct np_tuple *t, enum np_reading why)
{
	t->reading = why;
}

/* A header is not all there: in a first fragment nobody may send that. */
static void stop_short(struct np_tuple *t)
{
	stop(t, t->fragment ? NP_FRAGMENT_TINY : NP_CUT);
}

/* ── tunnels ──────────────────────────────────────────────────────────────── */

static void tunnel(struct np_tuple *t, enum np_tunnel which, uint32_t type, uint64_t at)
{
	bool entered = type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6 || type == ETHERTYPE_TEB;

	if (entered) {
		t->tunnel = which;
		t->inner_type = type;
		t->inner_off = at;
	}
}

static uint32_t type_of_version(uint8_t first)
{
	return first >> 4 == 4 ? ETHERTYPE_IPV4 : first >> 4 == 6 ? ETHERTYPE_IPV6 : 0;
}

/* Both protocols carry both versions; where the version is neither, what is inside will be bad. */
static void ipip(struct np_tuple *t, const struct rest *r)
{
	uint32_t type = there(r, 1) ? type_of_version(*r->p) : 0;

	if (!type)
		type = t->proto == PROTO_IPV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
	tunnel(t, t->proto == PROTO_IPV4 ? NP_TUNNEL_IPIP : NP_TUNNEL_IP6, type, t->off);
}

/* RFC 2784, RFC 2890; not RFC 1701's source routes, nor RFC 2637's version 1 */
static void gre(struct np_tuple *t, const struct rest *r)
{
	uint32_t header = 4;

	if (!there(r, 4) || r->p[1] & 7 || r->p[0] & 0x40)
		return;
	for (uint8_t bit = 0x80; bit >= 0x10; bit >>= 1)
		if (r->p[0] & bit)
			header += 4;
	if (there(r, header))
		tunnel(t, NP_TUNNEL_GRE, be16(r->p + 2), t->off + header);
}

static void vxlan(struct np_tuple *t, const uint8_t *h)
{
	bool generic = h[0] & 4 && h[3] >= 1 && h[3] <= 5;

	if (h[0] & 8 && !generic && (t->dport == PORT_VXLAN || h[0] == 8))
		tunnel(t, NP_TUNNEL_VXLAN, ETHERTYPE_TEB, t->off + 16);
}

static void geneve(struct np_tuple *t, const uint8_t *h, uint64_t n)
{
	uint32_t header = 8u + 4u * (h[0] & 0x3f);

	if (!(h[0] & 0xc0) && n >= header)
		tunnel(t, NP_TUNNEL_GENEVE, be16(h + 2), t->off + 8 + header);
}

static void gtp(struct np_tuple *t, const uint8_t *h, uint64_t n)
{
	uint32_t header = h[0] & 7 ? 12 : 8;

	if ((h[0] & 0xf0) != 0x30 || h[1] != 255)
		return;
	/* The length is of all behind the first eight bytes. */
	if (n > 8u + be16(h + 2))
		n = 8u + be16(h + 2);
	if (n <= header || (h[0] & 4 && h[11]))
		return;
	tunnel(t, NP_TUNNEL_GTP, type_of_version(h[header]), t->off + 8 + header);
}

static void udp_tunnel(struct np_tuple *t, const struct rest *r)
{
	uint64_t n = r->cap - 8 < t->payload_len ? r->cap - 8 : t->payload_len;
	const uint8_t *h = r->p + 8;

	if (n < 8)
		return;
	switch (t->dport) {
	case PORT_VXLAN:
	case PORT_VXLAN_OLD:
		vxlan(t, h);
		break;
	case PORT_GENEVE:
		geneve(t, h, n);
		break;
	case PORT_GTP_U:
		gtp(t, h, n);
		break;
	default:
		break;
	}
}

/* ── the transport ────────────────────────────────────────────────────────── */

static void icmp(struct np_tuple *t, const struct rest *r)
{
	if (!there(r, 1)) {
		stop_short(t);
		return;
	}
	t->icmp_type = r->p[0];
	if (there(r, 2))
		t->icmp_code = r->p[1];
	t->payload_len = (uint32_t)r->left;
}

static void tcp(struct np_tuple *t, const struct rest *r)
{
	const uint8_t *h = r->p;
	uint32_t header;

	if (!there(r, 20))
		return;
	header = (h[12] >> 4) * 4u;
	if (header < 20 || header > r->left)
		return;
	t->has_tcp = 1;
	t->tcp_seq = be32(h + 4);
	t->tcp_ack = be32(h + 8);
	t->tcp_flags = h[13];
	t->tcp_window = be16(h + 14);
	t->payload_len = (uint32_t)r->left - header;
}

static void udp(struct np_tuple *t, const struct rest *r)
{
	uint64_t n = r->left;

	if (n < 8)
		return;
	if (r->cap >= 8) {
		uint32_t says = be16(r->p + 4);

		if (says && says < n)
			n = says;
	}
	if (n < 8)
		return;
	t->payload_len = (uint32_t)n - 8;
	if (r->cap >= 8 && !t->fragment)
		udp_tunnel(t, r);
}

static void ports(struct np_tuple *t, const struct rest *r)
{
	uint32_t least = t->proto == PROTO_TCP ? 16 : 8;

	if (t->fragment && r->known && r->left < least) {
		stop(t, NP_FRAGMENT_TINY);
		return;
	}
	if (!there(r, 4)) {
		stop(t, NP_CUT);
		return;
	}
	t->sport = be16(r->p);
	t->dport = be16(r->p + 2);
	switch (t->proto) {
	case PROTO_TCP:
		tcp(t, r);
		break;
	case PROTO_UDP:
		udp(t, r);
		break;
	case PROTO_UDPLITE:
		t->payload_len = r->left < 8 ? 0 : (uint32_t)r->left - 8;
		break;
	case PROTO_SCTP:
		t->payload_len = r->left < 12 ? 0 : (uint32_t)r->left - 12;
		break;
	default:
		t->payload_len = (uint32_t)r->left;
	}
}

static void transport(struct np_tuple *t, const struct rest *r)
{
	switch (t->proto) {
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		icmp(t, r);
		return;
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_DCCP:
	case PROTO_SCTP:
	case PROTO_UDPLITE:
		ports(t, r);
		return;
	default:
		t->payload_len = (uint32_t)r->left;
	}
	if (t->proto == PROTO_AH)	/* over IPv4 */
		t->has_ah = 1;
	if (t->fragment)
		return;
	if (t->proto == PROTO_IPV4 || t->proto == PROTO_IPV6)
		ipip(t, r);
	else if (t->proto == PROTO_GRE)
		gre(t, r);
}

/* ── IP ───────────────────────────────────────────────────────────────────── */

/* Not the first: what it begins with is no header. */
static void later(struct np_tuple *t, const struct rest *r, uint8_t proto, uint32_t offset)
{
	bool hidden = t->family == 6 && is_extension(proto);

	t->first = 0;
	t->frag_offset = offset;
	t->proto = hidden ? NP_NOT_KNOWN : proto;
	t->payload_len = (uint32_t)r->left;
	stop(t, proto == PROTO_TCP && offset == 8 ? NP_FRAGMENT_OVERLAP : NP_FRAGMENT_LATER);
}

/* What the IP header says of its length, where it does. */
static void bound(struct np_tuple *t, struct rest *r, uint32_t says)
{
	t->ip_len = says ? says : (uint32_t)r->left;
	r->known = says;
	if (says)
		r->left = says;
}

static void v4(struct np_tuple *t, struct rest *r)
{
	const uint8_t *h = r->p;
	uint32_t header, flags, total;
	uint64_t frame = r->left;
	bool is_cut;

	if (r->cap < 20 || h[0] >> 4 != 4 || (h[0] & 15) < 5) {
		stop(t, r->cap < 20 ? NP_CUT : NP_BAD);
		return;
	}
	header = (h[0] & 15) * 4u;
	total = be16(h + 2);
	t->family = 4;
	t->tos = h[1];
	t->ttl = h[8];
	t->proto = h[9];
	t->src[0] = (uint64_t)be32(h + 12) << 32;
	t->dst[0] = (uint64_t)be32(h + 16) << 32;
	bound(t, r, total);
	if (total && total < header) {
		r->left = frame;
		stop(t, NP_BAD);
		return;
	}
	flags = be16(h + 6);
	t->fragment = (flags & 0x3fff) != 0;
	t->more = (flags & 0x2000) != 0;
	t->frag_id = t->fragment ? be16(h + 4) : 0;
	/* Its options are not all there; where they end is known all the same. */
	is_cut = r->cap < header || t->off + header > NP_FURTHEST;

	step(t, r, header);
	if (flags & 0x1fff)
		later(t, r, h[9], (flags & 0x1fff) * 8);
	else if (is_cut)
		stop_short(t);
	else
		transport(t, r);
}

/* The extension header that t->proto names.  False: the reading ended. */
static bool extension(struct np_tuple *t, struct rest *r)
{
	const uint8_t *h = r->p;
	uint32_t n = 8, flags;

	if (there(r, 8) && t->proto != PROTO_FRAGMENT)
		n = t->proto == PROTO_AH ? 4u * (h[1] + 2u) : 8u * (h[1] + 1u);
	if (!there(r, 8) || !there(r, n)) {
		t->proto = NP_NOT_KNOWN;
		stop_short(t);
		return false;
	}
	step(t, r, n);
	if (t->proto == PROTO_AH)
		t->has_ah = 1;
	if (t->proto == PROTO_FRAGMENT) {
		flags = be16(h + 2);
		t->frag_id = be32(h + 4);
		t->more = flags & 1;
		t->fragment = t->fragment || t->more || flags >> 3;
		if (flags >> 3) {
			later(t, r, h[0], flags & 0xfff8);
			return false;
		}
	}
	t->proto = h[0];
	return true;
}

static void v6(struct np_tuple *t, struct rest *r)
{
	const uint8_t *h = r->p;

	if (r->cap < 40 || h[0] >> 4 != 6) {
		stop(t, r->cap < 40 ? NP_CUT : NP_BAD);
		return;
	}
	t->family = 6;
	t->tos = (h[0] << 4 | h[1] >> 4) & 255;
	t->proto = h[6];
	t->ttl = h[7];
	for (int i = 0; i < 2; i++) {
		t->src[i] = be64(h + 8 + 8 * i);
		t->dst[i] = be64(h + 24 + 8 * i);
	}
	bound(t, r, be16(h + 4) ? be16(h + 4) + 40u : 0);
	step(t, r, 40);
	for (unsigned int n = 0; is_extension(t->proto); n++) {
		if (n == NP_EXTENSIONS_MAX) {
			t->proto = NP_NOT_KNOWN;
			stop(t, NP_DEEP);
			return;
		}
		if (!extension(t, r))
			return;
	}
	transport(t, r);
}

static void network(struct np_tuple *t, struct rest *r, uint32_t type)
{
	t->ethertype = type;
	switch (type) {
	case ETHERTYPE_IPV4:
		v4(t, r);
		break;
	case ETHERTYPE_IPV6:
		v6(t, r);
		break;
	default:
		stop(t, NP_NOT_IP);
	}
}

/* ── the link ─────────────────────────────────────────────────────────────── */

static void ethernet(struct np_tuple *t, struct rest *r)
{
	const uint8_t *h = r->p;

	if (r->cap < 14) {
		stop(t, NP_CUT);
		return;
	}
	t->has_mac = 1;
	t->dmac = be64(h) & ~0xffffull;
	t->smac = be64(h + 6) & ~0xffffull;
	t->ethertype = be16(h + 12);
	step(t, r, 14);
	while (ethertype_is_vlan((uint16_t)t->ethertype)) {
		if (t->vlans == NP_TAGS_MAX || r->cap < 4) {
			stop(t, t->vlans == NP_TAGS_MAX ? NP_DEEP : NP_CUT);
			return;
		}
		if (t->vlans < 2)
			t->vlan[t->vlans] = be16(r->p) & 0xfff;
		t->vlans++;
		t->ethertype = be16(r->p + 2);
		step(t, r, 4);
	}
	network(t, r, t->ethertype);
}

/* Nothing is known of what lies from `off` to `end`. */
static struct rest start(struct np_tuple *t, const uint8_t *frame, uint64_t cap, uint64_t off, uint64_t end)
{
	struct rest r = { .left = end - off };

	if (cap > end)
		cap = end;
	r.cap = off < cap && off <= NP_FURTHEST ? cap - off : 0;
	r.p = r.cap ? frame + off : frame;
	memset(t, 0, sizeof(*t));
	t->proto = t->sport = t->dport = t->icmp_type = t->icmp_code = NP_NOT_KNOWN;
	t->first = 1;
	t->off = off;
	t->end = end;
	return r;
}

void tuple_read(struct np_tuple *t, const uint8_t *frame, uint32_t cap, uint32_t len)
{
	struct rest r = start(t, frame, cap, 0, len > cap ? len : cap);

	ethernet(t, &r);
	t->avail = r.left;
}

void tuple_read_l3(struct np_tuple *t, const uint8_t *packet, uint32_t cap, uint32_t len)
{
	struct rest r = start(t, packet, cap, 0, len > cap ? len : cap);

	if (cap)
		network(t, &r, type_of_version(packet[0]));
	else
		stop(t, NP_CUT);
	t->avail = r.left;
}

/* Where what is around the inner headers ends: IP, UDP, GTP, and what is around those. */
static uint64_t outer_end(const struct np_tuple *t, const uint8_t *frame)
{
	uint64_t end = t->off + t->payload_len;

	if (t->proto == PROTO_UDP)
		end += 8;
	if (t->tunnel == NP_TUNNEL_GTP && t->off + 16 + be16(frame + t->off + 10) < end)
		end = t->off + 16 + be16(frame + t->off + 10);
	return end < t->end ? end : t->end;
}

bool tuple_read_inner(struct np_tuple *t, const uint8_t *frame, uint32_t cap, uint32_t len)
{
	uint32_t type = t->inner_type;
	struct rest r;

	if (!t->tunnel)
		return false;
	r = start(t, frame, cap, t->inner_off, outer_end(t, frame));
	if (type == ETHERTYPE_TEB)
		ethernet(t, &r);
	else
		network(t, &r, type);
	t->avail = r.left;
	return true;
}
