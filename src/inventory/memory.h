/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_INVENTORY_MEMORY_H
#define NETPROBE_INVENTORY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* BPF programs and maps of netprobe, running or pinned: those whose names begin with np_, and the maps they use. */
enum { HELD_MAPS = 64 };

struct held {
	bool     is_map;
	uint32_t id;
	char     name[128];		/* empty: none */
	bool     has_bytes;		/* /proc tells them */
	uint64_t bytes;			/* what the kernel says they take */
	uint32_t entries;		/* maps: at most */
	uint64_t run_count, run_ns;	/* programs; 0 unless the kernel counts */
	uint32_t maps[HELD_MAPS], n_maps;	/* programs: those it uses */
};

typedef int (*held_fn)(void *ctx, const struct held *h);

/* Programs first, then maps, by their numbers: fn's first non-zero return, or a negative errno, not said. */
int held_each(held_fn fn, void *ctx);

#endif
