/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_OUT_H
#define NETPROBE_SINK_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

enum {
	OUT_BATCH = 64 * 1024,	/* written at once when so much is committed */
	OUT_ENDS = 4096,	/* or when so many records are */
};

/*
 * Bytes to standard output, a file or a series of files.  A writer appends a
 * whole record to `buf` and calls out_commit(); only whole records are ever
 * left in a file: after ENOSPC the file is cut back to the last record boundary.
 *
 * SIGPIPE and SIGXFSZ must be ignored, so that they come back as errors.
 */
struct out {
	int fd;
	char name[256];			/* for messages */
	struct buf buf;			/* committed bytes, then the record being made */
	size_t committed;		/* bytes of buf that are whole records */
	uint32_t ends[OUT_ENDS];	/* where each of them ends; OUT_NOT_RECORD: heads and tails */
	unsigned int n_ends;
	uint64_t file_bytes;		/* in this file, up to the last whole record written */
	uint64_t file_records;		/* committed to this file */
	uint64_t records, lost;		/* committed; committed but never written */
	uint64_t written;		/* of the records: all of it is in the output */
	bool regular, tty, socket;
	bool pipe;			/* without a name: who has left it does not come back */
	bool blocks;			/* a write may sleep: no more at once than there is room for */
	bool closed;			/* the reader went away: quiet end */
	bool left_out;			/* a record was too large for memory: said once */
	bool framing;			/* what is committed is a head or a tail, not a record */
	bool ended;			/* the series is: said */
	int error;			/* first write error, negative errno: sticky */

	/* Readable: ask wake() whether the user wants to end (NULL: he does); it takes what made it so.
	 * A reader that takes nothing is then waited for OUT_HURRY_MS at a time, no longer for ever.
	 * -1: none. */
	int wake_fd;
	bool (*wake)(void *ctx);
	void *wake_ctx;
	bool hurry;

	/* Rotation: give me the next file.  NULL: no rotation.  Called with the sequence
	 * number (the first file is 0; it starts again at 0 after max_files of a -C ring, and
	 * with every new period) and the time of the record that starts it; returns an fd or
	 * -errno, which it has said.  OUT_AGAIN: the last one anew, or -EEXIST, not said, where
	 * its name still leads to it. */
	int (*next)(void *ctx, unsigned int seq, uint64_t time_ns, char *name, size_t name_size);
	void *next_ctx;
	uint64_t max_bytes;		/* -C: a larger file gets no more records; 0: no limit */
	uint64_t period_ns;		/* -G; 0: no limit */
	uint64_t period_start_ns;
	unsigned int max_files;		/* -W: with -C a ring of so many, with -G alone the end */
	unsigned int seq;
	/* Head and tail of a file; set by sink_open() (ops->open, ops->finish). */
	int (*head)(void *ctx);
	int (*tail)(void *ctx);
	void *head_ctx;
};

enum { OUT_HURRY_MS = 1000 };
#define OUT_NOT_RECORD (1u << 31)
#define OUT_AGAIN UINT32_MAX

/* Takes over fd, also on failure. */
int out_open(struct out **out, int fd, const char *name);
/* Begin a record seen at time_ns: rotates when due.  0, 1 (stop: -W reached, or the reader
 * has gone) or -errno.  Twice in a row does no harm. */
int out_begin(struct out *o, uint64_t time_ns);
/* The record is whole.  Writes when the buffer is large or the output is a terminal.  A
 * record that sets buf.full is left out and counted as lost. */
int out_commit(struct out *o);
/* Forget the record being made. */
void out_abandon(struct out *o);
/* Ship what is committed; 0, 1 when the reader has gone (o->closed), -errno (said once).
 * After it o->records and o->lost are final. */
int out_flush(struct out *o);
/*
 * SIGHUP: write what there is to the file, and go on in a new one of the same name if that name leads to
 * it no longer.  The series goes on as if nothing had been.  Where no new one can be made (said), the
 * old one is written on.
 */
int out_reopen(struct out *o);
/* 0; the terminal that it was is gone: (said) -EIO; the reader of a pipe without a name: 1. */
int out_gone(struct out *o);
/* Write the file's head or tail, if there is one: what it commits is not counted as records. */
int out_head(struct out *o);
int out_tail(struct out *o);
/* Flush, close, free; the worst of all that went wrong.  NULL is fine. */
int out_close(struct out *o);

#endif
