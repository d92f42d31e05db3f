/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_INVENTORY_PARTS_H
#define NETPROBE_INVENTORY_PARTS_H

#include <linux/bpf.h>

#include "inventory/inventory.h"

/* Between the files of the inventory alone. */

/* Kinds of links (enum bpf_link_type), some of which are newer than the headers of Debian 12. */
enum { BPF_OF_CGROUP = 3, BPF_OF_NETNS = 5, BPF_OF_XDP = 6, BPF_OF_NETFILTER = 10 };

/* struct bpf_link_info behind type, id and prog_id, which is aligned to eight bytes. */
union link_info_tail {
	uint32_t ifindex;				/* XDP, tcx, netkit */
	struct { uint32_t netns_ino, attach_type; } netns;
	struct { uint64_t cgroup_id; uint32_t attach_type; } cgroup;
	struct { uint32_t pf, hooknum; int32_t priority; uint32_t flags; } netfilter;
};

struct known_link {
	uint32_t id;
	struct {
		uint32_t type, id, prog_id, unused;
		_Alignas(8) uint8_t tail[64];
	} info;
};

struct inventory {
	struct known_link *links;
	unsigned int n_links, room, missed, n_interfaces;
};

struct walk {
	struct inventory *v;
	const char *dev;
	hooked_fn fn;
	void *ctx;
	uint64_t netns;
};

/* The link of that kind, program and interface, or 0. */
uint32_t inventory_link(const struct inventory *v, uint32_t type, uint32_t prog_id, uint32_t ifindex);
/* Filters of tc at every qdisc of the interface. */
int inventory_tc(struct walk *w, const struct link_info *l);
int inventory_cgroups(struct walk *w);

#endif
