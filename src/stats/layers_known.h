/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_LAYERS_KNOWN_H
#define NETPROBE_STATS_LAYERS_KNOWN_H

#include "stats/layers.h"

/* The counter of that group, or NULL. */
const struct layer_known *layer_known(const char *group, const char *name);
/* One of a driver, by what its name tells, or NULL. */
const struct layer_known *layer_known_driver(const char *name);
/* Where on the way of a packet, from 0: up first, then what has no direction, then down. */
unsigned int layer_place(const struct layer_known *k);

#endif
