/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_POLICY_PARTS_H
#define NETPROBE_COUNT_POLICY_PARTS_H

#include "count/policy_count.h"
#include "count/policy_moved.h"
#include "policy.skel.h"

struct hold {
	uint32_t ifindex, pod;
	int links[2];			/* or a socket, -1 */
	bool first[2];			/* in, out: no other of tc sees packets before us */
	bool told;			/* that */
};

struct decided {
	struct np_policy_key waits;	/* by this something may wait */
	struct np_decision d;
	bool turned;			/* which is the decision's the other way round */
};

struct policy_count {
	struct policy *skel;
	struct ring_buffer *ring;
	int drops;			/* the tracepoint's link; -1 */
	bool sockets;
	unsigned int cpus;
	uint32_t rows;
	struct hold *holds;
	unsigned int n, room;
	struct np_policy_counts *of_cpus;	/* a row's */
	struct policy_moved moved, waits;	/* waits: of a reading */
	struct decided *decided;		/* since what waited was collected */
	unsigned int n_decided;
	policy_count_ask_fn fn;		/* while asks are read */
	void *ctx;
};

/* policy_ifaces.c: all of them. */
void policy_ifaces_let_go(struct policy_count *c);

#endif
