/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_LINK_H
#define NETPROBE_KERN_LINK_H

#include <linux/if_link.h>
#include <stdbool.h>
#include <stdint.h>

/* Interfaces of the current network namespace, by rtnetlink. */
struct link_info {
	uint32_t ifindex;
	char     name[64];
	uint16_t arphrd;		/* ARPHRD_ value */
	uint16_t link;			/* what a hook sees there: numbers/linktype.h */
	uint32_t mtu;
	uint32_t flags;			/* IFF_ */
	uint32_t operstate;
	char     kind[16];		/* of software: veth, bridge, ...; empty: it says none */
	bool     has_device;		/* hardware, or a virtual machine's; before Linux 5.14 it is not told */
	uint8_t  mac[6];
	bool     has_mac;
	uint32_t master;		/* the bridge, bond, ... whose port it is; 0: none */
	uint32_t lower;			/* what a VLAN, macvlan or ipvlan has its frames from; 0: nothing here */
	bool     is_elsewhere;		/* that is in another network namespace */
	struct rtnl_link_stats64 stats;
	bool     is_gone;		/* monitor only */
};

typedef int (*link_fn)(void *ctx, const struct link_info *l);

/* Call fn for each interface; stops at its first non-zero return, which is returned. */
int link_each(link_fn fn, void *ctx);
/* One interface by name or by index (name NULL).  -ENODEV when it is not there. */
int link_get(const char *name, uint32_t ifindex, struct link_info *out);

/* Does one of the words fit the interface?  "any" fits all; a glob, its name; another word is a name or an alternative
 * name of it.  n 0: all.  *named: by a word that is no glob. */
bool link_wanted(const struct link_info *l, const char *const *words, unsigned int n, bool *named);
bool link_is_glob(const char *word);

/* A netlink socket that tells of links coming, going and changing; poll it, then link_monitor_read(). */
int link_monitor_open(void);
/* Returns 0, -ENOBUFS when messages were lost (list again), or fn's first non-zero return. */
int link_monitor_read(int fd, link_fn fn, void *ctx);

/* Enter the network namespace of NAME (under /run/netns), a PATH, or a PID.  Says what failed. */
int netns_enter(const char *spec);
/*
 * Call fn in each network namespace that a process is in or that has a name, the current one first; then back to that.
 * fn's first non-zero return is returned; those that could not be entered are added to *missed.
 */
int netns_each(int (*fn)(void *ctx), void *ctx, unsigned int *missed);
/* Inode of the current network namespace. */
uint64_t netns_inode(void);

#endif
