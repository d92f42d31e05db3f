/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_INVENTORY_INVENTORY_H
#define NETPROBE_INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/link.h"

/*
 * Every BPF program that packets meet, whoever put it there: at XDP, tcx, tc, netkit, netfilter, at cgroups
 * and network namespaces.  What is found is read only; nothing is attached, detached or held.
 */
struct hooked {
	const char *hook;		/* "xdp", "tcx/ingress", "cgroup/inet4_connect", ...: static */
	const char *mode;		/* xdp: native, generic, offload; else NULL */
	uint32_t order;			/* in its chain, from 1: who runs first */
	uint32_t prog_id, link_id;	/* link_id 0: attached without a link */
	int32_t  priority;		/* tc, netfilter; 0: none */
	uint32_t handle;		/* tc; 0: none */
	const struct link_info *link;	/* NULL: of no interface */
	uint64_t netns;			/* inode; 0: of none, or not to be known */
	const char *cgroup;		/* path below the cgroup file system; NULL: of none */
};

/* Of a program by its number. */
struct hooked_program {
	char     name[128];		/* the BTF name where it is longer; empty: it has none */
	uint8_t  tag[8];
	uint64_t run_count, run_ns;	/* 0 unless the kernel counts: kernel.bpf_stats_enabled */
	bool     ours;			/* its name begins with np_ */
};

typedef int (*hooked_fn)(void *ctx, const struct hooked *h);

struct inventory_scope {
	const char *dev;		/* a name or a glob; NULL: every interface */
	bool     all_netns;		/* of every one that a process is in or that has a name; else the current */
};

struct inventory;

/* Looks at the links of the whole host.  0 or a negative errno, said. */
int  inventory_open(struct inventory **out);
void inventory_close(struct inventory *v);
/*
 * Each program there is in the scope.  With `dev` only those of interfaces.  fn's first non-zero return is
 * returned; what could not be looked at is counted: see below.
 */
int  inventory_each(struct inventory *v, const struct inventory_scope *s, hooked_fn fn, void *ctx);
/* Namespaces, interfaces and cgroups that could not be looked into. */
unsigned int inventory_missed(const struct inventory *v);
/* Interfaces that were looked at. */
unsigned int inventory_interfaces(const struct inventory *v);

/* 0, or -errno: it is gone meanwhile. */
int  inventory_program(uint32_t id, struct hooked_program *p);

/* Who holds it, and where it is pinned, of programs, links and maps; looked up once, for all. */
struct holders;
int  holders_open(struct holders **out);
void holders_close(struct holders *h);
/* 0, or why /proc tells of nobody. */
int  holders_blind(void);
/* Processes that have it open, by the program's number or its link's (0: none); how many, at most `max`. */
unsigned int holders_pids(const struct holders *h, uint32_t prog_id, uint32_t link_id, uint32_t *pids,
			  unsigned int max);
/* A path below a BPF file system where the link, or the program, is pinned; NULL: nowhere. */
const char *holders_pin(const struct holders *h, uint32_t prog_id, uint32_t link_id);
/* Likewise of a program by whichever link. */
unsigned int holders_all_pids(const struct holders *h, uint32_t prog_id, uint32_t *pids, unsigned int max);
const char *holders_all_pin(const struct holders *h, uint32_t prog_id);
/* Likewise of a map. */
unsigned int holders_map_pids(const struct holders *h, uint32_t map_id, uint32_t *pids, unsigned int max);
const char *holders_map_pin(const struct holders *h, uint32_t map_id);

#endif
