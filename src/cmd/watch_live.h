/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_WATCH_LIVE_H
#define NETPROBE_CMD_WATCH_LIVE_H

#include "cmd/watch.h"
#include "kern/capture.h"
#include "kern/link.h"

/* One live run: watch_live.c is its loop, watch_start.c what comes before, watch_ifaces.c what the helper tells. */
enum {
	IFACES_MAX = 16384,
	IFACES_NEAR = 1024,	/* a power of two */
};

struct live {
	struct watch *w;
	struct capture *capture;
	struct filter *filter;			/* NULL: everything */
	struct drop_names *drops;
	int epoll, signals, timer;
	char missing[128];			/* capabilities that we do not have */
	struct iface **ifaces;			/* by arrival; stable addresses */
	struct iface *near[IFACES_NEAR];	/* the same, by the low bits of ifindex: a cache */
	unsigned int n_ifaces, attached, refused, down;
	char down_names[128];			/* the first of them that no word named */
	bool stopping, blind_said, ready;	/* ready: every interface there at the start has been tried */
	bool reopen;				/* SIGHUP came while something was being written */
	uint64_t started_ns, last_ns;
	struct source_counts told;		/* losses that the stream has told */
	int err;
};

/* watch_ifaces.c */
struct iface *live_iface(struct live *l, uint32_t ifindex);	/* NULL: not known */
void live_learn(struct live *l, const struct link_info *info, bool wanted);	/* wanted: by -i */
bool live_drops_only(const struct watch *w);
void live_read_helper(struct live *l);

/* watch_drops.c: is it of an interface that -i wants? */
bool watch_wants_drop(void *live, const struct frame *f);

/* watch_start.c: everything that needs privileges. */
int live_start(struct live *l);

#endif
