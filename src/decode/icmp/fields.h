/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_ICMP_FIELDS_H
#define NETPROBE_DECODE_ICMP_FIELDS_H

#include "record.h"

/* Own fields of ICMP and ICMPv6 (RFC 792, 4443, 4861). */

extern struct dataset icmp_dataset;

struct icmp_body {
	uint8_t type, code;
	uint16_t id, seq;
	struct addr nd_target, nd_destination;
	uint8_t nd_lladdr[6];
	struct addr orig_src, orig_dst;
	uint16_t orig_sport, orig_dport;
	const char *orig_transport;
	uint32_t mtu, pointer;
	struct addr gateway;
	uint16_t groups_count;
	struct list groups;		/* struct str */
};

#define ICMP_FIELDS(X) \
	X(ICMP_TYPE, "icmp.type", FT_U8, type, "type") \
	X(ICMP_CODE, "icmp.code", FT_U8, code, "code") \
	X(ICMP_ID, "icmp.id", FT_U16, id, "identifier, of echo and the like") \
	X(ICMP_SEQ, "icmp.seq", FT_U16, seq, "sequence number, of echo and the like") \
	X(ICMP_MTU, "icmp.mtu", FT_U32, mtu, "next-hop MTU of fragmentation needed / packet too big") \
	X(ICMP_GATEWAY, "icmp.gateway", FT_ADDR, gateway, "better gateway of a redirect") \
	X(ICMP_POINTER, "icmp.pointer", FT_U32, pointer, "parameter problem: the byte of the datagram that is wrong") \
	X(ICMP_GROUPS_COUNT, "icmp.groups_count", FT_U16, groups_count, "group records of a multicast listener report, as its header says") \
	X(ICMP_GROUPS, "icmp.groups", FT_STRS, groups, "groups that a multicast listener message names, at most 64") \
	X(ICMP_ND_TARGET, "icmp.nd.target", FT_ADDR, nd_target, "neighbour discovery: target address; of a redirect the better next hop") \
	X(ICMP_ND_DESTINATION, "icmp.nd.destination", FT_ADDR, nd_destination, "neighbour discovery: the address that a redirect is about") \
	X(ICMP_ND_LLADDR, "icmp.nd.lladdr", FT_MAC, nd_lladdr, "neighbour discovery: link-layer address option") \
	X(ICMP_ORIG_TRANSPORT, "icmp.original.transport", FT_WORD, orig_transport, "transport of the datagram that an error quotes") \
	X(ICMP_ORIG_SRC_IP, "icmp.original.source.ip", FT_ADDR, orig_src, "its sender") \
	X(ICMP_ORIG_SRC_PORT, "icmp.original.source.port", FT_U16, orig_sport, "its sender's port") \
	X(ICMP_ORIG_DST_IP, "icmp.original.destination.ip", FT_ADDR, orig_dst, "its receiver") \
	X(ICMP_ORIG_DST_PORT, "icmp.original.destination.port", FT_U16, orig_dport, "its receiver's port")

enum icmp_field { FIELD_ICMP_BEFORE_ = FIELD_OWN - 1, ICMP_FIELDS(FIELD_ID) };

static inline struct icmp_body *icmp_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void icmp_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
