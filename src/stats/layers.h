/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_LAYERS_H
#define NETPROBE_STATS_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel's counters of every layer that a packet passes, as one list in the order in which a packet meets
 * them: up from the device to sockets, then down again.  What each counter is called, where it stands and whether
 * it tells of packets lost is the table of layers_known.c; a counter that is not in it is left out.
 *
 * The readers below take a text of /proc as it is, cut anywhere and holding anything: what is no number ends a row.
 */
enum { LAYERS_MAX = 65536, LAYER_NAME = 64 };

enum layer_way { WAY_IN, WAY_OUT, WAY_BOTH };

/* What is known of a counter: see layers_known.c. */
struct layer_known {
	const char *group;		/* Ip, TcpExt, link, softnet, qdisc, ...: who counts it */
	const char *name;		/* the kernel's own */
	const char *layer;		/* nic, driver, xdp, ... */
	enum layer_way way;
	bool lost;			/* each one is a packet that went no further */
	bool sum;			/* of others that are in the table too */
	bool level;			/* how much there is now: it shrinks too */
	/* Why, and what helps; NULL: nothing to add.  IFACE stands for the interface, RING for its receive ring. */
	const char *meaning;
};

struct layer_counter {
	const struct layer_known *known;
	uint32_t ifindex;		/* 0: the kernel counts for the network namespace, or for all */
	bool one_of;			/* of one CPU or socket: only the largest is told, its sum stands beside */
	bool has_value;			/* a program whose runs nobody counts has none */
	uint32_t number;		/* of the CPU, the port, the program; tells equal ones apart */
	uint64_t inode;			/* of the socket; likewise */
	char interface[LAYER_NAME];	/* empty: ifindex is 0 */
	char name[LAYER_NAME];		/* the counter's; text of a driver is anything at all */
	char detail[LAYER_NAME];	/* which of several: a qdisc's kind, a program's name, "cpu 3", "port 53" */
	uint64_t value, before;		/* before: in the list before this one, or 0; of a sum what of it is not new */
	unsigned int seen;		/* in which order they came */
};

struct layers {
	struct layer_counter *v;
	unsigned int n, room, left_out;	/* left_out: beyond LAYERS_MAX */
	bool full;			/* no memory */
};

void layers_free(struct layers *l);
/* A counter of that group and name; what the caller knows beside it may be filled in.  NULL: not known, or no room. */
struct layer_counter *layers_add(struct layers *l, const char *group, const char *name, uint64_t value);
/* One of a driver: by what its name tells.  NULL: it tells nothing of packets lost. */
struct layer_counter *layers_add_driver(struct layers *l, const char *name, uint64_t value);
void layer_text(char to[LAYER_NAME], const char *p, size_t n);
/* In the order in which a packet meets them. */
void layers_sort(struct layers *l);
/* What each counter of `l` was in `before`, both sorted. */
void layers_compare(struct layers *l, const struct layers *before);
/* Since then.  One that shrank, for a driver was loaded anew, tells nothing: 0. */
uint64_t layer_growth(const struct layer_counter *c);

/* /proc/net/snmp, /proc/net/netstat: a line of names, then one of numbers. */
void layers_snmp(struct layers *l, const char *text, size_t n);
/* /proc/net/snmp6: a name and a number a line. */
void layers_snmp6(struct layers *l, const char *text, size_t n);
/* /proc/net/softnet_stat: a line for each CPU, in hexadecimal. */
void layers_softnet(struct layers *l, const char *text, size_t n);
/* /proc/net/stat/nf_conntrack: a line of names, then one for each CPU in hexadecimal. */
void layers_conntrack(struct layers *l, const char *text, size_t n);
/* /proc/net/udp, udp6, raw, raw6, as `kind` says: a socket a line, its drops at the end. */
void layers_sockets(struct layers *l, const char *kind, const char *text, size_t n);

#endif
