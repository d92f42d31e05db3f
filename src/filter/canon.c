// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/canon.h"

#include <string.h>
#include <sys/socket.h>

#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "tags.h"
#include "util/bytes.h"

enum { TYPE_IP = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_TEB = 0x6558, TYPE_MPLS = 0x8847 };
enum { ETHER_HEADER = 14, SLL_HEADER = 16, SLL2_HEADER = 20, ENC_HEADER = 12, TAG = 4 };

/* Where the walk over a frame stands. */
struct walk {
	const uint8_t *p;
	uint32_t cap;
	uint32_t off;		/* of the next header, never beyond cap */
	uint16_t type;		/* EtherType of what starts there; 0: nothing that has one */
	bool is_ether;		/* only after a tunnel header: an Ethernet frame starts there */
};

static bool holds(const struct walk *w, uint32_t n)
{
	return w->cap - w->off >= n;
}

static bool is_tag(uint16_t type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

/* w->off is behind a type that may announce a tag (IEEE 802.1Q, 9.3): skip tags, return how many. */
static unsigned int skip_tags(struct walk *w)
{
	unsigned int n;

	for (n = 0; n < CANON_TAGS && is_tag(w->type) && holds(w, TAG); n++) {
		w->type = be16(w->p + w->off + 2);
		w->off += TAG;
	}
	return n;
}

static void whole(struct canon *c, const uint8_t *data, uint32_t cap, uint32_t len)
{
	c->head_len = 0;
	c->tail = data;
	c->cap = cap;
	c->len = c->sent = len;
}

/* The frame without bytes [from, to): the first `from` of them go to head. */
static void leave_out(struct canon *c, const uint8_t *data, uint32_t from, uint32_t to)
{
	memcpy(c->head, data, from);
	c->head_len = from;
	c->tail = data + to;
	c->cap -= to - from;
	c->len -= to - from;
}

/* What starts at data + off is the network header: put an Ethernet header of zeros in front. */
static void under_ether(struct canon *c, const uint8_t *data, uint32_t off, uint16_t type)
{
	memset(c->head, 0, ETHER_HEADER);
	put_be16(c->head + 12, type);
	c->head_len = ETHER_HEADER;
	c->tail = data + off;
	c->cap = c->cap - off + ETHER_HEADER;
	c->len = c->sent = c->len - off + ETHER_HEADER;
}

static uint16_t type_of_ip(const uint8_t *p, uint32_t n)
{
	if (!n)
		return 0;
	return p[0] >> 4 == 4 ? TYPE_IP : p[0] >> 4 == 6 ? TYPE_IPV6 : 0;
}

/* The address family of BSD loopback, in the byte order of the file's writer (DLT_NULL) or big endian. */
static uint16_t type_of_family(const uint8_t *p)
{
	uint8_t family = p[0] ? p[0] : p[3];

	if (p[1] || p[2] || (p[0] && p[3]))
		return 0;
	if (family == 2)
		return TYPE_IP;
	return family == 10 || family == 24 || family == 28 || family == 30 ? TYPE_IPV6 : 0;
}

/* RFC 1661 in HDLC-like framing (RFC 1662) or without. */
static void enter_ppp(struct walk *w)
{
	uint32_t at = w->cap >= 2 && w->p[0] == 0xff && w->p[1] == 0x03 ? 2 : 0;
	uint16_t proto;

	if (w->cap < at + 2)
		return;
	proto = be16(w->p + at);
	w->off = at + 2;
	w->type = proto == 0x21 ? TYPE_IP : proto == 0x57 ? TYPE_IPV6 : proto == 0x281 ? TYPE_MPLS : 0;
}

static void enter_cooked(struct walk *w, uint32_t header, uint32_t type_at)
{
	if (w->cap < header)
		return;
	w->off = header;
	w->type = be16(w->p + type_at);
}

/* To the network header of a frame, tags not yet skipped.  False when the link type has none that we know. */
static bool enter(struct walk *w, uint16_t link)
{
	switch (link) {
	case LINK_ETHERNET:
		enter_cooked(w, ETHER_HEADER, 12);
		return true;
	case LINK_SLL:
		enter_cooked(w, SLL_HEADER, 14);
		return true;
	case LINK_SLL2:
		enter_cooked(w, SLL2_HEADER, 0);
		return true;
	case LINK_PPP:
		enter_ppp(w);
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		if (w->cap >= 4) {
			w->off = 4;
			w->type = type_of_family(w->p);
		}
		return true;
	case LINK_ENC:
		if (w->cap >= ENC_HEADER) {
			w->off = ENC_HEADER;
			w->type = type_of_family(w->p);
		}
		return true;
	case LINK_RAW:
	case LINK_OLD_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		w->type = type_of_ip(w->p, w->cap);
		return true;
	default:
		return false;
	}
}

/* RFC 7348, 5: eight bytes, the I flag must be set. */
static bool enter_vxlan(struct walk *w)
{
	if (!holds(w, 8) || !(w->p[w->off] & 0x08))
		return false;
	w->off += 8;
	w->is_ether = true;
	return true;
}

static bool enter_type(struct walk *w, uint16_t type)
{
	w->is_ether = type == TYPE_TEB;
	w->type = type;
	return w->is_ether || type == TYPE_IP || type == TYPE_IPV6;
}

/* RFC 8926, 3.4. */
static bool enter_geneve(struct walk *w)
{
	const uint8_t *p = w->p + w->off;
	uint32_t n;

	if (!holds(w, 8) || p[0] >> 6)
		return false;
	n = 8 + (p[0] & 0x3f) * 4u;
	if (!holds(w, n) || !enter_type(w, be16(p + 2)))
		return false;
	w->off += n;
	return true;
}

/* RFC 2784 with the key and sequence number of RFC 2890; RFC 1701 routing is not GRE any more. */
static bool enter_gre(struct walk *w)
{
	const uint8_t *p = w->p + w->off;
	uint32_t n = 4;

	if (!holds(w, 4) || (p[0] & 0x40) || (p[1] & 0x07))
		return false;
	n += p[0] & 0x80 ? 4 : 0;
	n += p[0] & 0x20 ? 4 : 0;
	n += p[0] & 0x10 ? 4 : 0;
	if (!holds(w, n) || !enter_type(w, be16(p + 2)))
		return false;
	w->off += n;
	return true;
}

static bool enter_udp(struct walk *w)
{
	uint16_t port;

	if (!holds(w, 8))
		return false;
	port = be16(w->p + w->off + 2);
	w->off += 8;
	if (port == 4789 || port == 8472)
		return enter_vxlan(w);
	return port == 6081 && enter_geneve(w);
}

static bool enter_protocol(struct walk *w, uint8_t proto)
{
	switch (proto) {
	case PROTO_IPV4:
		return enter_type(w, TYPE_IP);
	case PROTO_IPV6:
		return enter_type(w, TYPE_IPV6);
	case PROTO_GRE:
		return enter_gre(w);
	case PROTO_UDP:
		return enter_udp(w);
	default:
		return false;
	}
}

static bool enter_ipv4(struct walk *w)
{
	const uint8_t *p = w->p + w->off;
	uint32_t n;

	if (!holds(w, 20) || p[0] >> 4 != 4 || (p[0] & 0x0f) < 5)
		return false;
	n = (p[0] & 0x0f) * 4u;
	if (!holds(w, n) || be16(p + 6) & 0x1fff)
		return false;
	w->off += n;
	return enter_protocol(w, p[9]);
}

/* RFC 8200, 4: hop-by-hop options, routing, destination options, and the header of a first fragment. */
static bool enter_ipv6(struct walk *w)
{
	const uint8_t *p = w->p + w->off;
	uint8_t next;
	uint32_t n;

	if (!holds(w, 40) || p[0] >> 4 != 6)
		return false;
	next = p[6];
	w->off += 40;
	for (int i = 0; i < CANON_EXTENSIONS; i++) {
		if (next != PROTO_HOPOPT && next != PROTO_ROUTING && next != PROTO_DSTOPTS && next != PROTO_FRAGMENT)
			break;
		if (!holds(w, 8))
			return false;
		p = w->p + w->off;
		if (next == PROTO_FRAGMENT && be16(p + 2) & 0xfff8)
			return false;
		n = next == PROTO_FRAGMENT ? 8 : 8 + p[1] * 8u;
		if (!holds(w, n))
			return false;
		next = p[0];
		w->off += n;
	}
	return enter_protocol(w, next);
}

/* Into the tunnel whose outer network header is at w->off. */
static bool enter_tunnel(struct walk *w)
{
	if (w->type == TYPE_IP)
		return enter_ipv4(w);
	return w->type == TYPE_IPV6 && enter_ipv6(w);
}

/* Rule 1 for the frame that c holds whole, of which w has reached the network header. */
static void untag(struct canon *c, uint16_t link, const uint8_t *data, const struct walk *w,
		  unsigned int tags)
{
	if (!tags)
		return;
	switch (link) {
	case LINK_ETHERNET:
		leave_out(c, data, 12, 12 + TAG * tags);
		break;
	case LINK_SLL:
		leave_out(c, data, 14, 14 + TAG * tags);
		break;
	case LINK_SLL2:
		leave_out(c, data, SLL2_HEADER, SLL2_HEADER + TAG * tags);
		put_be16(c->head, w->type);
		break;
	}
}

/* Rule 3. */
static void our_family(struct canon *c, uint16_t link, const uint8_t *data, uint16_t type)
{
	uint32_t family = type == TYPE_IP ? AF_INET : AF_INET6;

	if ((link != LINK_NULL && link != LINK_LOOP && link != LINK_ENC) || (type != TYPE_IP && type != TYPE_IPV6))
		return;
	leave_out(c, data, sizeof(family), sizeof(family));
	if (link == LINK_LOOP)
		put_be32(c->head, family);
	else
		memcpy(c->head, &family, sizeof(family));
}

static void take_inner(struct canon *c, const struct walk *outer, bool strict)
{
	struct walk in = { .p = outer->p + outer->off, .cap = outer->cap - outer->off };
	unsigned int tags;

	if (!outer->is_ether) {
		under_ether(c, outer->p, outer->off, outer->type);
		return;
	}
	whole(c, in.p, in.cap, c->len - outer->off);
	enter(&in, LINK_ETHERNET);
	tags = strict ? 0 : skip_tags(&in);
	untag(c, LINK_ETHERNET, in.p, &in, tags);
}

void canon_make(struct canon *c, uint16_t link, struct canon_how how, const uint8_t *data, uint32_t cap,
		uint32_t len)
{
	struct walk w = { .p = data, .cap = cap }, t;
	bool tagged = link == LINK_ETHERNET || link == LINK_SLL || link == LINK_SLL2;
	unsigned int tags;

	if (len < cap)
		len = cap;
	whole(c, data, cap, len);
	if (!enter(&w, link))
		return;
	t = w;
	tags = tagged ? skip_tags(&t) : 0;
	if (how.inner) {
		struct walk inside = t;

		if (enter_tunnel(&inside)) {
			take_inner(c, &inside, how.strict);
			return;
		}
	}
	if (how.ether && link != LINK_ETHERNET && !how.strict)
		under_ether(c, data, t.off, t.type);
	else if (how.ether && link != LINK_ETHERNET)
		under_ether(c, data, w.off, w.type);
	else if (!how.strict)
		untag(c, link, data, &t, tags);
	if (!how.ether && !how.as_is)
		our_family(c, link, data, w.type);
}

bool canon_load(const struct canon *c, uint64_t off, unsigned int size, uint32_t *v)
{
	uint32_t r = 0;

	if (off > c->cap || c->cap - off < size)
		return false;
	for (unsigned int i = 0; i < size; i++, off++)
		r = r << 8 | (off < c->head_len ? c->head[off] : c->tail[off - c->head_len]);
	*v = r;
	return true;
}

uint32_t canon_copy(const struct canon *c, uint8_t *out, uint32_t max)
{
	uint32_t n = c->cap < max ? c->cap : max;
	uint32_t head = n < c->head_len ? n : c->head_len;

	memcpy(out, c->head, head);
	if (n > head)
		memcpy(out + head, c->tail, n - head);
	return n;
}
