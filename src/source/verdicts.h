/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_VERDICTS_H
#define NETPROBE_SOURCE_VERDICTS_H

#include "source/source.h"

struct np_log_packet;
struct np_log_cpu;
struct np_log_readers;

/*
 * What firewalls of ours stop or take note of: the logs of their programs (bpf/block_abi.h), which are mapped, so that
 * it is read without any privilege and by any number of readers.  It is looked at a hundred times a second; what
 * was written over in between is counted as lost.
 */
struct verdict_log {			/* of one firewall; all of it stays the caller's */
	const struct np_log_packet *packets;
	const struct np_log_cpu *cpus;
	struct np_log_readers *readers;
	const struct iface *iface;
	enum direction direction;
	const void *set;		/* for describe() */
};

struct verdicts_config {
	const struct verdict_log *logs;
	unsigned int n, cpus;
	/* What the entry with that number says of itself, where it is known. */
	void (*describe)(const void *set, uint32_t rule, struct block_info *out);
	bool (*match)(void *ctx, const struct frame *f);	/* the filter; NULL: everything */
	void *ctx;
};

int verdicts_open(struct source **out, const struct verdicts_config *cfg);

#endif
