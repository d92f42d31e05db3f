/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_TALLY_H
#define NETPROBE_STATS_TALLY_H

#include "record.h"

/*
 * Packets and bytes by something: a row each for the hosts, ports, protocols,
 * interfaces, ... that there are.  At most TALLY_MAX; the least recently seen leaves, and
 * what it counted is kept as a sum, so that nothing vanishes without a number.
 */
enum { TALLY_MAX = 65536 };

enum { TALLY_LIST_MAX = 8 };

struct tally_key {			/* no holes: compared as bytes */
	struct addr host;		/* by host; else `b` holds a list: */
	uint8_t  n;			/* by vlan: so many ids, two bytes each; by proto, tunnel: numbers of words */
	uint16_t port;			/* by port */
	uint8_t  proto;			/* by transport, proto, port: IANA number */
	uint8_t  direction, by_name;	/* by iface: enum direction; by transport: `name` holds no IP protocol's */
	uint8_t  class;			/* by size, flags */
	const void *name;		/* by iface: its struct iface; by transport, proto: a static word */
};

struct tally_row {
	struct tally_key key;
	uint64_t packets, bytes, since_packets, since_bytes;	/* since: the rows were told last */
	uint64_t was_packets, was_bytes;	/* and what these were then */
	uint64_t first_ns, last_ns;
	uint32_t next, newer, older, told;	/* told: how often the rows were when `since` began */
};

enum tally_sort { TALLY_BYTES, TALLY_PACKETS, TALLY_RATE, TALLY_START };

struct tally {
	enum tally_sort sort;		/* the first row: most of these, of the last interval, the oldest */
	bool again;			/* rows are those told last once more, in whatever order: no interval ends */
	uint64_t evicted, evicted_packets, evicted_bytes;
	uint64_t packets;		/* of all */
	struct tally_row *v;
	uint32_t n, room, max, *buckets, mask, newest, oldest, told;
	uint64_t k0, k1;
	uint64_t told_ns, was_ns, first_ns;
	uint64_t was_bytes;		/* of all rows, in the interval of was_ns */
};

int  tally_open(struct tally **out, uint32_t max, uint32_t seed);
void tally_close(struct tally *t);
void tally_take(struct tally *t, const struct tally_key *k, uint64_t packets, uint64_t bytes, uint64_t now_ns);
/* Likewise, of what came from first_ns until last_ns. */
void tally_add(struct tally *t, const struct tally_key *k, uint64_t packets, uint64_t bytes, uint64_t first_ns,
	       uint64_t last_ns);
/*
 * Rows by `sort`; `top` of them at most (0: all).  `ns` is the time since the last call, of which `was_packets` and
 * `was_bytes` are.  fn's first non-zero value ends it and is returned; -ENOMEM (said).
 */
int  tally_each(struct tally *t, uint32_t top, int (*fn)(void *ctx, struct tally_row *row, uint64_t ns), void *ctx,
		uint64_t now_ns);

#endif
