/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_OUTPUT_H
#define NETPROBE_CMD_OUTPUT_H

#include "cmd/cmd.h"
#include "pipeline.h"
#include "sink/out.h"
#include "sink/screen.h"
#include "text/line.h"
#include "util/terminal.h"

struct helper;
struct rotate;

/*
 * Where a command's records go: standard output as text, JSON or CSV, and a capture file.  The options that every
 * command takes choose the form; the command adds what is its own.
 */
struct output_file {
	const char *name;		/* NULL: none; "-": standard output */
	const char *input;		/* what is read, and so not written to; NULL: interfaces */
	bool pcapng;			/* whatever the name */
	uint64_t rotate_bytes, rotate_ns, rotate_files;
};

struct output_options {
	const struct globals *g;
	bool records;			/* on standard output */
	bool prom;			/* as OpenMetrics text */
	bool refresh;			/* tables of intervals: drawn over one another, where there is a terminal */
	struct output_file file;
	struct line_options line;	/* all but what g has */
	struct sink_options text;	/* likewise; `line`: lines of the command's own, without a time */
};

struct output {
	const struct output_options *o;
	struct out *outs[PIPELINE_SINKS_MAX];
	unsigned int n_outs;
	struct line_state *lines;
	uint16_t columns[64];		/* -o, or what the command chose */
	unsigned int n_columns;
	int wake_fd;

	/* Of tables that are drawn over one another. */
	bool refreshes;			/* they are */
	struct terminal terminal;
	struct screen_view view;
	struct sink *screen;		/* NULL: not open yet, or no more */

	/* Of the capture file; whoever runs the command knows these before output_open(). */
	uint32_t snaplen;		/* 0: the largest */
	const char *filter;
	uint16_t link;			/* plain pcap has one link type */
	uint32_t uid, gid;		/* who owns new files; UINT32_MAX: whoever makes them */
	uint64_t first_ns;		/* of the first frame that goes into it; 0: not known */
	struct rotate *rotate;		/* makes the names; NULL: none to make */
	unsigned int file_seq;		/* files opened */
	struct helper *helper;		/* opens further ones */
};

/* Do the options go together?  0, or negative and said.  `o` must outlive the output. */
int output_check(struct output *out, const struct output_options *o);
/* Columns in place of the sink's own, where -o chose none: fields of `set`. */
void output_columns(struct output *out, const struct dataset *set, const uint16_t *fields, unsigned int n);

/* Open the files, and give their sinks to the pipeline.  Lines name the interface when there are `many`.
 * wake_fd: readable when the user wants to end, -1: none. */
int output_open(struct output *out, struct pipeline *p, bool many, int wake_fd);
/* From here on further files are the helper's to open (NULL: there are none). */
void output_helper(struct output *out, struct helper *helper);
/* Whom to ask, once wake_fd is readable, whether to end; see out.h.  And when that is known without asking. */
void output_wake(struct output *out, bool (*wake)(void *ctx), void *ctx);
void output_hurry(struct output *out);
int output_gone(struct output *out);		/* as out_gone() */

/* Write what is left: afterwards the counts are final.  Then, after the trailer, close. */
int output_finish(struct output *out, struct pipeline *p);
int output_close(struct output *out);
uint64_t output_lost(const struct output *out);	/* records that did not come to where they were to go */

unsigned int output_width(void);	/* columns of the terminal that is standard output; 0: it is none */

#endif
