/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_SINK_H
#define NETPROBE_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "util/buf.h"

/*
 * Where records go.  A sink formats one record at a time into its output's
 * buffer and marks where the record ends; the output (out.h) does the writing,
 * so a full disk, a closed pipe or a rotation is handled once, for all.
 */
struct out;
struct sink;

/* tcpdump: default, (UTC), -tt, -ttt, -tttt, -ttttt, -t.  (TIME_UTC is a macro of C11.) */
enum time_style { TIME_LOCAL, TIME_RFC3339, TIME_EPOCH, TIME_DELTA, TIME_DATE, TIME_REL, TIME_NONE };

/* tcpdump's text for a record, without the time stamp, with no newline; see text/line.h.
 * `state` is what line_open() gave.  Untrusted text in it is already escaped. */
typedef void (*line_fn)(void *state, const struct record *r, struct buf *b);

struct sink_options {
	/* table */
	line_fn line;
	void *line_state;
	enum time_style time;
	bool color;
	bool utf8;			/* the terminal shows UTF-8; else other than ASCII is escaped */
	bool number;			/* -# */
	bool hex, hex_link, ascii, ascii_hex;	/* -x, -xx / -XX, -A, -X */
	unsigned int width;		/* terminal columns, 0: unlimited */
	bool header;			/* column titles */
	bool people;			/* these are short, and numbers have units */
	/* screen */
	struct screen_view *view;	/* the terminal, and what keys have chosen: sink/screen.h */
	void (*titles)(void *line_state, unsigned int width, struct buf *b);	/* of `line`, so wide from now on */
	uint16_t bar_field;		/* bits per second, of which a row's share is a bar */
	unsigned int bar_from;		/* on a terminal so wide; 0: no bar */
	/* -o: fields to show, in order; n_fields 0: the sink's own choice */
	const uint16_t *fields;
	unsigned int n_fields;
	/* json */
	bool pretty;			/* one indented document */
	/* prom */
	bool series;			/* an exposition for each set of rows; else one, at the end */
	/* pcap, pcapng */
	uint32_t snaplen;
	const char *hardware, *os, *application, *filter;	/* pcapng section and interface options */
	uint16_t link;			/* pcap: the file's one link type */
};

struct sink_ops {
	const char *name;
	bool wants_frames;		/* one call a frame, not one a message: pcap, pcapng */
	size_t size;			/* of the sink's own struct, which begins with struct sink */
	/*
	 * Each appends whole records to s->out->buf and returns what out_commit() says.
	 * open: the head of a file; for every file of a series, so it begins anew.
	 * record: sink_record() has called out_begin(), so a rotation is done already.
	 * rows_end: what came since the last time, lost records aside, stands for one moment.  NULL: never mind.
	 * finish: the tail of a file, pcapng statistics for one; for every file of a series.
	 * free: what the sink's own struct holds.  open, finish and free may be NULL.
	 */
	int (*open)(struct sink *s);
	int (*record)(struct sink *s, const struct record *r);
	int (*rows_end)(struct sink *s);
	int (*finish)(struct sink *s);
	void (*free)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	struct out *out;
	struct sink_options opt;
	uint64_t written;		/* records */
	bool again;			/* set by rows_end: these rows once more, for they changed how rows look */
};

extern const struct sink_ops sink_table, sink_screen, sink_json, sink_csv, sink_prom, sink_pcap, sink_pcapng;

/* *sink is untouched on failure.  The sink does not own `out`, which must outlive it; arrays
 * and strings that `opt` points to must too. */
int sink_open(struct sink **sink, const struct sink_ops *ops, struct out *out,
	      const struct sink_options *opt);
/* 0, 1 to stop quietly (-W reached, the reader has gone), or -errno (said). */
int sink_record(struct sink *s, const struct record *r);
/* Write the tail, flush, free.  Returns as sink_record().  NULL is fine. */
int sink_close(struct sink *s);

/* pcapng: what an interface lost so far, written into its next block and the final statistics.  NULL: all of
 * them together, it is not known which; this stands with none of them. */
struct sink_loss { uint64_t received, dropped_ring, dropped_if, filter_accept; };
void pcapng_loss(struct sink *s, const struct iface *iface, const struct sink_loss *loss);

#endif
