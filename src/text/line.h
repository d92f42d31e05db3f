/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TEXT_LINE_H
#define NETPROBE_TEXT_LINE_H

#include "record.h"
#include "util/buf.h"

/*
 * tcpdump's one-liners, made from a record: everything after the time stamp, no
 * newline.  Untrusted text is escaped.
 */
struct line_state;		/* first sequence numbers of TCP connections: bounded, oldest out */

struct line_options {
	unsigned int verbose;	/* -v levels */
	bool quiet;		/* -q */
	bool link;		/* -e */
	bool absolute_seq;	/* -S */
	bool interface;		/* name the interface and direction first: -i any, several */
};

int  line_open(struct line_state **st, const struct line_options *opt);
void line_close(struct line_state *st);
void line_print(void *st, const struct record *r, struct buf *b);	/* a line_fn */

#endif
