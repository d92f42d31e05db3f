/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_LOAD_H
#define NETPROBE_COUNT_LOAD_H

#include "count/view.h"

/* The programs that count, and their maps.  Who makes them puts them at hooks, and keeps or pins them. */
enum count_hook { COUNT_XDP, COUNT_IN, COUNT_OUT, COUNT_HOOKS };

/* Flows in which both ends have spoken: so many find room.  Of others a quarter as many. */
enum { COUNT_FLOWS = 65536, COUNT_FLOWS_FEW = 8192, COUNT_FLOWS_MAX = 1 << 24 };

struct count_options {
	uint32_t flows;			/* 0: COUNT_FLOWS */
	uint32_t ifaces;		/* how many have counters of their own; at least 1 */
	bool     per_interface;		/* flows too: their interface is in the key */
	bool     debug;			/* say the end of the verifier's log when a program is refused */
};

struct counting {
	int maps[COUNT_MAPS];		/* owned; -1 */
	int progs[2][COUNT_HOOKS];	/* owned; [1]: for devices without a link header; -1: not loaded */
	struct np_count_conf conf;
	bool debug;
};

/* Make the maps.  Says what failed. */
int  count_make(struct counting *c, const struct count_options *o);
/* Take over those of an earlier one (the descriptors; also when it fails): counters and flows go on. */
int  count_adopt(struct counting *c, const int maps[COUNT_MAPS], bool debug);
/* The program for a hook, loaded when it is first asked for: a descriptor of ours, or a negative errno, said. */
int  count_program(struct counting *c, enum count_hook hook, bool l3);
/* Count what passes interface `ifindex` in place `number`, below `ifaces`; place 0 is that of those that have none.
 * Another one with the same low bits loses its own. */
int  count_number(const struct counting *c, uint32_t ifindex, uint32_t number);
void count_close(struct counting *c);
/* Bytes that the maps take. */
uint64_t count_bytes(const struct counting *c);

#endif
