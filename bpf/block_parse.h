/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_PARSE_H
#define NETPROBE_BLOCK_PARSE_H

#include <stdbool.h>

#include "block_maps.h"
#include "tags.h"

/* What an entry can ask of a frame; src/rules/facts.c says the rules, this does the same without copies. */

#define TAGS_MAX 8
#define EXTENSIONS_MAX 8
#define LENGTH_NOT_KNOWN 65535
#define PROTO_NOT_KNOWN 256
#define PORT_NOT_KNOWN 65536
#define FURTHEST 20000		/* 8 extension headers of 2048 bytes end before */

struct walk {
	void *data, *end;
};

/* n bytes at the walk's place, or NULL. */
static __always_inline void *peek(facts *f, const struct walk *w, __u32 n)
{
	__u64 off = f->off;
	void *p;

	if (off > FURTHEST)
		return NULL;
	p = w->data + off;
	return p + n > w->end ? NULL : p;
}

static __always_inline __u64 be64(const void *p)
{
	return bpf_be64_to_cpu(*(const __u64 *)p);
}

static __always_inline bool is_tag(__u16 type)
{
#define IS(tag) (type == bpf_htons(tag))
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

static __always_inline void read_transport(facts *f, const struct walk *w)
{
	__u8 *p;

	if (f->proto == 1 || f->proto == 58) {
		p = peek(f, w, 1);
		if (!p || f->avail < 1)
			f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		else
			f->icmp_type = *p;
		return;
	}
	if (!has_ports(f->proto))
		return;
	p = peek(f, w, 4);
	if (f->fragment && f->avail < (f->proto == 6 ? 16 : 8))
		f->reason = NP_R_FRAG_TINY;
	else if (!p || f->avail < 4)
		f->reason = NP_R_CUT;
	else
		f->dport = bpf_ntohs(*(__u16 *)(p + 2));
}

static __always_inline void later_fragment(facts *f, __u32 proto, __u32 offset)
{
	f->first = false;
	f->proto = f->family == NP_KIND_V6 && is_extension(proto) ? PROTO_NOT_KNOWN : proto;
	f->reason = proto == 6 && offset == 1 ? NP_R_FRAG_OVERLAP : NP_R_FRAG_EARLY;
}

static __always_inline void read_v4(facts *f, struct walk *w)
{
	__u8 *p = peek(f, w, 20);
	__u32 header, total, offset, frag;

	if (!p) {
		f->reason = NP_R_CUT;
		return;
	}
	header = (p[0] & 15) * 4;
	if (p[0] >> 4 != 4 || header < 20) {
		f->reason = NP_R_BAD;
		return;
	}
	f->family = NP_KIND_V4;
	f->src[0] = (__u64)bpf_ntohl(*(__u32 *)(p + 12)) << 32;
	f->dst[0] = (__u64)bpf_ntohl(*(__u32 *)(p + 16)) << 32;
	f->proto = p[9];
	total = bpf_ntohs(*(__u16 *)(p + 2));
	frag = bpf_ntohs(*(__u16 *)(p + 6));
	if (total && total < header) {
		f->reason = NP_R_BAD;
		return;
	}
	f->off += header;
	f->avail = total ? total - header : LENGTH_NOT_KNOWN;
	if (frag & 0x3fff) {
		offset = frag & 0x1fff;
		f->fragment = true;
		f->frag_id = bpf_ntohs(*(__u16 *)(p + 4));
		if (offset) {
			later_fragment(f, f->proto, offset);
			return;
		}
	}
	if (!peek(f, w, 0)) {
		f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		return;
	}
	read_transport(f, w);
}

/* One extension header: false, the walk ends here. */
static __always_inline bool extension(facts *f, struct walk *w, __u32 nh)
{
	__u8 *h = peek(f, w, 8);
	__u32 len = 8, offset;

	if (h && nh != 44)
		len = nh == 51 ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
	if (!h || f->avail < 8 || f->avail < len || h + len > (__u8 *)w->end) {
		f->proto = PROTO_NOT_KNOWN;
		f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		return false;
	}
	if (nh == 44) {
		offset = bpf_ntohs(*(__u16 *)(h + 2));
		f->frag_id = bpf_ntohl(*(__u32 *)(h + 4));
		if (offset & 0xfff9)
			f->fragment = true;
		if (offset >> 3) {
			later_fragment(f, h[0], offset >> 3);
			return false;
		}
	}
	f->next = h[0];
	f->off += len;
	f->avail -= len;
	return true;
}

static __always_inline void read_v6(facts *f, struct walk *w)
{
	__u8 *p = peek(f, w, 40);
	__u32 length;

	if (!p || p[0] >> 4 != 6) {
		f->reason = p ? NP_R_BAD : NP_R_CUT;
		return;
	}
	f->family = NP_KIND_V6;
	f->src[0] = be64(p + 8);
	f->src[1] = be64(p + 16);
	f->dst[0] = be64(p + 24);
	f->dst[1] = be64(p + 32);
	f->next = p[6];
	length = bpf_ntohs(*(__u16 *)(p + 4));
	f->avail = length ? length : LENGTH_NOT_KNOWN;
	f->off += 40;
	/* At most EXTENSIONS_MAX: the one behind them is not looked at. */
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(f->next); i++)
		if (!extension(f, w, f->next))
			return;
	if (is_extension(f->next)) {
		f->proto = PROTO_NOT_KNOWN;
		f->reason = NP_R_DEEP;
		return;
	}
	f->proto = f->next;
	read_transport(f, w);
}

static __always_inline void read_ip(facts *f, struct walk *w, __u16 type)
{
	if (type == bpf_htons(0x0800))
		read_v4(f, w);
	else if (type == bpf_htons(0x86dd))
		read_v6(f, w);
	else
		f->reason = NP_R_NOT_IP;
}

/* Devices without a link header: the first four bits tell. */
static __always_inline void read_l3(facts *f, struct walk *w)
{
	__u8 *p = peek(f, w, 1);

	if (!p)
		f->reason = NP_R_CUT;
	else
		read_ip(f, w, *p >> 4 == 4 ? bpf_htons(0x0800) : *p >> 4 == 6 ? bpf_htons(0x86dd) : 0);
}

static __always_inline void read_ether(facts *f, struct walk *w)
{
	__u8 *p = peek(f, w, 14);

	if (!p) {
		f->reason = NP_R_CUT;
		return;
	}
	f->has_mac = true;
	f->dmac = (__u64)bpf_ntohl(*(__u32 *)p) << 32 | (__u64)bpf_ntohs(*(__u16 *)(p + 4)) << 16;
	f->smac = (__u64)bpf_ntohl(*(__u32 *)(p + 6)) << 32 | (__u64)bpf_ntohs(*(__u16 *)(p + 10)) << 16;
	f->next = *(__u16 *)(p + 12);
	f->off = 14;
	for (int i = 0; i < TAGS_MAX && is_tag((__u16)f->next); i++) {
		p = peek(f, w, 4);
		if (!p) {
			f->reason = NP_R_CUT;
			return;
		}
		f->next = *(__u16 *)(p + 2);
		f->off += 4;
		f->tags++;
	}
	if (is_tag((__u16)f->next) || f->tags > TAGS_MAX) {
		f->reason = NP_R_DEEP;
		return;
	}
	read_ip(f, w, (__u16)f->next);
}

#endif
