/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_PAIRS_H
#define NETPROBE_DECODE_CONV_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * Requests that wait for their response: how long it took, and which never got one.
 * A table has a fixed number of places, made when it is opened.  When all are taken
 * the oldest request is forgotten, and counted.  Requests are kept in the order in
 * which they were put, so timeouts are found without a search.
 *
 * Stamps of frames need not grow.  Waiting is measured by a clock of the table's own, which
 * goes on as far as they do, and never back: up to PAIRS_DISORDER_NS before the latest one a
 * stamp is out of order, further it is time set back.  More than PAIRS_STRAY_NS ahead of the
 * latest one it counts for nothing until the next one is there as well.
 *
 * A response may be heard of before its request: the last PAIRS_EARLY_MAX of those that found
 * none are kept, and answer a request whose stamp is at most PAIRS_EARLY_NS away.
 */
enum { PAIRS_EARLY_MAX = 512, PAIRS_SAME_MAX = 16 };
#define PAIRS_DISORDER_NS 10000000000ull
#define PAIRS_STRAY_NS 60000000000ull
#define PAIRS_EARLY_NS 1000000000ull

/*
 * Who asked whom for what.  `what` is a digest of what is asked, 0 when that is not known: then it
 * is any, if there is but one, or (in_turn) the oldest.  Of requests that differ in nothing else
 * PAIRS_SAME_MAX are kept.
 */
struct request_key {
	const struct dataset *set;
	uint64_t conversation;		/* stream_conn.serial, conv_ends(), conv_asker() */
	uint64_t id;			/* its number there */
	uint64_t what;
	bool     in_turn;
};

/* Of a protocol whose requests have numbers of their own. */
#define REQUEST_KEY(set_, conversation_, id_) \
	((struct request_key){ .set = (set_), .conversation = (conversation_), .id = (id_) })

struct pairs;

/* Places for `max` requests with `value_size` bytes of the caller's each. */
int  pairs_open(struct pairs **out, uint32_t max, uint32_t value_size, uint32_t seed);
void pairs_close(struct pairs *p);
/*
 * Remember a request; returns room for its value (what was there before is not cleared).
 * One with the same key that is younger than `again_ns` is the same request sent once
 * more: the first stays, and NULL is returned.  An older one is replaced.
 */
void *pairs_put(struct pairs *p, const struct request_key *k, uint64_t now_ns, uint64_t again_ns);
/* The request that a response with this key answers, taken out; NULL when there is none.
 * The value is good until the next call. */
void *pairs_take(struct pairs *p, const struct request_key *k, uint64_t *asked_ns);
/* Likewise, but it stays for the rest of the response: it does not expire, it is forgotten. */
void *pairs_see(struct pairs *p, const struct request_key *k, uint64_t *asked_ns);
/* A response found no request: keep it for a moment. */
void pairs_early(struct pairs *p, const struct request_key *k, uint64_t now_ns);
/* Was this request answered before it was heard of?  Then it need not be put. */
bool pairs_was_early(struct pairs *p, const struct request_key *k, uint64_t now_ns, uint64_t *answered_ns);
/* event.duration, unless the stamps go back. */
static inline void pairs_took(struct record *r, uint64_t asked_ns, uint64_t answered_ns)
{
	if (answered_ns < asked_ns)
		return;
	r->duration_ns = answered_ns - asked_ns;
	record_mark(r, FIELD_DURATION);
}

/* A stamp.  Returns what the table's clock says, as far as that is certain. */
uint64_t pairs_pass(struct pairs *p, uint64_t now_ns);
/* There will be no more stamps: the last one counts. */
void pairs_end(struct pairs *p);
/* The oldest request, taken out, if by the table's clock it was put before `before_ns`; else NULL. */
void *pairs_expire(struct pairs *p, uint64_t before_ns, struct request_key *k, uint64_t *asked_ns);
uint64_t pairs_evicted(const struct pairs *p);
uint32_t pairs_count(const struct pairs *p);

#endif
