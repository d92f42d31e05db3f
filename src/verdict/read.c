// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/types.h>
#include <string.h>

#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "tuple_read.h"
#include "util/bytes.h"
#include "verdict/parts.h"

enum { FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };
enum { CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_ABORT = 6 };	/* RFC 9260, 3.2 */
enum { ECHO_REPLY = 0, UNREACHABLE = 3, ECHO = 8 };		/* RFC 792 */
enum { UNREACHABLE_V6 = 1, ECHO_V6 = 128, ECHO_REPLY_V6 = 129 };	/* RFC 4443 */
enum { TUNNELS_MAX = 4, MARK_WORDS = 6 };	/* so much of what is carried marks a packet */

/* A frame while it is read. */
struct reading {
	const uint8_t *data;
	uint32_t cap, l3;	/* l3: where the IP header begins; of no use inside a tunnel */
	struct np_tuple t;
};

struct ends ends_turned(const struct ends *e)
{
	struct ends r = *e;

	memcpy(r.src, e->dst, sizeof(r.src));
	memcpy(r.dst, e->src, sizeof(r.dst));
	r.sport = e->dport;
	r.dport = e->sport;
	return r;
}

static bool captured(const struct reading *r, uint32_t n)
{
	return r->t.off <= r->cap && r->cap - r->t.off >= n && r->t.avail >= n;
}

static void take_ends(struct ends *e, const struct np_tuple *t)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->src, t->src, sizeof(e->src));
	memcpy(e->dst, t->dst, sizeof(e->dst));
	e->family = (uint8_t)t->family;
	e->proto = (uint8_t)t->proto;
	e->sport = t->sport < NP_NOT_KNOWN ? (uint16_t)t->sport : 0;
	e->dport = t->dport < NP_NOT_KNOWN ? (uint16_t)t->dport : 0;
}

/* What is there from the transport header's byte `from` on. */
static uint32_t behind(const struct reading *r, uint32_t from)
{
	uint64_t at = r->t.off + from, n = at < r->cap ? r->cap - at : 0;

	if (r->t.avail < from)
		return 0;
	return (uint32_t)(n < r->t.avail - from ? n : r->t.avail - from);
}

/*
 * Routers and translators leave alone: IPv4's identification, IPv6's flow label, and what is behind ports and checksum.
 * Of TCP that is the window here: options are rewritten.
 */
static void take_mark(struct sight *s, const struct reading *r, const struct hash_key *key, uint32_t from,
		      uint64_t extra)
{
	uint8_t bytes[8 * MARK_WORDS] = { 0 };
	uint32_t n = r->t.proto == PROTO_TCP ? 0 : behind(r, from);
	uint64_t w[2 + MARK_WORDS];

	if (s->inner)
		return;
	if (n)
		memcpy(bytes, r->data + r->t.off + from, n < sizeof(bytes) ? n : sizeof(bytes));
	w[0] = r->t.family == 4 ? be16(r->data + r->l3 + 4) : be32(r->data + r->l3) & 0xfffff;
	w[1] = extra;
	for (unsigned int i = 0; i < MARK_WORDS; i++)
		w[2 + i] = be64(bytes + 8 * i);
	s->mark = hash_words(key, w, 2 + MARK_WORDS);
	s->has_mark = true;
}

static void tcp(struct sight *s, const struct reading *r, const struct hash_key *key)
{
	const struct np_tuple *t = &r->t;

	if (!t->has_tcp) {
		s->what = SEEN_UNREAD;
		return;
	}
	s->what = SEEN_LATER;
	if ((t->tcp_flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == FLAG_SYN) {
		s->what = SEEN_FIRST;
		s->ends.serial = t->tcp_seq;
		take_mark(s, r, key, 0, t->tcp_window);
		return;
	}
	/* Either acknowledges the SYN (RFC 9293, 3.10.7.1). */
	if (t->tcp_flags & FLAG_RST && t->tcp_flags & FLAG_ACK)
		s->what = SEEN_REFUSAL;
	else if ((t->tcp_flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == (FLAG_SYN | FLAG_ACK))
		s->what = SEEN_ANSWER;
	else
		return;
	s->ends = ends_turned(&s->ends);
	s->ends.serial = t->tcp_ack - 1;
}

static void sctp(struct sight *s, const struct reading *r, const struct hash_key *key)
{
	const uint8_t *h = r->data + r->t.off;

	if (!captured(r, 20)) {
		/* An ABORT may be that short. */
		s->what = captured(r, 16) ? SEEN_LATER : SEEN_UNREAD;
		if (s->what == SEEN_UNREAD || h[12] != CHUNK_ABORT)
			return;
	}
	s->what = h[12] == CHUNK_INIT ? SEEN_FIRST : h[12] == CHUNK_INIT_ACK ? SEEN_ANSWER : SEEN_LATER;
	if (h[12] == CHUNK_ABORT)
		s->what = SEEN_REFUSAL;
	if (s->what == SEEN_LATER)
		return;
	if (s->what == SEEN_FIRST) {
		s->ends.serial = be32(h + 16);
		take_mark(s, r, key, 12, r->t.payload_len);
		return;
	}
	/* What answers has the INIT's tag in front. */
	s->ends = ends_turned(&s->ends);
	s->ends.serial = be32(h + 4);
}

/* The first packet that an ICMP error quotes: eight bytes of its transport at least (RFC 792). */
static bool quoted(struct ends *e, const struct reading *r, struct np_tuple *q)
{
	const uint8_t *p = r->data + r->t.off + 8;
	uint32_t n = r->cap - (uint32_t)r->t.off - 8;

	tuple_read_l3(q, p, n, n);
	if (q->reading != NP_WHOLE || q->family != r->t.family || q->off > n || n - q->off < 8)
		return false;
	take_ends(e, q);
	p += q->off;
	n -= (uint32_t)q->off;
	switch (q->proto) {
	case PROTO_TCP:
		e->serial = be32(p + 4);
		return true;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		return true;
	case PROTO_SCTP:
		e->serial = n >= 20 && p[12] == CHUNK_INIT ? be32(p + 16) : 0;
		return e->serial;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		e->sport = be16(p + 4);
		return q->icmp_type == (q->family == 4 ? ECHO : ECHO_V6);
	default:
		return false;
	}
}

/* RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1: net, host or communication is prohibited; RFC 4443, 3.1. */
static bool is_prohibited(const struct np_tuple *t)
{
	if (t->family == 4)
		return t->icmp_code == 9 || t->icmp_code == 10 || t->icmp_code == 13;
	return t->icmp_code == 1 || t->icmp_code == 5 || t->icmp_code == 6;
}

/* No such port, of IPv4 no such protocol: only the end itself knows. */
static bool is_ends_own(const struct np_tuple *t)
{
	return t->family == 4 ? t->icmp_code == 2 || t->icmp_code == 3 : t->icmp_code == 4;
}

static void error(struct sight *s, const struct reading *r)
{
	const struct np_tuple *t = &r->t;
	struct np_tuple q;

	s->what = SEEN_LATER;
	/* Too large for a link: the sender tries again, nobody refused. */
	if (t->family == 4 && t->icmp_code == 4)
		return;
	if (!captured(r, 8) || !quoted(&s->ends, r, &q))
		return;
	if (is_prohibited(t))
		s->what = SEEN_PROHIBITED;
	else if (!is_ends_own(t))
		s->what = SEEN_UNREACHABLE;
	else if (q.proto == PROTO_TCP)	/* which itself refuses by RST: it is a filter's, be it the end's own */
		s->what = SEEN_PROHIBITED;
	else
		s->what = t->src[0] == q.dst[0] && t->src[1] == q.dst[1] ? SEEN_REFUSAL : SEEN_PROHIBITED;
}

static void icmp(struct sight *s, const struct reading *r, const struct hash_key *key)
{
	const struct np_tuple *t = &r->t;
	bool v4 = t->family == 4;

	s->what = SEEN_NOTHING;
	if (v4 != (t->proto == PROTO_ICMP))
		return;
	if (t->icmp_type == (v4 ? UNREACHABLE : UNREACHABLE_V6)) {
		error(s, r);
		return;
	}
	if (t->icmp_type != (v4 ? ECHO : ECHO_V6) && t->icmp_type != (v4 ? ECHO_REPLY : ECHO_REPLY_V6))
		return;
	s->what = SEEN_UNREAD;
	if (!captured(r, 8))
		return;
	s->ends.sport = be16(r->data + t->off + 4);
	s->what = SEEN_FIRST;
	if (t->icmp_type == (v4 ? ECHO : ECHO_V6)) {
		take_mark(s, r, key, 6, t->payload_len);
		return;
	}
	s->what = SEEN_ANSWER;
	s->ends = ends_turned(&s->ends);
	s->ends.sport = s->ends.dport;
	s->ends.dport = 0;
}

static void transport(struct sight *s, const struct reading *r, const struct hash_key *key)
{
	take_ends(&s->ends, &r->t);
	switch (r->t.proto) {
	case PROTO_TCP:
		tcp(s, r, key);
		break;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		s->what = SEEN_DATAGRAM;
		take_mark(s, r, key, 8, r->t.payload_len);
		break;
	case PROTO_SCTP:
		sctp(s, r, key);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		icmp(s, r, key);
		break;
	default:
		s->what = SEEN_NOTHING;
	}
}

/* False: a link type whose header is not known here. */
static bool headers(struct reading *r, const struct frame *f)
{
	switch (f->link) {
	case LINK_ETHERNET:
		tuple_read(&r->t, f->data, f->cap_len, f->len);
		r->l3 = 14 + 4 * r->t.vlans;
		return true;
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		tuple_read_l3(&r->t, f->data, f->cap_len, f->len);
		return true;
	default:
		return false;
	}
}

void sight_read(struct sight *s, const struct hash_key *key, const struct frame *f)
{
	struct reading r = { .data = f->data, .cap = f->cap_len };

	memset(s, 0, sizeof(*s));
	s->time_ns = f->time_ns;
	s->through = f->iface && f->iface->through;
	s->ifindex = f->iface ? f->iface->ifindex : f->ifindex;
	s->place = s->ifindex || !f->iface ? s->ifindex : 1ull << 32 | f->iface->id;
	s->name = f->iface ? f->iface->name : "";
	s->drop = f->drop;
	s->where = f->drop ? WHERE_DROP : f->direction == DIR_EGRESS ? WHERE_OUT : WHERE_IN;
	s->what = SEEN_UNREAD;
	if (!headers(&r, f))
		return;
	for (unsigned int i = 0; i < TUNNELS_MAX && r.t.reading == NP_WHOLE && r.t.tunnel; i++)
		s->inner |= tuple_read_inner(&r.t, f->data, f->cap_len, f->len);
	if (r.t.reading == NP_NOT_IP)
		s->what = SEEN_NOTHING;
	else if (r.t.reading == NP_FRAGMENT_LATER || r.t.tunnel)
		s->what = SEEN_LATER;
	else if (r.t.reading == NP_WHOLE)
		transport(s, &r, key);
}
