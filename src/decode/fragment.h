/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_FRAGMENT_H
#define NETPROBE_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/*
 * Datagrams of which only fragments were seen so far (RFC 791, 3.2; RFC 8200, 4.5).
 * Two things are kept of each: the ports of its first fragment, for the others; and
 * its octets, to put it together.
 *
 * Bounds: FRAGMENT_DATAGRAMS datagrams and FRAGMENT_MEMORY octets in all, 64 KiB
 * each; the oldest goes first.  A datagram that is not whole FRAGMENT_AGE_NS after
 * its first piece, by the time of the frames, goes too.  Each that goes is counted.
 * Overlaps: of IPv4 the octets that came first stay; an IPv6 datagram with an
 * overlap is given up (RFC 5722), but exact duplicates are let pass (RFC 8200).
 */
enum { FRAGMENT_DATAGRAMS = 4096, FRAGMENT_MEMORY = 4 << 20 };
#define FRAGMENT_AGE_NS 5000000000ull

struct fragment_key {
	uint8_t  src[16], dst[16];
	uint32_t id;
	uint16_t vlan;			/* outermost tag, or 0xffff */
	uint8_t  version, proto;
};

struct fragment_piece {
	const uint8_t *p;
	uint32_t cap, len;		/* captured; on the wire */
	uint32_t offset;		/* octets */
	bool     more;
	uint64_t time_ns;
};

struct fragments;
struct fragment;			/* a datagram in the table; good until the next fragments_add() */

int  fragments_open(struct fragments **out);
void fragments_close(struct fragments *t);
/* Forget the datagrams given out by fragments_whole() for the previous frame. */
void fragments_release(struct fragments *t);
/* Never NULL: the datagram that the piece belongs to. */
struct fragment *fragments_add(struct fragments *t, const struct fragment_key *key,
			       const struct fragment_piece *piece);
/*
 * The whole datagram, when the piece just added made it so: its octets (good until
 * fragments_release()) and their number.  It leaves the table.  NULL otherwise.
 */
const uint8_t *fragments_whole(struct fragments *t, struct fragment *d, uint32_t *n);
void fragment_set_ports(struct fragment *d, uint16_t sport, uint16_t dport);
bool fragment_ports(const struct fragment *d, uint16_t *sport, uint16_t *dport);
uint64_t fragments_evicted(const struct fragments *t);

#endif
