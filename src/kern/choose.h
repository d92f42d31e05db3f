/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_CHOOSE_H
#define NETPROBE_KERN_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/link.h"

/*
 * Where programs that stay are put at an interface, in what order the ways are tried, and why.  Native XDP is for
 * network cards alone: on a veth it takes TSO and GRO from both ends, and what is virtual has no card to spare.
 */
enum hook_way { WAY_XDP_NATIVE, WAY_XDP_GENERIC, WAY_TCX_IN, WAY_TCX_OUT, WAY_CLSACT_IN, WAY_CLSACT_OUT, WAYS };

enum { WAYS_TRIED = 3 };

struct hook_choice {
	/* The first that works is taken; WAYS ends them. */
	enum hook_way ingress[WAYS_TRIED + 1], egress[WAYS_TRIED + 1];
	const char *no_native;		/* why native XDP is not among them; NULL: it is */
	char why[96];			/* why there is none at all; empty: there is */
};

/* 0, or -EMEDIUMTYPE: frames of that link type our programs do not know. */
int hook_choose(const struct link_info *l, struct hook_choice *c);
/* Is there hardware behind it, or what a virtual machine takes for that? */
bool hook_is_device(const struct link_info *l);

/*
 * Attach a program that lets everything pass, and take it away at once: 0 or a negative errno.  XDP, which may reset
 * a network card's link, and tcx; clsact, whose filters outlive who is killed, is not tried: -EOPNOTSUPP.
 */
int  hook_try(uint32_t ifindex, enum hook_way way);
/*
 * The program at XDP, 0: none; an interface has one place for it, whatever the mode.  *mode unless NULL: "native",
 * "generic", "offload", or NULL.
 */
uint32_t hook_at_xdp(uint32_t ifindex, const char **mode);
/* The programs of a chain (tcx, netkit) of that type, and their links, in order; -errno when it cannot be asked. */
enum { HOOK_CHAIN_MAX = 64 };
struct hook_chain {
	uint32_t progs[HOOK_CHAIN_MAX], links[HOOK_CHAIN_MAX], n;
};
int hook_chain(uint32_t ifindex, uint32_t type, struct hook_chain *c);
/* Why it was refused, as far as the error number and the interface tell. */
void hook_why(uint32_t ifindex, enum hook_way way, int err, char *to, unsigned int size);

#endif
