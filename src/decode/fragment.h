/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_FRAGMENT_H
#define NETPROBE_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/*
 * Datagrams of which only fragments were seen so far (RFC 791, 3.2; RFC 8200, 4.5).
 * Two things are kept of each: the ports of its first fragment, for the others; and
 * its bytes, to put it together.
 *
 * Bounds: FRAGMENT_DATAGRAMS datagrams and FRAGMENT_MEMORY bytes for what is held of
 * all, in chunks, so that a piece costs the same wherever it lies; the oldest goes
 * first.  A datagram that is not whole FRAGMENT_AGE_NS after its first piece (of IPv6:
 * FRAGMENT_AGE6_NS, RFC 8200), by the time of the frames, goes too.  Those handed on as
 * whole lie elsewhere, until the next frame.
 * Copies: a bridge, or several interfaces, show each piece twice.  That a datagram was
 * handed on is remembered for FRAGMENT_COPY_NS, or until the place is wanted: pieces of it
 * that come again may make another whole, and are no loss when they do not.
 * Overlaps: of IPv4 the bytes that came first stay; an IPv6 datagram with an
 * overlap is given up (RFC 5722), but exact duplicates are let pass (RFC 8200).  One
 * that would have two ends is given up.  Each loss is counted, by its reason.
 */
enum { FRAGMENT_DATAGRAMS = 4096, FRAGMENT_MEMORY = 4 << 20 };
#define FRAGMENT_AGE_NS  30000000000ull	/* RFC 1122, 3.3.2, wants 60 at least, Linux takes 30 */
#define FRAGMENT_AGE6_NS 60000000000ull
#define FRAGMENT_COPY_NS  1000000000ull

/* Datagrams given up, but for FRAGMENT_DIFFERS: pieces. */
enum fragment_loss {
	FRAGMENT_TABLE_FULL,
	FRAGMENT_MEMORY_FULL,
	FRAGMENT_EXPIRED,		/* pieces were missing for too long */
	FRAGMENT_OVERLAP,		/* IPv6 */
	FRAGMENT_TWO_ENDS,		/* pieces that cannot be of one datagram: its length would be two */
	FRAGMENT_MALFORMED,		/* too long; a piece, not the last, of no whole blocks */
	FRAGMENT_CUT,			/* at the snap length */
	FRAGMENT_DIFFERS,		/* from what came before at the same place; that stays */
	FRAGMENT_LOSSES
};

struct fragment_key {
	uint8_t  src[16], dst[16];
	uint32_t id;
	uint16_t vlan;			/* outermost tag, or 0xffff */
	uint8_t  version, proto;
};

struct fragment_piece {
	const uint8_t *p;
	uint32_t cap, len;		/* captured; on the wire */
	uint32_t offset;		/* bytes */
	bool     more;
	uint64_t time_ns;
	bool     is_doubted;		/* that time: nothing ages by it */
};

struct fragments;
struct fragment;			/* a datagram in the table; good until the next fragments_add() */

int  fragments_open(struct fragments **out);
void fragments_close(struct fragments *t);
/* Forget the datagrams handed on by fragments_whole() for the previous frame. */
void fragments_release(struct fragments *t);
/* Never NULL: the datagram that the piece belongs to. */
struct fragment *fragments_add(struct fragments *t, const struct fragment_key *key,
			       const struct fragment_piece *piece);
/*
 * The whole datagram, when the piece just added made it so: its bytes (good until
 * fragments_release()) and their number.  It leaves the table.  NULL otherwise.
 */
const uint8_t *fragments_whole(struct fragments *t, struct fragment *d, uint32_t *n);
void fragment_set_ports(struct fragment *d, uint16_t sport, uint16_t dport);
bool fragment_ports(const struct fragment *d, uint16_t *sport, uint16_t *dport);
/* Forget what is too old. */
void fragments_expire(struct fragments *t, uint64_t now_ns);
/* FRAGMENT_LOSSES counts; monotonic. */
const uint64_t *fragments_lost(const struct fragments *t);
/* Bytes of FRAGMENT_MEMORY in use. */
uint32_t fragments_memory(const struct fragments *t);

#endif
