/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_HOOK_H
#define NETPROBE_KERN_HOOK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Putting a program at a hook of one interface, and taking it away.  All return 0 or a
 * descriptor, or a negative errno; none says anything.  A program descriptor of -1 leaves that
 * direction out.
 */

/* Linux 6.6, not in the headers of Debian 12: places (enum bpf_attach_type), and in front of what is there. */
enum { HOOK_TCX_INGRESS = 46, HOOK_TCX_EGRESS = 47, HOOK_TCX_BEFORE = 1 << 3 };

/* Ingress first, in front of what is there: other programs may end the chain.  links[2]: descriptors or -1. */
int hook_tcx(uint32_t ifindex, int ingress, int egress, int links[2]);
/* A socket that runs the program for each frame of the interface and keeps none. */
int hook_socket(uint32_t ifindex, int prog, bool ignore_outgoing);
/* A socket that keeps the interface promiscuous as long as it is open. */
int hook_promisc(uint32_t ifindex);
/* Can an AF_PACKET socket be had at all? */
int hook_can_packet(void);
void hook_detach_link(int *fd);
/* Return when no program that was detached runs any more on any CPU. */
void hook_wait(void);

/*
 * clsact: the one rung whose filters belong to the interface and not to a descriptor.  They are
 * known by priority and handle; the handle names a slot, and who uses slot N of a network
 * namespace holds the abstract socket "netprobe.clsact.N" there.  A slot whose socket is free has
 * a dead owner, and what it left is removed by the next netprobe that comes by.
 */
struct clsact {
	int owner;		/* the socket; -1: no slot yet */
	unsigned int slot;
};

int clsact_attach(struct clsact *c, uint32_t ifindex, int ingress, int egress);
void clsact_detach(struct clsact *c, uint32_t ifindex);
/* Remove what dead owners left on the interface; returns how many filters. */
int clsact_clean(uint32_t ifindex);
/* How many it would remove. */
int clsact_left(uint32_t ifindex);
void clsact_close(struct clsact *c);
/* Filters that stay when we go: one a service (1 to 8) and direction.  kept: the program's id, 0 when there is none,
 * or -errno. */
int clsact_keep(uint32_t ifindex, bool egress, uint8_t service, int prog);
int64_t clsact_kept(uint32_t ifindex, bool egress, uint8_t service);
void clsact_unkeep(uint32_t ifindex, bool egress, uint8_t service);

#endif
