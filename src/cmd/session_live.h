/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_SESSION_LIVE_H
#define NETPROBE_CMD_SESSION_LIVE_H

#include "cmd/session_parts.h"
#include "count/counted.h"
#include "count/load.h"
#include "kern/link.h"

/* One live run: session_live.c is its loop, session_start.c what comes before,
 * session_ifaces.c what the helper tells. */
enum {
	IFACES_MAX = 16384,
	IFACES_NEAR = 1024,	/* a power of two */
	SCREEN_KEYS_MAX = 16,
};

struct blocks;

struct live {
	struct session *s;
	struct capture *capture;
	struct filter *filter;			/* NULL: everything */
	struct drop_names *drops;
	int epoll, timer, rows_timer;
	uint64_t rows_timer_ns;			/* when it comes; 0: it does not */
	char missing[128];			/* capabilities that we do not have */
	struct iface **ifaces;			/* by arrival; stable addresses */
	struct iface *near[IFACES_NEAR];	/* the same, by the low bits of ifindex: a cache */
	unsigned int n_ifaces, attached, refused, down;
	char down_names[128];			/* the first of them that no word named */
	enum account_sort sort;			/* of a screen's rows */
	const char *keys[SCREEN_KEYS_MAX];	/* what can be pressed; ended by NULL */
	bool watches_keys;
	bool blind_said, ready;	/* ready: every interface there at the start has been tried */
	uint64_t started_ns, last_ns;
	enum session_counts counts;		/* who counts */
	struct counted counted;
	struct counting counting;		/* COUNTS_OF_RUN: the helper's, and ours until it has them */
	struct capture_counting counters;
	uint32_t next_number, next_number_max;	/* the helper's: of the next interface; of the last that has one */
	bool others_said;			/* that others come behind it */
	struct blocks *blocks;			/* of firewalls that are watched; NULL: none */
	struct source_counts told;		/* losses that the stream has told */
	int err;
};

/* session_ifaces.c */
struct iface *live_iface(struct live *l, uint32_t ifindex);	/* NULL: not known */
void live_learn(struct live *l, const struct link_info *info, bool wanted);	/* wanted: by -i */
void live_read_helper(struct live *l);

/* session_counted.c: l->counts says who counts from here on; 0 or a negative errno, said. */
int counted_start(struct live *l);
/* Of this run: an interface whose programs count now. */
void counted_attached(struct live *l, const struct iface *iface);
/* Once a second: 0, or a negative errno, said: what is read counts no more. */
int counted_tick(struct live *l);
/* Of the interfaces that are read, at most `max`. */
unsigned int counted_names(const struct live *l, const char **names, unsigned int max);
/* Is it over as soon as it has begun, what is there being told at once? */
bool counted_at_once(const struct live *l);
void counted_stop(struct live *l);

/* session_blocks.c: what the firewalls at the interfaces that are wanted stop.  -ENOENT, said: there are none. */
int blocks_open(struct live *l, struct source **out);
void blocks_close(struct blocks *b);

/* Is it of an interface that -i wants? */
bool live_wants_drop(void *live, const struct frame *f);

/* session_start.c: everything that needs privileges. */
int live_start(struct live *l);

#endif
