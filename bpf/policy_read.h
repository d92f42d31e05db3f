/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_READ_H
#define NETPROBE_POLICY_READ_H

/*
 * The ends of a packet from the copied beginning of it, by the rules of tuple.h, but for what is inside tunnels, which
 * is not looked at.  With the pieces of parse.h; what there is unrolled is a loop here, so that it is small.
 */
#include "policy_abi.h"
#include "tuple.h"

/* Each header has to begin in the copy, and to lie in it. */
#undef NP_FURTHEST
#define NP_FURTHEST (NP_POLICY_BYTES - 64)
#include "parse.h"

static __always_inline void read_ends(tuple *t, const struct walk *w)
{
	__u32 proto = t->proto, least = proto == 6 ? 16 : 4, header = 0;
	__u8 *p = peek(t, w, 16);

	t->payload_len = t->avail;
	if (proto == 1 || proto == 58) {
		read_icmp(t, w);
		return;
	}
	if (!has_ports(proto))
		return;
	if (!p && proto != 6)
		p = peek(t, w, 4);
	if (!p || t->avail < least) {
		t->reading = t->fragment ? NP_FRAGMENT_TINY : NP_CUT;
		return;
	}
	t->sport = get16(p);
	t->dport = get16(p + 2);
	if (proto == 17)
		header = 8;
	if (proto == 6) {
		header = (p[12] >> 4) * 4;
		t->tcp_flags = p[13];
	}
	if (t->avail >= header)
		t->payload_len = t->avail - header;
}

static __always_inline bool read_v4_ends(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 20);
	__u32 header, total, frag;

	if (!p || (p[0] & 15) < 5)
		return false;
	header = (p[0] & 15) * 4;
	total = get16(p + 2);
	t->family = 4;
	t->proto = p[9];
	t->src[0] = (__u64)get32(p + 12) << 32;
	t->dst[0] = (__u64)get32(p + 16) << 32;
	t->ip_len = total;
	if (total && total < header)
		return false;
	t->off += header;
	t->avail = total ? total - header : rest(t);
	frag = get16(p + 6);
	t->fragment = (frag & 0x3fff) != 0;
	if (frag & 0x1fff)
		later_fragment(t, t->proto, frag & 0x1fff);
	return true;
}

static __always_inline bool read_v6_ends(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 40);
	__u32 length;

	if (!p)
		return false;
	t->family = 6;
	t->proto = p[6];
	t->src[0] = get64(p + 8);
	t->src[1] = get64(p + 16);
	t->dst[0] = get64(p + 24);
	t->dst[1] = get64(p + 32);
	length = get16(p + 4);
	t->ip_len = length ? length + 40 : 0;
	t->off += 40;
	t->avail = length ? length : rest(t);
	/* At most NP_EXTENSIONS_MAX. */
#pragma clang loop unroll(disable)
	for (int i = 0; i < NP_EXTENSIONS_MAX && is_extension(t->proto); i++)
		if (!extension(t, w))
			return true;
	if (is_extension(t->proto))
		t->reading = NP_DEEP;
	return true;
}

/* Behind the tags, of which there are at most NP_TAGS_MAX; false: there are more, or the frame ends. */
static __always_inline bool skip_link(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 14);
	__u32 type;

	if (!p)
		return false;
	type = get16(p + 12);
	t->off += 14;
#pragma clang loop unroll(disable)
	for (int i = 0; i < NP_TAGS_MAX && is_tag(type); i++) {
		p = peek(t, w, 4);
		if (!p)
			return false;
		type = get16(p + 2);
		t->off += 4;
	}
	t->ethertype = type;
	return !is_tag(type);
}

/* l3: there is no link header. */
static __always_inline void read_packet(tuple *t, const struct walk *w, __u32 l3)
{
	__u32 version, from;
	__u8 *p;

	tuple_start(t);
	t->end = w->len;
	if (!l3 && !skip_link(t, w)) {
		t->reading = NP_CUT;
		return;
	}
	from = t->off;
	p = peek(t, w, 1);
	version = p ? *p >> 4 : 0;
	if (!l3 && t->ethertype != (version == 4 ? 0x0800 : 0x86dd)) {
		t->reading = t->ethertype == 0x0800 || t->ethertype == 0x86dd ? NP_BAD : NP_NOT_IP;
		return;
	}
	if (!(version == 4 ? read_v4_ends(t, w) : version == 6 && read_v6_ends(t, w))) {
		t->reading = p ? NP_BAD : NP_CUT;
		return;
	}
	if (!t->ip_len)
		t->ip_len = t->end - from;
	if (t->reading == NP_WHOLE)
		read_ends(t, w);
}

#endif
