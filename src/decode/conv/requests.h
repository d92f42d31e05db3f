/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_REQUESTS_H
#define NETPROBE_DECODE_CONV_REQUESTS_H

#include "decode/conv/pairs.h"
#include "decode/decode.h"

/*
 * Requests of any protocol that wait for their response.  What is kept is the request's
 * record, as far as record_keep.h keeps it.  So many of them; then the oldest is forgotten, and
 * counted.  One that has waited for the answer timeout becomes a no_answer record: the request's
 * own, with event.action no_answer and event.outcome unknown.
 */
enum { REQUESTS_MAX = 16384 };

/* How the requests of a protocol wait that has a table of its own. */
struct request_rules {
	uint32_t max;			/* 0: REQUESTS_MAX */
	uint64_t timeout_ns;		/* unless options say */
	const uint16_t *keeps;		/* ids of the fields kept, ended by 0; NULL: all */
	bool     silent;		/* no record is kept, none is emitted: they wait until the table is full */
};

struct requests;

/* rules: NULL for those that have none, which wait for 30 s. */
int  requests_open(struct requests **out, const struct decode_options *opt, const struct request_rules *rules);
void requests_close(struct requests *q);
/*
 * Remember r, a request.  One with the same key that still waits stays, and nothing is done.
 * True: its response was heard of before it, so it does not wait, and r gets event.duration.
 */
bool requests_ask(struct requests *q, const struct request_key *k, struct record *r);
/*
 * r is the response: it gets event.duration.  False: no request waits for it (one that comes in a
 * moment need not wait then).
 */
bool requests_answer(struct requests *q, const struct request_key *k, struct record *r);
/* Likewise, but the request stays for the rest of the response: it makes no no_answer. */
bool requests_begin_answer(struct requests *q, const struct request_key *k, struct record *r);
/* The request that requests_answer() has just found; what it points to is good until the next call. */
const struct record *requests_asked(struct requests *q);
/* It goes on under another key; returns when it was asked, 0: none waits. */
uint64_t requests_move(struct requests *q, const struct request_key *from, const struct request_key *to);
/* Nobody will answer it: forget it without a word. */
void requests_drop(struct requests *q, const struct request_key *k);
void requests_end(struct requests *q);	/* no more stamps will come */
void requests_tick(struct requests *q, uint64_t now_ns, struct emit *e);
uint64_t requests_evicted(const struct requests *q);

#endif
