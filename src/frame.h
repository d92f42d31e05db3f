/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FRAME_H
#define NETPROBE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

/* What a source hands to the pipeline: one frame as it was on the wire. */

/* An interface that frames come from.  Lives as long as its source. */
struct iface {
	char     name[64];	/* untrusted: containers choose names; may be empty */
	uint32_t ifindex;	/* 0 when the source is a file */
	uint16_t link;		/* numbers/linktype.h: LINK_ETHERNET, LINK_RAW, … */
	uint32_t id;		/* dense number given by the source, for pcapng */
	uint32_t snaplen;
	bool     wanted;	/* live: -i means it, by name, another name or glob */
	bool     through;	/* live: what is put into it leaves by another: a bridge, a tunnel, a tag, a bond */
};

enum direction { DIR_UNKNOWN, DIR_INGRESS, DIR_EGRESS };

/* Where and why the kernel let a packet go. */
struct drop_info {
	const char *reason;	/* "NO_SOCKET"; "NOT_SPECIFIED" where it has none */
	const char *location;	/* symbol, or "0x…" when it cannot be resolved */
	const char *hook;	/* class of the location: see drop.hook */
};

/* What a firewall of ours made of it. */
struct block_info {
	const char *action;	/* drop, limit, audit, pass */
	const char *reason;	/* of NP_REASONS in block_abi.h */
	uint32_t rule;		/* number of the entry that decided; 0: none did */
	const char *name, *file;	/* what the entry says of itself, and where it was read; NULL: nothing */
	uint32_t line;
};

struct frame {
	uint64_t time_ns;		/* wall clock since 1970 */
	uint64_t number;		/* from 1, in the order read */
	const uint8_t *data;		/* cap_len bytes as on the wire, VLAN tags in place */
	uint32_t cap_len, len;		/* captured; on the wire */
	uint16_t link;			/* of this frame, likewise */
	uint16_t segments;		/* of a GRO/GSO super-packet; 0 or 1: an ordinary one */
	uint8_t  direction;		/* enum direction */
	const struct iface *iface;	/* NULL when unknown */
	uint32_t ifindex;		/* of the interface, where only the frame itself tells; else 0 */
	uint32_t sampled;		/* one in so many was kept; 0, 1: all */
	const struct drop_info *drop;	/* NULL unless the kernel dropped it */
	const struct block_info *block;	/* NULL unless it is a firewall's verdict */
	const char *netns;		/* its network namespace, where drops of all are watched; NULL: unknown */
};

/* Who takes frames; 0 to go on, 1 to stop quietly, negative errno to stop. */
typedef int (*frame_fn)(void *ctx, const struct frame *f);

#endif
