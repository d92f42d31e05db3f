/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_VIEW_H
#define NETPROBE_COUNT_VIEW_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_abi.h"
#include "tuple.h"

#include "count_abi.h"
#include "util/hostclock.h"

/*
 * What is counted in the kernel, by the programs of bpf/count.bpf.c: load.h puts them there.  The arrays are mapped,
 * after which nothing is asked of the kernel: reading needs no privilege then.
 */
enum count_map { COUNT_COUNTS, COUNT_TRANSPORTS, COUNT_SETTLED, COUNT_FIRST, COUNT_PIECES, COUNT_READ,
		 COUNT_IFACES = COUNT_READ, COUNT_LOCKS, COUNT_CONF, COUNT_MAPS };
extern const char *const count_map_names[COUNT_MAPS];	/* "np_counts", ... */

/* Pinned: the service, and what each map is called there. */
#define COUNT_SERVICE "count"
static inline const char *count_pin_name(enum count_map m)
{
	return count_map_names[m] + sizeof("np_") - 1;
}

struct count_view {
	const void *at[COUNT_READ];	/* NULL: not mapped */
	size_t   size[COUNT_READ];
	uint32_t sets[2];		/* settled, first */
	uint32_t cpus, ifaces;
	uint64_t since_ns;		/* of the wall clock then: when the maps were made */
	const struct np_count_conf *conf;
	struct host_clock clock;	/* the programs'; see count_clock() */
};

/* How the programs were made.  Says what failed. */
int  count_conf(int map, struct np_count_conf *conf);
/* Tell whoever reads that nothing will be counted there any more; and has that been told? */
void count_end(int conf_map);
bool count_has_ended(const struct count_view *v);
/* Is the map with that id one of the program's? */
bool count_uses(int prog, uint32_t map);
/* Map what these descriptors name; they may be closed then.  Says what failed. */
int  count_map(struct count_view *v, const int maps[COUNT_MAPS]);
void count_unmap(struct count_view *v);
/* The distance of the clocks, anew: it changes when somebody sets one. */
void count_clock(struct count_view *v);
/* Counters of an interface and direction, of all CPUs, added to `sum`. */
void count_sum(const struct count_view *v, uint32_t iface, enum np_count_dir dir, struct np_counts *sum);
/* Packets whose headers could not be read to the end, though what they are should have them. */
uint64_t count_malformed(const struct np_counts *c);
bool count_is_malformed(unsigned int reading);	/* enum np_reading */
/* By transport, of all interfaces, both directions. */
void count_transports(const struct count_view *v, struct np_transports *sum);
/*
 * Each flow there is, its times those of the wall clock, in no order, until fn says other than 0, which is returned.
 * Packets go on being counted meanwhile, so that a flow that settles may come twice, the later time with more.
 */
typedef int (*count_flow_fn)(void *ctx, const struct flow *f);
int  count_each(const struct count_view *v, count_flow_fn fn, void *ctx);
/* Likewise what came of a datagram before the fragment that has the ports: as flows without, several of which may have
 * the same ends. */
int  count_each_piece(const struct count_view *v, count_flow_fn fn, void *ctx);

#endif
