/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TEXT_PARTS_H
#define NETPROBE_TEXT_PARTS_H

#include <string.h>

#include "text/line.h"

/*
 * The pieces of a line, private to text/ and the text.c of a protocol.  The line of a message
 * (dataset.line) starts after "src > dst: "; what all messages have in common follows it.
 */

/*
 * The sequence numbers that a connection's lines count from, one for each way.
 * LINE_FLOWS connections, eight to a set; the one longest unused of a set goes.
 */
enum { LINE_FLOWS = 8192, LINE_WAYS = 8 };

struct line_flow {
	struct addr lo, hi;		/* the two ends; lo is the lesser */
	uint16_t lo_port, hi_port;
	uint32_t lo_seq, hi_seq;	/* first sequence number of each end */
	uint64_t used;			/* count of line_state.clock; 0: free */
};

struct line_state {
	struct line_options opt;
	uint64_t seed, clock;
	bool is_named;			/* the link header has told the EtherType */
	bool is_head;			/* a first fragment's message, in the line of its packet */
	char interface[64];		/* the first one that a record named; more than one: each is shown */
	struct line_flow flow[LINE_FLOWS];
};

/*
 * The unchecked way to write, where one buf_room() vouched for all of it: each
 * returns where the next byte goes.
 */
#define LINE_LIT(o, text) ((char *)memcpy((o), text, sizeof(text) - 1) + sizeof(text) - 1)

static inline char *line_u32(char *o, uint32_t v)
{
	char t[10];
	unsigned int n = 0;

	do {
		t[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		*o++ = t[--n];
	return o;
}

void line_tcp(struct line_state *st, const struct record *r, struct buf *b);
/* A segment that is shown as something else counts too, where its connection's numbers begin. */
void line_tcp_seen(struct line_state *st, const struct record *r);
/* Its options are: line_tcp() says so. */
bool line_tcp_is_cut(const struct record *r);
/* What PPP carries, where that is not IP. */
void line_ppp(const struct record *r, struct buf *b);
/* The Ethernet header as -e shows it.  False: the frame has none. */
bool line_ethernet(const struct record *r, struct buf *b);
/* The same of any link.  False: it does not say what follows, or there is none. */
bool line_link(const struct record *r, struct buf *b);
/* A message: its dataset's line, how long it took, and what is wrong. */
void line_message(struct line_state *st, const struct record *r, struct buf *b);

/* " name" and the value of a field, where it is there: a text, an address. */
void line_word(struct buf *b, const char *name, const struct record *r, unsigned int f);
void line_addr(struct buf *b, const char *name, const struct record *r, unsigned int f);
void line_number(struct buf *b, const char *name, uint64_t v);
/* The first LINE_WORDS texts of a list, and how many more there are. */
enum { LINE_WORDS = 4 };
void line_list(struct buf *b, const char *name, const struct record *r, unsigned int f, uint32_t total);
/* Text from outside, escaped. */
void line_text(struct buf *b, const char *p, uint32_t n);

#endif
