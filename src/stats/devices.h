/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_DEVICES_H
#define NETPROBE_STATS_DEVICES_H

#include "stats/gather.h"
#include "stats/vendors.h"

/*
 * The devices of a link, by their MAC address, as they tell of themselves (identity.h).
 * At most `max` devices are kept, the least recently seen goes first and is counted.
 * Takes records of any dataset; gives records of the dataset device, oldest first.
 */
enum { DEVICES_MAX = 16384 };

/* vendors: NULL is none; borrowed.  seed: for the hash table, getrandom().  0 or -ENOMEM (said). */
int devices_open(struct gather **out, const struct vendors *vendors, uint32_t max, uint32_t seed);

#endif
