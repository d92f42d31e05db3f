/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_RING_H
#define NETPROBE_SOURCE_RING_H

#include <stdbool.h>

#include "source/source.h"

/*
 * The kernel's ring buffer, read through our own mapping: no system call but
 * mmap, which is done at open, so the reader works without any privilege, on
 * every kernel.  Data pages are mapped once; a record that wraps is copied.
 */
struct ring_config {
	/* They stay the caller's: `ring` must stay open (it is what is polled), the rest may be closed
	 * once ring_open() has mapped them. */
	int ring, ledger, drop_ledger, control;	/* map descriptors; -1: absent, but for `ring` */
	uint64_t ring_bytes;
	unsigned int cpus;
	/* The interface with that index, NULL when unknown.  */
	const struct iface *(*iface)(void *ctx, uint32_t ifindex);
	/* Names of network namespaces, where drops of all are wanted (NULL: of ours only, `home`).  Numbers of
	 * interfaces mean nothing in another than ours: such a frame has no iface. */
	const char *(*netns)(void *ctx, uint32_t inode);
	uint32_t home;
	/* Fill in names for a drop. */
	void (*drop)(void *ctx, uint32_t reason, uint64_t location, struct drop_info *out);
	/* The filter, for frames that the kernel could not decide; they come whole and are cut at
	 * iface->snaplen (0: not cut) afterwards.  NULL: they match. */
	bool (*match)(void *ctx, const struct frame *f);
	uint32_t sampled;		/* one in so many is kept; 0, 1: all */
	void *ctx;
};

int ring_open(struct source **out, const struct ring_config *cfg);
/* Packet hooks' and drop hook's ledgers, each summed over CPUs (counts() adds both); cpu >= 0: one CPU. */
struct np_ledger;
int ring_ledger(struct source *s, int cpu, struct np_ledger *packets, struct np_ledger *drops);

#endif
