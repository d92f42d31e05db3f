/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_NEIGH_H
#define NETPROBE_KERN_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

/* Of the current network namespace.  False: not known (Linux before 5.0 tells no single neighbour). */
/* The MAC address that packets from there arrive with at that interface. */
bool neigh_mac(const struct addr *remote, uint32_t ifindex, uint8_t mac[6]);
bool neigh_own_mac(const char *ifname, uint8_t mac[6]);

#endif
