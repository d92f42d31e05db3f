// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/linkhead.h"

#include "numbers/linktype.h"
#include "util/bytes.h"

enum { PKTAP_FLAGS = 36 };	/* after length, type, link type, and a name of 24 bytes */

/* Linux's packet types: 4 is out, 0 to 3 are in. */
static uint8_t cooked(uint8_t type)
{
	return type == 4 ? DIR_EGRESS : type < 4 ? DIR_INGRESS : DIR_UNKNOWN;
}

/* 0 is received, another number sent. */
static uint8_t by_byte(uint8_t v)
{
	return v ? DIR_EGRESS : DIR_INGRESS;
}

static uint8_t direction_of(const struct frame *f)
{
	const uint8_t *h = f->data;

	switch (f->link) {
	case LINK_SLL:
		return f->cap_len > 1 && !h[0] ? cooked(h[1]) : DIR_UNKNOWN;
	case LINK_SLL2:
		return f->cap_len > 10 ? cooked(h[10]) : DIR_UNKNOWN;
	case LINK_SLIP:
	case LINK_PPP_PPPD:
	case LINK_PPP_DIRECTION:
	case LINK_HDLC_DIRECTION:
	case LINK_FRELAY_DIRECTION:
		return f->cap_len && h[0] <= 1 ? by_byte(h[0]) : DIR_UNKNOWN;
	case LINK_PKTAP:	/* bit 0: in, bit 1: out; of either byte order */
		if (f->cap_len < PKTAP_FLAGS + 4)
			return DIR_UNKNOWN;
		h += h[3] ? PKTAP_FLAGS + 3 : PKTAP_FLAGS;
		return (*h & 3) == 1 ? DIR_INGRESS : (*h & 3) == 2 ? DIR_EGRESS : DIR_UNKNOWN;
	default:
		return DIR_UNKNOWN;
	}
}

void linkhead_read(struct frame *f)
{
	const uint8_t *h = f->data;

	if (f->direction == DIR_UNKNOWN)
		f->direction = direction_of(f);
	if (f->link == LINK_SLL2 && f->cap_len >= 8)
		f->ifindex = be32(h + 4);
}
