/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_BLOCK_NEAR_H
#define NETPROBE_CMD_BLOCK_NEAR_H

#include "cmd/block.h"
#include "kern/neigh.h"

enum { LOCALS_MAX = 64 };

/* Addresses of this machine: packets to one of them are packets to us. */
struct locals {
	struct addr v[LOCALS_MAX];
	uint32_t ifindex[LOCALS_MAX];
	unsigned int n;
};

struct near {
	const struct block_run *b;
	struct above above;
	struct locals locals;
	struct hop hops[PEERS_MAX];	/* of b->peers */
};

void near_find(struct near *n, const struct block_run *b);
/* The device that has the address of ours, when its frames pass here; else the interface itself, NULL: gone. */
const struct above_device *near_own(const struct near *n, uint32_t ifindex);
/* The MAC address that packets to us have, of one of our addresses. */
const struct above_device *near_own_of(const struct near *n, const struct addr *local);

#endif
