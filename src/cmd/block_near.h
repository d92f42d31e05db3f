/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_BLOCK_NEAR_H
#define NETPROBE_CMD_BLOCK_NEAR_H

#include "cmd/block.h"
#include "kern/neigh.h"

/*
 * What sessions need of the link that they come through: without ARP (RFC 826) and neighbour discovery (RFC 4861) in
 * both directions neither end finds the other any more, within a minute, whatever its TCP is allowed.
 */
enum { LOCALS_MAX = 64, THEIRS_MAX = 4096 };

/* Addresses of this machine: packets to one of them are packets to us. */
struct locals {
	struct addr v[LOCALS_MAX];
	uint32_t ifindex[LOCALS_MAX];
	unsigned int n;
};

struct need {
	struct facts f;			/* a packet that must pass */
	const struct peer *peer;	/* whose session; NULL: anybody's */
	const char *what;		/* "ARP of" */
};

struct near {
	const struct block_run *b;
	struct above above;
	struct link_locals link_locals;
	struct locals locals;
	struct hop hops[PEERS_MAX];	/* of b->peers */
	struct hop router;		/* that tells where the rest of IPv6 is; ifindex 0: none does */
	struct need *needs;
	unsigned int n, room;
	struct addr theirs[THEIRS_MAX];	/* addresses of the other end in them, each once */
	unsigned int n_theirs;
	bool failed;			/* no memory */
};

/* Says what failed; close it in any case. */
int near_find(struct near *n, const struct block_run *b);
void near_close(struct near *n);
/* The device that has the address of ours, when its frames pass here; else the interface itself, NULL: gone. */
const struct above_device *near_own(const struct near *n, uint32_t ifindex);
/* The MAC address that packets to us have, of one of our addresses. */
const struct above_device *near_own_of(const struct near *n, const struct addr *local);

#endif
