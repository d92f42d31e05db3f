/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_PAIRS_H
#define NETPROBE_DECODE_PAIRS_H

#include <stdint.h>

/*
 * Requests that wait for their response: how long it took, and which never got one.
 * A table has a fixed number of places, made when it is opened.  When all are taken
 * the oldest request is forgotten, and counted.  Requests are kept in the order in
 * which they were put, so timeouts are found without a search.
 */

/* Who asked whom for what.  All octets count: start from a zeroed one. */
struct pairs_key {
	uint8_t  client[16], server[16];
	uint16_t client_port, server_port;
	uint16_t id, seq;
	uint8_t  family, kind;		/* kind: the caller's, to tell protocols apart */
	uint8_t  zero[6];
};

struct pairs;

/* Places for `max` requests with `value_size` octets of the caller's each. */
int  pairs_open(struct pairs **out, uint32_t max, uint32_t value_size, uint32_t seed);
void pairs_close(struct pairs *p);
/*
 * Remember a request; returns room for its value (what was there before is not cleared).
 * One with the same key that is younger than `again_ns` is the same request sent once
 * more: the first stays, and NULL is returned.  An older one is replaced.
 */
void *pairs_put(struct pairs *p, const struct pairs_key *k, uint64_t now_ns, uint64_t again_ns);
/* The request that a response with this key answers, taken out; NULL when there is none.
 * The value is good until the next call. */
void *pairs_take(struct pairs *p, const struct pairs_key *k, uint64_t *asked_ns);
/* The oldest request, taken out, if it was put before `before_ns`; else NULL. */
void *pairs_expire(struct pairs *p, uint64_t before_ns, struct pairs_key *k, uint64_t *asked_ns);
uint64_t pairs_evicted(const struct pairs *p);
uint32_t pairs_count(const struct pairs *p);

#endif
