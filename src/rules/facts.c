// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an entry can ask of a frame: the outermost IP header behind its VLAN tags, and the first bytes of what that
 * carries.  bpf/block_parse.h reads the same by the same rules:
 *
 *  - at most 8 tags and 8 IPv6 extension headers; more is NP_R_DEEP
 *  - a header that is not all there is NP_R_CUT, one that cannot be NP_R_BAD; what came before it is known
 *  - a length of 0 in the IP header says nothing (jumbograms, super-packets of the stack)
 *  - an IPv6 fragment that is the whole datagram (RFC 6946) is none
 *  - a first fragment must hold 16 bytes of TCP (RFC 1858), 8 of others with ports, all extension headers (RFC 7112)
 */
#include <string.h>

#include "numbers/ipproto.h"
#include "rules/match.h"
#include "tags.h"
#include "util/bytes.h"

enum { TAGS_MAX = 8, EXTENSIONS_MAX = 8, NOT_KNOWN = 65535 };

static bool is_tag(unsigned int type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

static bool has_ports(int proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_DCCP || proto == PROTO_SCTP ||
	       proto == PROTO_UDPLITE;
}

static bool is_extension(unsigned int nh)
{
	return nh == PROTO_HOPOPT || nh == PROTO_ROUTING || nh == PROTO_FRAGMENT || nh == PROTO_AH ||
	       nh == PROTO_DSTOPTS || nh == PROTO_MOBILITY || nh == PROTO_HIP || nh == PROTO_SHIM6;
}

/* p: n bytes of the frame from the transport header on; avail: bytes of it that the IP header tells of. */
static void read_transport(struct facts *f, const uint8_t *p, uint32_t n, uint32_t avail)
{
	if (f->proto == PROTO_ICMP || f->proto == PROTO_ICMPV6) {
		if (n < 1 || avail < 1)
			f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		else
			f->icmp_type = p[0];
		return;
	}
	if (!has_ports(f->proto))
		return;
	if (f->fragment && avail < (f->proto == PROTO_TCP ? 16 : 8)) {
		f->reason = NP_R_FRAG_TINY;
	} else if (n < 4 || avail < 4) {
		f->reason = NP_R_CUT;
	} else {
		f->sport = (int)be16(p);
		f->dport = (int)be16(p + 2);
	}
}

static void later_fragment(struct facts *f, unsigned int proto, unsigned int offset)
{
	f->first = false;
	f->proto = f->family == NP_KIND_V6 && is_extension(proto) ? -1 : (int)proto;
	f->reason = proto == PROTO_TCP && offset == 1 ? NP_R_FRAG_OVERLAP : NP_R_FRAG_EARLY;
}

static void read_v4(struct facts *f, const uint8_t *p, uint32_t n)
{
	uint32_t header, total, offset;

	if (n < 20) {
		f->reason = NP_R_CUT;
		return;
	}
	header = (p[0] & 15) * 4u;
	if (p[0] >> 4 != 4 || header < 20) {
		f->reason = NP_R_BAD;
		return;
	}
	f->family = NP_KIND_V4;
	memcpy(f->src, p + 12, 4);
	memcpy(f->dst, p + 16, 4);
	f->proto = p[9];
	total = be16(p + 2);
	offset = be16(p + 6) & 0x1fff;
	f->more = p[6] & 0x20;
	f->fragment = offset || f->more;
	f->frag_id = be16(p + 4);
	if (total && total < header) {
		f->reason = NP_R_BAD;
		f->fragment = false;
		return;
	}
	if (offset) {
		later_fragment(f, p[9], offset);
		return;
	}
	if (n < header) {
		f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		return;
	}
	read_transport(f, p + header, n - header, total ? total - header : NOT_KNOWN);
}

/* One extension header of `nh`: 1 go on behind it, 0 the walk ends here. */
static int extension(struct facts *f, unsigned int *nh, const uint8_t **p, uint32_t *n, uint32_t *avail)
{
	const uint8_t *h = *p;
	uint32_t len = 8, offset;

	if (*n >= 8 && *nh != PROTO_FRAGMENT)
		len = *nh == PROTO_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
	if (*n < 8 || *avail < 8 || *n < len || *avail < len) {
		f->proto = -1;
		f->reason = f->fragment ? NP_R_FRAG_TINY : NP_R_CUT;
		return 0;
	}
	if (*nh == PROTO_FRAGMENT) {
		offset = be16(h + 2) >> 3;
		f->more = h[3] & 1;
		f->frag_id = be32(h + 4);
		f->fragment = f->fragment || offset || f->more;
		if (offset) {
			later_fragment(f, h[0], offset);
			return 0;
		}
	}
	*nh = h[0];
	*p += len;
	*n -= len;
	*avail -= len;
	return 1;
}

static void read_v6(struct facts *f, const uint8_t *p, uint32_t n)
{
	unsigned int nh;
	uint32_t avail;

	if (n < 40 || p[0] >> 4 != 6) {
		f->reason = n < 40 ? NP_R_CUT : NP_R_BAD;
		return;
	}
	f->family = NP_KIND_V6;
	memcpy(f->src, p + 8, 16);
	memcpy(f->dst, p + 24, 16);
	nh = p[6];
	avail = be16(p + 4) ? be16(p + 4) : NOT_KNOWN;
	p += 40;
	n -= 40;
	for (int i = 0; is_extension(nh); i++) {
		if (i == EXTENSIONS_MAX) {
			f->proto = -1;
			f->reason = NP_R_DEEP;
			return;
		}
		if (!extension(f, &nh, &p, &n, &avail))
			return;
	}
	f->proto = (int)nh;
	read_transport(f, p, n, avail);
}

static void nothing_known(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->proto = f->sport = f->dport = f->icmp_type = -1;
	f->first = true;
	f->reason = NP_R_NONE;
}

void facts_read_ip(struct facts *f, const uint8_t *packet, uint32_t n)
{
	nothing_known(f);
	if (n && packet[0] >> 4 == 4)
		read_v4(f, packet, n);
	else if (n && packet[0] >> 4 == 6)
		read_v6(f, packet, n);
	else
		f->reason = n ? NP_R_NOT_IP : NP_R_CUT;
}

void facts_read(struct facts *f, const uint8_t *frame, uint32_t n)
{
	const uint8_t *end = frame + n, *p = frame + 14;
	unsigned int type;

	nothing_known(f);
	f->reason = NP_R_CUT;
	if (n < 14)
		return;
	memcpy(f->dmac, frame, 6);
	memcpy(f->smac, frame + 6, 6);
	f->has_mac = true;
	type = be16(frame + 12);
	for (int i = 0; is_tag(type); i++, p += 4) {
		if (i == TAGS_MAX || end - p < 4) {
			f->reason = i == TAGS_MAX ? NP_R_DEEP : NP_R_CUT;
			return;
		}
		type = be16(p + 2);
	}
	f->reason = NP_R_NONE;
	if (type == 0x0800)
		read_v4(f, p, (uint32_t)(end - p));
	else if (type == 0x86dd)
		read_v6(f, p, (uint32_t)(end - p));
	else
		f->reason = NP_R_NOT_IP;
}
