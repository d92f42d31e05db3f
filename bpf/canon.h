/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CANON_H
#define NETPROBE_CANON_H

#include "emit.h"

/*
 * The canonical frame, by the rules in src/filter/canon.h: VLAN tags are left out (unless `strict`), and
 * the frame inside a tunnel takes the place of the whole (`inner`).  Headers are read out of the skb
 * wherever they are, so that nothing but the first NP_SCRATCH bytes of the result has a bound.
 */
const volatile __u8 strict = 0;
const volatile __u8 inner = 0;

#define CANON_TAGS 4
#define CANON_EXTENSIONS 8

struct spot {
	__u64 off;		/* in the skb */
	__u16 type;		/* EtherType, as on the wire */
	bool is_ether;		/* an Ethernet frame starts there */
};

static __always_inline __u16 type_of_ip(__u8 first)
{
	return first >> 4 == 4 ? bpf_htons(0x0800) : first >> 4 == 6 ? bpf_htons(0x86dd) : 0;
}

static __always_inline bool holds(struct __sk_buff *skb, __u64 off, __u64 n)
{
	return off + n <= skb->len;
}

/* A tag that is not whole, with the type behind it, stays. */
static __always_inline bool skip_tag(struct __sk_buff *skb, struct spot *at)
{
	if (!is_tag(at->type) || !fetch(skb, at->off + 2, &at->type))
		return false;
	at->off += VLAN_TAG;
	return true;
}

/*
 * At most CANON_TAGS, counting the one that may be beside the data.  Written out, not a loop, here and below: without
 * CAP_PERFMON the verifier also checks what the processor may execute speculatively.  There a loop never ends, nor
 * does the check.
 */
static __always_inline __u64 skip_tags(struct __sk_buff *skb, struct spot *at, __u64 already)
{
	if (!skip_tag(skb, at))
		return 0;
	if (!skip_tag(skb, at))
		return 1;
	if (!skip_tag(skb, at))
		return 2;
	return already || !skip_tag(skb, at) ? 3 : CANON_TAGS;
}

static __always_inline bool enter_type(struct spot *at, __u64 n, __u16 type)
{
	at->off += n;
	at->type = type;
	at->is_ether = type == bpf_htons(0x6558);
	return at->is_ether || type == bpf_htons(0x0800) || type == bpf_htons(0x86dd);
}

/* RFC 7348, 5 and RFC 8926, 3.4. */
static __always_inline bool enter_udp(struct __sk_buff *skb, struct spot *at)
{
	__u16 h[8];
	__u8 *tunnel = (__u8 *)(h + 4);
	__u64 n;

	if (!fetch(skb, at->off, &h))
		return false;
	if (h[1] == bpf_htons(4789) || h[1] == bpf_htons(8472))
		return (tunnel[0] & 0x08) && enter_type(at, 16, bpf_htons(0x6558));
	if (h[1] != bpf_htons(6081) || tunnel[0] >> 6)
		return false;
	n = 16 + (tunnel[0] & 0x3f) * 4;
	return holds(skb, at->off, n) && enter_type(at, n, h[5]);
}

/* RFC 2784 with the key and sequence number of RFC 2890. */
static __always_inline bool enter_gre(struct __sk_buff *skb, struct spot *at)
{
	__u64 n = 4;
	__u8 h[4];

	if (!fetch(skb, at->off, &h) || (h[0] & 0x40) || (h[1] & 0x07))
		return false;
	n += h[0] & 0x80 ? 4 : 0;
	n += h[0] & 0x20 ? 4 : 0;
	n += h[0] & 0x10 ? 4 : 0;
	return holds(skb, at->off, n) && enter_type(at, n, *(__u16 *)(h + 2));
}

static __always_inline bool enter_protocol(struct __sk_buff *skb, struct spot *at, __u8 proto)
{
	if (proto == 4)
		return enter_type(at, 0, bpf_htons(0x0800));
	if (proto == 41)
		return enter_type(at, 0, bpf_htons(0x86dd));
	if (proto == 47)
		return enter_gre(skb, at);
	return proto == 17 && enter_udp(skb, at);
}

/* Protocol behind an IPv4 header that is not a later fragment's; -1: none. */
static __always_inline int over_ipv4(struct __sk_buff *skb, struct spot *at)
{
	__u8 h[20];
	__u64 n;

	if (!fetch(skb, at->off, &h) || h[0] >> 4 != 4)
		return -1;
	n = (h[0] & 0x0f) * 4;
	if (n < 20 || !holds(skb, at->off, n) || (h[6] & 0x1f) || h[7])
		return -1;
	at->off += n;
	return h[9];
}

/* RFC 8200, 4: hop-by-hop options, routing, destination options, and the header of a first fragment. */
static __always_inline int over_ipv6(struct __sk_buff *skb, struct spot *at)
{
	__u8 h[8], next;
	__u64 n;

	if (!fetch(skb, at->off, &h) || h[0] >> 4 != 6 || !holds(skb, at->off, 40))
		return -1;
	next = h[6];
	at->off += 40;
#pragma unroll
	for (int i = 0; i < CANON_EXTENSIONS; i++) {
		if (next != 0 && next != 43 && next != 60 && next != 44)
			break;
		if (!fetch(skb, at->off, &h))
			return -1;
		if (next == 44 && (h[2] | (h[3] & 0xf8)))
			return -1;
		n = next == 44 ? 8 : 8 + h[1] * 8;
		if (!holds(skb, at->off, n))
			return -1;
		next = h[0];
		at->off += n;
	}
	return next;
}

static __always_inline bool enter_tunnel(struct __sk_buff *skb, struct spot *at)
{
	int proto = -1;

	if (at->type == bpf_htons(0x0800))
		proto = over_ipv4(skb, at);
	else if (at->type == bpf_htons(0x86dd))
		proto = over_ipv6(skb, at);
	return proto >= 0 && enter_protocol(skb, at, (__u8)proto);
}

/* Behind `front` bytes that are in place: the skb from off on. */
static __always_inline void fill(struct __sk_buff *skb, struct np_scratch *s, __u64 front, __u64 off)
{
	__u64 len = front + skb->len - off, cap = len < NP_SCRATCH ? len : NP_SCRATCH;

	s->len = s->sent = (__u32)len;
	s->cap = (__u32)cap;
	/*
	 * Read it back from memory, so that the verifier forgets what it knows of the length.  If it remembered the
	 * exact value, it would check what follows once for each path that leads here.
	 */
	cap = *(volatile __u32 *)&s->cap;
	copy(skb, off, s->data + front, cap - front, NP_SCRATCH - front);
}

static __always_inline void fill_ip(struct __sk_buff *skb, struct np_scratch *s, __u64 off, __u16 type)
{
	__builtin_memset(s->data, 0, 12);
	*(__u16 *)(s->data + 12) = type;
	fill(skb, s, ETHER_HEADER, off);
}

/* An Ethernet frame without so many of its tags.  The addresses are copied twice only when there are any. */
static __always_inline void fill_ether(struct __sk_buff *skb, struct np_scratch *s, __u64 off, __u64 tags)
{
	if (!tags) {
		fill(skb, s, 0, off);
		return;
	}
	load_bytes(skb, off, s->data, 12);
	fill(skb, s, 12, off + 12 + tags * VLAN_TAG);
	s->sent += (__u32)(tags * VLAN_TAG);
}

static __always_inline void fill_strict(struct __sk_buff *skb, struct np_scratch *s)
{
	if (!absent_tag(skb)) {
		fill(skb, s, 0, 0);
		return;
	}
	load_bytes(skb, 0, s->data, 12);
	*(struct vlan_tag *)(s->data + 12) = the_tag(skb);
	fill(skb, s, 12 + VLAN_TAG, 12);
}

static __always_inline bool fill_inner(struct __sk_buff *skb, struct np_scratch *s, struct spot at)
{
	struct spot in;
	__u64 tags = 0;

	if (!enter_tunnel(skb, &at))
		return false;
	if (!at.is_ether) {
		fill_ip(skb, s, at.off, at.type);
		return true;
	}
	in.off = at.off + ETHER_HEADER;
	in.type = 0;
	if (!strict && fetch(skb, at.off + 12, &in.type))
		tags = skip_tags(skb, &in, 0);
	fill_ether(skb, s, at.off, tags);
	return true;
}

static __always_inline void canon_l3(struct __sk_buff *skb, struct np_scratch *s)
{
	struct spot at = {};
	__u8 first = 0;

	fetch(skb, 0, &first);
	at.type = type_of_ip(first);
	if (!inner || !fill_inner(skb, s, at))
		fill_ip(skb, s, 0, at.type);
}

static __always_inline void canon_ether(struct __sk_buff *skb, struct np_scratch *s)
{
	struct spot at = { .off = ETHER_HEADER };
	__u64 tags;

	if (!fetch(skb, 12, &at.type)) {	/* a runt */
		fill(skb, s, 0, 0);
		return;
	}
	tags = skip_tags(skb, &at, absent_tag(skb) / VLAN_TAG);
	if (inner && fill_inner(skb, s, at))
		return;
	if (strict) {
		fill_strict(skb, s);
	} else {
		fill_ether(skb, s, 0, tags);
		s->sent += (__u32)absent_tag(skb);
	}
}

static __always_inline void canon(struct __sk_buff *skb, struct np_scratch *s)
{
	if (l3)
		canon_l3(skb, s);
	else
		canon_ether(skb, s);
}

#endif
