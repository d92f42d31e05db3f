/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_QDISC_H
#define NETPROBE_KERN_QDISC_H

#include <stdbool.h>
#include <stdint.h>

/* Queueing disciplines of the current network namespace, and what they count. */
struct qdisc {
	uint32_t ifindex, parent, handle;
	char     kind[16];		/* fq_codel, clsact, ... */
	bool     is_root, is_clsact;	/* clsact: or ingress, which queues nothing */
	uint64_t packets, bytes;
	uint32_t drops, overlimits, requeues, backlog;
};

typedef int (*qdisc_fn)(void *ctx, const struct qdisc *q);

/* Each of them: fn's first non-zero return, or a negative errno. */
int qdisc_each(qdisc_fn fn, void *ctx);

#endif
