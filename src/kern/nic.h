/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_NIC_H
#define NETPROBE_KERN_NIC_H

#include <stdint.h>

/* What a driver tells of its device, by the ioctls of ethtool(8); nothing is changed, and no privilege needed. */
enum { NIC_NAME = 32, NIC_COUNTERS_MAX = 16384 };

struct nic_ring {
	uint32_t rx, rx_max, tx, tx_max;	/* descriptors; max 0: there is none */
};

/* 0 or -errno; -EOPNOTSUPP: the driver does not tell. */
int nic_ring(const char *ifname, struct nic_ring *ring);

/* A counter of the driver's own: the name is whatever it says, of at most NIC_NAME bytes, with a NUL. */
typedef void (*nic_fn)(void *ctx, const char *name, uint64_t value);
/* Each of them.  0, or -errno: -E2BIG is more than NIC_COUNTERS_MAX. */
int nic_counters(const char *ifname, nic_fn fn, void *ctx);

#endif
