/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_STATS_H
#define NETPROBE_CMD_STATS_H

#include "cmd/cmd.h"
#include "record.h"
#include "stats/layers.h"

struct buf;

struct waterfall_options {
	const struct strs *iface;	/* none: all */
	bool prom;
	uint64_t every_ns, times;	/* 0: once; for ever */
};

/* What the kernel counts in each layer, side by side.  An exit status. */
int stats_waterfall(const struct globals *g, const struct waterfall_options *w);
/* What netprobe itself holds on this host.  Likewise. */
int stats_memory(const struct globals *g);

/*
 * What the firewall did at these interfaces (none: all), in memory that stays when privileges are given up: *out is
 * untouched where there is none.  A record for each hook; a pipeline's `beside`.
 */
struct stats_firewall;
int  stats_firewall_open(struct stats_firewall **out, const struct strs *iface);
int  stats_firewall_rows(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx);
void stats_firewall_close(struct stats_firewall *f);

/* What a reading could not tell. */
struct waterfall_gaps {
	bool no_programs;		/* we may not ask which BPF programs there are */
	unsigned int left_out;		/* counters and places: too many */
	char unread[256];		/* files, and why; empty: none */
};

/*
 * Between the files of the command: all counters there are, of the interfaces that are wanted.  0 or a negative errno,
 * said.  `first`: a glob must find an interface.
 */
int waterfall_read(struct layers *l, const struct strs *iface, bool first, struct waterfall_gaps *gaps);

/* Lines for people: of the counters of one moment, and what the largest loss means. */
struct waterfall_text {
	bool titles, intervals;		/* titles are to come */
	unsigned int width;		/* of the terminal; 0: none */
	const char *layer;		/* of the line before */
};

void waterfall_line(void *text, const struct record *r, struct buf *b);
/* What is known of it, with the names of its interface; false: nothing. */
bool waterfall_meaning(const struct layers *l, const struct layer_counter *c, char *out, size_t size);

#endif
