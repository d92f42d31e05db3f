/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_NEIGH_H
#define NETPROBE_KERN_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/link.h"
#include "util/addr.h"

/* Of the current network namespace.  What cannot be read is not known. */

enum { ABOVE_MAX = 1024, NEIGHBOURS_MAX = 1024 };

/* Interfaces that frames at one of them may be for; the others' MAC addresses and neighbours are theirs. */
struct above {
	struct above_device {
		uint32_t ifindex, master;
		uint8_t mac[6];
		bool has_mac;
		bool has_neighbours;		/* it asks for MAC addresses, by ARP and neighbour discovery */
	} v[ABOVE_MAX];				/* beyond those, what is above is not known */
	unsigned int n;
};

/* v[0] is the interface itself; then the bridge or bond it is a port of, VLANs and macvlans on it, and so on. */
void above_find(struct above *a, uint32_t ifindex);
/* l, when it is directly above one that is there: true when it was added. */
bool above_take(struct above *a, const struct link_info *l);
const struct above_device *above_device(const struct above *a, uint32_t ifindex);	/* NULL: not among them */

/* Through whom an address is reached. */
struct hop {
	struct addr next;		/* the gateway, or the address itself */
	uint32_t ifindex;		/* the route's; 0: none */
	bool by_advertisement;		/* a router's told the route */
	bool has_mac;
	uint8_t mac[6];			/* what packets from there arrive with */
};

bool addr_is_link_local(const struct addr *a);
/* local: of the session; family 0: not known.  a: where a link-local address may be. */
void hop_find(struct hop *h, const struct addr *remote, const struct addr *local, const struct above *a);

/* Link-local addresses of neighbours that one MAC address has; without any the one that is made of it (RFC 4291). */
struct link_locals {
	struct {
		struct addr addr;
		uint32_t ifindex;
		uint8_t mac[6];
	} v[NEIGHBOURS_MAX];		/* others are taken for made of their MAC address */
	unsigned int n;
};

void link_locals_find(struct link_locals *l);
unsigned int link_locals_of(const struct link_locals *l, const struct hop *h, struct addr *out, unsigned int max);

#endif
