/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PARSE_H
#define NETPROBE_PARSE_H

/*
 * From the bytes of a frame to a struct np_tuple, by the rules of tuple.h, in place and without a call;
 * src/tuple_read.c does the same in user space.  From Linux 5.10 on.
 */
#include <stdbool.h>
#include <stddef.h>

#include "tags.h"
#include "tuple.h"

/*
 * It lies in a map and is read anew at each use, because the verifier knows nothing of what is in there: what it knows
 * of a value it follows through each branch, and the ways through the headers are too many.
 */
typedef volatile struct np_tuple tuple;

/* x stays what it is, and the verifier forgets what it is. */
#define FORGET(t, x) ((x) |= (__typeof__(x))(t)->zero)

/* What lies in one piece of the frame, and how long it is on the wire. */
struct walk {
	void *data, *end;
	__u64 len;
};

/*
 * n bytes at the tuple's place, or NULL.  Where a context's 32-bit word becomes w->data, the compiler (clang 21) knows
 * it, and asks whether p is NULL of its lower half: which the verifier refuses of a pointer.  So it is not to know.
 */
static __always_inline __u8 *peek(tuple *t, const struct walk *w, __u32 n)
{
	__u64 off = t->off;
	void *p;

	if (off > NP_FURTHEST || off + n > t->end)
		return NULL;
	p = w->data + off;
	asm("" : "+r"(p));
	return p + n > w->end ? NULL : p;
}

/* The same of a header at the end of which nothing is read. */
static __always_inline bool has(tuple *t, const struct walk *w, __u32 n)
{
	return t->avail >= n && peek(t, w, n);
}

static __always_inline __u32 get16(const void *p)
{
	return bpf_ntohs(*(const __u16 *)p);
}

static __always_inline __u32 get32(const void *p)
{
	return bpf_ntohl(*(const __u32 *)p);
}

static __always_inline __u64 get64(const void *p)
{
	return bpf_be64_to_cpu(*(const __u64 *)p);
}

static __always_inline bool is_tag(__u32 type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

static __always_inline bool has_ports(__u32 proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

static __always_inline bool is_extension(__u32 nh)
{
	return nh == 0 || nh == 43 || nh == 44 || nh == 51 || nh == 60 || nh == 135 || nh == 139 || nh == 140;
}

/* ── tunnels ──────────────────────────────────────────────────────────────── */

static __always_inline void enter(tuple *t, __u32 tunnel, __u32 type, __u32 header)
{
	if (type != 0x0800 && type != 0x86dd && type != 0x6558)
		return;
	t->tunnel = tunnel;
	t->inner_type = type;
	t->inner_off = t->off + header;
}

/* IPv4 or IPv6 by the first four bits, whatever the protocol says; what is neither is bad inside. */
static __always_inline void read_ipip(tuple *t, const struct walk *w)
{
	__u8 *p = t->avail ? peek(t, w, 1) : NULL;
	__u32 version = p ? *p >> 4 : 0;

	if (version != 4 && version != 6)
		version = t->proto;
	enter(t, t->proto == 4 ? NP_TUNNEL_IPIP : NP_TUNNEL_IP6, version == 4 ? 0x0800 : 0x86dd, 0);
}

/* RFC 2784, RFC 2890: version 0, without a source route. */
static __always_inline void read_gre(tuple *t, const struct walk *w)
{
	__u8 *p = t->avail < 4 ? NULL : peek(t, w, 4);
	__u32 flags, n = 4;

	if (!p)
		return;
	flags = get16(p);
	if (flags & 0x4007)
		return;
	n += flags >> 13 & 4;		/* checksum */
	n += flags >> 11 & 4;		/* key */
	n += flags >> 10 & 4;		/* sequence */
	if (has(t, w, n))
		enter(t, NP_TUNNEL_GRE, get16(p + 2), n);
}

/* RFC 7348, 5.  8472 is not its number: nothing but the I flag there; 1 to 5 behind the P flag is a type (GPE). */
static __always_inline void read_vxlan(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 16);

	if (!p || !(p[8] & 8) || (t->dport == 8472 && p[8] != 8) || (p[8] & 4 && p[11] >= 1 && p[11] <= 5))
		return;
	enter(t, NP_TUNNEL_VXLAN, 0x6558, 16);
}

/* RFC 8926, 3.4 */
static __always_inline void read_geneve(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 16);
	__u32 n;

	if (!p || p[8] >> 6)
		return;
	n = 16 + (p[8] & 63) * 4;
	if (n - 8 <= t->payload_len && peek(t, w, n))
		enter(t, NP_TUNNEL_GENEVE, get16(p + 10), n);
}

/* 3GPP TS 29.281, 5.1: version 1, a T-PDU, without extension headers; the first four bits of what it carries tell. */
static __always_inline void read_gtp(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 17);
	__u32 n = 16, version, length;

	if (!p || p[8] >> 4 != 3 || p[9] != 255)
		return;
	length = get16(p + 10);
	version = p[16] >> 4;
	if (p[8] & 7) {
		p = peek(t, w, 21);
		if (!p || (p[8] & 4 && p[19]))
			return;
		version = p[20] >> 4;
		n = 20;
	}
	if (n - 8 >= t->payload_len || n - 16 >= length)
		return;
	if (version == 4 || version == 6)
		enter(t, NP_TUNNEL_GTP, version == 4 ? 0x0800 : 0x86dd, n);
}

static __always_inline bool is_tunnel_port(__u32 port)
{
	return port == 4789 || port == 8472 || port == 6081 || port == 2152;
}

static __always_inline void read_udp_tunnel(tuple *t, const struct walk *w)
{
	__u32 port = t->dport;

	if (t->payload_len < 8)
		return;
	if (port == 4789 || port == 8472)
		read_vxlan(t, w);
	else if (port == 6081)
		read_geneve(t, w);
	else if (port == 2152)
		read_gtp(t, w);
}

/* ── the transport ────────────────────────────────────────────────────────── */

static __always_inline void read_icmp(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 1);

	if (!p || !t->avail) {
		t->reading = t->fragment ? NP_FRAGMENT_TINY : NP_CUT;
		return;
	}
	t->icmp_type = *p;
	t->payload_len = t->avail;
	p = peek(t, w, 2);
	if (p && t->avail >= 2)
		t->icmp_code = p[1];
}

static __always_inline void read_tcp(tuple *t, const struct walk *w)
{
	__u64 avail = t->avail;
	__u8 *p = avail < 20 ? NULL : peek(t, w, 20);
	__u32 n;

	if (!p)
		return;
	n = (p[12] >> 4) * 4;
	if (n < 20 || n > avail)
		return;
	t->has_tcp = 1;
	t->tcp_seq = get32(p + 4);
	t->tcp_ack = get32(p + 8);
	t->tcp_flags = p[13];
	t->tcp_window = get16(p + 14);
	t->payload_len = avail - n;
}

/* A length of 0 is longer than the field can say (RFC 2675, 4). */
static __always_inline void read_udp(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 8);
	__u64 avail = t->avail;
	__u32 n;

	if (avail < 8)
		return;
	n = p ? get16(p + 4) : 0;
	if (n && n < 8)
		return;
	t->payload_len = n && n < avail ? n - 8 : avail - 8;
	if (p && !t->fragment)
		read_udp_tunnel(t, w);
}

static __always_inline void read_ports(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 4);
	__u32 proto = t->proto, header;

	/* ip_len is 0 here where the header does not say it */
	if (t->fragment && t->ip_len && t->avail < (proto == 6 ? 16 : 8)) {
		t->reading = NP_FRAGMENT_TINY;
		return;
	}
	if (!p || t->avail < 4) {
		t->reading = NP_CUT;
		return;
	}
	t->sport = get16(p);
	t->dport = get16(p + 2);
	if (proto == 6) {
		read_tcp(t, w);
	} else if (proto == 17) {
		read_udp(t, w);
	} else {
		header = proto == 132 ? 12 : proto == 136 ? 8 : 0;
		t->payload_len = t->avail < header ? 0 : t->avail - header;
	}
}

static __always_inline void read_transport(tuple *t, const struct walk *w)
{
	__u32 proto = t->proto;

	if (proto == 1 || proto == 58) {
		read_icmp(t, w);
		return;
	}
	if (has_ports(proto)) {
		read_ports(t, w);
		return;
	}
	t->payload_len = t->avail;
	if (proto == 51)
		t->has_ah = 1;
	if (t->fragment)
		return;
	if (proto == 4 || proto == 41)
		read_ipip(t, w);
	else if (proto == 47)
		read_gre(t, w);
}

/* ── IP ───────────────────────────────────────────────────────────────────── */

/* offset: in units of eight bytes. */
static __always_inline void later_fragment(tuple *t, __u32 proto, __u32 offset)
{
	t->first = 0;
	t->frag_offset = offset * 8;
	t->proto = t->family == 6 && is_extension(proto) ? NP_NOT_KNOWN : proto;
	t->reading = proto == 6 && offset == 1 ? NP_FRAGMENT_OVERLAP : NP_FRAGMENT_LATER;
	t->payload_len = t->avail;
}

/* What the frame, or the tunnel, has from the tuple's place on. */
static __always_inline __u64 rest(tuple *t)
{
	return t->end > t->off ? t->end - t->off : 0;
}

static __always_inline void read_v4(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 20);
	__u32 header, total, frag;

	if (!p || p[0] >> 4 != 4 || (p[0] & 15) < 5) {
		t->reading = p ? NP_BAD : NP_CUT;
		return;
	}
	header = (p[0] & 15) * 4;
	t->family = 4;
	t->tos = p[1];
	t->ttl = p[8];
	t->proto = p[9];
	t->src[0] = (__u64)get32(p + 12) << 32;
	t->dst[0] = (__u64)get32(p + 16) << 32;
	total = get16(p + 2);
	t->ip_len = total;
	if (total && total < header) {
		t->reading = NP_BAD;
		return;
	}
	t->off += header;
	t->avail = total ? total - header : rest(t);
	frag = get16(p + 6);
	if (frag & 0x3fff) {
		t->fragment = 1;
		t->more = frag >> 13 & 1;
		t->frag_id = get16(p + 4);
		if (frag & 0x1fff) {
			later_fragment(t, t->proto, frag & 0x1fff);
			return;
		}
	}
	if (!peek(t, w, 0)) {
		t->reading = t->fragment ? NP_FRAGMENT_TINY : NP_CUT;
		return;
	}
	read_transport(t, w);
}

/* One extension header, which t->proto names: false, the walk ends here. */
static __always_inline bool extension(tuple *t, const struct walk *w)
{
	__u8 *h = peek(t, w, 8);
	__u32 nh = t->proto, len = 8, offset;

	if (h && nh != 44)
		len = nh == 51 ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
	if (!h || t->avail < 8 || !has(t, w, len)) {
		t->proto = NP_NOT_KNOWN;
		t->reading = t->fragment ? NP_FRAGMENT_TINY : NP_CUT;
		return false;
	}
	t->off += len;
	t->avail -= len;
	if (nh == 44) {
		offset = get16(h + 2);
		t->frag_id = get32(h + 4);
		t->more = offset & 1;
		if (offset & 0xfff9)
			t->fragment = 1;
		if (offset >> 3) {
			later_fragment(t, h[0], offset >> 3);
			return false;
		}
	}
	if (nh == 51)
		t->has_ah = 1;
	t->proto = h[0];
	return true;
}

static __always_inline void read_v6(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 40);
	__u32 length;

	if (!p || p[0] >> 4 != 6) {
		t->reading = p ? NP_BAD : NP_CUT;
		return;
	}
	t->family = 6;
	t->tos = get16(p) >> 4 & 255;
	t->ttl = p[7];
	t->proto = p[6];
	t->src[0] = get64(p + 8);
	t->src[1] = get64(p + 16);
	t->dst[0] = get64(p + 24);
	t->dst[1] = get64(p + 32);
	length = get16(p + 4);
	t->ip_len = length ? length + 40 : 0;
	t->off += 40;
	t->avail = length ? length : rest(t);
	/* At most NP_EXTENSIONS_MAX: the one behind them is not looked at. */
	for (int i = 0; i < NP_EXTENSIONS_MAX && is_extension(t->proto); i++)
		if (!extension(t, w))
			return;
	if (is_extension(t->proto)) {
		t->proto = NP_NOT_KNOWN;
		t->reading = NP_DEEP;
		return;
	}
	read_transport(t, w);
}

static __always_inline void read_ip(tuple *t, const struct walk *w, __u32 type)
{
	__u64 from = t->off;

	t->ethertype = type;
	if (type == 0x0800)
		read_v4(t, w);
	else if (type == 0x86dd)
		read_v6(t, w);
	else
		t->reading = NP_NOT_IP;
	if (!t->family || t->reading == NP_BAD)
		t->avail = rest(t);
	else if (!t->ip_len)
		t->ip_len = t->end - from;
}

static __always_inline void stop_at_link(tuple *t, __u32 reading)
{
	t->avail = rest(t);
	t->reading = reading;
}

static __always_inline void read_ether(tuple *t, const struct walk *w)
{
	__u8 *p = peek(t, w, 14);
	__u32 type, id;

	if (!p) {
		stop_at_link(t, NP_CUT);
		return;
	}
	t->has_mac = 1;
	t->dmac = (__u64)get32(p) << 32 | (__u64)get16(p + 4) << 16;
	t->smac = (__u64)get32(p + 6) << 32 | (__u64)get16(p + 10) << 16;
	type = get16(p + 12);
	t->off += 14;
	for (int i = 0; i < NP_TAGS_MAX && is_tag(type); i++) {
		t->ethertype = type;
		p = peek(t, w, 4);
		if (!p) {
			stop_at_link(t, NP_CUT);
			return;
		}
		id = get16(p) & 0xfff;
		if (!t->vlans)
			t->vlan[0] = id;
		else if (t->vlans == 1)
			t->vlan[1] = id;
		t->vlans++;
		type = get16(p + 2);
		t->off += 4;
	}
	if (is_tag(type) || t->vlans > NP_TAGS_MAX) {
		t->ethertype = type;
		stop_at_link(t, NP_DEEP);
		return;
	}
	read_ip(t, w, type);
}

/* ── entry points ─────────────────────────────────────────────────────────── */

/* Nothing is known.  Whoever knows of a tag that was taken off the frame says so after this: vlan[0], vlans. */
static __always_inline void tuple_start(tuple *t)
{
	__u64 *p = (__u64 *)t;		/* in words: as bytes it is most of what reading a frame costs */

	__builtin_memset(p, 0, offsetof(struct np_tuple, zero));
	t->proto = t->sport = t->dport = t->icmp_type = t->icmp_code = NP_NOT_KNOWN;
	t->first = 1;
}

static __always_inline void parse_ether(tuple *t, const struct walk *w)
{
	t->end = w->len;
	read_ether(t, w);
}

/* Devices without a link header: the first four bits tell. */
static __always_inline void parse_l3(tuple *t, const struct walk *w)
{
	__u8 *p;

	t->end = w->len;
	p = peek(t, w, 1);
	if (!p)
		t->reading = NP_CUT;
	else
		read_ip(t, w, *p >> 4 == 4 ? 0x0800 : *p >> 4 == 6 ? 0x86dd : 0);
}

/* Where what is inside the tunnel ends. */
static __always_inline __u64 inner_end(tuple *t, const struct walk *w)
{
	__u64 end = t->off + t->payload_len + (t->proto == 17 ? 8 : 0), by_gtp;
	__u8 *p = t->tunnel == NP_TUNNEL_GTP ? peek(t, w, 16) : NULL;

	if (p) {
		by_gtp = t->off + 16 + get16(p + 10);
		if (by_gtp < end)
			end = by_gtp;
	}
	return end < t->end ? end : t->end;
}

/* The tuple again, of what is inside the tunnel that it names.  False: it names none, and stays as it is. */
static __always_inline bool parse_inner(tuple *t, const struct walk *w)
{
	__u64 off = t->inner_off, end;
	__u32 type = t->inner_type;

	if (!t->tunnel)
		return false;
	end = inner_end(t, w);
	tuple_start(t);
	t->off = off;
	t->end = end;
	if (type == 0x6558)
		read_ether(t, w);
	else
		read_ip(t, w, type);
	return true;
}

#endif
