/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_COUNTED_H
#define NETPROBE_COUNT_COUNTED_H

#include "count/view.h"
#include "frame.h"

/*
 * What has been counted at several interfaces: by programs that share their maps, or that have maps of their own each.
 * The interfaces are the caller's, and outlive this.
 */
struct counted_iface {
	const struct iface *iface;	/* NULL: those that have no counters of their own */
	uint32_t view, number;		/* whose counters; which of them */
};

struct counted {
	struct count_view *views;
	struct counted_iface *ifaces;	/* numbered as flows have them in their keys: from 1 on */
	uint32_t n_views, n;
	uint64_t since_ns;		/* when counting began, as far as it is known */
	const uint64_t *numbers;	/* of interfaces, in the first view: by low bits of the ifindex; NULL: none */
	uint32_t numbers_mask;
};

/* Map another state's; the descriptors may be closed then.  Returns its number or a negative errno, said. */
int  counted_view(struct counted *c, const int maps[COUNT_MAPS]);
/* The first view's programs count at several interfaces: map where their numbers stand. */
int  counted_numbers(struct counted *c, int map);
/* An interface of a view: 0, as it is when it was there already, or -ENOMEM, said. */
int  counted_add(struct counted *c, uint32_t view, uint32_t number, const struct iface *iface);
/* Likewise, of the first view, by its number there; 1: it has none, and is counted with others. */
int  counted_learn(struct counted *c, const struct iface *iface);
void counted_close(struct counted *c);
/* Join the clocks again.  True: somebody has set one. */
bool counted_clock(struct counted *c);
/* All counters of an interface and direction, added to `sum`. */
void counted_sum(const struct counted *c, uint32_t i, enum np_count_dir dir, struct np_counts *sum);
/* Each flow there is, key.iface as `ifaces` are numbered; see count_each() and count_each_piece(). */
int  counted_each(const struct counted *c, count_flow_fn fn, void *ctx);
int  counted_each_piece(const struct counted *c, count_flow_fn fn, void *ctx);
/* How many flows find room, and the memory of the maps. */
void counted_room(const struct counted *c, uint32_t *settled, uint32_t *first, uint64_t *bytes);
/* Seen at the hooks. */
uint64_t counted_frames(const struct counted *c);

#endif
