/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FILTER_CANON_H
#define NETPROBE_FILTER_CANON_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The canonical frame: what a filter looks at.  The entry program of the
 * kernel side makes the same one; both follow these rules, in this order.
 *
 * 1. VLAN tags (types in bpf/tags.h; at most CANON_TAGS) behind
 *    the addresses are left out, unless `strict`.  A tag that the frame does not
 *    hold whole, with the type behind it, stays.
 * 2. With `inner`: when the network header, found behind all tags, is a tunnel
 *    (VXLAN, Geneve, GRE, IPIP, 6in4, 4in6, 6in6; one level, headers whole, not
 *    a later fragment), the frame inside takes the place of the whole.  One that
 *    is Ethernet goes through rule 1; one that is IP gets an Ethernet header of
 *    zeros and its EtherType.
 *
 * 3. The family in a BSD loopback (or IPsec) header becomes what libpcap looks for: this machine's AF_ number
 *    in its byte order, whatever machine wrote the file; unless `as_is`.
 *
 * Nothing is copied but headers: the rest stays where it is.
 */
enum { CANON_TAGS = 4, CANON_EXTENSIONS = 8 };

struct canon {
	uint8_t head[20];	/* the first head_len bytes */
	uint32_t head_len;
	const uint8_t *tail;	/* and those behind */
	uint32_t cap, len;	/* bytes there are, bytes on the wire: head and tail */
	uint32_t sent;		/* len with the tags that were left out: what `len` in a filter means */
};

struct canon_how {
	bool strict, inner;
	bool as_is;		/* the family of a BSD loopback header is not made this machine's */
	bool ether;		/* always make it Ethernet: other link types get a header of zeros */
};

/* data: cap bytes of a frame of LINKTYPE_ `link`, len on the wire.  Must outlive c. */
void canon_make(struct canon *c, uint16_t link, struct canon_how how, const uint8_t *data, uint32_t cap,
		uint32_t len);
/* Big endian load of 1, 2 or 4 bytes; false when they are not all there. */
bool canon_load(const struct canon *c, uint64_t off, unsigned int size, uint32_t *v);
/* The first bytes in one piece; returns how many, at most max. */
uint32_t canon_copy(const struct canon *c, uint8_t *out, uint32_t max);

#endif
