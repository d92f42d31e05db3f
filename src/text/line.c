// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "text/parts.h"
#include "util/addr.h"
#include "util/escape.h"

int line_open(struct line_state **out, const struct line_options *opt)
{
	struct line_state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->opt = *opt;
	if (getrandom(&st->seed, sizeof(st->seed), GRND_NONBLOCK) < 0)
		st->seed = (uintptr_t)st;
	*out = st;
	return 0;
}

void line_close(struct line_state *st)
{
	free(st);
}

void line_text(struct buf *b, const char *p, uint32_t n)
{
	if (buf_room(b, (size_t)n * ESCAPE_MAX + 1))
		b->n += escape_text(b->p + b->n, (size_t)n * ESCAPE_MAX + 1, p, n, ESCAPE_FIELD);
}

static char *put_end(char *o, const struct addr *a, bool has_port, uint16_t port)
{
	o += addr_text(o, a);
	if (has_port) {
		*o++ = '.';
		o = line_u32(o, port);
	}
	return o;
}

/* "10.0.0.1.1234 > 10.0.0.2.80: " */
static void put_pair(struct buf *b, const struct addr *src, const struct addr *dst, bool has_ports,
		     uint16_t sport, uint16_t dport)
{
	char *o;

	if (!buf_room(b, 2 * (ADDR_TEXT_MAX + 11) + 8))
		return;
	o = put_end(b->p + b->n, src, has_ports, sport);
	o = LINE_LIT(o, " > ");
	o = put_end(o, dst, has_ports, dport);
	o = LINE_LIT(o, ": ");
	b->n = (size_t)(o - b->p);
}

static void put_family(struct buf *b, const struct addr *a)
{
	if (a->family == 6)
		buf_lit(b, "IP6 ");
	else
		buf_lit(b, "IP ");
}

/* "MPLS (label 29, tc 0, [S], ttl 255) ": a parenthesis for each label of a stack. */
static void put_label(const struct record *r, uint32_t i, struct buf *b)
{
	const struct mpls_label *l = r->mpls.p;

	if (!i || i == r->mpls_before || l[i - 1].bottom)
		buf_lit(b, "MPLS ");
	buf_lit(b, "(label ");
	buf_u64(b, l[i].label);
	buf_lit(b, ", tc ");
	buf_u64(b, l[i].tc);
	buf_str(b, l[i].bottom ? ", [S], ttl " : ", ttl ");
	buf_u64(b, l[i].ttl);
	buf_lit(b, ") ");
}

/* The outer header and the encapsulations behind it, each with a colon.  k: the packet's record. */
static void put_outer(const struct record *r, const struct record *k, struct buf *b)
{
	const char *const *name = r->tunnel.p;
	uint32_t i, label = r->mpls_before;

	/* Around ARP there may be one IP header, and none outside of it. */
	if (record_has(k, FIELD_OUTER_SRC_IP))
		put_pair(b, &k->outer_src, &k->outer_dst, record_has(k, FIELD_OUTER_SRC_PORT), k->outer_sport,
			 k->outer_dport);
	else
		put_pair(b, &k->src, &k->dst, record_has(k, FIELD_SRC_PORT), k->sport, k->dport);
	for (i = r->tunnels_before; i < r->tunnel.n; i++) {
		/* An IP header right after another needs no name. */
		if (!strcmp(name[i], "ipip") || !strcmp(name[i], "ip6"))
			continue;
		if (!strcmp(name[i], "mpls") && label < r->mpls.n) {	/* one name a label */
			put_label(r, label++, b);
			continue;
		}
		buf_str(b, name[i]);
		buf_lit(b, ": ");
	}
}

static void put_proto(const struct record *r, struct buf *b)
{
	const char *name = r->transport;

	switch (r->iana_number) {
	case PROTO_TCP: name = "TCP"; break;
	case PROTO_UDP: name = "UDP"; break;
	case PROTO_ICMP: name = "ICMP"; break;
	case PROTO_ICMPV6: name = "ICMPv6"; break;
	default: break;
	}
	buf_str(b, name);
	buf_lit(b, " (");
	buf_u64(b, r->iana_number);
	buf_lit(b, ")");
}

static void put_verbose_v4(const struct record *r, struct buf *b)
{
	bool piece = record_has(r, FIELD_FRAG_OFFSET), more = piece && r->frag_more;

	buf_lit(b, "(tos 0x");
	buf_hex(b, r->ip_tos, 1);
	buf_lit(b, ", ttl ");
	buf_u64(b, r->ip_ttl);
	buf_lit(b, ", id ");
	buf_u64(b, r->ip_id);
	buf_lit(b, ", offset ");
	buf_u64(b, piece ? r->frag_offset : 0);
	buf_lit(b, ", flags [");
	buf_str(b, more ? (r->ip_df ? "+, DF" : "+") : r->ip_df ? "DF" : "none");
	buf_lit(b, "], proto ");
	put_proto(r, b);
	buf_lit(b, ", length ");
	buf_u64(b, r->ip_len);
	buf_lit(b, ") ");
}

static void put_verbose_v6(const struct record *r, struct buf *b)
{
	buf_lit(b, "(");
	if (r->ip_tos) {
		buf_lit(b, "class 0x");
		buf_hex(b, r->ip_tos, 2);
		buf_lit(b, ", ");
	}
	buf_lit(b, "hlim ");
	buf_u64(b, r->ip_ttl);
	buf_lit(b, ", next-header ");
	put_proto(r, b);
	buf_lit(b, " payload length: ");
	buf_u64(b, r->ip_len - 40);
	buf_lit(b, ") ");
}

/* Names of interfaces are chosen by whoever made the container. */
static void put_interface(const struct record *r, struct buf *b)
{
	size_t from = b->n;

	if (record_has(r, FIELD_INTERFACE)) {
		line_text(b, r->interface.p, r->interface.n);
	} else if (record_has(r, FIELD_IFINDEX)) {
		buf_lit(b, "if");
		buf_u64(b, r->ifindex);
	} else {
		buf_chr(b, '?');
	}
	while (b->n - from < 5 && !b->full)
		buf_chr(b, ' ');
	if (!record_has(r, FIELD_DIRECTION))
		buf_lit(b, " ?   ");
	else if (r->direction[0] == 'i')
		buf_lit(b, " In  ");
	else
		buf_lit(b, " Out ");
}

/* A frame that is neither IP nor a decoded ARP message. */
static void put_other(const struct record *r, bool has_link, struct buf *b)
{
	const char *name;

	if (record_has(r, FIELD_PPP_PROTOCOL)) {
		line_ppp(r, b);
		return;
	}
	if (record_has(r, FIELD_NET_TYPE)) {
		if (!has_link)
			buf_lit(b, "ARP, ");
	} else if (record_has(r, FIELD_ETHERTYPE)) {
		name = ethertype_name(r->ethertype);
		if (!name && !has_link)
			line_ethernet(r, b);
		if (name && !has_link) {
			buf_str(b, name);
			buf_lit(b, ", ");
		}
	} else if (!has_link) {
		buf_str(b, record_has(r, FIELD_MALFORMED) ? "frame, " : "802.2, ");
	}
	buf_lit(b, "length ");
	buf_u64(b, r->rest_len ? r->rest_len : r->frame_len);
}

/* What a first fragment begins. */
static void put_head(struct line_state *st, const struct record *head, struct buf *b)
{
	st->is_head = true;
	head->set->line(st, head, b);
	st->is_head = false;
}

static void put_transport(struct line_state *st, const struct record *r, struct buf *b)
{
	if (record_has(r, FIELD_PPP_PROTOCOL)) {
		buf_str(b, r->iana_number == PROTO_GRE ? "gre: " : "l2tp: ");
		line_ppp(r, b);
		return;
	}
	if (r->head && !st->opt.quiet) {
		put_head(st, r->head, b);
		return;
	}
	switch (r->iana_number) {
	case PROTO_TCP:
		if (record_has(r, FIELD_SRC_PORT)) {
			line_tcp(st, r, b);
			return;
		}
		break;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		if (record_has(r, FIELD_SRC_PORT)) {
			buf_lit(b, "UDP");
			goto length;
		}
		break;
	case PROTO_ICMP:
		buf_lit(b, "ICMP");
		goto length;
	case PROTO_ICMPV6:
		buf_lit(b, "ICMP6");
		goto length;
	default:
		break;
	}
	buf_str(b, r->transport);
length:
	buf_lit(b, ", length ");
	buf_u64(b, r->rest_len);
}

/* Which piece of which datagram: id, bytes, offset, and "+" when more follow. */
static void put_fragment(const struct record *r, struct buf *b)
{
	buf_lit(b, " (frag ");
	if (record_has(r, FIELD_IP_ID)) {
		buf_u64(b, r->ip_id);
		buf_chr(b, ':');
	}
	buf_u64(b, r->frag_offset);
	if (r->frag_more)
		buf_chr(b, '+');
	buf_lit(b, ")");
}

/* Its header ends before the receiver's address. */
static bool is_cut_ip(const struct record *r)
{
	return record_has(r, FIELD_NET_TYPE) && r->net_type[0] == 'i' && !record_has(r, FIELD_DST_IP);
}

static void put_cut_ip(const struct record *r, bool is_named, struct buf *b)
{
	if (!is_named)
		buf_lit(b, "IP ");
	buf_str(b, r->net_type[3] == '6' ? " [|ip6]" : " [|ip]");
}

/* RFC 4302, 2.  The integrity check value says nothing to the eye. */
static void put_ah(const struct record *r, struct buf *b)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 28;

	buf_lit(b, "AH(spi=0x");
	for (int s = 28; s >= 0; s -= 4)
		buf_chr(b, digits[r->ah_spi >> s & 15]);
	buf_lit(b, ",seq=0x");
	while (shift && !(r->ah_seq >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		buf_chr(b, digits[r->ah_seq >> shift & 15]);
	buf_lit(b, "): ");
}

static const struct addr *outermost(const struct record *k)
{
	return record_has(k, FIELD_OUTER_SRC_IP) ? &k->outer_src : &k->src;
}

/* k: the packet's record, which is r itself unless r is a message. */
static void put_ip(struct line_state *st, const struct record *r, const struct record *k, bool has_link, struct buf *b)
{
	static const struct addr nowhere = { .family = 0 };
	bool tunnel = record_has(r, FIELD_TUNNEL) && record_has(k, FIELD_OUTER_SRC_IP);

	if (!has_link)
		put_family(b, tunnel ? &k->outer_src : &r->src);
	if (tunnel) {
		put_outer(r, k, b);
		put_family(b, &r->src);
	}
	if (st->opt.verbose && record_has(k, FIELD_IP_TTL))
		(r->src.family == 4 ? put_verbose_v4 : put_verbose_v6)(k, b);
	if (is_cut_ip(r)) {
		put_cut_ip(r, true, b);
		return;
	}
	put_pair(b, &r->src, record_has(r, FIELD_DST_IP) ? &r->dst : &nowhere,
		 record_has(r, FIELD_SRC_PORT), r->sport, r->dport);
	if (record_has(k, FIELD_IP_HOP_BY_HOP))
		buf_lit(b, "HBH ");
	if (record_has(k, FIELD_AH_SPI))
		put_ah(k, b);
	if (r->set->sections & SECTION_PACKET) {
		put_transport(st, r, b);
		return;
	}
	line_tcp_seen(st, k);
	line_message(st, r, b);
}

/* A message of the link, like those of ARP. */
static void put_link_message(struct line_state *st, const struct record *r, const struct record *k, bool has_link,
			     struct buf *b)
{
	bool tunnel = record_has(r, FIELD_TUNNEL) && record_has(k, FIELD_SRC_IP);

	if (tunnel && !has_link)
		put_family(b, outermost(k));
	if (tunnel)
		put_outer(r, k, b);
	st->is_named = has_link && !tunnel;
	line_message(st, r, b);
}

/* The line has said so where it ends. */
static bool says_cut(const struct line_state *st, const struct record *r)
{
	if (is_cut_ip(r))
		return true;
	return record_has(r, FIELD_TCP_FLAGS) && !st->opt.quiet && line_tcp_is_cut(r);
}

static void put_packet(struct line_state *st, const struct record *r, struct buf *b)
{
	const struct record *k = r->packet ? r->packet : r;
	bool has_link = st->opt.link && line_link(r, b), is_message = !(r->set->sections & SECTION_PACKET);

	for (uint32_t i = 0; i < k->mpls_before; i++)
		put_label(k, i, b);
	if (!record_has(r, FIELD_SRC_IP) && is_message)
		put_link_message(st, r, k, has_link, b);
	else if (is_cut_ip(r) && !record_has(r, FIELD_TUNNEL))
		put_cut_ip(r, has_link || r->net_type[3] == '6', b);
	else if (record_has(r, FIELD_SRC_IP))
		put_ip(st, r, k, has_link, b);
	else
		put_other(r, has_link, b);
	if (record_has(r, FIELD_FRAG_OFFSET))
		put_fragment(r, b);
	if (record_has(r, FIELD_MALFORMED) && !says_cut(st, r)) {
		buf_lit(b, " [|");
		buf_str(b, r->malformed);
		buf_lit(b, "]");
	}
	if (record_has(k, FIELD_FRAME_SEGMENTS)) {
		buf_lit(b, " (GRO x");
		buf_u64(b, k->frame_segments);
		buf_lit(b, ")");
	}
}

static void put_drop(const struct record *r, struct buf *b)
{
	buf_lit(b, "DROP ");
	line_text(b, r->drop_reason.p, r->drop_reason.n);
	if (record_has(r, FIELD_DROP_LOCATION)) {
		buf_lit(b, " at ");
		line_text(b, r->drop_location.p, r->drop_location.n);
	}
	if (record_has(r, FIELD_DROP_HOOK)) {
		buf_lit(b, " (");
		buf_str(b, r->drop_hook);
		buf_lit(b, ")");
	}
	if (record_has(r, FIELD_DROP_NETNS)) {
		buf_lit(b, " in ");
		line_text(b, drop_of(r)->netns.p, drop_of(r)->netns.n);
	}
	buf_chr(b, ' ');
}

/* "BLOCK entry 3 scanner (scanners.netset:2) ", "AUDIT not_permitted " */
static void put_block(const struct record *r, struct buf *b)
{
	buf_str(b, !strcmp(r->action, "drop")  ? "BLOCK " :
		   !strcmp(r->action, "limit") ? "LIMIT " :
		   !strcmp(r->action, "audit") ? "AUDIT " :
						 "PASS ");
	if (record_has(r, FIELD_RULE_ID)) {
		buf_lit(b, "entry ");
		buf_u64(b, r->rule_id);
		buf_chr(b, ' ');
	} else if (record_has(r, FIELD_BLOCK_REASON)) {
		buf_str(b, block_of(r)->reason);
		buf_chr(b, ' ');
	}
	if (record_has(r, FIELD_RULE_NAME)) {
		line_text(b, r->rule_name.p, r->rule_name.n);
		buf_chr(b, ' ');
	}
	if (record_has(r, FIELD_RULE_REFERENCE)) {
		buf_chr(b, '(');
		line_text(b, r->rule_reference.p, r->rule_reference.n);
		buf_lit(b, ") ");
	}
}

/* Where there are several, be it that the second comes late; and where each frame tells its own. */
static bool shows_interface(struct line_state *st, const struct record *r)
{
	size_t n = r->interface.n < sizeof(st->interface) ? r->interface.n : sizeof(st->interface) - 1;

	if (st->opt.interface || record_has(r, FIELD_IFINDEX))
		return true;
	if (!record_has(r, FIELD_INTERFACE) || !n)
		return false;
	if (!st->interface[0])
		memcpy(st->interface, r->interface.p, n);
	else if (strlen(st->interface) != n || memcmp(st->interface, r->interface.p, n) != 0)
		st->opt.interface = true;
	return st->opt.interface;
}

void line_print(void *ctx, const struct record *r, struct buf *b)
{
	struct line_state *st = ctx;

	if (r->set->sections & SECTION_SPAN) {
		r->set->line(st, r, b);
		return;
	}
	if (shows_interface(st, r))
		put_interface(r, b);
	if (r->set == &drop_dataset)
		put_drop(r, b);
	if (r->set == &block_dataset)
		put_block(r, b);
	put_packet(st, r, b);
}
