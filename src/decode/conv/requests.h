/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_REQUESTS_H
#define NETPROBE_DECODE_CONV_REQUESTS_H

#include "decode/decode.h"

/*
 * Requests of any protocol that wait for their response.  What is kept is the request's
 * record, as far as kept.h keeps it.  REQUESTS_MAX of them; then the oldest is forgotten, and
 * counted.  One that has waited for the answer timeout (30 s unless options say) becomes a
 * no_answer record: the request's own, with event.action no_answer and event.outcome unknown.
 */
enum { REQUESTS_MAX = 16384 };

/* Whose request: the kind, the conversation (stream_conn.serial, conv_ends()), and its number there. */
struct request_key {
	const struct dataset *set;
	uint64_t conversation;
	uint64_t id;
};

struct requests;

int  requests_open(struct requests **out, const struct decode_options *opt);
void requests_close(struct requests *q);
/*
 * Remember r, a request.  One with the same key that still waits stays, and nothing is done.
 * True: its response was heard of before it, so it does not wait, and r gets event.duration.
 */
bool requests_ask(struct requests *q, const struct request_key *k, struct record *r);
/* Likewise, but with another turn (not 0) it is another request, and they are answered in turn. */
bool requests_ask_in_turn(struct requests *q, const struct request_key *k, uint64_t turn, struct record *r);
/*
 * r is the response: it gets event.duration.  Returns the request, or NULL when none waits (one
 * that comes in a moment need not wait then); what it points to is good until the next call.
 */
const struct record *requests_answer(struct requests *q, const struct request_key *k, struct record *r);
/* It goes on under another key; returns when it was asked, 0: none waits. */
uint64_t requests_move(struct requests *q, const struct request_key *from, const struct request_key *to);
/* Nobody will answer it: forget it without a word. */
void requests_drop(struct requests *q, const struct request_key *k);
void requests_end(struct requests *q);	/* no more stamps will come */
void requests_tick(struct requests *q, uint64_t now_ns, struct emit *e);
uint64_t requests_evicted(const struct requests *q);

#endif
