/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_SOURCE_H
#define NETPROBE_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "frame.h"

/*
 * Where frames come from.  A source is opened by its own function (ring_open,
 * capfile_open, …), which may need privileges; read() and everything after it
 * must not: by then the process has dropped them.
 */
struct source;

/* What a source saw and lost.  Every frame is in exactly one place. */
struct source_counts {
	uint64_t seen;		/* reached the hook, or was in the file */
	uint64_t filtered;	/* the filter said no */
	uint64_t sampled;	/* left out by sampling */
	uint64_t emitted;	/* put in the ring, or read from the file */
	uint64_t lost_ring;	/* no room in the ring */
	uint64_t lost_map;	/* no room in a table */
	uint64_t lost_other;	/* the interface or an AF_PACKET queue lost it */
	uint64_t truncated;	/* emitted, but cut at the snap length (not lost) */
	uint64_t read;		/* handed to the pipeline */
};

struct source_ops {
	const char *name;
	/*
	 * Hand frames to fn, at most about `budget`.  Returns the number handed over,
	 * 0 when there is nothing for now, -ENODATA at the end of a file, another
	 * negative errno on failure (said with fail()), or the first non-zero value
	 * that fn returned, as SOURCE_STOPPED.
	 */
	int (*read)(struct source *s, unsigned int budget, frame_fn fn, void *ctx);
	/* About to sleep: ask for a wake-up on fd.  Returns 1 if data is already there. */
	int (*arm)(struct source *s);
	int (*counts)(struct source *s, struct source_counts *c);
	/* Once a second: re-anchor clocks. */
	void (*tick)(struct source *s);
	void (*close)(struct source *s);
};

enum { SOURCE_STOPPED = -10000 };

struct source {
	const struct source_ops *ops;
	int fd;			/* poll it for input; -1: always ready (a file) */
	int stop;		/* what fn returned when read() gave SOURCE_STOPPED */
};

/* A capture file: pcap (µs, ns, either byte order, modified Alexey variant), pcapng, either
 * one gzipped; "-" is standard input.  Parses nothing before the first read. */
int capfile_open(struct source **out, const char *path);
/* Look ahead: 1: *f is the frame that read() hands over next; 0: call again; -EAGAIN: wait for fd; else what
 * read() will return. */
int capfile_peek(struct source *s, struct frame *f);
/* Leave out the frame that was looked at. */
void capfile_skip(struct source *s);
/* Interface number i of those the file has told so far; NULL: there are no more.
 * all: its first frames, at least, are of one of these. */
const struct iface *capfile_iface_at(const struct source *s, unsigned int i, bool *all);

#endif
