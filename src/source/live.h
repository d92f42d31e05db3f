/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_LIVE_H
#define NETPROBE_SOURCE_LIVE_H

#include <stdbool.h>

#include "source/source.h"

/*
 * One interface through libpcap: the last rung (RUNG_PACKET), for kernels and
 * users without BPF and for link types that our programs do not know.  Opening
 * needs CAP_NET_RAW; afterwards only reading a mapped ring, poll()
 * and getsockopt(SOL_PACKET, PACKET_STATISTICS) are used.
 */
struct live_config {
	const struct iface *iface;	/* handed on with each frame; its name is opened, its snaplen used */
	bool ingress, egress, promisc;
	uint64_t buffer_bytes;		/* 0: 4 MiB */
	/*
	 * The filter: match() decides (NULL: everything).  `expression` (or NULL) is handed to the kernel as a
	 * coarse sieve that never takes away what match() wants; what stays in it is not counted.
	 */
	bool (*match)(void *ctx, const struct frame *f);
	void *ctx;
	const char *expression;
	bool strict, inner;		/* meanings that such a sieve cannot have: none is used */
};

/* Says what failed; -EPERM without CAP_NET_RAW. */
int live_open(struct source **out, const struct live_config *cfg);
/* LINKTYPE_ value of its frames: may differ from what the interface's own type says. */
uint16_t live_link(const struct source *s);

#endif
