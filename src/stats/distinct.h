/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_DISTINCT_H
#define NETPROBE_STATS_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many different 64-bit hashes came.  Exact up to some 3.6 million, of which each
 * takes about 10 bytes; beyond that an estimate by HyperLogLog (Flajolet et al.,
 * 2007), 64 Ki registers, within 1 % more often than not and 2 % nearly always.
 */
struct distinct;

int  distinct_open(struct distinct **out);	/* 0 or -ENOMEM, said */
void distinct_close(struct distinct *d);
void distinct_add(struct distinct *d, uint64_t hash);
uint64_t distinct_n(const struct distinct *d, bool *estimated);

#endif
