/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_PLAIN_H
#define NETPROBE_BLOCK_PLAIN_H

#include "block_maps.h"

/*
 * Nearly every frame has no VLAN tag, no IP option and no extension header, and is no fragment.  Of those only what the
 * firewall asks for is read, and only where the set has an entry that asks: parse.h, which reads everything, costs more
 * than all the rest.  It says the same of these frames (tests/bpf/test_block.c); what is in any way unusual is left to
 * it.
 */
struct plain {
	__u8 *ip;
	__u64 hi, lo;			/* the source */
	__u32 family;
	__u32 what;			/* NP_WHAT() */
};

/* The port is 0 where the set does not ask. */
static __always_inline __u32 plain_what(__u32 family, __u32 proto, const __u8 *l4)
{
	if (!conf.ports && conf.mode != NP_MODE_DENY)
		return NP_WHAT(family, proto, 0);
	return NP_WHAT(family, proto, has_ports(proto) ? get16(l4 + 2) : NP_NOT_KNOWN);
}

/* All four bytes of a transport header that are looked at must be there, by the IP header too; 0: it does not say. */
static __always_inline bool plain_v4(struct plain *f, __u8 *p, void *end)
{
	__u32 total;

	if ((void *)(p + 24) > end || p[0] != 0x45 || *(__u16 *)(p + 6) & bpf_htons(0x3fff))
		return false;
	total = get16(p + 2);
	if (total && total < 24)
		return false;
	f->ip = p;
	f->hi = (__u64)get32(p + 12) << 32;
	f->lo = 0;
	f->family = NP_KIND_V4;
	f->what = plain_what(NP_KIND_V4, p[9], p + 20);
	return true;
}

static __always_inline bool plain_v6(struct plain *f, __u8 *p, void *end)
{
	__u32 length, proto;

	if ((void *)(p + 44) > end || p[0] >> 4 != 6)
		return false;
	length = get16(p + 4);
	proto = p[6];
	if ((length && length < 4) || is_extension(proto))
		return false;
	f->ip = p;
	f->hi = get64(p + 8);
	f->lo = get64(p + 16);
	f->family = NP_KIND_V6;
	f->what = plain_what(NP_KIND_V6, proto, p + 40);
	return true;
}

static __always_inline bool plain_ether(struct plain *f, void *data, void *end)
{
	__u8 *p = data;

	if ((void *)(p + 14) > end)
		return false;
	if (*(__u16 *)(p + 12) == bpf_htons(0x0800))
		return plain_v4(f, p + 14, end);
	return *(__u16 *)(p + 12) == bpf_htons(0x86dd) && plain_v6(f, p + 14, end);
}

/* What decide() and whoever comes after it look at. */
static __always_inline void plain_tuple(tuple *t, const struct plain *f)
{
	const __u8 *p = f->ip;

	t->family = f->family;
	t->proto = NP_WHAT_PROTO(f->what);
	t->dport = NP_WHAT_PORT(f->what);
	if (conf.mode == NP_MODE_DENY && conf.egress)
		t->sport = f->family == NP_KIND_V4 ? get16(p + 20) : get16(p + 40);
	t->icmp_type = NP_NOT_KNOWN;
	if (conf.mode == NP_MODE_DENY && (t->proto == 1 || t->proto == 58))
		t->icmp_type = f->family == NP_KIND_V4 ? p[20] : p[40];
	t->fragment = 0;
	t->reading = NP_WHOLE;
	t->src[0] = f->hi;
	t->src[1] = f->lo;
	if (conf.use[NP_T_ALLOW_DST] || conf.use[NP_T_BLOCK_DST]) {
		t->dst[0] = f->family == NP_KIND_V4 ? (__u64)get32(p + 16) << 32 : get64(p + 24);
		t->dst[1] = f->family == NP_KIND_V4 ? 0 : get64(p + 32);
	}
	t->has_mac = conf.macs;
	if (conf.macs) {
		t->dmac = (__u64)get32(p - 14) << 32 | (__u64)get16(p - 10) << 16;
		t->smac = (__u64)get32(p - 8) << 32 | (__u64)get16(p - 4) << 16;
	}
}

#endif
