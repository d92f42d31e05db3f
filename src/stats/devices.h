/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_DEVICES_H
#define NETPROBE_STATS_DEVICES_H

#include "stats/gather.h"
#include "stats/vendors.h"

/*
 * The devices of a link, by their MAC address, as they tell of themselves: in ARP
 * (RFC 826), neighbour discovery (RFC 4861), DHCP (RFC 2131, 8415), mDNS (RFC 6762)
 * and LLMNR (RFC 4795).  At most `max` devices are kept, the least recently seen
 * goes first and is counted.  Takes records of the datasets arp, icmp, dhcp and
 * dns; gives records of the dataset device, oldest first.
 */
enum { DEVICES_MAX = 16384 };

/* vendors: NULL is none; borrowed.  seed: for the hash table, getrandom().  0 or -ENOMEM (said). */
int devices_open(struct gather **out, const struct vendors *vendors, uint32_t max, uint32_t seed);

#endif
